"""The second level on a cluster: every node is a level of its own, which fails and rests by itself.

Which slots are whose is asked in the background: at the start, after a redirection, and while a node is not well. A
command goes to the node of its key, and where that one says that another has the slot, to that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import structlog
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError

from core.caching import clients, remote
from core.caching.clients import FAILURES, SLOTS, Place
from core.caching.remote import RedisLevel

log = structlog.get_logger()
T = TypeVar("T")
Address = tuple[str, int]
#: A command is sent so often at the most: of a slot that is on its way, a script that the new node lacks takes four.
HOPS = 4
#: So many names are tried until one lies in a node's slots: of a single slot, one is missed once in four million times.
MOST_NAMES = 250_000


class Node(RedisLevel):
    """One master of a cluster.

    Parameters
    ----------
    url
        Of this node alone.
    elsewhere
        Forgets a key that is this node's no more.
    """

    _told = (AskError,)  # MovedError is one of them

    def __init__(self, url: str, prefix: str, elsewhere: Callable[[str], bool]) -> None:
        super().__init__(url, prefix)
        self._elsewhere = elsewhere
        self._leave = threading.local()

    def let_in(self, act: Callable[[RedisLevel], T]) -> T:
        """Act on a slot that is on its way to this node: without being asked to, it would send us back."""
        self._leave.asked = True
        try:
            return act(self)
        finally:
            self._leave.asked = False

    def slots(self, host: str) -> list[tuple[int, int, Address]]:
        """Return which slots are whose, as this node has it."""
        return clients.slots_of(self._client, host)

    def _answered(self, ask: Callable[[Any], Any]) -> Any:
        if not getattr(self._leave, "asked", False):
            return super()._answered(ask)
        with self._client.client() as one:  # one connection: the leave is for its next command
            one.execute_command("ASKING")
            return ask(one)

    def _answers(self) -> bool:
        try:
            return super()._answers()
        except AskError:  # it is well, and has other slots by now
            return True

    def _forget(self, names: list[bytes]) -> int:
        """Forget keys one by one, in one message: of several slots at once it would refuse."""

        def ask(client: Any) -> Any:
            with client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.delete(name)
                return pipe.execute(raise_on_error=False)

        found = 0
        for name, gone in zip(names, self._asked(ask) or [], strict=False):
            moved = isinstance(gone, AskError) and self._elsewhere(name.decode()[len(self._prefix) :])
            found += gone if isinstance(gone, int) else moved
        return found


class ClusterLevel:
    """Bytes by key in a cluster, as `RedisLevel` keeps them in one Redis.

    Parameters
    ----------
    place
        Some of its nodes, as a URL names them; the others are told by them.
    prefix
        All keys begin with it.
    """

    def __init__(self, place: Place, prefix: str = "cloudburst:") -> None:
        self._place, self._prefix = place, prefix
        self._doors = {door: clients.client_of(place.url(*door)) for door in place.doors}
        self._nodes: dict[Address, Node] = {}
        self._slots: list[Node | None] = [None] * SLOTS
        self._lock = threading.Lock()
        self._closed, self._begun = threading.Event(), threading.Event()
        self._learning: threading.Thread | None = None
        self._lost = 0
        self._learn_soon()
        self._begun.wait(remote.START_S)

    @property
    def well(self) -> bool:
        """Whether every slot has a node that answered last."""
        nodes = list(self._nodes.values())
        return bool(nodes) and None not in self._slots and all(node.well for node in nodes)

    @property
    def failures(self) -> int:
        """How often a node failed, or none knew where the slots are."""
        return self._lost + sum(node.failures for node in list(self._nodes.values()))

    def get(self, key: str) -> bytes | None:
        """Return what stands under a key, None where nothing does or nobody answers."""
        return self._routed(key, lambda node: node.get(key), None)

    def put(self, key: str, data: bytes, seconds: float) -> bool | None:
        """Keep an envelope for some seconds; False where a newer one is there, None where nobody answers."""
        return self._routed(key, lambda node: node.put(key, data, seconds), None)

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        return self._routed(key, lambda node: node.delete(key), False)

    def delete_pattern(self, pattern: str) -> int:
        """Forget the keys that fit a pattern with `*` and `?` on all nodes; return how many."""
        gone = sum(node.delete_pattern(pattern) for node in list(self._nodes.values()))
        if not self.well:
            self._learn_soon()
        return gone

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        """Take the lock of a key; False where somebody else holds it, None where nobody answers."""
        return self._routed(f"lock:{key}", lambda node: node.lock(key, token, seconds), None)

    def unlock(self, key: str, token: str) -> None:
        """Give a lock back, if it is still ours."""
        self._routed(f"lock:{key}", lambda node: node.unlock(key, token), None)

    def close(self) -> None:
        """End what runs in the background, and the connections."""
        self._closed.set()
        for node in list(self._nodes.values()):
            node.close()
        for client in self._doors.values():
            clients.end(client)

    def _routed(self, name: str, act: Callable[[RedisLevel], T], otherwise: T) -> T:
        """Act on the node that has a name's slot; where there is none, or no end of redirections, it is a miss."""
        slot = key_slot(f"{self._prefix}{name}".encode())
        node, let_in = self._slots[slot], False
        until = time.monotonic() + clients.DEADLINE_S
        for _ in range(HOPS):
            if node is None or time.monotonic() > until:
                break
            try:
                found = node.let_in(act) if let_in else act(node)
            except AskError as told:
                let_in = not isinstance(told, MovedError)
                node = self._node((told.host or self._host_of(node), told.port))
                if not let_in:
                    self._slots[slot] = node
                    self._learn_soon()
            else:
                if not node.well:
                    self._learn_soon()
                return found
        self._learn_soon()
        return otherwise

    def _node(self, address: Address) -> Node:
        with self._lock:
            if address not in self._nodes:
                self._nodes[address] = Node(self._place.url(*address), self._prefix, self.delete)
            return self._nodes[address]

    def _host_of(self, node: Node) -> str:
        return next((host for (host, _), one in list(self._nodes.items()) if one is node), "")

    def _learn_soon(self) -> None:
        """Ask in the background which slots are whose, unless somebody does already."""
        with self._lock:
            if self._closed.is_set() or (self._learning is not None and self._learning.is_alive()):
                return
            self._learning = threading.Thread(target=self._learn, name="cache-slots", daemon=True)
            self._learning.start()

    def _learn(self) -> None:
        """Ask until all slots have a node that is well; once a second at the most, however many of them move."""
        known = True
        while True:
            told = max(self._told(), key=_count, default=[])
            if told:
                self._take(told)
            elif known:
                self._lost += 1
                log.warning("no node of the cache's cluster says which slots are whose")
            known = bool(told)
            self._begun.set()
            if self._closed.wait(remote.PROBE_S) or self.well:
                return

    def _told(self) -> Iterator[list[tuple[int, int, Address]]]:
        """Give what the nodes say, those that are well first, up to the first that knows of every slot."""
        nodes = sorted(self._nodes.items(), key=lambda one: not one[1].well)
        asks = [(node.slots, host) for (host, _), node in nodes]
        asks += [(partial(clients.slots_of, door), host) for (host, _), door in self._doors.items()]
        for ask, host in asks:
            with suppress(*FAILURES):
                told = ask(host)
                yield told
                if _count(told) == SLOTS:
                    return

    def _take(self, told: list[tuple[int, int, Address]]) -> None:
        """Let the slots be whose they are; nodes without any are left."""
        slots: list[Node | None] = [None] * SLOTS
        for first, last, address in told:
            slots[first : last + 1] = [self._node(address)] * (last + 1 - first)
        for node in {one for one in slots if one is not None}:
            names = (f"probe:{{{number}}}" for number in range(MOST_NAMES))
            its = (name for name in names if slots[key_slot(f"{self._prefix}{name}".encode())] is node)
            node.probe_key = next(its, node.probe_key)
        with self._lock:
            self._slots = slots
            gone = {at: node for at, node in self._nodes.items() if node not in slots}
            self._nodes = {at: node for at, node in self._nodes.items() if at not in gone}
            self._lost += sum(node.failures for node in gone.values())
        for node in gone.values():
            node.close()


SecondLevel = RedisLevel | ClusterLevel


def second_level(url: str, prefix: str = "cloudburst:") -> SecondLevel:
    """Return the second level that a URL names.

    Parameters
    ----------
    url
        redis://, rediss:// or unix:// of one server; redis+cluster:// or rediss+cluster:// of some nodes of a cluster;
        redis+sentinel:// or rediss+sentinel:// of the sentinels that name a master.
    prefix
        All keys begin with it.

    Raises
    ------
    ConfigurationError
        If the URL is not understood. A server that does not answer is none: it may come.
    """
    place = clients.place_of(url)
    return RedisLevel(url, prefix) if place is None or place.service is not None else ClusterLevel(place, prefix)


def _count(told: list[tuple[int, int, Address]]) -> int:
    return sum(last + 1 - first for first, last, _ in told)
