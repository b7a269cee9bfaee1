"""The measures of a scorecard by the question they answer, in words: what reports say of how forecasts did."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.document import Block, Facts, Heading, Notice, Paragraph, Table
from core.domain.learning import Scorecard
from core.domain.verification import VerifiedCases
from core.verification.scorecard import MEASURES
from core.workflows.reporting_words import Voice, column
from core.workflows.scoring import FEW_DAYS, FEW_EVENTS, VerificationReport

#: The measures by the question they answer, each with what it tells.
QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "Are the probabilities right?": {
        "brier_skill": "1 is perfect, 0 no better than climatology, below 0 worse",
        "brier": "mean squared error of the probability, 0 is perfect",
        "reliability": "part of the Brier score lost by saying too much or too little",
        "resolution": "part of it gained by telling cases apart",
        "uncertainty": "Brier score of always saying the base rate: how hard the cases were",
        "calibration_slope": "1 as said; below 1 the numbers swing too far, above 1 too little",
    },
    "Does it tell events from quiet?": {
        "auc": "how often an event outranks a quiet case; 0.5 is guessing",
        "average_precision": "mean precision over all alarm probabilities; guessing has the base rate",
        "best_csi": "hits among hits, misses and false alarms at the best alarm probability",
    },
    "What would warnings have got?": {
        "csi": "hits among hits, misses and false alarms",
        "pod": "events with a warning",
        "far": "warnings without event",
        "frequency_bias": "warnings per event; 1 is as often as it happened",
        "hss": "right beyond chance; 1 is perfect, 0 chance",
        "ets": "hits beyond chance; 1 is perfect, 0 chance",
        "sedi": "skill that holds for rare events; 1 is perfect, 0 chance",
    },
    "Measures people ask for": {
        "accuracy": "right of all cases: never warning has nearly 100 %, so alone it says nothing",
        "precision": "1 − FAR",
        "recall": "the same as POD",
        "f1": "above 0.6 on this task: a leak until proven otherwise",
    },
}
#: Measures that stand in a line of a group of cases.
OF_GROUPS = ("brier_skill", "auc", "best_csi")


def title_of(name: str, voice: Voice) -> str:
    """Return the name of a measure without what stands in brackets."""
    return voice.say(MEASURES[name]).partition(" (")[0]


def counts(cases: VerifiedCases, found: VerificationReport | None, voice: Voice) -> Facts:
    """Return how many forecasts there are and what became of them."""
    pairs = [
        (voice.say("Issued"), voice.number(cases.issued)),
        (voice.say("Matured: window over, truth known"), voice.number(cases.matured)),
        (voice.say("Pending: truth not known yet"), voice.number(cases.pending)),
        (voice.say("Missing: truth never came"), voice.number(cases.missing)),
        (voice.say("No number: no data or no model"), voice.number(cases.unknown)),
    ]
    if found is not None:
        base = voice.percent(found.card.base_rate)
        pairs += [
            (voice.say("Events"), voice.number(found.card.events)),
            (voice.say("Base rate"), base),
            (voice.say("Days"), voice.number(found.days)),
        ]
    return Facts(tuple(pairs))


def verdict(found: VerificationReport, voice: Voice) -> list[Block]:
    """Return whether the forecast is better than knowing the climate, or that nobody can say yet."""
    card, skill = found.card, found.card.measures["brier_skill"]
    event = voice.within(found.event)
    if found.too_few:
        text = voice.say(
            "Too few to say: {events} events on {days} days. With fewer than {few_events} events or {few_days} days "
            "neither skill nor its absence can be told; the numbers are counts, no verdict.",
            events=voice.number(card.events),
            days=voice.number(found.days),
            few_events=FEW_EVENTS,
            few_days=FEW_DAYS,
        )
        return [Notice(text)]
    told = {"event": event, "skill": voice.measure(skill), "interval": voice.bounds(skill)}
    if found.has_skill:
        text = voice.say("Better than climatology for {event}: Brier skill {skill}, 90 % interval {interval}.", **told)
        return [Paragraph(f"{text} {_beside_persistence(found, voice)}".strip())]
    text = voice.say(
        "No skill beyond climatology for {event}: Brier skill {skill}, 90 % interval {interval}, which does not lie "
        "above 0. Go by the base rate, {base}, rather than by these probabilities.",
        **told,
        base=voice.percent(card.base_rate),
    )
    return [Notice(text)]


def _beside_persistence(found: VerificationReport, voice: Voice) -> str:
    beyond = found.beyond_persistence
    if beyond.low is None or beyond.high is None:
        return ""
    bounds = voice.bounds(beyond)
    if beyond.low > 0:
        return voice.say("It also beats persistence (difference of the skill {interval}).", interval=bounds)
    if beyond.high < 0:
        return voice.say("Persistence did better (difference of the skill {interval}).", interval=bounds)
    return voice.say("Whether it beats persistence is open (difference of the skill {interval}).", interval=bounds)


def meant(found: VerificationReport, voice: Voice) -> Table:
    """Return for every range of probability how often it was said, and how often it then happened."""
    heads = (
        column(voice.say("When it said"), 1.2),
        column(voice.say("it happened in"), 1.6, right=True),
        column(voice.say("which is"), 1.0, right=True),
        column(voice.say("90 % interval"), 1.6, right=True),
        column(voice.say("Reading"), 2.2),
    )
    rows = []
    for row in found.meant:
        said = voice.say("{low} to {high} %", low=f"{100 * row.low:g}", high=f"{100 * row.high:g}")
        if row.frequency is None or row.interval is None:
            rows.append((said, voice.say("never said"), "–", "–", "–"))
            continue
        of = voice.say("{events} of {n}", events=voice.number(row.events), n=voice.number(row.n))
        reading = voice.say(_reading(row.low, row.high, row.interval))
        rows.append((said, of, voice.percent(row.frequency), voice.range(*row.interval), reading))
    title = voice.say("What the numbers meant: {event}", event=voice.within(found.event))
    note = voice.say("The interval is that of whole days drawn again: hours of one storm are no independent cases.")
    return Table(title, heads, tuple(rows), note=note)


def _reading(low: float, high: float, interval: tuple[float, float]) -> str:
    """Return how the interval of a frequency lies to the range that was said: a key of the catalogue."""
    if interval[1] < low:
        return "▼ less often than said"
    return "▲ more often than said" if interval[0] > high else "as said, for all we know"


def scores(found: VerificationReport, voice: Voice) -> list[Block]:
    """Return every measure with its interval beside the references, a table for every question."""
    heads = (
        column(voice.say("Measure"), 1.7),
        column(voice.say("this forecast"), 1.1, right=True),
        column(voice.say("90 % interval"), 1.7, right=True),
        *(column(_reference(name, voice), 1.1, right=True) for name in found.references),
        column(voice.say("What it tells"), 3.2),
    )
    blocks: list[Block] = [Heading(voice.say("Scores beside their references"))]
    for question, names in QUESTIONS.items():
        rows = tuple(
            (
                title_of(name, voice),
                voice.measure(found.card.measures[name]),
                voice.bounds(found.card.measures[name]),
                *(voice.measure(card.measures.get(name)) for card in found.references.values()),
                voice.say(tells),
            )
            for name, tells in names.items()
            if name in found.card.measures
        )
        blocks.append(Table(voice.say(question), heads, rows))
    return [*blocks, Paragraph(_about_scores(found, voice))]


def _reference(title: str, voice: Voice) -> str:
    """Return the name of a reference, which may be followed by its number of cases in brackets."""
    name, bracket, rest = title.partition(" (")
    return voice.say(name) + bracket + rest


def _about_scores(found: VerificationReport, voice: Voice) -> str:
    said = [
        voice.say(
            "Climatology and persistence are fitted to these very cases, which makes them harder to beat. "
            "A dash: not defined."
        )
    ]
    if found.card.alarm is None:
        said.append(voice.say("There was no event, so there are no warnings to judge."))
    else:
        text = voice.say(
            "Warnings are those from a probability of {p} on, the best of these very cases.",
            p=voice.percent(found.card.alarm),
        )
        said.append(text)
    return " ".join(said)


def group_rows(cards: Mapping[str, Scorecard], voice: Voice) -> tuple[tuple[str, ...], ...]:
    """Return a row per group of cases; no skill is given where there are too few events to say."""
    few = voice.say("too few events")
    return tuple(
        (
            label,
            voice.number(card.n),
            voice.number(card.events),
            voice.percent(card.base_rate),
            *(few if card.events < FEW_EVENTS else voice.measure(card.measures[name]) for name in OF_GROUPS),
        )
        for label, card in cards.items()
    )
