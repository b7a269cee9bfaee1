"""What the quality page counts, cuts, words and writes."""

from __future__ import annotations

import csv as stdlib_csv
import io
import math
from datetime import timedelta

import numpy as np
import pytest

from core.domain.quality import Drift
from core.domain.weather import VARIABLES
from tests.quality_made import HOURS, report
from tests.weather_made import END
from ui import quality_tables
from ui.bins import STEPS_H, bins
from ui.completeness import completeness, completeness_map
from ui.quality_figures import history, series, timeline, unit
from ui.quality_tables import CSV_COLUMNS, Choice
from ui.words import share


def rows(choice: Choice) -> list[dict[str, str]]:
    return list(stdlib_csv.DictReader(io.StringIO(quality_tables.report_csv(report(), choice).decode())))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "–"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.9999, "99.9 %"),
        (0.00005, "< 0.1 %"),
        (0.123, "12.3 %"),
        (0.29, "29 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value: float, text: str) -> None:
    assert share(value) == text


def test_flags_are_counted_by_station_variable_test_and_reason_the_worst_first() -> None:
    found = report()
    table = quality_tables.flag_counts(found.checked, quality_tables.findings(found.checked, Choice()))
    said = list(zip(table["location_id"], table["variable"], table["flag"], table["values"], strict=True))
    assert said[0] == ("a", "temperature_c", "✕ fail", 4)
    assert [flag for _, _, flag, _ in said] == [
        "✕ fail", "▲ suspect", "▲ suspect", "▲ suspect", "▨ missing", "○ confirmed",
    ]  # fmt: skip
    hours = found.checked.weather.valid_at
    assert table["first"][0].tz_localize(None) == hours[30]
    assert table["last"][0].tz_localize(None) == hours[33]


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        (Choice(), 19),
        (Choice(stations=("b",)), 12),
        (Choice(variables=("temperature_c",)), 5),
        (Choice(tests=("step",)), 3),
        (Choice(flags=("fail", "suspect", "confirmed")), 9),
        (Choice(stations=("b",), flags=("fail",)), 0),
    ],
)
def test_the_report_has_every_flag_of_the_choice_and_no_other(choice: Choice, count: int) -> None:
    assert len(rows(choice)) == count


