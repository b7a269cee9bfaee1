"""Forecast fields from the archive: by region or by nearness, and known when the archive says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.adapters.archive import ParquetArchive
from core.adapters.archived_forecasts import DAY_BEFORE, ArchivedForecasts
from core.adapters.open_meteo.products import PREVIOUS_RUNS, PastProduct
from core.adapters.open_meteo.source import OpenMeteo
from core.domain.forecast import FIELD_WINDOWS, WINDOWS
from core.domain.quality import FlaggedWeather
from core.domain.weather import HourlyWeather, Location
from core.errors import SourceUnavailable
from core.features import fields as model_fields
from core.features import table
from core.ports import silent
from core.quality.checks import check
from core.workflows.gathering import gather
from tests.weather_made import END, REGION, FakeSource, weather

START = END - timedelta(hours=9)


def stored(folder: Path, says_when: bool = True) -> tuple[ParquetArchive, HourlyWeather]:
    """Return an archive with ten hours of forecasts of the region, known 18 h before their hour."""
    archive = ParquetArchive(folder)
    made = weather(10, END, DAY_BEFORE)
    if says_when:
        known = np.broadcast_to(made.valid_at - np.timedelta64(18, "h"), (3, 10)).astype("datetime64[s]")
        made = replace(made, available_at=known)
    archive.store(REGION.id, FlaggedWeather(made, ()))
    return archive, made


def test_the_name_is_that_of_the_ingest() -> None:
    product = PastProduct(OpenMeteo((REGION,), lambda: END), PREVIOUS_RUNS, 1)
    assert product.name == DAY_BEFORE


def test_a_region_has_what_was_ingested_for_it(tmp_path: Path) -> None:
    archive, made = stored(tmp_path)
    found = ArchivedForecasts(archive).fields(REGION, START, END + timedelta(hours=2))
    np.testing.assert_array_equal(found.get("precipitation_mm")[:, :10], made.get("precipitation_mm"))
    assert np.isnan(found.get("precipitation_mm")[:, 10:]).all()
    assert found.available_at is not None
    assert (found.valid_at - found.available_at == np.timedelta64(18, "h"))[:, :10].all()


def test_rows_that_do_not_say_when_they_were_known_were_known_a_day_before(tmp_path: Path) -> None:
    class Silent(ParquetArchive):
        """An archive whose rows do not say when they were known."""

        def read(self, *asked: object) -> HourlyWeather:
            return replace(super().read(*asked), available_at=None)  # type: ignore[arg-type]

    stored(tmp_path)
    found = ArchivedForecasts(Silent(tmp_path)).fields(REGION, START, END)
    assert found.available_at is not None
    assert (found.valid_at - found.available_at == np.timedelta64(24, "h")).all()


def test_gauges_get_the_nearest_place_of_another_region_and_far_ones_none(tmp_path: Path) -> None:
    archive, made = stored(tmp_path)
    near, far = Location("g1", "G1", 30.12, 78.33), Location("g2", "G2", 31.9, 77.0)
    gauges = replace(REGION, id="gauges", locations=(far, near), spacing_deg=None)
    found = ArchivedForecasts(archive, REGION).fields(gauges, START, END)
    assert found.locations == (far, near)
    np.testing.assert_array_equal(found.get("temperature_c")[1], made.get("temperature_c")[1])
    assert np.isnan(found.get("temperature_c")[0]).all()


def test_an_archive_without_forecasts_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="previous-runs"):
        ArchivedForecasts(ParquetArchive(tmp_path)).fields(REGION, START, END)


def test_a_window_beyond_the_lead_of_the_archive_is_missing(tmp_path: Path) -> None:
    archive, _ = stored(tmp_path)
    found = ArchivedForecasts(archive).fields(REGION, START, END)
    issue = found.valid_at[:1] - np.timedelta64(22, "h")  # the stored hours are 22 to 31 h ahead, known 18 h before
    assert all(np.isnan(array).all() for array in model_fields.build(found, issue).values())
    later = issue + np.timedelta64(6, "h")
    assert np.isfinite(model_fields.build(found, later)["model_rain_max_12to24h_mm"]).all()


def test_gauges_and_archived_forecasts_near_them_make_cases_to_learn_from(tmp_path: Path) -> None:
    points = tuple(replace(p, id=f"pt-{p.id}", latitude=p.latitude + 0.05) for p in REGION.locations)
    pack = replace(REGION, id="points", locations=points, spacing_deg=None)
    forecast = weather(24 * 20, END, DAY_BEFORE, points, seed=5)
    known = np.broadcast_to(forecast.valid_at - np.timedelta64(18, "h"), (3, 24 * 20)).astype("datetime64[s]")
    archive = ParquetArchive(tmp_path)
    archive.store(pack.id, FlaggedWeather(replace(forecast, available_at=known), ()))
    windows = (*WINDOWS, *FIELD_WINDOWS)
    cases = gather(FakeSource(), (None, None), windows, check, silent, fields=ArchivedForecasts(archive, pack))
    assert cases.feature_names == table.feature_names(table.OBSERVED_MODEL)
    place, hour = cases.place, cases.hour - forecast.valid_at[0].astype(int)
    inside = np.flatnonzero((hour >= 0) & (hour < 24 * 20 - 24))
    assert len(inside) > 500
    column = cases.rows[:, cases.feature_names.index("model_rain_6to12h_mm")]
    rain = forecast.get("precipitation_mm")
    expected = [rain[place[i], hour[i] + 7 : hour[i] + 13].sum() for i in inside]
    np.testing.assert_allclose(column[inside], expected, rtol=1e-5, atol=1e-4)
    # Known 18 h before: a rain sum of 12 to 24 h is missing, its highest known hour is not.
    assert np.isnan(cases.rows[:, cases.feature_names.index("model_rain_12to24h_mm")]).all()
    assert np.isfinite(cases.rows[inside, cases.feature_names.index("model_rain_max_12to24h_mm")]).all()
