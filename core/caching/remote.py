"""The second level: a Redis that may do anything, and never costs a reader more than a moment.

redis-py's own limits are per read: a server that drips bytes or stands still holds a command for as long as it likes,
and its retries take seconds. Here a command has one deadline from its first byte to its last; after the first failure
nobody asks again until a probe in the background has been answered.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from redis import Redis, Sentinel
from redis._parsers import _RESP2Parser
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import MaxConnectionsError, RedisError, ResponseError
from redis.retry import Retry

from core.errors import ConfigurationError

log = structlog.get_logger()
#: A command has so long from begin to end, seconds; the first one to a server that hangs costs that once.
DEADLINE_S = 0.08
#: So many threads read at once, others wait a moment: a hundred that connect together would all miss the deadline.
MOST_READERS = 4
#: Between two probes of a server that has failed, seconds.
PROBE_S = 1.0
#: Sets a value unless a newer one is there: after the magic an envelope begins with the time of its data, 8 bytes.
#: They are compared one by one, since Lua compares texts by the collation of the server.
NEWER = """
local there = redis.pcall('GETRANGE', KEYS[1], 0, 11)
if type(there) == 'string' and #there == 12 and string.sub(there, 1, 4) == 'CBW1' then
    for i = 5, 12 do
        local old, new = string.byte(there, i), string.byte(ARGV[1], i)
        if old > new then return 0 end
        if old < new then break end
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
#: Gives a lock back, if it is ours still.
UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
#: What is wrong with a server may come as any of these: garbage is a ValueError or an IndexError of a parser.
FAILURES = (RedisError, OSError, ValueError, IndexError, TypeError, AttributeError, UnicodeError)


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


