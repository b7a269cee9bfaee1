"""The bulletin: what the current issue says, place by place, how sure that is, and from what it was made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.domain.districts import GRAVITY, DistrictRisk, by_district, districts_of
from core.domain.document import Block, Heading, LevelMap, Notice, Paragraph, Ring, Table
from core.domain.explanation import Driver
from core.domain.forecast import EVENTS, TARGET, Exceedance, Forecast, RegionForecast, RiskLevel
from core.domain.levels import LEVELS
from core.domain.weather import Location, Region
from core.risk import Tiers
from core.workflows.reporting_words import FRESHNESS, Voice, column

#: Places of the list, and of those that are told in full with what drove them.
LISTED, TOLD = 15, 5
#: A station has no cell; it is drawn this large, degrees.
STATION_CELL_DEG = 0.25


def headline(issue: RegionForecast, voice: Voice) -> list[Block]:
    """Return in a sentence or two what the issue says."""
    counts, total = issue.counts(), len(issue.forecasts)
    warned = [level for level in GRAVITY if level not in (RiskLevel.GREEN, RiskLevel.UNKNOWN) and counts[level]]
    said = []
    if warned:
        levels = ", ".join(
            voice.say(
                "{level} ({meaning}) at {n} of {all} places",
                level=voice.level_name(level),
                meaning=voice.say(LEVELS[level].meaning),
                n=counts[level],
                all=total,
            )
            for level in warned
        )
        said.append(f"{levels}.")
    elif counts[RiskLevel.UNKNOWN] < total:
        said.append(voice.say("Nothing warns: no place is above green."))
    if counts[RiskLevel.UNKNOWN]:
        said.append(voice.say("Of {n} of {all} places nothing can be said.", n=counts[RiskLevel.UNKNOWN], all=total))
    said += _highest(issue, voice)
    blocks: list[Block] = [Paragraph(" ".join(said))]
    if any(TARGET in forecast.exceedance.unskilled for forecast in issue.forecasts):
        text = voice.say(
            "No skill beyond climatology was found for {event}: what stands here is climatology.",
            event=voice.within(TARGET),
        )
        blocks.append(Notice(text))
    return blocks


def _highest(issue: RegionForecast, voice: Voice) -> list[str]:
    first = issue.ranked()[0]
    if first.level is RiskLevel.UNKNOWN:
        return []
    names = {place.id: place.name for place in issue.region.locations}
    return [
        voice.say(
            "The highest probability of {event} is {p}, at {place}.",
            event=voice.within(TARGET),
            p=voice.percent(first.exceedance.of(TARGET)),
            place=names[first.location_id],
        )
    ]


def level_map(issue: RegionForecast, tiers: Tiers, voice: Voice) -> list[Block]:
    """Return the map of the levels with the rule behind them."""
    return [
        LevelMap(
            title=voice.say("Levels of {event}", event=voice.within(TARGET)),
            outlines=tuple(ring for outline in issue.region.outlines for ring in outline.rings),
            cells=tuple(_cell(place, issue.region) for place in issue.region.locations),
            levels=tuple(forecast.level for forecast in issue.forecasts),
            legend={level: voice.level(level) for level in LEVELS},
            note=_rule(tiers, voice),
        )
    ]


def _cell(place: Location, region: Region) -> Ring:
    half = (region.spacing_deg or STATION_CELL_DEG) / 2
    west, east = place.longitude - half, place.longitude + half
    south, north = place.latitude - half, place.latitude + half
    return ((west, south), (east, south), (east, north), (west, north))


def _rule(tiers: Tiers, voice: Voice) -> str:
    yellow, orange, red = (voice.percent(p) for p in tiers.thresholds.tolist())
    return voice.say(
        "Yellow from {yellow} on, orange from {orange}, red from {red}. White and hatched: no data.",
        yellow=yellow,
        orange=orange,
        red=red,
    )


def districts(issue: RegionForecast, voice: Voice) -> list[Block]:
    """Return the districts, the gravest level first."""
    found = by_district(issue)
    heads = (
        column(voice.say("District"), 2.2),
        column(voice.say("Level"), 1.2),
        *(column(LEVELS[level].sign or voice.say(LEVELS[level].name), 0.8, right=True) for level in GRAVITY),
        column(voice.say("Highest P"), 1.1, right=True),
        column(voice.say("Highest at"), 3.0),
    )
    table = Table(
        voice.say("Districts by level"),
        heads,
        tuple(_district(one, voice) for one in found),
        tuple(one.level for one in found),
        voice.say("The level is that of the gravest place; the numbers are how many places have which level."),
    )
    return [Heading(voice.say("Districts")), table]


def _district(one: DistrictRisk, voice: Voice) -> tuple[str, ...]:
    counts = (voice.number(one.counts[level]) for level in GRAVITY)
    name = one.name or voice.say("outside every district")
    return (name, voice.say(LEVELS[one.level].name), *counts, voice.percent(one.probability), one.highest.name)


def places(issue: RegionForecast, voice: Voice) -> list[Block]:
    """Return the places with the highest probability in a list, and the first of them in full."""
    ranked = issue.ranked()[:LISTED]
    blocks: list[Block] = [Heading(voice.say("Highest places")), _list(issue, ranked, voice)]
    if len(ranked[0].curves) > 1:
        blocks.append(_by_window(issue, ranked, voice))
    names = {place.id: place.name for place in issue.region.locations}
    blocks += [_place(names[forecast.location_id], forecast, voice) for forecast in ranked[:TOLD]]
    note = voice.say(
        "The interval is that of the calibration. Base rate: what season and time of day alone say. Extrapolated: "
        "beyond what was observed often enough, and not verified."
    )
    return [*blocks, Paragraph(note)]


def _list(issue: RegionForecast, ranked: Sequence[Forecast], voice: Voice) -> Table:
    where = dict(zip((p.id for p in issue.region.locations), districts_of(issue.region), strict=True))
    names = {place.id: place.name for place in issue.region.locations}
    heads = (
        column(voice.say("Place"), 3.0),
        column(voice.say("District"), 1.9),
        column(voice.say("Level"), 1.1),
        *(column(voice.event(event), 1.1, right=True) for event in EVENTS),
        column(voice.say("Data"), 1.0),
    )
    rows = tuple(
        (
            names[f.location_id],
            where[f.location_id],
            voice.say(LEVELS[f.level].name),
            *(voice.percent(f.exceedance.of(event)) for event in EVENTS),
            voice.say(FRESHNESS[f.freshness]),
        )
        for f in ranked
    )
    title = voice.say("Places with the highest probability, {window}", window=voice.window(TARGET.window))
    return Table(title, heads, rows, tuple(f.level for f in ranked))


def _by_window(issue: RegionForecast, ranked: Sequence[Forecast], voice: Voice) -> Table:
    """Return the probability of the target's rain in every window."""
    names = {place.id: place.name for place in issue.region.locations}
    heads = [voice.window(curve.window) for curve in ranked[0].curves]
    rows = tuple((names[f.location_id], *(voice.percent(curve.probability[0]) for curve in f.curves)) for f in ranked)
    return Table(
        voice.say("Probability of {event} by hours ahead", event=voice.event(TARGET)),
        (column(voice.say("Place"), 2.2), *(column(head, right=True) for head in heads)),
        rows,
        tuple(f.level for f in ranked),
    )


