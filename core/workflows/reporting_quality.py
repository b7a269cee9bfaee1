"""The quality report: what came of the observations of a period, what holds, what the checks found, and where."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from core.domain.document import Block, Chart, Heading, Notice, Paragraph, Series, Table
from core.domain.quality import FLAG_NAMES, SHARES, QualityMetrics, QualityReport
from core.domain.report import ReportRequest, Section
from core.domain.units import to_hour64, to_second64
from core.domain.weather import Flag
from core.workflows.reporting_words import Voice, column

#: Stations and findings that are printed; the workbook has all.
MOST_STATIONS, MOST_FINDINGS = 40, 40
#: Periods up to so many hours are drawn by the hour, longer ones by the day.
HOURLY_H = 72
#: Labels below a chart.
LABELS = 8


def is_empty(found: QualityReport) -> bool:
    """Say whether nothing at all is stored of the period."""
    return not bool(found.checked.weather.observed().any())


def blocks(request: ReportRequest, found: QualityReport, due_at: datetime, voice: Voice) -> list[Block]:
    """Return the report of a period; `due_at` is the last moment whose hours must have come."""
    made: list[Block] = warnings(found, voice)
    if is_empty(found):
        text = voice.say("Nothing is stored of {period}.", period=voice.period(found.begin, found.end))
        return [*made, Notice(text)]
    if request.wants(Section.METRICS):
        made += [metrics(found.metrics, voice), completeness(found, due_at, voice), *_history(found, voice)]
    if request.wants(Section.VARIABLES):
        made += [Heading(voice.say("By variable")), _variables(found, due_at, voice)]
    if request.wants(Section.STATIONS):
        made += [Heading(voice.say("By station")), _stations(found, voice)]
    if request.wants(Section.TESTS):
        made += [Heading(voice.say("By test")), _tests(found, voice)]
    return made


def warnings(found: QualityReport, voice: Voice) -> list[Block]:
    """Return in words what has fallen and which sensors wander."""
    names = {place.id: place.name for place in found.region.locations}
    drifts = (
        voice.say(
            "Drift: {station}, {variable}: {reason}",
            station=names.get(drift.location_id, drift.location_id),
            variable=voice.say(drift.variable),
            reason=voice.say(drift.reason),
        )
        for drift in found.drifts
    )
    return [Notice(text) for text in (*map(voice.say, found.alerts), *drifts)]


def metrics(told: QualityMetrics, voice: Voice) -> Table:
    """Return the metrics of a region with what each means."""
    rows = tuple(
        (voice.say(title), voice.share(float(getattr(told, name))), voice.say(meaning))
        for name, title, meaning in SHARES
    )
    late = (
        voice.say("Median delay unknown.")
        if math.isnan(told.delay_min)
        else voice.say("Median delay {n} min.", n=voice.number(told.delay_min))
    )
    period = voice.period(told.begin, told.end)
    heads = (
        column(voice.say("Metric"), 1.2),
        column(voice.say("Value"), 0.8, right=True),
        column(voice.say("What it means"), 3.5),
    )
    note = f"{late} {voice.say('A dash: not known.')}"
    return Table(voice.say("Quality of {period}", period=period), heads, rows, note=note)


def completeness(found: QualityReport, due_at: datetime, voice: Voice) -> Chart:
    """Return the share of the values that came, over time; unknown where nothing is stored of the whole region."""
    weather = found.checked.weather
    came = weather.observed()
    expected, present = _expected(found, due_at), np.zeros(came.shape, np.int64)
    names = [name for name, values in weather.values.items() if np.isfinite(values).any()]
    for name in names:
        present += np.isfinite(weather.values[name])
    hours = [h.astype("datetime64[s]").item().replace(tzinfo=UTC).astimezone(voice.zone) for h in weather.valid_at]
    daily = len(hours) > HOURLY_H
    form = "dd MMM" if daily else "dd MMM HH:mm"
    shares, labels = [], []
    for _, positions in groupby(range(len(hours)), key=lambda i: hours[i].date() if daily else i):
        at = list(positions)
        labels.append(voice.moment(hours[at[0]], form).rpartition(" ")[0])
        shares.append(_share_of(present[:, at], expected[:, at], came[:, at], len(names)))
    x = tuple(float(i) for i in range(len(shares)))
    step = max(1, math.ceil(len(x) / LABELS))
    return Chart(
        voice.say("Completeness by day") if daily else voice.say("Completeness by hour"),
        "",
        voice.say("values that came, percent"),
        (Series(voice.say("all stations"), x, tuple(shares), "line"),),
        tuple((float(i), labels[i]) for i in range(0, len(x), step)),
        y_range=(0.0, 100.0),
    )


def _expected(found: QualityReport, due_at: datetime) -> NDArray[np.bool_]:
    """Return where values should be, (places, hours): what is not due yet is expected only where it came.

    Nothing is expected of the time before the very first stored hour, from which on the metrics count.
    """
    weather = found.checked.weather
    due = (weather.valid_at >= to_hour64(found.metrics.begin)) & (weather.valid_at <= to_second64(due_at))
    return np.asarray(due | weather.observed())


def _share_of(present: NDArray[np.int64], expected: NDArray[np.bool_], came: NDArray[np.bool_], names: int) -> float:
    whole = int(expected.sum()) * names
    return 100.0 * int(present.sum()) / whole if whole and came.any() else math.nan


def _history(found: QualityReport, voice: Voice) -> list[Block]:
    """Return how the metrics went; a single number has no course."""
    if len(found.history) < 2:
        return []
    begin = found.history[0].end
    x = tuple((m.end - begin).total_seconds() / 3600 for m in found.history)
    shares = tuple(
        Series(voice.say(title), x, tuple(100 * float(getattr(m, name)) for m in found.history))
        for name, title, _ in SHARES
        if name != "anomaly_rate"
    )
    step = max(1, math.ceil(len(x) / LABELS))
    labels = tuple((x[i], voice.moment(found.history[i].end, "dd MMM HH:mm")) for i in range(0, len(x), step))
    title = voice.say("Metrics over time, each of the last day")
    return [Chart(title, "", voice.say("percent"), shares, labels, y_range=(0.0, 100.0))]


def _variables(found: QualityReport, due_at: datetime, voice: Voice) -> Table:
    """Return for every variable what came and how many of its values have which flag at worst."""
    weather, expected = found.checked.weather, int(_expected(found, due_at).sum())
    rows = []
    for name, values in weather.values.items():
        present, flags = np.isfinite(values), found.checked.flags(name)
        if present.any():
            bad = [voice.number(int((flags[present] == flag).sum())) for flag in (Flag.FAIL, Flag.SUSPECT)]
            share = voice.share(min(1.0, int(present.sum()) / expected)) if expected else "–"
            rows.append((voice.say(name), voice.number(int(present.sum())), share, *bad))
    heads = (
        column(voice.say("Variable"), 2.0),
        column(voice.say("Values"), right=True),
        column(voice.say("Completeness"), right=True),
        column(voice.say("fail"), right=True),
        column(voice.say("suspect"), right=True),
    )
    note = voice.say("Raw values are kept whatever their flag; values that failed are not shown to the model.")
    return Table(voice.say("Values and flags by variable"), heads, tuple(rows), note=note)


def _stations(found: QualityReport, voice: Voice) -> Table:
    """Return the metrics of every station, the worst first."""
    names = {place.id: place.name for place in found.region.locations}
    ranked = sorted(found.places, key=lambda m: math.inf if math.isnan(m.overall) else m.overall)
    rows = tuple(
        (names.get(m.location_id or "", ""), *(voice.share(float(getattr(m, name))) for name, _, _ in SHARES))
        for m in ranked[:MOST_STATIONS]
    )
    heads = (
        column(voice.say("Station"), 2.2),
        *(column(voice.say(title), right=True) for _, title, _ in SHARES),
    )
    return Table(voice.say("Stations, the worst first"), heads, rows, note=_of_all(len(rows), len(ranked), voice))


def _tests(found: QualityReport, voice: Voice) -> Table:
    """Return what the checks found by test, variable and flag, the worst and most frequent first.

    Hours before the very first stored one are no gaps: nothing is expected of them.
    """
    counts = found.checked.weather.valid_at >= to_hour64(found.metrics.begin)
    counted: dict[tuple[Flag, str, str], list[int]] = defaultdict(lambda: [0, 0])
    reason: dict[tuple[Flag, str, str], str] = {}
    for finding in found.checked.findings:
        where = finding.where & counts
        if where.any():
            key = (finding.flag, finding.test, finding.variable)
            counted[key][0] += int(where.sum())
            counted[key][1] = max(counted[key][1], int(where.any(axis=1).sum()))
            reason.setdefault(key, finding.reason)
    gravity = list(FLAG_NAMES)
    ranked = sorted(counted, key=lambda key: (gravity.index(key[0]) if key[0] in gravity else 9, -counted[key][0]))
    rows = tuple(
        (voice.say(test), voice.say(variable), voice.say(FLAG_NAMES.get(flag, flag.name)),
         *map(voice.number, counted[flag, test, variable]),
         voice.say(reason[flag, test, variable]))
        for flag, test, variable in ranked[:MOST_FINDINGS]
    )  # fmt: skip
    heads = (
        column(voice.say("Test"), 1.4),
        column(voice.say("Variable"), 2.2),
        column(voice.say("Flag"), 1.1),
        column(voice.say("Flags"), 0.8, right=True),
        column(voice.say("Stations"), 0.8, right=True),
        column(voice.say("Reason"), 3.4),
    )
    title = voice.say("What the checks found")
    if not rows:
        return Table(title, heads, (), note=voice.say("No check has flagged any value."))
    return Table(title, heads, rows, note=_of_all(len(rows), len(ranked), voice))


def _of_all(shown: int, count: int, voice: Voice) -> str:
    if shown == count:
        return ""
    return voice.say("The first {n} of {all} rows; the workbook has all.", n=shown, all=count)


def limits(voice: Voice) -> list[Block]:
    """Return what these numbers cannot say."""
    said: Sequence[str] = (
        voice.say(
            "A suspect value is often the very extreme that is looked for: it is kept, and counts as no fault until "
            "other values speak against it."
        ),
        voice.say("An hour that is younger than the soft age limit and has not come is not expected yet."),
        voice.say("Stuck sensors and shifted clocks are known in hindsight only; a forecast could not know of them."),
    )
    return [Heading(voice.say("Limits")), *(Paragraph(text) for text in said)]
