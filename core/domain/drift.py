"""Drift of inputs and of the score as values: what has left the usual for season and hour, and since when.

A sensor that wanders away from its neighbours is `core.domain.quality.Drift`; here it is what a model sees of a region.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.domain.told import Told, tell

#: What is looked at beside the variables of the weather: the issued probability of the target event.
SCORE = "score"
WORDS = {
    "temperature_c": "Temperature",
    "dew_point_c": "Dew point",
    "relative_humidity_pct": "Humidity",
    "surface_pressure_hpa": "Pressure",
    "wind_speed_ms": "Wind",
    "precipitation_mm": "Rain",
    SCORE: "The forecast probability",
}


class Aspect(StrEnum):
    """What of a variable is followed, as a statistic over all places and hours of a day; the plainest first."""

    LEVEL = "level"
    RELATIVE = "relative to the other variables"
    SHAPE = "distribution"
    CONTRAST = "contrast between places"


@dataclass(frozen=True)
class Shift:
    """One alarm: a variable has left what is usual for the season and hour.

    Parameters
    ----------
    aspect, rising
        The plainest of what showed it, and whether that has risen or fallen.
    since
        Day (UTC) on which the run of departures began.
    raised
        Day on which it was beyond doubt.
    percentile
        Where the values of the days since then lie in the reference on average, 50 is usual; None where not known.
    """

    variable: str
    aspect: Aspect
    rising: bool
    since: date
    raised: date
    percentile: float | None

    @property
    def key(self) -> str:
        """The alarm's name, the same whenever the same data are looked at: variable and day it began."""
        return f"{self.variable}:{self.since.isoformat()}"

    @property
    def text(self) -> Told:
        """In a sentence for a forecaster, without what `VariableDrift.text` adds."""
        return tell(
            "{name} has {what} since {day} {since:%b %Y}",
            name=tell(WORDS[self.variable]),
            what=_what(self.aspect, self.rising),
            day=self.since.day,
            since=self.since,
        )


@dataclass(frozen=True)
class VariableDrift:
    """What was found of one variable.

    Parameters
    ----------
    not_judged
        Why it is not judged, in words; empty where it is.
    reference_days
        Days of the same season in the reference.
    psi, psi_usual
        Population stability index of the newest fortnight, and what 95 % of the reference's own fortnights stay below.
    share
        Largest of the sums as they stand now, as a share of the threshold; after an alarm a sum starts anew.
    shifts
        The alarms of the days looked at, oldest first.
    """

    variable: str
    not_judged: str
    reference_days: int
    psi: float | None = None
    psi_usual: float | None = None
    share: float | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def judged(self) -> bool:
        """True where it was judged."""
        return not self.not_judged

    @property
    def text(self) -> str:
        """In words: the alarms, or that there is none, or why it is not judged."""
        name = tell(WORDS[self.variable])
        if not self.judged:
            return tell("{name} is not judged: {why}.", name=name, why=tell(self.not_judged))
        if not self.shifts:
            return tell("{name} is as usual for the season and hour{psi}.", name=name, psi=self._psi_text)
        return " ".join(self.sentences)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per alarm."""
        psi = self._psi_text
        return tuple(tell("{shift}{where}{psi}.", shift=s.text, where=_where(s), psi=psi) for s in self.shifts)

    @property
    def _psi_text(self) -> str:
        if self.psi is None or self.psi_usual is None:
            return ""
        return tell(
            "; stability index of 14 days {psi:.2f}, usual is below {usual:.2f}", psi=self.psi, usual=self.psi_usual
        )


@dataclass(frozen=True)
class DriftReport:
    """What was found in one region.

    Parameters
    ----------
    begin, end
        First and last day looked at (UTC), both included.
    reference_begin, reference_end
        First and last day that it is compared with; None where there is nothing to compare with.
    places, places_of
        Places that were looked at, of how many.
    model_version
        Whose score was looked at, None where nobody's.
    """

    source: str
    region_id: str
    begin: date
    end: date
    reference_begin: date | None
    reference_end: date | None
    places: int
    places_of: int
    variables: tuple[VariableDrift, ...]
    model_version: str | None = None

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """All alarms by the day they were raised on."""
        return tuple(sorted((s for v in self.variables for s in v.shifts), key=lambda s: (s.raised, s.key)))

    @property
    def alarms(self) -> tuple[str, ...]:
        """All alarms as sentences; empty where there is none."""
        return tuple(sentence for variable in self.variables for sentence in variable.sentences)

    @property
    def judged(self) -> tuple[str, ...]:
        """The variables that were judged."""
        return tuple(v.variable for v in self.variables if v.judged)

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Sentences on what was not judged."""
        return tuple(v.text for v in self.variables if not v.judged)

    @property
    def text(self) -> str:
        """In one paragraph."""
        found = " ".join(self.alarms) if self.alarms else ("No drift." if self.judged else "Nothing could be judged.")
        thinned = f" {self.places} of {self.places_of} places were looked at." if self.places < self.places_of else ""
        return " ".join((found, *self.not_judged)) + thinned

    def of(self, variable: str) -> VariableDrift:
        """Return what was found of one variable.

        Raises
        ------
        KeyError
            If it was not looked at.
        """
        return {v.variable: v for v in self.variables}[variable]


def _what(aspect: Aspect, rising: bool) -> Told:
    way = tell("higher") if rising else tell("lower")
    more, less = (tell("more"), tell("less")) if rising else (tell("less"), tell("more"))
    return {
        Aspect.LEVEL: tell("been {way} than usual for the season and hour", way=way),
        Aspect.RELATIVE: tell("been {way} than the other variables let expect", way=way),
        Aspect.SHAPE: tell("been distributed {way} evenly over its usual range than it used to be", way=less),
        Aspect.CONTRAST: tell("differed {way} from place to place than usual", way=more),
    }[aspect]


def _where(shift: Shift) -> str:
    if shift.percentile is None:
        return ""
    return tell(": on average percentile {percentile:.0f} of the reference, not 50", percentile=shift.percentile)
