"""Names and units of observation tables: what a column must be called, and whether its values can be in that unit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.domain.weather import VARIABLES, Values
from core.errors import SchemaMismatch

#: Line in the file of a row counted from 0: the line of a text file, the row number of a Parquet file.
LineOf = Callable[[int], int]

REQUIRED = ("station_id", "valid_at", "precipitation_mm")
UNITS: Mapping[str, str] = {
    "station_id": "text",
    "valid_at": "UTC, end of the hour",
    "latitude": "degrees north",
    "longitude": "degrees east",
    "elevation_m": "m",
    "temperature_c": "°C",
    "dew_point_c": "°C",
    "relative_humidity_pct": "%",
    "surface_pressure_hpa": "hPa, at the station",
    "pressure_msl_hpa": "hPa, at sea level",
    "wind_speed_ms": "m/s",
    "wind_direction_deg": "degrees",
    "wind_gust_ms": "m/s",
    "cloud_cover_pct": "%",
    "precipitation_mm": "mm of the preceding hour",
    "cape_j_kg": "J/kg",
    "lifted_index_k": "K",
    "convective_inhibition_j_kg": "J/kg",
    "precipitable_water_mm": "mm",
    "freezing_level_m": "m",
}
#: What other archives call these columns; units, heights and separators are taken off before the comparison.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "station_id": ("station", "stationcode", "code", "id", "gauge", "gaugeid", "site", "wmo", "codigo"),
    "valid_at": ("valid", "time", "datetime", "timestamp", "date", "datehour", "validtime", "timeutc", "data", "hora"),
    "latitude": ("lat",),
    "longitude": ("lon", "long", "lng"),
    "elevation_m": ("elev", "altitude", "height"),
    "temperature_c": ("temp", "airtemperature", "airtemp", "tair", "t2m", "drybulb", "temperatura"),
    "dew_point_c": ("dewpoint", "dewpointtemperature", "dewpointtemp", "dewtemp", "dew", "td", "d2m", "tdew"),
    "relative_humidity_pct": ("humidity", "relhumidity", "relhum", "rh", "umidade"),
    "surface_pressure_hpa": ("pressure", "stationpressure", "airpressure", "pres", "barometer", "pressao"),
    "pressure_msl_hpa": (
        "msl",
        "mslp",
        "slp",
        "sealevelpressure",
        "mslpressure",
        "pressuresealevel",
        "meansealevelpressure",
    ),
    "wind_speed_ms": ("windspeed", "wind", "windspd", "wspd", "ws"),
    "wind_direction_deg": ("winddirection", "winddir", "wdir", "wd"),
    "wind_gust_ms": ("gust", "gusts", "windgusts", "gustspeed", "windgustspeed"),
    "cloud_cover_pct": ("cloud", "clouds", "cloudiness", "totalcloudcover", "tcc"),
    "precipitation_mm": ("precip", "prcp", "rain", "rainfall", "hourlyrain", "totalprecipitation", "pptn", "chuva"),
    "lifted_index_k": ("li",),
    "convective_inhibition_j_kg": ("cin", "convinhibition"),
    "precipitable_water_mm": ("pwat", "tcwv", "totalcolumnwatervapour"),
    "freezing_level_m": ("freezinglevelheight", "zerodegreelevel"),
}
_UNIT_TOKENS = frozenset(
    re.findall(
        r"\w+",
        "c f k degc degf celsius fahrenheit kelvin mm cm in inch inches m km ft feet hpa pa kpa mb mbar bar inhg "
        "mmhg ms mps s h hr hour hourly kmh kph kmph mph kn kt kts knot knots pct percent frac fraction deg "
        "degree degrees rad j jkg kg utc at local 1h 2m 10m mmh mmhr ",
    )
)
#: A column with such a word speaks about a value or about another quantity; it never stands in for the hourly value.
_OTHER_TOKENS = frozenset(
    re.findall(
        r"\w+",
        "flag flags qc quality fault faults error note notes comment source count max min maximum minimum daily "
        "soil sensor name state type available ",
    )
)
#: Likeness of two stems from which one is taken for a misspelling of the other ("temprature", "tempF").
_LIKE = 0.85


def mismatch(path: Path, column: str, line: int, what: str, hint: str = "") -> SchemaMismatch:
    """Return the error that names file, column and line."""
    column = column if len(column) <= 60 else column[:57] + "..."
    return SchemaMismatch(
        f"{path.name}, column {column}, line {line}: {what}.", hint=hint, file=path.name, column=column, line=line
    )


def check_columns(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the variables of the house among the columns `names`, in the order of `VARIABLES`.

    Raises
    ------
    SchemaMismatch
        If a column is there twice, a required one is missing, or a variable stands under another name or unit.
    """
    check_required(names, path, REQUIRED)
    for name in names:
        meant = resembles(name)
        if meant in VARIABLES and meant not in names:
            hint = f"If it is, rename the column to {meant} and give it in {UNITS[meant]}; if not, remove it."
            raise mismatch(path, name, 1, f"looks like {meant} ({UNITS[meant]}) under another name or unit", hint)
    return tuple(name for name in VARIABLES if name in names)


