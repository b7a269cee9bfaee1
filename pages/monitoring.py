"""Monitoring: whether the house is well, what its jobs did, and what it may still ask of its source."""

import streamlit as st

from ui import components, monitoring, shell

core, now = shell.enter("Monitoring", live=True)
region = now.forecast.region

monitoring.now_running(core, now)

st.subheader("Stored observations", anchor=False)
monitoring.archive(core)

st.subheader("Newest runs", anchor=False)
monitoring.runs(core, region)
components.provenance(core, now.forecast)