def test_the_report_names_hour_value_flag_test_reason_and_source() -> None:
    first = rows(Choice(stations=("a",), tests=("range",)))[0]
    assert list(first) == CSV_COLUMNS
    moment = (END - timedelta(hours=HOURS - 1 - 30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert first == {
        "location_id": "a",
        "valid_at": moment,
        "variable": "temperature_c",
        "value": "99.0",
        "flag": "FAIL",
        "test": "range",
        "reason": "outside -50..60 °C",
        "source": "gauges",
    }


def test_an_empty_report_still_has_its_head() -> None:
    assert quality_tables.report_csv(report(), Choice(stations=("nobody",))).decode().strip() == ",".join(CSV_COLUMNS)


def test_no_text_of_the_report_is_a_formula() -> None:
    gamma = rows(Choice(stations=("c",)))[0]
    assert (gamma["test"], gamma["reason"]) == ("'=cmd()", "'+1 too high")
    for sign in "=+-@\t\r":
        assert quality_tables.defused(f"{sign}1") == f"'{sign}1"
    assert quality_tables.defused("a=1") == "a=1"


def test_negative_numbers_of_the_report_stay_numbers() -> None:
    found = report()
    found.checked.weather.values["temperature_c"][0, 30] = -7.5
    cold = quality_tables.report_csv(found, Choice(tests=("range",))).decode().splitlines()[1]
    assert ",-7.5," in cold


def test_stations_stand_worst_first_and_unknown_is_no_number() -> None:
    table = quality_tables.stations(report())
    assert list(table["id"]) == ["b", "a", "c"]
    assert table["Completeness"][0] == 60.0
    assert math.isnan(table["Overall"][2])


def test_a_drift_is_told_with_the_name_of_its_station() -> None:
    drift = Drift("b", "temperature_c", 2.0, "2.0 K warmer than its neighbours")
    assert quality_tables.drift_text(drift, report()) == "Beta, temperature_c: 2.0 K warmer than its neighbours"


def test_every_threshold_has_its_reason() -> None:
    table = quality_tables.threshold_table()
    assert len(table) > 20
    assert {"range", "step", "flat line", "consistency"} <= set(table["test"])
    assert (table["reason"].str.len() > 5).all()
    assert (table["limit"].str.len() > 0).all()


def test_bins_follow_the_local_day_and_name_the_hour_they_end() -> None:
    hours = report().checked.weather.valid_at  # ends 18:00 UTC, 23:30 in India
    days = bins(hours, "Asia/Kolkata", 31, (1, 24))
    assert days.step_h == 24
    counted = days.counts(np.ones(HOURS))
    # The hour that ends 23:30 begins 22:30 of its day: the first bin has one hour, the last ends half an hour short.
    assert counted.sum() == HOURS
    assert list(counted[1:-1]) == [24.0] * (len(counted) - 2)
    single = bins(hours[-24:], "Asia/Kolkata", 31, STEPS_H)
    assert (single.step_h, single.labels()[-1]) == (1, "29 Jul 23:30")


def test_completeness_is_unknown_where_nothing_is_stored_and_zero_where_one_station_is_silent() -> None:
    found = completeness(report(), Choice(), END)
    first = found.bins.index[0]
    assert np.isnan(found.shares[:, first]).all()
    assert found.shares[1, -1] == pytest.approx(1 - 10 / found.bins.counts(np.ones(HOURS))[-1])
    assert found.shares[0, -1] == 1
    wind = completeness(report(), Choice(stations=("a",), variables=("wind_speed_ms",)), END)
    assert wind.shares.shape[0] == 1


def test_an_hour_that_is_not_due_yet_is_not_missing() -> None:
    late = report()
    for values in late.checked.weather.values.values():
        values[:, -1] = np.nan
    assert completeness(late, Choice(), END).shares[0, -1] < 1
    assert completeness(late, Choice(), END - timedelta(minutes=90)).shares[0, -1] == 1


def test_the_heat_map_carries_the_station_of_every_cell_and_hatches_what_is_unknown() -> None:
    figure = completeness_map("heat map", Choice(), report(), END)
    heat, hatching, clicks = figure.data
    assert set(clicks.customdata) == {"a", "b", "c"}
    assert len(clicks.customdata) == heat.z.size
    assert len(hatching.x) == 6 * np.isnan(heat.z).sum() > 0
    assert any("nothing is stored" in text for text in clicks.text)


def test_the_timeline_says_how_often_each_test_flagged() -> None:
    figure = timeline("timeline", "test", Choice(), report())
    assert {trace.name for trace in figure.data} == {
        "gap (10)",
        "range (4)",
        "step (3)",
        "extreme rain (1)",
        "=cmd() (1)",
    }
    by_flag = timeline("timeline", "flag", Choice(), report())
    assert {trace.name for trace in by_flag.data} == {
        "▨ missing (10)", "✕ fail (4)", "▲ suspect (4)", "○ confirmed (1)",
    }  # fmt: skip
    assert sum(trace.y.sum() for trace in figure.data) == 19


def test_a_raw_series_shows_the_worst_flag_with_all_reasons_and_what_is_missing() -> None:
    figure = series("series", 0, "temperature_c", report())
    traces = {trace.name: trace for trace in figure.data}
    assert {"fail (4)", "no value (24)"} <= set(traces)
    assert not [name for name in traces if name.startswith("suspect")]  # the worst flag of a value is drawn, once
    assert "range" in traces["fail (4)"].text[0]
    assert "step" in traces["fail (4)"].text[0]
    rain = {trace.name for trace in series("series", 0, "precipitation_mm", report()).data}
    assert "confirmed (1)" in rain


def test_the_history_has_a_line_per_metric() -> None:
    from tests.quality_made import metrics

    figure = history("history", (metrics(hours_ago=2, overall=0.5), metrics(overall=0.7)))
    assert len(figure.data) == 6
    overall = next(trace for trace in figure.data if trace.name == "Overall")
    assert list(overall.y) == pytest.approx([50.0, 70.0])


def test_every_variable_has_a_unit() -> None:
    assert [name for name in VARIABLES if not unit(name)] == []
    assert unit("precipitable_water_mm") == "mm"
    assert unit("cape_j_kg") == "J/kg"
