"""Retraining: from new hours in the archive to a verdict on a candidate, and to a deployment where it is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from core.domain.forecast import DEFAULT_WINDOW
from core.domain.learning import Champion, ModelManifest, TrainingRequest
from core.domain.lifecycle import Comparison, RetrainingRequest, RunState, RunStatus, Verdict
from core.domain.verification import TRUTH_SOURCES
from core.errors import DeploymentLost, InsufficientData, LeakSuspected, ModelError
from core.features import table
from core.learning.training import purge_h
from core.ports import Clock, MetricFiles, Progress
from core.workflows.collecting import Collecting
from core.workflows.deploying import Deploying
from core.workflows.gathering import Gathered
from core.workflows.judging import HeldOut, Judging, unseen
from core.workflows.serving import Served, Serving
from core.workflows.training import Training, within
from core.workflows.verifying import NO_TRUTH

#: What a deployment by a training is called.
RETRAINED = "retrained"
#: Shares of the work: reading and features, fitting; the rest is judging.
READING, FITTING = 0.2, 0.7


@dataclass(frozen=True)
class Retraining:
    """Challenges a champion: collect, refuse what is not fit, split, train, judge, store, deploy or keep.

    Parameters
    ----------
    holdout
        Share of the period, its newest part, that judges and is not learned from.
    metrics
        Where the numbers of every candidate are kept beside the ledger.
    """

    collecting: Collecting
    training: Training
    serving: Serving
    judging: Judging
    deploying: Deploying
    metrics: MetricFiles
    clock: Clock
    holdout: float

    def run(self, state: RunState, told: Progress) -> RunState:
        """Return how a run ended; nothing is raised for data that are not fit, nor for a candidate that is no better.

        Raises
        ------
        CloudburstError
            If the archive cannot be read or nothing can be written; the champion stays.
        """
        request = state.request
        if request.source not in TRUTH_SOURCES:
            return replace(state, status=RunStatus.SKIPPED, reasons=(NO_TRUTH,))
        pointer = request.source, request.region_id
        champion = self.deploying.champion(pointer)
        state = replace(state, champion=champion.version or None)
        begin = request.now - timedelta(days=request.days_back)
        cases, fit = self.collecting.cases(pointer, begin, request.now, within(told, 0.0, READING))
        if cases is None:
            return _skipped(state, fit.reasons, fit.counts)
        learn, held = self._split(cases)
        counts = dict(fit.counts)
        fit = self.collecting.needs.of_cases(learn, "cases to learn from")
        counts |= fit.counts
        if fit.reasons:
            return _skipped(state, fit.reasons, counts)
        try:
            made = self._made(learn, request, within(told, READING, FITTING))
        except (InsufficientData, LeakSuspected) as error:
            return _skipped(state, (str(error),), counts)
        told(READING + FITTING, f"judging {made.version}")
        comparison, verdict = self._judged(made, HeldOut.of(held, learn, request.source), request)
        metrics = {**counts, **_numbers(comparison), "gate": [asdict(rule) for rule in verdict.rules]}
        self.metrics.store(made.version, {"run": state.run_id, **metrics})
        state = replace(state, version=made.version, metrics=metrics, reasons=verdict.reasons)
        if not verdict.promote:
            return replace(state, status=RunStatus.KEPT)
        told(0.99, f"deploying {made.version}")
        return self._deployed(state, champion, verdict)

    def _split(self, cases: Gathered) -> tuple[Gathered, Gathered]:
        """Return the cases to learn from and the newest ones, which judge; between them lies the purge."""
        first, last = int(cases.hour.min()), int(cases.hour.max())
        bound = last - int(self.holdout * (last - first))
        gap = purge_h(cases.hour, table.LOOKBACK_H, DEFAULT_WINDOW)
        return cases.at(cases.hour <= bound - gap), cases.at(cases.hour > bound)

    def _made(self, learn: Gathered, request: RetrainingRequest, told: Progress) -> ModelManifest:
        """Return the stored candidate."""
        feature_set = "observed" if self.collecting.fields(request.source) is None else "observed+model"
        wanted = TrainingRequest(
            request.algorithm,
            seed=request.seed,
            area=self.collecting.observing.region(request.region_id).name,
            region_id=request.region_id,
            feature_set=feature_set,
        )
        training = replace(self.training, clock=self.clock)
        return training.learn(learn, request.source, wanted, told)

    def _judged(
        self, made: ModelManifest, held: HeldOut, request: RetrainingRequest
    ) -> tuple[Comparison | None, Verdict]:
        """Return the verdict on a candidate, from cases that whoever serves now has not learned from either."""
        has_fields = self.collecting.fields(request.source) is not None
        candidate = self.serving.version(made.version, request.source, has_fields)
        rival = self._rival(request, has_fields)
        if rival is not None:
            held = unseen(held, rival.manifest)
        if not len(held):
            return None, self.judging.gate.judge(None)
        region = self.collecting.observing.region(request.region_id)
        return self.judging.judge(candidate, rival, held, region, request.seed)

    def _rival(self, request: RetrainingRequest, has_fields: bool) -> Served | None:
        """Return whoever serves now, None where nobody can."""
        try:
            return self.serving.champion(request.source, request.region_id, has_fields)
        except ModelError:
            return None

    def _deployed(self, state: RunState, champion: Champion, verdict: Verdict) -> RunState:
        """Deploy the candidate where nobody else has deployed since the champion was read."""
        request, version = state.request, state.version
        assert version is not None  # noqa: S101 - it was stored a moment ago
        try:
            self.deploying.point(
                (request.source, request.region_id),
                champion,
                version,
                action=RETRAINED,
                who=request.who,
                why=request.why or f"trigger: {request.trigger.value}",
                at=self.clock(),
                verdict=verdict,
            )
        except DeploymentLost as error:
            return replace(state, status=RunStatus.KEPT, reasons=(str(error),))
        return replace(state, status=RunStatus.DEPLOYED, champion=version)


def _skipped(state: RunState, reasons: tuple[str, ...], counts: Mapping[str, Any]) -> RunState:
    return replace(state, status=RunStatus.SKIPPED, reasons=reasons, metrics=dict(counts))


def _numbers(comparison: Comparison | None) -> dict[str, Any]:
    """Return a comparison as plain values."""
    if comparison is None:
        return {}
    cards = {"candidate": comparison.candidate, "champion": comparison.champion}
    return {
        "judged": {
            "begin": comparison.begin.isoformat(),
            "end": comparison.end.isoformat(),
            "days": comparison.days,
            "cases": comparison.candidate.n,
            "events": comparison.candidate.events,
        },
        "relative_gain": asdict(comparison.relative_gain),
        **{
            name: {key: measure.value for key, measure in card.measures.items()}
            for name, card in cards.items()
            if card is not None
        },
    }
