"""Tables of experiments and the words in them. A difference never stands without its cases, events and interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from core import (
    Arm,
    Code,
    Contrast,
    Experiment,
    ExperimentAnalysis,
    Guardrail,
    Measure,
    Region,
    Stage,
    Status,
    Step,
    TrafficSplitStrategy,
    shares_after,
)
from ui.language import say
from ui.words import local

#: Sign and colour of a status: told by sign and word, the colour says it once more.
STATUS: Mapping[Status, tuple[str, str]] = {
    Status.NOT_STARTED: ("○", "gray"),
    Status.COLLECTING: ("…", "blue"),
    Status.UNHEALTHY: ("✕", "red"),
    Status.SHIP_NOW: ("▲", "green"),
    Status.ROLL_BACK: ("▼", "orange"),
    Status.NO_DIFFERENCE: ("=", "gray"),
}
STAGES: Mapping[Stage, tuple[str, str]] = {
    Stage.RUNNING: ("▶", "cases are recorded, and people are shown the variants by their shares"),
    Stage.PAUSED: ("‖", "everybody is shown the control, nothing is recorded until it goes on"),
    Stage.DRAFT: ("○", "defined, not begun: everybody is shown the control"),
    Stage.STOPPED: ("■", "ended without a decision: everybody is shown the control, outcomes still come in"),
    Stage.DECIDED: ("✓", "ended with a decision; it never changes again"),
}
STRATEGIES: Mapping[TrafficSplitStrategy, str] = {
    TrafficSplitStrategy.RANDOM: "equal shares",
    TrafficSplitStrategy.PERCENTAGE: "shares in percent",
    TrafficSplitStrategy.USER_HASH: "shares in percent, kept by each unit for good",
    TrafficSplitStrategy.GRADUAL_ROLLOUT: "growing share, step by step",
}
#: What keeps numbers from being believed: what it means, and what to do.
CODES: Mapping[Code, tuple[str, str]] = {
    Code.TOO_FEW_EVENTS: (
        "Too few heavy-rain events, or too few days, to say anything: most of what shows now is chance",
        "Wait. Intervals and p-values stay empty until there are enough; the weather decides how long that takes.",
    ),
    Code.ZERO_VARIANCE: (
        "The variants say the same in every case",
        "Check that two different versions take part. If they do, end it: no amount of weather tells them apart.",
    ),
    Code.SAMPLE_RATIO_MISMATCH: (
        "People were not shown the variants in the shares that were set",
        "Believe no number here. Something is lost or assigned twice: find it, stop this one, begin a new one.",
    ),
    Code.UNEQUAL_COVERAGE: (
        "The variants have not forecast the same cases, and what one left out may have been the hard ones",
        "See which variant has fewer matured cases or more errors, and look for the reason in the log.",
    ),
    Code.MODEL_NOT_LOADED: (
        "A variant's model cannot be loaded, so that side forecasts nothing",
        "See on the page Models whether its version is refused. Stop this one; begin a new one with a sound version.",
    ),
}
#: What to do, by status.
ADVICE: Mapping[Status, str] = {
    Status.NOT_STARTED: "start it when the season and both versions are ready.",
    Status.COLLECTING: "wait. Looking is free: the bounds hold however often you look.",
    Status.UNHEALTHY: "stop it and find the reason. No number below can be believed until then.",
    Status.SHIP_NOW: "decide for the challenger, then promote it.",
    Status.ROLL_BACK: "decide for the control.",
    Status.NO_DIFFERENCE: "decide for the control, or for whichever is cheaper to run.",
}
HOLDS, BROKEN, TOO_EARLY = "✓ holds", "✕ broken", "… too early"
#: Guardrails that events decide.
NEED_EVENTS = ("POD", "calibration slope")
UNSAID = "not yet"


def share(value: float) -> str:
    """Return a share in percent, to a hundredth where it needs it."""
    return f"{round(100 * value, 2):g} %"


def gain(measure: Measure) -> str:
    """Return a gain in percent with its interval; without one nothing is said."""
    if measure.value is None or measure.low is None or measure.high is None:
        return say(UNSAID)
    return say(
        "{value:+.1f} % ({low:+.1f} to {high:+.1f} %)",
        value=100 * measure.value,
        low=100 * measure.low,
        high=100 * measure.high,
    )


def p_value(p: float | None) -> str:
    """Return a p-value to three digits."""
    if p is None:
        return say(UNSAID)
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def status_words(found: ExperimentAnalysis) -> str:
    """Return what it comes to: by the records while it runs, by what people did once it has ended."""
    if found.stage is Stage.DECIDED:
        return say("✓ Decided: {winner_variant}", winner_variant=found.winner.winner_variant or say("nobody won"))
    sign, word = STATUS[found.status][0], say(found.status.value)
    if found.stage is Stage.STOPPED and found.status is Status.COLLECTING:
        return say("■ Stopped undecided")
    return f"{sign} {word}"


def stage_words(stage: Stage) -> str:
    """Return sign and word of a stage."""
    return f"{STAGES[stage][0]} {say(stage.value)}"


def listed(found: Iterable[ExperimentAnalysis]) -> pd.DataFrame:
    """Return one row per experiment and challenger."""
    return pd.DataFrame(
        [
            {
                "experiment": one.experiment.id,
                "status": status_words(one),
                "stage": stage_words(one.stage),
                "arms": len(one.arms),
                "control": one.experiment.control.model,
                "challenger": _challenger(one.experiment, c.variant_id),
                "gain, with interval": say("not sound") if one.status is Status.UNHEALTHY else gain(c.gain),
                "cases": f"{c.pairs:,}",
                "events": f"{c.events:,}",
                "days": f"{c.days:,}",
            }
            for one in found
            for c in one.contrasts
        ]
    )


def _challenger(experiment: Experiment, name: str) -> str:
    variant = next(v for v in experiment.challengers if v.variant_id == name)
    return variant.model if len(experiment.challengers) == 1 else f"{name}: {variant.model}"


def shown_to(found: ExperimentAnalysis, shares: Mapping[str, float]) -> pd.DataFrame:
    """Return one row per arm: what it is, who is shown it, and what became of its forecasts."""
    return pd.DataFrame(
        [
            {
                "variant": _named(found.experiment, arm),
                "version": arm.version,
                "share now": share(shares[arm.variant_id]),
                "units shown it": f"{arm.counts.units:,}",
                "outcome known": f"{arm.counts.matured:,}",
                "outcome awaited": f"{arm.counts.pending:,}",
                "given up": f"{arm.counts.expired:,}",
                "failed": "–" if arm.error_rate is None else f"{arm.error_rate:.2%}",
                "time of a forecast": "–"
                if arm.latency_ms is None
                else say("{latency_ms:.3g} ms", latency_ms=arm.latency_ms),
            }
            for arm in found.arms
        ]
    )


def scored(found: ExperimentAnalysis) -> pd.DataFrame:
    """Return one row per arm: how it did by itself."""
    return pd.DataFrame(
        [
            {
                "variant": _named(found.experiment, arm),
                "cases": f"{arm.counts.matured:,}",
                "events": f"{arm.events:,}",
                "Brier score": _number(arm.brier, ".4f"),
                "POD": _number(arm.pod),
                "FAR": _number(arm.far),
                "CSI": _number(arm.csi),
                "calibration slope": _number(arm.slope),
            }
            for arm in found.arms
        ]
    )


def _named(experiment: Experiment, arm: Arm) -> str:
    is_control = arm.variant_id == experiment.control.variant_id
    return (
        say("{variant_id} (control)", variant_id=arm.variant_id)
        if is_control and arm.variant_id != "control"
        else arm.variant_id
    )


def _number(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else f"{value:{form}}"


def contrasted(found: ExperimentAnalysis, c: Contrast) -> pd.DataFrame:
    """Return one row per thing known of a challenger against the control, with what it means."""
    sure, several = found.experiment.rules.confidence, len(found.contrasts)
    among = "" if several == 1 else say(", of {several} challengers", several=several)
    rows = (
        (say("gain in the Brier score"), gain(c.gain), say("{sure:g} % interval over days, for one look", sure=sure)),
        (say("… at every look"), gain(c.sequence), say("bounds that hold at every look: they decide")),
        (say("gain in the log score"), gain(c.log_gain), say("weighs being sure and wrong more")),
        (say("probability of being better"), _percent(c.better), say("given the days so far")),
        (say("p (Diebold–Mariano)"), p_value(c.p_adjusted), say("how often luck alone does so{among}", among=among)),
        (say("p of warnings (McNemar)"), p_value(c.p_warnings), say("the same, for right and wrong warnings")),
        (say("POD"), _points(c, c.pod), say("of the events had a warning")),
        (say("FAR"), _points(c, c.far), say("of the warnings were in vain; less is better")),
        (say("CSI"), _points(c, c.csi), say("of events and warnings were hits")),
    )
    return pd.DataFrame(rows, columns=["measure", "challenger", "what it means"])


def _percent(value: float | None) -> str:
    if value is None:
        return say(UNSAID)
    return "> 99.9 %" if value > 0.999 else "< 0.1 %" if value < 0.001 else f"{value:.1%}".replace("%", " %")


def _points(c: Contrast, value: float | None) -> str:
    if Code.TOO_FEW_EVENTS in c.codes:
        return say(UNSAID)
    return "–" if value is None else say("{value:+.1f} points", value=100 * value)


def guardrails(c: Contrast) -> pd.DataFrame:
    """Return one row per thing that must not get worse."""
    return pd.DataFrame(
        [{"must not get worse": say(g.name), "state": _state(c, g), "found": say(g.text)} for g in c.guardrails],
    )


def _state(c: Contrast, g: Guardrail) -> str:
    if g.met and g.name in NEED_EVENTS and Code.TOO_FEW_EVENTS in c.codes:
        return say(TOO_EARLY)
    return say(HOLDS if g.met else BROKEN)


def taken(experiment: Experiment, steps: Iterable[Step], region: Region) -> pd.DataFrame:
    """Return one row per step, the newest first: when, what, who, why, and who was shown what from then on."""
    rows = [
        {
            "when": local(step.at, region, "%d %b %Y %H:%M"),
            "what": f"{STAGES[step.stage][0]} {say(step.action)}",
            "shown from then on": ", ".join(f"{name} {share(part)}" for name, part in shares.items()),
            "who": step.who,
            "why": step.why,
        }
        for step, shares in split(experiment, steps)
    ]
    return pd.DataFrame(rows[::-1])


def split(experiment: Experiment, steps: Iterable[Step]) -> list[tuple[Step, Mapping[str, float]]]:
    """Return every step with the shares of the variants from then on, the control first."""
    taken = list(steps)
    names = [v.variant_id for v in experiment.variants]
    out: list[tuple[Step, Mapping[str, float]]] = []
    for number, step in enumerate(taken, 1):
        shares = shares_after(experiment, taken[:number])
        out.append((step, {name: shares[name] for name in names}))
    return out
