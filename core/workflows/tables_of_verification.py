"""Tables of what was issued: every case with its truth, scores beside their references, and reliability."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import RiskLevel
from core.domain.verification import VerifiedCases
from core.domain.weather import Region
from core.domain.workbook import Kind, Rows, Sheet, SheetChart, SheetColumn
from core.verification.scorecard import MEASURES
from core.words import Language
from core.workflows.scoring import VerificationReport
from core.workflows.tables_words import event_text, place_columns, time_column, window_text

#: Cases that are turned into rows at once.
PART = 5_000


def cases_sheet(words: Language, cases: VerifiedCases, region: Region, no_truth: str) -> Sheet:
    """Return a row per issued forecast with its truth."""
    say = words.say
    columns = (
        *place_columns(words),
        time_column(say("Valid from (UTC)")),
        time_column(say("Issued at (UTC)")),
        SheetColumn(say("Level"), Kind.LEVEL),
        *(
            SheetColumn(say("Probability of {event}", event=event_text(words, event)), Kind.SHARE, 14)
            for event in cases.events
        ),
        SheetColumn(say("Truth"), width=11),
        SheetColumn(say("Highest rain of one hour, mm"), Kind.NUMBER, 14, 1),
        SheetColumn(say("Highest rain of two hours, mm"), Kind.NUMBER, 14, 1),
        SheetColumn(say("Model version"), width=24),
    )
    counts = {
        name: words.number(n) for name, n in (("m", cases.matured), ("p", cases.pending), ("x", cases.missing))
    }  # fmt: skip
    note = say(
        "Window {window}. Of several issues for one hour the last one within the hour counts. {m} with a known truth,"
        " {p} whose truth has not come yet, {x} whose truth never came.",
        window=window_text(words, cases.window),
        **counts,
    )
    rows = Rows(partial(_case_rows, words, cases, {place.id: place.name for place in region.locations}))
    return Sheet(say("Issued forecasts"), columns, rows, note=" ".join(filter(None, (note, say(no_truth)))))


def _case_rows(words: Language, cases: VerifiedCases, names: dict[str, str]) -> Iterator[tuple[object, ...]]:
    levels = {level.value: level for level in RiskLevel}
    for first in range(0, len(cases), PART):
        part = cases.select(np.arange(first, min(first + PART, len(cases))))
        rows = zip(
            part.location_id.tolist(),
            _moments(part.valid_from),
            _moments(part.issued_at),
            part.level.tolist(),
            part.probability.tolist(),
            part.truth.tolist(),
            np.round(part.hourly_mm, 3).tolist(),
            np.round(part.two_hour_mm, 3).tolist(),
            part.model_version.tolist(),
            strict=True,
        )
        for place, valid_from, issued_at, level, probability, truth, hourly_mm, two_hour_mm, version in rows:
            said = (*probability, words.say(truth), hourly_mm, two_hour_mm, version)
            yield (names.get(place, ""), place, valid_from, issued_at, levels.get(level), *said)


def _moments(times: NDArray[np.datetime64]) -> list[datetime]:
    """Return times as aware datetimes, many at once."""
    return [at.replace(tzinfo=UTC) for at in times.astype("datetime64[s]").tolist()]


def scores_sheet(words: Language, found: VerificationReport | None, problem: str) -> Sheet:
    """Return a row per measure with its interval, beside what it is compared with on the same cases."""
    say = words.say
    others = () if found is None else tuple(found.references)
    columns = (
        SheetColumn(say("Measure"), width=36),
        SheetColumn(say("This forecast"), Kind.NUMBER, 14, 4),
        SheetColumn(say("Lower bound (90 %)"), Kind.NUMBER, 14, 4),
        SheetColumn(say("Upper bound (90 %)"), Kind.NUMBER, 14, 4),
        *(SheetColumn(say(name), Kind.NUMBER, 16, 4) for name in others),
    )
    if found is None:
        return Sheet(say("Scores"), columns, (), note=_why(words, problem))
    cards = [found.references[name].measures for name in others]
    rows = [
        (say(title), m.value, m.low, m.high, *(c[name].value if name in c else None for c in cards))
        for name, title in MEASURES.items()
        if (m := found.card.measures.get(name)) is not None
    ]
    note = say(
        "Event {event}: {n} cases of {days} days, {events} events.",
        event=event_text(words, found.event),
        n=words.number(found.card.n),
        days=words.number(found.days),
        events=words.number(found.card.events),
    )
    few = say("Too few events or days to say anything of skill.") if found.too_few else ""
    return Sheet(say("Scores"), columns, tuple(rows), note=f"{note} {few}".strip())


def reliability_sheet(words: Language, found: VerificationReport | None, problem: str) -> Sheet:
    """Return what was said and how often it happened, with its diagram."""
    say = words.say
    columns = (
        SheetColumn(say("Said from"), Kind.SHARE, 10, 1),
        SheetColumn(say("Said below"), Kind.SHARE, 10, 1),
        SheetColumn(say("Cases"), Kind.COUNT, 10),
        SheetColumn(say("Events"), Kind.COUNT, 10),
        SheetColumn(say("Mean probability said"), Kind.SHARE, 16),
        SheetColumn(say("How often it happened"), Kind.SHARE, 16),
        SheetColumn(say("Lower bound (90 %)"), Kind.SHARE, 14),
        SheetColumn(say("Upper bound (90 %)"), Kind.SHARE, 14),
        SheetColumn(say("As said"), Kind.SHARE, 14),
    )
    title = say("Reliability: how often it happened when it was said")
    chart = SheetChart(title, "scatter", 4, (5, 8))
    if found is None:
        return Sheet(say("Reliability"), columns, (), (chart,), _why(words, problem))
    r = found.reliability
    parts: tuple[NDArray[Any], ...] = (
        r.begin,
        r.end,
        r.n,
        r.events,
        r.forecast,
        r.frequency,
        r.low,
        r.high,
        r.forecast,
    )
    rows = tuple(zip(*(part.tolist() for part in parts), strict=True))
    note = say(
        "Event {event}. A forecast is right where the points lie on the line.", event=event_text(words, found.event)
    )
    return Sheet(say("Reliability"), columns, rows, (chart,), note)


def _why(words: Language, problem: str) -> str:
    return words.say(problem) if problem else words.say("No case can be scored yet.")
