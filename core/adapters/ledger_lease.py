"""Which of several programs on one ledger does the jobs: a lease with a fencing number, and when each job last ran.

No clock of one machine is compared with that of another. A lease is over for whoever has seen its beat stand still for
`LASTS_S` by a clock of their own that nobody can set. Its holder may learn of that late, after it was stopped in the
middle of a job: so every write of a job asks, in its own transaction, whether the lease is still ours (Kleppmann 2016,
"How to do distributed locking").
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from core.adapters.ledger import FENCE, SqlLedger
from core.adapters.ledger_tables import JOBS, job_runs, leases
from core.adapters.scheduler import elapsed_s
from core.adapters.turns import Past
from core.errors import ConfigurationError, LeadershipLost

log = structlog.get_logger()
#: A holder that shows no sign of life for so long has lost the lease, seconds; it shows one after a share of that.
LASTS_S, BEATS = 20.0, 0.25
#: How often it is looked what others have changed, seconds.
LOOK_S = 1.0


class Lease:
    """The right to do the jobs of a ledger, as one program sees it. Implements `core.adapters.turns.Turns`.

    Where the ledger does not answer all stays as it is: a warning must get out while the database is down, and nobody
    else can take a lease then either.

    Parameters
    ----------
    clock
        Seconds of a clock that nobody can set.
    now
        Wall clock, for what is written down.
    look
        What else is to be looked at in the ledger each `LOOK_S`: what the other programs have changed.
    holder
        Who this is; None: this process.
    """

    def __init__(
        self,
        ledger: SqlLedger,
        clock: Callable[[], float] = elapsed_s,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look: Callable[[], object] = lambda: None,
        *,
        holder: str | None = None,
        lasts_s: float = LASTS_S,
    ) -> None:
        self._ledger, self._clock, self._now, self._look, self.lasts_s = ledger, clock, now, look, lasts_s
        self.holder = this_process() if holder is None else holder
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._token: int | None = None
        self._sure_at_s = 0.0
        self._seen: tuple[tuple[int, int], float] | None = None  # token and beat of another, and since when
        self._past: Mapping[str, Past] = {}
        self.term = 0

    def start(self) -> None:
        """Take the lease where nobody holds it, and keep it whatever the jobs do; a second start does nothing."""
        if self._thread is None:
            self._stop.clear()
            self._look()
            self.keep()
            self._thread = threading.Thread(target=self._loop, name="lease", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and let the others have the lease at once."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
            self.give_back()

    def _loop(self) -> None:
        kept_s = self._clock()
        while not self._stop.wait(LOOK_S):
            try:
                self._look()
                if self._clock() - kept_s >= self.lasts_s * BEATS:
                    kept_s = self._clock()
                    self.keep()
            except Exception:  # without this thread nobody would know who does the jobs
                log.exception("the lease could not be kept")

    def leads(self) -> bool:
        """Say whether this program does the jobs, as far as it knows."""
        return self._token is not None

    def past(self) -> Mapping[str, Past]:
        """Return the last run of every job, whoever did it, as it was known at the last look."""
        return self._past

    def keep(self) -> bool:
        """Show a sign of life, or take a lease that is over; return whether it is ours."""
        with self._lock:
            at_s = self._clock()  # before we ask: for whoever looks, our time begins later
            try:
                ours = self._beaten() if self.leads() else self._looked(at_s)
            except ConfigurationError as error:
                log.warning("the lease cannot be looked at", reason=error.message)
                return self.leads()
            if ours:
                self._sure_at_s = at_s
            return ours

    def give_back(self) -> None:
        """Let the others have it at once."""
        with self._lock, suppress(ConfigurationError):
            if self._token is not None:
                ours = (leases.c.name == JOBS) & (leases.c.token == self._token)
                with self._ledger.writing() as connection:
                    connection.execute(sa.update(leases).where(ours).values(holder=""))
            self._token = None

    @contextmanager
    def turn(self, job: str, *, recorded: bool) -> Iterator[bool]:
        """Let a job run, or not: say whether the lease is ours still. What the job writes is fenced.

        Parameters
        ----------
        recorded
            True for a job whose begin is written down: of two programs that believe to hold the lease one begins it.
        """
        if self._clock() - self._sure_at_s > self.lasts_s:  # we were stopped, or the ledger is silent
            self.keep()
        token = self._token
        if token is None:
            yield False
            return
        before = FENCE.set(token)
        try:
            yield self._begun(job, token) if recorded else True
        finally:
            FENCE.reset(before)

    def ended(self, job: str, error: str | None) -> None:
        """Write down that a job of ours has ended, and what it failed with."""
        ours = (job_runs.c.job == job) & (job_runs.c.token == self._token)
        with suppress(ConfigurationError, LeadershipLost), self._ledger.writing() as connection:
            connection.execute(sa.update(job_runs).where(ours).values(ended_at=self._now(), error=error))

    def _beaten(self) -> bool:
        ours = (leases.c.name == JOBS) & (leases.c.token == self._token)
        with self._ledger.writing() as connection:
            beaten = connection.execute(sa.update(leases).where(ours).values(beat=leases.c.beat + 1)).rowcount == 1
        if not beaten:
            self._lost()
        return beaten

    def _looked(self, at_s: float) -> bool:
        """Look at the lease of another, and take it where it is over."""
        with self._ledger.reading() as connection:
            found = _lease(connection)
            self._past = _past(connection)
        if found is not None and not self._over(found, at_s):
            return False
        with self._ledger.writing() as connection:
            if _lease(connection) != found:  # somebody was faster
                return False
            self._past = _past(connection)
            token = (0 if found is None else int(found["token"])) + 1
            row = {"name": JOBS, "token": token, "beat": 0, "holder": self.holder}
            insert = self._ledger.insert(leases)
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row), [row])
        self._token, self._seen = token, None
        self.term += 1
        log.info("this program does the jobs from now on", token=token)
        return True

    def _over(self, found: Mapping[str, Any], at_s: float) -> bool:
        sign = (int(found["token"]), int(found["beat"]))
        if self._seen is None or self._seen[0] != sign:
            self._seen = (sign, at_s)
        return found["holder"] == "" or is_gone(found["holder"]) or at_s - self._seen[1] > self.lasts_s

    def _begun(self, job: str, token: int) -> bool:
        row = {"job": job, "token": token, "begun_at": self._now(), "ended_at": None, "error": None}
        try:
            with self._ledger.writing() as connection:
                insert = self._ledger.insert(job_runs)
                connection.execute(insert.on_conflict_do_update(index_elements=["job"], set_=row), [row])
        except LeadershipLost:
            self._lost()
            return False
        except ConfigurationError as error:  # the night goes on without a ledger
            log.warning("the begin of a job is not written down", job=job, reason=error.message)
        return True

    def _lost(self) -> None:
        log.warning("another program does the jobs from now on", token=self._token)
        self._token, self._seen = None, None


def this_process() -> str:
    """Return who this process is: the machine's name, its run and its world of process numbers, number and begin."""
    return f"{platform.node()[:64]}/{_world()}/{os.getpid()}/{_begin_of(os.getpid())}"


def is_gone(holder: str) -> bool:
    """Say whether a holder was a process of this machine that is not there any more; of others nobody knows."""
    parts = holder.rsplit("/", 3)
    if len(parts) != 4 or not parts[1] or parts[1] != _world() or not parts[2].isdigit():
        return False
    return _begin_of(int(parts[2])) != parts[3]


def _world() -> str:
    """Return what tells this run of a machine and its process numbers from others, "" where nobody knows."""
    try:
        run = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{run}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _begin_of(pid: int) -> str:
    """Return when a process began, in ticks (proc(5), field 22); "" where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _lease(connection: sa.Connection) -> Mapping[str, Any] | None:
    found = connection.execute(sa.select(leases).where(leases.c.name == JOBS)).mappings().one_or_none()
    return None if found is None else dict(found)


def _past(connection: sa.Connection) -> dict[str, Past]:
    query = sa.select(job_runs.c.job, job_runs.c.begun_at, job_runs.c.ended_at, job_runs.c.error)
    return {row.job: Past(row.begun_at, row.ended_at, row.error) for row in connection.execute(query)}
