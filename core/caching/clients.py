"""Clients of redis-py whose commands have a deadline, and what a URL says: one server, a cluster, or sentinels.

redis-py's own clients of clusters and sentinels look for servers within a command, as long as it takes, and wait
between their tries. Here nobody looks for a server within a command: a level does so in the background.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from redis import Redis
from redis._parsers import _RESP2Parser
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from core.errors import ConfigurationError

#: A command has so long from begin to end, seconds; the first one to a server that hangs costs that once.
DEADLINE_S = 0.08
#: What is wrong with a server may come as any of these: garbage is a ValueError or an IndexError of a parser.
FAILURES = (RedisError, OSError, ValueError, IndexError, TypeError, AttributeError, UnicodeError)
SLOTS = REDIS_CLUSTER_HASH_SLOTS
CLUSTER, SENTINEL = "+cluster", "+sentinel"
#: The port of a server, and of a sentinel, that names none.
PORT, SENTINEL_PORT = 6379, 26379
_KINDS = {"redis": Connection, "rediss": SSLConnection, "unix": UnixDomainSocketConnection}


class _Deadline:
    """A socket whose calls share one deadline, which every command sets anew."""

    def __init__(self, plain: socket.socket, seconds: float) -> None:
        self._plain, self._seconds, self._looking = plain, seconds, False
        self.restart()

    def restart(self) -> None:
        """Begin a command."""
        self._until = time.monotonic() + self._seconds

    def recv_into(self, *arguments: Any) -> int:
        """Read some bytes in what is left of the time."""
        self._limit()
        return self._plain.recv_into(*arguments)

    def recv(self, *arguments: Any) -> bytes:
        """Read some bytes in what is left of the time."""
        self._limit()
        return self._plain.recv(*arguments)

    def sendall(self, data: Any) -> None:
        """Write in what is left of the time."""
        self._limit()
        self._plain.sendall(data)

    def settimeout(self, seconds: float | None) -> None:
        """Let a look, before a command, whether something has come not wait for it; else the deadline decides."""
        self._looking = seconds == 0

    def _limit(self) -> None:
        if self._looking:
            self._plain.settimeout(0)
            return
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline is over")
        self._plain.settimeout(left)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


def _bounded(kind: type[Any]) -> type[Any]:
    """Return a kind of connection whose commands have a deadline."""

    class Bounded(kind):  # type: ignore[misc]
        def _connect(self) -> Any:
            return _Deadline(super()._connect(), DEADLINE_S)

        def send_packed_command(self, command: Any, check_health: bool = True) -> None:
            if isinstance(self._sock, _Deadline):
                self._sock.restart()
            super().send_packed_command(command, check_health)

    Bounded.__name__ = f"Bounded{kind.__name__}"
    return Bounded


def client_of(url: str) -> Any:
    """Return the client of one server, without retries: redis://, rediss:// or unix://.

    Raises
    ------
    ConfigurationError
        If the URL is not understood.
    """
    kind = url.partition("://")[0]
    try:
        pool = ConnectionPool.from_url(
            url,
            connection_class=_bounded(_KINDS[kind]),
            max_connections=64,
            socket_timeout=DEADLINE_S,
            socket_connect_timeout=DEADLINE_S,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            # In Python: of random replies hiredis 3.5.0 makes a fault of memory, which ends this whole process.
            parser_class=_RESP2Parser,
        )
        return Redis(connection_pool=pool)
    except (KeyError, ValueError) as error:
        raise _refused(url, type(error).__name__) from None


class Place(NamedTuple):
    """What a URL of several servers says.

    Parameters
    ----------
    scheme
        redis or rediss, of each of them.
    account
        Empty, or `name:password@` with its signs quoted.
    doors
        Host and port of those that are named: some nodes of a cluster, or the sentinels.
    rest
        What stands behind host and port in the URL of one server: the number of the database, and options.
    service
        What the sentinels call the master, None for a cluster.
    guard
        The account at the sentinels.
    """

    scheme: str
    account: str
    doors: tuple[tuple[str, int], ...]
    rest: str
    service: str | None = None
    guard: str = ""

    def url(self, host: str, port: int) -> str:
        """Return the URL of one of the servers."""
        return f"{self.scheme}://{self.account}{_bracketed(host)}:{port}{self.rest}"

    def sentinel_url(self, host: str, port: int) -> str:
        """Return the URL of one of the sentinels, which have neither databases nor the account of the servers."""
        return f"{self.scheme}://{self.guard}{_bracketed(host)}:{port}{self.rest[self.rest.find('?') :]}"


def place_of(url: str) -> Place | None:
    """Return what a URL of a cluster or of sentinels says, None for that of one server.

    Raises
    ------
    ConfigurationError
        If it is not understood: a port that is no number, or a cluster's database, which it has not.

    Examples
    --------
    >>> place = place_of("redis+sentinel://watch-1,watch-2:26380/heavy/3?sentinel_username=u&sentinel_password=p")
    >>> place.doors, place.service
    ((('watch-1', 26379), ('watch-2', 26380)), 'heavy')
    >>> place.url("10.0.0.7", 6379), place.guard
    ('redis://10.0.0.7:6379/3?', 'u:p@')
    """
    scheme, _, rest = url.partition("://")
    scheme, plus, kind = scheme.partition("+")
    if not plus:
        return None
    rest, _, query = rest.partition("?")
    account, at, rest = rest.rpartition("@")
    hosts, _, path = rest.partition("/")
    options = dict(parse_qsl(query))
    guard = [quote(options.pop(f"sentinel_{one}", ""), safe="") for one in ("username", "password")]
    sentinels = plus + kind == SENTINEL
    service, _, database = path.partition("/") if sentinels else ("", "", path)
    database = options.pop("db", database) or "0"
    if scheme not in {"redis", "rediss"} or plus + kind not in {CLUSTER, SENTINEL} or not database.isdecimal():
        raise _refused(url, "of another kind")
    if not sentinels and int(database):
        raise _refused(url, "a cluster has database 0 alone")
    try:
        doors = tuple(_door(one, SENTINEL_PORT if sentinels else PORT) for one in hosts.split(","))
    except ValueError as error:
        raise _refused(url, type(error).__name__) from None
    place = Place(scheme, account + at, doors, f"/{database}?{urlencode(options)}")
    client_of(place.url(*doors[0]))  # its options are understood
    if not sentinels:
        return place
    return place._replace(service=unquote(service) or "mymaster", guard=f"{':'.join(guard)}@" if any(guard) else "")


class Master:
    """The master that sentinels name, which is another one after a failover.

    Parameters
    ----------
    place
        Sentinels and service.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sentinels = [client_of(place.sentinel_url(*door)) for door in place.doors]
        self._at: tuple[str, int] | None = None
        self._client: Any = None

    def find(self) -> Any:
        """Return the client of the master, the same one as long as it is the same server.

        Raises
        ------
        redis.exceptions.ConnectionError
            If no sentinel names one.
        """
        for sentinel in list(self._sentinels):
            with suppress(*FAILURES):
                found = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self._place.service)
                at = (_text(found[0]), int(found[1]))  # nothing, where it does not know the service
                if at != self._at:
                    self._client, self._at = client_of(self._place.url(*at)), at
                self._sentinels.remove(sentinel)  # it is asked first from now on
                self._sentinels.insert(0, sentinel)
                return self._client
        raise RedisConnectionError("no sentinel names a master")

    def close(self) -> None:
        """End the connections to the sentinels."""
        for sentinel in self._sentinels:
            end(sentinel)


