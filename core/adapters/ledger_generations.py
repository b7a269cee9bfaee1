"""Generations: how every program on one ledger learns that what it keeps in its memory has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_tables import generations
from core.errors import ConfigurationError

log = structlog.get_logger()


class Generations:
    """Counts changes by name, and tells those that others made.

    Parameters
    ----------
    forget
        Called with the name of what another program has changed.
    """

    def __init__(self, ledger: SqlLedger, forget: Callable[[str], None]) -> None:
        self._ledger, self._forget = ledger, forget
        self._lock = threading.Lock()
        self._known: dict[str, int] | None = None

    def changed(self, name: str) -> None:
        """Tell the others; where the ledger does not answer they learn it when their own time is over."""
        row = {"name": name, "number": 1}
        insert = self._ledger.insert(generations)
        again = insert.on_conflict_do_update(index_elements=["name"], set_={"number": generations.c.number + 1})
        with self._lock:  # a look in between would take our own change for that of another
            try:
                with self._ledger.writing() as connection:
                    connection.execute(again, [row])
                    query = sa.select(generations.c.number).where(generations.c.name == name)
                    number = int(connection.execute(query).scalar_one())
            except ConfigurationError as error:
                log.warning("the other programs are not told of a change", name=name, reason=error.message)
                return
            if self._known is not None and self._known.get(name, 0) == number - 1:  # else others did so as well
                self._known[name] = number

    def look(self) -> None:
        """Forget what others have changed since the last look; the first only learns how things stand."""
        with self._lock:
            try:
                with self._ledger.reading() as connection:
                    rows = connection.execute(sa.select(generations.c.name, generations.c.number))
                    found = {row.name: int(row.number) for row in rows}
            except ConfigurationError:
                return  # whoever writes or keeps the lease says so
            known, self._known = self._known, found
        for name in found if known is not None else ():
            if found[name] != known.get(name, 0):  # type: ignore[union-attr]
                self._forget(name)
