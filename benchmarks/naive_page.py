"""The page that everybody writes first: a map, a chart and a table built anew for every session at every run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.express as px
import streamlit as st

#: As many cells as the region of the simulator has, about.
ROWS, COLUMNS, STEP_DEG = 12, 13, 0.25


def square(row: int, column: int) -> list[list[float]]:
    """Return the ring of one cell, clockwise."""
    west, south = 77.5 + column * STEP_DEG, 28.7 + row * STEP_DEG
    corners = ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0))
    return [[west + x * STEP_DEG, south + y * STEP_DEG] for x, y in corners]


cells = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
outlines = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "id": i, "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square(*cell)]}}
        for i, cell in enumerate(cells)
    ],
}
draw = np.random.default_rng()
risk = pd.DataFrame({"cell": range(len(cells)), "risk": draw.random(len(cells))})
st.title("Cloudburst")
for column, name in zip(st.columns(4), ("Risk", "Rain", "CAPE", "Wind"), strict=True):
    column.metric(name, f"{draw.random():.2f}")
figure = px.choropleth_map(
    risk, geojson=outlines, locations="cell", color="risk", map_style="white-bg", center={"lat": 30, "lon": 79}, zoom=6
)
st.plotly_chart(figure)
st.line_chart(pd.DataFrame(draw.random((96, 3)), columns=["15 mm/h", "30 mm/h", "50 mm/h"]))
st.dataframe(pd.DataFrame(draw.random((200, 4)), columns=["a", "b", "c", "d"]))
