"""Experiments: two versions on the same hours, who is shown which, and what it comes to."""

import streamlit as st

from ui import components, experiment_controls, experiments, history, shell
from ui.language import say

core, now = shell.enter("Experiments", live=True)

found = experiments.found(core, now)
experiment_controls.create(core, now, history.history(core, now))
if found:
    experiments.overview(found)
    one = experiments.choose(found)
    experiments.standing(now, one)
    with st.container(horizontal=True):
        experiment_controls.change(core, one)
        experiment_controls.promote(core, one)
    experiment_controls.verdict(one)

    st.subheader(say("Who is shown what, and how each did"), anchor=False)
    experiments.arms(core, one)

    st.subheader(say("Challenger against control"), anchor=False)
    experiments.contrasts(one)

    st.subheader(say("Is the experiment itself sound?"), anchor=False)
    experiments.health(one)

    st.subheader(say("Did it rain as often as was said?"), anchor=False)
    experiments.reliability(one)

    st.subheader(say("Who changed what, when and why"), anchor=False)
    experiments.steps(core, now, one)
else:
    experiments.none_yet()

st.subheader(say("How long does an experiment take?"), anchor=False)
experiment_controls.planner(found)
components.provenance(core, now.forecast)
