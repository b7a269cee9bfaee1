"""Models: who speaks, what it learned from, how well it did, who challenges it, and how it all came."""

import streamlit as st

from ui import comparison, components, history, shell, training, words
from ui.language import say

core, now = shell.enter("Models", live=True)
region = now.forecast.region

found = history.history(core, now)
history.standing(found)
with st.container(horizontal=True, vertical_alignment="top"):
    history.change(core, now, found)
    training.panel(core, now, found)

st.subheader(say("Versions"), anchor=False)
st.dataframe(components.version_table(found.versions, found.serves), hide_index=True)
readable = [version.version for version in found.versions if version.manifest]
if readable:
    chosen = st.selectbox(say("Version"), readable, index=components.position_of(readable, found.serves))
    stored = components.version_of(found.versions, chosen)
    for card in stored.manifest.scorecards:
        with st.expander(
            say("Scorecard: {text} {within}", text=words.event_text(card.event), within=words.within(card.event.window))
        ):
            st.caption(components.cases_text(card))
            st.dataframe(components.scores(card), hide_index=True)
            st.caption(components.version_provenance(stored.manifest))
    with st.expander(say("Features")):
        st.caption(components.features_text(stored.manifest))
    with st.expander(say("Card")):
        components.card(core, chosen)

st.subheader(say("Two versions on the same cases"), anchor=False)
comparison.show(core, now, found)

st.subheader(say("Challengers in the shadow"), anchor=False)
history.shadows(core, now)

st.subheader(say("Drift"), anchor=False)
history.drift(found)

st.subheader(say("Who served, when and why"), anchor=False)
history.ledger(found, region)

st.subheader(say("Trainings"), anchor=False)
history.trainings(found, region)
components.provenance(core, now.forecast)
