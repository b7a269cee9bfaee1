"""What makes a definition of an experiment, and a result that is recorded, fit to be kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime

from core.domain.experiment import Experiment, ExperimentResult, TrafficSplitStrategy
from core.errors import ExperimentError, UnknownExperiment

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
#: Percentages are kept to a hundredth.
HUNDREDTH = 0.005


def check(experiment: Experiment) -> None:
    """Refuse a definition that makes no sense.

    Raises
    ------
    ExperimentError
        If it does; the hint says what to change.
    """
    names = [v.variant_id for v in experiment.variants]
    if not NAME.fullmatch(experiment.id) or not all(NAME.fullmatch(name) for name in names):
        raise ExperimentError(
            "Experiments and variants are named with letters, digits, '_', '-' and '.', at most 64 of them.",
            hint="Choose another name.",
        )
    if len(names) < 2 or len(set(names)) < len(names):
        raise ExperimentError("An experiment needs two variants or more, each of its own name.", hint="Name them.")
    if experiment.strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT:
        if len(names) != 2:
            raise ExperimentError("A gradual rollout has a control and one challenger.", hint="Name two variants.")
        percent = experiment.rollout.percent
        if not percent or list(percent) != sorted(set(percent)) or percent[0] < 0 or percent[-1] > 100:
            raise ExperimentError("The steps of a rollout grow, from 0 to 100 % at the most.", hint="10, 30, 50, 100.")
    elif experiment.strategy is not TrafficSplitStrategy.RANDOM:
        shares = [v.traffic_percentage for v in experiment.variants]
        if not all(0 <= share <= 100 for share in shares) or abs(sum(shares) - 100) > HUNDREDTH:
            raise ExperimentError(f"The shares sum to {sum(shares):g} %, not to 100 %.", hint="Change the percentages.")


def check_result(result: ExperimentResult, variants: Collection[str]) -> None:
    """Refuse a result that cannot be kept.

    Raises
    ------
    UnknownExperiment, ExperimentError
        If its variant is none of these, its number no probability, or its time without a zone.
    """
    if result.variant_id not in variants:
        raise UnknownExperiment(
            f"{result.experiment_id} has no variant {result.variant_id!r}.", hint=f"Known are: {', '.join(variants)}."
        )
    if result.prediction is not None and not 0 <= result.prediction <= 1:  # so written, NaN is refused too
        raise ExperimentError(
            f"{result.prediction!r} is no probability.", hint="None stands for a variant that failed."
        )
    check_times([result.valid_at, result.issued_at or result.valid_at])


def check_times(times: Iterable[datetime]) -> None:
    """Refuse times without a zone.

    Raises
    ------
    ExperimentError
        If one of them is.
    """
    if any(time.tzinfo is None for time in times):
        raise ExperimentError("The time of a case needs a time zone.", hint="Give it in UTC.")
