"""A challenger against the control: gain, evidence, and what must not get worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.domain.experiment import (
    Code,
    Rules,
)
from core.domain.experiment_analysis import (
    Contrast,
    Growth,
    Guardrail,
)
from core.domain.learning import Measure
from core.experiments import classical, inference
from core.experiments.inference import Floats
from core.experiments.sums import Sums

#: A day's forecasts overlap with the next day's, whose difference is not news: Diebold and Mariano's horizon, days.
HORIZON_DAYS = 2
#: Guardrails are many and looked at often: each alarms at one in a thousand.
ALARM = 0.001


def contrast(name: str, pair: tuple[Sums, Sums], rules: Rules, confidence: float, rng: np.random.Generator) -> Contrast:
    """Return a challenger against the control.

    Parameters
    ----------
    pair
        Sums of the challenger and of the control, of the same days, oldest first.
    confidence
        Percent, of the always-valid bounds: more than the rules say where several challengers share it.
    """
    some = pair[0]["pairs"] > 0
    own, control = (Sums(sums.days[some]) for sums in pair)
    gain, loss, cases = own["gain"], own["control_brier"], own["pairs"]
    events = int(own.total("pair_events"))
    codes = []
    if events < rules.min_events or len(gain) < max(rules.min_days, 1):
        codes.append(Code.TOO_FEW_EVENTS)
    elif not np.ptp(gain / cases):
        codes.append(Code.ZERO_VARIANCE)
    known = not codes
    mean, low, high = inference.sequence(gain, loss, confidence, rules.min_days)
    held = np.cumsum(own["pair_events"]) >= rules.min_events  # no bounds before there are events to speak of
    low, high = (np.where(held, bound, np.nan) for bound in (low, high))
    return Contrast(
        variant_id=name,
        pairs=int(cases.sum()),
        events=events,
        days=len(gain),
        gain=_shown(inference.relative_gain(gain, loss, rules.confidence, rng), known),
        sequence=_last(mean, low, high) if known else Measure(None),
        log_gain=_shown(inference.relative_gain(own["log_gain"], own["control_log"], rules.confidence, rng), known),
        p_value=inference.diebold_mariano(gain / cases, HORIZON_DAYS) if known else None,
        p_adjusted=None,
        p_warnings=classical.mcnemar(int(own.total("only_own")), int(own.total("only_control"))) if known else None,
        better=inference.probability_better(gain, rng) if known else None,
        pod=_difference(own, "hits", "misses"),
        far=_difference(own, "false_alarms", "hits"),
        csi=_csi(own, "pair") - _csi(own, "control") if _has_warnings(own) else None,
        codes=tuple(codes),
        guardrails=(
            _pod(own, rules),
            _slope(own, rules),
            _latency(own, control, rules),
            _errors(*pair, rules),
        ),
        growth=_growth(own, mean, low, high),
    )


def adjusted(contrasts: tuple[Contrast, ...]) -> tuple[Contrast, ...]:
    """Return contrasts with p-values that know of one another."""
    several = classical.holm([c.p_value for c in contrasts])
    return tuple(replace(c, p_adjusted=p) for c, p in zip(contrasts, several, strict=True))


def _shown(measure: Measure, known: bool) -> Measure:
    """Return a measure without an interval where nothing can be said."""
    return measure if known else Measure(measure.value)


def _last(mean: Floats, low: Floats, high: Floats) -> Measure:
    """Return what the last day says, without bounds where they are none: infinite while all losses are of one spell."""
    value, *bounds = (float(part[-1]) for part in (mean, low, high))
    if not np.isfinite(value):
        return Measure(None)
    return Measure(value, *bounds) if np.isfinite(bounds).all() else Measure(value)


def _growth(own: Sums, mean: Floats, low: Floats, high: Floats) -> Growth:
    bounds = np.isfinite(low)
    events = np.cumsum(own["pair_events"])[bounds].astype(int)
    return Growth(tuple(events.tolist()), *(tuple(part[bounds].tolist()) for part in (mean, low, high)))


def _rate(sums: Sums, who: str, part: str, rest: str) -> float | None:
    some, other = sums.total(f"{who}_{part}"), sums.total(f"{who}_{rest}")
    return some / (some + other) if some + other else None


def _difference(sums: Sums, part: str, rest: str) -> float | None:
    """Return the challenger's share of a part among part and rest, less the control's; None where that is undefined."""
    own, control = (_rate(sums, who, part, rest) for who in ("pair", "control"))
    return None if own is None or control is None else own - control


def _has_warnings(sums: Sums) -> bool:
    return all(
        sums.total(f"{who}_hits") + sums.total(f"{who}_misses") + sums.total(f"{who}_false_alarms")
        for who in ("pair", "control")
    )


def _csi(sums: Sums, who: str) -> float:
    hits = sums.total(f"{who}_hits")
    return hits / (hits + sums.total(f"{who}_misses") + sums.total(f"{who}_false_alarms"))


def _pod(own: Sums, rules: Rules) -> Guardrail:
    """Return whether fewer events were warned of: beyond the limit, and beyond chance at every look."""
    events = own["pair_events"]
    fall = _difference(own, "hits", "misses")
    if fall is None or events.sum() < rules.min_events:
        return Guardrail("POD", True, "too few events to say")
    some = events > 0
    _, _, high = inference.sequence(
        (own["pair_hits"] - own["control_hits"])[some], events[some], 100 * (1 - ALARM), rules.min_days
    )
    surely = bool(len(high)) and bool(high[-1] < 0)
    text = f"{100 * fall:+.1f} points at the alarm; it may fall by {rules.pod_points:g}"
    return Guardrail("POD", not (surely and fall < -rules.pod_points / 100), text)


def _slope(own: Sums, rules: Rules) -> Guardrail:
    """Return whether it is calibrated: that alone rolls nothing back, but nothing is shipped without it."""
    found = inference.slope(*own.bins())
    low, high = rules.slope
    if found is None or own.total("events") < rules.min_events:
        return Guardrail("calibration slope", True, "too few events to say")
    return Guardrail("calibration slope", low <= found <= high, f"{found:.2f}; it may lie between {low:g} and {high:g}")


def _latency(own: Sums, control: Sums, rules: Rules) -> Guardrail:
    """Return whether it takes too long, beyond the limit and beyond chance."""
    n = int(own.total("timed")), int(control.total("timed"))
    if min(n) < 2:
        return Guardrail("latency", True, "not measured")
    mean = own.total("ms") / n[0], control.total("ms") / n[1]
    squares = own.total("ms_squared"), control.total("ms_squared")
    variance = tuple(max(s - count * m**2, 0.0) / (count - 1) for s, count, m in zip(squares, n, mean, strict=True))
    p = classical.welch(mean, (variance[0], variance[1]), n)
    slow = mean[0] > rules.latency_ratio * mean[1] and (p is None or p < ALARM)
    text = f"{mean[0]:.3g} ms beside {mean[1]:.3g} ms; {rules.latency_ratio:g} times as long is too long"
    return Guardrail("latency", not slow, text)


def _errors(own: Sums, control: Sums, rules: Rules) -> Guardrail:
    """Return whether it fails more often, beyond the limit and beyond chance; of all days, for it may always fail."""
    failed = int(own.total("failed")), int(control.total("failed"))
    trials = failed[0] + int(own.total("cases")), failed[1] + int(control.total("cases"))
    if min(trials) < 1:
        return Guardrail("errors", True, "nothing recorded")
    more = failed[0] / trials[0] - failed[1] / trials[1]
    p = classical.two_proportions(failed, trials)
    often = more > rules.error_points / 100 and p is not None and p < ALARM
    return Guardrail(
        "errors", not often, f"{failed[0]:,} of {trials[0]:,} failed, of the control {failed[1]:,} of {trials[1]:,}"
    )
