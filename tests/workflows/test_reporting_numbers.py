"""The numbers of verification and quality reports: those of the reports behind them, counted by hand where small."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.domain.document import Chart, Facts, Heading, Notice, Paragraph, Table
from core.domain.forecast import TARGET
from core.domain.quality import Finding
from core.domain.report import ReportKind, ReportRequest, Section
from core.domain.verification import Truth, VerifiedCases
from core.domain.weather import Flag
from core.workflows import reporting_quality, reporting_verification
from core.workflows.reporting_words import Voice
from core.workflows.scoring import VerificationReport
from tests.quality_made import NAN, at, metrics, report
from tests.verified_made import cases, untold
from tests.weather_made import END, REGION
from tests.workflows.test_scoring import SCORING

VOICE = Voice.of("en", REGION)
VERIFIED = ReportRequest(REGION.id, ReportKind.VERIFICATION)


@pytest.fixture(scope="module")
def scored() -> tuple[VerifiedCases, VerificationReport]:
    made = cases()
    found = SCORING.report(made, TARGET)
    assert found is not None
    return made, found


def test_the_report_counts_what_was_issued_and_says_how_often_it_came_true(
    scored: tuple[VerifiedCases, VerificationReport],
) -> None:
    made, found = scored
    blocks = reporting_verification.blocks(VERIFIED, made, found, VOICE)
    counted = dict(next(block for block in blocks if isinstance(block, Facts)).pairs)
    assert counted["Issued"] == f"{made.issued:,}"
    assert counted["Events"] == f"{int(made.happened(TARGET).sum()):,}"
    meant = next(b for b in blocks if isinstance(b, Table) and b.title.startswith("What the numbers meant"))
    said = made.probability_of(TARGET)
    inside = (said >= 0.1) & (said < 0.2)
    row = next(row for row in meant.rows if row[0] == "10 to 20 %")
    assert row[1] == f"{int(made.happened(TARGET)[inside].sum()):,} of {int(inside.sum()):,}"
    assert any(isinstance(b, Paragraph) and b.text.startswith("Better than climatology for ≥ 15 mm/h") for b in blocks)


def test_scores_stand_beside_their_references_with_intervals(
    scored: tuple[VerifiedCases, VerificationReport],
) -> None:
    made, found = scored
    blocks = reporting_verification.blocks(VERIFIED, made, found, VOICE)
    table = next(b for b in blocks if isinstance(b, Table) and b.title == "Are the probabilities right?")
    assert [c.title for c in table.columns][3:5] == ["climatology", "persistence"]
    skill = table.rows[0]
    assert skill[0] == "Brier skill"
    assert float(skill[1]) == pytest.approx(found.card.measures["brier_skill"].value, abs=6e-4)
    low, high = (float(part) for part in skill[2].split(" to "))
    assert low < float(skill[1]) < high
    assert skill[3] == "0"  # climatology against itself


def test_diagrams_hold_what_was_scored_and_no_point_that_was_never_said(
    scored: tuple[VerifiedCases, VerificationReport],
) -> None:
    made, found = scored
    charts = {b.title: b for b in reporting_verification.blocks(VERIFIED, made, found, VOICE) if isinstance(b, Chart)}
    assert {"Reliability", "Performance", "Relative operating characteristic (ROC)"} <= set(charts)
    own = charts["Reliability"].series[0]
    assert len(own.x) == int((found.reliability.n > 0).sum())
    assert all(low <= y <= high for y, low, high in zip(own.y, own.low, own.high, strict=True))
    assert charts["Reliability"].diagonal
    pod = charts["Performance"].series[0].y
    assert max(pod) == pytest.approx(1.0)


def test_too_few_events_give_counts_and_no_verdict() -> None:
    made = cases(days=5)
    found = SCORING.report(made, TARGET)
    blocks = reporting_verification.blocks(VERIFIED, made, found, VOICE)
    said = "\n".join(b.text for b in blocks if isinstance(b, Notice | Paragraph))
    assert "Too few to say" in said
    assert "etter than climatology" not in said


def test_without_a_known_truth_nothing_is_scored_and_the_reason_is_said() -> None:
    made = cases(days=3)
    pending = untold(made, np.ones(len(made), bool), Truth.PENDING)
    blocks = reporting_verification.blocks(VERIFIED, pending, None, VOICE)
    assert [type(b) for b in blocks] == [Facts, Notice]
    assert (
        blocks[1].text
        == f"Nothing to score yet: {len(made):,} forecasts wait for the end of their window and for its rain."
    )
    nothing = reporting_verification.blocks(VERIFIED, made.select(np.zeros(len(made), bool)), None, VOICE)
    assert "no forecast was issued" in nothing[1].text


def quality(*sections: Section) -> list[object]:
    request = ReportRequest(REGION.id, ReportKind.QUALITY, sections=frozenset(sections) if sections else None)
    return list(reporting_quality.blocks(request, report(), END, VOICE))


def test_the_quality_report_counts_flags_by_test_and_variable() -> None:
    found = next(b for b in quality() if isinstance(b, Table) and b.title == "What the checks found")
    rows = {(row[0], row[1], row[2]): row[3:5] for row in found.rows}
    assert rows["range", "temperature_c", "fail"] == ("4", "1")
    assert rows["step", "wind_speed_ms", "suspect"] == ("2", "1")
    assert rows["gap", "wind_speed_ms", "missing"] == ("10", "1")
    assert found.rows[0][2] == "fail"  # the worst first
    by_variable = next(b for b in quality() if isinstance(b, Table) and b.title == "Values and flags by variable")
    temperature = next(row for row in by_variable.rows if row[0] == "temperature_c")
    assert temperature[1] == str(3 * 73 - 10)
    assert temperature[3] == "4"


def test_hours_before_the_first_stored_one_are_no_gaps() -> None:
    found = report()
    before = Finding("gap", "temperature_c", Flag.MISSING, "silent for 6 h", at(0, *range(24)))
    checked = replace(found.checked, findings=(before,))
    later = replace(found.metrics, begin=found.begin + timedelta(hours=24))
    request = ReportRequest(REGION.id, ReportKind.QUALITY, sections=frozenset({Section.TESTS}))
    for metrics_then, rows in ((found.metrics, 1), (later, 0)):
        made = reporting_quality.blocks(request, replace(found, checked=checked, metrics=metrics_then), END, VOICE)
        assert len(next(b for b in made if isinstance(b, Table)).rows) == rows


def test_stations_stand_worst_first_and_what_is_not_known_is_a_dash() -> None:
    found = next(b for b in quality(Section.STATIONS) if isinstance(b, Table))
    assert [row[0] for row in found.rows] == ["Beta", "Alpha", "Gamma"]
    assert found.rows[2][1:] == ("–",) * 6
    assert found.rows[1][1] == "75 %"


def test_completeness_is_unknown_where_nothing_is_stored_and_counts_what_did_not_come() -> None:
    chart = next(b for b in quality(Section.METRICS) if isinstance(b, Chart))
    values = chart.series[0].y
    assert math.isnan(values[0])  # the first day: nothing of anybody
    assert values[2] == pytest.approx(100.0)
    assert min(v for v in values if not math.isnan(v)) < 100  # Beta is silent at the end


def test_an_hour_that_is_not_due_is_not_missing() -> None:
    due = END - timedelta(hours=10)
    request = ReportRequest(REGION.id, ReportKind.QUALITY, sections=frozenset({Section.VARIABLES}))
    strict, lenient = (
        next(b for b in reporting_quality.blocks(request, report(), at, VOICE) if isinstance(b, Table))
        for at in (END, due)
    )
    share = [float(t.rows[0][2].removesuffix(" %")) for t in (strict, lenient)]
    assert share[0] < share[1]


def test_an_empty_period_says_so_and_gives_no_number() -> None:
    found = report()
    for values in found.checked.weather.values.values():
        values[:] = np.nan
    request = ReportRequest(REGION.id, ReportKind.QUALITY)
    blocks = reporting_quality.blocks(request, found, END, VOICE)
    assert [type(b) for b in blocks] == [Notice]
    assert "Nothing is stored of" in blocks[0].text


def test_the_metrics_of_the_region_are_not_rounded_up() -> None:
    table = reporting_quality.metrics(metrics(completeness=0.9999, anomaly_rate=0.0, overall=NAN), VOICE)
    shown = {row[0]: row[1] for row in table.rows}
    assert (shown["Completeness"], shown["Anomaly rate"], shown["Overall"]) == ("99.9 %", "0 %", "–")
    assert "Median delay unknown." in table.note


def test_the_parts_of_the_cases_stand_in_a_table_each(scored: tuple[VerifiedCases, VerificationReport]) -> None:
    made, found = scored
    request = ReportRequest(REGION.id, ReportKind.VERIFICATION, sections=frozenset({Section.GROUPS}))
    blocks = reporting_verification.blocks(request, made, found, VOICE)
    assert [b.text for b in blocks if isinstance(b, Heading)] == ["Parts of the cases"]
    months = next(b for b in blocks if isinstance(b, Table) and b.title == "By month")
    assert [row[0] for row in months.rows] == ["2026-07", "2026-08"]
    assert sum(int(row[1].replace(",", "")) for row in months.rows) == found.card.n
