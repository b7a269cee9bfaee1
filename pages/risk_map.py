"""Risk map: where it may pour within the next hours, how sure we are, and what changed."""

import streamlit as st

from ui import components, map_choice, map_lists, map_times, session, shell

core, now = shell.enter("Risk map")

choice = map_choice.pick(now.forecast)
seen = map_times.view(core, now, choice)
left, right = st.columns([3, 2])
with left:
    clicked = map_times.chart(core, seen)
    map_lists.told(core, now.forecast, seen)
with right:
    ticked = map_lists.shown(core, now.forecast, seen)
components.provenance(core, now.forecast)

if clicked or ticked:
    session.choose_place(clicked or ticked)
    st.switch_page("pages/point.py", query_params=session.address())
