"""Alerts: what stands, who has seen it, what became of those before, by which rules; and levels that people set."""

import streamlit as st

from ui import alert_rules, alerts, components, notices, overrides, shell
from ui.language import say

core, now = shell.enter("Alerts", live=True)

st.subheader(say("Standing now"), anchor=False)
alerts.standing(core, now)

st.subheader(say("Levels that people set"), anchor=False)
overrides.panel(core, now)
overrides.scores(core, now)

st.subheader(say("The last 30 days"), anchor=False)
alerts.history(core, now)

st.subheader(say("Told outside"), anchor=False)
notices.show(core)

st.subheader(say("Rules"), anchor=False)
alert_rules.rules(core, now)
alert_rules.dry_run(core, now)
alert_rules.trial(core, now)
components.provenance(core, now.forecast)
