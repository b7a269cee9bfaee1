"""Connections to PostgreSQL on which nobody waits without end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import pq
from psycopg.abc import RV, PQGen

#: How long a connection is made, and a lock waited for, seconds.
PATIENCE_S = 5
#: A process that was stopped while it wrote does not keep the others out for longer, seconds.
IDLE_S = 30


class Punctual(psycopg.Connection[Any]):
    """A connection that ends where the server does not answer in time: TCP alone waits for one that is stopped."""

    @staticmethod
    def answer_s() -> float | None:
        """Return how long an answer may take, seconds."""
        return PATIENCE_S

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer, for `answer_s()` seconds where nothing else is said."""
        try:
            return super().wait(gen, interval, self.answer_s() if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:  # what is yet to come belongs to nobody
                self.pgconn.finish()
            raise


def prepare(engine: sa.Engine, answer_s: Callable[[], float | None]) -> None:
    """Let an engine make such connections; `answer_s` says how long an answer may take, None for ever."""

    def connect(_dialect: sa.Dialect, _record: object, args: list[Any], options: dict[str, Any]) -> Punctual:
        made = Punctual.connect(*args, connect_timeout=PATIENCE_S, **options)
        made.answer_s = answer_s  # type: ignore[method-assign]
        with made.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{PATIENCE_S}s'")
            cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_S}s'")
        made.commit()
        return made

    sa.event.listen(engine, "do_connect", connect)
