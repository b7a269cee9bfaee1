"""Schema of one weather record from outside: names, types, position. Whether a value is plausible is for the checks.

Every field is taken by its name of the house or by Open-Meteo's, units are those of the house (wind in m/s; ask
Open-Meteo for `wind_speed_unit=ms`). Types are strict: a number is a finite number, not a boolean and not a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.domain.units import as_utc
from core.domain.weather import VARIABLES

#: Open-Meteo's names by field.
ALIASES: Mapping[str, str] = {
    "temperature_c": "temperature_2m",
    "dew_point_c": "dew_point_2m",
    "relative_humidity_pct": "relative_humidity_2m",
    "surface_pressure_hpa": "surface_pressure",
    "pressure_msl_hpa": "pressure_msl",
    "wind_speed_ms": "wind_speed_10m",
    "wind_direction_deg": "wind_direction_10m",
    "wind_gust_ms": "wind_gusts_10m",
    "cloud_cover_pct": "cloud_cover",
    "precipitation_mm": "precipitation",
    "cape_j_kg": "cape",
    "lifted_index_k": "lifted_index",
    "convective_inhibition_j_kg": "convective_inhibition",
    "precipitable_water_mm": "total_column_integrated_water_vapour",
    "freezing_level_m": "freezing_level_height",
    "elevation_m": "elevation",
    "valid_at": "time",
}
#: Fields that every record must have, and the pair of which it must have one.
REQUIRED = (
    "temperature_c",
    "relative_humidity_pct",
    "wind_speed_ms",
    "wind_direction_deg",
    "cloud_cover_pct",
    "precipitation_mm",
    "latitude",
    "longitude",
)
PRESSURES = ("surface_pressure_hpa", "pressure_msl_hpa")
POSITION = ("latitude", "longitude", "elevation_m")
#: Limits of a position: the globe in degrees; land from the Dead Sea (-430 m) to Everest (8,849 m), with a margin.
LIMITS: Mapping[str, tuple[float, float]] = {
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "elevation_m": (-500.0, 9000.0),
}
#: Longest identifier of a place, and longest text of a time, in characters.
ID_LENGTH, TIME_LENGTH = 64, 40
#: Open-Meteo's times in GMT: hour and minute, no zone, e.g. 2026-07-29T18:00.
GMT_FORM = "%Y-%m-%dT%H:%M"

NO_NUMBER = "is not a number: send it without quotes, not as true or false"
NOT_FINITE = "is not a finite number: leave it out, or send null, where there is no value"
NO_TIME = "is not a time: send it as 2026-07-29T18:00Z"
NO_ZONE = "has no time zone: end it with Z or an offset such as +05:30"
NO_TEXT = f"is not a plain text of 1 to {ID_LENGTH} characters"
TWICE = "is given twice, by its name of the house and by Open-Meteo's: send one of them"
MISSING = "is missing, and required"
NO_PRESSURE = "is missing: send it, or pressure_msl_hpa"
OUTSIDE = "lies outside the limits of a position (latitude -90..90, longitude -180..180, elevation -500..9000 m)"
REASONS: Mapping[str, str] = {
    "missing": MISSING,
    "finite_number": NOT_FINITE,
    "float_type": NOT_FINITE,  # an integer too large for a float; every other type has been refused before
    **dict.fromkeys(("greater_than_equal", "less_than_equal"), OUTSIDE),
}


def is_number(value: object) -> bool:
    """Return whether a value is a real number of Python's or numpy's, finite or not; booleans and texts are none."""
    return isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)


def _number(value: object) -> object:
    if is_number(value):
        return value
    if value is None:
        raise PydanticCustomError("missing", MISSING)
    raise PydanticCustomError("no_number", NO_NUMBER)


def _number_or_nan(value: object, finite: ValidatorFunctionWrapHandler) -> float:
    return math.nan if value is None else float(finite(_number(value)))


def read_moment(value: object) -> datetime | None:
    """Return a time in UTC, None for None.

    A time carries its zone. The one exception is text in the very form in which Open-Meteo writes GMT (hour and minute,
    no seconds, no zone): it is read as UTC, as the service means it when it is asked with `timezone=GMT`.

    Raises
    ------
    PydanticCustomError
        If it is no time or has no zone.
    """
    moment: object = value
    if isinstance(value, str) and len(value) <= TIME_LENGTH:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None and moment.strftime(GMT_FORM) == value:
                return moment.replace(tzinfo=UTC)
        except ValueError:
            moment = None
    elif value is None:
        return None
    if not isinstance(moment, datetime):
        raise PydanticCustomError("no_time", NO_TIME)
    if moment.tzinfo is None:
        raise PydanticCustomError("no_zone", NO_ZONE)
    try:
        return as_utc(moment)
    except (OverflowError, ValueError):
        raise PydanticCustomError("no_time", NO_TIME) from None


def is_plain_text(value: object) -> bool:
    """Return whether a value may name a place: printable, so without lone surrogates, which no answer can hold."""
    return isinstance(value, str) and 1 <= len(value) <= ID_LENGTH and value.isprintable()


def _plain_text(value: object) -> object:
    if value is None or is_plain_text(value):
        return value
    raise PydanticCustomError("no_text", NO_TEXT)


def _names(field: str) -> AliasChoices:
    return AliasChoices(field, ALIASES[field])


Moment = Annotated[datetime | None, BeforeValidator(read_moment)]
Number = Annotated[float, BeforeValidator(_number)]
MaybeNumber = Annotated[float, WrapValidator(_number_or_nan)]


class WeatherRecord(BaseModel):
    """The weather of one place in one hour, as sent from outside. Fields, units and meaning are those of `Observation`.

    Optional numbers are NaN where they were not sent, never zero. Unknown fields are let pass and counted by `read`.

    >>> WeatherRecord.model_validate({"temperature_2m": "20"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: ... validation errors for WeatherRecord
    ...
    """

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, extra="ignore", hide_input_in_errors=True)

    temperature_c: Number = Field(validation_alias=_names("temperature_c"))
    relative_humidity_pct: Number = Field(validation_alias=_names("relative_humidity_pct"))
    surface_pressure_hpa: MaybeNumber = Field(math.nan, validation_alias=_names("surface_pressure_hpa"))
    pressure_msl_hpa: MaybeNumber = Field(math.nan, validation_alias=_names("pressure_msl_hpa"))
    wind_speed_ms: Number = Field(validation_alias=_names("wind_speed_ms"))
    wind_direction_deg: Number = Field(validation_alias=_names("wind_direction_deg"))
    cloud_cover_pct: Number = Field(validation_alias=_names("cloud_cover_pct"))
    precipitation_mm: Number = Field(validation_alias=_names("precipitation_mm"))
    latitude: Number = Field(ge=LIMITS["latitude"][0], le=LIMITS["latitude"][1])
    longitude: Number = Field(ge=LIMITS["longitude"][0], le=LIMITS["longitude"][1])
    elevation_m: Annotated[
        float,
        Field(ge=LIMITS["elevation_m"][0], le=LIMITS["elevation_m"][1]),
        WrapValidator(_number_or_nan),
    ] = Field(math.nan, validation_alias=_names("elevation_m"))
    dew_point_c: MaybeNumber = Field(math.nan, validation_alias=_names("dew_point_c"))
    wind_gust_ms: MaybeNumber = Field(math.nan, validation_alias=_names("wind_gust_ms"))
    cape_j_kg: MaybeNumber = Field(math.nan, validation_alias=_names("cape_j_kg"))
    lifted_index_k: MaybeNumber = Field(math.nan, validation_alias=_names("lifted_index_k"))
    convective_inhibition_j_kg: MaybeNumber = Field(math.nan, validation_alias=_names("convective_inhibition_j_kg"))
    precipitable_water_mm: MaybeNumber = Field(math.nan, validation_alias=_names("precipitable_water_mm"))
    freezing_level_m: MaybeNumber = Field(math.nan, validation_alias=_names("freezing_level_m"))
    location_id: Annotated[str | None, BeforeValidator(_plain_text)] = None
    valid_at: Moment = Field(None, validation_alias=_names("valid_at"))
    available_at: Moment = None

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, sent: Any) -> Any:
        if isinstance(sent, Mapping) and given_twice(sent):
            raise PydanticCustomError("twice", TWICE)
        return sent

    @model_validator(mode="after")
    def _with_pressure(self) -> Self:
        if math.isnan(self.surface_pressure_hpa) and math.isnan(self.pressure_msl_hpa):
            raise PydanticCustomError("no_pressure", NO_PRESSURE)
        return self


FIELDS: tuple[str, ...] = tuple(WeatherRecord.model_fields)
#: The fields that are numbers.
NUMERIC = frozenset((*VARIABLES, *POSITION))
#: Field by every name that may be sent.
FIELD_OF: Mapping[str, str] = {**{name: name for name in FIELDS}, **{alias: name for name, alias in ALIASES.items()}}


@dataclass(frozen=True)
class Misfit:
    """What of a record does not fit the schema; the reason never repeats what was sent."""

    field: str
    reason: str
    missing: bool = False


@dataclass(frozen=True)
class Reading:
    """One record read: the record where it fits, else why not, and in any case the numbers that are numbers.

    `values` has the variables that were sent and fit, and the position; `sent` the names of all known fields that were
    sent; `extra` the number of unknown ones.
    """

    record: WeatherRecord | None
    values: Mapping[str, float]
    misfits: tuple[Misfit, ...]
    sent: frozenset[str]
    extra: int


def given_twice(sent: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the fields that are given by both of their names."""
    return tuple(field for field, alias in ALIASES.items() if alias in sent and field in sent)


def read(sent: Mapping[Any, Any]) -> Reading:
    """Read one record. What does not fit is ordinary news, not an error."""
    known = {FIELD_OF[name]: name for name in sent if isinstance(name, str) and name in FIELD_OF}
    extra = sum(1 for name in sent if not isinstance(name, str) or name not in FIELD_OF)
    try:
        record = WeatherRecord.model_validate(dict(sent))
        misfits: tuple[Misfit, ...] = ()
    except ValidationError as error:
        record, misfits = None, _misfits(error, sent)
    wrong = {m.field for m in misfits}
    values = {
        field: float(sent[name])
        for field, name in known.items()
        if field in NUMERIC and field not in wrong and sent[name] is not None
    }
    return Reading(record, values, misfits, frozenset(known), extra)


def _misfits(error: ValidationError, sent: Mapping[Any, Any]) -> tuple[Misfit, ...]:
    """Return what is wrong in the words of the house, one misfit per field."""
    twice = given_twice(sent)
    if twice:  # nothing else has been looked at; look again without the second names
        seconds = {ALIASES[field] for field in twice}
        others = read({name: value for name, value in sent.items() if name not in seconds}).misfits
        return (*(Misfit(field, TWICE) for field in twice), *(m for m in others if m.field not in twice))
    found: dict[str, Misfit] = {}
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        kind = problem["type"]
        if problem["loc"]:
            field = FIELD_OF[str(problem["loc"][0])]
            found.setdefault(field, Misfit(field, REASONS.get(kind, problem["msg"]), missing=kind == "missing"))
    if _without_pressure(sent) and not set(PRESSURES) & set(found):
        found[PRESSURES[0]] = Misfit(PRESSURES[0], NO_PRESSURE, missing=True)
    return tuple(found.values())


def _without_pressure(sent: Mapping[Any, Any]) -> bool:
    return all(sent.get(name) is None and sent.get(ALIASES[name]) is None for name in PRESSURES)
