"""Alerts, put together: where they are kept, what they are joined with, and whom they are told."""

from __future__ import annotations

from collections.abc import Callable

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_alerts import SqlAlerts
from core.domain.notices import Notice
from core.workflows.alert_history import AlertHistory
from core.workflows.alerting import Alerting
from core.workflows.forecasting import Forecasting
from core.workflows.overruling import Overruling
from core.workflows.verifying import Verifying


def alerting_of(
    forecasting: Forecasting,
    ledger: SqlLedger,
    verification: Verifying,
    tell: Callable[[Notice], bool],
    changed: Callable[[str], None],
) -> Alerting:
    """Return the alerts of a house; from now on its issues show the levels that people set.

    Parameters
    ----------
    changed
        Told the region whose shown levels are others from now on.
    """
    records = SqlAlerts(ledger)
    levels = Overruling(records, forecasting.observing.source, forecasting.clock, changed)
    forecasting.overrule = levels.overruled
    return Alerting(levels, AlertHistory(records, verification), tell)
