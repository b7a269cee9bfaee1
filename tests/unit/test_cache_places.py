"""What a cache's URL says of a cluster or of sentinels, whom they are asked by, and what a cluster is believed."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from redis.connection import SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError

from core.caching import clients, cluster, remote
from core.caching.clients import Master, client_of, place_of, slots_of
from core.caching.cluster import ClusterLevel, second_level
from core.errors import ConfigurationError
from core.settings import Settings

NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis+cluster://a:7000,b,[::1]:7001", ("redis", (("a", 7000), ("b", 6379), ("::1", 7001)), None)),
        ("rediss+cluster://a/0", ("rediss", (("a", 6379),), None)),
        ("redis+sentinel://a:26380,b/heavy", ("redis", (("a", 26380), ("b", 26379)), "heavy")),
        ("redis+sentinel://a/", ("redis", (("a", 26379),), "mymaster")),
        ("redis+sentinel://a", ("redis", (("a", 26379),), "mymaster")),
        ("rediss+sentinel://a/heavy%20rain/3", ("rediss", (("a", 26379),), "heavy rain")),
    ],
)
def test_servers_and_service_stand_in_the_url(url: str, told: tuple[Any, ...]) -> None:
    place = place_of(url)
    assert place is not None
    assert (place.scheme, place.doors, place.service) == told


@pytest.mark.parametrize("url", ["redis://a", "rediss://a:1/2", "unix:///tmp/x"])
def test_the_url_of_one_server_is_no_place_of_several(url: str) -> None:
    assert place_of(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "redis+cluster://a/1",
        "redis+cluster://a?db=2",
        "redis+cluster://a/b",
        "redis+cluster://a:b",
        "redis+cluster://a:0",
        "redis+cluster://a:65536",
        "redis+cluster://a,,b",
        "redis+cluster://",
        "unix+cluster:///a",
        "redis+others://a",
        "redis+sentinel://a/heavy/x",
        "redis+sentinel://a/heavy/3/4",
        "redis+sentinel://a/heavy?socket_timeout=soon",
        "http://a",
        "redis",
    ],
)
def test_what_is_not_understood_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not understood") as refused:
        second_level(url.replace("://", "://watch:s3cret@"))
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__cause__ is None


def kwargs_of(url: str) -> dict[str, Any]:
    return dict(client_of(url).connection_pool.connection_kwargs)


def test_accounts_databases_and_options_go_where_they_belong() -> None:
    place = place_of(
        "rediss+sentinel://watch:p%40ss@a:1,b/heavy/3?ssl_cert_reqs=none&sentinel_username=gate&sentinel_password=q%2Fr"
    )
    assert place is not None
    server = kwargs_of(place.url("::1", 7))
    assert [server[one] for one in ("username", "password", "host", "port", "db", "ssl_cert_reqs")] == [
        "watch", "p@ss", "::1", 7, 3, "none",
    ]  # fmt: skip
    sentinel = kwargs_of(place.sentinel_url("a", 1))
    assert [sentinel.get(one) for one in ("username", "password", "host", "port", "db", "ssl_cert_reqs")] == [
        "gate", "q/r", "a", 1, None, "none",
    ]  # fmt: skip
    for url in (place.url("a", 1), place.sentinel_url("a", 1)):
        assert issubclass(client_of(url).connection_pool.connection_class, SSLConnection)
    bare = place_of("redis+sentinel://watch:secret@a/heavy")
    assert bare is not None
    assert "secret" not in bare.sentinel_url("a", 1)
    half = place_of("redis+sentinel://a/heavy?sentinel_password=alone")
    assert half is not None
    assert kwargs_of(half.sentinel_url("a", 1)).get("password") == "alone"
    assert "username" not in kwargs_of(half.sentinel_url("a", 1))


def test_every_client_has_deadlines_and_no_retries() -> None:
    for url in ("redis://a", "rediss://a", "unix:///a"):
        pool = client_of(url).connection_pool
        told = pool.connection_kwargs
        assert told["socket_timeout"] == told["socket_connect_timeout"] == clients.DEADLINE_S
        assert told["retry"].get_retries() == 0
        assert pool.connection_class.__name__.startswith("Bounded")


def test_passwords_of_sentinels_are_secrets() -> None:
    settings = Settings(cache_url="redis+sentinel://w:of%20servers@a,b/s?sentinel_password=of%20sentinels")
    assert {"of%20servers", "of servers", "of sentinels", "of%20sentinels"} <= set(settings.secrets)


# Sentinels


class Sentinel:
    """A sentinel that says one thing, or fails, and counts how often it was asked."""

    def __init__(self, says: Any) -> None:
        self.says, self.asked = says, 0

    def execute_command(self, *_words: str) -> Any:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def test_the_first_sentinel_that_knows_is_believed_and_asked_first_from_then_on() -> None:
    place = place_of(f"redis+sentinel://{NOBODY},{NOBODY},{NOBODY}/heavy")
    assert place is not None
    master = Master(place)
    away, ignorant, knowing = Sentinel(RedisConnectionError()), Sentinel(None), Sentinel((b"10.0.0.7", b"6380"))
    master._sentinels = [away, ignorant, knowing]
    first = master.find()
    assert first.connection_pool.connection_kwargs["host"] == "10.0.0.7"
    assert first.connection_pool.connection_kwargs["port"] == 6380
    assert master.find() is first
    assert (away.asked, ignorant.asked, knowing.asked) == (1, 1, 2)
    knowing.says = ("10.0.0.8", 6380)
    assert master.find() is not first
    knowing.says = RedisConnectionError()
    with pytest.raises(RedisConnectionError):
        master.find()


# Clusters


def answering(says: Any) -> Any:
    return SimpleNamespace(execute_command=lambda *_words: says)


def test_slots_are_told_by_their_masters_addresses() -> None:
    says = [
        [0, 5, [b"10.0.0.1", 7000, b"id", []], [b"10.0.0.9", 7000, b"replica", []]],
        [6, 9, [b"", 7001, b"id", []]],
        [10, 10, [None, 7002, b"id", []]],
        [11, 16383, [b"?", 7003, b"id", []]],
    ]
    assert slots_of(answering(says), "me") == [
        (0, 5, ("10.0.0.1", 7000)), (6, 9, ("me", 7001)), (10, 10, ("me", 7002)), (11, 16383, ("me", 7003)),
    ]  # fmt: skip


@pytest.mark.parametrize("says", [[[-1, 3, [b"a", 1]]], [[3, 2, [b"a", 1]]], [[0, 16384, [b"a", 1]]], [[0]], [1], b"x"])
def test_nonsense_about_slots_is_a_failure(says: Any) -> None:
    with pytest.raises(clients.FAILURES):
        slots_of(answering(says), "me")


@pytest.fixture
def level(monkeypatch: pytest.MonkeyPatch) -> ClusterLevel:
    """Return a level of a cluster that nobody reaches."""
    monkeypatch.setattr(remote, "PROBE_S", 60.0)
    found = second_level(f"redis+cluster://{NOBODY}")
    assert isinstance(found, ClusterLevel)
    assert found._begun.wait(10)
    return found


WHOLE = [(0, 5460, ("a", 1)), (5461, 10922, ("b", 1)), (10923, 16383, ("c", 1))]


def test_the_fullest_answer_is_taken_and_the_first_full_one_is_the_last_asked(
    level: ClusterLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    says: dict[str, Any] = {"a": [], "b": WHOLE[:1], "c": WHOLE, "d": WHOLE}

    def told(client: str, host: str) -> Any:
        asked.append(host)
        return says[client]

    monkeypatch.setattr(clients, "slots_of", told)
    level._doors = {(host, 1): host for host in "abcd"}
    assert max(level._told(), key=cluster._count) == WHOLE
    assert asked == ["a", "b", "c"]
    says |= {"c": WHOLE[1:], "d": []}
    assert list(level._told()) == [[], WHOLE[:1], WHOLE[1:], []]


def test_every_node_is_probed_by_a_key_of_its_own(level: ClusterLevel) -> None:
    level._take(WHOLE)
    for first, last, address in WHOLE:
        node = level._nodes[address]
        assert first <= cluster.key_slot(f"cloudburst:{node.probe_key}".encode()) <= last
    assert level.well


def test_a_node_without_slots_is_left_and_its_failures_are_counted_still(level: ClusterLevel) -> None:
    before = level.failures
    level._take(WHOLE)
    leaving = level._nodes["b", 1]
    leaving.failures = 7
    level._take([(0, 16383, ("a", 1))])
    assert list(level._nodes) == [("a", 1)]
    assert leaving._closed.is_set()
    assert level.failures == before + 7
    level._take(WHOLE[:1])
    assert not level.well  # two thirds of the slots are nobody's


class Sending:
    """A node that sends every command on to another one, and says how often it was asked."""

    well = True

    def __init__(self, port: int) -> None:
        self.port, self.asked, self.takes_s = port, 0, 0.0

    def get(self, _key: str) -> None:
        self.asked += 1
        time.sleep(self.takes_s)
        raise MovedError(f"1 :{self.port}")


@pytest.mark.parametrize(("takes_s", "most"), [(0.0, cluster.HOPS), (0.1, 1)])
def test_redirections_without_end_are_a_miss(level: ClusterLevel, takes_s: float, most: int) -> None:
    one, other = Sending(2), Sending(1)
    one.takes_s = other.takes_s = takes_s
    level._nodes = {("a", 1): one, ("a", 2): other}  # type: ignore[dict-item]
    level._slots = [one] * clients.SLOTS  # type: ignore[list-item]
    assert level.get("k") is None
    assert one.asked + other.asked == most
    assert level._slots[cluster.key_slot(b"cloudburst:k")] in {one, other}


def test_a_closed_level_asks_nobody(level: ClusterLevel) -> None:
    level._take(WHOLE)
    level.close()
    assert level._learning is not None
    level._learning.join(5)
    level._learn_soon()
    assert not level._learning.is_alive()
    assert all(node._closed.is_set() for node in level._nodes.values())