def slots_of(client: Any, host: str) -> list[tuple[int, int, tuple[str, int]]]:
    """Return which slots of a cluster are whose: first, last, host and port of their master.

    Parameters
    ----------
    client
        Of the node that is asked.
    host
        Its own, which it may call nothing.

    Raises
    ------
    ValueError
        If it says nonsense, among the errors of a server that does not answer.
    """
    answer = client.execute_command("CLUSTER SLOTS")
    told = [(int(first), int(last), (_text(who[0]) or host, int(who[1]))) for first, last, who, *_replicas in answer]
    if any(not 0 <= first <= last < SLOTS for first, last, _ in told):
        raise ValueError("no slots of a cluster")
    return told


def end(client: Any) -> None:
    """End a client and its connections: one that was given its pool does not close it."""
    with suppress(*FAILURES):
        client.close()
        if client.connection_pool is not None:
            client.connection_pool.disconnect()


def _text(host: Any) -> str:
    found = host.decode() if isinstance(host, bytes) else str(host or "")
    return "" if found == "?" else found  # a node that shall be called by a name, and has none


def _door(text: str, port: int) -> tuple[str, int]:
    """Return host and port; that of version 6 of the protocol stands in brackets."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        named = rest.removeprefix(":")
    else:
        host, _, named = text.partition(":")
    number = int(named) if named else port
    if not host or not 0 < number < 2**16:
        raise ValueError("no host, or no port")
    return host, number


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"CLOUDBURST_CACHE_URL={url.partition('://')[0]}:... is not understood ({why}).",
        hint="Use memory:, redis://, rediss://, unix://, redis+cluster://HOST:PORT,HOST:PORT or"
        " redis+sentinel://HOST:PORT,HOST:PORT/SERVICE.",
    )
