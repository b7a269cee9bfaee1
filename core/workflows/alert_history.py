"""How alerts, rules and people's levels did: joined with what then happened, as the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.alert_scores import AlertCounts, Grid, LevelScore, Span, level_scores
from core.domain.alerts import Alert, AlertOutcome, AlertRule
from core.domain.districts import districts_of
from core.domain.forecast import DEFAULT_WINDOW, TARGET, EventDefinition
from core.domain.units import HOUR
from core.domain.verification import VerifiedCases
from core.domain.weather import Region
from core.ports import AlertRecords
from core.workflows.verifying import PATIENCE, Verifying

#: How far back a dry run looks, and the history counts.
DAYS = 30


@dataclass(frozen=True)
class AlertHistory:
    """Judges alerts, and tells how they did."""

    records: AlertRecords
    verifying: Verifying

    def judge(self, region_id: str) -> int:
        """Write down what became of the alerts that have ended, as far as it is known; return how many are new."""
        known = self.records.alerts(
            self._source, region_id, self.verifying.clock() - 2 * PATIENCE - timedelta(days=DAYS)
        )
        waiting = [a for a in known if a.outcome is AlertOutcome.PENDING and not a.stands]
        if not waiting:
            return 0
        region = self.verifying.observing.region(region_id)
        cases = None if self.verifying.no_truth else self._cases(region_id, min(a.begun for a in waiting) - HOUR)
        count = 0
        for event in {alert.event for alert in waiting}:
            grid = None if cases is None else Grid(cases, areas_of(region), event)
            for alert in (a for a in waiting if a.event == event):
                outcome = AlertOutcome.NOT_VERIFIABLE if grid is None else grid.outcome(_span(alert))
                if outcome is not AlertOutcome.PENDING:
                    self.records.judged(alert.id, outcome)
                    count += 1
        return count

    def alerts(self, region_id: str, days: int = DAYS) -> tuple[Alert, ...]:
        """Return the alerts of the last days, and all that stand, the newest first."""
        return self.records.alerts(self._source, region_id, self.verifying.clock() - timedelta(days=days))

    def counts(self, region: Region, days: int = DAYS, event: EventDefinition = TARGET) -> AlertCounts:
        """Return how the alerts for an event did that were raised in the last days, of all rules together.

        What happened before anybody watched is nobody's miss: forecasts may be older than the rules, or made up.
        """
        since = self.counted_since(region.id, days)
        found = [a for a in self.alerts(region.id, days) if a.event == event and a.begun >= since]
        grid = Grid(self._cases(region.id, since), areas_of(region), event)
        return grid.counts([_span(a) for a in found], [a.outcome for a in found])

    def counted_since(self, region_id: str, days: int = DAYS) -> datetime:
        """Return where the last days begin, or later: where issues met the rules of a region for the first time."""
        now = self.verifying.clock()
        return max(now - timedelta(days=days), self.records.watched_since(self._source, region_id) or now)

    def dry_run(self, region: Region, rule: AlertRule, days: int = DAYS) -> AlertCounts:
        """Return what a rule would have done over the last days with the levels that the models gave then."""
        since = self.verifying.clock() - timedelta(days=days)
        grid = Grid(self._cases(region.id, since), areas_of(region), rule.event)
        return grid.counts(list(grid.spans(rule)))

    def level_scores(self, region: Region, days: int = DAYS) -> tuple[LevelScore, ...]:
        """Return how the levels of people did over the last days, and the model's own beside them."""
        since = self.verifying.clock() - timedelta(days=days)
        overrides = self.records.overrides(self._source, region.id, since)
        if not overrides:
            return ()
        return level_scores(self._cases(region.id, since), overrides, areas_of(region))

    @property
    def _source(self) -> str:
        return self.verifying.observing.source.name

    def _cases(self, region_id: str, since: datetime) -> VerifiedCases:
        return self.verifying.issued(region_id, DEFAULT_WINDOW, since)


def _span(alert: Alert) -> Span:
    return Span(alert.area, alert.begun, alert.ended)


def areas_of(region: Region) -> dict[str, str]:
    """Return the district of every place."""
    return dict(zip((place.id for place in region.locations), districts_of(region), strict=True))
