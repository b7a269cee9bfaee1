"""Tables of the life of models: experiments with their arms and contrasts, and who served when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.experiment_analysis import Arm, Contrast, ExperimentAnalysis
from core.domain.learning import Measure
from core.domain.lifecycle import Deployment
from core.domain.workbook import Kind, Sheet, SheetColumn
from core.words import Language
from core.workflows.tables_words import event_text, time_column


def sheets(
    words: Language, found: Sequence[ExperimentAnalysis], deployments: Sequence[Deployment], problem: str = ""
) -> Iterator[Sheet]:
    """Return the tables of experiments and deployments; `problem` says why they may not be whole."""
    yield _experiments(words, found, problem)
    yield _arms(words, found)
    yield _contrasts(words, found)
    yield _deployments(words, deployments, problem)


def _experiments(words: Language, found: Sequence[ExperimentAnalysis], problem: str) -> Sheet:
    say = words.say
    columns = (
        SheetColumn(say("Experiment"), width=24),
        SheetColumn(say("Stage"), width=12),
        SheetColumn(say("Status"), width=22),
        SheetColumn(say("What it comes to"), width=50),
        SheetColumn(say("Winner"), width=16),
        SheetColumn(say("Decided by the rule"), width=40),
        SheetColumn(say("Event"), width=14),
        time_column(say("Made at (UTC)")),
        SheetColumn(say("Made by"), width=16),
        SheetColumn(say("Why"), width=40),
        SheetColumn(say("What keeps it from being believed"), width=30),
    )
    rows = tuple(
        (
            one.experiment.id,
            say(one.stage.value),
            say(one.status.value),
            say(one.text),
            one.winner.winner_variant or "",
            one.winner.rule,
            event_text(words, one.experiment.event),
            one.experiment.created_at,
            one.experiment.created_by,
            one.experiment.why,
            "; ".join(code.value for code in one.codes),
        )
        for one in found
    )
    note = say(problem) if problem else say("Experiments on the forecasts of this region.")
    return Sheet(say("Experiments"), columns, rows, note=note)


def _arms(words: Language, found: Sequence[ExperimentAnalysis]) -> Sheet:
    say = words.say
    columns = (
        SheetColumn(say("Experiment"), width=24),
        SheetColumn(say("Variant"), width=16),
        SheetColumn(say("Model version"), width=24),
        SheetColumn(say("Share shown now"), Kind.SHARE, 12, 1, bar=True),
        SheetColumn(say("Outcome known"), Kind.COUNT, 12),
        SheetColumn(say("Outcome awaited"), Kind.COUNT, 12),
        SheetColumn(say("Given up"), Kind.COUNT, 12),
        SheetColumn(say("Units shown it"), Kind.COUNT, 12),
        SheetColumn(say("Events"), Kind.COUNT, 10),
        *(SheetColumn(say(name), Kind.NUMBER, 12, 4) for name in ("Brier score", "Log score")),
        *(SheetColumn(say(name), Kind.SHARE, 10, 1) for name in ("POD", "FAR", "CSI")),
        SheetColumn(say("Calibration slope"), Kind.NUMBER, 12),
        SheetColumn(say("Time of a forecast, ms"), Kind.NUMBER, 12),
        SheetColumn(say("Share that failed"), Kind.SHARE, 12),
    )
    rows = tuple((one.experiment.id, *_arm(one, arm)) for one in found for arm in one.arms)
    return Sheet(say("Arms"), columns, rows, note=say("Every variant by itself, on the cases whose outcome is known."))


def _arm(one: ExperimentAnalysis, arm: Arm) -> tuple[object, ...]:
    counts = arm.counts.matured, arm.counts.pending, arm.counts.expired, arm.counts.units
    scores = arm.brier, arm.log_score, arm.pod, arm.far, arm.csi, arm.slope, arm.latency_ms, arm.error_rate
    return (arm.variant_id, arm.version, one.shares.get(arm.variant_id), *counts, arm.events, *scores)


def _contrasts(words: Language, found: Sequence[ExperimentAnalysis]) -> Sheet:
    say = words.say
    gains = ("Gain in the Brier score", "Gain at every look", "Gain in the log score")
    columns = (
        SheetColumn(say("Experiment"), width=24),
        SheetColumn(say("Challenger"), width=16),
        SheetColumn(say("Pairs"), Kind.COUNT, 10),
        SheetColumn(say("Events"), Kind.COUNT, 10),
        SheetColumn(say("Days"), Kind.COUNT, 10),
        *(
            SheetColumn(title, Kind.SHARE, 14)
            for gain in gains
            for title in (
                say(gain),
                say("{what}: lower bound", what=say(gain)),
                say("{what}: upper bound", what=say(gain)),
            )
        ),
        SheetColumn(say("p (Diebold–Mariano)"), Kind.NUMBER, 12, 4),
        SheetColumn(say("p among all challengers (Holm)"), Kind.NUMBER, 14, 4),
        SheetColumn(say("p of warnings (McNemar)"), Kind.NUMBER, 12, 4),
        SheetColumn(say("Probability of being better"), Kind.SHARE, 14, 1),
        *(SheetColumn(say("{what}, difference", what=say(name)), Kind.SHARE, 12) for name in ("POD", "FAR", "CSI")),
        SheetColumn(say("What keeps it from being believed"), width=30),
        SheetColumn(say("Guardrails"), width=60),
    )
    rows = tuple((one.experiment.id, *_contrast(words, c)) for one in found for c in one.contrasts)
    note = say(
        "A challenger against the control on the cases that both have forecast: above 0 the challenger is better."
    )
    return Sheet(say("Contrasts"), columns, rows, note=note)


def _contrast(words: Language, c: Contrast) -> tuple[object, ...]:
    gains = [part for gain in (c.gain, c.sequence, c.log_gain) for part in _bounded(gain)]
    rails = (f"{words.say('holds') if g.met else words.say('broken')}: {g.name}, {g.text}" for g in c.guardrails)
    tests = c.p_value, c.p_adjusted, c.p_warnings, c.better, c.pod, c.far, c.csi
    codes = "; ".join(code.value for code in c.codes)
    return (c.variant_id, c.pairs, c.events, c.days, *gains, *tests, codes, "; ".join(rails))


def _bounded(gain: Measure) -> tuple[float | None, ...]:
    return gain.value, gain.low, gain.high


def _deployments(words: Language, deployments: Sequence[Deployment], problem: str) -> Sheet:
    say = words.say
    columns = (
        SheetColumn(say("Number"), Kind.COUNT, 10),
        time_column(say("Deployed at (UTC)")),
        SheetColumn(say("How"), width=14),
        SheetColumn(say("From version"), width=26),
        SheetColumn(say("To version"), width=26),
        SheetColumn(say("Who"), width=16),
        SheetColumn(say("Why"), width=50),
        SheetColumn(say("What the gate said"), width=70),
    )
    rows = tuple(
        (
            d.generation,
            d.at,
            say(d.action),
            d.from_version or say("the shipped model"),
            d.to_version,
            d.who,
            d.why,
            "; ".join(d.verdict.reasons) if d.verdict is not None else say("not asked"),
        )
        for d in deployments
    )
    note = say(problem) if problem else say("Every change of the model that serves this region, the newest first.")
    return Sheet(say("Models that served"), columns, rows, note=note)
