"""What was found when drift was looked for, as runs of the ledger: whoever looked, every program on it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.domain.told import Told
from core.ports import Ledger

#: Kinds of run in the ledger: an alarm, and a search whatever it found.
DRIFT, LOOK = "drift", "search for drift"
#: Alarms that are remembered.
MANY = 1000
#: Searches of each region of a house among which its newest is looked for: one whose source fails falls behind.
PAST = 8
DAYS = ("begin", "end", "reference_begin", "reference_end")


def keep(ledger: Ledger, report: DriftReport, at: datetime) -> list[Shift]:
    """Write down what was found, and return the alarms that are new.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    known = {run["detail"].get("key") for run in ledger.runs(MANY, DRIFT)}
    new = {key: shift for shift in report.shifts if (key := f"{report.region_id}: {shift.key}") not in known}
    for key, shift in new.items():
        ledger.record_run(DRIFT, "alarm", {"region": report.region_id, "key": key, "text": shift.text}, at)
    kept = asdict(report)
    for found in kept["variables"]:
        if isinstance(why := found["not_judged"], Told):  # so that it can be said in another language
            found["not_judged"] = [why.key, why.values]
    detail = {"region": report.region_id, "text": report.text, "found": kept}
    ledger.record_run(LOOK, "alarm" if report.shifts else "none", detail, at)
    return list(new.values())


def newest(ledger: Ledger, source: str, region_id: str, regions: int) -> DriftReport | None:
    """Return what was found last in one of so many regions; None where nobody has looked, or another release did.

    Raises
    ------
    ConfigurationError
        If the ledger does not answer.
    """
    for run in ledger.runs(PAST * regions, LOOK):
        kept = run["detail"].get("found", {})
        if (kept.get("source"), kept.get("region_id")) == (source, region_id):
            try:
                return _report(kept)
            except (KeyError, TypeError, ValueError):
                return None
    return None


def _report(kept: Mapping[str, Any]) -> DriftReport:
    days = {name: kept[name] and date.fromisoformat(kept[name]) for name in DAYS}
    return DriftReport(**{**kept, **days, "variables": tuple(map(_variable, kept["variables"]))})


def _variable(kept: Mapping[str, Any]) -> VariableDrift:
    why, shifts = kept["not_judged"], tuple(map(_shift, kept["shifts"]))
    return VariableDrift(**{**kept, "not_judged": why if isinstance(why, str) else Told(*why), "shifts": shifts})


def _shift(kept: Mapping[str, Any]) -> Shift:
    days = {name: date.fromisoformat(kept[name]) for name in ("since", "raised")}
    return Shift(**{**kept, **days, "aspect": Aspect(kept["aspect"])})
