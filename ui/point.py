"""The answer for one place: level, probability and age first; and the ways on from here."""

from __future__ import annotations

from html import escape

import streamlit as st

from core import LEVELS, TARGET, Core, Forecast, Freshness, Issue, RiskLevel
from ui import components, session, shell
from ui.language import say
from ui.people import set_by
from ui.words import age, event_text, percent, plain

#: Stripes of what is not known: white, so that nobody takes it for green.
HATCH = "repeating-linear-gradient(45deg, #ffffff 0 6px, #9aa1a9 6px 9px)"
STRIPE = (
    '<div style="display:flex;gap:0.9rem;align-items:stretch;border:1px solid #9aa1a9;border-radius:0.5rem;'
    'overflow:hidden"><div aria-hidden="true" style="flex:none;width:{width};background:{background}"></div>'
    '<div style="padding:0.5rem 0.7rem 0.5rem 0;font-size:1.35rem;font-weight:600">{text}</div></div>'
)
#: Pages that a forecaster goes to from here, where the house has them: path, label and icon.
WAYS = (
    ("pages/risk_map.py", "Show on the map", ":material/map:"),
    ("pages/reports.py", "Make a report", ":material/description:"),
    ("pages/verification.py", "How such forecasts did", ":material/insights:"),
)


def answer(core: Core, now: Issue, forecast: Forecast, name: str) -> None:
    """Show level, probability with interval and climatology, and how old the data are; where unknown, why."""
    st.subheader(name, anchor=False)
    st.html(stripe(forecast.level, set_by(forecast.override)))
    if forecast.level is RiskLevel.UNKNOWN:
        _unknown(forecast)
    else:
        _numbers(core, forecast)
        if forecast.freshness is Freshness.STALE:
            st.warning(
                say("These data are stale: read the probability as that of the hour when they were new."),
                icon=":material/history_toggle_off:",
            )
    components.place_provenance(core, now.forecast, forecast)


def stripe(level: RiskLevel, by: str = "") -> str:
    """Return a level as HTML: its colour or hatching, its sign, its words, and who set it where a person did."""
    style = LEVELS[level]
    unknown = level is RiskLevel.UNKNOWN
    text = f"{style.sign} {say(style.name)}: {say(style.meaning)}{by}".strip()
    return STRIPE.format(
        width="5rem" if unknown else "1.2rem", background=HATCH if unknown else style.colour, text=escape(text)
    )


def ways() -> None:
    """Show the ways to the map, to a report and to the verification, with region and place."""
    known = {path for path, *_ in shell.PAGES}
    with st.container(horizontal=True):
        for path, label, icon in WAYS:
            if path in known:
                st.page_link(path, label=say(label), icon=icon, query_params=session.address())


def _numbers(core: Core, forecast: Forecast) -> None:
    curve = forecast.exceedance
    i = curve.events.index(TARGET)
    usual = curve.base_rate[i] if curve.base_rate else float("nan")
    old = None if forecast.data_at is None else (core.clock() - forecast.data_at).total_seconds()
    values = {
        say("{event} within {hours} h", event=event_text(TARGET), hours=TARGET.window_h): percent(curve.probability[i]),
        say("90 % interval of it"): f"{percent(curve.low[i])} – {percent(curve.high[i])}",
        say("Climatology here and now"): percent(usual),
        say("Age of these data"): age(old),
    }
    with st.container(horizontal=True):
        for label, value in values.items():
            st.metric(label, value, width="content")


def _unknown(forecast: Forecast) -> None:
    """Say why nothing can be said."""
    why = ", ".join(plain(reason) for reason in forecast.reasons)
    if forecast.freshness is Freshness.NO_DATA:
        text = say("No data from here that are new enough to say anything. Not knowing is not the same as no risk.")
    else:
        text = say("No model serves now. Not knowing is not the same as no risk.")
    st.info(f"{text}  \n{why}" if why else text, icon=":material/help:")
