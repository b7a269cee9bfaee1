"""Why: what raised and what lowered the probability at one place."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import TARGET, Core, Driver, Issue
from ui.language import say
from ui.shared import shared
from ui.words import event_text

NOTHING = "No drivers: nothing is known of this place now, or climatology or another model speaks for it."
LIMITS = (
    "These are associations that the model learned, not causes. They explain P({event} in {hours} h) "
    "against the usual odds where the model learned; factors multiply the odds p / (1 − p), and weaker drivers are not "
    "shown. Higher thresholds follow from the same score, and what lies beyond the events observed often enough is "
    "continued by a fitted tail (generalized Pareto): the drivers say nothing of that step."
)


def why(core: Core, issue: Issue, location_id: str) -> None:
    """Show the drivers of one place with arrows, words and factors, and what they are not."""
    with st.spinner(say("Asking the model why …")):
        found = _drivers(issue.forecast.version, location_id, core, issue)
    if not found:
        st.info(say(NOTHING), icon=":material/help:")
        return
    st.table(table(found), hide_index=True)  # unlike a data frame it wraps, on a phone too
    st.caption(say(LIMITS, event=event_text(TARGET), hours=TARGET.window_h))


def table(found: tuple[Driver, ...]) -> pd.DataFrame:
    """Return one row per driver: arrow and word, values, and the factor on the odds."""
    return pd.DataFrame(
        [
            {
                say("effect"): say("▲ raises") if d.raises else say("▼ lowers"),
                say("driver"): d.said(say),
                say("odds"): f"× {d.factor:.3g}",
            }
            for d in found
        ]
    )


@shared(256)
def _drivers(version: str, location_id: str, _core: Core, _issue: Issue) -> tuple[Driver, ...]:  # noqa: ARG001
    """Return the drivers, made once per issue and place: `version` and `location_id` are the key of the cache."""
    return _core.drivers(_issue, location_id)
