"""What became of alerts, and of levels that people set: hits, false alarms and misses by district and hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.alerts import WARNS, AlertOutcome, AlertRule, Seen, State, step
from core.domain.forecast import TARGET, EventDefinition, RiskLevel
from core.domain.levels import LADDER, rank
from core.domain.notices import NoticeKind
from core.domain.overrides import Override, Scope
from core.domain.units import from_datetime64, to_hour64
from core.domain.verification import Truth, VerifiedCases

#: Without the event, an alert was false only where the truth of so large a share of its places and hours is known.
ENOUGH = 0.5
HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Span:
    """Hours in which an alert of a district stood: from `begun` until before `ended`, None while it stands."""

    area: str
    begun: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Miss:
    """The event happened in a district in windows from `begun` to `last`, and no alert stood in any of them."""

    area: str
    begun: datetime
    last: datetime
    places: tuple[str, ...]


@dataclass(frozen=True)
class AlertCounts:
    """How alerts did. An event is a spell of windows of one district with it, without a longer break than a window."""

    outcomes: Mapping[AlertOutcome, int]
    events: int
    misses: tuple[Miss, ...] = field(repr=False)

    @property
    def alerts(self) -> int:
        """Number of alerts."""
        return sum(self.outcomes.values())

    @property
    def judged(self) -> int:
        """Number of alerts that were hits or false alarms."""
        return self.outcomes[AlertOutcome.HIT] + self.outcomes[AlertOutcome.FALSE_ALARM]

    @property
    def far(self) -> float | None:
        """False alarms among the alerts judged, None without any."""
        return self.outcomes[AlertOutcome.FALSE_ALARM] / self.judged if self.judged else None

    @property
    def pod(self) -> float | None:
        """Events in which an alert stood among all events, None without any."""
        return 1 - len(self.misses) / self.events if self.events else None


@dataclass(frozen=True)
class LevelScore:
    """How levels from orange on did where a person set one: of that person, or of the model (`who` is "") beside them.

    `hits` warned and it happened; `correct` did not warn and it did not. Each counts places and hours.
    """

    who: str
    hits: int
    false_alarms: int
    misses: int
    correct: int
    pending: int


class Grid:
    """Cases of a region by district and hour.

    Parameters
    ----------
    cases
        Of the default window, each place and hour once, as `VerifiedCases.counting` returns them.
    areas
        District of every place.
    """

    def __init__(self, cases: VerifiedCases, areas: Mapping[str, str], event: EventDefinition = TARGET) -> None:
        cases = cases.select(np.array([place in areas for place in cases.location_id], bool))
        self._cases = cases
        self.areas = tuple(sorted(set(areas.values())))
        position = {area: i for i, area in enumerate(self.areas)}
        self._area = np.array([position[areas[place]] for place in cases.location_id], np.int64)
        self._happened = cases.happened(event) == 1
        if len(cases):
            self.hours = np.arange(cases.valid_from.min(), cases.valid_from.max() + HOUR, HOUR)
            self._hour = (cases.valid_from - self.hours[0]).astype(np.int64)
        else:
            self.hours, self._hour = np.empty(0, "datetime64[h]"), np.empty(0, np.int64)
        self.happened = self._count(self._happened)
        self.known = self._count(cases.truth == Truth.KNOWN)
        self.pending = self._count(cases.truth == Truth.PENDING)
        self.cases = self._count(np.ones(len(cases), bool))
        self._seen = self._levels(event)

    def _count(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        found = np.zeros((len(self.areas), len(self.hours)), np.int64)
        np.add.at(found, (self._area[mask], self._hour[mask]), 1)
        return found

    def _levels(self, event: EventDefinition) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the gravest level (-1: none known) and the highest probability (NaN: none known)."""
        shape = len(self.areas), len(self.hours)
        ranks = np.full(shape, -1)
        names = {level.value: i for i, level in enumerate(LADDER)}
        np.maximum.at(ranks, (self._area, self._hour), [names.get(level, -1) for level in self._cases.level.tolist()])
        highest = np.full(shape, np.nan)
        np.fmax.at(highest, (self._area, self._hour), self._cases.probability_of(event))
        return ranks, highest

    def spans(self, rule: AlertRule) -> Iterator[Span]:
        """Yield when a rule would have held an alert, district by district."""
        ranks, highest = self._seen
        levels = (*LADDER, RiskLevel.UNKNOWN)
        moments = [from_datetime64(hour) for hour in self.hours]
        for area, name in enumerate(self.areas):
            state, begun = State(), None
            for i, hour in enumerate(moments):
                level = levels[ranks[area, i]]
                state, kind = step(rule, state, Seen(hour, level, float(highest[area, i])))
                if kind is NoticeKind.RAISED:
                    begun = hour
                elif kind is NoticeKind.ENDED and begun is not None:
                    yield Span(name, begun, hour)
                    begun = None
            if begun is not None:
                yield Span(name, begun, None)

    def outcome(self, span: Span) -> AlertOutcome:
        """Return what became of an alert."""
        if span.area not in self.areas:
            return AlertOutcome.NOT_VERIFIABLE
        at = self.areas.index(span.area), self._during(span)
        if self.happened[at].any():
            return AlertOutcome.HIT
        if span.ended is None or self.pending[at].any():
            return AlertOutcome.PENDING
        cases = self.cases[at].sum()
        enough = cases > 0 and self.known[at].sum() >= ENOUGH * cases
        return AlertOutcome.FALSE_ALARM if enough else AlertOutcome.NOT_VERIFIABLE

    def counts(self, spans: Sequence[Span], outcomes: Sequence[AlertOutcome] | None = None) -> AlertCounts:
        """Return how alerts did; `outcomes` where they are known already, in the order of the spans."""
        stood = np.zeros((len(self.areas), len(self.hours)), bool)
        for span in spans:
            if span.area in self.areas:
                stood[self.areas.index(span.area), self._during(span)] = True
        number, misses = 0, []
        for area in range(len(self.areas)):
            for first, last in _spells(self.happened[area] > 0):
                number += 1
                if not stood[area, first : last + 1].any():
                    misses.append(self._miss(area, first, last))
        found = Counter(outcomes if outcomes is not None else map(self.outcome, spans))
        return AlertCounts({outcome: found[outcome] for outcome in AlertOutcome}, number, tuple(misses))

    def _during(self, span: Span) -> slice:
        if not len(self.hours):
            return slice(0, 0)
        first = int((to_hour64(span.begun) - self.hours[0]).astype(int))
        end = len(self.hours)
        if span.ended is not None:
            end = int((to_hour64(span.ended) - self.hours[0]).astype(int))
        return slice(max(first, 0), max(end, 0))

    def _miss(self, area: int, first: int, last: int) -> Miss:
        mine = (self._area == area) & (self._hour >= first) & (self._hour <= last) & self._happened
        places = tuple(sorted(set(self._cases.location_id[mine].tolist())))
        begun, end = (from_datetime64(self.hours[i]) for i in (first, last))
        return Miss(self.areas[area], begun, end, places)


