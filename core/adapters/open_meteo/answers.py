"""From the bytes of an answer to arrays that can be believed: pure, and strict about everything that can be checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from core.adapters.open_meteo.contract import NAMES, TIME_UNIT, UNDEFINED_UNIT, Query
from core.domain.units import HOUR
from core.domain.weather import Hours, Location, Values
from core.errors import SourceResponseInvalid

#: The service answers for the centre of a model's cell; the coarsest cells it mixes are 0.5 degrees wide.
ECHO_DEG = 0.3
GREENWICH = ("GMT", "UTC", "Etc/GMT", "Etc/UTC")
#: The service's form of a full hour.
FULL_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d:00", re.ASCII)
#: Fields of an answer that are known; others are counted, not refused: services grow.
KNOWN_FIELDS = frozenset(
    {"latitude", "longitude", "elevation", "location_id", "generationtime_ms"}
    | {"utc_offset_seconds", "timezone", "timezone_abbreviation", "hourly", "hourly_units"}
)
#: Letters of a reason that may stand in a message of ours, and how many of them.
REASON_LETTERS, REASON_LENGTH = re.compile(r"[^A-Za-z0-9 .,:'_/-]"), 200
_HINT = (
    "The answer is not used; the next one may be well. If it stays so, the service or what stands before it changed."
)


@dataclass(frozen=True)
class Batch:
    """The checked answer to one request: arrays of shape (places, hours), float32, NaN where the service has null.

    Of an ensemble the rows are all places of the control, then all of the first member, and so on.
    """

    valid_at: Hours
    values: Mapping[str, Values] = field(repr=False)
    extra_fields: int = 0


def parse(body: bytes, query: Query) -> Batch:
    """Return the checked values of an answer.

    Parameters
    ----------
    body
        The decoded body, whatever its content type says.
    query
        What was asked.

    Raises
    ------
    SourceResponseInvalid
        If anything is not as agreed: one value that is no number spoils the answer, a null is merely missing.
    """
    return check(load(body), query)


def load(body: bytes) -> Any:
    """Return the JSON document in `body`, refusing what Python's parser takes beyond the standard.

    Raises
    ------
    SourceResponseInvalid
        If it is no JSON in UTF-8, nested too deeply, has a key twice, or NaN or Infinity in it.
    """
    if not body.strip():
        refuse("empty", "is empty")
    try:
        # Decoded here: json.loads would guess UTF-16 and UTF-32 from the bytes.
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        refuse("encoding", "is not in UTF-8")
    except RecursionError:
        refuse("nesting", "is nested too deeply")
    except ValueError:  # broken JSON, and integers of more digits than Python reads
        refuse("json", "is no valid JSON")


def reason_of(document: Any) -> str | None:
    """Return the service's own words on an error, cut down to plain letters; None where it is no error."""
    if not isinstance(document, dict) or "error" not in document:
        return None
    reason = document.get("reason")
    return REASON_LETTERS.sub("", reason)[:REASON_LENGTH] if isinstance(reason, str) else ""


def check(document: Any, query: Query) -> Batch:
    """Return the values in a JSON document, checked against what was asked.

    Raises
    ------
    SourceResponseInvalid
        If anything is not as agreed.
    """
    if (reason := reason_of(document)) is not None:
        refuse("error", f"is an error: {reason or 'without a reason'}")
    answers = document if isinstance(document, list) else [document]
    if len(answers) != len(query.places):
        refuse("places", f"has {len(answers)} places, {len(query.places)} were asked")
    _check_order(answers)
    axis = query.hours
    shape = (len(answers) * query.members, len(axis))
    values = {variable: np.full(shape, np.nan, np.float32) for variable in query.names}
    extra = 0
    for i, (answer, place) in enumerate(zip(answers, query.places, strict=True)):
        _check_place(answer, place, i)
        hourly, units = _block(answer, "hourly"), _block(answer, "hourly_units")
        _check_times(hourly.get("time"), units.get("time"), axis)
        known = {"time"}
        for variable in query.names:
            for member, name in enumerate(query.columns(variable)):
                values[variable][member * len(answers) + i] = _column(hourly, units, variable, name, len(axis))
                known.add(name)
        extra += len(answer.keys() - KNOWN_FIELDS) + len(hourly.keys() - known)
    _check_required(values, query)
    return Batch(axis, values, extra)


def refuse(fault: str, text: str) -> NoReturn:
    """Raise: the answer has this fault, in one word for counters and in words for people."""
    raise SourceResponseInvalid(f"The answer of Open-Meteo {text}.", hint=_HINT, fault=fault)


