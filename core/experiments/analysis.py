"""The analysis of one experiment: arms, contrasts, health, and what it comes to in a word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.experiment import (
    Code,
    Counts,
    Experiment,
    Stage,
    Status,
)
from core.domain.experiment_analysis import (
    Arm,
    Contrast,
    ExperimentAnalysis,
    Winner,
)
from core.experiments import classical, inference
from core.experiments.contrasts import adjusted, contrast
from core.experiments.sums import Sums

#: A split is not what it should be where chance brings it about in one of a thousand experiments.
SAMPLE_RATIO_ALARM = 0.001
#: A broken guardrail of these names rolls back; the others only keep from shipping.
STOPPING = ("POD", "latency", "errors")
SEED = 7
CODE_TEXTS: Mapping[Code, str] = {
    Code.TOO_FEW_EVENTS: "There are too few events to say anything.",
    Code.ZERO_VARIANCE: "The variants say the same in every case.",
    Code.SAMPLE_RATIO_MISMATCH: "The units are not split as the shares say: something is lost or assigned twice.",
    Code.UNEQUAL_COVERAGE: "The variants have not forecast the same cases.",
    Code.MODEL_NOT_LOADED: "A variant's model cannot be loaded.",
}


@dataclass(frozen=True)
class Recorded:
    """All that is known of an experiment.

    Parameters
    ----------
    stage, shares
        Where it stands, and the share of every variant that is shown.
    sums
        Of every variant, by the same days, oldest first.
    counts
        Of every variant.
    problems
        Variants whose model cannot be loaded, with the reason.
    decided
        What was decided, None before.
    """

    stage: Stage
    shares: Mapping[str, float]
    sums: Mapping[str, Sums]
    counts: Mapping[str, Counts]
    problems: Mapping[str, str]
    decided: Winner | None = None


def analyse(experiment: Experiment, known: Recorded) -> ExperimentAnalysis:
    """Return what an experiment comes to. The same records give the same analysis: chance is drawn from one seed."""
    rng = np.random.default_rng(SEED)
    control = known.sums[experiment.control.variant_id]
    rules, several = experiment.rules, max(len(experiment.challengers), 1)
    confidence = 100 - (100 - rules.confidence) / several
    contrasts = adjusted(
        tuple(
            contrast(v.variant_id, (known.sums[v.variant_id], control), rules, confidence, rng)
            for v in experiment.challengers
        )
    )
    coverage = _coverage(experiment, known, contrasts)
    ratio = classical.sample_ratio([known.counts[name].units for name in known.shares], list(known.shares.values()))
    codes = _codes(experiment, known, contrasts, coverage, ratio)
    status, text, winner = _status(experiment, known, contrasts, codes)
    return ExperimentAnalysis(
        experiment=experiment,
        stage=known.stage,
        status=status,
        text=text,
        arms=tuple(_arm(v.variant_id, v.model, known) for v in experiment.variants),
        contrasts=contrasts,
        codes=codes,
        sample_ratio_p=ratio,
        coverage=coverage,
        winner=known.decided or winner,
        shares=known.shares,
    )


def harmless(found: ExperimentAnalysis) -> bool:
    """Say whether the evidence excludes, at every look, that a challenger is worse in practice."""
    limit = found.experiment.rules.practical_percent
    return bool(found.contrasts) and not found.codes and all(_bounds(c)[0] > -limit for c in found.contrasts)


def broken(found: ExperimentAnalysis) -> tuple[str, ...]:
    """Return the guardrails that roll a challenger back."""
    return tuple(
        f"{c.variant_id}: {g.name}, {g.text}"
        for c in found.contrasts
        for g in c.guardrails
        if g.name in STOPPING and not g.met
    )


def _coverage(experiment: Experiment, known: Recorded, contrasts: Sequence[Contrast]) -> float | None:
    """Return the least share of cases that a challenger and the control have both forecast, among those of either."""
    control = known.sums[experiment.control.variant_id].total("cases")
    either = [control + known.sums[c.variant_id].total("cases") - c.pairs for c in contrasts]
    found = [c.pairs / n for c, n in zip(contrasts, either, strict=True) if n]
    return min(found, default=None)


def _codes(
    experiment: Experiment, known: Recorded, contrasts: Sequence[Contrast], coverage: float | None, ratio: float | None
) -> tuple[Code, ...]:
    found = {code for c in contrasts for code in c.codes}
    if ratio is not None and ratio < SAMPLE_RATIO_ALARM:
        found.add(Code.SAMPLE_RATIO_MISMATCH)
    if coverage is not None and coverage < experiment.rules.coverage:
        found.add(Code.UNEQUAL_COVERAGE)
    if known.problems:
        found.add(Code.MODEL_NOT_LOADED)
    return tuple(code for code in Code if code in found)


def _status(
    experiment: Experiment, known: Recorded, contrasts: tuple[Contrast, ...], codes: tuple[Code, ...]
) -> tuple[Status, str, Winner]:
    """Return the status in a word and in a sentence, and the winner so far."""
    nobody = Winner(None, "", {})
    if known.stage is Stage.DRAFT:
        return Status.NOT_STARTED, "Nobody is shown anything yet.", nobody
    unwell = [c for c in (Code.MODEL_NOT_LOADED, Code.SAMPLE_RATIO_MISMATCH, Code.UNEQUAL_COVERAGE) if c in codes]
    if unwell:
        why = " ".join(known.problems.values()) if unwell[0] is Code.MODEL_NOT_LOADED else CODE_TEXTS[unwell[0]]
        return Status.UNHEALTHY, why, nobody
    found = _rolled_back(experiment, contrasts) or _shipped(experiment, contrasts)
    if found is not None:
        return found
    if _same(experiment, contrasts):
        return Status.NO_DIFFERENCE, _no_difference(experiment, contrasts), nobody
    if known.stage in (Stage.STOPPED, Stage.DECIDED):
        return Status.COLLECTING, "It ended before anything could be said.", nobody
    return Status.COLLECTING, _to_go(experiment, contrasts), nobody


def _rolled_back(experiment: Experiment, contrasts: Sequence[Contrast]) -> tuple[Status, str, Winner] | None:
    """Return the decision for the control: a guardrail is broken, or every challenger is worse beyond doubt."""
    control = experiment.control.variant_id
    for c in contrasts:
        failed = [g for g in c.guardrails if g.name in STOPPING and not g.met]
        if failed:
            held = f"in {c.pairs:,} cases with {c.events:,} events on {c.days} days"
            rule = f"guardrail of {c.variant_id}: {failed[0].name}, {failed[0].text}; {held}"
            return Status.ROLL_BACK, rule, Winner(control, rule, _evidence(c))
    if contrasts and all(not c.codes and _bounds(c)[1] < 0 for c in contrasts):
        rule = f"always-valid {experiment.rules.confidence:g} % bounds of the gain lie below 0"
        return Status.ROLL_BACK, _text(contrasts[0]), Winner(control, rule, _evidence(contrasts[0]))
    return None


def _shipped(experiment: Experiment, contrasts: Sequence[Contrast]) -> tuple[Status, str, Winner] | None:
    """Return the decision for the best of the challengers that are better beyond doubt."""
    better = [c for c in contrasts if not c.codes and _bounds(c)[0] > 0 and all(g.met for g in c.guardrails)]
    if not better:
        return None
    best = max(better, key=lambda c: c.gain.value or 0.0)
    rule = f"always-valid {experiment.rules.confidence:g} % bounds of the gain lie above 0 and every guardrail holds"
    return Status.SHIP_NOW, _text(best), Winner(best.variant_id, rule, _evidence(best))


def _same(experiment: Experiment, contrasts: Sequence[Contrast]) -> bool:
    """Say whether no challenger can differ in practice, or the time for finding out is over."""
    limit = experiment.rules.practical_percent

    def within(c: Contrast) -> bool:
        low, high = _bounds(c)
        return c.codes == (Code.ZERO_VARIANCE,) or (low > -limit and high < limit)

    over = bool(contrasts) and max(c.days for c in contrasts) >= experiment.rules.max_days
    return bool(contrasts) and (over or all(within(c) for c in contrasts))


def _no_difference(experiment: Experiment, contrasts: Sequence[Contrast]) -> str:
    rules = experiment.rules
    if max(c.days for c in contrasts) >= rules.max_days:
        return f"{rules.max_days} days have decided nothing."
    return f"No challenger differs from the control by {rules.practical_percent:g} % or more."


def _bounds(c: Contrast) -> tuple[float, float]:
    """Return the always-valid bounds of the gain in percent; NaN where there are none."""
    low, high = c.sequence.low, c.sequence.high
    return (math.nan, math.nan) if low is None or high is None else (100 * low, 100 * high)


def _text(c: Contrast) -> str:
    low, high = _bounds(c)
    gain = 100 * (c.gain.value or 0.0)
    word, sides = ("less", (low, high)) if gain >= 0 else ("more", (-high, -low))
    return (
        f"{c.variant_id} has {abs(gain):.1f} % {word} Brier loss ({sides[0]:.1f} to {sides[1]:.1f} %) in {c.pairs:,}"
        f" cases with {c.events:,} events on {c.days} days."
    )


def _evidence(c: Contrast) -> dict[str, Any]:
    low, high = _bounds(c)
    return {
        "variant": c.variant_id,
        "cases": c.pairs,
        "events": c.events,
        "days": c.days,
        "gain_percent": None if c.gain.value is None else 100 * c.gain.value,
        "low_percent": low if math.isfinite(low) else None,
        "high_percent": high if math.isfinite(high) else None,
        "probability_better": c.better,
    }


def _to_go(experiment: Experiment, contrasts: Sequence[Contrast]) -> str:
    """Return how much is still missing, in words, if things go on as they are."""
    rules = experiment.rules
    if not contrasts or not max(c.days for c in contrasts):
        return f"No outcome is known yet; at least {rules.min_events} events on {rules.min_days} days are needed."
    c = min(contrasts, key=lambda c: c.events)
    a_day = c.events / c.days
    days = max(
        rules.min_days - c.days, math.ceil((rules.min_events - c.events) / a_day) if a_day else rules.max_days, 0
    )
    if not c.codes and c.sequence.low is not None and c.sequence.value is not None:
        reach = (c.sequence.value - c.sequence.low) / inference.boundary(c.days, rules.confidence)
        least = max(abs(c.sequence.value), rules.practical_percent / 100)
        ahead = range(c.days, rules.max_days + 1)
        until = next((d for d in ahead if reach * inference.boundary(d, rules.confidence) <= least), rules.max_days)
        days = max(days, until - c.days)
    return f"~{round(days * a_day):,} events, ~{days} days to go."


def _arm(name: str, version: str, known: Recorded) -> Arm:
    sums = known.sums[name]
    cases, failed = sums.total("cases"), sums.total("failed")
    hits, misses, false_alarms = (sums.total(what) for what in ("hits", "misses", "false_alarms"))
    n, p, y = sums.bins()
    return Arm(
        variant_id=name,
        version=version,
        counts=known.counts[name],
        events=int(sums.total("events")),
        brier=_over(sums.total("brier"), cases),
        log_score=_over(sums.total("log"), cases),
        pod=_over(hits, hits + misses),
        far=_over(false_alarms, hits + false_alarms),
        csi=_over(hits, hits + misses + false_alarms),
        slope=inference.slope(n, p, y),
        latency_ms=_over(sums.total("ms"), sums.total("timed")),
        error_rate=_over(failed, cases + failed),
        reliability=tuple((float(p[i] / n[i]), float(y[i] / n[i]), int(n[i])) for i in np.flatnonzero(n)),
    )


def _over(above: float, below: float) -> float | None:
    return above / below if below else None