def _place(name: str, forecast: Forecast, voice: Voice) -> Table:
    """Return every threshold of one place with interval, base rate, basis, and the state of its data."""
    curve = forecast.exceedance
    heads = (
        column(voice.say("Event"), 1.6),
        column(voice.say("Probability"), 1.0, right=True),
        column(voice.say("90 % interval"), 1.6, right=True),
        column(voice.say("Base rate"), 1.0, right=True),
        column(voice.say("Basis"), 2.2),
    )
    data = voice.say(
        "Data of this place: {when}, {freshness}.",
        when=voice.moment(forecast.data_at),
        freshness=voice.say(FRESHNESS[forecast.freshness]),
    )
    reasons = "".join(f" {voice.say(reason)}." for reason in forecast.reasons[:3])
    return Table(
        f"{name}: {voice.level_name(forecast.level)}",
        heads,
        tuple(_event(curve, i, voice) for i in range(len(curve.events))),
        note=data + reasons,
    )


def _event(curve: Exceedance, i: int, voice: Voice) -> tuple[str, ...]:
    event, p = curve.events[i], curve.probability[i]
    if math.isnan(p):
        basis = voice.say("unknown")
    elif event in curve.unskilled:
        basis = voice.say("climatology: no skill beyond it")
    else:
        basis = voice.say("extrapolated") if event in curve.extrapolated else voice.say("trained and calibrated")
    usual = voice.percent(curve.base_rate[i] if curve.base_rate else None)
    return voice.event(event), voice.percent(p), voice.range(curve.low[i], curve.high[i]), usual, basis


def drivers(found: Mapping[str, tuple[Driver, ...]], voice: Voice) -> list[Block]:
    """Return what raised and what lowered the probability, by name of the place."""
    blocks: list[Block] = [Heading(voice.say("Why"))]
    for name, those in found.items():
        rows = tuple(
            (
                voice.say("▲ raises") if d.raises else voice.say("▼ lowers"),
                voice.say(d.group).capitalize(),
                d.values(voice.say),
                f"× {d.factor:.3g}",
            )
            for d in those
        )
        heads = (
            column(voice.say("Effect"), 0.9),
            column(voice.say("About"), 1.6),
            column(voice.say("Values"), 4.0),
            column(voice.say("Odds"), 0.7, right=True),
        )
        blocks.append(Table(name, heads, rows))
    if not any(found.values()):
        text = voice.say("No drivers: nothing is known now, or climatology or another model speaks.")
        return [blocks[0], Paragraph(text)]
    text = voice.say(
        "These are associations that the model learned, not causes, for {event}; factors multiply the odds "
        "p / (1 − p).",
        event=voice.within(TARGET),
    )
    return [*blocks, Paragraph(text)]
