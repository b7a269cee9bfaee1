"""Reports: choose, look at it as it will be printed, and take it away."""

import streamlit as st

from ui import report_controls, report_preview, reports, shell
from ui.language import say

core, now = shell.enter("Reports")

request = report_controls.ask(now)
found = reports.document(core, now, request)

reports.downloads(core, now, request)

with st.container(border=True):
    report_preview.show(found, reports.key(now, request))

st.subheader(say("Reports by plan"), anchor=False)
reports.kept(core)
