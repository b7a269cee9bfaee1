"""What was issued joined with what then happened: truths of windows, and the cases that verification scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import REPLAY, EventDefinition, Window, events_in, source_text
from core.domain.units import HOUR
from core.domain.weather import Hours

#: Gauges measure rain; the simulator knows its own. Rain of a weather model or a reanalysis is never truth.
TRUTH_SOURCES = ("gauges", "simulator")
#: Of several issues for one hour the last one made within so long after it counts.
COUNTS_WITHIN = HOUR


class Truth(StrEnum):
    """Whether it is known what happened in a window. PENDING may still be known; MISSING is never taken for zero."""

    PENDING = "pending"
    KNOWN = "known"
    MISSING = "missing"


@dataclass(frozen=True)
class Outcome:
    """What happened at one place in one window after `valid_from`.

    `hourly_mm` is the highest hourly rain in the window, `two_hour_mm` that of two consecutive hours within it (NaN in
    a window of one hour); both are NaN unless the truth is KNOWN. `available_at` is when the last of its hours could be
    known, None where that never was; `joined_at` when it was written down, None while the truth is PENDING.
    """

    source: str
    region_id: str
    location_id: str
    valid_from: datetime
    window: Window
    truth: Truth = Truth.PENDING
    hourly_mm: float = math.nan
    two_hour_mm: float = math.nan
    available_at: datetime | None = None
    joined_at: datetime | None = None


@dataclass(frozen=True)
class VerifiedCases:
    """Forecasts of one region and window as they were issued, each with its truth; n cases.

    A forecast without a probability is `unknown`, whatever its truth; all others are `matured`, `pending` or `missing`
    by their truth. The four numbers add up to `issued`.

    Parameters
    ----------
    location_id, level, model_version, truth
        Shape (n,), object (str): one text for all cases that say it, since a month of a region has a hundred thousand.
        The version is "" where no model served; a truth is one of `Truth`.
    valid_from, issued_at
        Shape (n,), UTC, datetime64[h] and datetime64[s].
    probability
        Shape (n, events) in the order of `events`, NaN where none was given.
    hourly_mm, two_hour_mm
        Highest rain of one hour and of two consecutive hours in the window, shape (n,), NaN unless known.
    """

    source: str
    region_id: str
    window: Window
    location_id: NDArray[np.object_] = field(repr=False)
    valid_from: Hours = field(repr=False)
    issued_at: Hours = field(repr=False)
    probability: NDArray[np.float64] = field(repr=False)
    level: NDArray[np.object_] = field(repr=False)
    model_version: NDArray[np.object_] = field(repr=False)
    truth: NDArray[np.object_] = field(repr=False)
    hourly_mm: NDArray[np.float64] = field(repr=False)
    two_hour_mm: NDArray[np.float64] = field(repr=False)

    @classmethod
    def none(cls, source: str, region_id: str, window: Window) -> VerifiedCases:
        """Return no case."""
        text, number = np.empty(0, object), np.empty(0)
        return cls(
            source=source,
            region_id=region_id,
            window=window,
            location_id=text,
            valid_from=np.empty(0, "datetime64[h]"),
            issued_at=np.empty(0, "datetime64[s]"),
            probability=np.empty((0, len(events_in(window)))),
            level=text,
            model_version=text,
            truth=text,
            hourly_mm=number,
            two_hour_mm=number,
        )

    @classmethod
    def joined(cls, parts: Sequence[VerifiedCases]) -> VerifiedCases:
        """Return the cases of one or more parts, all of one region and window, in their order."""
        arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return replace(parts[0], **arrays)

    def __len__(self) -> int:
        return len(self.location_id)

    @property
    def events(self) -> tuple[EventDefinition, ...]:
        """The events of the window, in the order of `probability`."""
        return events_in(self.window)

    @property
    def simulated(self) -> bool:
        """True where forecasts and truth are those of the simulator."""
        return self.source in ("simulator", f"{REPLAY}:simulator")

    @property
    def source_text(self) -> str:
        """Provenance in words."""
        return source_text(self.source)

    @property
    def model_versions(self) -> tuple[str, ...]:
        """The model versions that gave these forecasts, sorted."""
        return tuple(sorted(version for version in set(self.model_version.tolist()) if version))

    @property
    def given(self) -> NDArray[np.bool_]:
        """Where a probability was given, shape (n,)."""
        return np.asarray(np.isfinite(self.probability).any(axis=1))

    @property
    def verified(self) -> NDArray[np.bool_]:
        """Where a probability was given and the truth is known: the cases that can be scored, shape (n,)."""
        return np.asarray(self.given & (self.truth == Truth.KNOWN))

    @property
    def issued(self) -> int:
        """Number of forecasts."""
        return len(self)

    @property
    def matured(self) -> int:
        """Number of forecasts that can be scored."""
        return int(self.verified.sum())

    @property
    def pending(self) -> int:
        """Number of forecasts whose truth has not come yet."""
        return int((self.given & (self.truth == Truth.PENDING)).sum())

    @property
    def missing(self) -> int:
        """Number of forecasts whose truth never came, or failed its checks."""
        return int((self.given & (self.truth == Truth.MISSING)).sum())

    @property
    def unknown(self) -> int:
        """Number of forecasts without a probability."""
        return int((~self.given).sum())

    def happened(self, event: EventDefinition) -> NDArray[np.float64]:
        """Return whether `event` happened, shape (n,): 1, 0, or NaN where the truth is not known.

        Raises
        ------
        ValueError
            If it is no event of this window.
        """
        if event not in self.events:
            raise ValueError(f"{event} is no event of the window {self.window.text}")
        rain_mm = self.hourly_mm if event.accumulation_h == 1 else self.two_hour_mm
        return np.where(np.isfinite(rain_mm), (rain_mm >= event.threshold_mm).astype(float), np.nan)

    def probability_of(self, event: EventDefinition) -> NDArray[np.float64]:
        """Return the probability that was given for `event`, shape (n,), NaN where none was.

        Raises
        ------
        ValueError
            If it is no event of this window.
        """
        return self.probability[:, self.events.index(event)]

    def select(self, where: NDArray[Any]) -> VerifiedCases:
        """Return some of the cases, by mask or by position."""
        arrays = {name: getattr(self, name)[where] for name in _ARRAYS}
        return replace(self, **arrays)

    def counting(self) -> VerifiedCases:
        """Return the one issue per place and hour that counts, by place and hour.

        It is the last one issued within an hour of `valid_from`: what stood on the screens when the window had begun,
        late reports of that hour included. What was issued later repeats an old hour for want of a newer one, and knows
        more of the window than a forecast may; only where nothing was issued within the hour, the first one counts.
        An issue that came after the end of its window is no forecast and never counts.
        """
        late = self.issued_at - self.valid_from
        forecast = np.flatnonzero(late <= np.timedelta64(self.window.end_h, "h"))
        if not len(forecast):
            return self.select(forecast)
        late = late[forecast]
        # Best first: within the hour before later ones; there the latest first, of the later ones the earliest.
        within = late <= COUNTS_WITHIN
        lateness = late.astype("timedelta64[s]").astype(np.int64)
        place, hour = self.location_id[forecast].astype(str), self.valid_from[forecast]
        order = np.lexsort((np.where(within, -lateness, lateness), ~within, hour, place))
        place, hour = place[order], hour[order]
        first = np.r_[True, (place[1:] != place[:-1]) | (hour[1:] != hour[:-1])]
        return self.select(forecast[order[first]])

    def paired(self, other: VerifiedCases) -> tuple[VerifiedCases, VerifiedCases]:
        """Return the cases of the same place and hour in both, in the same order.

        Both must hold every place and hour once, as `counting` returns them.
        """
        keys = [list(zip(some.location_id.tolist(), some.valid_from.tolist(), strict=True)) for some in (self, other)]
        there = {key: i for i, key in enumerate(keys[1])}
        pairs = [(i, there[key]) for i, key in enumerate(keys[0]) if key in there]
        mine, theirs = np.array(pairs, np.int64).reshape(-1, 2).T
        return self.select(mine), other.select(theirs)


#: What has one entry per case.
_ARRAYS = tuple(f.name for f in fields(VerifiedCases))[3:]
