"""Experimenting: who is shown which variant, what every variant said, what then happened, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np

from core.domain.experiment import (
    TRANSITIONS,
    CaseOutcome,
    Counts,
    Experiment,
    ExperimentResult,
    ModelVariant,
    Stage,
    Status,
    Step,
    TrafficSplitStrategy,
)
from core.domain.experiment_analysis import (
    ExperimentAnalysis,
    Winner,
)
from core.errors import ExperimentClosed, ExperimentError, ExperimentExists, ModelError, UnknownExperiment
from core.experiments import assignment, definitions, rollout
from core.experiments.analysis import Recorded, analyse, broken, harmless
from core.experiments.folding import folded
from core.experiments.sums import WIDTH, Sums
from core.ports import Clock, ExperimentFiles, ExperimentRecords
from core.workflows.serving import Serving

#: Units in which days are counted.
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Experimenting:
    """Registers experiments, keeps what they record, and says what they come to.

    Parameters
    ----------
    has_fields
        Whether features will be built with forecast fields.
    """

    records: ExperimentRecords
    files: ExperimentFiles
    serving: Serving
    clock: Clock
    has_fields: bool = False

    # ------------------------------------------------------------------------------------------------ lifecycle

    def create(self, experiment: Experiment, *, draft: bool = False, at: datetime | None = None) -> Experiment:
        """Register an experiment, and start it unless it is a draft.

        Raises
        ------
        ExperimentError
            If the definition makes no sense, or there is one of this name.
        ConfigurationError
            If it cannot be written.
        """
        definitions.check(experiment)
        try:
            self.files.store(experiment)
        except ExperimentExists:
            # What a process left that died before the first step is taken up by whoever wants the same again.
            left = replace(self.experiment(experiment.id), created_at=experiment.created_at)
            if left != experiment or self.records.steps(experiment.id):
                raise
        self.step(experiment.id, "create", experiment.created_by, experiment.why, at=at)
        if not draft:
            self.step(experiment.id, "start", experiment.created_by, experiment.why, at=at)
        return experiment

    def step(
        self,
        experiment_id: str,
        action: str,
        who: str,
        why: str = "",
        *,
        detail: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Step:
        """Take one step in the life of an experiment (an action of `TRANSITIONS`), and write it down.

        Raises
        ------
        UnknownExperiment, ExperimentClosed
            If there is none of this name, or its stage does not allow that, or somebody else took a step in between.
        """
        experiment = self.experiment(experiment_id)
        steps = self.records.steps(experiment_id)
        allowed, stage = TRANSITIONS[action]
        now = steps[-1].stage if steps else None
        if (now is None) != (action == "create") or (now is not None and now not in allowed):
            raise ExperimentClosed(
                f"{experiment_id} is {now.value if now else 'not registered'}: nobody can {action} it.",
                hint="Create a new experiment." if now in (Stage.STOPPED, Stage.DECIDED) else "Look at its stage.",
            )
        said = dict(detail or {})
        if action == "start" and experiment.strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT:
            said.setdefault("percent", rollout.percent_after(steps) or experiment.rollout.percent[0])
        made = Step(experiment_id, at or self.clock(), action, stage, who, why, said)
        if not self.records.record_step(made, len(steps) + 1):
            raise ExperimentClosed(f"Somebody else changed {experiment_id} in between.", hint="Look at it again.")
        return made

    def decide(self, experiment_id: str, winner: str | None, who: str, why: str, at: datetime | None = None) -> Step:
        """End an experiment with a decision, whatever the evidence; the evidence is written down with it.

        Parameters
        ----------
        winner
            Variant that won, None: nobody.

        Raises
        ------
        UnknownExperiment, ExperimentClosed
            If there is no such experiment or variant, or it is decided already.
        ExperimentError
            If there is no reason.
        """
        if winner is not None:
            self._variant(self.experiment(experiment_id), winner)
        if not why.strip():
            raise ExperimentError("A decision needs a reason.", hint="Say why in a few words.")
        found = self.analyse(experiment_id)
        detail = {"winner": winner, "status": found.status.value, "evidence": dict(found.winner.evidence)}
        return self.step(experiment_id, "decide", who, why.strip(), detail=detail, at=at)

    def winner(self, experiment_id: str) -> tuple[Experiment, str]:
        """Return a decided experiment and the version of the challenger that won.

        Raises
        ------
        UnknownExperiment, ExperimentClosed
            If there is none of this name, it is not decided, or no challenger has won.
        """
        experiment, made = self.experiment(experiment_id), _decision(self.records.steps(experiment_id))
        name = made.winner_variant if made else None
        if name is None or name == experiment.control.variant_id:
            raise ExperimentClosed(f"No challenger has won {experiment_id}.", hint="Decide for one first.")
        return experiment, self._variant(experiment, name).model

    def experiment(self, experiment_id: str) -> Experiment:
        """Return the definition of one experiment.

        Raises
        ------
        UnknownExperiment
            If there is none of this name; the hint lists the known ones.
        """
        known = self.files.experiments()
        for one in known:
            if one.id == experiment_id:
                return one
        names = ", ".join(one.id for one in known) or "none yet"
        raise UnknownExperiment("There is no experiment of this name.", hint=f"Known are: {names}.")

    def stage(self, experiment_id: str) -> Stage:
        """Return where an experiment stands."""
        steps = self.records.steps(experiment_id)
        return steps[-1].stage if steps else Stage.DRAFT

    def running(self, source: str, region_id: str) -> tuple[Experiment, ...]:
        """Return the running experiments on the forecasts of a region."""
        mine = [e for e in self.files.experiments() if (e.source, e.region_id) == (source, region_id)]
        return tuple(e for e in mine if self.stage(e.id) is Stage.RUNNING)

    # ------------------------------------------------------------------------------------------------ assignment

    def shares(self, experiment: Experiment) -> Mapping[str, float]:
        """Return the share of every variant now, challengers first; only a running experiment splits."""
        return rollout.shares_after(experiment, self.records.steps(experiment.id))

    def select(self, experiment_id: str, unit: str | None = None) -> ModelVariant:
        """Return the variant that a unit is shown: the same for as long as the shares stand; None: a new unit."""
        experiment = self.experiment(experiment_id)
        name = assignment.variant(experiment.id, uuid4().hex if unit is None else unit, self.shares(experiment))
        return self._variant(experiment, name)

    # ------------------------------------------------------------------------------------------------ recording

    def record(self, results: Sequence[ExperimentResult]) -> int:
        """Keep results, all or none; return how many are new. Those that come with their outcome mature at once.

        Raises
        ------
        UnknownExperiment, ExperimentClosed, ExperimentError
            If there is no such experiment or variant, it is not running, or a number is no probability.
        """
        steps: dict[str, int] = {}
        for name in {r.experiment_id for r in results}:
            experiment, taken = self.experiment(name), self.records.steps(name)
            if not taken or taken[-1].stage is not Stage.RUNNING:
                raise ExperimentClosed(
                    f"{name} is {taken[-1].stage.value if taken else 'not registered'}: it records nothing.",
                    hint="Start it, or create a new one.",
                )
            known = {v.variant_id for v in experiment.variants}
            for result in (r for r in results if r.experiment_id == name):
                definitions.check_result(result, known)
            steps[name] = _split_since(taken)
        count = self.records.record_results(results, steps)
        for name in steps:
            told: dict[tuple[str, datetime], bool] = {}
            for r in results:
                if r.experiment_id == name and r.actual is not None:
                    told.setdefault((r.location_id, r.valid_at), r.actual)
            if told:
                self.happened(name, [CaseOutcome(*case, happened=bool(what)) for case, what in told.items()])
        return count

    def happened(self, experiment_id: str, outcomes: Sequence[CaseOutcome]) -> int:
        """Join what happened; return how many results matured. The first outcome of a case counts.

        Raises
        ------
        UnknownExperiment, ExperimentError
            If there is no such experiment, or a time has no zone.
        """
        experiment = self.experiment(experiment_id)
        definitions.check_times(one.valid_at for one in outcomes)
        return self.records.mature(experiment_id, outcomes, lambda matured: folded(experiment, matured))

    def export(self, experiment_id: str) -> str:
        """Write all results with their outcomes as CSV, and return the path."""
        self.experiment(experiment_id)
        return self.files.export(experiment_id, self.records.results(experiment_id))

    # ------------------------------------------------------------------------------------------------ analysis

    def analyse(self, experiment_id: str) -> ExperimentAnalysis:
        """Return what an experiment comes to now."""
        experiment, steps = self.experiment(experiment_id), self.records.steps(experiment_id)
        by_day = self.records.sums(experiment_id)
        days = sorted({day for found in by_day.values() for day in found})
        names = [v.variant_id for v in experiment.variants]
        nothing = np.zeros(WIDTH)
        counts = self.records.counts(experiment_id, _split_since(steps))
        known = Recorded(
            stage=steps[-1].stage if steps else Stage.DRAFT,
            shares=rollout.shares(experiment, rollout.percent_after(steps)),
            sums={
                name: Sums(np.array([by_day.get(name, {}).get(day, nothing) for day in days]).reshape(-1, WIDTH))
                for name in names
            },
            counts={name: counts.get(name, Counts()) for name in names},
            problems=self._problems(experiment),
            decided=_decision(steps),
        )
        return analyse(experiment, known)

    def tend(self, experiment: Experiment, outcomes: Sequence[CaseOutcome]) -> Step | None:
        """Join outcomes, give up what is too old, and let a gradual rollout grow, or end where a guardrail breaks."""
        self.happened(experiment.id, outcomes)
        now = self.clock()
        self.records.expire(experiment.id, now - timedelta(hours=experiment.rules.expire_h))
        steps = self.records.steps(experiment.id)
        gradual = experiment.strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT
        if not gradual or not steps or steps[-1].stage is not Stage.RUNNING:
            return None
        found = self.analyse(experiment.id)
        reasons = broken(found)
        if reasons or found.status is Status.ROLL_BACK:
            return self.step(experiment.id, "stop", "rollout", f"rolled back: {'; '.join(reasons) or found.text}")
        since = next(step.at for step in reversed(steps) if "percent" in step.detail)
        percent = rollout.percent_after(steps)
        more = rollout.grown(experiment.rollout, percent, (now - since) / DAY, harmless(found))
        if more is None or found.status is Status.UNHEALTHY:
            return None
        why = f"from {percent:g} % after {(now - since) / DAY:.1f} days; {found.text}"
        return self.step(experiment.id, "grow", "rollout", why, detail={"percent": more})

    def _problems(self, experiment: Experiment) -> Mapping[str, str]:
        """Return the variants of a house's own experiment whose model cannot be loaded, with the reason."""
        if not experiment.source:
            return {}
        found = {}
        for variant in experiment.variants:
            try:
                self.serving.version(variant.model, experiment.source, self.has_fields)
            except ModelError as error:
                found[variant.variant_id] = f"{variant.variant_id}: {error.message}"
        return found

    def _variant(self, experiment: Experiment, variant_id: str) -> ModelVariant:
        for variant in experiment.variants:
            if variant.variant_id == variant_id:
                return variant
        names = ", ".join(v.variant_id for v in experiment.variants)
        raise UnknownExperiment(f"{experiment.id} has no variant of this name.", hint=f"Known are: {names}.")


def _split_since(steps: Sequence[Step]) -> int:
    """Return the number of the step by which the shares stand, 0 before the start."""
    return max((i for i, step in enumerate(steps, 1) if "percent" in step.detail or step.action == "start"), default=0)


def _decision(steps: Sequence[Step]) -> Winner | None:
    if not steps or steps[-1].action != "decide":
        return None
    made = steps[-1]
    return Winner(made.detail.get("winner"), f"decided by {made.who}: {made.why}", made.detail.get("evidence", {}))