def hours_of(times: Any) -> NDArray[np.datetime64]:
    """Return a list of the service's times as consecutive hours, datetime64[h].

    Raises
    ------
    SourceResponseInvalid
        If one is no full hour, or the hours run backwards, come twice or have a gap.
    """
    if not isinstance(times, list) or not times:
        refuse("times", "has no list of times")
    if not all(isinstance(text, str) and FULL_HOUR.fullmatch(text) for text in times):
        refuse("times", "has a time that is no full hour")
    try:
        axis = np.array(times, "datetime64[h]")
    except ValueError:
        refuse("times", "has a time that does not exist")
    steps = np.diff(axis)
    if (steps <= np.timedelta64(0, "h")).any():
        refuse("times", "has hours that come twice or run backwards")
    if (steps != HOUR).any():
        refuse("times", "has a gap between its hours")
    return axis


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; which of two equal keys holds is anybody's guess, so neither does."""
    found = dict(pairs)
    if len(found) != len(pairs):
        refuse("duplicate_key", "has a key twice")
    return found


def _no_constant(token: str) -> NoReturn:
    refuse("not_finite", f"has {token}, which is no number")


def _number(value: Any) -> float | None:
    """Return a finite number, None for anything else: True is no 1, and "1" is none either."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _check_order(answers: Sequence[Any]) -> None:
    """Refuse places that are numbered otherwise than asked: neighbours are too near for their coordinates to tell.

    The first place carries no number, the others their position; a server that numbers none is believed.
    """
    if not all(isinstance(answer, dict) for answer in answers):
        refuse("structure", "has a place that is no object")
    numbers = [answer.get("location_id") for answer in answers]
    numbered = any(number is not None for number in numbers)
    for position, number in enumerate(numbers):
        if number is None and (position == 0 or not numbered):
            continue
        if type(number) is not int or number != position:
            refuse("order", "has its places in another order than asked")


def _check_place(answer: Mapping[str, Any], place: Location, position: int) -> None:
    """Refuse an answer for another place or in another clock."""
    latitude, longitude = _number(answer.get("latitude")), _number(answer.get("longitude"))
    if latitude is None or longitude is None:
        refuse("coordinates", "does not say for which place it is")
    turn = abs(longitude - place.longitude) % 360
    if abs(latitude - place.latitude) > ECHO_DEG or min(turn, 360 - turn) > ECHO_DEG:
        refuse("coordinates", f"is for another place than asked (number {position})")
    if type(offset := answer.get("utc_offset_seconds")) is not int or offset != 0:
        refuse("utc_offset", "is not in UTC")
    if answer.get("timezone", "GMT") not in GREENWICH:
        refuse("utc_offset", "is not in UTC")


def _block(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    block = answer.get(name)
    if not isinstance(block, dict):
        refuse("structure", f"has no {name}")
    return block


def _check_times(times: Any, unit: Any, axis: Hours) -> None:
    """Refuse times that are not exactly the hours asked for."""
    if unit != TIME_UNIT:
        refuse("units", "has times in another form than agreed")
    found = hours_of(times)
    if len(found) != len(axis) or found[0] != axis[0]:
        refuse("times", "is for other hours than asked")


def _column(hourly: Mapping[str, Any], units: Mapping[str, Any], variable: str, name: str, hours: int) -> Values:
    """Return one variable of one place, shape (hours,)."""
    column = hourly.get(name)
    if not isinstance(column, list) or name not in units:
        refuse("missing_variable", f"lacks {name} or its unit")
    if len(column) != hours:
        refuse("length", f"has {len(column)} values of {name} for {hours} hours")
    if not {type(value) for value in column} <= {int, float, type(None)}:
        refuse("not_a_number", f"has something in {name} that is no number")
    missing = np.array([value is None for value in column])
    unit = units[name]
    # By type and value: True == 1 and the like must not pass for a unit.
    if not isinstance(unit, str) or unit not in NAMES[variable][1]:
        if unit == UNDEFINED_UNIT and missing.all():
            return np.full(hours, np.nan, np.float32)
        refuse("units", f"has {name} in another unit than agreed")
    try:
        with np.errstate(over="ignore"):
            values = np.array([0 if value is None else value for value in column], np.float64).astype(np.float32)
    except OverflowError:  # an integer beyond every float
        refuse("not_finite", f"has a value in {name} that is not finite")
    if not np.isfinite(values).all():
        refuse("not_finite", f"has a value in {name} that is not finite")
    return np.where(missing, np.float32(np.nan), values)


def _check_required(values: Mapping[str, Values], query: Query) -> None:
    """Refuse an answer without a single value of something that no forecast can do without."""
    for group in query.required:
        if not any(np.isfinite(values[variable]).any() for variable in group if variable in values):
            refuse("all_null", f"has no value of {' or '.join(group)} in any hour")
