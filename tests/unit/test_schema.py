"""The schema takes finite numbers under either name, and says what it refuses without repeating it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.adapters.open_meteo.contract import NAMES
from core.domain.weather import VARIABLES
from core.quality import schema
from core.quality.schema import ALIASES, FIELD_OF, NUMERIC, REQUIRED, WeatherRecord, read
from tests.weather_posted import BY_ALIAS, RECORD, record

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just("\ud800") | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAME = st.sampled_from(sorted(FIELD_OF)) | st.text(max_size=12)


def reasons(sent: dict[Any, Any]) -> dict[str, str]:
    return {misfit.field: misfit.reason for misfit in read(sent).misfits}


def test_the_names_are_those_of_the_house_and_of_open_meteo() -> None:
    assert set(VARIABLES) <= set(schema.FIELDS)
    assert {v: names[0] for v, names in NAMES.items()}.items() <= ALIASES.items()


def test_both_names_give_the_same_record_and_missing_is_nan() -> None:
    by_name, by_alias = read(RECORD), read(BY_ALIAS)
    assert by_name.misfits == by_alias.misfits == ()
    assert by_name.values == by_alias.values == {k: float(v) for k, v in RECORD.items()}
    assert by_name.record is not None
    assert math.isnan(by_name.record.cape_j_kg)
    assert math.isnan(by_name.record.pressure_msl_hpa)
    assert by_name.record.valid_at is None


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize("gone", [..., None])
def test_what_is_required_is_required(field: str, gone: Any) -> None:
    reading = read(record(**{field: gone}))
    assert reading.record is None
    assert [(m.field, m.missing) for m in reading.misfits] == [(field, True)]


def test_one_of_two_pressures_is_required() -> None:
    assert read(record(surface_pressure_hpa=..., pressure_msl_hpa=1002.0)).misfits == ()
    assert read(record(surface_pressure_hpa=None, pressure_msl=1002)).misfits == ()
    (misfit,) = read(record(surface_pressure_hpa=...)).misfits
    assert misfit == schema.Misfit("surface_pressure_hpa", schema.NO_PRESSURE, missing=True)
    both = reasons(record(surface_pressure_hpa=..., temperature_c="20"))
    assert both == {"surface_pressure_hpa": schema.NO_PRESSURE, "temperature_c": schema.NO_NUMBER}
    with pytest.raises(ValidationError):
        WeatherRecord.model_validate(record(surface_pressure_hpa=...))


@pytest.mark.parametrize("field", sorted(NUMERIC))
@pytest.mark.parametrize(
    "wrong",
    [True, False, np.True_, "20", "", "nan", b"20", [20.0], {}, 1j, Decimal(20), datetime(2026, 7, 1, tzinfo=UTC)],
    ids=repr,
)
def test_no_number_is_refused(field: str, wrong: Any) -> None:
    assert reasons(record(**{field: wrong})) == {field: schema.NO_NUMBER}


@pytest.mark.parametrize("field", sorted(NUMERIC))
@pytest.mark.parametrize(
    "wrong", [math.nan, math.inf, -math.inf, 10**400, np.float32("nan")], ids=["n", "i", "m", "h", "f"]
)
def test_no_finite_number_is_refused(field: str, wrong: Any) -> None:
    assert reasons(record(**{field: wrong})) == {field: schema.NOT_FINITE}


@pytest.mark.parametrize(
    "value", [20, 20.0, np.float64(20), np.float32(20), np.int64(20)], ids=lambda v: type(v).__name__
)
def test_numbers_of_python_and_numpy_are_numbers(value: Any) -> None:
    reading = read(record(temperature_c=value))
    assert reading.misfits == ()
    assert type(reading.values["temperature_c"]) is float


@pytest.mark.parametrize(
    ("field", "inside", "outside"),
    [
        ("latitude", -90, -90.1),
        ("latitude", 90, 91),
        ("longitude", -180, -181),
        ("longitude", 180, 180.1),
        ("elevation_m", -430, -501),
        ("elevation_m", 8849, 1e300),
    ],
)
def test_a_position_lies_on_the_globe(field: str, inside: float, outside: float) -> None:
    assert reasons(record(**{field: inside})) == {}
    assert reasons(record(**{field: outside})) == {field: schema.OUTSIDE}


def test_ranges_of_weather_are_not_the_schemas_business() -> None:
    assert reasons(record(temperature_c=900.0, precipitation_mm=-3)) == {}


@pytest.mark.parametrize("field", sorted(ALIASES))
def test_a_field_given_by_both_names_is_refused_and_the_others_are_still_looked_at(field: str) -> None:
    sent = {**RECORD, field: 1.0, ALIASES[field]: 1.0, "latitude": 100}
    assert reasons(sent) == {field: schema.TWICE, "latitude": schema.OUTSIDE}


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2026-07-29T18:00Z", datetime(2026, 7, 29, 18, tzinfo=UTC)),
        ("2026-07-29T23:30:00+05:30", datetime(2026, 7, 29, 18, tzinfo=UTC)),
        ("2026-07-29T18:00", datetime(2026, 7, 29, 18, tzinfo=UTC)),  # Open-Meteo's form of GMT
        (datetime(2026, 7, 29, 23, 30, tzinfo=timezone(timedelta(hours=5.5))), datetime(2026, 7, 29, 18, tzinfo=UTC)),
    ],
)
def test_times_are_utc(sent: Any, moment: datetime) -> None:
    for name in ("valid_at", "time"):
        found = read({**RECORD, name: sent}).record
        assert found is not None
        assert found.valid_at == moment
        assert found.valid_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("2026-07-29T18:00:00", schema.NO_ZONE),
        ("2026-07-29 18:00", schema.NO_ZONE),
        ("2026-07-29", schema.NO_ZONE),
        (datetime(2026, 7, 29), schema.NO_ZONE),  # noqa: DTZ001 - the case itself
        ("yesterday", schema.NO_TIME),
        (1785348000, schema.NO_TIME),
        (True, schema.NO_TIME),
        ("\ud800", schema.NO_TIME),
        ("0001-01-01T00:00+14:00", schema.NO_TIME),
        ("2026-07-29T18:00Z" + " " * 100, schema.NO_TIME),
    ],
)
def test_a_time_without_zone_or_sense_is_refused(sent: Any, reason: str) -> None:
    assert reasons(record(valid_at=sent)) == {"valid_at": reason}
    assert reasons(record(available_at=sent)) == {"available_at": reason}


@pytest.mark.parametrize("sent", ["", "x" * 65, "a\x00b", "a\nb", "\ud800", 7, True, b"A1"], ids=repr)
def test_an_id_is_a_plain_text(sent: Any) -> None:
    assert reasons(record(location_id=sent)) == {"location_id": schema.NO_TEXT}
    for plain in ("देहरादून 1", "x", "x" * 64):
        assert reasons(record(location_id=plain)) == {}


@settings(deadline=None)  # the machine of a test is shared
@given(
    extra=st.dictionaries((st.text(max_size=8) | st.integers()).filter(lambda n: n not in FIELD_OF), JSON, max_size=6)
)
def test_extra_fields_are_counted_and_change_nothing(extra: dict[Any, Any]) -> None:
    reading = read({**extra, **RECORD})
    assert reading.misfits == ()
    assert reading.extra == len(extra)


@settings(deadline=None)  # the machine of a test is shared
@given(sent=st.dictionaries(NAME, JSON | FINITE, max_size=24))
def test_whatever_is_sent_is_taken_as_finite_or_refused(sent: dict[str, Any]) -> None:
    reading = read(sent)
    assert (reading.record is None) == bool(reading.misfits)
    assert set(reading.values) <= set(NUMERIC)
    assert all(type(v) is float and math.isfinite(v) for v in reading.values.values())
    assert not {m.field for m in reading.misfits} & set(reading.values)


@settings(deadline=None)  # the machine of a test is shared
@given(changes=st.dictionaries(st.sampled_from(sorted(RECORD)), JSON, max_size=3))
def test_a_wrong_field_is_named_and_the_others_are_kept(changes: dict[str, Any]) -> None:
    reading = read(record(**changes))
    wrong = {m.field for m in reading.misfits}
    assert wrong <= set(changes) | {"surface_pressure_hpa"}
    for field in set(RECORD) - set(changes):
        assert reading.values[field] == RECORD[field]


@settings(deadline=None)  # the machine of a test is shared
@given(numbers=st.fixed_dictionaries(dict.fromkeys(VARIABLES, FINITE)), by=st.randoms())
def test_round_trip_by_name_and_alias(numbers: dict[str, float], by: Any) -> None:
    numbers = {**numbers, "latitude": 30.0, "longitude": 78.0, "elevation_m": 10.0}
    reading = read({ALIASES[n] if n in ALIASES and by.random() < 0.5 else n: v for n, v in numbers.items()})
    assert reading.record is not None
    assert {name: getattr(reading.record, name) for name in numbers} == numbers == reading.values
    assert read(reading.record.model_dump()).record == reading.record


@settings(deadline=None)  # the machine of a test is shared
@given(secret=st.text(min_size=6).map("§{}".format) | st.floats(min_value=1e9, max_value=1e12))
def test_a_refusal_never_repeats_what_was_sent(secret: Any) -> None:
    sent = {"temperature_c": str(secret), "latitude": 1e9 + 0.5, "location_id": f"\x00{secret}", str(secret) + "?": 1}
    said = " ".join(m.field + m.reason for m in read(sent).misfits)
    assert str(secret) not in said
    with pytest.raises(ValidationError) as caught:
        WeatherRecord.model_validate(sent)
    assert str(secret) not in str(caught.value).replace("validation errors", "")


def test_a_record_is_frozen() -> None:
    found = read(RECORD).record
    assert found is not None
    with pytest.raises(ValidationError):
        found.temperature_c = 1.0  # type: ignore[misc] - the case itself
