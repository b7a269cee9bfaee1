"""Ledgers beside the house's own: carried from one database to another."""

from __future__ import annotations

from collections.abc import Mapping

from core.adapters.ledger import SqlLedger, there
from core.adapters.ledger_copy import copied
from core.errors import ConfigurationError
from core.ports import Progress, silent


def migrate(source_url: str, target_url: str, told: Progress = silent) -> Mapping[str, int]:
    """Copy a ledger, led to the newest schema, into an empty database; return the number of rows by table.

    Raises
    ------
    ConfigurationError
        If there is no ledger to copy, both are the same, the target is not empty, or one does not answer.
    """
    if source_url == target_url:
        raise ConfigurationError("--from and --to name the same ledger.", hint="Name an empty database with --to.")
    if not there(source_url):
        raise ConfigurationError(
            "There is no ledger at --from.", hint="Name one, such as sqlite:///data/ledger.sqlite."
        )
    return copied(SqlLedger(source_url), SqlLedger(target_url), told)
