"""The diagrams of the verification page; only the chosen one is made."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st
from plotly.graph_objects import Figure

from core import (
    WINDOWS,
    CloudburstError,
    Core,
    Issue,
    LeadTimes,
    Measure,
    Scorecard,
    Stability,
    VerificationReport,
    VerifiedCases,
)
from ui import components, verification, verification_figures, verification_tables
from ui.language import say
from ui.shared import shared
from ui.verification_controls import Question, windows
from ui.words import heads, percent

#: Cost-loss ratio looked at first.
RATIO = 0.05
#: Key of the choice, which is its name in the address bar.
DIAGRAM = "diagram"
PLAIN = {"displayModeBar": False}


def tabs(core: Core, now: Issue, question: Question, found: VerificationReport) -> None:
    """Let the reader choose a diagram and show it; the address bar keeps its English name in every language."""
    version = verification.key(question, found.cases)
    drawn: dict[str, Callable[[], None]] = {
        "Reliability": lambda: _reliability(found, version),
        "ROC": lambda: _roc(found, version),
        "Precision and recall": lambda: _precision_recall(found, version),
        "Performance": lambda: _performance(found, version),
        "Economic value": lambda: _value(found, version),
        "Groups": lambda: _groups(core, now, question, found, version),
        "Lead time": lambda: _lead_times(core, now, question, found),
        "Stability": lambda: _stability(core, question, found, version),
    }
    chosen = st.segmented_control(
        say("Diagrams"), list(drawn), default=next(iter(drawn)), required=True, key=DIAGRAM, bind="query-params",
        format_func=say, label_visibility="collapsed",
    )  # fmt: skip
    drawn[chosen]()


def _reliability(found: VerificationReport, version: str) -> None:
    _beside(
        verification_figures.reliability(version, found),
        "reliability",
        say("How often it happened against the probability that was said with its 90 % interval; cases below"),
        say(
            "**Did it happen as often as said?** On the dashed line it did; below it the numbers were too high, above "
            "it too low. Hollow: it never happened. The dotted curve is the same without bins (isotonic regression)."
        ),
        say(
            "Below is the sharpness: how often each probability was said. Both axes are logarithmic and begin at "
            "{FLOOR_PERCENT:g} %; what is lower stands there.",
            FLOOR_PERCENT=verification_figures.FLOOR_PERCENT,
        ),
    )


def _roc(found: VerificationReport, version: str) -> None:
    _beside(
        verification_figures.roc(version, found),
        "roc",
        say("ROC curve: share of events with a warning against share of quiet cases with a warning"),
        say(
            "**Does it tell events from quiet,** whatever the numbers? The more the curve bends to the upper left the "
            "better; the diagonal is guessing."
        ),
        say("The area is the probability that an event was given a higher number than a quiet case."),
    )


def _precision_recall(found: VerificationReport, version: str) -> None:
    _beside(
        verification_figures.precision_recall(version, found),
        "precision and recall",
        say("Precision against recall over all alarm probabilities"),
        say(
            "**How many warnings come true** when so many events are to be met? Of rare events this says more than "
            "the ROC curve, which counts the many quiet cases too."
        ),
        say("The dotted line is the base rate: what warning at random would get."),
    )


def _performance(found: VerificationReport, version: str) -> None:
    _beside(
        verification_figures.performance(version, found),
        "performance",
        say("Performance diagram: POD against success ratio with lines of equal CSI and frequency bias"),
        say(
            "**Events met against warnings that came true,** one point for every alarm probability. Perfect is the "
            "upper right corner."
        ),
        say("Solid lines: equal CSI. Dotted lines: equal frequency bias; 1 is as many warnings as events."),
    )


def _beside(figure: Figure, name: str, alt: str, *said: str) -> None:
    """Show a diagram and beside it what it says."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.plotly_chart(figure, key=name, config=PLAIN, alt=alt)
    with right:
        for text in said:
            st.markdown(text)


def _value(found: VerificationReport, version: str) -> None:
    ratios = found.value.cost_loss.tolist()
    ratio = st.select_slider(
        say("What protecting costs, as a share of the loss it avoids"), ratios, format_func=percent, key="ratio",
        value=min(ratios, key=lambda r: abs(r - RATIO)),
    )  # fmt: skip
    _beside(
        verification_figures.value(version, ratio, found),
        "value",
        say("Economic value of acting on the forecast by cost-loss ratio, with its 90 % interval"),
        value_text(found, ratio),
        say(
            "1 is perfect foresight, 0 is knowing the base rate alone (Richardson 2000). The dashed line is what the "
            "best alarm probability would have been worth to somebody who knew it beforehand."
        ),
    )


