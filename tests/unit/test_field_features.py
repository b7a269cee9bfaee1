"""Forecast fields as features: the right hours of the right window, and nothing that was not known at the issue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.weather import HourlyWeather, Location
from core.features import fields as model_fields
from core.features import table, words
from tests.weather_made import PLACES, weather

ISSUE = np.datetime64("2026-07-29T18", "h")
HERE = (Location("a", "Alpha", 30.0, 78.0),)
NAMES = [name for name in table.feature_names(table.OBSERVED_MODEL) if name not in table.feature_names()]
WINDOWS = {"0to6h": (1, 6), "6to12h": (7, 12), "12to24h": (13, 24)}
LONG_AGO = np.datetime64("2026-07-01", "s")


def counted(first: int = -30, last: int = 60) -> HourlyWeather:
    """Return fields around the issue: every variable is the number of the hour counted from it, known long ago."""
    leads = np.arange(first, last + 1)
    values = {variable: leads[None].astype(np.float32) for variable, _ in model_fields.FEATURES.values()}
    available = np.full((1, len(leads)), LONG_AGO)
    return HourlyWeather(HERE, ISSUE + leads, values, "simulator", available)


def built(fields: HourlyWeather) -> dict[str, float]:
    """Return the features of the one place at the issue."""
    return {name: float(array[0, 0]) for name, array in model_fields.build(fields, np.array([ISSUE])).items()}


def changed(fields: HourlyWeather, where: np.ndarray, by: float) -> HourlyWeather:
    return fields.with_values({n: np.where(where, a + np.float32(by), a) for n, a in fields.values.items()})


@pytest.mark.parametrize(("text", "first", "last"), [(text, *hours) for text, hours in WINDOWS.items()])
def test_each_window_sums_up_its_own_hours(text: str, first: int, last: int) -> None:
    found = built(counted())
    assert found[f"model_cape_max_{text}_j_kg"] == last
    assert found[f"model_precipitable_water_max_{text}_mm"] == last
    assert found[f"model_rain_max_{text}_mm"] == last
    assert found[f"model_inhibition_min_{text}_j_kg"] == first
    assert found[f"model_lifted_index_min_{text}_k"] == first
    assert found[f"model_freezing_level_mean_{text}_m"] == (first + last) / 2
    assert found[f"model_rain_{text}_mm"] == sum(range(first, last + 1))


@pytest.mark.parametrize(
    ("lead", "touched"),
    [
        (-1, ""),
        (0, ""),
        (1, "0to6h"),
        (6, "0to6h"),
        (7, "6to12h"),
        (12, "6to12h"),
        (13, "12to24h"),
        (24, "12to24h"),
        (25, ""),
    ],
)
def test_an_hour_belongs_to_one_window(lead: int, touched: str) -> None:
    fields = counted()
    one_hour = (fields.valid_at == ISSUE + lead)[None]
    before, after = built(fields), built(changed(fields, one_hour, 1000))
    assert {name for name in before if before[name] != after[name]} <= {n for n in before if touched and touched in n}
    assert bool(touched) == (before != after)


def test_what_becomes_known_after_the_issue_counts_for_later_issues_only() -> None:
    fields = counted()
    late = (fields.valid_at > ISSUE + 3)[None]
    fields = replace(fields, available_at=np.where(late, (ISSUE + 1).astype("datetime64[s]"), LONG_AGO))
    found = model_fields.build(fields, ISSUE + np.arange(2))
    np.testing.assert_array_equal(found["model_cape_max_0to6h_j_kg"][0], [3, 7])
    np.testing.assert_array_equal(found["model_cape_max_6to12h_j_kg"][0], [np.nan, 13])
    np.testing.assert_array_equal(found["model_rain_0to6h_mm"][0], [np.nan, 2 + 3 + 4 + 5 + 6 + 7])


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 10_000), how=st.sampled_from([1e30, -1e30, 50.0, np.nan]))
def test_values_known_after_an_issue_change_nothing(seed: int, how: float) -> None:
    rng = np.random.default_rng(seed)
    hours = ISSUE + np.arange(100)
    shape = (len(PLACES), len(hours))
    values = {v: rng.normal(10, 3, shape).astype(np.float32) for v, _ in model_fields.FEATURES.values()}
    minutes = rng.integers(-3 * 24 * 60, 6 * 60, shape)
    available = hours.astype("datetime64[s]") + minutes.astype("timedelta64[m]")
    fields = HourlyWeather(PLACES, hours, values, "simulator", available)
    issue = int(rng.integers(0, 76))
    late = available > hours[issue]
    assert late.any()
    after = fields.with_values({n: np.where(late, np.float32(how), a) for n, a in values.items()})
    one, other = model_fields.build(fields, hours), model_fields.build(after, hours)
    for name, array in one.items():
        np.testing.assert_array_equal(array[:, issue], other[name][:, issue], name)
    # The law can fail: what was known does change the features.
    early = fields.with_values({n: np.where(late, a, np.float32(how)) for n, a in values.items()})
    assert any(
        not np.array_equal(array[:, issue], one[name][:, issue], equal_nan=True)
        for name, array in model_fields.build(early, hours).items()
    )


def test_a_part_of_the_rain_is_no_sum_and_a_highest_hour_is() -> None:
    fields = counted()
    gap = (fields.valid_at == ISSUE + 2)[None]
    found = built(changed(fields, gap, np.nan))
    assert np.isnan(found["model_rain_0to6h_mm"])
    assert found["model_rain_max_0to6h_mm"] == 6
    assert found["model_freezing_level_mean_0to6h_m"] == pytest.approx((1 + 3 + 4 + 5 + 6) / 5)


@pytest.mark.parametrize("first_and_last", [(-30, -1), (30, 60)], ids=["over before", "begins after"])
def test_fields_that_do_not_reach_an_issue_say_nothing(first_and_last: tuple[int, int]) -> None:
    assert all(np.isnan(value) for value in built(counted(*first_and_last)).values())


def test_without_the_time_from_which_it_was_known_nothing_was() -> None:
    assert all(np.isnan(value) for value in built(replace(counted(), available_at=None)).values())
    nothing = HourlyWeather(HERE, np.empty(0, "datetime64[h]"), {}, "simulator")
    assert all(np.isnan(value) for value in built(nothing).values())


def test_the_axis_of_the_fields_does_not_matter() -> None:
    np.testing.assert_equal(built(counted(1, 24)), built(counted()))


def test_the_set_with_fields_is_the_observed_one_and_those_of_fields_after_it() -> None:
    made = weather(hours=40)
    rng = np.random.default_rng(3)
    hours = made.valid_at[0] + np.arange(70)
    shape = (len(PLACES), len(hours))
    values = {v: rng.normal(10, 3, shape).astype(np.float32) for v, _ in model_fields.FEATURES.values()}
    fields = HourlyWeather(PLACES, hours, values, "simulator", np.full(shape, LONG_AGO))
    observed, both = table.build(made), table.build(made, fields=fields)
    assert observed.names == table.feature_names() == both.names[: len(observed.names)]
    assert both.names == table.feature_names(table.OBSERVED_MODEL)
    np.testing.assert_array_equal(both.values[..., : len(observed.names)], observed.values)
    assert np.isfinite(both.values[..., len(observed.names) :]).all()
    for part, some in table.in_parts(made, 2, fields):
        np.testing.assert_allclose(some.values, both.values[part], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_words_with_its_hours(name: str) -> None:
    said = words.said(name, {name: 12.0})
    assert said is not None
    hours = next(text for text in WINDOWS if text in name)
    assert said.endswith(f"in {hours.replace('to', ' to ').replace('h', '')} h")
    assert "weather model" in words.group_of(name)
