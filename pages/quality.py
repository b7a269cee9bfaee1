"""Quality: what the checks found, what came and what did not, and the raw values behind every flag."""

import streamlit as st

from ui import components, quality, quality_controls, shell
from ui.language import say

core, now = shell.enter("Quality")

period = quality_controls.pick_period(now)
report = quality.report(core, now, period)
version = quality.key(now, period)

if quality.is_empty(report):
    quality.empty(report)
    st.stop()

quality.warnings(report)
quality.cards(report)
components.provenance(core, now.forecast)

choice = quality_controls.pick_flags(report)
st.subheader(say("Flags over time"), anchor=False)
quality.flags_over_time(report, version, choice)

left, right = st.columns(2)
with left:
    st.subheader(say("Flags by station, variable and test"), anchor=False)
    quality.flag_table(report, choice)
    quality.download(report, choice)
with right:
    st.subheader(say("Completeness"), anchor=False)
    quality.completeness_map(core, now, report, version, choice)

st.subheader(say("Raw values with flags"), anchor=False)
st.caption(say("Click a row of the table or a cell of the heat map, or choose here."))
quality.raw_values(report, version, choice)
components.provenance(core, now.forecast)

st.subheader(say("Quality over time"), anchor=False)
quality.history(report, version)

with st.expander(say("Stations, the worst first"), icon=":material/table_rows:"):
    quality.station_table(report)
with st.expander(say("Thresholds of the checks and their reasons"), icon=":material/rule:"):
    quality.threshold_table()
