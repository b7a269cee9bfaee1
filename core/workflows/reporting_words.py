"""What every report says alike: numbers, times and names in its language, its masthead, its foot, and its warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.domain.document import Column, Notice
from core.domain.forecast import REPLAY, EventDefinition, Freshness, RegionForecast, RiskLevel, Window
from core.domain.learning import Measure
from core.domain.levels import LEVELS
from core.domain.weather import Region
from core.words import UNKNOWN, Language, language

FULL = "dd MMM yyyy HH:mm"
#: Sources whose names are words, with what they are called.
NAMED_SOURCES = {"simulator": "Simulated", "gauges": "gauges"}
FRESHNESS = {Freshness.FRESH: "fresh", Freshness.STALE: "STALE", Freshness.NO_DATA: "NO DATA"}


@dataclass(frozen=True)
class Voice:
    """A language and the zone of the readers: says numbers, times and names as they read them."""

    language: Language
    zone: ZoneInfo

    @classmethod
    def of(cls, code: str, region: Region) -> Voice:
        """Return the voice for a region's readers."""
        return cls(language(code), ZoneInfo(region.time_zone))

    def say(self, text: str, /, **values: object) -> str:
        """Return a text of the catalogue with its values."""
        return self.language.say(text, **values)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number, a dash where it is not known."""
        return self.language.number(value, decimals)

    def percent(self, probability: float | None) -> str:
        """Return a probability, a dash where it is not known."""
        return self.language.percent(math.nan if probability is None else probability)

    def share(self, value: float) -> str:
        """Return a share in [0, 1]: unknown is a dash, and only all of it is 100 %."""
        if math.isnan(value):
            return UNKNOWN
        tenths = math.floor(1000 * value + 1e-9) / 10
        return "< 0.1 %" if value > 0 and tenths == 0 else f"{tenths:g} %"

    def range(self, low: float | None, high: float | None) -> str:
        """Return an interval of probabilities."""
        if low is None or high is None or math.isnan(low + high):
            return UNKNOWN
        return self.say("{low} to {high}", low=self.percent(low), high=self.percent(high))

    def measure(self, measure: Measure | None) -> str:
        """Return the value of a measure with as many digits as are worth reading, a dash where it is not available."""
        return UNKNOWN if measure is None or measure.value is None else _digits(measure.value)

    def bounds(self, measure: Measure) -> str:
        """Return the interval of a measure, a dash where there is none."""
        if measure.low is None or measure.high is None:
            return UNKNOWN
        return self.say("{low} to {high}", low=_digits(measure.low), high=_digits(measure.high))

    def moment(self, when: datetime | None, form: str = FULL) -> str:
        """Return a moment in the readers' zone with its name."""
        return self.language.moment(when, self.zone, form)

    def period(self, begin: datetime, end: datetime) -> str:
        """Return a period in the readers' zone."""
        return self.say("{begin} to {end}", begin=self.moment(begin), end=self.moment(end))

    def age(self, seconds: float) -> str:
        """Return an age: minutes, hours or days."""
        if math.isnan(seconds):
            return self.say("unknown")
        if seconds < 5400:
            return self.say("{n} min", n=self.number(max(seconds, 0) / 60))
        if seconds < 172_800:
            return self.say("{n} h", n=self.number(seconds / 3600, 1))
        return self.say("{n} days", n=self.number(seconds / 86_400))

    def event(self, event: EventDefinition) -> str:
        """Return threshold and unit of an event."""
        if event.accumulation_h == 1:
            return self.say("≥ {mm} mm/h", mm=self.number(event.threshold_mm))
        return self.say("≥ {mm} mm in {h} h", mm=self.number(event.threshold_mm), h=event.accumulation_h)

    def window(self, window: Window) -> str:
        """Return the hours of a window."""
        return self.say("{begin} to {end} h ahead", begin=window.begin_h, end=window.end_h)

    def within(self, event: EventDefinition) -> str:
        """Return an event with the hours in which it may happen."""
        if event.begin_h:
            hours = {"begin": event.begin_h, "end": event.window.end_h}
            return self.say("{event} in {begin} to {end} h", event=self.event(event), **hours)
        return self.say("{event} within {h} h", event=self.event(event), h=event.window_h)

    def level(self, level: RiskLevel) -> str:
        """Return a level and what it means; whoever prints it beside a mark adds colour and sign."""
        return f"{self.say(LEVELS[level].name)}: {self.say(LEVELS[level].meaning)}"

    def level_name(self, level: RiskLevel) -> str:
        """Return a level with its sign, for running text."""
        return f"{LEVELS[level].sign} {self.say(LEVELS[level].name)}".strip()

    def source(self, source: str, season_day: int | None = None) -> str:
        """Return a provenance; simulated and replayed data say so."""
        kind, _, origin = source.partition(":")
        if kind == REPLAY:
            return self.say("Replay of stored weather") + (f" ({self.source(origin)})" if origin else "")
        if season_day is None:
            return self.say(NAMED_SOURCES.get(source, source))
        day = datetime.combine(date(2001, 1, 1), datetime.min.time(), UTC) + timedelta(days=season_day - 1)
        name = self.language.moment(day, UTC, "d MMMM").removesuffix(" UTC")
        return self.say("Simulated: {day}", day=name)


