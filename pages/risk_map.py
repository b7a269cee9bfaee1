"""Risk map: where it may pour within the next hours, and how sure we are."""

import streamlit as st

from ui import components, maps, session, shell

core, now = shell.enter("Risk map")

layer = st.segmented_control(
    "Layer",
    list(maps.LAYERS),
    format_func=maps.layer_name,
    default=maps.LEVEL_LAYER,
    required=True,
    key="layer",
    bind="query-params",
    label_visibility="collapsed",
)
left, right = st.columns([3, 2])
with left:
    clicked = st.plotly_chart(
        maps.risk_map(now.forecast.version, layer, now.forecast),
        key=f"map-{layer}",
        on_select="rerun",
        selection_mode="points",
        config={"scrollZoom": True, "displaylogo": False},
        alt="Map of the region: risk level or probability of every cell",
    )
    st.caption(
        f"Rule: {core.rule_of(now.forecast.region)}. White and hatched: no data, which is not the same as no risk. "
        "Click a cell to see its forecast and its observations."
    )
with right:
    st.subheader("Highest probabilities", anchor=False)
    st.dataframe(components.ranking(now.forecast), hide_index=True, height="content")
components.provenance(core, now.forecast)

if clicked.selection.points:
    session.choose_place(clicked.selection.points[0]["customdata"])
    st.switch_page("pages/point.py", query_params=session.address())
