"""What the cache promises beyond the port: categories, stale values, patterns, newer before older, and keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from sys import getsizeof

import numpy as np
import pandas as pd
import pytest

from core.caching.keys import PredictionCache, WeatherCache, remembered
from core.caching.memory import MemoryLevel, size_of
from core.caching.two_level import Policy, TwoLevelCache
from core.errors import ConfigurationError
from tests.adapters.test_caches import IMPLEMENTATIONS, Clock
from tests.caches_made import Caches, Services

POLICY = Policy({"api": 60.0, "weather_data": 300.0, "predictions": 600.0}, stale_factor=6.0, jitter=0.1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def kind(request: pytest.FixtureRequest) -> tuple[int, str | None]:
    return IMPLEMENTATIONS[request.param]


@pytest.fixture
def caches(kind: tuple[int, str | None], services: Services) -> Iterator[Caches]:
    with Caches(kind[1] and services.url(kind[1])) as caches:
        yield caches


@pytest.fixture
def cache(caches: Caches, kind: tuple[int, str | None], clock: Clock) -> TwoLevelCache:
    return caches.open(MemoryLevel(100, kind[0], clock), policy=POLICY, now=clock)


@pytest.fixture(params=Services.KINDS)
def shared(request: pytest.FixtureRequest, services: Services) -> Iterator[Caches]:
    with Caches(services.url(request.param)) as caches:
        yield caches


def opened(shared: Caches, clock: Clock, max_bytes: int = 2**20) -> TwoLevelCache:
    return shared.open(MemoryLevel(100, max_bytes, clock), policy=POLICY, now=clock)


# ------------------------------------------------------------------------------------------------ times and staleness


@pytest.mark.parametrize(("category", "ttl_s"), [("api", 60), ("weather_data", 300), ("predictions", 600)])
def test_a_category_says_how_long_within_its_jitter(
    cache: TwoLevelCache, clock: Clock, category: str, ttl_s: float
) -> None:
    for i in range(40):
        cache.set(str(i), i, category=category)
    start = clock.now_s
    clock.now_s = start + ttl_s * 0.899
    assert [cache.get(str(i)) for i in range(40)] == list(range(40))
    clock.now_s = start + ttl_s
    fresh = sum(cache.get(str(i)) is not None for i in range(40))
    assert 5 < fresh < 35  # about half of them end before: a chance of 1e-6 to fall outside
    clock.now_s = start + ttl_s * 1.101
    assert [cache.get(str(i)) for i in range(40)] == [None] * 40


def test_a_category_nobody_knows_holds_as_long_as_the_usual_one(cache: TwoLevelCache, clock: Clock) -> None:
    cache.set("a", 1, category="unheard of")
    clock.now_s += 53
    assert cache.get("a") == 1
    clock.now_s += 14
    assert cache.get("a") is None


def test_between_soft_and_hard_it_is_stale_with_its_age(cache: TwoLevelCache, clock: Clock) -> None:
    cache.set("a", 1, category="weather_data")
    clock.now_s += 400
    hit = cache.lookup("a", "weather_data")
    assert hit is not None
    assert (hit.value, hit.fresh, hit.age_s) == (1, False, 400.0)
    assert cache.get("a", "nothing fresh") == "nothing fresh"
    assert cache.stats()["stale"] == 2
    clock.now_s += 1600
    assert cache.lookup("a", "weather_data") is None


def test_a_time_that_was_named_has_no_jitter_and_nothing_stale(cache: TwoLevelCache, clock: Clock) -> None:
    cache.set("a", 1, 10)
    clock.now_s += 9.99
    assert cache.get("a") == 1
    clock.now_s += 0.02
    assert cache.lookup("a") is None


def test_none_is_a_value(cache: TwoLevelCache) -> None:
    cache.set("a", None, 60)
    hit = cache.lookup("a")
    assert hit is not None
    assert (hit.value, hit.fresh) == (None, True)
    assert cache.get("a", "default") is None
    assert cache.lookup("b") is None


def test_a_table_is_a_value(cache: TwoLevelCache) -> None:
    frame = pd.DataFrame({"rain_mm": [1.5, np.nan]}, index=["p", "q"])
    cache.set("a", frame, 60)
    pd.testing.assert_frame_equal(cache.get("a"), frame)


# ----------------------------------------------------------------------------------------------- patterns and bounds


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("weather:*", {"rain:a", "weather[1]", "weatherX1"}),
        ("weather:?", {"weather:ab", "rain:a", "weather[1]", "weatherX1"}),
        ("weather[1]", {"weather:a", "weather:b", "weather:ab", "rain:a", "weatherX1"}),
        ("nothing*", {"weather:a", "weather:b", "weather:ab", "rain:a", "weather[1]", "weatherX1"}),
        ("*", set()),
    ],
)
def test_a_pattern_forgets_what_fits_it_alone(cache: TwoLevelCache, pattern: str, left: set[str]) -> None:
    keys = {"weather:a", "weather:b", "weather:ab", "rain:a", "weather[1]", "weatherX1"}
    for key in keys:
        cache.set(key, key, 60)
    assert cache.delete_pattern(pattern) == len(keys - left)
    assert {key for key in keys if cache.get(key) is not None} == left


def test_memory_is_bounded_by_bytes(clock: Clock) -> None:
    cache = TwoLevelCache(MemoryLevel(1000, 100_000, clock), now=clock)
    for i in range(50):
        assert cache.set(str(i), b"x" * 10_000, 60)
        assert cache.stats()["bytes"] <= 100_000
    assert cache.stats()["entries"] == 9
    assert cache.get("49") is not None
    cache.close()


def test_a_value_weighs_about_what_it_holds() -> None:
    numbers = [float(i) for i in range(50_000)]
    exactly = getsizeof(numbers) + 50_000 * getsizeof(1.0)
    assert size_of(numbers) == exactly
    assert size_of(tuple(numbers)) == pytest.approx(exactly, rel=0.05)
    assert size_of({"a": numbers, "b": [numbers]}) == pytest.approx(2 * exactly, rel=0.001)
    assert size_of({str(i): "x" * 1000 for i in range(1000)}) > 1_000_000
    assert size_of(pd.DataFrame({"a": numbers})) >= 400_000
    assert size_of([]) == getsizeof([])


def test_a_large_value_of_the_server_weighs_at_least_its_bytes(shared: Caches, clock: Clock) -> None:
    opened(shared, clock).set("a", [b""] * 1000 + [b"x" * 2_000_000] + [b""] * 1000, 60)  # which a sample overlooks
    reader = opened(shared, clock, 10**7)
    assert reader.get("a") is not None
    assert reader.stats()["bytes"] > 2_000_000


def test_what_is_larger_than_memory_is_not_kept_and_pushes_nothing_out(clock: Clock) -> None:
    cache = TwoLevelCache(MemoryLevel(1000, 100_000, clock), now=clock)
    cache.set("small", 1, 60)
    assert cache.set("large", np.zeros(20_000), 60) is False
    assert (cache.get("large"), cache.get("small")) == (None, 1)
    cache.close()


def test_what_has_no_form_outside_stays_in_memory(shared: Caches, clock: Clock) -> None:
    one, other = opened(shared, clock), opened(shared, clock)
    assert one.set("a", {1, 2}, 60)
    assert one.get("a") == {1, 2}
    assert other.get("a") is None
    assert one.stats()["memory_only"] == 1


# ------------------------------------------------------------------------------------------------- newer before older


def test_newer_data_are_never_overwritten_by_older(cache: TwoLevelCache) -> None:
    assert cache.set("a", "new", 60, fetched_at=900.0)
    assert cache.set("a", "old", 60, fetched_at=899.9) is False
    assert cache.get("a") == "new"
    assert cache.set("a", "same moment", 60, fetched_at=900.0)
    assert cache.set("a", "newer", 60, fetched_at=900.1)
    assert cache.get("a") == "newer"


def test_newer_data_that_are_over_are_overwritten(cache: TwoLevelCache, clock: Clock) -> None:
    cache.set("a", "new", 0.03, fetched_at=900.0)
    clock.now_s += 1
    import time

    time.sleep(0.06)  # the server has a clock of its own
    assert cache.set("a", "old", 60, fetched_at=800.0)
    assert cache.get("a") == "old"


@pytest.mark.parametrize("newer_at", [2**k + 0.5 for k in range(10)])
def test_older_data_of_another_process_are_refused_and_do_not_hide_newer(
    shared: Caches, clock: Clock, newer_at: float
) -> None:  # moments whose bytes differ at many places
    one, other = opened(shared, clock), opened(shared, clock)
    one.set("a", "new", 60, fetched_at=newer_at)
    assert other.set("a", "old", 60, fetched_at=newer_at - 0.25) is False
    assert other.get("a") == "new"
    assert opened(shared, clock).get("a") == "new"


def test_another_process_sees_what_is_newer_once_its_own_is_stale(shared: Caches, clock: Clock) -> None:
    one, other = opened(shared, clock), opened(shared, clock)
    one.set("a", "old", category="api")
    clock.now_s += 100
    other.set("a", "new", category="api")
    hit = one.lookup("a")
    assert hit is not None
    assert (hit.value, hit.fresh, hit.level) == ("new", True, "redis")
    again = one.lookup("a")
    assert again is not None
    assert again.level == "memory"


# ------------------------------------------------------------------------------------------------------------- keys


def test_weather_is_told_apart_by_all_it_depends_on(cache: TwoLevelCache) -> None:
    weather = WeatherCache(cache)
    weather.set("A", "uttarakhand", ["rain", "wind"], 48, run="06", fetched_at=900.0)
    hit = weather.get("uttarakhand", ("wind", "rain"), 48, "06")
    assert hit is not None
    assert (hit.value, hit.age_s) == ("A", 100.0)
    assert weather.set("older", "uttarakhand", ["rain", "wind"], 48, run="06", fetched_at=800.0) is False
    others = [
        ("kerala", ["rain", "wind"], 48, "06"),
        ("uttarakhand", ["rain"], 48, "06"),
        ("uttarakhand", ["rain", "wind"], 24, "06"),
        ("uttarakhand", ["rain", "wind"], 48, "12"),
        ("uttarakhand", ["rain", "wind"], 48),
    ]
    assert [weather.get(*other) for other in others] == [None] * len(others)  # type: ignore[arg-type]


def test_a_new_model_never_shows_an_old_number(cache: TwoLevelCache) -> None:
    at = datetime(2026, 7, 29, 18, tzinfo=UTC)
    predictions = PredictionCache(cache)
    predictions.set(0.25, "dehradun", at, "v3", "f2")
    hit = predictions.get("dehradun", at, "v3", "f2")
    assert hit is not None
    assert hit.value == 0.25
    others = [
        ("tehri", at, "v3", "f2"),
        ("dehradun", at.replace(hour=19), "v3", "f2"),
        ("dehradun", at, "v4", "f2"),
        ("dehradun", at, "v3", "f3"),
    ]
    assert [predictions.get(*other) for other in others] == [None] * len(others)


def test_remembered_calls_once_for_the_same_arguments(cache: TwoLevelCache) -> None:
    calls: list[object] = []

    @remembered(lambda: cache, ttl=60)
    def doubled(number: float, name: object = "") -> float:
        calls.append((number, name))
        return number * 2

    assert [doubled(2), doubled(2), doubled(3), doubled(2, "x"), doubled(2, name="x")] == [4, 4, 6, 4, 4]
    assert [doubled(2, name=("a", 1)), doubled(2, name=("a", 1)), doubled(2, name=("a1",))] == [4, 4, 4]
    assert len(calls) == 6


@pytest.mark.parametrize("argument", [object(), {"a": 1}, [object()], pd.DataFrame(), np.float64(1).reshape(1)])
def test_remembered_refuses_an_object_as_argument(cache: TwoLevelCache, argument: object) -> None:
    calls: list[object] = []
    function = remembered(lambda: cache)(calls.append)
    with pytest.raises(ConfigurationError):
        function(argument)
    assert not calls
