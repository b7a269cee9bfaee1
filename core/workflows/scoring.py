"""Scoring: what was really issued against what then happened, beside its references, for one event in its window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EventDefinition, Window
from core.domain.learning import Measure, Scorecard
from core.domain.levels import LADDER, rank
from core.domain.verification import Truth, VerifiedCases
from core.domain.weather import Region
from core.verification import climatology, diagrams, episodes, scorecard
from core.verification.comparison import skill_difference
from core.verification.economic import EconomicValue, economic_value
from core.verification.persistence import Persistence
from core.workflows.rivals import Rivals
from core.workflows.verifying import Verifying

#: With fewer events, or of fewer days, skill is neither claimed nor denied: the interval is that of days drawn again.
FEW_EVENTS, FEW_DAYS = 20, 7
#: Draws of the bootstrap: somebody waits for the page. Of this forecast; of references, diagrams and groups.
DRAWS, FEW_DRAWS = 100, 40
#: Days of cases from which the climatology knows month and 3 hours. With fewer it is one number: cells fitted to a few
#: days would know the weather of those days.
SEASONAL_DAYS = 30
#: Bounds between bands of elevation, m, and width of the bands of latitude where elevations are not known, degrees.
ELEVATIONS_M, LATITUDE_DEG = (1000, 2500), 1.0
SEED = 7
#: What this forecast and its references are called.
OWN, CLIMATOLOGY, PERSISTENCE = "this forecast", "climatology", "persistence"
#: Ranks of the levels, for how often they change; UNKNOWN has none.
_RANKS = {level.value: rank(level) for level in LADDER}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class VerificationReport:
    """How the issued forecasts of one event did. Everything but `cases` is of those that can be scored.

    Parameters
    ----------
    cases
        What was issued, whatever became of it.
    card, references
        Scorecard of the forecast and, by name, of what it is compared with, on the same cases.
    meant, reliability
        How often it happened when it was said, in few bins and in those of the diagram.
    days
        Number of days they are of.
    beyond_persistence
        Brier skill of the forecast less that of persistence, on the same days in every draw.
    curves
        What warnings would have got, by name: of this forecast and of persistence.
    groups
        Scorecards of parts of the cases, by what parts them and by the name of the part.
    """

    region: Region
    event: EventDefinition
    cases: VerifiedCases = field(repr=False)
    card: Scorecard
    references: Mapping[str, Scorecard]
    days: int
    beyond_persistence: Measure
    meant: tuple[diagrams.Meant, ...]
    reliability: diagrams.Reliability
    curves: Mapping[str, diagrams.WarningCurve]
    value: EconomicValue
    groups: Mapping[str, Mapping[str, Scorecard]]

    @property
    def too_few(self) -> bool:
        """True where there are too few events, or of too few days, to say anything of skill."""
        return self.card.events < FEW_EVENTS or self.days < FEW_DAYS

    @property
    def has_skill(self) -> bool:
        """True where the forecast is better than climatology beyond doubt."""
        return self.card.has_skill and not self.too_few


@dataclass(frozen=True)
class Scoring:
    """Scores what the ledger says was issued; nothing is forecast again."""

    verifying: Verifying
    #: What else would have been said, None where no features are kept.
    rivals: Rivals | None = None

    @property
    def no_truth(self) -> str:
        """Why nothing can be scored here, in words; empty where it can."""
        return self.verifying.no_truth

    def issued(self, region_id: str, window: Window, since: datetime | None = None) -> VerifiedCases:
        """Return what was issued for a region and is valid from `since` on (None: all), each with its truth.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        return self.verifying.issued(region_id, window, since)

    def report(self, cases: VerifiedCases, event: EventDefinition) -> VerificationReport | None:
        """Return how an event of the cases' window was forecast, None where no case can be scored yet.

        The references are fitted to the very cases they are judged on: they know what no forecaster could, and to beat
        them is harder than to beat honest ones.

        Raises
        ------
        LeakSuspected
            If the scores are too good to be true.
        ConfigurationError, SourceError, DataError
            If the region is not known.
        """
        known = scorable(cases, event)
        if not len(known):
            return None
        region, rng = self.verifying.observing.region(cases.region_id), np.random.default_rng(SEED)
        judged = _judged(known, event)
        p, y, day = judged.probability, judged.happened, judged.day
        card = scorecard.score(event, judged, _text(known), DRAWS, rng)
        lasting = _persistence(cases, known, event)
        others = {CLIMATOLOGY: judged.reference, PERSISTENCE: lasting}
        others |= self.rivals.of(known, event) if self.rivals is not None else {}
        return VerificationReport(
            region=region,
            event=event,
            cases=cases,
            card=replace(card, reference=_climatology_text(day)),
            references=dict(_reference(named, event, judged, _text(known)) for named in others.items()),
            days=len(np.unique(day)),
            beyond_persistence=skill_difference(p, lasting, y, judged.reference, day, draws=FEW_DRAWS, rng=rng)[
                "brier_skill"
            ],
            meant=diagrams.meant(p, y, day, draws=DRAWS, rng=rng),
            reliability=diagrams.reliability(p, y, day, draws=DRAWS, rng=rng),
            curves={OWN: diagrams.warning_curve(p, y), PERSISTENCE: diagrams.warning_curve(lasting, y)},
            value=economic_value(p, y, day, draws=DRAWS, rng=rng),
            groups={
                name: scorecard.by(event, judged, label, _text(known), draws=FEW_DRAWS, rng=rng, alarm=card.alarm)
                for name, label in _labels(known, region).items()
            },
        )

    def by_window(self, issued: Mapping[Window, VerifiedCases], event: EventDefinition) -> dict[str, Scorecard]:
        """Return the scorecards of the same rain in every window that knows it and has cases to score."""
        cards = {}
        for window, cases in issued.items():
            same = replace(event, window_h=window.length_h, begin_h=window.begin_h)
            known = scorable(cases, same) if same in cases.events else None
            if known is not None and len(known):
                cards[window.text] = scored(known, same)
        return cards

    def lead_times(
        self, cases: VerifiedCases, hours: VerifiedCases, event: EventDefinition, alarm: float
    ) -> episodes.LeadTimes:
        """Return how long warnings from `alarm` on stood before every episode.

        Parameters
        ----------
        cases
            Forecasts of the window of `event`.
        hours
            Those of the window of the next hour, whose truth is the rain of that hour.
        """
        issues = _Grid.of(cases)
        rain_mm = np.full(issues.shape, np.nan)
        at = issues.positions(hours, after_h=1)
        inside = at[0] >= 0
        rain_mm[at[0][inside], at[1][inside]] = hours.hourly_mm[inside]
        if event.accumulation_h > 1:
            runs = np.lib.stride_tricks.sliding_window_view(rain_mm, event.accumulation_h, axis=1).sum(axis=-1)
            rain_mm = np.hstack([np.full((len(rain_mm), event.accumulation_h - 1), np.nan), runs])
        return episodes.lead_times(
            issues.filled(cases, cases.probability_of(event)), rain_mm >= event.threshold_mm, alarm, event.window_h
        )

    def stability(self, cases: VerifiedCases, event: EventDefinition) -> episodes.Stability:
        """Return how much successive forecasts of an event turn, and how often the level changes."""
        issues = _Grid.of(cases)
        ranks = np.array([_RANKS.get(level, np.nan) for level in cases.level.tolist()], float)
        return episodes.stability(
            issues.filled(cases, cases.probability_of(event)),
            issues.filled(cases, ranks),
            (issues.first + np.arange(issues.shape[1])) // 24,
            draws=FEW_DRAWS,
            rng=np.random.default_rng(SEED),
            window_h=event.window_h,
        )


