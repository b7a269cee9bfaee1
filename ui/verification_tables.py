"""Tables of a verification report: what the numbers meant, the measures beside their references, groups of cases."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core import FEW_EVENTS, MEASURES, QUESTIONS, Meant, Measure, Scorecard, VerificationReport
from ui.language import say
from ui.words import count, percent

#: What stands under no question of ours.
OTHER_QUESTION = "Other measures"
GROUP_MEASURES = ("brier_skill", "auc", "best_csi")
#: Said once in the question instead of in every measure of warnings.
AT_ALARM = " at the alarm"
UNKNOWN = "–"


def meant(found: VerificationReport) -> pd.DataFrame:
    """Return one row per range of probability: how often it was said, and how often the event then happened.

    The column "how often" is a percentage for a bar, NaN where the range was never said.
    """
    return pd.DataFrame(
        [
            {
                "when it said": f"{100 * row.low:g}–{100 * row.high:g} %",
                "it happened in": say("{events} of {n}", events=count(row.events), n=count(row.n))
                if row.n
                else say("never said"),
                "how often": float("nan") if row.frequency is None else 100 * row.frequency,
                "90 % interval": _percents(row.interval),
                "which is": reading(row.low, row.high, row.interval),
            }
            for row in found.meant
        ]
    )


def meant_text(row: Meant) -> str:
    """Return one row in a sentence."""
    values = {"low": f"{100 * row.low:g}", "high": f"{100 * row.high:g}"}
    if row.frequency is None or row.interval is None:
        return say("Said {low} to {high} %: never.", **values)
    return say(
        "Said {low} to {high} %: it happened in {events} of {n} ({seen} %, 90 % interval {least} to {most} %).",
        events=count(row.events), n=count(row.n), seen=f"{100 * row.frequency:.3g}",
        least=f"{100 * row.interval[0]:.3g}", most=f"{100 * row.interval[1]:.3g}", **values,
    )  # fmt: skip


def reading(low: float, high: float, interval: tuple[float, float] | None) -> str:
    """Return in words how the interval of a frequency lies to the range that was said."""
    if interval is None:
        return UNKNOWN
    if interval[1] < low:
        return say("▼ less often than said")
    if interval[0] > high:
        return say("▲ more often than said")
    return say("as said, for all we know")


def _percents(interval: tuple[float, float] | None) -> str:
    return (
        UNKNOWN
        if interval is None
        else say("{interval:.2g} to {interval_2:.2g} %", interval=100 * interval[0], interval_2=100 * interval[1])
    )


def scores(found: VerificationReport) -> pd.DataFrame:
    """Return one row per measure: this forecast with its interval, the references, and what the measure tells."""
    rows = []
    for question, name in asked(found.card):
        measure = found.card.measures[name]
        title = say(MEASURES[name]).partition(" (")[0].removesuffix(AT_ALARM)
        row = {"question": say(question), "measure": title, "this forecast": number(measure)}
        row["90 % interval"] = interval(measure)
        row |= {say(title): number(card.measures.get(name)) for title, card in found.references.items()}
        rows.append(row | {"what it tells": say(QUESTIONS.get(question, {}).get(name, ""))})
    return pd.DataFrame(rows)


def asked(card: Scorecard) -> list[tuple[str, str]]:
    """Return question and name of every measure of a card, in the order of the questions."""
    named = [(question, name) for question, names in QUESTIONS.items() for name in names if name in card.measures]
    known = {name for _, name in named}
    return named + [(OTHER_QUESTION, name) for name in card.measures if name not in known]


def groups(cards: Mapping[str, Scorecard]) -> pd.DataFrame:
    """Return one row per group of cases; no skill is given where there are too few events to say."""
    return pd.DataFrame([_group(label, card) for label, card in cards.items()])


def _group(label: str, card: Scorecard) -> dict[str, str]:
    row = {"group": say(label), "cases": f"{card.n:,}", "events": f"{card.events:,}"}
    row["base rate"] = UNKNOWN if card.base_rate is None else percent(card.base_rate)
    few = card.events < FEW_EVENTS
    return row | {say(MEASURES[m]): say("too few events") if few else number(card.measures[m]) for m in GROUP_MEASURES}


def number(measure: Measure | None) -> str:
    """Return the value of a measure; what is not defined or not available is a dash."""
    return UNKNOWN if measure is None or measure.value is None else _digits(measure.value)


def interval(measure: Measure) -> str:
    """Return the interval of a measure, a dash where there is none."""
    if measure.low is None or measure.high is None:
        return UNKNOWN
    return say("{low} to {high}", low=_digits(measure.low), high=_digits(measure.high))


def _digits(value: float) -> str:
    """Return a number with as many digits as are worth reading, and no minus before a zero."""
    decimals = 6 if abs(value) < 0.001 else 4 if abs(value) < 0.1 else 3 if abs(value) < 10 else 1
    if not round(value, decimals):
        return "0"
    return f"{value:.{decimals}f}"