def about_data(issue: RegionForecast, now: datetime, voice: Voice) -> str:
    """Return what the newest data of an issue are, when they were, how old they are and whether that is fresh."""
    if issue.data_at is None:
        return voice.say("none: no data")
    named = voice.say("newest observation") if issue.run is None else voice.say("model run")
    return voice.say(
        "{what} {when}, {age} old: {freshness}",
        what=named,
        when=voice.moment(issue.data_at),
        age=voice.age(issue.age_s(now)),
        freshness=voice.say(FRESHNESS[issue.freshness]),
    )


def about_model(issue: RegionForecast, voice: Voice) -> str:
    """Return which model speaks."""
    if issue.model_version is None:
        return voice.say("none")
    if issue.model_is_seed:
        return voice.say("{version} (shipped seed model)", version=issue.model_version)
    return issue.model_version


def masthead(issue: RegionForecast, now: datetime, voice: Voice) -> tuple[tuple[str, str], ...]:
    """Return what every masthead says of the issue behind a report: region, source, data, model, when it was made."""
    return (
        (voice.say("Region"), issue.region.name),
        (voice.say("Source"), voice.source(issue.source, issue.season_day)),
        (voice.say("Data"), about_data(issue, now, voice)),
        (voice.say("Model"), about_model(issue, voice)),
        (voice.say("Made"), voice.moment(now)),
    )


def footer(issue: RegionForecast, now: datetime, voice: Voice) -> str:
    """Return the line at the foot of every page."""
    return voice.say(
        "Made {made} · {source} · data: {data} · model {model}",
        made=voice.moment(now),
        source=voice.source(issue.source, issue.season_day),
        data=about_data(issue, now, voice),
        model=issue.model_version or voice.say("none"),
    )


def warnings(issue: RegionForecast, voice: Voice) -> list[Notice]:
    """Return what must be known before any number of an issue is believed, the gravest first."""
    said = []
    if issue.simulated:
        said.append(voice.say("Simulated weather: it is made by a program, and no number here says anything of today."))
    if issue.replayed:
        said.append(voice.say("Replay of stored weather: this is not the present."))
    if issue.freshness is Freshness.STALE:
        said.append(voice.say("The data are STALE: what has happened since then is not in these numbers."))
    if issue.freshness is Freshness.NO_DATA:
        said.append(voice.say("There are NO DATA that are new enough: nothing can be said of the present."))
    said += [voice.say(text) for text in (*issue.problems, *issue.notes)]
    if issue.model_is_seed:
        said.append(voice.say("Served by the shipped seed model: its transfer to this region is not verified."))
    return [Notice(text) for text in said]


def no_authority(voice: Voice) -> Notice:
    """Return that this is no official warning."""
    return Notice(voice.say("Cloudburst Watch is no alerting authority: this is no official warning."))


def column(title: str, width: float = 1.0, *, right: bool = False) -> Column:
    """Return the head of a column."""
    return Column(title, width, right)


def _digits(value: float) -> str:
    """Return a number with as many digits as are worth reading, and no minus before a zero."""
    decimals = 6 if abs(value) < 0.001 else 4 if abs(value) < 0.1 else 3 if abs(value) < 10 else 1
    return f"{value:.{decimals}f}" if round(value, decimals) else "0"