def _reference(
    named: tuple[str, Floats], event: EventDefinition, judged: scorecard.Judged, text: str
) -> tuple[str, Scorecard]:
    """Return name and scorecard of a reference (its probabilities NaN where it is silent) on what it speaks of."""
    name, probability = named
    spoken = np.isfinite(probability)
    title = name if spoken.all() else f"{name} ({spoken.sum():,} cases)"
    said = replace(judged.at(spoken), probability=probability[spoken])
    return title, scorecard.score(event, said, text, 0, np.random.default_rng(SEED))


def scorable(cases: VerifiedCases, event: EventDefinition) -> VerifiedCases:
    """Return the cases with a probability and a known truth of the event."""
    return cases.select(np.isfinite(cases.probability_of(event)) & np.isfinite(cases.happened(event)))


def scored(known: VerifiedCases, event: EventDefinition) -> Scorecard:
    """Return the scorecard of scorable cases, with the climatology of these very cases as reference.

    Raises
    ------
    LeakSuspected
        If the scores are too good to be true.
    """
    return scorecard.score(event, _judged(known, event), _text(known), FEW_DRAWS, np.random.default_rng(SEED))


def _judged(known: VerifiedCases, event: EventDefinition) -> scorecard.Judged:
    """Return the cases to judge, with the climatology of these very cases as reference."""
    hour, happened = known.valid_from.astype("datetime64[h]").astype(np.int64), known.happened(event)
    day = hour // 24
    if len(np.unique(day)) < SEASONAL_DAYS:
        reference = np.full(len(known), happened.mean())
    else:
        reference = climatology.frequencies(hour, happened)[climatology.cells(hour)]
    return scorecard.Judged(known.probability_of(event), happened, reference, day)


