"""The service's pasts: each under its own name, with honest lead times, and with patience that says so."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from core.adapters.open_meteo.products import PRODUCTS, PastProduct, Patience
from core.errors import ConfigurationError
from tests.adapters.open_meteo_made import HOUR, NOW, Service, source
from tests.weather_made import REGION

BEGIN = NOW - timedelta(days=200)


@pytest.mark.parametrize(
    ("product", "days_before", "host", "name", "known_after_h"),
    [
        ("by-date", None, "historical-forecast-api", "open-meteo", 6),
        ("historical-forecast", None, "historical-forecast-api", "open-meteo-historical-forecast", 6),
        ("archive", None, "archive-api", "open-meteo-archive", 120),
        ("previous-runs", 1, "previous-runs-api", "open-meteo-previous-runs-day1", 6 - 24),
        ("previous-runs", 7, "previous-runs-api", "open-meteo-previous-runs-day7", 6 - 168),
    ],
)
def test_a_product_is_asked_where_it_is_and_kept_under_its_name(
    product: str, days_before: int | None, host: str, name: str, known_after_h: int
) -> None:
    service = Service()
    past = PastProduct(source(service), product, days_before)
    (month,) = past.backfill(REGION, BEGIN, BEGIN + 30 * HOUR)
    assert {url.host.partition(".")[0] for url in service.asked} == {host}
    assert (past.name, month.source) == (name, name)
    assert month.available_at is not None
    late = (month.available_at[0] - month.valid_at).astype("timedelta64[h]").astype(int)
    assert set(late.tolist()) == {known_after_h}
    assert np.isfinite(month.values["precipitation_mm"]).all()
    suffix = f"_previous_day{days_before}" if days_before else ""
    assert service.asked[0].params["hourly"].startswith(f"temperature_2m{suffix},")
    whole = past.hours(REGION, BEGIN, BEGIN + 30 * HOUR)
    assert whole.source == name
    assert np.array_equal(whole.values["temperature_c"], month.values["temperature_c"])


@pytest.mark.parametrize(("product", "days_before"), [(p, 2) for p in PRODUCTS if p != "previous-runs"] + [
    ("previous-runs", None)])  # fmt: skip
def test_a_lead_goes_with_previous_runs_alone(product: str, days_before: int | None) -> None:
    with pytest.raises(ConfigurationError, match="does not go with") as caught:
        PastProduct(source(), product, days_before)
    assert caught.value.hint


def test_a_long_wait_is_told_while_it_lasts() -> None:
    told: list[tuple[float, str]] = []
    slept: list[float] = []
    patience = Patience(lambda done, text: told.append((done, text)), slept.append)
    patience.told(0.25, "Region, June 2026")
    patience.wait(25)
    assert slept == [10, 10, 5]
    assert [done for done, _ in told] == [0.25] * 5
    assert [text.partition(": ")[2] for _, text in told] == [
        "",
        "waiting 25 s for Open-Meteo's limits",
        "waiting 15 s for Open-Meteo's limits",
        "waiting 5 s for Open-Meteo's limits",
        "",
    ]
