"""Point: everything known of one place."""

import streamlit as st

from ui import components, drivers, figures, session, shell

core, now = shell.enter("Point")
names = components.place_names(now.forecast.region.locations)
chosen = session.place(now)

place = st.selectbox("Place", list(names), format_func=names.get, index=list(names).index(chosen))
session.choose_place(place)
forecast = now.forecast.of(place)

st.subheader(f"{names[place]}: {components.level_text(forecast)}", anchor=False)
curve = components.curve(forecast)
left, right = st.columns(2)
with left:
    st.dataframe(components.exceedance_table(curve), hide_index=True)
    st.caption(
        "The interval is that of the calibration. Extrapolated: beyond what was observed often enough. Climatology: "
        "what season and time of day alone say, where the model learned."
    )
with right:
    st.plotly_chart(
        figures.exceedance_chart(curve),
        key="exceedance",
        alt="Probability of each event with its interval; hollow points are extrapolated",
    )
components.place_provenance(core, now.forecast, forecast)

st.subheader("Why", anchor=False)
drivers.why(core, now, place)
components.place_provenance(core, now.forecast, forecast)

st.subheader("Recent observations", anchor=False)
position = components.position(now.forecast, place)
st.plotly_chart(
    figures.observations_chart(now.forecast.version, position, now.checked, now.forecast.region),
    key="observations",
    alt="Rain, temperature, dew point, pressure and wind of the last three days",
)
components.place_provenance(core, now.forecast, forecast)

st.subheader("Quality flags", anchor=False)
components.flags(forecast)
