"""Replaying: issues of stored weather as known then, on the same path as live ones, and recorded nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.caching.two_level import TwoLevelCache
from core.domain.forecast import HindcastRows, RegionForecast, Window
from core.domain.lifecycle import Deployment
from core.domain.quality import FlaggedWeather, QualityMetrics
from core.domain.told import tell
from core.domain.units import floor_hour, to_second64
from core.domain.verification import Outcome, VerifiedCases
from core.domain.weather import HourlyWeather, Region
from core.errors import ConfigurationError
from core.ports import OpenPeriod, Period, Progress, ReplayWindow, silent
from core.quality.checks import Checker
from core.risk import AgeLimits, Tiers
from core.workflows.forecasting import Forecasting, Issue, issued
from core.workflows.observing import Observing
from core.workflows.serving import Served, Serving
from core.workflows.situation import Situation

#: What a stored window can say of its own beginning: the mean pressure of a place needs so many hours.
LEAST_HISTORY_H = 100


@dataclass(frozen=True)
class Replaying:
    """Makes issues of stored windows. It knows neither ledger nor archive nor cache of the house: it leaves no trace.

    Parameters
    ----------
    check
        The quality checks, without hindsight.
    history_h
        Hours that a forecast looks back.
    """

    serving: Serving
    check: Checker
    history_h: int
    tiers: Tiers
    limits: AgeLimits

    def issue(self, window: ReplayWindow, at: datetime, told: Progress = silent) -> Issue:
        """Return the issue of a window as it would have been made at `at`: nothing that came later is in it.

        Raises
        ------
        ConfigurationError
            If `at` lies outside the window.
        """
        first, last = window.periods()[0]
        if not first <= at < last + timedelta(hours=1):
            raise ConfigurationError(
                f"{at:%Y-%m-%d %H:%M} UTC lies outside the stored window {window.id}.",
                hint=f"It holds {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC.",
            )
        region = window.regions()[0]
        told(0.3, "reading the stored weather")
        start = floor_hour(at) - timedelta(hours=self.history_h)
        checked = self.check(window.hours(region, start, at).as_known(at), True)
        situation = Situation(region, checked, self.limits, at)
        forecast = issued(situation, lambda: self._served(window), self.tiers, (), told)
        told(1.0, "done")
        made = replace(forecast, problems=(*forecast.problems, *_beginning(first, at)))
        return Issue(made, checked, situation=situation)

    def forecasting(self, window: ReplayWindow, at: datetime) -> Forecasting:
        """Return the forecasting of a house whose source is the window and whose clock stands at `at`.

        Its issue is made; what it would record or store is forgotten.
        """
        issue = self.issue(window, at)
        cache = TwoLevelCache.in_memory()
        cache.set(f"issue:{window.id}", issue, float("inf"))
        observing = Observing(window, _KnownThen(window, at), self.check, self.history_h)
        return _ForecastingThen(
            observing, self.serving, _Forgetful(), cache, self.tiers, self.limits, lambda: at, float("inf"),
            served_then=lambda: self._served(window),
        )  # fmt: skip

    def moments(
        self, window: ReplayWindow, begin: datetime | None, end: datetime | None, every_h: int
    ) -> tuple[datetime, ...]:
        """Return the issue times of a window, every `every_h` hours from `begin` to `end`, cut to the window."""
        first, last = window.periods()[0]
        start = max(first, begin or first)
        start = start if start == floor_hour(start) else floor_hour(start) + timedelta(hours=1)
        hours = int((min(last, end or last) - start).total_seconds() // 3600)
        return tuple(start + timedelta(hours=h) for h in range(0, hours + 1, every_h))

    def run(self, window: ReplayWindow, moments: tuple[datetime, ...]) -> Iterator[Issue]:
        """Yield one issue per moment."""
        for moment in moments:
            yield self.issue(window, moment)

    def _served(self, window: ReplayWindow) -> Served:
        return self.serving.champion(*window.served_as)


@dataclass
class _ForecastingThen(Forecasting):
    """Forecasting of one window, served by the champion of the weather that was stored."""

    served_then: Callable[[], Served] = field(kw_only=True)

    def served(self, region_id: str) -> Served:  # noqa: ARG002 - there is one region only
        return self.served_then()


@dataclass(frozen=True)
class _KnownThen:
    """Archive of what a window holds as known at one moment; nothing is stored in it."""

    window: ReplayWindow
    at: datetime

    def store(self, region_id: str, checked: FlaggedWeather) -> int:  # noqa: ARG002 - the port's signature
        return 0

    def read(self, region: Region, start: datetime, end: datetime, source: str) -> HourlyWeather:  # noqa: ARG002
        return self.window.hours(region, start, end).as_known(self.at)

    def extent(self) -> tuple[Mapping[str, Any], ...]:
        return ()


class _Forgetful:
    """Ledger that keeps nothing: what a replay says is never verified as if it had been issued."""

    def record_forecast(self, issue: RegionForecast, *, shown: bool = True) -> int:  # noqa: ARG002 - the port's signature
        return 0

    def record_forecasts(self, issues: Sequence[RegionForecast], *, shown: bool = True) -> int:  # noqa: ARG002
        return 0

    def issued(
        self,
        source: str,
        region_id: str,
        window: Window,
        period: OpenPeriod = (None, None),  # noqa: ARG002
        *,
        shown: bool = True,  # noqa: ARG002
        model_version: str | None = None,  # noqa: ARG002
    ) -> VerifiedCases:
        return VerifiedCases.none(source, region_id, window)

    def first_issued(self, source: str, region_id: str) -> datetime | None:  # noqa: ARG002
        return None

    def awaited(self, source: str, region_id: str, period: Period, known_since: datetime) -> tuple[Outcome, ...]:  # noqa: ARG002
        return ()

    def record_outcomes(self, found: Sequence[Outcome]) -> int:  # noqa: ARG002
        return 0

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        pass

    def runs(self, limit: int = 50, kind: str | None = None) -> tuple[Mapping[str, Any], ...]:  # noqa: ARG002
        return ()

    def record_deployment(self, made: Deployment) -> bool:  # noqa: ARG002
        return False

    def deployments(self, source: str, region_id: str, limit: int = 50) -> tuple[Deployment, ...]:  # noqa: ARG002
        return ()

    def record_quality(self, metrics: Sequence[QualityMetrics]) -> int:  # noqa: ARG002
        return 0

    def quality(self, region_id: str, since: datetime) -> tuple[QualityMetrics, ...]:  # noqa: ARG002
        return ()

    def forecast_counts(self) -> Mapping[str, int]:
        return {}

    def check(self) -> None:
        pass


def rows_of(issue: RegionForecast) -> HindcastRows:
    """Return an issue as rows for a table: one per place."""
    count = len(issue.forecasts)
    return HindcastRows(
        location_id=np.array([f.location_id for f in issue.forecasts], object),
        issued_at=np.full(count, to_second64(issue.issued_at)),
        probability=np.array([f.exceedance.probability for f in issue.forecasts], float).reshape(count, -1),
        level=tuple(f.level for f in issue.forecasts),
    )


def _beginning(first: datetime, at: datetime) -> tuple[str, ...]:
    """Return in words that a window has hardly begun; nothing later on."""
    if at - first >= timedelta(hours=LEAST_HISTORY_H):
        return ()
    return (
        tell(
            "The stored weather begins on {first:%d %b %Y %H:%M} UTC: a live forecast looks back further than that.",
            first=first,
        ),
    )