def check_required(names: Sequence[str], path: Path, required: Sequence[str]) -> None:
    """Refuse a table without a required column, or with a known one twice.

    Raises
    ------
    SchemaMismatch
        With a hint that names the nearest column.
    """
    for name in names:
        if name in UNITS and names.count(name) > 1:
            raise mismatch(path, name, 1, "the column is there twice")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise mismatch(path, required[0], 1, "the columns are not separated by commas")
    for need in required:
        if need not in names:
            raise mismatch(path, need, 1, "the required column is missing", _nearest_hint(need, names))


def resembles(name: str) -> str | None:
    """Return the column of the house that a foreign column name looks like, or None.

    >>> resembles("temperature_f"), resembles("rain_in"), resembles("fault")
    ('temperature_c', 'precipitation_mm', None)
    """
    if name in UNITS:
        return None
    tokens = [token for token in re.split(r"[^a-z0-9]+", name.strip().lower()) if token]
    if not tokens or _OTHER_TOKENS & set(tokens):
        return None
    stem = _stem(tokens)
    known = {alias: column for column in UNITS for alias in (_stem(column.split("_")), *_ALIASES.get(column, ()))}
    if stem in known:
        return known[stem]
    near = difflib.get_close_matches(stem, [alias for alias in known if len(alias) > 3], 1, _LIKE)
    return known[near[0]] if near else None


def _stem(tokens: Sequence[str]) -> str:
    kept = list(tokens)
    while len(kept) > 1 and kept[-1] in _UNIT_TOKENS:
        kept.pop()
    return "".join(kept)


def _nearest_hint(need: str, names: Sequence[str]) -> str:
    meant = [name for name in names if resembles(name) == need]
    near = meant or difflib.get_close_matches(need, [n for n in names if n not in UNITS], 1, 0.3)
    wanted = f"{need} ({UNITS[need]})"
    if near:
        return f"The nearest column is {near[0][:60]}: rename it to {wanted} if it is that."
    return f"Add the column {wanted}."


@dataclass(frozen=True)
class _UnitRule:
    """A file is in the wrong unit when more than `share` of a variable's values lie beyond a bound."""

    variable: str
    words: str
    high: float = np.inf
    low: float = -np.inf
    share: float = 0.5

    def first_offence(self, values: Values) -> int | None:
        """Return the first row beyond the bounds when the whole column offends; NaN never does."""
        beyond = (values > self.high) | (values < self.low)
        # A single wild value is news for the quality checks, whatever its share of a short file.
        enough = max(1.0, self.share * float(np.isfinite(values).sum()))
        return int(beyond.argmax()) if float(beyond.sum()) > enough else None


#: More than half beyond = the median is beyond. Bounds: no place on Earth has such a median, every mix-up does.
_RULES = (
    _UnitRule("temperature_c", "most values are above 45: Fahrenheit or Kelvin", high=45),
    _UnitRule("dew_point_c", "most values are above 40: Fahrenheit or Kelvin", high=40),
    _UnitRule("surface_pressure_hpa", "most values are above 1100: Pa", high=1100),
    _UnitRule("surface_pressure_hpa", "most values are below 300: kPa or inHg", low=300),
    _UnitRule("pressure_msl_hpa", "most values are above 1100: Pa", high=1100),
    _UnitRule("pressure_msl_hpa", "most values are below 850: mmHg, kPa or inHg", low=850),
    _UnitRule("relative_humidity_pct", "most values are above 110", high=110),
    _UnitRule("wind_speed_ms", "most values are above 40: not m/s", high=40),
    _UnitRule("wind_gust_ms", "most values are above 80: not m/s", high=80),
    _UnitRule("wind_direction_deg", "most values are above 360", high=360),
    _UnitRule("cloud_cover_pct", "most values are above 110", high=110),
    _UnitRule("precipitable_water_mm", "most values are above 150", high=150),
    # The 99.9th percentile: the world record for one hour is about 400 mm (Shangdi, 1975; WMO lists 401 mm).
    _UnitRule("precipitation_mm", "more than 0.1 % of the values are above 500", high=500, share=0.001),
    _UnitRule("precipitation_mm", "more than 0.1 % of the values are negative", low=0, share=0.001),
)
#: Humidity of more than 100 hours that never exceeds 1 % is a fraction; a dead sensor (all 0) is not a unit.
_FRACTION_HOURS = 100


def check_units(values: Mapping[str, Values], path: Path, line_of: LineOf) -> None:
    """Refuse a file with a column in the wrong unit, decided by robust statistics over the whole file.

    Raises
    ------
    SchemaMismatch
        Naming the line of the first offending value.
    """
    for rule in _RULES:
        row = rule.first_offence(values[rule.variable]) if rule.variable in values else None
        if row is not None:
            raise _wrong_unit(path, rule.variable, line_of(row), rule.words)
    humidity = values.get("relative_humidity_pct")
    if humidity is not None:
        finite = np.isfinite(humidity)
        highest = float(np.max(humidity, where=finite, initial=0.0))
        if int(finite.sum()) > _FRACTION_HOURS and 0 < highest <= 1.0:
            words = "no value is above 1: a fraction"
            raise _wrong_unit(path, "relative_humidity_pct", line_of(int(finite.argmax())), words)


def _wrong_unit(path: Path, column: str, line: int, words: str) -> SchemaMismatch:
    return mismatch(path, column, line, f"wrong unit, {words}", f"Give {column} in {UNITS[column]}.")
