"""What the scheduler does: looks for new data, joins truths, watches for drift, begins trainings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.adapters import heap
from core.domain.lifecycle import Trigger
from core.domain.units import first_due_s
from core.domain.verification import TRUTH_SOURCES
from core.errors import CloudburstError
from core.workflows.training_runs import FIRST, run_of, trainings_in, unanswered

if TYPE_CHECKING:
    from core.bootstrap.house import Core

#: How often it is looked whether a training that waits may begin, seconds.
WAITING_S = 15.0
#: Reports wait so long after the start: there is a first issue by then, seconds.
FIRST_REPORT_S = 60.0
#: How often notices that are due are sent, seconds.
TELLING_S = 15.0
#: A home whose first forecast is no older is a new one.
NEW = timedelta(days=1)
#: Runs of the ledger among which the last training is looked for.
RUNS = 500


def open_models(core: Core) -> None:
    """Open the models that serve: nobody is answered without, and it takes half as long before anything else runs."""
    with suppress(CloudburstError):  # every issue will say so
        for region in core.regions():
            core.forecasting.served(region.id)


def plan(core: Core) -> None:
    """Give the scheduler of a house its jobs."""
    often = core.settings.refresh_minutes * 60
    for name, job in (("refresh", refresh), ("appraise", appraise), ("verify", verify), ("experiments", experiments)):
        core.scheduler.every(often, name, partial(_done, job, core), recorded=True)
    if core.notifying.channels:
        core.scheduler.every(TELLING_S, "notices", core.notifying.deliver)
    if core.lifecycle.source in TRUTH_SOURCES:  # nothing can be learned where nothing is measured
        core.scheduler.every(WAITING_S, "trainings", _Trainings(core))
        every_s = core.settings.drift_every_hours * 3600
        core.scheduler.every(every_s, "drift", partial(_done, drift, core), recorded=True)
    if core.settings.report_every_hours:
        _plan_reports(core)


def _plan_reports(core: Core) -> None:
    """Plan the reports; what was missed while no process ran is written at the next start, once."""
    from core.bootstrap import report_files  # which know the house, as the house knows its jobs

    every_s = core.settings.report_every_hours * 3600
    last = report_files.last_kept(core)
    wait_s = FIRST_REPORT_S if last is None else first_due_s(last, core.clock(), every_s)[0]
    first_s = max(wait_s, FIRST_REPORT_S)
    core.scheduler.every(every_s, "reports", partial(_done, report_files.keep, core), first_s, recorded=True)


def _done(job: Callable[[Core], object], core: Core) -> None:
    """Do a job, and give back the memory that only it needed: a month of cases is read for some."""
    try:
        job(core)
    finally:
        heap.give_back()


def refresh(core: Core) -> None:
    """Make the issue of every region anew and archive its newest hours."""
    core.forecasting.lead(core.scheduler.term)
    _each(core, partial(_refreshed, core))


def _refreshed(core: Core, region_id: str) -> None:
    begun = time.perf_counter()
    try:
        issue = core.forecasting.renew(region_id)
        try:
            core.forecasting.keep(issue)
        finally:  # a full disk keeps no alert back
            core.alerts.evaluate(issue.forecast)
            core.generations.changed(region_id)
    finally:
        core.meters.timed("refresh", time.perf_counter() - begun)


def appraise(core: Core) -> None:
    """Measure the quality of every region's newest hours."""
    _each(core, core.quality.appraise)


def verify(core: Core) -> None:
    """Join the truths that have come, and judge the alerts by them."""
    _each(core, core.verification.join)
    _each(core, core.alerts.past.judge)


def experiments(core: Core) -> None:
    """Join what happened to the experiments, and let rollouts grow or end."""
    _each(core, lambda region_id: core.trials.join(region_id, core.lifecycle.source))


def drift(core: Core) -> None:
    """Look for drift in every region, and challenge its champion where the settings want that."""
    _each(core, lambda region_id: core.lifecycle.watch(region_id, core.settings.drift_retrains))


