"""Nothing looks ahead: whatever becomes known after an issue, or happens after an hour, changes nothing before it.

Every law is tried on features that do look ahead as well: one that cannot be broken proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.adapters.archive import ParquetArchive
from core.domain.units import hour_axis, to_second64
from core.domain.weather import HourlyWeather, Location, Values
from core.features import history, storms, surroundings, table, terrain, thermo
from core.quality.checks import check
from core.risk import AgeLimits
from core.workflows.observing import Observing
from core.workflows.serving import Served
from core.workflows.situation import Situation
from tests.models_made import forecast_model, manifest
from tests.weather_made import END, REGION, FakeSource
from tests.weather_made import weather as coherent

Build = Callable[[HourlyWeather], Mapping[str, Values]]
Known = Callable[[HourlyWeather, datetime], HourlyWeather]

START = datetime(2026, 7, 1, tzinfo=UTC)
HOURS = 150
PLACES = (
    Location("a", "Alpha", 30.1, 78.1, 500.0, 0.01, 0.05),
    Location("b", "Beta", 30.1, 78.35, 1500.0, -0.02, 0.03),
    Location("c", "Gamma", 30.6, 78.1, 900.0, 0.04, 0.0),
    Location("d", "Delta", -12.0, -45.0),
)
HOWS = ("shifted", "missing", "huge", "others")
#: An example is three numbers: nothing is gained by shrinking them.
LAWS = settings(max_examples=30, deadline=None, derandomize=True, database=None, phases=(Phase.generate,))
SEEDS, HOUR = st.integers(0, 10_000), st.integers(0, HOURS - 2)


def made(seed: int) -> HourlyWeather:
    """Return noisy weather with gaps and rain, and values that come late: some by minutes, some by days."""
    rng = np.random.default_rng(seed)
    end = START + timedelta(hours=HOURS - 1)
    weather = coherent(HOURS, end, places=PLACES, seed=seed)
    values = {name: np.where(rng.random(array.shape) < 0.1, np.nan, array) for name, array in weather.values.items()}
    late_s = np.where(rng.random((len(PLACES), HOURS)) < 0.5, 0, rng.exponential(20 * 3600, (len(PLACES), HOURS)))
    available_at = weather.valid_at.astype("datetime64[s]") + late_s.astype("timedelta64[s]")
    return replace(weather.with_values(values), available_at=available_at)


def altered(weather: HourlyWeather, where: NDArray[np.bool_], how: str, seed: int) -> HourlyWeather:
    """Return the weather with every value at `where` changed."""
    rng = np.random.default_rng(seed + 1)
    values = {}
    for name, array in weather.values.items():
        other = {
            "shifted": array + rng.uniform(3, 30, array.shape),
            "missing": np.full(array.shape, np.nan),
            "huge": rng.choice([-1e30, 1e30], array.shape),
            "others": 15 + rng.normal(0, 4, array.shape),
        }[how]
        values[name] = np.where(where, other, array).astype(np.float32)
    return weather.with_values(values)


def everything(weather: HourlyWeather) -> dict[str, Values]:
    """Return all features of the set, those of the surroundings among them, and those of storms and of terrain."""
    with np.errstate(all="ignore"):  # 1e30 degrees overflow wherever they are used
        built = table.build(weather)
        t, td, p, rain, gust = (
            weather.get(name)
            for name in ("temperature_c", "dew_point_c", "surface_pressure_hpa", "precipitation_mm", "wind_gust_ms")
        )
        wind = thermo.wind_components_ms(weather.get("wind_speed_ms"), weather.get("wind_direction_deg"))
        flux = thermo.moisture_flux(td, p, *wind)
        more = {
            "wet_bulb": thermo.wet_bulb_temperature_c(t, td, p),
            "cloud_base": thermo.lifting_condensation_level_m(t, td),
            "flux_east": flux[0],
            "flux_north": flux[1],
            "gust_front": storms.gust_front(t, gust, p),
            "intermittency": storms.intermittency(rain),
            "hours_since_rain": storms.hours_since_rain(rain),
            "lift": terrain.orographic_lift_ms(weather.locations, *wind),
        }
    return {name: built.values[..., i] for i, name in enumerate(built.names)} | more


def as_known(weather: HourlyWeather, issued_at: datetime) -> HourlyWeather:
    """Return what the house takes for known."""
    return weather.as_known(issued_at)


def law_of_hours(build: Build) -> Callable[[], None]:
    """Features of an hour do not change when what comes after it does."""

    @LAWS
    @given(seed=SEEDS, hour=HOUR, how=st.sampled_from(HOWS))
    def law(seed: int, hour: int, how: str) -> None:
        weather = made(seed)
        later = np.broadcast_to(np.arange(HOURS) > hour, (len(PLACES), HOURS))
        before, after = build(weather), build(altered(weather, later, how, seed))
        for name, values in before.items():
            np.testing.assert_array_equal(values[:, : hour + 1], after[name][:, : hour + 1], name)

    return law


def law_of_knowledge(build: Build, known: Known = as_known) -> Callable[[], None]:
    """Features as known at an issue do not change when values do that are known only after it."""

    @LAWS
    @given(seed=SEEDS, hour=HOUR, minutes=st.integers(0, 59), how=st.sampled_from(HOWS))
    def law(seed: int, hour: int, minutes: int, how: str) -> None:
        weather, issued_at = made(seed), START + timedelta(hours=hour, minutes=minutes)
        late = weather.available_at > to_second64(issued_at)
        assert late.any()
        before = build(known(weather, issued_at))
        after = build(known(altered(weather, late, how, seed), issued_at))
        for name, values in before.items():
            np.testing.assert_array_equal(values[:, hour], after[name][:, hour], name)
            np.testing.assert_array_equal(values, after[name], name)

    return law


def test_no_feature_sees_a_later_hour() -> None:
    law_of_hours(everything)()


def test_no_feature_sees_what_is_not_yet_known() -> None:
    law_of_knowledge(everything)()


PEEKING: Mapping[str, Build] = {
    "the rain of the next hour": lambda w: {"peek": history.before(w.get("precipitation_mm"), -1)},
    "a mean over the whole series": lambda w: {"peek": w.get("temperature_c") - np.nanmean(w.get("temperature_c"))},
    "the neighbours an hour later": lambda w: {
        "peek": history.before(surroundings.build(w)["around_150km_root_rain"], -1)
    },
    "gaps filled backwards": lambda w: {"peek": _filled_backwards(w.get("surface_pressure_hpa"))},
}


def _filled_backwards(values: Values) -> Values:
    return np.where(np.isfinite(values), values, history.before(values, -1))


@pytest.mark.parametrize("peek", PEEKING)
def test_a_feature_that_peeks_is_caught(peek: str) -> None:
    with pytest.raises(AssertionError, match="peek"):
        law_of_hours(lambda weather: {**PEEKING[peek](weather)})()


def test_weather_with_late_values_left_in_is_caught() -> None:
    def by_hour_alone(weather: HourlyWeather, issued_at: datetime) -> HourlyWeather:
        return replace(weather, available_at=None).as_known(issued_at)

    with pytest.raises(AssertionError, match="Mismatched elements"):
        law_of_knowledge(everything, by_hour_alone)()


class LateSource(FakeSource):
    """A source that hands on late values too, changed in some way, and says when they could first be known."""

    def __init__(self, how: str, seed: int, says_when: bool = True) -> None:
        super().__init__()
        self.how, self.seed, self.says_when = how, seed, says_when

    def hours(self, region, start, end):
        """Return the weather of the fake source; half of its values come later than `now`."""
        weather = super().hours(region, start, end)
        rng = np.random.default_rng(self.seed)
        late = rng.random((len(region.locations), len(weather.valid_at))) < 0.3
        late[0, -2:] = False  # somewhere the newest hour is known
        delay = np.where(late, np.timedelta64(30, "D"), np.timedelta64(5, "m"))
        changed = altered(weather, late, self.how, self.seed) if self.how else weather
        available_at = weather.valid_at.astype("datetime64[s]") + delay.astype("timedelta64[s]")
        return replace(changed, available_at=available_at if self.says_when else None)


NOW = END + timedelta(minutes=20)


class Sensitive:
    """A model of the tests that looks at departures, so that no probability is 0 or 1."""

    def __init__(self) -> None:
        usual = table.build(coherent(400)).values.reshape(-1, len(table.feature_names()))
        self.model = forecast_model()
        usual = np.where(np.isfinite(usual).any(axis=0), usual, 0)  # lift: the places have no slopes
        self.mean, self.spread = np.nanmean(usual, axis=0), np.nanstd(usual, axis=0) + 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def with_interval(self, rows: Values) -> Any:
        """Return the curves of departures from usual weather."""
        return self.model.with_interval(((rows - self.mean) / self.spread).astype(np.float32))


def issued(source: LateSource, folder: Path, source_is_down: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return features and probabilities of the live path: source or archive, checks, situation, model."""
    observing = Observing(source, ParquetArchive(folder), check, table.LOOKBACK_H + 24)
    if source_is_down:
        past = source.hours(REGION, END - timedelta(hours=500), END)
        observing.archive.store(REGION.id, check(past))
        source.down = True
    recent = observing.recent(REGION, NOW)
    assert (recent.error is not None) == source_is_down
    situation = Situation(REGION, recent.checked, AgeLimits(), NOW)
    curves = situation.curves(Served(manifest(), Sensitive(), False))
    return situation.rows, np.array([[p for curve in place for p in curve.probability] for place in curves])


@pytest.mark.parametrize("down", [False, True], ids=["from the source", "from the archive"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_issue_does_not_change_with_what_is_known_later(tmp_path: Path, how: str, seed: int, down: bool) -> None:
    rows, probabilities = issued(LateSource("", seed), tmp_path / "one", down)
    others = issued(LateSource(how, seed), tmp_path / "other", down)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    np.testing.assert_array_equal(rows, others[0])
    np.testing.assert_array_equal(probabilities, others[1])


def test_an_issue_changes_where_a_source_says_that_all_was_known(tmp_path: Path) -> None:
    found = [issued(LateSource(how, 1, says_when=False), tmp_path / how, False) for how in ("", "shifted")]
    assert not np.array_equal(found[0][0], found[1][0], equal_nan=True)
    assert not np.array_equal(found[0][1], found[1][1], equal_nan=True)


def test_the_axis_is_whole() -> None:
    assert made(1).valid_at.tolist() == hour_axis(START, START + timedelta(hours=HOURS - 1)).tolist()
