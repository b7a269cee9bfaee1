"""How often an address may do something."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bootstrap.allowance import Allowance, counted_as


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_is_emptied_and_fills_evenly(clock: Clock) -> None:
    allowance = Allowance(5, 60.0, clock)
    assert [allowance.draw("192.0.2.1").left for _ in range(5)] == [4, 3, 2, 1, 0]
    refused = allowance.draw("192.0.2.1")
    assert (refused.granted, refused.left, refused.retry_after_s) == (False, 0, pytest.approx(12))
    assert allowance.draw("192.0.2.2").granted
    clock.now += 11.9
    assert not allowance.draw("192.0.2.1").granted
    clock.now += 0.2
    assert allowance.draw("192.0.2.1").granted
    assert not allowance.draw("192.0.2.1").granted
    clock.now += 60
    assert allowance.look("192.0.2.1").left == 5


def test_who_only_looks_takes_nothing(clock: Clock) -> None:
    allowance = Allowance(1, 60.0, clock)
    assert all(allowance.look("192.0.2.1").granted for _ in range(3))
    allowance.draw("192.0.2.1")
    assert not allowance.look("192.0.2.1").granted


def test_without_a_limit_everything_is_granted(clock: Clock) -> None:
    allowance = Allowance(0, 60.0, clock)
    assert all(allowance.draw("192.0.2.1").granted for _ in range(1000))


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 700),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 20)), max_size=15),
)
def test_no_stretch_of_time_grants_more_than_a_bucket_and_what_came_back(
    limit: int, steps: list[tuple[float, int]]
) -> None:
    clock = Clock()
    allowance = Allowance(limit, 60.0, clock)
    granted: list[float] = []
    for pause, tries in steps:
        clock.now += pause
        granted += [clock.now for _ in range(tries) if allowance.draw("192.0.2.1").granted]
    for i, begin in enumerate(granted):
        for j, end in enumerate(granted[i:], 1):
            assert j <= limit + (end - begin) * limit / 60 + 1e-3


def test_the_memory_is_bounded_and_the_longest_unseen_goes(clock: Clock) -> None:
    allowance = Allowance(1, 60.0, clock, most=100)
    for i in range(1000):
        allowance.draw(f"10.0.{i // 250}.{i % 250}")
    assert len(allowance._full_at) == 100
    assert not allowance.look("10.0.3.249").granted
    assert allowance.look("10.0.0.0").granted


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "::ffff:127.0.0.9", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("x" * 10_000, "x" * 64, True),
        ("testclient", "unknown", False),
    ],
)
def test_who_counts_as_one(one: str, other: str, same: bool) -> None:
    assert (counted_as(one) == counted_as(other)) is same
