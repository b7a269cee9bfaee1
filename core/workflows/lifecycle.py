"""The life of the models of this house: who asks for a training, who is deployed, promoted, rolled back, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from core.domain.drift import DriftReport
from core.domain.learning import Champion
from core.domain.lifecycle import Comparison, Deployment, RetrainingRequest, RunState, RunStatus, Trigger, Verdict
from core.errors import ConfigurationError, ModelError, ModelNotFound, TrainingInProgress
from core.learning import estimators
from core.ports import Clock, Ledger, ModelStore, Progress, Trainings, silent
from core.workflows import drift_runs
from core.workflows.beginnings import Beginnings
from core.workflows.deploying import Deploying
from core.workflows.drifting import Drifting
from core.workflows.observing import Observing
from core.workflows.retraining import RETRAINED, Retraining
from core.workflows.serving import Serving
from core.workflows.training_runs import FIRST, RETRAIN, MadeMeanwhile, detail_of, refuse_made, trainings_in

log = structlog.get_logger()
#: A reason is a sentence or two.
LONGEST_REASON = 500
#: Runs among which that of a training that was cut off is looked for.
RECENT = 50
#: What is looked back on at the least and at the most.
DAYS_BACK = range(1, 36501)


@dataclass(frozen=True)
class Plan:
    """What is trained when nobody says otherwise."""

    algorithm: str
    days_back: int
    every: timedelta


@dataclass
class Lifecycle:
    """Begins trainings, moves the pointers to the champions, and writes down who did so and why.

    Parameters
    ----------
    changed
        Called when another version serves: what was issued by the one before is to be forgotten.
    """

    observing: Observing
    serving: Serving
    deploying: Deploying
    retraining: Retraining
    drifting: Drifting
    beginnings: Beginnings
    plan: Plan
    clock: Clock
    changed: Callable[[], None]
    #: Set once the house stands: it reports to this very value.
    trainings: Trainings = field(init=False)
    waiting: list[RetrainingRequest] = field(default_factory=list, init=False)
    #: The last training of which it is known that the ledger has its end.
    _settled: str = field(default="", init=False)

    @property
    def source(self) -> str:
        """Provenance of the data of this house."""
        return self.observing.source.name

    @property
    def ledger(self) -> Ledger:
        """Where everything is written down."""
        return self.deploying.ledger

    @property
    def store(self) -> ModelStore:
        """The versions and the pointers to the champions."""
        return self.deploying.store

    def retrain(
        self,
        region_id: str,
        *,
        who: str,
        why: str = "",
        trigger: Trigger = Trigger.COMMAND_LINE,
        algorithm: str | None = None,
        days_back: int | None = None,
    ) -> RunState:
        """Begin to challenge the champion of a region and return at once.

        Raises
        ------
        TrainingInProgress
            If a training runs already.
        ConfigurationError
            If region, algorithm or days are not understood, or no process can be started.
        """
        return self.start(
            self.asked(region_id, who=who, why=why, trigger=trigger, algorithm=algorithm, days_back=days_back)
        )

    def asked(
        self,
        region_id: str,
        *,
        who: str,
        why: str = "",
        trigger: Trigger,
        algorithm: str | None = None,
        days_back: int | None = None,
        late_s: float = 0.0,
    ) -> RetrainingRequest:
        """Return the request for a training, with the plan where nobody says otherwise.

        Raises
        ------
        ConfigurationError
            If region, algorithm or days are not understood.
        """
        days = self.plan.days_back if days_back is None else days_back
        if isinstance(days, bool) or days not in DAYS_BACK:
            raise ConfigurationError(
                f"A training cannot look back {days!r} days.", hint=f"Name {DAYS_BACK[0]} to {DAYS_BACK[-1]:,} days."
            )
        return RetrainingRequest(
            source=self.source,
            region_id=self.observing.region(region_id).id,
            algorithm=estimators.algorithm(algorithm or self.plan.algorithm).name,
            days_back=int(days),
            now=self.clock(),
            trigger=trigger,
            who=who,
            why=why[:LONGEST_REASON],
            late_s=late_s,
        )

    def wait_for(self, request: RetrainingRequest) -> None:
        """Remember a training that begins as soon as no other runs; one of each trigger and region waits at a time."""
        waits = (request.trigger, request.region_id)
        if waits not in [(one.trigger, one.region_id) for one in self.waiting]:
            self.waiting.append(request)

    def start_waiting(self) -> None:
        """Begin the next training that waits, where none runs; one made elsewhere is forgotten, others wait on.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer or no process can be started.
        """
        while self.waiting:
            wanted = self.waiting[0]
            now = replace(wanted, now=self.clock())  # what came while it waited is learned from too
            try:
                self.start(now, wanted)
                del self.waiting[0]
                return
            except TrainingInProgress:
                return
            except MadeMeanwhile:
                del self.waiting[0]

    def watch(self, region_id: str, retrains: bool) -> DriftReport:
        """Look for drift in a region; an alarm that is new is written down, and challenges the champion once.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known or the ledger does not answer.
        """
        report = self.drifting.look(region_id, self._learned_until(region_id))
        new = drift_runs.keep(self.ledger, report, self.clock())
        if new and retrains:
            why = " ".join(shift.text for shift in new)
            self.wait_for(self.asked(region_id, who="drift", why=why, trigger=Trigger.DRIFT))
        return report

    def looked(self, region_id: str) -> DriftReport | None:
        """Return what was found when drift was looked for last, whichever program did; None where none has.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        return drift_runs.newest(self.ledger, self.source, region_id, len(self.observing.regions()))

    def _learned_until(self, region_id: str) -> datetime | None:
        """Return until when the champion knows the weather of this house, None where it learned elsewhere."""
        try:
            manifest = self.store.manifest(self.store.champion(self.source, region_id).version)
        except ModelError:
            return None
        return manifest.trained_on.end if manifest.source == self.source else None

    def promote(self, version: str, region_id: str, who: str, why: str) -> Deployment:
        """Let a version serve a region by hand.

        Raises
        ------
        ConfigurationError
            If there is no reason.
        ModelError
            If it serves already, may not serve these data, or is not what its manifest says.
        DeploymentLost
            If somebody else deployed in between.
        """
        return self._point(version, self.observing.region(region_id).id, "promoted", who, why)

    def contest(
        self, version: str, against: tuple[str, Champion], comparison: Comparison | None, who: str, why: str
    ) -> Verdict:
        """Let a version serve a region in its champion's place where the gate lets it through; return the verdict.

        Parameters
        ----------
        against
            The region, and the champion that it was compared with.
        comparison
            Of both on the same cases, None where there are none that neither has learned from: nobody is deployed.

        Raises
        ------
        ModelError
            If the version is not whole, or somebody else deployed in between.
        """
        verdict = self.retraining.judging.gate.judge(comparison)
        if verdict.promote:
            region_id, champion = against
            self.deploying.point(
                (self.source, region_id),
                champion,
                version,
                action="experiment",
                who=who,
                why=why[:LONGEST_REASON],
                at=self.clock(),
                verdict=verdict,
            )
            self.changed()
        return verdict

    def roll_back(self, region_id: str, who: str, why: str) -> Deployment:
        """Let the version that served before serve again.

        Raises
        ------
        ModelNotFound
            If there is none.
        ConfigurationError, ModelError, DeploymentLost
            As `promote`.
        """
        region = self.observing.region(region_id)
        before = self.store.before(self.source, region.id)
        if not before:
            raise ModelNotFound(f"No other version has served {region.name}.", hint="Promote a version instead.")
        return self._point(before[0], region.id, "rolled back", who, why)

    def _point(self, version: str, region_id: str, action: str, who: str, why: str) -> Deployment:
        if not why.strip():
            raise ConfigurationError("A change of who serves needs a reason.", hint="Say why in a few words.")
        champion = self.deploying.champion((self.source, region_id))
        if version == champion.version and champion.generation:
            raise ModelError(f"{version} serves {region_id} already.", hint="Choose another version.")
        self.serving.version(version, self.source, has_fields=self.observing.fields is not None)
        made = self.deploying.point(
            (self.source, region_id),
            champion,
            version,
            action=action,
            who=who,
            why=why.strip()[:LONGEST_REASON],
            at=self.clock(),
        )
        self.changed()
        return made

    def ended(self, state: RunState) -> None:
        """Write down how a training ended; forget what an earlier version issued, for another may serve now."""
        self.changed()
        state = self._as_it_is(state)
        kind = FIRST if state.request.trigger is Trigger.FIRST_START else RETRAIN
        log.info("training ended", run_id=state.run_id, status=state.status.value, version=state.version)
        self.ledger.record_run(kind, state.status.value, detail_of(state), state.ended_at or state.begun_at)

    def _as_it_is(self, state: RunState) -> RunState:
        """Return the end of a training; one that was cut off after its pointer had moved has deployed all the same."""
        if state.status in (RunStatus.KEPT, RunStatus.SKIPPED):
            return state
        made = self.store.last_deployment(state.request.source, state.request.region_id)
        if made is None or made.action != RETRAINED or made.at < state.begun_at:
            return state
        return replace(state, status=RunStatus.DEPLOYED, version=made.to_version, champion=made.to_version)

    def reconcile(self) -> None:
        """Write down what was done and could not be written down then: deployments, and how the last training ended.

        Raises
        ------
        CloudburstError
            If the ledger does not answer or a pointer cannot be read.
        """
        for region in self.observing.regions():
            self.deploying.reconcile((self.source, region.id))
        last = self.trainings.state()
        if last is not None and not last.running and last.run_id != self._settled:
            self.trainings.settle(self._settle)

    def _settle(self, last: RunState | None) -> None:
        """Write down how the last training ended where the ledger does not know; no other can begin meanwhile."""
        if last is None or last.run_id == self._settled:
            return
        if last.run_id not in {run["detail"].get("run_id") for run in trainings_in(self.ledger, RECENT)}:
            self.ended(last)
        self._settled = last.run_id

    def run(self, request: RetrainingRequest, told: Progress = silent) -> RunState:
        """Train and wait for the end.

        Raises
        ------
        TrainingInProgress, ConfigurationError
            As `retrain`.
        """
        return self.trainings.wait(self.start(request).run_id, told)

    def start(self, request: RetrainingRequest, planned: RetrainingRequest | None = None) -> RunState:
        """Begin a training that was asked for and return at once; the end of the one before is written down first.

        Raises
        ------
        TrainingInProgress, ConfigurationError
            As `retrain`.
        """

        def check(last: RunState | None) -> None:
            self._settle(last)
            if planned:
                refuse_made(planned, trainings_in(self.ledger, RECENT), self.clock())

        state = self.trainings.start(request, check)
        log.info("training begins", run_id=state.run_id, trigger=request.trigger.value, who=request.who)
        return state
