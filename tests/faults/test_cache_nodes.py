"""Nodes of a cluster and masters of sentinels are killed, stopped and replaced: a moment is lost, nothing else."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from core.caching import remote
from core.caching.cluster import SecondLevel, second_level
from core.caching.memory import MemoryLevel
from core.caching.two_level import Policy
from tests.adapters.test_caches import Clock
from tests.caches_made import Caches
from tests.faults.redis.proxy import Proxy
from tests.redis_nodes import SERVICE, Node, Nodes, clustered, eventually, watched

#: A command that meets a sick node may cost that once, seconds; those after it that: generous, machines are loaded.
ONCE_S, THEN_S = 0.5, 0.1
VALUE = b"CBW1" + bytes(40)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with clustered() as nodes:
        yield nodes


@pytest.fixture
def caches(cluster: Nodes) -> Iterator[Caches]:
    with Caches(cluster.url) as caches:
        yield caches


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PROBE_S", 0.1)


def took(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def keys_of(nodes: Nodes, *owners: Node, count: int = 5) -> list[str]:
    """Return keys whose values, and whose locks, lie on one of some nodes: what stands in braces says the slot."""
    names: list[str] = []
    number = 0
    while len(names) < count:
        number += 1
        if nodes.owner(f"k{number}") in owners:
            names.append(f"{{k{number}}}")
    return names


def bearable(level: SecondLevel, keys: list[str]) -> None:
    """Use keys of a node that is sick in every way: they are misses, and cost a moment once."""
    acts: list[Callable[[str], object]] = [
        level.get,
        lambda key: level.put(key, VALUE, 60),
        level.delete,
        lambda key: level.lock(key, "ours", 1),
        lambda key: level.unlock(key, "ours"),
    ]
    first, *others = (took(lambda act=act, key=key: act(key)) for key in keys for act in acts)  # type: ignore[misc]
    assert first < ONCE_S
    assert sorted(others)[int(0.9 * len(others))] < THEN_S
    assert max(others) < ONCE_S
    assert not level.well
    assert level.failures >= 1


def in_use(level: SecondLevel, keys: list[str]) -> bool:
    return level.well and all(level.put(key, VALUE, 60) and level.get(key) == VALUE for key in keys)


@contextmanager
def sick(node: Node, number: signal.Signals) -> Iterator[None]:
    node.send(number)
    try:
        yield
    finally:
        if number == signal.SIGKILL:
            node.start()
        else:
            node.send(signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_sick_node_of_a_cluster_costs_a_moment_and_the_others_go_on(
    cluster: Nodes, caches: Caches, number: signal.Signals
) -> None:
    level = caches.level()
    victim = cluster.servers[1]
    sicks, wells = keys_of(cluster, victim), keys_of(cluster, cluster.servers[0], cluster.servers[2])
    assert in_use(level, sicks + wells)
    with sick(victim, number):
        bearable(level, sicks)
        assert [level.get(key) for key in wells] == [VALUE] * len(wells)
        assert took(lambda: level.delete_pattern("nothing*")) < ONCE_S
        time.sleep(0.5)  # probes go unanswered
        assert not level.well
    eventually(lambda: in_use(level, sicks + wells))


@pytest.mark.parametrize("mode", ["drip", "silent", "garbage", "delay", "close", "half"])
def test_a_node_that_misbehaves_is_left_alone(cluster: Nodes, caches: Caches, mode: str) -> None:
    node = cluster.servers[2]
    keys = keys_of(cluster, node)
    with closing(Proxy(node.port)) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        node.ask("CONFIG", "SET", "cluster-announce-port", port)
        try:
            eventually(lambda: port in cluster.ports())
            level = caches.level()
            eventually(lambda: in_use(level, keys))
            proxy.mode = mode
            bearable(level, keys)
            proxy.mode = "pass"
            eventually(lambda: in_use(level, keys))
        finally:
            proxy.mode = "pass"
            node.ask("CONFIG", "SET", "cluster-announce-port", 0)
            eventually(lambda: node.port in cluster.ports())


def test_a_cluster_that_is_down_because_one_node_is_rests_and_comes_back(cluster: Nodes, caches: Caches) -> None:
    level = caches.level()
    keys = keys_of(cluster, *cluster.servers[:2], count=8)
    for node in cluster.servers[:2]:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    try:
        with sick(cluster.servers[2], signal.SIGKILL):
            eventually(lambda: all(b"cluster_state:fail" in one.ask("CLUSTER", "INFO") for one in cluster.servers[:2]))
            for key in keys:
                assert took(lambda key=key: level.get(key)) < ONCE_S  # type: ignore[misc]
            assert not level.well
        eventually(lambda: in_use(level, keys))
    finally:
        for node in cluster.servers[:2]:
            node.ask("CONFIG", "SET", "cluster-require-full-coverage", "no")


def test_a_slot_that_moves_is_followed_on_its_way_and_after_it(cluster: Nodes, caches: Caches) -> None:
    level, stranger = caches.level(), caches.level()
    (tag,) = keys_of(cluster, cluster.servers[0], count=1)
    old, slot = cluster.owner(tag), cluster.servers[0].ask("CLUSTER", "KEYSLOT", tag)
    new = next(one for one in cluster.servers if one is not old)
    assert level.put(f"{tag}:stays", VALUE, 60)
    assert level.put(f"{tag}:goes", VALUE, 60)
    new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", old.ask("CLUSTER", "MYID"))
    old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", new.ask("CLUSTER", "MYID"))
    _move(caches, old, new, f"{tag}:goes")

    assert level.get(f"{tag}:stays") == level.get(f"{tag}:goes") == VALUE
    new.ask("SCRIPT", "FLUSH")
    assert level.put(f"{tag}:new", b"CBW1" + bytes(7) + b"\x09", 60) is True
    assert level.put(f"{tag}:new", VALUE, 60) is False
    assert level.lock(f"{tag}:new", "ours", 60) is True
    assert stranger.lock(f"{tag}:new", "theirs", 60) is False
    level.unlock(f"{tag}:new", "ours")
    assert stranger.lock(f"{tag}:new", "theirs", 60) is True
    assert level.delete(f"{tag}:goes") is True
    assert level.put(f"{tag}:more", VALUE, 60) is True
    assert level.delete_pattern("*more") == 1
    assert level.get(f"{tag}:more") is None

    _move(caches, old, new, f"{tag}:stays")
    for node in (new, old):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", new.ask("CLUSTER", "MYID"))
    assert level.get(f"{tag}:stays") == VALUE
    assert level.delete(f"{tag}:stays") is True
    assert stranger.get(f"{tag}:new") is not None
    assert (level.failures, stranger.failures, level.well) == (0, 0, True)


def _move(caches: Caches, old: Node, new: Node, key: str) -> None:
    assert old.ask("MIGRATE", "127.0.0.1", new.port, caches.prefix + key, 0, 5000) == b"OK"


def test_a_cluster_that_is_down_at_the_start_is_used_once_it_comes(cluster: Nodes) -> None:
    for node in cluster.servers:
        node.send(signal.SIGKILL)
    start = time.monotonic()
    with Caches(None) as caches:
        level = second_level(cluster.url, caches.prefix)
        assert time.monotonic() - start < 1.0
        try:
            assert level.get("a") is level.put("a", VALUE, 60) is level.lock("a", "ours", 1) is None
            assert (level.delete("a"), level.delete_pattern("*"), level.well) == (False, 0, False)
            assert level.failures >= 1
        finally:
            for node in cluster.servers:
                node.start()
        eventually(lambda: in_use(level, list("abcdefgh")))
        level.close()


def test_a_replica_of_a_cluster_stands_in_for_its_master() -> None:
    with clustered(replicas=True) as nodes, Caches(nodes.url) as caches:
        level = caches.level()
        victim = nodes.servers[1]
        keys = keys_of(nodes, victim)
        assert in_use(level, keys)
        assert victim.ask("WAIT", 1, 5000) == 1
        eventually(lambda: not level._learning.is_alive())  # type: ignore[union-attr]
        victim.send(signal.SIGKILL)
        bearable(level, keys)
        eventually(lambda: level.well)
        eventually(lambda: [level.get(key) for key in keys] == [VALUE] * len(keys))
        eventually(lambda: in_use(level, keys))


# Sentinels


@pytest.fixture
def watch() -> Iterator[Nodes]:
    with watched() as nodes:
        yield nodes


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_master_that_is_gone_is_replaced_and_what_it_replicated_keeps_its_age(
    watch: Nodes, number: signal.Signals
) -> None:
    clock = Clock()
    with Caches(watch.url) as caches:
        level = caches.level()
        cache = caches.open(MemoryLevel(10, 0), policy=Policy({"api": 60.0}, jitter=0.0), now=clock)
        assert cache.set("kept", "before")
        old = watch.master()
        assert old.ask("WAIT", 2, 5000) == 2
        with sick(old, number):
            bearable(level, list("abcde"))
            assert took(lambda: cache.get("kept")) < ONCE_S
            eventually(lambda: in_use(level, list("abcde")))
            assert watch.master() is not old
            clock.now_s += 50
            eventually(lambda: cache.get("kept") == "before")
            clock.now_s += 20
            hit = cache.lookup("kept")
            assert hit is not None
            assert (hit.value, hit.age_s, hit.fresh) == ("before", 70.0, False)
            clock.now_s += 300
            assert cache.lookup("kept") is None
        eventually(lambda: in_use(level, list("abcde")))  # the old one is back, and master of nobody
        assert watch.master().ask("GET", f"{caches.prefix}a") == VALUE


def test_a_master_that_becomes_a_replica_is_left_for_the_new_one(watch: Nodes) -> None:
    with Caches(watch.url) as caches:
        level = caches.level()
        assert in_use(level, ["a"])
        old = watch.master()
        assert watch.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE) == b"OK"
        eventually(lambda: watch.master() is not old and level.put("b", VALUE, 60) and level.get("b") == VALUE)
        eventually(lambda: in_use(level, ["b"]) and watch.master().ask("GET", f"{caches.prefix}b") == VALUE)


def test_sentinels_that_are_away_are_missed_by_those_alone_who_begin(watch: Nodes) -> None:
    with Caches(watch.url) as caches:
        level = caches.level()
        watch.sentinels[0].send(signal.SIGSTOP)
        assert in_use(caches.level(), ["a"])  # another one is asked
        for sentinel in watch.sentinels:
            sentinel.send(signal.SIGKILL)
        assert in_use(level, ["b"])
        start = time.monotonic()
        late = second_level(watch.url, caches.prefix)
        assert time.monotonic() - start < 1.0
        assert (late.get("b"), late.put("b", VALUE, 60), late.well) == (None, None, False)
        for sentinel in watch.sentinels:
            sentinel.start()
        eventually(lambda: in_use(late, ["b"]))
        late.close()


def test_a_service_that_no_sentinel_knows_is_waited_for(watch: Nodes) -> None:
    level = second_level(watch.url.replace(SERVICE, "other"))
    assert (level.get("a"), level.well) == (None, False)
    for sentinel in watch.sentinels:
        sentinel.ask("SENTINEL", "MONITOR", "other", "127.0.0.1", watch.servers[0].port, 2)
    eventually(lambda: in_use(level, ["a"]))
    level.close()


ACCOUNT = ("ACL", "SETUSER", "duty", "on", ">heavy rain", "~*", "+@all")


def test_accounts_of_servers_and_of_sentinels_are_those_of_the_url(cluster: Nodes, watch: Nodes) -> None:
    for node in (*cluster.servers, *watch.servers):
        node.ask(*ACCOUNT)
    for sentinel in watch.sentinels:
        sentinel.ask(*ACCOUNT[:4], ">gate", *ACCOUNT[5:])
    guard = "?sentinel_username=duty&sentinel_password="
    urls = {
        cluster.url.replace("//", "//duty:heavy%20rain@"): True,
        cluster.url.replace("//", "//duty:wrong@"): False,
        watch.url.replace("//", "//duty:heavy%20rain@") + "/3" + guard + "gate": True,
        watch.url.replace("//", "//duty:wrong@") + guard + "gate": False,
        watch.url.replace("//", "//duty:heavy%20rain@") + guard + "wrong": False,
    }
    for url, right in urls.items():
        level = second_level(url)
        if right:
            eventually(lambda level=level: in_use(level, ["a"]))  # type: ignore[misc]
        else:
            time.sleep(0.3)
            assert level.put("a", VALUE, 60) is None
            assert not level.well
            assert level.failures >= 1
        level.close()
