"""Tables of a quality report: metrics over time, places and their variables, and every flagged value as it came."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from core.domain.quality import SHARES, FlaggedWeather, QualityMetrics, QualityReport
from core.domain.units import from_datetime64
from core.domain.weather import VARIABLES, Flag
from core.domain.workbook import Kind, Rows, Sheet, SheetChart, SheetColumn
from core.words import Language
from core.workflows.tables_words import place_columns, time_column, variable_title


def sheets(words: Language, report: QualityReport) -> Iterator[Sheet]:
    """Return the tables of a report."""
    yield _over_time(words, report)
    yield _places(words, report)
    yield _variables(words, report.checked)
    yield _flagged(words, report.checked)
    yield _drifts(words, report)


def _metric_columns(words: Language) -> tuple[SheetColumn, ...]:
    shares = (SheetColumn(words.say(title), Kind.SHARE, 14, 1, bar=True) for _, title, _ in SHARES)
    return (*shares, SheetColumn(words.say("Median delay, min"), Kind.NUMBER, 12, 0))


def _numbers(metrics: QualityMetrics) -> tuple[float, ...]:
    return (*(float(getattr(metrics, name)) for name, _, _ in SHARES), metrics.delay_min)


def _over_time(words: Language, report: QualityReport) -> Sheet:
    say = words.say
    columns = (time_column(say("Day until (UTC)")), *_metric_columns(words), time_column(say("Day from (UTC)")))
    rows = tuple((m.end, *_numbers(m), m.begin) for m in report.history)
    chart = SheetChart(say("Quality over time"), "line", 0, tuple(range(1, 1 + len(SHARES))))
    note = say("Measured every hour, each time of the day before. Shares of values; empty cells are not known.")
    return Sheet(say("Quality over time"), columns, rows, (chart,), note)


def _places(words: Language, report: QualityReport) -> Sheet:
    say, names = words.say, {place.id: place.name for place in report.region.locations}
    columns = (*place_columns(words), *_metric_columns(words))
    rows = [(names.get(m.location_id or "", ""), m.location_id, *_numbers(m)) for m in report.places]
    whole = (report.region.name, say("whole region"), *_numbers(report.metrics))
    note = say("The whole period of the report, the region first.")
    return Sheet(say("Quality by place"), columns, (whole, *rows), note=note)


def _variables(words: Language, checked: FlaggedWeather) -> Sheet:
    say = words.say
    columns = (
        *place_columns(words),
        SheetColumn(say("Variable"), width=24),
        SheetColumn(say("Hours of the period"), Kind.COUNT, 12),
        SheetColumn(say("Values that came"), Kind.COUNT, 12),
        SheetColumn(say("Suspect"), Kind.COUNT, 10),
        SheetColumn(say("Failed"), Kind.COUNT, 10),
        SheetColumn(say("Share that came"), Kind.SHARE, 14, 1, bar=True),
        SheetColumn(say("Share of these that passed"), Kind.SHARE, 14, 1, bar=True),
    )
    note = say("A row per place and variable that the source has.")
    rows = Rows(partial(_variable_rows, words, checked))
    return Sheet(say("Quality by variable"), columns, rows, note=note)


def _variable_rows(words: Language, checked: FlaggedWeather) -> Iterator[tuple[object, ...]]:
    weather = checked.weather
    hours = len(weather.valid_at)
    for name in (name for name in VARIABLES if name in weather.values):
        flags, came = checked.flags(name), np.isfinite(weather.values[name])
        counts = [(came & w).sum(axis=1).tolist() for w in (came, flags == Flag.SUSPECT, flags == Flag.FAIL)]
        for place, there, suspect, failed in zip(weather.locations, *counts, strict=True):
            passed = (there - suspect - failed) / there if there else None
            share = there / hours if hours else None
            title = variable_title(words, name)
            yield place.name, place.id, title, hours, there, suspect, failed, share, passed


def _flagged(words: Language, checked: FlaggedWeather) -> Sheet:
    say = words.say
    columns = (
        *place_columns(words),
        time_column(say("End of the hour (UTC)")),
        SheetColumn(say("Variable"), width=24),
        SheetColumn(say("Value as it came"), Kind.NUMBER, 14),
        SheetColumn(say("Flag"), Kind.FLAG),
        SheetColumn(say("Check"), width=18),
        SheetColumn(say("Reason"), width=60),
    )
    note = say(
        "A row per value that came and finding of a check; what passed after a closer look is there too. Values that"
        " never came are counted by variable."
    )
    return Sheet(say("Flagged values"), columns, Rows(partial(_flagged_rows, words, checked)), note=note)


def _flagged_rows(words: Language, checked: FlaggedWeather) -> Iterator[tuple[object, ...]]:
    weather = checked.weather
    hours = [from_datetime64(at) for at in weather.valid_at]
    for finding in checked.findings:
        values = weather.get(finding.variable)
        where = finding.where & np.isfinite(values)
        title = variable_title(words, finding.variable)
        told = finding.flag, words.say(finding.test), words.say(finding.reason)
        raw = np.round(values[where].astype(float), 4)
        for i, h, value in zip(*(axis.tolist() for axis in where.nonzero()), raw.tolist(), strict=True):
            place = weather.locations[i]
            yield (place.name, place.id, hours[h], title, value, *told)


def _drifts(words: Language, report: QualityReport) -> Sheet:
    say, names = words.say, {place.id: place.name for place in report.region.locations}
    columns = (
        *place_columns(words),
        SheetColumn(say("Variable"), width=24),
        SheetColumn(say("Shift, in the unit of the variable"), Kind.NUMBER, 16),
        SheetColumn(say("Reason"), width=60),
    )
    rows = tuple(
        (names.get(d.location_id, ""), d.location_id, variable_title(words, d.variable), d.shift, say(d.reason))
        for d in report.drifts
    )
    return Sheet(say("Sensors that drift"), columns, rows, note=say("Sensors that wander away from their neighbours."))
