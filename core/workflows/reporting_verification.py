"""The verification report: how the forecasts that were really issued did against what then happened."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Block, Chart, Heading, Notice, Paragraph, Series, Table
from core.domain.learning import ModelManifest, Scorecard
from core.domain.report import ReportRequest, Section
from core.domain.verification import VerifiedCases
from core.verification.diagrams import WarningCurve
from core.workflows.reporting_measures import OF_GROUPS, counts, group_rows, meant, scores, title_of, verdict
from core.workflows.reporting_words import Voice, column
from core.workflows.scoring import FEW_EVENTS, VerificationReport

Floats = NDArray[np.float64]
#: What the axes of curves of warnings are called, and what groups the cases: keys of the catalogue.
AXES = {
    "pofd": "share of quiet cases with a warning (POFD)",
    "pod": "share of events with a warning (POD)",
    "success_ratio": "warnings that came true (1 − FAR)",
}
GROUPS = {"month": "By month", "elevation": "By elevation", "latitude": "By latitude"}


def blocks(request: ReportRequest, cases: VerifiedCases, found: VerificationReport | None, voice: Voice) -> list[Block]:
    """Return the report of a period; without any scored case its counts and why there is nothing more."""
    made: list[Block] = [counts(cases, found, voice)]
    if found is None:
        return [*made, Notice(_why_empty(cases, voice))]
    made += verdict(found, voice)
    if request.wants(Section.MEANT):
        made += [Heading(voice.say("What the numbers meant")), meant(found, voice), _meant_chart(found, voice)]
    if request.wants(Section.SCORES):
        made += scores(found, voice)
    if request.wants(Section.DIAGRAMS):
        made += _diagrams(found, voice)
    if request.wants(Section.GROUPS):
        made += _groups(found, voice)
    return made


def _why_empty(cases: VerifiedCases, voice: Voice) -> str:
    if not len(cases):
        return voice.say("Nothing to score: no forecast was issued in this period.")
    if cases.pending:
        return voice.say(
            "Nothing to score yet: {n} forecasts wait for the end of their window and for its rain.",
            n=voice.number(cases.pending),
        )
    return voice.say("Nothing to score: no forecast of this period has both a probability and a known truth.")


def brought(manifest: ModelManifest | None, voice: Voice) -> list[Block]:
    """Return the scorecards that a model brought with it, and that they are not of this place."""
    made: list[Block] = [Heading(voice.say("What the model did before it came here"))]
    if manifest is None or not manifest.scorecards:
        return [*made, Paragraph(voice.say("No scorecard: no model serves, or it brings none."))]
    heads = (
        column(voice.say("Event"), 2.2),
        column(voice.say("Cases"), 1.2, right=True),
        column(voice.say("Events"), 1.0, right=True),
        column(voice.say("Base rate"), 1.0, right=True),
        *(column(title_of(name, voice), 1.1, right=True) for name in OF_GROUPS),
    )
    rows = group_rows({voice.within(card.event): card for card in manifest.scorecards}, voice)
    note = voice.say("From blocked cross-validation where the model learned, not from forecasts issued here.")
    return [*made, Table(voice.say("Scores of version {version}", version=manifest.version), heads, rows, note=note)]


def _percent(values: Floats) -> tuple[float, ...]:
    return tuple((100 * np.asarray(values, float)).tolist())


def _meant_chart(found: VerificationReport, voice: Voice) -> Chart:
    """Return how often it happened by range of probability with its interval, and the range that was said."""
    at = tuple(float(i) for i in range(len(found.meant)))
    seen = tuple(math.nan if row.frequency is None else 100 * row.frequency for row in found.meant)
    bounds = [row.interval or (math.nan, math.nan) for row in found.meant]
    middle = tuple(50 * (row.low + row.high) for row in found.meant)
    happened = Series(
        voice.say("it happened, with 90 % interval"), at, seen, "points",
        tuple(100 * low for low, _ in bounds), tuple(100 * high for _, high in bounds),
    )  # fmt: skip
    said = Series(voice.say("middle of what was said"), at, middle, "line")
    labels = tuple((float(i), f"{100 * row.low:g}–{100 * row.high:g} %") for i, row in enumerate(found.meant))
    return Chart(
        voice.say("How often it happened, by what was said"),
        voice.say("it said"),
        voice.say("it happened, percent"),
        (said, happened),
        labels,
    )


def _diagrams(found: VerificationReport, voice: Voice) -> list[Block]:
    return [
        Heading(voice.say("Diagrams")),
        _reliability(found, voice),
        Paragraph(
            voice.say(
                "On the diagonal it happened as often as said; below it the numbers were too high, above it too low."
            )
        ),
        _curves(found, voice, ("pofd", "pod"), voice.say("Relative operating characteristic (ROC)")),
        _curves(found, voice, ("success_ratio", "pod"), voice.say("Performance")),
        Paragraph(
            voice.say("One point for every alarm probability; the point that is marked is the one of the scores.")
        ),
    ]  # fmt: skip


def _reliability(found: VerificationReport, voice: Voice) -> Chart:
    curve = found.reliability
    held = curve.n > 0
    said, seen, low, high = (_percent(a[held]) for a in (curve.forecast, curve.frequency, curve.low, curve.high))
    own = Series(voice.say("this forecast, with 90 % interval"), said, seen, "points", low, high)
    base = 100 * (found.card.base_rate or 0.0)
    ends = (min(said, default=0.0), max(said, default=1.0))
    usual = Series(voice.say("base rate"), ends, (base, base), "line")
    return Chart(
        voice.say("Reliability"),
        voice.say("it said, percent"),
        voice.say("it happened, percent"),
        (own, usual),
        diagonal=True,
    )


def _curves(found: VerificationReport, voice: Voice, fields: tuple[str, str], title: str) -> Chart:
    """Return what warnings would have got, of this forecast and of persistence, with the alarm of the scores."""
    x, y = fields
    drawn = [_curve(voice.say(name), curve, x, y) for name, curve in found.curves.items()]
    own = next(iter(found.curves.values()))
    if own.best is not None:
        mark = (float(getattr(own, x)[own.best]),), (float(getattr(own, y)[own.best]),)
        drawn.append(Series(voice.say("alarm probability of the scores"), *mark, "points"))
    axes = voice.say(AXES[x]), voice.say(AXES[y])
    return Chart(title, *axes, tuple(drawn), y_range=(0.0, 1.0), diagonal=x == "pofd")


def _curve(name: str, curve: WarningCurve, x: str, y: str) -> Series:
    return Series(name, tuple(getattr(curve, x).tolist()), tuple(getattr(curve, y).tolist()))


def _groups(found: VerificationReport, voice: Voice) -> list[Block]:
    made: list[Block] = [Heading(voice.say("Parts of the cases"))]
    for key, cards in found.groups.items():
        title = voice.say(GROUPS[key])
        made += [_group_table(title, cards, voice), *_group_chart(title, cards, voice)]
    return made


def _group_table(title: str, cards: Mapping[str, Scorecard], voice: Voice) -> Table:
    heads = (
        column(voice.say("Part"), 1.8),
        column(voice.say("Cases"), 1.0, right=True),
        column(voice.say("Events"), 1.0, right=True),
        column(voice.say("Base rate"), 1.0, right=True),
        *(column(title_of(name, voice), 1.2, right=True) for name in OF_GROUPS),
    )
    return Table(title, heads, group_rows(cards, voice))


def _group_chart(title: str, cards: Mapping[str, Scorecard], voice: Voice) -> list[Block]:
    """Return the skill of the parts that have enough events to say; nothing where fewer than two do."""
    told = {label: card.measures["brier_skill"] for label, card in cards.items() if card.events >= FEW_EVENTS}
    known = {label: m for label, m in told.items() if m.value is not None}
    if len(known) < 2:
        return []
    at = tuple(float(i) for i in range(len(known)))
    values = tuple(float(m.value or 0.0) for m in known.values())
    low = tuple(v if m.low is None else m.low for v, m in zip(values, known.values(), strict=True))
    high = tuple(v if m.high is None else m.high for v, m in zip(values, known.values(), strict=True))
    skill = Series(voice.say("Brier skill, with 90 % interval"), at, values, "points", low, high)
    none = Series(voice.say("climatology"), at, (0.0,) * len(at), "line")
    labels = tuple((float(i), label) for i, label in enumerate(known))
    return [Chart(title, "", voice.say("Brier skill"), (skill, none), labels)]


def limits(found: VerificationReport | None, voice: Voice) -> list[Block]:
    """Return what these numbers cannot say."""
    said = [
        voice.say(
            "Base rate {base}: {events} events in {n} forecasts. They are fewer storms than that, since one storm is "
            "many places and hours.",
            base=voice.percent(found.card.base_rate),
            events=voice.number(found.card.events),
            n=voice.number(found.card.n),
        )
        if found is not None
        else voice.say("Nothing has been scored yet: there is no base rate and no number of events."),
        voice.say("Gauges and grids miss most cloudbursts: 6 of 18 reported Himalayan ones are in the national grid."),
        voice.say("Thresholds marked as extrapolated had too few events to be trained on; they are not verified."),
        voice.say("Truth comes from gauges only: rain of a weather model or of a reanalysis is no truth."),
        voice.say(
            "References know how often it happened in these very cases, which no forecaster did: skill is rather too "
            "low."
        ),
    ]
    return [Heading(voice.say("Limits")), *(Paragraph(text) for text in said)]