class RedisLevel:
    """Bytes by key in Redis; a failure is a miss, counted, and no error.

    Parameters
    ----------
    url
        redis://, rediss:// or unix:// of one server, redis+cluster:// of one node of a cluster, or
        redis+sentinel://HOST:PORT/SERVICE.

    Raises
    ------
    ConfigurationError
        If the URL is not understood. A server that does not answer is none: it may come.
    """

    def __init__(self, url: str, prefix: str = "cloudburst:") -> None:
        self._prefix = prefix
        self._client = _client(url)
        single = isinstance(self._client, Redis) and type(self._client.connection_pool) is ConnectionPool
        self._pool = self._client.connection_pool if single else None
        self._idle: list[Any] = []
        self._reading: set[Any] = set()
        self._readers = threading.Semaphore(MOST_READERS)
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._well = True
        self._closed = threading.Event()
        self.failures = 0
        self._newer, self._unlock = self._client.register_script(NEWER), self._client.register_script(UNLOCK)

    @property
    def well(self) -> bool:
        """Whether it answered last."""
        return self._well

    def get(self, key: str) -> bytes | None:
        """Return what stands under a key, None where nothing does or nobody answers."""
        found = self._asked(lambda: self._got(self._prefix + key))
        return found if isinstance(found, bytes) else None

    def put(self, key: str, data: bytes, seconds: float) -> bool | None:
        """Keep an envelope for some seconds; False where a newer one is there, None where nobody answers."""
        milliseconds = max(1, round(seconds * 1000))
        kept = self._asked(lambda: self._newer(keys=[self._prefix + key], args=[data, milliseconds]))
        return bool(kept) if kept in (0, 1) else None

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        return bool(self._asked(lambda: self._client.delete(self._prefix + key)) == 1)

    def delete_pattern(self, pattern: str) -> int:
        """Forget the keys that fit a pattern with `*` and `?`; return how many."""
        count = 0
        cursor: Any = 0
        escaped = "".join(f"\\{c}" if c in "[]\\^" else c for c in self._prefix + pattern)
        while True:
            found = self._asked(lambda at=cursor: self._client.scan(at, match=escaped, count=500))  # type: ignore[misc]
            if found is None:
                return count
            cursor, keys = found
            if keys:
                gone = self._asked(lambda some=keys: self._client.delete(*some))  # type: ignore[misc]
                count += gone if isinstance(gone, int) else 0
            if not cursor:
                return count

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        """Take the lock of a key; False where somebody else holds it, None where nobody answers."""
        if not self._well:
            return None
        name, milliseconds = f"{self._prefix}lock:{key}", round(seconds * 1000)
        before = self.failures
        taken = self._asked(lambda: self._client.set(name, token, nx=True, px=milliseconds))
        return None if self.failures > before else bool(taken)

    def unlock(self, key: str, token: str) -> None:
        """Give a lock back, if it is still ours."""
        self._asked(lambda: self._unlock(keys=[f"{self._prefix}lock:{key}"], args=[token]))

    def close(self) -> None:
        """End the probe and the connections."""
        self._closed.set()
        self._drop()
        self._client.close()
        pool = getattr(self._client, "connection_pool", None)  # which a client that was given one does not close
        if pool is not None:
            pool.disconnect()

    def _got(self, name: str) -> Any:
        try:
            return self._client.get(name) if self._pool is None else self._read(self._pool, name)
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):  # of this key something is wrong, not of the server
                return b""
            raise

    def _read(self, pool: ConnectionPool, name: str) -> Any:
        """Return a value by a connection of our own: the client's and its pool's books cost as much as the answer.

        One whose answer did not come whole is not used again, nor are the others then.
        """
        if self._owner != os.getpid():  # in a forked process the connections are the parent's
            self._idle, self._reading, self._owner = [], set(), os.getpid()
        if not self._readers.acquire(timeout=DEADLINE_S / 2):
            raise MaxConnectionsError("too many read at once")
        try:
            return self._read_by(pool, name) if self._well else None  # it may have failed those who were waited for
        finally:
            self._readers.release()

    def _read_by(self, pool: ConnectionPool, name: str) -> Any:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = pool.make_connection()
        self._reading.add(connection)
        try:
            connection.send_command("GET", name)
            answer = connection.read_response()
        except ResponseError:  # which came whole
            self._idle.append(connection)
            raise
        except BaseException:
            self._drop(connection)
            raise
        finally:
            self._reading.discard(connection)
        self._idle.append(connection)
        return answer

    def _drop(self, *connections: Any) -> None:
        """End connections, and those that nobody uses. Each is kept and connects anew: the pool counts what it made."""
        for connection in (*connections, *self._idle):
            with suppress(*FAILURES):
                connection.disconnect()
        self._idle.extend(connections)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Return what the server says, None where it fails; then it is left alone until a probe is answered."""
        if not self._well:
            return None
        try:
            return ask()
        except MaxConnectionsError:  # more threads at once than connections: nothing is wrong with the server
            with self._lock:
                self.failures += 1
            return None
        except FAILURES as error:
            self._fail(error)
            return None

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self.failures += 1
            if not self._well:
                return
            self._well = False
        for connection in list(self._reading):  # who began a moment ago, and whoever waits for them, would wait as long
            with suppress(*FAILURES):
                connection._sock.shutdown(socket.SHUT_RDWR)
        with suppress(*FAILURES):
            self._client.connection_pool.disconnect()
        log.warning("the second level of the cache fails", reason=type(error).__name__)
        threading.Thread(target=self._probe, name="cache-probe", daemon=True).start()

    def _probe(self) -> None:
        """Ask until it is well again: it must take a value and give it back."""
        name = self._prefix + "probe"
        while not self._closed.wait(PROBE_S):
            try:
                self._client.set(name, b"well", px=5000)
                if self._client.get(name) == b"well":
                    break
            except FAILURES:
                continue
        if not self._closed.is_set():
            log.info("the second level of the cache is back")
            self._well = True


def _client(url: str) -> Any:
    """Return the client of a URL, without retries."""
    common: dict[str, Any] = {
        "socket_timeout": DEADLINE_S,
        "socket_connect_timeout": DEADLINE_S,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        # In Python: of random replies hiredis 3.5.0 makes a fault of memory, which ends this whole process.
        "parser_class": _RESP2Parser,
    }
    kind, _, rest = url.partition("://")
    try:
        if kind == "redis+cluster":
            return RedisCluster.from_url(f"redis://{rest}", cluster_error_retry_attempts=0, **common)
        if kind == "redis+sentinel":
            host, _, service = rest.partition("/")
            name, _, port = host.partition(":")
            sentinel: Any = Sentinel([(name, int(port or 26379))], sentinel_kwargs=common, **common)  # type: ignore[no-untyped-call]
            return sentinel.master_for(service or "mymaster")
        kinds = {"redis": Connection, "rediss": SSLConnection, "unix": UnixDomainSocketConnection}
        pool = ConnectionPool.from_url(url, connection_class=_bounded(kinds[kind]), max_connections=64, **common)
        return Redis(connection_pool=pool)
    except (KeyError, ValueError, RedisError, OSError) as error:
        raise ConfigurationError(
            f"CLOUDBURST_CACHE_URL={kind}:... is not understood ({type(error).__name__}).",
            hint="Use memory:, redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://HOST:PORT/SERVICE.",
        ) from None
