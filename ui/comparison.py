"""Two versions on the same cases: scores with intervals, reliability, ROC, and where which one is better."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import MEASURES, CloudburstError, Core, History, Issue, Measure, SideBySide
from ui import comparison_figures as figures
from ui import components
from ui.language import current, say
from ui.verification_figures import roc
from ui.words import count, day, heads, source

#: Measures shown of both, in this order.
SHOWN = ("brier", "brier_skill", "auc", "average_precision", "best_csi", "calibration_slope", "pod", "far")
#: Days of the archive that are offered.
DAYS = {"30 days": 30, "90 days": 90, "a year": 365}


def show(core: Core, now: Issue, history: History) -> None:
    """Let two versions be chosen and show them side by side."""
    names = [v.version for v in history.versions if v.refused is None]
    if len(names) < 2:
        st.info(say("There is one version only: nothing to compare."), icon=":material/compare_arrows:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        one = st.selectbox(say("First"), names, key="compare", bind="query-params")
        others = [name for name in names if name != one]
        default = components.position_of(others, history.serves)
        other = st.selectbox(say("Second"), others, index=default, key="with", bind="query-params")
        days = st.segmented_control(
            say("Of the last"), list(DAYS), default="90 days", required=True, key="compare days", format_func=say
        )
        asked = st.toggle(
            say("Compare"), key="compare now", help=say("Reads the archive and forecasts every hour with both.")
        )
    if asked:
        _compared(core, now, (one, other), DAYS[days])


def _compared(core: Core, now: Issue, pair: tuple[str, str], days: int) -> None:
    try:
        with st.spinner(say("Forecasting the same hours with both ...")):
            found = core.histories.compare(*pair, now.forecast.region.id, days)
    except CloudburstError as error:
        components.refusal(error)
        return
    comparison = found.comparison
    st.caption(
        say(
            "{begin} to {end} UTC: {n} cases with {events} events on {days} days, which neither has learned from. "
            "{source_text}.",
            begin=day(comparison.begin, "%d %b %Y %H:%M"),
            end=day(comparison.end, "%d %b %Y %H:%M"),
            n=count(comparison.candidate.n),
            events=count(comparison.candidate.events),
            days=comparison.days,
            source_text=source(now.forecast.source_text),
        )
    )
    st.markdown(f"**{verdict(found)}**")
    st.dataframe(heads(table(found)), hide_index=True)
    key = f"{found.one}|{found.other}|{comparison.begin}|{comparison.end}|{current().code}"
    left, right = st.columns(2)
    left.plotly_chart(figures.reliability(key, found), key="two reliability")
    right.plotly_chart(roc(key, found), key="two roc")
    st.plotly_chart(figures.places(key, found, now.forecast.region), key="two places")


def verdict(found: SideBySide) -> str:
    """Return in a sentence which one is better, where the interval allows one."""
    brier = found.brier
    if brier.low is None or brier.high is None:
        return say("Too few days to say which is better.")
    if brier.low <= 0 <= brier.high:
        return say("No difference that these days could tell: the interval of the Brier score's difference holds 0.")
    better = found.one if brier.high < 0 else found.other
    return say("{better} has the lower Brier score; the whole interval lies on its side.", better=better)


def table(found: SideBySide) -> pd.DataFrame:
    """Return one row per measure: both versions, and the paired difference with its interval."""
    one, other = found.comparison.candidate, found.comparison.champion
    return pd.DataFrame(
        [
            {
                "measure": say(MEASURES[name]),
                found.one: _text(one.measures[name]),
                found.other: "–" if other is None else _text(other.measures[name]),
                "first less second": _text(found.comparison.differences.get(name, Measure(None)), "+.4f"),
            }
            for name in SHOWN
        ]
    )


def _text(measure: Measure, form: str = ".4f") -> str:
    if measure.value is None:
        return "–"
    if measure.low is None or measure.high is None:
        return f"{measure.value:{form}}"
    return f"{measure.value:{form}} ({measure.low:{form}} to {measure.high:{form}})"