def _persistence(cases: VerifiedCases, known: VerifiedCases, event: EventDefinition) -> Floats:
    """Return the frequency of the event after as much rain as fell in the hours before, one window long."""
    told = cases.select(cases.truth == Truth.KNOWN)
    grid = _Grid.of(cases)
    past_mm = np.full(grid.shape, np.nan)
    place, hour = grid.positions(told, after_h=event.window_h)
    inside = place >= 0
    past_mm[place[inside], hour[inside]] = told.hourly_mm[inside]
    before = past_mm[grid.positions(known)]
    return Persistence.fit(before, known.happened(event)).probability(before)


@dataclass(frozen=True)
class _Grid:
    """Places by hours: every place of some cases, every hour from their first to their last."""

    places: NDArray[np.str_]
    first: int
    hours: int

    @classmethod
    def of(cls, cases: VerifiedCases) -> _Grid:
        hour = cases.valid_from.astype("datetime64[h]").astype(np.int64)
        first, last = (int(hour.min()), int(hour.max())) if len(hour) else (0, -1)
        return cls(np.unique(cases.location_id.astype(str)), first, last - first + 1)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.places), self.hours

    def positions(self, cases: VerifiedCases, after_h: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return row and column of the hour `after_h` hours after each case begins, row -1 where it lies outside."""
        names = cases.location_id.astype(str)
        place = np.searchsorted(self.places, names)
        column = cases.valid_from.astype("datetime64[h]").astype(np.int64) - self.first + after_h
        outside = (column < 0) | (column >= self.hours)
        if len(self.places):
            outside |= self.places[np.minimum(place, len(self.places) - 1)] != names
        return np.where(outside, -1, place), np.where(outside, 0, column)

    def filled(self, cases: VerifiedCases, values: Floats) -> Floats:
        """Return values (cases,) on the grid, NaN where there is no case."""
        out = np.full(self.shape, np.nan)
        out[self.positions(cases)] = values
        return out


def _labels(known: VerifiedCases, region: Region) -> dict[str, NDArray[np.str_]]:
    """Return for every case its month and its group of stations, by what they are called."""
    month = np.datetime_as_string(known.valid_from.astype("datetime64[M]"))
    elevation = {place.id: place.elevation_m for place in region.locations}
    metres = np.array([elevation.get(name, np.nan) for name in known.location_id.tolist()])
    if np.isfinite(metres).any():
        low, high = ELEVATIONS_M
        bands = np.array([f"0 to {low:,} m", f"{low:,} to {high:,} m", f"{high:,} m and above", "elevation not known"])
        return {"month": month, "elevation": bands[np.where(np.isnan(metres), 3, np.digitize(metres, ELEVATIONS_M))]}
    latitude = {place.id: place.latitude for place in region.locations}
    degrees = np.array([latitude.get(name, np.nan) for name in known.location_id.tolist()])
    south = np.floor(degrees / LATITUDE_DEG) * LATITUDE_DEG
    belts = [f"{s:g} to {s + LATITUDE_DEG:g} °" if np.isfinite(s) else "place not known" for s in south.tolist()]
    return {"month": month, "latitude": np.array(belts)}


def _text(known: VerifiedCases) -> str:
    """Return in words what the cases are."""
    first, last = (known.valid_from.min().astype(object), known.valid_from.max().astype(object))
    return f"issued {first:%d %b %Y} to {last:%d %b %Y}, {known.source_text}"


def _climatology_text(day: NDArray[np.int64]) -> str:
    """Return in words what the climatology of these cases knows."""
    if len(np.unique(day)) < SEASONAL_DAYS:
        return "how often it happened in these cases"
    return "how often it happened in these cases in the same month and 3 hours of the day"
