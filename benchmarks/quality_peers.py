"""The same checks of weather records in pydantic, row by row, and in pandera: what `quality_speed` compares with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.domain.units import saturation_vapour_pressure_hpa
from core.quality import rules

LIMITS = {r.variable: (r.low, r.high) for r in rules.RANGES} | {"latitude": (-90, 90), "longitude": (-180, 180)}
#: Centre and spread of the z-score of a made-up place, on the scale of `rules.SCALES`.
USUAL: Mapping[str, tuple[float, float]] = {
    "temperature_c": (24.0, 4.0),
    "dew_point_c": (20.0, 4.0),
    "relative_humidity_pct": (80.0, 15.0),
    "surface_pressure_hpa": (946.0, 4.0),
    "wind_speed_ms": (1.7, 0.6),
    "precipitation_mm": (0.5, 1.2),
}
SCALES = {s.variable: s.transform for s in rules.SCALES if s.variable in USUAL}


def limited(name: str) -> Any:
    """Return a finite number within the limits of a variable, for pydantic."""
    low, high = LIMITS[name]
    return Annotated[float, Field(ge=low, le=high)]


class Row(BaseModel):
    """One record in pydantic: ranges as limits of fields, the rest in one validator."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    temperature_c: limited("temperature_c")  # type: ignore[valid-type] - limits come from the table of ranges
    dew_point_c: limited("dew_point_c")  # type: ignore[valid-type] - as above
    relative_humidity_pct: limited("relative_humidity_pct")  # type: ignore[valid-type] - as above
    surface_pressure_hpa: limited("surface_pressure_hpa")  # type: ignore[valid-type] - as above
    wind_speed_ms: limited("wind_speed_ms")  # type: ignore[valid-type] - as above
    wind_direction_deg: limited("wind_direction_deg")  # type: ignore[valid-type] - as above
    cloud_cover_pct: limited("cloud_cover_pct")  # type: ignore[valid-type] - as above
    precipitation_mm: limited("precipitation_mm")  # type: ignore[valid-type] - as above
    latitude: limited("latitude")  # type: ignore[valid-type] - as above
    longitude: limited("longitude")  # type: ignore[valid-type] - as above

    @model_validator(mode="after")
    def _agrees(self) -> Row:
        found = [*inconsistent(self), *rare(self)]
        if found:
            raise ValueError("; ".join(found))
        return self


def inconsistent(row: Row) -> Iterator[str]:
    """Yield what of one row contradicts itself, in plain Python."""
    rain, humidity = row.precipitation_mm, row.relative_humidity_pct
    if row.dew_point_c - row.temperature_c > rules.DEW_POINT_TOLERANCE_K:
        yield "dew point above temperature"
    if abs(100 * _vapour(row.dew_point_c) / _vapour(row.temperature_c) - humidity) > rules.HUMIDITY_TOLERANCE_PCT:
        yield "humidity contradicts temperature and dew point"
    if rain > rules.WETTING_RAIN_MM and humidity <= rules.WETTING_HUMIDITY_PCT:
        yield "rain out of dry air"
    if rain >= rules.HEAVY_RAIN_MM and row.cloud_cover_pct <= rules.HEAVY_RAIN_CLOUD_PCT:
        yield "rain out of a clear sky"


def rare(row: Row) -> Iterator[str]:
    """Yield what of one row lies far from its usual, in plain Python."""
    scaled = {
        "temperature_c": row.temperature_c,
        "dew_point_c": row.dew_point_c,
        "relative_humidity_pct": row.relative_humidity_pct,
        "surface_pressure_hpa": row.surface_pressure_hpa,
        "wind_speed_ms": math.sqrt(max(row.wind_speed_ms, 0.0)),
    }
    if row.precipitation_mm >= rules.WET_MM:
        scaled["precipitation_mm"] = math.log(row.precipitation_mm)
    for name, value in scaled.items():
        centre, spread = USUAL[name]
        if abs(value - centre) / spread > rules.Z_LIMIT:
            yield f"{name} is rare"


def _vapour(temperature_c: float) -> float:
    return 6.112 * math.exp(17.67 * temperature_c / (temperature_c + 243.5))


def by_pydantic(rows: Sequence[dict[str, Any]]) -> int:
    """Validate row by row; return the number of rows with errors, each with its reasons."""
    errors = {}
    for i, row in enumerate(rows):
        try:
            Row.model_validate(row)
        except ValidationError as error:
            errors[i] = error.errors(include_url=False, include_input=False)
    return len(errors)


def by_pandera(frame: pd.DataFrame) -> int:
    """Validate a frame lazily; return the number of rows among the failure cases."""
    try:
        SCHEMA.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return int(errors.failure_cases["index"].nunique())
    return 0


def _rare_check(name: str) -> pa.Check:
    centre, spread = USUAL[name]
    scale: Callable[[NDArray[Any]], NDArray[Any]] = SCALES[name]

    def usual(column: pd.Series) -> pd.Series:
        z = (scale(column.to_numpy()) - centre) / spread
        return pd.Series(~(np.abs(z) > rules.Z_LIMIT), index=column.index)

    return pa.Check(usual, name=f"{name} is rare")


def _column(name: str) -> pa.Column:
    low, high = LIMITS[name]
    return pa.Column(float, [pa.Check.in_range(low, high), *([_rare_check(name)] if name in USUAL else [])])


def _humid(f: pd.DataFrame) -> pd.Series:
    vapour = saturation_vapour_pressure_hpa(f["dew_point_c"].to_numpy())
    expected = 100 * vapour / saturation_vapour_pressure_hpa(f["temperature_c"].to_numpy())
    return (f["relative_humidity_pct"] - expected).abs() <= rules.HUMIDITY_TOLERANCE_PCT


def _dewy(f: pd.DataFrame) -> pd.Series:
    return f["dew_point_c"] - f["temperature_c"] <= rules.DEW_POINT_TOLERANCE_K


def _wetting(f: pd.DataFrame) -> pd.Series:
    dry = f["relative_humidity_pct"] <= rules.WETTING_HUMIDITY_PCT
    return ~((f["precipitation_mm"] > rules.WETTING_RAIN_MM) & dry)


def _clouded(f: pd.DataFrame) -> pd.Series:
    clear = f["cloud_cover_pct"] <= rules.HEAVY_RAIN_CLOUD_PCT
    return ~((f["precipitation_mm"] >= rules.HEAVY_RAIN_MM) & clear)


SCHEMA = pa.DataFrameSchema(
    {name: _column(name) for name in Row.model_fields},
    checks=[pa.Check(check, name=check.__name__) for check in (_dewy, _humid, _wetting, _clouded)],
)
