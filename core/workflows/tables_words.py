"""What the tables of workbooks call events, windows and variables, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from core.domain.forecast import EventDefinition, Window
from core.domain.workbook import Kind, SheetColumn
from core.words import Language

#: Keys of the catalogue; a variable without one keeps its name.
VARIABLE_TITLES: Mapping[str, str] = {
    "temperature_c": "Temperature, °C",
    "dew_point_c": "Dew point, °C",
    "relative_humidity_pct": "Relative humidity, %",
    "surface_pressure_hpa": "Surface pressure, hPa",
    "pressure_msl_hpa": "Pressure at sea level, hPa",
    "wind_speed_ms": "Wind speed, m/s",
    "wind_direction_deg": "Wind direction, °",
    "wind_gust_ms": "Gust, m/s",
    "cloud_cover_pct": "Cloud cover, %",
    "precipitation_mm": "Rain of the hour, mm",
    "cape_j_kg": "CAPE, J/kg",
    "lifted_index_k": "Lifted index, K",
    "convective_inhibition_j_kg": "Convective inhibition, J/kg",
    "precipitable_water_mm": "Precipitable water, mm",
    "freezing_level_m": "Freezing level, m",
}


def variable_title(words: Language, name: str) -> str:
    """Return what a variable of the house is called, with its unit."""
    return words.say(VARIABLE_TITLES.get(name, name))


def event_text(words: Language, event: EventDefinition) -> str:
    """Return an event without its window, such as "≥ 15 mm/h"."""
    amount = f"{event.threshold_mm:g}"
    if event.accumulation_h == 1:
        return words.say("≥ {mm} mm/h", mm=amount)
    return words.say("≥ {mm} mm in {hours} h", mm=amount, hours=event.accumulation_h)


def window_text(words: Language, window: Window) -> str:
    """Return a window, such as "0 to 6 h"."""
    return words.say("{begin} to {end} h", begin=window.begin_h, end=window.end_h)


def age_text(words: Language, seconds: float) -> str:
    """Return an age, a dash where it is not known."""
    if math.isnan(seconds):
        return "–"
    if timedelta(seconds=seconds) < timedelta(minutes=90):
        return words.say("{n} min", n=words.number(seconds / 60))
    return words.say("{n} h", n=words.number(seconds / 3600, 1))


def place_columns(words: Language) -> tuple[SheetColumn, ...]:
    """Return the columns by which every table names a place: its id and its name."""
    return SheetColumn(words.say("Place"), width=26), SheetColumn(words.say("Id of the place"), width=20)


def time_column(title: str) -> SheetColumn:
    """Return a column of moments; the title says that they are UTC."""
    return SheetColumn(title, Kind.TIME, 17)
