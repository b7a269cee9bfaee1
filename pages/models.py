"""Models: who speaks, what it learned from, and how well it did."""

import streamlit as st

from ui import components, shell

core, now = shell.enter("Models")

versions = core.versions()
if not versions:
    st.info("There is no model version yet. Train one: `python -m core train --help`.")
    st.stop()

st.dataframe(components.version_table(versions, now.forecast.model_version), hide_index=True)
readable = [version.version for version in versions if version.manifest]
if not readable:
    st.stop()

chosen = st.selectbox("Version", readable, index=components.position_of(readable, now.forecast.model_version))
stored = components.version_of(versions, chosen)

for card in stored.manifest.scorecards:
    st.subheader(f"Scorecard: {card.event.text} {card.event.window.within}", anchor=False)
    st.caption(components.cases_text(card))
    st.dataframe(components.scores(card), hide_index=True)
    st.caption(components.version_provenance(stored.manifest))

st.subheader("Card", anchor=False)
with st.container(border=True):
    components.card(core, chosen)
