"""Verifying: what was really issued meets what really fell, as soon as that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import FIELD_WINDOWS, MINI_CLOUDBURST_H, REPLAY, Window, known_or_none
from core.domain.quality import FlaggedWeather
from core.domain.units import floor_hour, from_datetime64, to_hour64
from core.domain.verification import TRUTH_SOURCES, Outcome, Truth, VerifiedCases
from core.domain.weather import Region
from core.learning.training import highest_ahead
from core.ports import Clock, Ledger
from core.workflows.observing import AROUND, Observing

#: A truth that has not come so long after the end of its window counts as missing. Until then one that is known may
#: still change: some sensors are seen in hindsight only to have been stuck.
PATIENCE = timedelta(hours=72)
#: No window of the house ends later after `valid_from`.
LONGEST = timedelta(hours=max(window.end_h for window in FIELD_WINDOWS))
#: How often truths that were missing are looked for again, back to the first forecast.
AGAIN = timedelta(days=1)
#: Hours of forecasts that are joined at once.
BATCH = timedelta(days=4)
NO_TRUTH = "No truth available: not verified, not retrained."
NO_RECORDS = "A replay of stored weather records nothing: there is nothing to verify."


@dataclass
class Verifying:
    """Joins issued forecasts with the rain that gauges measured, and hands out what was issued with its truth."""

    observing: Observing
    ledger: Ledger
    clock: Clock
    #: When all forecasts of a region were last looked through, not only those of the last days.
    _looked: dict[str, datetime] = field(default_factory=dict, init=False)

    @property
    def no_truth(self) -> str:
        """Why nothing is verified here, in words; empty where the source measures rain."""
        source = self.observing.source.name
        if source in TRUTH_SOURCES:
            return ""
        return NO_RECORDS if source.partition(":")[0] == REPLAY else NO_TRUTH

    def issued(
        self,
        region_id: str,
        window: Window,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> VerifiedCases:
        """Return what was issued for a region, one case per place and hour, each with its truth.

        Of several issues for one hour the last one within an hour of it counts (`VerifiedCases.counting`).

        Parameters
        ----------
        since, until
            First and last `valid_from` (UTC), both included; None: whatever was recorded.
        model_version
            Only the cases of this version, None for all.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        cases = self.ledger.issued(self.observing.source.name, region_id, window, (since, until)).counting()
        return cases if model_version is None else cases.select(cases.model_version == model_version)

    def join(self, region_id: str) -> int:
        """Write down the truth of every window that has ended and whose rain is known; return the number of new ones.

        A truth that has not come 72 hours after the end of its window is written down as missing, and replaced should
        it come after all. Where the source measures no rain nothing is joined.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known or the ledger does not answer. What was joined before stays.
        """
        source, now = self.observing.source.name, self.clock()
        first = None if self.no_truth else self.ledger.first_issued(source, region_id)
        if first is None:
            return 0
        region = self.observing.region(region_id)
        looked = self._looked.get(region_id)
        all_again = looked is None or now - looked >= AGAIN
        begin = first if all_again else max(first, floor_hour(now) - PATIENCE - LONGEST)
        written = 0
        while begin < now:
            found = self.ledger.awaited(source, region_id, (begin, begin + BATCH), now - PATIENCE)
            written += self.ledger.record_outcomes(self._joined(region, found, now))
            begin += BATCH
        if all_again:
            self._looked[region_id] = now
        return written

    def _joined(self, region: Region, found: Sequence[Outcome], now: datetime) -> list[Outcome]:
        """Return what is new to say about windows, with what is known of the rain at `now`."""
        ended = [outcome for outcome in found if _end(outcome) <= now]
        if not ended:
            return []
        begin, end = min(o.valid_from for o in ended), max(_end(o) for o in ended)
        # A day more on both sides lets the checks see what the period begins and ends with.
        last = min(end + AROUND, floor_hour(now))
        weather = self.observing.archive.read(region, begin - AROUND, last, self.observing.source.name).as_known(now)
        checked = self.observing.check(weather, True, self.observing.past(region, now))
        rain = {window: _Rain.of(checked, window) for window in {outcome.window for outcome in ended}}
        places = {place.id: i for i, place in enumerate(region.locations)}
        new = (
            rain[old.window].said(old, places[old.location_id], now) if old.location_id in places else _late(old, now)
            for old in ended
        )
        return [outcome for outcome in new if outcome is not None]


@dataclass(frozen=True)
class _Rain:
    """Highest rain in one window after every hour, shape (places, hours), mm, and what it rests on."""

    first: np.datetime64
    hourly_mm: NDArray[np.float32]
    two_hour_mm: NDArray[np.float32]
    #: Where every hour has a value, be it one that failed its checks.
    came: NDArray[np.bool_]
    available_at: NDArray[np.datetime64]

    @classmethod
    def of(cls, checked: FlaggedWeather, window: Window) -> _Rain:
        """Return it for one window."""
        weather, usable = checked.weather, checked.usable().get("precipitation_mm")
        known = weather.available_at
        if known is None:
            known = np.broadcast_to(weather.valid_at.astype("datetime64[s]"), usable.shape)
        ahead = np.full((window.length_h, *known.shape), np.datetime64("NaT"), "datetime64[s]")
        for i in range(window.length_h):
            ahead[i, :, : -(window.begin_h + 1 + i)] = known[:, window.begin_h + 1 + i :]
        return cls(
            first=weather.valid_at[0],
            hourly_mm=highest_ahead(usable, window),
            two_hour_mm=highest_ahead(usable, window, MINI_CLOUDBURST_H),
            came=np.isfinite(highest_ahead(weather.get("precipitation_mm"), window)),
            available_at=ahead.max(axis=0),  # NaT spreads as NaN does
        )

    def said(self, old: Outcome, place: int, now: datetime) -> Outcome | None:
        """Return what the rain at a place says of a window, None where that is nothing new."""
        at = place, int((to_hour64(old.valid_from) - self.first).astype(int))
        hourly_mm, two_hour_mm = float(self.hourly_mm[at]), float(self.two_hour_mm[at])
        if np.isnan(hourly_mm):
            failed = old.truth is Truth.KNOWN and bool(self.came[at])
            return _missing(old, now) if failed else _late(old, now)
        if (old.truth, _numbers(old)) == (Truth.KNOWN, (hourly_mm, known_or_none(two_hour_mm))):
            return None
        return replace(
            old,
            truth=Truth.KNOWN,
            hourly_mm=hourly_mm,
            two_hour_mm=two_hour_mm,
            available_at=from_datetime64(self.available_at[at]),
            joined_at=now,
        )


def _end(outcome: Outcome) -> datetime:
    return outcome.valid_from + timedelta(hours=outcome.window.end_h)


def _numbers(outcome: Outcome) -> tuple[float | None, float | None]:
    return known_or_none(outcome.hourly_mm), known_or_none(outcome.two_hour_mm)


def _late(old: Outcome, now: datetime) -> Outcome | None:
    """Return that a truth is missing when its time is over; None before, and where that has been said."""
    over = old.truth is Truth.PENDING and now - _end(old) >= PATIENCE
    return _missing(old, now) if over else None


def _missing(old: Outcome, now: datetime) -> Outcome:
    nan = float("nan")
    return replace(old, truth=Truth.MISSING, hourly_mm=nan, two_hour_mm=nan, available_at=None, joined_at=now)
