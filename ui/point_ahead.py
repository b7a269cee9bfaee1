"""The hours ahead of one place: every event in every window, and one event with interval and climatology."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core import EVENTS, EventDefinition, Exceedance, Forecast
from ui import figures
from ui.language import say
from ui.words import event_text, percent

#: Name in the address bar of the event that the chart is of.
EVENT = "event"
#: What stands behind a probability that was not trained, or that is only the climatology's.
EXTRAPOLATED, UNSKILLED = " *", " †"


def show(forecast: Forecast) -> None:
    """Show all events and windows in one table, and the event that is chosen as a chart and in full."""
    if all(math.isnan(p) for curve in forecast.curves for p in curve.probability):
        st.info(say("No probability can be given here now."), icon=":material/help:")
        return
    left, right = st.columns(2)
    with left:
        st.dataframe(overview(forecast), hide_index=True)
        st.caption(
            say(
                "Probability that it happens at least once in these hours after the newest data. * extrapolated: "
                "beyond what was observed often enough. † no skill beyond climatology was found: climatology is shown. "
                "The level is that of the first six hours."
            )
        )
        event = _choose()
        st.dataframe(detail(forecast, event), hide_index=True)
    with right:
        st.plotly_chart(
            figures.lead_time_chart(forecast.curves, event),
            key="exceedance",
            alt=say(
                "Probability of {event} in every window ahead with its 90 % interval and the climatology; hollow "
                "points are extrapolated",
                event=event_text(event),
            ),
        )
        st.caption(
            say(
                "The interval is that of the calibration. Climatology: what season and time of day alone say, where "
                "the model learned. The windows from 0 h on hold one another."
            )
        )


def overview(forecast: Forecast) -> pd.DataFrame:
    """Return one row per event and one column per window; a dash where a window is too short for the event."""
    return pd.DataFrame(
        [
            {say("rain"): event_text(event)}
            | {figures.window_name(curve.window): _cell(curve, _same(curve, event)) for curve in forecast.curves}
            for event in EVENTS
        ]
    )


def detail(forecast: Forecast, event: EventDefinition) -> pd.DataFrame:
    """Return one row per window that knows the rain of `event`: probability, interval, climatology and basis."""
    rows = []
    for curve in forecast.curves:
        same = _same(curve, event)
        if same is not None:
            i = curve.events.index(same)
            rows.append(
                {
                    say("hours ahead"): figures.window_name(curve.window),
                    say("probability of {event}", event=event_text(event)): percent(curve.probability[i]),
                    say("interval (90 %)"): f"{percent(curve.low[i])} – {percent(curve.high[i])}",
                    say("usual (climatology)"): percent(curve.base_rate[i] if curve.base_rate else math.nan),
                    say("rests on"): _basis(curve, same),
                }
            )
    return pd.DataFrame(rows)


def _choose() -> EventDefinition:
    """Let the forecaster choose the event of the chart; it stands in the address bar and stays."""
    known = {event.key: event for event in EVENTS}
    asked = (st.query_params.get(EVENT), st.session_state.get(EVENT))
    key = next((k for k in asked if k in known), EVENTS[0].key)
    st.session_state[f"{EVENT} picker"] = key
    st.segmented_control(
        say("Rain of the chart"), list(known), format_func=lambda k: event_text(known[k]), required=True,
        key=f"{EVENT} picker", on_change=_chosen,
    )  # fmt: skip
    if key != st.query_params.get(EVENT, EVENTS[0].key):
        st.query_params[EVENT] = key
    return known[key]


def _chosen() -> None:
    st.session_state[EVENT] = st.query_params[EVENT] = st.session_state[f"{EVENT} picker"]


def _same(curve: Exceedance, event: EventDefinition) -> EventDefinition | None:
    return next((e for e in curve.events if figures.same_rain(e, event)), None)


def _cell(curve: Exceedance, event: EventDefinition | None) -> str:
    if event is None:
        return percent(math.nan)
    text = percent(curve.of(event))
    if event in curve.unskilled:
        return text + UNSKILLED
    return text + EXTRAPOLATED if event in curve.extrapolated else text


def _basis(curve: Exceedance, event: EventDefinition) -> str:
    if math.isnan(curve.of(event)):
        return say("not known")
    if event in curve.unskilled:
        return say("no skill beyond climatology: climatology")
    return say("extrapolated") if event in curve.extrapolated else say("trained and calibrated")
