"""Charts as vectors: lines with bands, points with whiskers, bars; a series is never told by colour alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from core.adapters.pdf.axes import Axis, bar_place, decimals, horizontal, vertical
from core.adapters.pdf.sheet import FLOOR, INK, LEADING, LEFT, RULE, SOFT, SPAN, TINT, TOP, Points, Sheet, box
from core.domain.document import Chart, Series
from core.domain.forecast import RiskLevel
from core.domain.levels import LEVELS
from core.words import language

HEIGHT = 168.0
SIZE, TITLE = 7.5, 10.0
#: Colours that keep apart without colour vision (Okabe and Ito 2008), each with a dash and a marker of its own.
COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a2457e", "#3a3a3a", "#8a6d00")
DASHES = ("", "5 2", "1 2", "6 2 1 2", "9 3", "3 1 1 1 1 1")
MARKERS, MARKER = 4, 4.2


@dataclass(frozen=True)
class _Plot:
    """The field of a chart: its axes and the width of a group of bars."""

    x: Axis
    y: Axis
    group: float

    def points(self, xs: tuple[float, ...], ys: tuple[float, ...]) -> Iterator[Points]:
        """Return runs of neighbouring points that have a place: what is not known parts them."""
        run: list[tuple[float, float]] = []
        for x, y in zip(xs, ys, strict=False):
            place = (self.x.place(x), self.y.place(y))
            if all(math.isfinite(v) for v in place):
                run.append(place)
            elif run:
                yield run
                run = []
        if run:
            yield run


def print_chart(sheet: Sheet, chart: Chart) -> None:
    """Print a chart with its title, axes and legend."""
    titles = sheet.letters.lines(chart.title, SPAN, TITLE, bold=True) if chart.title else []
    keys = [i for i, series in enumerate(chart.series) if series.name]
    legend = _legend_rows(sheet, chart, keys)
    below = (2 + len(legend)) * SIZE * LEADING + 10
    sheet.room(min(len(titles) * TITLE * LEADING + HEIGHT + below + 14, FLOOR - TOP))
    sheet.write_lines(titles, LEFT, TITLE, bold=True)
    sheet.write_line(chart.y_title, LEFT, sheet.y + SIZE * 1.1, SIZE, colour=SOFT)
    top = sheet.y + SIZE * LEADING + 4
    bottom = top + HEIGHT
    plot = _plot(sheet, chart, top, bottom)
    _print_axes(sheet, chart, plot)
    left, right = plot.x.start, plot.x.end
    with sheet.clipped([box(left - 3, top - 3, right - left + 6, bottom - top + 6)]):
        if chart.diagonal:
            _print_diagonal(sheet, plot)
        for i, series in enumerate(chart.series):
            _print_band(sheet, plot, series, COLOURS[i % len(COLOURS)])
        for i, series in enumerate(chart.series):
            _print_series(sheet, chart, plot, series, i)
    if not any(math.isfinite(y) for series in chart.series for y in series.y):
        nothing = language(sheet.language).say(LEVELS[RiskLevel.UNKNOWN].name)
        sheet.write_line(nothing, (left + right) / 2, (top + bottom) / 2, 10, colour=SOFT, align="centre")
    sheet.write_line(chart.x_title, (left + right) / 2, bottom + SIZE * 2.75, SIZE, colour=SOFT, align="centre")
    sheet.y = bottom + 2 * SIZE * LEADING + 5
    _print_legend(sheet, chart, legend)
    sheet.y += 10


def _plot(sheet: Sheet, chart: Chart, top: float, bottom: float) -> _Plot:
    y = vertical(chart, bottom, top)
    words, ticks = language(sheet.language), y.ticks()
    labels = max((sheet.letters.width(words.number(t, _places(y, t, ticks)), SIZE) for t in ticks), default=0.0)
    x = horizontal(chart, LEFT + min(labels, SPAN / 3) + 8, LEFT + SPAN - 12)
    group = bar_place(chart) / (x.high - x.low) * (x.end - x.start)
    return _Plot(x, y, group * 0.8)


def _places(axis: Axis, tick: float, ticks: list[float]) -> int:
    return decimals([tick]) if axis.decades else decimals(ticks)


def _print_axes(sheet: Sheet, chart: Chart, plot: _Plot) -> None:
    words = language(sheet.language)
    x, y = plot.x, plot.y
    ticks = y.ticks()
    for tick in ticks:
        at = y.place(tick)
        sheet.draw_line([(x.start, at), (x.end, at)], colour=RULE, width=0.35)
        label = words.number(tick, _places(y, tick, ticks))
        sheet.write_line(label, x.start - 5, at + SIZE * 0.35, SIZE, colour=SOFT, align="right")
    across = x.ticks()
    labels = chart.x_labels or tuple((tick, words.number(tick, decimals(across))) for tick in across)
    free = -math.inf
    for value, label in labels:
        at, width = x.place(value), sheet.letters.width(label, SIZE)
        if not math.isfinite(at):
            continue
        sheet.draw_line([(at, y.start), (at, y.start + 3)], colour=SOFT, width=0.5)
        left = min(max(at - width / 2, LEFT), LEFT + SPAN - width)
        if left > free:  # labels that would lie upon one another are left out, their ticks are not
            sheet.write_line(label, left, y.start + 5.5 + SIZE, SIZE, colour=SOFT)
            free = left + width + 4
    sheet.draw_line([(x.start, y.end), (x.start, y.start), (x.end, y.start)], colour=SOFT, width=0.7)


def _print_diagonal(sheet: Sheet, plot: _Plot) -> None:
    """Draw where x is y: on a logarithmic axis it is a curve."""
    low, high = max(plot.x.low, plot.y.low), min(plot.x.high, plot.y.high)
    steps = tuple(low + (high - low) * i / 60 for i in range(61))
    for run in plot.points(steps, steps) if high > low else ():
        sheet.draw_line(run, colour=SOFT, width=0.6, dash="2 2")


def _print_band(sheet: Sheet, plot: _Plot, series: Series, colour: str) -> None:
    """Fill between low and high of a line, and draw its borders, for where bands lie upon one another."""
    if series.kind != "line" or not (series.low and series.high):
        return
    known = [math.isfinite(a + b) for a, b in zip(series.low, series.high, strict=False)]
    low, high = (
        tuple(v if ok else math.nan for v, ok in zip(row, known, strict=False)) for row in (series.low, series.high)
    )
    for below, above in zip(plot.points(series.x, low), plot.points(series.x, high), strict=False):
        sheet.draw_areas([[*below, *reversed(above)]], fill=_paler(colour))
        for border in (below, above):
            sheet.draw_line(border, colour=colour, width=0.3)


def _print_series(sheet: Sheet, chart: Chart, plot: _Plot, series: Series, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    if series.kind == "bars":
        _print_bars(sheet, chart, plot, series, number)
        return
    runs = list(plot.points(series.x, series.y))
    if series.kind == "line":
        for run in runs:
            sheet.draw_line(run, colour=colour, width=1.3, dash=DASHES[number % len(DASHES)])
    else:
        _print_whiskers(sheet, plot, series, colour)
    marked = [point for run in runs if series.kind == "points" or len(run) == 1 or len(series.x) <= 30 for point in run]
    for point in marked:
        _print_marker(sheet, *point, number)


def _print_whiskers(sheet: Sheet, plot: _Plot, series: Series, colour: str) -> None:
    for x, low, high in zip(series.x, series.low, series.high, strict=False):
        at, bottom, top = plot.x.place(x), plot.y.place(low), plot.y.place(high)
        if not all(math.isfinite(v) for v in (at, bottom, top)):
            continue
        sheet.draw_line([(at, bottom), (at, top)], colour=colour, width=0.7)
        for end in (bottom, top):
            sheet.draw_line([(at - 2, end), (at + 2, end)], colour=colour, width=0.7)


def _print_bars(sheet: Sheet, chart: Chart, plot: _Plot, series: Series, number: int) -> None:
    """Draw bars from zero; those of several series stand side by side, the second and further ones hatched."""
    beside = [i for i, other in enumerate(chart.series) if other.kind == "bars"]
    width = plot.group / len(beside)
    shift = beside.index(number) * width - plot.group / 2
    foot = plot.y.start if plot.y.decades else min(max(plot.y.place(0.0), plot.y.end), plot.y.start)
    bars = [box(x + shift, min(y, foot), width, abs(foot - y)) for r in plot.points(series.x, series.y) for x, y in r]
    _print_filled(sheet, bars, number)
    moved = tuple(x + shift + width / 2 for x in map(plot.x.place, series.x))
    scale = Axis(plot.x.start, plot.x.end, plot.x.start, plot.x.end)
    _print_whiskers(
        sheet, _Plot(scale, plot.y, plot.group), Series("", moved, (), "bars", series.low, series.high), INK
    )


def _print_filled(sheet: Sheet, areas: list[Points], number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    sheet.draw_areas(areas, fill=colour if number == 0 else _paler(colour))
    if number:
        sheet.hatch(areas, colour=colour, step=3.0 + number % 3, falling=number % 2 == 0)
    sheet.draw_areas(areas, line=colour)


def _print_marker(sheet: Sheet, x: float, y: float, number: int) -> None:
    """Draw the marker of a series: octagon, diamond, triangle or square."""
    half, colour = MARKER / 2, COLOURS[number % len(COLOURS)]
    edge = half * 0.41
    shapes: tuple[Points, ...] = (
        [(x - edge, y - half), (x + edge, y - half), (x + half, y - edge), (x + half, y + edge),
         (x + edge, y + half), (x - edge, y + half), (x - half, y + edge), (x - half, y - edge)],
        [(x, y - half * 1.3), (x + half * 1.3, y), (x, y + half * 1.3), (x - half * 1.3, y)],
        [(x - half * 1.2, y + half), (x, y - half * 1.2), (x + half * 1.2, y + half)],
        box(x - half, y - half, 2 * half, 2 * half),
    )  # fmt: skip
    sheet.draw_areas([shapes[number % MARKERS]], fill=colour if number < MARKERS else TINT, line=colour)


def _legend_rows(sheet: Sheet, chart: Chart, keys: list[int]) -> list[list[tuple[int, str, float]]]:
    """Return rows of series with their name and where their key stands; a name too long for a row is broken."""
    rows: list[list[tuple[int, str, float]]] = []
    at = math.inf
    for i in keys:
        for n, line in enumerate(sheet.letters.lines(chart.series[i].name, SPAN - 30, SIZE)):
            width = 24 + sheet.letters.width(line, SIZE) + 16
            if n or at + width > SPAN:
                rows.append([])
                at = 0.0
            rows[-1].append((i if n == 0 else -1, line, LEFT + at))
            at += width
    return rows


def _print_legend(sheet: Sheet, chart: Chart, rows: list[list[tuple[int, str, float]]]) -> None:
    for row in rows:
        sheet.room(SIZE * LEADING)
        middle = sheet.y + SIZE * 0.7
        for number, name, x in row:
            sheet.write_line(name, x + 24, sheet.y + SIZE * 1.06, SIZE)
            if number < 0:
                continue
            kind, colour = chart.series[number].kind, COLOURS[number % len(COLOURS)]
            if kind == "bars":
                _print_filled(sheet, [box(x + 4, middle - 3.5, 14, 7)], number)
                continue
            if kind == "line":
                dash = DASHES[number % len(DASHES)]
                sheet.draw_line([(x, middle), (x + 20, middle)], colour=colour, width=1.3, dash=dash)
            if kind == "points" or len(chart.series[number].x) <= 30:
                _print_marker(sheet, x + 10, middle, number)
        sheet.y += SIZE * LEADING


def _paler(colour: str) -> str:
    """Return a colour mixed with four times as much white."""
    return "#" + "".join(f"{255 - (255 - int(colour[i : i + 2], 16)) // 5:02x}" for i in (1, 3, 5))
