"""Around one place: the gauges that measure rain near it, and the neighbouring places, one click away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import LEVELS, MEASURED, TARGET, Core, Gauge, Issue, around, nearest_gauges
from ui import point_search
from ui.language import current, say
from ui.words import age, local, percent, plain

#: Arrows to the eight winds, and a dot for the very place.
ARROWS = {"N": "↑", "NE": "↗", "E": "→", "SE": "↘", "S": "↓", "SW": "↙", "W": "←", "NW": "↖", "": "•"}


def gauges(core: Core, now: Issue, location_id: str) -> None:
    """Show the nearest gauges with their newest rain; where nobody measures, say what the values are."""
    found = nearest_gauges(now, location_id)
    if found:
        st.dataframe(table(core, now, found), hide_index=True)
        st.caption(say("Rain of the last hour that came and did not fail its checks. A dash: none came."))
        return
    st.info(unmeasured(now.forecast.source, simulated=now.forecast.simulated), icon=":material/rainy:")


def unmeasured(source: str, *, simulated: bool) -> str:
    """Return in words what the values are where no gauge measured them."""
    if simulated:
        return say("No gauges: this weather is simulated by a program. Nobody measured it.")
    if "open-meteo" in source:
        return say("No gauges: these are values of a weather model's grid. Nobody measured them at this place.")
    if source in MEASURED:
        return say("No gauges are known here.")
    return say("No gauges are known: the stored table does not say who measured its values, or whether anybody did.")


def table(core: Core, now: Issue, found: tuple[Gauge, ...]) -> pd.DataFrame:
    """Return one row per gauge: where it stands, its newest rain and how old that is."""
    language = current()
    return pd.DataFrame(
        [
            {
                say("gauge"): gauge.place.name,
                say("direction and distance"): _where(gauge.compass, gauge.distance_km),
                say("rain, mm/h"): language.number(gauge.rain_mm, 1),
                say("hour that ended"): local(gauge.at, now.forecast.region),
                say("age"): age(None if gauge.at is None else (core.clock() - gauge.at).total_seconds()),
            }
            for gauge in found
        ]
    )


def neighbours(now: Issue, location_id: str) -> None:
    """Show the places around one with direction, level and probability; a click goes there."""
    region = now.forecast.region
    found = around(region, location_id)
    if not found:
        st.caption(say("No other place of this region lies beside it."))
        return
    forecasts = {f.location_id: f for f in now.forecast.forecasts}
    with st.container(horizontal=True):
        for other in found:
            forecast = forecasts[other.place.id]
            style = LEVELS[forecast.level]
            where = _where(other.compass, other.distance_km)
            level = f"{style.sign} {say(style.name)} {percent(forecast.exceedance.of(TARGET))}".strip()
            st.button(
                plain(f"{where} · {level}"),
                key=f"neighbour {other.place.id}",
                help=plain(other.place.name),
                on_click=point_search.go,
                args=(region.id, other.place.id),
            )


def _where(compass: str, distance_km: float) -> str:
    """Return direction and distance in words."""
    if not compass:
        return say("here")
    return f"{ARROWS[compass]} {say(compass)}, {current().number(distance_km)} km"
