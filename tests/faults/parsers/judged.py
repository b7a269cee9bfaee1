"""The five parsers that take bytes from outside, each with what must hold of whatever it gives back.

A parser here is a function of bytes that returns what was accepted, None where nothing was: it raises `Unsound` where
that must not be, and lets pass whatever the parser raises beyond its documented errors. It needs no fuzzer: a test
replays the corpus with it.
"""

from __future__ import annotations

import atexit
import dataclasses
import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from xxhash import xxh3_128_digest

from core.adapters import manifests
from core.adapters.gauges.inmet import InmetFile
from core.adapters.open_meteo import answers
from core.adapters.open_meteo.contract import Endpoint, Query
from core.caching import envelope
from core.domain.learning import ModelManifest
from core.domain.weather import VARIABLES, Location
from core.errors import ModelCorrupt, SchemaMismatch, SourceResponseInvalid
from core.quality import schema

VERSION, KEY = "logistic_regression_20260101T000000Z_1", "forecasts:a"
#: What an envelope may hold, beside a table.
HOUSE = (type(None), bool, int, float, str, bytes, list, tuple, dict, datetime)
QUERY = Query(Endpoint.FORECAST, (Location("p", "P", 30.3, 78.0),), date(2026, 7, 29), date(2026, 7, 29), None)


class Unsound(Exception):
    """A parser accepted what it must not."""


def observation(data: bytes) -> schema.WeatherRecord | None:
    """Read a record as POST /observations and the quality checks do."""
    try:
        sent = json.loads(data)  # with NaN and Infinity: callers in Python may hand them in
    except (ValueError, RecursionError):
        return None
    if not isinstance(sent, dict):
        return None
    reading = schema.read(sent)
    _hold((reading.record is None) == bool(reading.misfits), "neither a record nor a reason")
    _hold(reading.sent <= set(schema.FIELDS), "a field that there is not")
    _hold(all(math.isfinite(value) for value in reading.values.values()), "a value that is not finite")
    record = reading.record
    if record is None:
        return None
    for name, (low, high) in schema.LIMITS.items():
        value = getattr(record, name)
        _hold(low <= value <= high or (math.isnan(value) and name == "elevation_m"), f"{name} outside its limits")
    _hold(all(not math.isinf(getattr(record, name)) for name in VARIABLES), "an infinite value")
    _hold(all(math.isfinite(getattr(record, name)) for name in schema.REQUIRED), "a required value is missing")
    for moment in (record.valid_at, record.available_at):
        _hold(moment is None or moment.tzinfo is UTC, "a time that is not UTC")
    return record


def inmet(data: bytes) -> Location | None:
    """Read a raw station-year of INMET."""
    path = _folder() / "a.csv"
    path.write_bytes(data)
    file = InmetFile(path)
    try:
        file.has_rows()
        station = file.station()
        names, frame = file.variables(), file.read()
    except SchemaMismatch:
        return None
    _hold(bool(station.id), "a station without a code")
    _hold(abs(station.latitude) <= 90 and abs(station.longitude) <= 180, "a station beside the globe")
    _hold("precipitation_mm" in names, "a file without rain")
    for name in names:
        _hold(not np.isinf(frame[name].to_numpy()).any(), f"{name} is infinite")
    return station


def open_meteo(data: bytes) -> answers.Batch | None:
    """Parse an answer to one request."""
    try:
        batch = answers.parse(data, QUERY)
    except SourceResponseInvalid:
        return None
    _hold(np.array_equal(batch.valid_at, QUERY.hours), "other hours than asked")
    _hold(set(batch.values) == set(QUERY.names), "other variables than asked")
    for name, values in batch.values.items():
        _hold(values.shape == (1, len(QUERY.hours)) and values.dtype == np.float32, f"{name} of another shape")
        _hold(not np.isinf(values).any(), f"{name} is infinite")
    return batch


def cache_envelope(data: bytes) -> envelope.Envelope | None:
    """Decode bytes of the cache's server: as they are, and with a right beginning and checksum around them."""
    body, accepted = envelope.MAGIC + data, None
    for whole in (data, body + xxh3_128_digest(body)):
        found = envelope.decode(KEY, whole)
        if found is None:
            continue
        numbers = (found.fetched_at, found.soft_until, found.hard_until, found.size)
        _hold(found.key == KEY and all(math.isfinite(number) for number in numbers), "an envelope without its times")
        _hold(all(map(_is_ours, _parts(found.value))), "a value that is none of the house")
        accepted = found
    return accepted


def manifest(data: bytes) -> ModelManifest | None:
    """Parse a manifest, and the same bytes as a probe."""
    found = None
    with suppress(ModelCorrupt):
        found = manifests.parse(data, VERSION)
    if found is not None:
        _hold(found.version == VERSION, "the manifest of another version")
        times = (found.created_at, found.trained_on.begin, found.trained_on.end)
        _hold(all(time.tzinfo is not None for time in times), "a time without its zone")
        _hold(all(map(math.isfinite, _floats(dataclasses.asdict(found)))), "a number that is not finite")
    try:
        probe = manifests.parse_probe(data, VERSION)
    except ModelCorrupt:
        return found
    _hold(len(probe.rows) == len(probe.probability) > 0, "a probe without its answers")
    _hold(not np.isinf(probe.rows).any(), "an infinite feature")
    likely = probe.probability[~np.isnan(probe.probability)]
    _hold(bool(((likely >= 0) & (likely <= 1)).all()), "an answer that is no probability")
    return found


PARSERS: dict[str, Callable[[bytes], object]] = {
    "observation": observation,
    "inmet": inmet,
    "open-meteo": open_meteo,
    "envelope": cache_envelope,
    "manifest": manifest,
}
#: What the planted bug of each parser falls over: a value of what was accepted that nothing in its corpus has.
DEADLY: dict[str, Callable[[Any], bool]] = {
    "observation": lambda record: record.latitude < 0,
    "inmet": lambda station: int(station.latitude) != -15,
    "open-meteo": lambda batch: any(np.isnan(values).sum() == 1 for values in batch.values.values()),
    "envelope": lambda found: isinstance(found.value, int),
    "manifest": lambda found: found.seed < 0,
}
#: Those whose input is JSON: its values are exchanged, beside its bytes.
JSON = frozenset({"observation", "open-meteo", "manifest"})


def deadly(name: str, data: bytes) -> bool:
    """Say whether a parser accepts an input that its planted bug falls over."""
    accepted = PARSERS[name](data)
    return accepted is not None and DEADLY[name](accepted)


def replay(name: str, folder: Path) -> list[str]:
    """Try a parser on every file of a folder; return what was wrong."""
    wrong = []
    for path in sorted(folder.iterdir()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                PARSERS[name](path.read_bytes())
        except Exception as error:  # anything that comes out is a finding
            wrong.append(f"{name} {path.name}: {type(error).__name__}: {error}")
    return wrong


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Unsound(otherwise)


_made: list[Path] = []


def _folder() -> Path:
    """Return a folder of this process."""
    if not _made:
        _made.append(Path(tempfile.mkdtemp()))
        atexit.register(shutil.rmtree, _made[0], ignore_errors=True)
    return _made[0]


def _parts(value: Any) -> Iterator[Any]:
    """Yield a value and whatever is in it; a table is one of the house."""
    if isinstance(value, pd.DataFrame):
        return
    yield value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for part in value:
            yield from _parts(part)


def _is_ours(value: Any) -> bool:
    return isinstance(value, HOUSE) and (not isinstance(value, datetime) or value.tzinfo is UTC)


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _floats(part)
