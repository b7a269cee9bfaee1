"""Workbooks of the house: every kind has its sheets, counts agree with what they are of, and nothing is hidden."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from core import Core, language
from core.bootstrap.workbooks import workbook, write_workbook
from core.domain.forecast import DEFAULT_WINDOW, TARGET, RiskLevel
from core.domain.report import ReportKind, ReportRequest, Section
from core.domain.weather import Flag
from core.domain.workbook import Kind, Sheet, Workbook
from core.errors import ConfigurationError, LeakSuspected
from core.workflows import tables_of_issue, tables_of_quality, tables_of_verification
from core.workflows.scoring import Scoring
from tests.conftest import NOW
from tests.quality_made import report
from tests.verified_made import cases
from tests.weather_made import REGION

ENGLISH = language("en")
SHEETS = {
    ReportKind.BULLETIN: ["Forecast", "Districts", "Observations"],
    ReportKind.VERIFICATION: [
        "Issued forecasts", "Scores", "Reliability", "Experiments", "Arms", "Contrasts", "Models that served",
    ],
    ReportKind.QUALITY: [
        "Quality over time", "Quality by place", "Quality by variable", "Flagged values", "Sensors that drift",
    ],
}  # fmt: skip


@pytest.fixture
def house(open_house: Callable[..., Core], gauge_folder: Callable[..., Path]) -> Core:
    made = open_house(source=f"gauges:{gauge_folder()}")
    made.forecasting.refresh(made.default_region)
    made.quality.appraise(made.default_region)
    return made


def sheet(made: Workbook, name: str) -> Sheet:
    return next(one for one in made.sheets if one.name == name)


def columns(one: Sheet) -> dict[str, list[object]]:
    rows = [tuple(row) for row in one.rows]
    return {column.title: [row[i] for row in rows] for i, column in enumerate(one.columns)}


@pytest.mark.parametrize("kind", ReportKind)
def test_every_kind_is_written_and_read_again(house: Core, tmp_path: Path, kind: ReportKind) -> None:
    asked = ReportRequest(house.default_region, kind)
    counts = write_workbook(house, asked, tmp_path / "a.xlsx")
    assert list(counts) == SHEETS[kind]
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Provenance", *SHEETS[kind]]
    made = workbook(house, asked)
    for one in made.sheets:
        assert book[one.name].max_row - 1 == counts[one.name] == len(list(one.rows)) == len(list(one.rows))
        assert {len(row) for row in one.rows} <= {len(one.columns)}
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    charted = {ReportKind.QUALITY: "Quality over time", ReportKind.BULLETIN: "Districts"}.get(kind)
    assert charted is None or len(book[charted]._charts) == 1


def test_provenance_says_when_from_what_and_how_old(house: Core) -> None:
    about = workbook(house, ReportRequest(house.default_region)).about
    assert about["Made at (UTC)"] == "29 Jul 2026 18:20 UTC"
    assert about["Source of the data"] == "gauges" and "Simulated" not in about
    assert about["Age of the newest data"] == "20 min" and about["Freshness"] == "fresh"
    assert "UTC" in about["Times"] and house.region(house.default_region).time_zone in about["Times"]
    assert "the shipped model" in about["Model version"]


def test_simulated_is_said_first_of_all(open_house: Callable[..., Core]) -> None:
    house = open_house(source="simulator:")
    made = workbook(house, ReportRequest(house.default_region, language="hi"))
    assert "कृत्रिम" in made.title and "कृत्रिम" in made.about["आँकड़ों का स्रोत"]


def test_the_heads_and_names_are_in_the_language_asked_for(house: Core, tmp_path: Path) -> None:
    write_workbook(house, ReportRequest(house.default_region, language="hi"), tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames[1:] == ["पूर्वानुमान", "ज़िले", "प्रेक्षण"]
    assert book.worksheets[1]["A1"].value == "स्थान"
    heads = [cell.value for page in book.worksheets[1:] for cell in page[1]]
    assert not [head for head in heads if head.isascii()]


@pytest.mark.parametrize("kind", ReportKind)
def test_titles_of_times_say_that_they_are_utc(house: Core, kind: ReportKind) -> None:
    for one in workbook(house, ReportRequest(house.default_region, kind)).sheets:
        assert all("(UTC)" in column.title for column in one.columns if column.kind is Kind.TIME)


def test_a_forecast_is_told_with_every_number(house: Core) -> None:
    made = workbook(house, ReportRequest(house.default_region))
    issue, told = house.issue(house.default_region).forecast, columns(sheet(made, "Forecast"))
    assert len(told["Place"]) == sum(len(f.curves) for f in issue.forecasts)
    at = told["Window"].index("0 to 6 h")
    shown = issue.forecasts[0]
    i = shown.exceedance.events.index(TARGET)
    assert told["Probability of ≥ 15 mm/h"][at] == shown.exceedance.of(TARGET)
    assert told["Upper bound, ≥ 15 mm/h"][at] == shown.exceedance.high[i]
    assert told["Base rate of ≥ 15 mm/h"][at] == shown.exceedance.base_rate[i]
    assert told["Probability of ≥ 50 mm in 2 h"][told["Window"].index("0 to 1 h")] is None
    assert set(told["Level (0 to 6 h)"]) <= set(RiskLevel)


def test_only_the_wanted_parts_are_there(house: Core) -> None:
    asked = ReportRequest(house.default_region, sections=frozenset({Section.DISTRICTS}))
    assert [one.name for one in workbook(house, asked).sheets] == ["Districts"]


def test_a_region_that_is_not_known_is_refused(house: Core) -> None:
    with pytest.raises(ConfigurationError):
        workbook(house, ReportRequest("atlantis"))


def test_observations_keep_what_came_with_its_flag(house: Core) -> None:
    checked = report().checked
    issue = replace(house.issue(house.default_region), checked=checked)
    asked = ReportRequest(house.default_region, sections=frozenset({Section.QUALITY}))
    (one,) = tables_of_issue.sheets(ENGLISH, issue, asked)
    told = columns(one)
    assert len(told["Place"]) == 3 * 72
    assert told["Temperature, °C"].count(99.0) == 4 and told["Flag: Temperature, °C"].count(Flag.FAIL) == 4
    failed = told["Worst flag"].index(Flag.FAIL)
    assert told["Reasons"][failed].startswith("Temperature, °C: outside -50..60 °C")  # type: ignore[attr-defined]
    silent = [i for i, place in enumerate(told["Place"]) if place == "Beta"][-1]
    assert math.isnan(told["Temperature, °C"][silent]) and told["Worst flag"][silent] is Flag.MISSING  # type: ignore[arg-type]


def test_flagged_values_stand_with_their_raw_value_and_reason() -> None:
    by_name = {one.name: one for one in tables_of_quality.sheets(ENGLISH, report())}
    told = columns(by_name["Flagged values"])
    assert told["Value as it came"][:4] == [99.0] * 4 and told["Reason"][-1] == "+1 too high"
    assert len(told["Place"]) == 4 + 1 + 1 + 2 + 1  # what never came is counted, not listed
    counted = columns(by_name["Quality by variable"])
    alpha = next(
        i for i, pair in enumerate(zip(counted["Place"], counted["Variable"], strict=True))
        if pair == ("Alpha", "Temperature, °C")
    )  # fmt: skip
    numbers = [counted[name][alpha] for name in ("Hours of the period", "Values that came", "Suspect", "Failed")]
    assert numbers == [97, 73, 0, 4] and counted["Share of these that passed"][alpha] == 69 / 73


def test_cases_stand_with_their_truth_and_scores_with_their_interval() -> None:
    made = cases(days=40)
    one = tables_of_verification.cases_sheet(ENGLISH, made, REGION, "")
    told = columns(one)
    assert len(told["Place"]) == len(made)
    assert told["Probability of ≥ 15 mm/h"] == made.probability_of(TARGET).tolist()
    assert told["Valid from (UTC)"][-1].isoformat()[:13] == str(made.valid_from[-1])  # type: ignore[attr-defined]

    class Verifying:
        no_truth = ""

        class observing:
            @staticmethod
            def region(_: str) -> object:
                return REGION

    found = Scoring(Verifying()).report(made, TARGET)  # type: ignore[arg-type] - the part that is asked
    assert found is not None
    scores = columns(tables_of_verification.scores_sheet(ENGLISH, found, ""))
    at = scores["Measure"].index("Brier skill")
    skill = found.card.measures["brier_skill"]
    bounds = scores["Lower bound (90 %)"][at], scores["Upper bound (90 %)"][at]
    assert (scores["This forecast"][at], *bounds) == (skill.value, skill.low, skill.high)
    reliability = tables_of_verification.reliability_sheet(ENGLISH, found, "")
    assert sum(columns(reliability)["Cases"]) == found.card.n and reliability.charts[0].kind == "scatter"  # type: ignore[arg-type]


def test_scores_too_good_to_be_true_are_not_written(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(*_: object) -> None:
        raise LeakSuspected("too good to be true", hint="look")

    monkeypatch.setattr(Scoring, "report", leak)
    made = workbook(house, ReportRequest(house.default_region, ReportKind.VERIFICATION))
    assert list(sheet(made, "Scores").rows) == [] and "too good" in sheet(made, "Scores").note


def test_cases_are_those_of_the_period(house: Core) -> None:
    region, late = house.default_region, (NOW + timedelta(days=2), NOW + timedelta(days=3))
    issued = house.verification.issued(region, DEFAULT_WINDOW)
    assert len(issued)
    for period, count in ((None, len(issued)), (late, 0)):
        made = workbook(house, ReportRequest(region, ReportKind.VERIFICATION, period))
        assert len(list(sheet(made, "Issued forecasts").rows)) == count
