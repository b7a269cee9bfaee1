"""Backups of a house, and a house out of one."""

from __future__ import annotations

from pathlib import Path

from core.adapters import backups
from core.adapters.backups import Contents
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_copy import copied, refuse_rows
from core.bootstrap import VERSION
from core.bootstrap.house import Core
from core.errors import ConfigurationError
from core.ports import Progress, silent
from core.settings import load_settings


def backup(core: Core, path: Path, told: Progress = silent) -> Contents:
    """Write a backup of a house; see `core.adapters.backups.write`."""
    ledger = SqlLedger(core.settings.ledger_url)
    try:
        return backups.write(path, core.settings.home, ledger, (core.clock(), VERSION), told)
    finally:
        ledger.engine.dispose()


def restore(path: Path, told: Progress = silent) -> Contents:
    """Make the home of the settings out of a backup, and with it the ledger in the database that they name.

    Raises
    ------
    ConfigurationError
        If the home or the database is not empty, or the file is no whole backup.
    OSError
        Whatever the disk says.
    """
    settings = load_settings()
    if not path.is_file():
        raise ConfigurationError(f"There is no backup at {path}.", hint="Name the file that `backup` wrote.")
    if not settings.database_url:
        return backups.restore(path, settings.home, told)
    target = SqlLedger(settings.database_url)
    refuse_rows(target)
    contents = backups.restore(path, settings.home, told)
    copied(SqlLedger(f"sqlite:///{settings.home / backups.LEDGER}"), target, told)
    return contents