def _each(core: Core, job: Callable[[str], object]) -> None:
    """Do a job for every region; one that fails keeps no other from its turn, and is told at the end."""
    failed: list[CloudburstError] = []
    for region in core.regions():
        try:
            job(region.id)
        except CloudburstError as error:
            failed.append(error)
    if failed:
        raise failed[0]


class _Trainings:
    """Plans the trainings of the regions as soon as ledger and source answer, and begins those that wait."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._planned_in = 0  # the term: another program may have done the jobs since

    def __call__(self) -> None:
        self._core.lifecycle.reconcile()
        if self._planned_in != (term := self._core.scheduler.term):
            self._core.lifecycle.waiting.clear()  # others may have made it; what they have not is planned again
            self._plan()
            self._planned_in = term
        self._core.lifecycle.start_waiting()

    def _plan(self) -> None:
        core = self._core
        for region in core.regions():
            last, every_s = _last_training(core, region.id), core.lifecycle.plan.every.total_seconds()
            first = core.lifecycle.asked(region.id, who="first start", trigger=Trigger.FIRST_START)
            if _wants_history(core, region.id):  # who makes one from here on has made what is asked for here
                core.lifecycle.wait_for(first)
            why = unanswered(core.lifecycle.ledger, region.id, RUNS) if core.settings.drift_retrains else ""
            if why:
                core.lifecycle.wait_for(core.lifecycle.asked(region.id, who="drift", why=why, trigger=Trigger.DRIFT))
            if every_s:
                wait_s, late_s = first_due_s(last, core.clock(), every_s)
                job = _Scheduled(core, region.id, late_s)
                core.scheduler.every(every_s, f"retrain {region.id}", job, first_after_s=wait_s, tells_lateness=True)


class _Scheduled:
    """Lets a planned training wait for its turn, unless another process on this home planned it earlier.

    The first of a process may have been missed by an earlier one.
    """

    def __init__(self, core: Core, region_id: str, missed_s: float) -> None:
        self._core, self._region_id, self._missed_s = core, region_id, missed_s
        self._term = core.scheduler.term

    def __call__(self, late_s: float) -> None:
        if self._term != self._core.scheduler.term:  # planned before others did the jobs: it is planned anew
            return
        late, self._missed_s = max(late_s, self._missed_s), 0.0
        life = self._core.lifecycle
        now = life.clock()  # what began later than now was begun by a clock that was ahead
        if any(now - life.plan.every / 2 < begun <= now for begun in self._planned()):
            return
        why = f"planned every {self._core.settings.retrain_every_days:g} days"
        life.wait_for(
            life.asked(self._region_id, who="schedule", why=why, trigger=Trigger.SCHEDULE, late_s=round(late, 1))
        )

    def _planned(self) -> Iterator[datetime]:
        """Yield when planned trainings of the region began."""
        for run in trainings_in(self._core.lifecycle.ledger, RUNS):
            if run_of(run, self._region_id, Trigger.SCHEDULE):
                yield datetime.fromisoformat(run["detail"]["begun_at"])


def _last_training(core: Core, region_id: str) -> datetime | None:
    """Return when a region was last trained for, else since when it has forecasts; None for a new home."""
    trainings = trainings_in(core.lifecycle.ledger, RUNS)
    runs = [run["at"] for run in trainings if run["detail"].get("region") == region_id]
    return max(runs, default=None) or core.lifecycle.ledger.first_issued(core.lifecycle.source, region_id)


def _wants_history(core: Core, region_id: str) -> bool:
    """Say whether this is the first start of a simulated home, or one whose history was never finished."""
    if core.lifecycle.source != "simulator" or not core.settings.simulated_history_days:
        return False
    first = [run for run in core.lifecycle.ledger.runs(RUNS, FIRST) if run["detail"].get("region") == region_id]
    if first:
        return not any(run["status"] in ("deployed", "kept") for run in first)
    since = core.lifecycle.ledger.first_issued(core.lifecycle.source, region_id)
    return since is None or core.clock() - since < NEW  # a home with a history of its own gets no other
