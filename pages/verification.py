"""Verification: how the forecasts that were really issued did against what then happened."""

import streamlit as st

from ui import components, shell, verification, verification_diagrams, verification_limits
from ui.language import say

core, now = shell.enter("Verification")

question, cases = verification.ask(core, now)
if core.scoring.no_truth:
    verification_limits.without_truth(core, now, question)
    verification_limits.limits(None)
    st.stop()

report = verification.report(core, question, cases)
verification.counts(question, cases, report)
if report is None:
    verification_limits.empty(core, now, question, cases)
    verification_limits.limits(None)
    st.stop()

verification.verdict(report, question)
version = verification.key(question, cases)

st.subheader(say("What the numbers meant"), anchor=False)
verification.what_the_numbers_meant(report, version)

st.subheader(say("Scores"), anchor=False)
verification.scores(report)
components.provenance(core, now.forecast)

st.subheader(say("Diagrams"), anchor=False)
verification_diagrams.tabs(core, now, question, report)

verification_limits.limits(report)
