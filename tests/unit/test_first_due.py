"""Work that is done every so often is due again so long after an earlier process did it, whatever its clock did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.domain.units import first_due_s

NOW = datetime(2026, 7, 29, 18, tzinfo=UTC)
WEEK_S = 7 * 86400.0


@pytest.mark.parametrize(
    ("ago", "due"),
    [
        (timedelta(0), (WEEK_S, 0.0)),
        (timedelta(seconds=0.5), (WEEK_S - 0.5, 0.0)),
        (timedelta(days=7), (0.0, 0.0)),
        (timedelta(days=7, seconds=1), (0.0, 1.0)),
        (timedelta(days=365), (0.0, 358 * 86400.0)),
    ],
    ids=str,
)
def test_it_is_due_one_interval_after_the_last_time_or_late(ago: timedelta, due: tuple[float, float]) -> None:
    assert first_due_s(NOW - ago, NOW, WEEK_S) == due


def test_what_was_never_done_waits_one_interval_and_is_not_late() -> None:
    assert first_due_s(None, NOW, WEEK_S) == (WEEK_S, 0.0)


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=1), timedelta(days=365)], ids=str)
def test_a_last_time_that_lies_ahead_is_taken_for_now(ahead: timedelta) -> None:
    assert first_due_s(NOW + ahead, NOW, WEEK_S) == (WEEK_S, 0.0)


def test_moments_of_two_zones_are_compared_as_moments() -> None:
    there = (NOW - timedelta(days=6)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert first_due_s(there, NOW, WEEK_S) == (86400.0, 0.0)


@pytest.mark.parametrize("which", ["last", "now"])
def test_a_moment_without_a_zone_is_refused(which: str) -> None:
    moments = {"last": NOW, "now": NOW, which: NOW.replace(tzinfo=None)}
    with pytest.raises(ValueError, match="no time zone"):
        first_due_s(moments["last"], moments["now"], WEEK_S)
