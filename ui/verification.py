"""Pieces of the verification page: what was issued and became of it, the verdict, scores, and what to mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import streamlit as st

from core import (
    FEW_DAYS,
    FEW_EVENTS,
    CloudburstError,
    Core,
    Issue,
    VerificationReport,
    VerifiedCases,
    Window,
)
from ui import components, verification_controls, verification_figures, verification_tables
from ui.language import current, say
from ui.shared import shared
from ui.verification_controls import Question
from ui.words import count, heads, percent, plain, source

#: The range of probability that is put into a sentence, where it was ever said.
TOLD = 0.1
ABOUT = {
    "Issued": "One forecast per place and hour: the last one issued within an hour of the hour it is valid from.",
    "Matured": "The window is over and what fell in it is known: these are scored.",
    "Pending": "The window is not over, or its truth may still come.",
    "Missing": "What fell never came or failed its checks. Missing truth is not counted as no rain.",
    "No number": "No probability was given: no data or no model.",
    "Events": "Matured forecasts after which it happened. Places and hours of one storm count each.",
    "Base rate": "How often it happened, of the matured ones.",
}


def ask(core: Core, now: Issue) -> tuple[Question, VerifiedCases]:
    """Let the forecaster choose; return the question and what was issued. A refusal ends the script here."""
    line = st.container(horizontal=True, vertical_alignment="bottom")
    with line:
        question = verification_controls.pick(now)
    try:
        with st.spinner(say("Reading what was issued …"), show_time=True):
            found = issued(core, now, question)
    except CloudburstError as error:
        components.refusal(error)
        st.stop()
    with line:
        version = verification_controls.pick_version(found)
    return replace(question, version=version), _of_version(found, version)


def issued(core: Core, now: Issue, question: Question, window: Window | None = None) -> VerifiedCases:
    """Return what was issued in the window of the question or in another one, of the version asked for."""
    region_id = now.forecast.region.id
    found = _issued(now.forecast.version, region_id, window or question.event.window, question.since, core)
    return _of_version(found, question.version)


@shared(6)
def _issued(
    version: str,  # noqa: ARG001 - keys the cache
    region_id: str,
    window: Window,
    since: datetime | None,
    _core: Core,
) -> VerifiedCases:
    return _core.scoring.issued(region_id, window, since)


def _of_version(cases: VerifiedCases, version: str | None) -> VerifiedCases:
    return cases if version is None else cases.select(cases.model_version == version)


def key(question: Question, cases: VerifiedCases) -> str:
    """Return the version of a report: the question, and what has become of the cases."""
    became = f"{cases.issued} {cases.matured} {cases.pending} {cases.missing}"
    last = cases.issued_at.max() if len(cases) else ""
    return f"{cases.source} {cases.region_id} {question} {became} {last} {current().code}"


def report(core: Core, question: Question, cases: VerifiedCases) -> VerificationReport | None:
    """Return the report, made once for all sessions with this question; None where nothing can be scored yet.

    Where it cannot be made the error stands below the controls, and the script ends here.
    """
    try:
        with st.spinner(say("Scoring …"), show_time=True):
            return _report(key(question, cases), question, cases, core)
    except CloudburstError as error:
        components.refusal(error)
        st.stop()


@shared(8)
def _report(
    key: str,  # noqa: ARG001 - keys the cache
    _question: Question,
    _cases: VerifiedCases,
    _core: Core,
) -> VerificationReport | None:
    return _core.scoring.report(_cases, _question.event)


def counts(question: Question, cases: VerifiedCases, found: VerificationReport | None) -> None:
    """Show how many forecasts there are, what became of them, and how rare the event was."""
    base = None if found is None else found.card.base_rate
    values = {
        "Issued": f"{cases.issued:,}",
        "Matured": f"{cases.matured:,}",
        "Pending": f"{cases.pending:,}",
        "Missing": f"{cases.missing:,}",
        "No number": f"{cases.unknown:,}",
        "Events": "–" if found is None else f"{found.card.events:,}",
        "Base rate": "–" if base is None else percent(base),
    }
    with st.container(horizontal=True):
        for name, value in values.items():
            st.metric(say(name), value, help=say(ABOUT[name]), border=True, width=130)
    truth = (
        say("Simulated: forecasts and truth alike")
        if cases.simulated
        else say("Truth from {source_text}", source_text=plain(source(cases.source_text)))
    )
    st.caption(
        say(
            "{text}, issued {period_text}. {truth}. Scored is what was issued, no re-run.",
            text=plain(question.text),
            period_text=question.period_text,
            truth=truth,
        )
    )


def verdict(found: VerificationReport, question: Question) -> None:
    """Say whether the forecast is better than knowing the climate, or that nobody can say yet."""
    card, skill = found.card, found.card.measures["brier_skill"]
    what = plain(question.text)
    if found.too_few:
        st.warning(
            say(
                "**{events} on {days}: too few to say.** With fewer than {FEW_EVENTS} events or {FEW_DAYS} days "
                "neither skill nor its absence can be told; the numbers below are counts, no verdict.",
                events=_events(card.events),
                days=_days(found.days),
                FEW_EVENTS=FEW_EVENTS,
                FEW_DAYS=FEW_DAYS,
            ),
            icon=":material/hourglass_empty:",
        )
        return
    told = say(
        "Brier skill {skill}, 90 % interval {skill_2}",
        skill=verification_tables.number(skill),
        skill_2=verification_tables.interval(skill),
    )
    if found.has_skill:
        beside = _beside_persistence(found)
        st.success(
            say("**Better than climatology** for {what}: {told}. {beside}", what=what, told=told, beside=beside),
            icon=":material/check_circle:",
        )
    else:
        st.warning(
            say(
                "**No skill beyond climatology** for {what}: {told}, which does not lie above 0. Go by the base rate, "
                "{base_rate}, rather than by these probabilities.",
                what=what,
                told=told,
                base_rate=percent(card.base_rate or 0.0),
            ),
            icon=":material/block:",
        )


def _events(n: int) -> str:
    return say("{n} event", n=n) if n == 1 else say("{n} events", n=count(n))


def _days(n: int) -> str:
    return say("{n} day", n=n) if n == 1 else say("{n} days", n=count(n))


def _beside_persistence(found: VerificationReport) -> str:
    """Say whether it is better than what the rain before alone would tell."""
    beyond = found.beyond_persistence
    if beyond.low is None or beyond.high is None:
        return ""
    bounds = say("(difference of the skill {beyond})", beyond=verification_tables.interval(beyond))
    if beyond.low > 0:
        return say("It also beats persistence {bounds}.", bounds=bounds)
    return (
        say("**Persistence did better** {bounds}.", bounds=bounds)
        if beyond.high < 0
        else say("Whether it beats persistence is open {bounds}.", bounds=bounds)
    )


def what_the_numbers_meant(found: VerificationReport, version: str) -> None:
    """Show for every range of probability how often it was said and how often it then happened."""
    told = next((row for row in found.meant if row.low == TOLD and row.n), None)
    told = told or max(found.meant, key=lambda row: row.events)
    st.markdown(f"**{plain(verification_tables.meant_text(told))}**")
    table = verification_tables.meant(found)
    left, right = st.columns([3, 2])
    with left:
        most = max(float(table["how often"].max()), 1.0)
        bar = st.column_config.ProgressColumn(format="%.2g %%", min_value=0, max_value=most)
        st.dataframe(heads(table), hide_index=True, height="content", column_config={say("how often"): bar})
        st.caption(say("The interval is that of whole days drawn again: hours of one storm are no independent cases."))
    with right:
        st.plotly_chart(
            verification_figures.meant(version, found), key="meant", config={"displayModeBar": False},
            alt=say("For every range of probability: what was said, and how often it happened with its 90 % interval"),
        )  # fmt: skip


def scores(found: VerificationReport) -> None:
    """Show every measure with its interval beside the references."""
    st.dataframe(
        heads(verification_tables.scores(found)), hide_index=True, height="content",
        column_config={say("what it tells"): {"width": "large"}},
    )  # fmt: skip
    st.caption(
        say(
            "{warned} Climatology: {reference}. Persistence: how often it happened after as much rain as in the hours "
            "before. Both are fitted to these very cases, which makes them harder to beat. Logistic regression and a "
            "raw weather model are not issued here, so they cannot be scored here. A dash: not defined.",
            warned=_warned(found),
            reference=say(found.card.reference),
        )
    )


def _warned(found: VerificationReport) -> str:
    if found.card.alarm is None:
        return say("There was no event, so there are no warnings to judge.")
    return say(
        "Alarm: warnings from a probability of {alarm} on, the best of these very cases; the references have their "
        "own best one, which for climatology is to warn always.",
        alarm=percent(found.card.alarm),
    )
