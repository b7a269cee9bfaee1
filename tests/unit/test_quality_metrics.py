"""Quality metrics: what counts as expected, present, failed, inconsistent, late."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.quality import Finding, FlaggedWeather, QualityMetrics
from core.domain.weather import Flag, HourlyWeather
from core.quality.metrics import Frame, delays_min, measure, variables_of
from tests.weather_made import END, PLACES, weather

HOURS = 24
BEGIN = END - timedelta(hours=HOURS - 1)
SHARES = ("completeness", "validity", "consistency", "timeliness", "anomaly_rate", "overall")


def frame(made: HourlyWeather, **changes: object) -> Frame:
    """Return what to measure against: the whole day, two hours after its end."""
    known = Frame("gauges", "r", BEGIN, END + timedelta(hours=2), timedelta(minutes=90), variables_of(made))
    return replace(known, **changes)  # type: ignore[arg-type]


def finding(made: HourlyWeather, test: str, flag: Flag, cells: list[tuple[int, int]], variable: str = "") -> Finding:
    """Return a finding at some places and hours."""
    where = np.zeros((len(made.locations), len(made.valid_at)), bool)
    for cell in cells:
        where[cell] = True
    return Finding(test, variable or "temperature_c", flag, "a reason", where)


def region_of(made: HourlyWeather, *findings: Finding, **changes: object) -> QualityMetrics:
    return measure(FlaggedWeather(made, findings), frame(made, **changes))[0]


def without(made: HourlyWeather, variable: str, cells: list[tuple[int, int]]) -> HourlyWeather:
    values = {name: array.copy() for name, array in made.values.items()}
    for cell in cells:
        values[variable][cell] = np.nan
    return made.with_values(values)


def arrived(made: HourlyWeather, minutes: float) -> HourlyWeather:
    known = np.empty((len(made.locations), len(made.valid_at)), "datetime64[s]")
    known[:] = made.valid_at.astype("datetime64[s]") + np.timedelta64(round(minutes * 60), "s")
    return replace(made, available_at=known)


@pytest.fixture
def made() -> HourlyWeather:
    return weather(HOURS)


def test_good_weather_is_whole_valid_and_consistent_and_its_timeliness_unknown(made: HourlyWeather) -> None:
    found = region_of(made)
    assert (found.completeness, found.validity, found.consistency, found.overall) == (1, 1, 1, 1)
    assert found.anomaly_rate == 0
    assert math.isnan(found.timeliness)
    assert math.isnan(found.delay_min)
    assert (found.location_id, found.begin, found.end) == (None, BEGIN, END)


def test_the_share_of_missing_values_is_what_completeness_lacks(made: HourlyWeather) -> None:
    holed = without(made, "wind_speed_ms", [(1, h) for h in range(12)])
    region, places = measure(FlaggedWeather(holed, ()), frame(holed))
    variables = len(holed.values)
    assert [p.location_id for p in places] == [p.id for p in PLACES]
    assert places[1].completeness == pytest.approx(1 - 12 / (HOURS * variables))
    assert region.completeness == pytest.approx(1 - 12 / (3 * HOURS * variables))
    assert places[0].completeness == 1
    assert region.overall == pytest.approx(region.completeness)


def test_failed_suspect_and_inconsistent_values_are_counted_once_each(made: HourlyWeather) -> None:
    n = 3 * HOURS * len(made.values)
    found = region_of(
        made,
        finding(made, "range", Flag.FAIL, [(0, 0), (0, 1)]),
        finding(made, "consistency", Flag.FAIL, [(0, 1), (0, 2)]),
        finding(made, "consistency", Flag.SUSPECT, [(0, 2)], "dew_point_c"),
        finding(made, "step", Flag.SUSPECT, [(0, 0), (2, 5)]),
    )
    assert found.validity == pytest.approx(1 - 3 / n)
    assert found.consistency == pytest.approx(1 - 3 / n)
    assert found.anomaly_rate == pytest.approx(2 / n)  # the dew point and (2, 5); what failed is no mere suspect
    assert found.overall == pytest.approx(1 - 4 / n)  # (0, 0), (0, 1), (0, 2) and the dew point


@pytest.mark.parametrize("test", ["consistency", "pressure at height", "buddy"])
def test_tests_against_other_values_are_consistency(made: HourlyWeather, test: str) -> None:
    assert region_of(made, finding(made, test, Flag.SUSPECT, [(0, 0)])).consistency < 1


def test_a_remark_counts_as_nothing(made: HourlyWeather) -> None:
    found = region_of(made, finding(made, "consistency", Flag.PASS, [(0, 0)]))
    assert (found.validity, found.consistency, found.anomaly_rate, found.overall) == (1, 1, 0, 1)


def test_timeliness_is_the_share_that_came_within_the_limit(made: HourlyWeather) -> None:
    late = arrived(made, 10)
    assert late.available_at is not None
    late.available_at[2, :12] += np.timedelta64(3, "h")
    region, places = measure(FlaggedWeather(late, ()), frame(late))
    assert [p.timeliness for p in places] == [1, 1, 0.5]
    assert region.timeliness == pytest.approx(1 - 12 / 72)
    assert region.delay_min == 10
    assert places[2].delay_min == 100
    assert region.overall == pytest.approx(region.timeliness)


def test_a_constant_delay_beyond_the_limit_is_late_throughout(made: HourlyWeather) -> None:
    found = region_of(arrived(made, 180))
    assert (found.timeliness, found.delay_min, found.overall) == (0, 180, 0)


def test_an_arrival_at_the_end_of_the_hour_is_not_told_and_a_forecast_has_no_delay(made: HourlyWeather) -> None:
    assert np.isnan(delays_min(arrived(made, 0))).all()
    assert (delays_min(arrived(made, -60)) == 0).all()


def test_an_hour_that_is_not_due_yet_is_not_expected(made: HourlyWeather) -> None:
    last = [(p, HOURS - 1) for p in range(3)]
    late = made
    for variable in made.values:
        late = without(late, variable, last)
    assert region_of(late, as_of=END + timedelta(minutes=89)).completeness == 1
    assert region_of(late, as_of=END + timedelta(minutes=90)).completeness == pytest.approx(1 - 1 / HOURS)


def test_hours_before_the_begin_are_left_out(made: HourlyWeather) -> None:
    holed = without(made, "temperature_c", [(0, h) for h in range(6)])
    assert region_of(holed, begin=BEGIN + timedelta(hours=6)).completeness == 1


def test_a_source_that_fell_silent_is_incomplete_and_not_unknown(made: HourlyWeather) -> None:
    silent = made.with_values({name: np.full_like(array, np.nan) for name, array in made.values.items()})
    found = region_of(silent)
    assert (found.completeness, found.overall) == (0, 0)
    assert math.isnan(found.validity)
    assert math.isnan(found.consistency)


def test_a_variable_that_never_came_is_not_expected(made: HourlyWeather) -> None:
    never = made.with_values({**made.values, "cape_j_kg": np.full_like(made.values["temperature_c"], np.nan)})
    assert "cape_j_kg" not in variables_of(never)
    assert region_of(never).completeness == 1


def test_without_hours_everything_is_unknown(made: HourlyWeather) -> None:
    nothing = HourlyWeather(PLACES, made.valid_at, {}, "gauges")
    found = region_of(nothing)
    assert all(math.isnan(getattr(found, name)) for name in (*SHARES, "delay_min"))


@given(
    missing=st.lists(st.tuples(st.integers(0, 2), st.integers(0, HOURS - 1)), max_size=30),
    flagged=st.lists(
        st.tuples(
            st.sampled_from(["range", "consistency", "buddy", "step"]),
            st.sampled_from([Flag.PASS, Flag.SUSPECT, Flag.FAIL]),
            st.tuples(st.integers(0, 2), st.integers(0, HOURS - 1)),
        ),
        max_size=20,
    ),
    delay=st.floats(-100, 500),
)
def test_shares_are_shares_and_overall_is_never_better_than_its_parts(
    missing: list[tuple[int, int]], flagged: list[tuple[str, Flag, tuple[int, int]]], delay: float
) -> None:
    made = arrived(without(weather(HOURS), "temperature_c", missing), delay)
    findings = [finding(made, test, flag, [cell]) for test, flag, cell in flagged]
    region, places = measure(FlaggedWeather(made, tuple(findings)), frame(made, as_of=END + timedelta(days=1)))
    for found in (region, *places):
        shares = {name: getattr(found, name) for name in SHARES}
        known = [share for share in shares.values() if not math.isnan(share)]
        assert all(0 <= share <= 1 for share in known)
        parts = [shares[name] for name in ("completeness", "timeliness") if not math.isnan(shares[name])]
        assert found.overall <= min(parts) + 1e-12
    assert region.completeness == pytest.approx(np.mean([p.completeness for p in places]))
