"""Tables of an issue: every probability with its interval, the districts, and the observations behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.domain.districts import GRAVITY, by_district, districts_of
from core.domain.forecast import EVENTS, TARGET, EventDefinition, Exceedance, RegionForecast
from core.domain.levels import LEVELS
from core.domain.quality import FlaggedWeather
from core.domain.report import ReportRequest, Section
from core.domain.units import from_datetime64
from core.domain.weather import VARIABLES, Flag
from core.domain.workbook import Kind, Rows, Sheet, SheetChart, SheetColumn
from core.words import Language
from core.workflows.forecasting import Issue
from core.workflows.tables_words import event_text, place_columns, time_column, variable_title, window_text

#: Observations so many hours back stand beside a forecast.
OBSERVED = timedelta(hours=72)
#: Flags by their number.
_FLAGS = {flag.value: flag for flag in Flag}


def sheets(words: Language, issue: Issue, request: ReportRequest) -> Iterator[Sheet]:
    """Return the wanted tables of an issue."""
    if request.wants(Section.PLACES):
        yield _forecast(words, issue.forecast)
    if request.wants(Section.DISTRICTS):
        yield _districts(words, issue.forecast)
    if request.wants(Section.QUALITY):
        yield _observations(words, issue.checked)


# ---------------------------------------------------------------------------------------------------- forecast


def _forecast(words: Language, issue: RegionForecast) -> Sheet:
    say = words.say
    columns = [
        *place_columns(words),
        SheetColumn(say("District"), width=20),
        SheetColumn(say("Latitude, °"), Kind.NUMBER, 11, 4),
        SheetColumn(say("Longitude, °"), Kind.NUMBER, 11, 4),
        SheetColumn(say("Elevation, m"), Kind.NUMBER, 11, 0),
        time_column(say("Valid from (UTC)")),
        SheetColumn(say("Window"), width=11),
        SheetColumn(say("Level ({window})", window=window_text(words, TARGET.window)), Kind.LEVEL),
    ]
    for event in EVENTS:
        title = event_text(words, event)
        columns.append(SheetColumn(say("Probability of {event}", event=title), Kind.SHARE, 16, 2, bar=True))
        columns.append(SheetColumn(say("Lower bound, {event}", event=title), Kind.SHARE, 12))
        columns.append(SheetColumn(say("Upper bound, {event}", event=title), Kind.SHARE, 12))
        columns.append(SheetColumn(say("Base rate of {event}", event=title), Kind.SHARE, 12))
    columns += [
        SheetColumn(say("Rarer than what was trained on"), width=22),
        SheetColumn(say("No skill beyond climatology"), width=22),
        SheetColumn(say("Freshness"), width=11),
        time_column(say("Newest observation (UTC)")),
        SheetColumn(say("Worst flag"), Kind.FLAG),
        SheetColumn(say("Model version"), width=24),
        SheetColumn(say("Reasons"), width=60),
    ]
    note = say(
        "A row per place and window. The level is that of the first six hours. Bounds are those of the interval of the"
        " probability; the base rate is what the calendar alone says. Empty cells are not known."
    )
    return Sheet(say("Forecast"), tuple(columns), Rows(partial(_forecast_rows, words, issue)), note=note)


def _forecast_rows(words: Language, issue: RegionForecast) -> Iterator[tuple[object, ...]]:
    places = zip(issue.region.locations, districts_of(issue.region), issue.forecasts, strict=True)
    for place, district, forecast in places:
        state = words.say(forecast.freshness.value), forecast.data_at, forecast.worst_flag, forecast.model_version
        reasons = "; ".join(words.say(reason) for reason in forecast.reasons)
        at = place.latitude, place.longitude, place.elevation_m, forecast.valid_from
        for curve in forecast.curves:
            numbers = [value for event in EVENTS for value in _numbers(curve, event)]
            doubts = (_listed(words, curve, curve.extrapolated), _listed(words, curve, curve.unskilled))
            window = window_text(words, curve.window)
            yield (place.name, place.id, district, *at, window, forecast.level, *numbers, *doubts, *state, reasons)


def _numbers(curve: Exceedance, event: EventDefinition) -> tuple[float | None, ...]:
    """Return probability, bounds and base rate of the same rain in the window of a curve; None where it has it not."""
    same = ((e.threshold_mm, e.accumulation_h) == (event.threshold_mm, event.accumulation_h) for e in curve.events)
    i = next((i for i, found in enumerate(same) if found), None)
    if i is None:
        return (None,) * 4
    return curve.probability[i], curve.low[i], curve.high[i], curve.base_rate[i] if curve.base_rate else None


def _listed(words: Language, curve: Exceedance, events: frozenset[EventDefinition]) -> str:
    return "; ".join(event_text(words, event) for event in curve.events if event in events)


# --------------------------------------------------------------------------------------------------- districts


def _districts(words: Language, issue: RegionForecast) -> Sheet:
    say, title = words.say, event_text(words, TARGET)
    columns = (
        SheetColumn(say("District"), width=26),
        SheetColumn(say("Level"), Kind.LEVEL),
        SheetColumn(say("Highest probability of {event}", event=title), Kind.SHARE, 18, 2, bar=True),
        SheetColumn(say("Place of the highest probability"), width=26),
        SheetColumn(say("Places"), Kind.COUNT, 9),
        *(SheetColumn(say("Places: {level}", level=say(LEVELS[level].name)), Kind.COUNT, 10) for level in GRAVITY),
    )
    rows = tuple(
        (
            d.name or say("outside every district"),
            d.level,
            d.probability,
            d.highest.name,
            d.places,
            *(d.counts[level] for level in GRAVITY),
        )
        for d in by_district(issue)
    )
    window = window_text(words, TARGET.window)
    note = say("The level of a district is that of its gravest known place. Window: {window}.", window=window)
    chart = SheetChart(columns[2].title, "column", 0, (2,))
    return Sheet(say("Districts"), columns, rows, (chart,), note)


# ------------------------------------------------------------------------------------------------ observations


def _observations(words: Language, checked: FlaggedWeather) -> Sheet:
    say = words.say
    names = [name for name in VARIABLES if name in checked.weather.values]
    columns = [
        *place_columns(words),
        time_column(say("End of the hour (UTC)")),
        SheetColumn(say("Worst flag"), Kind.FLAG),
        SheetColumn(say("Reasons"), width=50),
    ]
    for name in names:
        title = variable_title(words, name)
        columns += [
            SheetColumn(title, Kind.NUMBER, 13),
            SheetColumn(say("Flag: {variable}", variable=title), Kind.FLAG),
        ]
    note = say("The last 72 hours as they came, with the flags of the checks: a value that failed is shown, not used.")
    return Sheet(say("Observations"), tuple(columns), Rows(partial(_observed_rows, words, checked, names)), note=note)


def _observed_rows(words: Language, checked: FlaggedWeather, names: list[str]) -> Iterator[tuple[object, ...]]:
    if not len(checked.weather.valid_at):
        return
    newest = from_datetime64(checked.weather.valid_at[-1])
    recent = checked.between(newest - OBSERVED + timedelta(hours=1), newest)
    hours = [from_datetime64(at) for at in recent.weather.valid_at]
    # Values are float32: more than four decimals would be noise of the conversion.
    values = [np.round(recent.weather.get(name).astype(float), 4) for name in names]
    flags = [recent.flags(name) for name in names]
    reasons = _reasons(words, recent, dict(zip(names, flags, strict=True)))
    worst = np.max(flags, axis=0) if flags else np.full((len(recent.weather.locations), len(hours)), Flag.MISSING)
    for i, place in enumerate(recent.weather.locations):
        cells: list[list[object]] = []
        for value, flag in zip(values, flags, strict=True):
            cells += [value[i].tolist(), [_FLAGS[number] for number in flag[i].tolist()]]
        for h, (hour, number, *told) in enumerate(zip(hours, worst[i].tolist(), *cells, strict=True)):
            yield (place.name, place.id, hour, _FLAGS[number], "; ".join(reasons.get((i, h), ())), *told)


def _reasons(
    words: Language, checked: FlaggedWeather, flags: Mapping[str, NDArray[np.uint8]]
) -> Mapping[tuple[int, int], list[str]]:
    """Return the reasons of all flags by place and hour, all at once: cell by cell it took seconds."""
    said = [(f.variable, words.say(f.reason), f.where) for f in checked.findings]
    said += [(name, words.say("missing"), found == Flag.MISSING) for name, found in flags.items()]
    found: dict[tuple[int, int], list[str]] = {}
    for name, reason, where in said:
        text = f"{variable_title(words, name)}: {reason}"
        for at in zip(*(axis.tolist() for axis in where.nonzero()), strict=True):
            found.setdefault(at, []).append(text)
    return found
