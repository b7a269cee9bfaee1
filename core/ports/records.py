"""What is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.domain.forecast import RegionForecast, Window
from core.domain.lifecycle import Deployment
from core.domain.quality import QualityMetrics
from core.domain.verification import Outcome, VerifiedCases
from core.ports.vocabulary import OpenPeriod, Period


class Ledger(Protocol):
    """Records: issued forecasts and what then happened, runs, deployments and quality metrics."""

    def record_forecast(self, issue: RegionForecast, *, shown: bool = True) -> int:
        """Keep one issue, a row per place and window; return the number of new rows. The same numbers are kept once.

        Parameters
        ----------
        shown
            False for what a challenger said in the shadow: nobody was shown it. What one model says in the shadow and
            says again where it is shown is kept as both.
        """

    def record_forecasts(self, issues: Sequence[RegionForecast], *, shown: bool = True) -> int:
        """Keep many issues, all or none of them; return the number of new rows."""

    def issued(
        self,
        source: str,
        region_id: str,
        window: Window,
        period: OpenPeriod = (None, None),
        *,
        shown: bool = True,
        model_version: str | None = None,
    ) -> VerifiedCases:
        """Return every issue of a window with its truth; `period` is first and last `valid_from`, both included.

        Parameters
        ----------
        shown
            True for those that were shown, False for those of the challengers in the shadow.
        model_version
            Only those of this model, None for those of all: of several in the shadow ask for one at a time, as
            `VerifiedCases.counting` keeps one issue of a place and hour. "" are those without a model.
        """

    def first_issued(self, source: str, region_id: str) -> datetime | None:
        """Return the first hour from which a recorded forecast of a region is valid, shown or not; None without any."""

    def awaited(self, source: str, region_id: str, period: Period, known_since: datetime) -> tuple[Outcome, ...]:
        """Return the windows forecast in a period, without its end; known ones only from `known_since` on.

        What happened is asked for once per place and window, whoever forecast it, shown or not.
        """

    def record_outcomes(self, found: Sequence[Outcome]) -> int:
        """Keep what happened, the newest of one window; return the number of rows that are new or say something new."""

    def record_run(self, kind: str, status: str, detail: Mapping[str, Any], at: datetime) -> None:
        """Keep what a job did."""

    def runs(self, limit: int = 50, kind: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """Return the newest runs first, of one kind or of all."""

    def record_deployment(self, made: Deployment) -> bool:
        """Keep a change of who serves, the first of one generation; say whether it was new."""

    def deployments(self, source: str, region_id: str, limit: int = 50) -> tuple[Deployment, ...]:
        """Return the changes of who serves a region, the newest generation first."""

    def record_quality(self, metrics: Sequence[QualityMetrics]) -> int:
        """Keep metrics; of one source, region, place and end the first are kept. Return the number of new rows."""

    def quality(self, region_id: str, since: datetime) -> tuple[QualityMetrics, ...]:
        """Return the metrics of a region as a whole whose period ends at `since` or later, oldest first."""

    def forecast_counts(self) -> Mapping[str, int]:
        """Return the number of forecasts that were shown by level."""

    def check(self) -> None:
        """Make sure it answers.

        Raises
        ------
        ConfigurationError
            If it does not.
        """
