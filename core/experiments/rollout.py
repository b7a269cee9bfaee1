"""Who is shown what: shares of the variants, and how the share of a challenger grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.experiment import Experiment, Rollout, Stage, Step, TrafficSplitStrategy


def shares(experiment: Experiment, percent: float) -> Mapping[str, float]:
    """Return the share of every variant, challengers first: one that grows takes units from the control only.

    Parameters
    ----------
    percent
        What a gradual rollout stands at; of no meaning for the other strategies.
    """
    order = (*experiment.challengers, experiment.control)
    if experiment.strategy is TrafficSplitStrategy.RANDOM:
        return {v.variant_id: 1 / len(order) for v in order}
    if experiment.strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT:
        challenger, control = order
        return {challenger.variant_id: percent / 100, control.variant_id: 1 - percent / 100}
    return {v.variant_id: v.traffic_percentage / 100 for v in order}


def percent_after(steps: Sequence[Step]) -> float:
    """Return what a gradual rollout stands at after these steps, percent; 0 before its start."""
    return float(next((step.detail["percent"] for step in reversed(steps) if "percent" in step.detail), 0.0))


def shares_after(experiment: Experiment, steps: Sequence[Step]) -> Mapping[str, float]:
    """Return the share of every variant after these steps, challengers first: who is shown what from then on.

    Only a running experiment splits; a decided one shows its winner, all others the control.
    """
    stage = steps[-1].stage if steps else Stage.DRAFT
    if stage is Stage.RUNNING:
        return shares(experiment, percent_after(steps))
    shown = steps[-1].detail.get("winner") if stage is Stage.DECIDED else None
    only = shown or experiment.control.variant_id
    return {v.variant_id: float(v.variant_id == only) for v in (*experiment.challengers, experiment.control)}


def grown(rollout: Rollout, percent: float, days: float, harmless: bool) -> float | None:
    """Return the next share of a challenger, percent; None where it is not due.

    Parameters
    ----------
    percent, days
        What it stands at, and since how many days.
    harmless
        Whether the evidence so far excludes that it is worse in practice.
    """
    due = harmless if rollout.by_evidence else days >= rollout.step_days
    larger = [step for step in rollout.percent if step > percent]
    return min(larger) if due and larger else None