def value_text(found: VerificationReport, ratio: float) -> str:
    """Return what the value at one cost-loss ratio means, in words."""
    at = found.value.cost_loss.tolist().index(ratio)
    value, low, high = (float(a[at]) for a in (found.value.value, found.value.low, found.value.high))
    without = say("always") if (found.card.base_rate or 0.0) > ratio else say("never")
    if math.isnan(value):
        return say("Without an event there is no value to tell.")
    told = (
        say(" (90 % interval {low:.0f} to {high:.0f} %)", low=100 * low, high=100 * high)
        if math.isfinite(low + high)
        else ""
    )
    if value <= 0:
        return say(
            "Protecting from a probability of {ratio} on was **worth no more than {without} protecting**: value "
            "{value:.0f} %{told}.",
            ratio=percent(ratio),
            without=without,
            value=100 * value,
            told=told,
        )
    return say(
        "Protecting from a probability of {ratio} on saved **{value:.0f} %**{told} of what perfect foresight would "
        "have saved over {without} protecting, the best without a forecast.",
        ratio=percent(ratio),
        value=100 * value,
        told=told,
        without=without,
    )


def _groups(core: Core, now: Issue, question: Question, found: VerificationReport, version: str) -> None:
    by = st.segmented_control(
        say("By"), [*found.groups, "window"], default="month", required=True, key="group", format_func=say
    )
    try:
        with st.spinner(say("Scoring the other windows …")):
            cards = _by_window(version, question, now, core) if by == "window" else found.groups[by]
    except CloudburstError as error:
        components.refusal(error)
        return
    st.plotly_chart(
        verification_figures.groups(version, by, cards), key=f"groups-{by}", config=PLAIN,
        alt=say("Brier skill by {by} with its 90 % interval", by=say(by)),
    )  # fmt: skip
    st.dataframe(heads(verification_tables.groups(cards)), hide_index=True, height="content")


@shared(12)
def _by_window(version: str, _question: Question, _now: Issue, _core: Core) -> dict[str, Scorecard]:  # noqa: ARG001 - key
    issued = {window: verification.issued(_core, _now, _question, window) for window in windows(_now).values()}
    return _core.scoring.by_window(issued, _question.event)


def _lead_times(core: Core, now: Issue, question: Question, found: VerificationReport) -> None:
    alarm = found.card.alarm
    if alarm is None:
        st.info(say("There was no event, so nothing had to be warned of."), icon=":material/timer_off:")
        return
    try:
        with st.spinner(say("Following the events hour by hour …")):
            leads = _leads(verification.key(question, found.cases), alarm, question, found.cases, now, core)
    except CloudburstError as error:
        components.refusal(error)
        return
    if not leads.episodes:
        st.info(
            say("No event could be followed hour by hour: that takes issues and known rain of the hours before it."),
            icon=":material/timer_off:",
        )
        return
    median = "–" if leads.median_h is None else f"{leads.median_h:.2g} h"
    with st.container(horizontal=True):
        st.metric(say("Events"), f"{leads.episodes:,}", border=True, width=150)
        st.metric(say("With a warning"), f"{leads.episodes - leads.missed:,}", border=True, width=150)
        st.metric(say("Missed"), f"{leads.missed:,}", border=True, width=150)
        st.metric(say("Median lead time"), median, border=True, width=170, help=say("Of the events with a warning."))
    st.plotly_chart(
        verification_figures.lead_times(leads), key="lead times", config=PLAIN,
        alt=say("Number of events by how long a warning had stood when they began, and events without a warning"),
    )  # fmt: skip
    st.caption(
        say(
            "A warning is a probability of {alarm} or more, issue after issue without a break. An event begins at a "
            "place with its first such hour after six without one. Withdrawn: there was a warning, but no longer at "
            "its beginning.",
            alarm=percent(alarm),
        )
    )


@shared(12)
def _leads(
    version: str,  # noqa: ARG001 - keys the cache
    alarm: float,
    _question: Question,
    _cases: VerifiedCases,
    _now: Issue,
    _core: Core,
) -> LeadTimes:
    hours = verification.issued(_core, _now, _question, WINDOWS[0])
    return _core.scoring.lead_times(_cases, hours, _question.event, alarm)


def _stability(core: Core, question: Question, found: VerificationReport, version: str) -> None:
    with st.spinner(say("Comparing successive forecasts …")):
        turned = _turned(version, question, found.cases, core)
    with st.container(horizontal=True):
        for name, measure, meaning in (
            (
                say("Flip-flop index"),
                turned.flip_flop,
                say("Mean turn of the probability per issue, in percentage points"),
            ),
            (say("Hours with another level"), turned.level_changes, say("Share of hours in which the level changed")),
        ):
            st.metric(name, _share(measure), help=meaning, border=True, width=230)
    st.caption(
        say(
            "90 % intervals: flip-flop index {flip_flop}, levels {level_changes}. Flip-flop index (Griffiths et al. "
            "2019): how much successive forecasts of the same hour turn back and forth; 0 where they only rise or "
            "only fall. It takes three forecasts of an hour, so a window of one hour has none.",
            flip_flop=_interval(turned.flip_flop),
            level_changes=_interval(turned.level_changes),
        )
    )


@shared(12)
def _turned(version: str, _question: Question, _cases: VerifiedCases, _core: Core) -> Stability:  # noqa: ARG001 - key
    return _core.scoring.stability(_cases, _question.event)


def _share(measure: Measure) -> str:
    return "–" if measure.value is None else percent(measure.value)


def _interval(measure: Measure) -> str:
    return (
        "–"
        if measure.low is None or measure.high is None
        else say("{low} to {high}", low=percent(measure.low), high=percent(measure.high))
    )
