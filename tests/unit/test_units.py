"""Conversions that everything shares: calendar months, hours as datetime64, the dew point of a vapour pressure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from core.domain.units import (
    as_utc,
    dew_point_c,
    east_or_west_deg,
    floor_hour,
    from_datetime64,
    hour_axis,
    months,
    saturation_vapour_pressure_hpa,
    to_second64,
)

INDIA = timezone(timedelta(hours=5, minutes=30))


def test_months_are_cut_to_what_is_asked_for_and_end_with_their_last_hour() -> None:
    found = list(months(datetime(2023, 12, 5, 7, 40, tzinfo=UTC), datetime(2024, 3, 1, 0, 59, tzinfo=UTC)))
    assert found == [
        (datetime(2023, 12, 5, 7, tzinfo=UTC), datetime(2023, 12, 31, 23, tzinfo=UTC)),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 31, 23, tzinfo=UTC)),
        (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, tzinfo=UTC)),
        (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
    ]


def test_a_month_may_begin_on_its_last_day_and_hold_one_hour() -> None:
    hour = datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert list(months(hour, hour)) == [(hour, hour)]
    assert list(months(hour, hour - timedelta(hours=1))) == []


# Bolton 1980, eq. 10: 6.112 hPa at 0 °C, and 6.112 exp(17.67 * 20 / 263.5) = 23.3695 hPa at 20 °C.
@pytest.mark.parametrize(("vapour_hpa", "dew_point"), [(6.112, 0.0), (23.3695, 20.0)])
def test_the_dew_point_of_a_vapour_pressure(vapour_hpa: float, dew_point: float) -> None:
    assert float(dew_point_c(np.array(vapour_hpa))) == pytest.approx(dew_point, abs=1e-3)


def test_the_dew_point_is_the_saturation_pressure_turned_round() -> None:
    warmth = np.linspace(-30, 35, 14)
    np.testing.assert_allclose(dew_point_c(saturation_vapour_pressure_hpa(warmth)), warmth, atol=1e-9)


def test_a_moment_in_utc_has_utc_itself_for_its_zone() -> None:
    assert as_utc(datetime(2026, 7, 29, 23, 30, tzinfo=INDIA)).tzinfo is UTC


def test_an_hour_has_no_minutes_and_nothing_below_them() -> None:
    assert floor_hour(datetime(2026, 7, 29, 23, 59, 58, 999, tzinfo=INDIA)) == datetime(2026, 7, 29, 18, tzinfo=UTC)


def test_seconds_and_hours_are_what_they_say() -> None:
    moment = datetime(2026, 7, 29, 18, 20, 30, 5, tzinfo=UTC)
    assert to_second64(moment).dtype == "datetime64[s]"
    assert from_datetime64(np.datetime64("1969-12-31T23:00", "h")) == datetime(1969, 12, 31, 23, tzinfo=UTC)
    axis = hour_axis(moment, moment + timedelta(hours=2))
    assert axis.dtype == "datetime64[h]"
    assert axis.astype(str).tolist() == ["2026-07-29T18", "2026-07-29T19", "2026-07-29T20"]


def test_a_longitude_counted_to_360_degrees_east_is_the_one_to_the_west() -> None:
    found = east_or_west_deg(np.array([282.5, 180.0, 180.5, -70.0, 0.0]))
    assert found.tolist() == [-77.5, 180.0, -179.5, -70.0, 0.0]