def _spells(happened: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield first and last hour of every spell: hours that lie no further apart than a window is long."""
    hours = np.flatnonzero(happened)
    if len(hours):
        for part in np.split(hours, np.flatnonzero(np.diff(hours) > TARGET.window_h) + 1):
            yield int(part[0]), int(part[-1])


def level_scores(
    cases: VerifiedCases, overrides: Sequence[Override], areas: Mapping[str, str], event: EventDefinition = TARGET
) -> tuple[LevelScore, ...]:
    """Return how people's levels did, the model's own on the same places and hours first; nothing without any.

    An override is scored on what was issued while it stood. A place's goes before its district's, a newer before an
    older one.
    """
    said = np.full(len(cases), -1)
    ordered = sorted(overrides, key=lambda one: (one.scope is Scope.PLACE, one.at))
    district = np.array([areas.get(place, "\0") for place in cases.location_id], object)
    for number, one in enumerate(ordered):
        where = (cases.location_id if one.scope is Scope.PLACE else district) == one.target
        at, end = (np.datetime64(m.replace(tzinfo=None), "s") for m in (one.at, one.ends_at + timedelta(seconds=1)))
        said[where & (cases.issued_at >= at) & (cases.issued_at < end)] = number
    covered = said >= 0
    if not covered.any():
        return ()
    cases, said = cases.select(covered), said[covered]
    happened = cases.happened(event)
    model = np.isin(cases.level, [level.value for level in LADDER[rank(WARNS) :]])
    person = np.array([rank(one.level) >= rank(WARNS) for one in ordered])[said]
    who = np.array([one.who for one in ordered], object)[said]
    scores = [_score("", model, happened)]
    return tuple(scores + [_score(name, person[who == name], happened[who == name]) for name in sorted(set(who))])


def _score(who: str, warned: NDArray[np.bool_], happened: NDArray[np.float64]) -> LevelScore:
    yes, no = happened == 1, happened == 0
    counts = (warned & yes, warned & no, ~warned & yes, ~warned & no, np.isnan(happened))
    return LevelScore(who, *(int(count.sum()) for count in counts))
