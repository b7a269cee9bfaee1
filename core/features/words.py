"""The features in a forecaster's words: to which group each belongs, and how its value is said."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from core.domain.told import Told, tell, tell_day

RAIN, SPELL = "rain here in the last hours", "rain here in the last days"
AROUND, QUARTER = "rain around", "rain by direction"
MOISTURE, WARMTH, PRESSURE = "moisture", "warmth", "pressure"
AIR_AROUND, WIND = "air around", "wind and gusts"
SEASON, HOUR, PLACE = "season", "time of day", "height and place"
MODEL_AIR, MODEL_RAIN = "the weather model's air", "the weather model's rain"
#: The hours ahead in the name of a feature of forecast fields.
AHEAD = r"(\d+)to(\d+)h"
#: A word of a template that stands for a value.
TERM = re.compile(r"{(\w+)")
COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
#: Pattern of the name, group, and what is said, a key of the catalogue: {x} and {y} are the parts in brackets of the
#: name, the other words stand in `_terms` and `_shared`. Averages over neighbours are of roots of rain: their square is
#: the rain of a usual neighbour.
WORDS: tuple[tuple[str, str, str], ...] = (
    (r"rain_(1|3|6)h_mm", RAIN, "{v:.1f} mm in {x} h"),
    (r"rain_max_6h_mm", RAIN, "up to {v:.1f} mm/h in 6 h"),
    (r"rain_24h_mm", SPELL, "{v:.0f} mm in 24 h"),
    (r"rain_72h_mm", SPELL, "{v:.0f} mm in 3 days"),
    (r"rain_240h_mm", SPELL, "{v:.0f} mm in 10 days"),
    (r"rain_max_(24|72|240)h_mm", SPELL, "up to {v:.1f} mm/h in {x} h"),
    (r"wet_hours_(24|72|240)h", SPELL, "rain in {v:.0f} of {x} h"),
    (r"heavy_hours_240h", SPELL, "{v:.0f} hours with more than 5 mm in 10 days"),
    (r"rain_6h_days_before_mm", SPELL, "{v:.1f} mm in the 6 h up to this hour, on the days before"),
    (r"rain_next_6h_days_before_mm", SPELL, "{v:.1f} mm in the 6 h after this hour, on the days before"),
    (r"(?:rain_)?intermittency\w*", SPELL, "rain began or ended in {percent:.0f} % of 24 h"),
    (r"hours_since_rain\w*", SPELL, "last rain {v:.0f} h ago"),
    (r"around_(\d+)km_root_rain", AROUND, "about {square:.1f} mm in the last hour within {x} km"),
    (r"around_(\d+)km_root_rain_3h", AROUND, "about {square:.1f} mm in 3 h within {x} km"),
    (r"around_(\d+)km_root_rain_24h", AROUND, "about {square:.1f} mm in 24 h within {x} km"),
    (r"around_(\d+)km_root_rain_change_3h", AROUND, "rain within {x} km {moved} in 3 h"),
    (r"around_(\d+)km_wet", AROUND, "rain at {percent:.0f} % of the neighbours within {x} km"),
    (r"around_(\d+)km_heavy_6h", AROUND, "≥ 5 mm/h in 6 h at {percent:.0f} % of the neighbours within {x} km"),
    (r"rain_3h_heaviest_around_mm", AROUND, "{v:.1f} mm in 3 h at the wettest neighbour"),
    (r"rain_3h_(north|east|south|west)", QUARTER, "about {square:.1f} mm in 3 h to the {x}"),
    (r"rain_\w*upwind\w*|\w*upwind_rain\w*", QUARTER, "about {square:.1f} mm upwind"),
    (r"dew_point_c", MOISTURE, "dew point {v:.1f} °C"),
    (r"dew_point_anomaly_k", MOISTURE, "dew point {a:.1f} K {side} usual at this hour"),
    (r"dew_point_c_change_(\d+)h", MOISTURE, "dew point {moved} {a:.1f} K in {x} h"),
    (r"dew_point_depression_k", MOISTURE, "dew point {v:.1f} K below the temperature"),
    (r"relative_humidity_pct", MOISTURE, "humidity {v:.0f} %"),
    (r"relative_humidity_pct_change_(\d+)h", MOISTURE, "humidity {moved} {a:.0f} % in {x} h"),
    (r"equivalent_potential_temperature_k", MOISTURE, "theta-e {v:.0f} K"),
    (r"theta_e_anomaly_k", MOISTURE, "theta-e {a:.1f} K {side} usual at this hour"),
    (r"theta_e_change_(\d+)h", MOISTURE, "theta-e {moved} {a:.1f} K in {x} h"),
    (r"theta_e_(mean|max)_24h", MOISTURE, "theta-e {x} of 24 h {v:.0f} K"),
    (r"relative_humidity_min_24h_pct", MOISTURE, "humidity at least {v:.0f} % in 24 h"),
    (r"dew_point_mean_(\d+)h_c", MOISTURE, "dew point {v:.1f} °C in the mean of {x} h"),
    (r"dew_point_percentile", MOISTURE, "dew point above {percent:.0f} % of what is usual here in this season"),
    (
        r"equivalent_potential_temperature_percentile",
        MOISTURE,
        "theta-e above {percent:.0f} % of what is usual here in this season",
    ),
    (r"moisture_convergence_300km", MOISTURE, "moisture runs {together} within 300 km"),
    (r"theta_e_against_surroundings_k", MOISTURE, "theta-e {a:.1f} K {side} that around"),
    (r"lifting_condensation_level_m", MOISTURE, "cloud base {v:.0f} m above the ground"),
    (r"wet_bulb_\w*_c", MOISTURE, "wet-bulb {v:.1f} °C"),
    (r"mixing_ratio_g_kg|specific_humidity_g_kg", MOISTURE, "{v:.1f} g/kg of vapour"),
    (r"moisture_flux\w*_(east|north)\w*", MOISTURE, "{v:.0f} g/kg m/s of moisture to the {x}"),
    (r"temperature_c", WARMTH, "temperature {v:.1f} °C"),
    (r"temperature_anomaly_k", WARMTH, "temperature {a:.1f} K {side} usual at this hour"),
    (r"temperature_c_change_(\d+)h", WARMTH, "temperature {moved} {a:.1f} K in {x} h"),
    (r"temperature_(max|min)_24h_c", WARMTH, "{x} of 24 h {v:.1f} °C"),
    (r"temperature_mean_240h_c", WARMTH, "{v:.1f} °C in the mean of 10 days"),
    (r"temperature_percentile", WARMTH, "temperature above {percent:.0f} % of what is usual here in this season"),
    (r"pressure_anomaly_hpa", PRESSURE, "{a:.1f} hPa {side} the mean of 15 days"),
    (r"surface_pressure_hpa_change_(\d+)h", PRESSURE, "{moved} {a:.1f} hPa in {x} h"),
    (r"pressure_change_3h_without_tide", PRESSURE, "{moved} {a:.1f} hPa in 3 h without the daily tide"),
    (r"pressure_against_surroundings_hpa", PRESSURE, "{a:.1f} hPa {side} that around"),
    (r"around_(\d+)km_temperature_change_3h", AIR_AROUND, "temperature {moved} {a:.1f} K in 3 h within {x} km"),
    (
        r"around_(\d+)km_pressure_change_3h_without_tide",
        AIR_AROUND,
        "pressure {moved} {a:.1f} hPa in 3 h within {x} km without the daily tide",
    ),
    (r"around_(\d+)km_theta_e_anomaly", AIR_AROUND, "theta-e {a:.1f} K {side} usual within {x} km"),
    (r"around_(\d+)km_relative_humidity", AIR_AROUND, "humidity {v:.0f} % within {x} km"),
    (r"around_(\d+)km_gust_front", AIR_AROUND, "{percent:.0f} % of a typical gust front within {x} km"),
    (r"around_400km_wind_(?:east|north)_ms", AIR_AROUND, "wind around from the {around_from}"),
    (r"wind_convergence_300km", AIR_AROUND, "wind runs {together} within 300 km"),
    (r"wind_speed_ms", WIND, "wind {v:.1f} m/s"),
    (r"wind_(?:east|north)_ms", WIND, "wind from the {wind_from}"),
    (r"wind_gust_ms", WIND, "gust {v:.1f} m/s"),
    (r"wind_gust_max_6h_ms", WIND, "gusts up to {v:.1f} m/s in 6 h"),
    (r"wind_gust_change_1h_ms", WIND, "gusts {moved} {a:.1f} m/s in 1 h"),
    (r"gust_front\w*", WIND, "{percent:.0f} % of a typical gust front"),
    (r"orographic_lift_ms", WIND, "wind lifts air up the slope by {v:.2f} m/s"),
    (r"season_(?:sin|cos)", SEASON, "as on {season} north of the equator"),
    (r"solar_hour_(?:sin|cos)", HOUR, "{solar} solar time"),
    (r"elevation_m", PLACE, "{v:.0f} m above the sea"),
    (r"latitude_abs_deg", PLACE, "{v:.1f}° from the equator"),
    (r"latitude_deg|longitude_deg", PLACE, "at {v:.2f}°"),
    (r"nearest_neighbour_km", PLACE, "nearest neighbour {v:.0f} km away"),
    (rf"model_cape_max_{AHEAD}_j_kg", MODEL_AIR, "CAPE up to {v:.0f} J/kg in {x} to {y} h"),
    (rf"model_inhibition_min_{AHEAD}_j_kg", MODEL_AIR, "inhibition down to {v:.0f} J/kg in {x} to {y} h"),
    (rf"model_precipitable_water_max_{AHEAD}_mm", MODEL_AIR, "precipitable water up to {v:.0f} mm in {x} to {y} h"),
    (rf"model_lifted_index_min_{AHEAD}_k", MODEL_AIR, "lifted index down to {v:.1f} K in {x} to {y} h"),
    (rf"model_freezing_level_mean_{AHEAD}_m", MODEL_AIR, "freezing level {v:.0f} m in {x} to {y} h"),
    (rf"model_rain_{AHEAD}_mm", MODEL_RAIN, "{v:.1f} mm in {x} to {y} h"),
    (rf"model_rain_max_{AHEAD}_mm", MODEL_RAIN, "up to {v:.1f} mm/h in {x} to {y} h"),
)


@lru_cache
def group_of(name: str) -> str:
    """Return the group of a feature.

    Raises
    ------
    LookupError
        If nobody gave it words.
    """
    return _found(name)[1]


def said(name: str, values: Mapping[str, float]) -> Told | None:
    """Return the value of a feature in words, None where it is missing.

    Parameters
    ----------
    values
        Value of every feature of the case by name: wind, season and hour are said from two of them.
    """
    value = values[name]
    if not math.isfinite(value):
        return None
    found, _, template = _found(name)
    terms = dict(zip("xy", map(tell, found.groups()), strict=False)) | _terms(value) | _shared(values)
    return tell(template, **{term: terms[term] for term in TERM.findall(template)})


@lru_cache
def _found(name: str) -> tuple[re.Match[str], str, str]:
    for pattern, group, template in WORDS:
        match = re.fullmatch(pattern, name)
        if match:
            return match, group, template
    raise LookupError(f"no words for the feature {name}")


def _terms(value: float) -> dict[str, object]:
    return {
        "v": value,
        "a": abs(value),
        "square": value * value,
        "percent": 100 * value,
        "together": tell("together") if value >= 0 else tell("apart"),
        "side": tell("above") if value >= 0 else tell("below"),
        "moved": tell("rose") if value >= 0 else tell("fell"),
    }


def _shared(values: Mapping[str, float]) -> dict[str, object]:
    """Return what takes two features to say."""
    minutes = round(_turn(values, "solar_hour_sin", "solar_hour_cos") * 144) % 144 * 10
    # The components say where the wind goes: it comes from the other side.
    wind, around = (
        round((_turn(values, f"{of}wind_east_ms", f"{of}wind_north_ms") + 0.5) * len(COMPASS)) % len(COMPASS)
        for of in ("", "around_400km_")
    )
    return {
        "solar": f"{minutes // 60:02}:{minutes % 60:02}",
        "season": tell_day(int(_turn(values, "season_sin", "season_cos") * 365) + 1),
        "wind_from": tell(COMPASS[wind]),
        "around_from": tell(COMPASS[around]),
    }


def _turn(values: Mapping[str, float], sine: str, cosine: str) -> float:
    """Return an angle as a share of a turn, 0 where it is not known."""
    angle = math.atan2(values.get(sine, 0.0), values.get(cosine, 0.0))
    return angle / math.tau % 1.0 if math.isfinite(angle) else 0.0
