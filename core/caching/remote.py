"""The second level: a Redis that may do anything, and never costs a reader more than a moment.

redis-py's own limits are per read: a server that drips bytes or stands still holds a command for as long as it likes,
and its retries take seconds. Here a command has one deadline from its first byte to its last; after the first failure
nobody asks again until a probe in the background has been answered.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from redis.connection import ConnectionPool
from redis.exceptions import MaxConnectionsError, ResponseError

from core.caching import clients
from core.caching.clients import FAILURES

log = structlog.get_logger()
#: So many threads read at once, others wait a moment: a hundred that connect together would all miss the deadline.
MOST_READERS = 4
#: Between two probes of a server that has failed, seconds.
PROBE_S = 1.0
#: Who begins waits so long for a server that has to be found first, seconds; then it goes on without.
START_S = 0.25
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


class RedisLevel:
    """Bytes by key in one Redis; a failure is a miss, counted, and no error.

    Parameters
    ----------
    url
        redis://, rediss:// or unix:// of one server, or redis+sentinel:// of the sentinels that name it.
    prefix
        All keys begin with it.

    Raises
    ------
    ConfigurationError
        If the URL is not understood. A server that does not answer is none: it may come.
    """

    #: Answers that say something else than that the server is sick: whoever asked is told.
    _told: tuple[type[Exception], ...] = ()

    def __init__(self, url: str, prefix: str = "cloudburst:") -> None:
        self._prefix = prefix
        self.probe_key = "probe"
        self._readers = threading.Semaphore(MOST_READERS)
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._closed, self._begun = threading.Event(), threading.Event()
        self.failures = 0
        place = clients.place_of(url)
        self._master = None if place is None else clients.Master(place)
        self._well = self._master is None
        if self._master is None:
            self._use(clients.client_of(url))
            return
        self._use(None)
        self._in_background(self._begin)
        self._begun.wait(START_S)

    def _use(self, client: Any) -> None:
        """Ask by another client from now on: by None nobody does, since then it is not well."""
        self._client = client
        pool = getattr(client, "connection_pool", None)
        self._pool = pool if type(pool) is ConnectionPool else None  # before the list: whoever sees this one sees that
        self._idle: list[Any] = []
        self._reading: set[Any] = set()
        if client is not None:
            self._newer, self._unlock = client.register_script(NEWER), client.register_script(UNLOCK)

    @property
    def well(self) -> bool:
        """Whether it answered last."""
        return self._well

    def get(self, key: str) -> bytes | None:
        """Return what stands under a key, None where nothing does or nobody answers."""
        found = self._asked(lambda client: self._got(client, self._prefix + key))
        return found if isinstance(found, bytes) else None

    def put(self, key: str, data: bytes, seconds: float) -> bool | None:
        """Keep an envelope for some seconds; False where a newer one is there, None where nobody answers."""
        keys, args = [self._prefix + key], [data, max(1, round(seconds * 1000))]
        kept = self._asked(lambda client: self._newer(keys=keys, args=args, client=client))
        return bool(kept) if kept in (0, 1) else None

    def delete(self, key: str) -> bool:
        """Forget one key; say whether it was there."""
        return bool(self._asked(lambda client: client.delete(self._prefix + key)) == 1)

    def delete_pattern(self, pattern: str) -> int:
        """Forget the keys that fit a pattern with `*` and `?`; return how many."""
        count = 0
        cursor: Any = 0
        escaped = "".join(f"\\{c}" if c in "[]\\^" else c for c in self._prefix + pattern)
        while True:
            found = self._asked(lambda client, at=cursor: client.scan(at, match=escaped, count=500))  # type: ignore[misc]
            if found is None:
                return count
            cursor, keys = found
            if keys:
                count += self._forget(keys)
            if not cursor:
                return count

    def lock(self, key: str, token: str, seconds: float) -> bool | None:
        """Take the lock of a key; False where somebody else holds it, None where nobody answers."""
        if not self._well:
            return None
        name, milliseconds = f"{self._prefix}lock:{key}", round(seconds * 1000)
        before = self.failures
        taken = self._asked(lambda client: client.set(name, token, nx=True, px=milliseconds))
        return None if self.failures > before else bool(taken)

    def unlock(self, key: str, token: str) -> None:
        """Give a lock back, if it is still ours."""
        name = f"{self._prefix}lock:{key}"
        self._asked(lambda client: self._unlock(keys=[name], args=[token], client=client))

    def close(self) -> None:
        """End the probe and the connections."""
        self._closed.set()
        self._end()

    def _end(self) -> None:
        self._drop()
        if self._master is not None:
            self._master.close()
        if self._client is not None:
            clients.end(self._client)

    def _forget(self, names: list[bytes]) -> int:
        """Forget some keys, with their prefix; return how many were there."""
        gone = self._asked(lambda client: client.delete(*names))
        return gone if isinstance(gone, int) else 0

    def _got(self, client: Any, name: str) -> Any:
        quick = self._pool is not None and client is self._client
        try:
            return self._read(self._pool, name) if quick else client.get(name)  # type: ignore[arg-type]
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
        if not self._readers.acquire(timeout=clients.DEADLINE_S / 2):
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
            self._keep(pool, connection)
            raise
        except BaseException:
            self._keep(pool, connection)
            self._drop()
            raise
        finally:
            self._reading.discard(connection)
        self._keep(pool, connection)
        return answer

    def _keep(self, pool: ConnectionPool, connection: Any) -> None:
        """Let a connection be used again, unless another master has been found since: then it is the old one's."""
        idle = self._idle
        if pool is self._pool:
            idle.append(connection)
        else:
            connection.disconnect()

    def _drop(self) -> None:
        """End the connections that nobody uses. Each is kept and connects anew: the pool counts what it made."""
        for connection in list(self._idle):
            with suppress(*FAILURES):
                connection.disconnect()

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        """Return what the server says, None where it fails; then it is left alone until a probe is answered."""
        if not self._well:
            return None
        try:
            return self._answered(ask)
        except self._told:
            raise
        except MaxConnectionsError:  # more threads at once than connections: nothing is wrong with the server
            with self._lock:
                self.failures += 1
            return None
        except FAILURES as error:
            self._fail(error)
            return None

    def _answered(self, ask: Callable[[Any], Any]) -> Any:
        return ask(self._client)

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
        self._in_background(self._probe)

    def _in_background(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="cache-probe", daemon=True).start()

    def _begin(self) -> None:
        """Look for the server for the first time, and then until it is found."""
        try:
            self._well = self._answers()
        except FAILURES as error:
            self.failures += 1
            log.warning("the second level of the cache fails", reason=type(error).__name__)
        self._begun.set()
        if not self._well:
            self._probe()

    def _probe(self) -> None:
        """Ask until it is well again."""
        while not self._closed.wait(PROBE_S):
            try:
                if self._answers():
                    break
            except FAILURES:
                continue
        if not self._closed.is_set():
            log.info("the second level of the cache is back")
            self._well = True
        elif self._master is not None:  # which may have been found since
            self._end()

    def _answers(self) -> bool:
        """Say whether it takes a value and gives it back: no replica does, which a sentinel may name a moment long."""
        if self._master is not None:
            found = self._master.find()
            if found is not self._client:
                before = self._client
                self._use(found)
                clients.end(before)
        name = self._prefix + self.probe_key
        self._client.set(name, b"well", px=5000)
        if self._client.get(name) != b"well":
            return False
        self._client.delete(name)  # or it would be counted among those that a pattern forgets
        return True
