"""Point: everything known of one place. The answer first, then why, then the evidence."""

import streamlit as st

from ui import (
    components,
    drivers,
    point,
    point_ahead,
    point_around,
    point_meteogram,
    point_recall,
    point_search,
    shell,
)
from ui.language import say

core, now = shell.enter("Point")
place = point_search.ask(core, now)
forecast = now.forecast.of(place)
names = components.place_names(now.forecast.region.locations)

point.answer(core, now, forecast, names[place])
before = st.container()
point.ways()

st.subheader(say("Why"), anchor=False)
drivers.why(core, now, place)

st.subheader(say("The hours ahead"), anchor=False)
point_ahead.show(forecast)

st.subheader(say("Meteogram"), anchor=False)
point_meteogram.show(now, components.position(now.forecast, place))
components.place_provenance(core, now.forecast, forecast)

left, right = st.columns(2)
with left:
    st.subheader(say("Nearest gauges"), anchor=False)
    point_around.gauges(core, now, place)
with right:
    st.subheader(say("Quality flags"), anchor=False)
    components.flags(forecast)

st.subheader(say("Neighbours"), anchor=False)
point_around.neighbours(now, place)

with before:  # read last: what was issued in three months may take a moment
    point_recall.show(core, now, forecast)
