"""python -m core migrate: the ledger into another database, such as from SQLite to PostgreSQL."""

from __future__ import annotations

import argparse
from typing import Any

from core.bootstrap.ledgers import migrate
from core.commands.terminal import progress


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("migrate", help="copy the ledger into an empty database; stop the program before")
    parser.add_argument("--from", dest="source", required=True, metavar="URL", help="such as sqlite:///ledger.sqlite")
    parser.add_argument("--to", dest="target", required=True, metavar="URL", help="such as postgresql://user@host/name")
    parser.set_defaults(run=_run, alone=True)


def _run(_core: None, args: argparse.Namespace) -> int:
    with progress() as told:
        counts = migrate(args.source, args.target, told)
    for table, rows in counts.items():
        print(f"{rows:>12,} {table}")
    print(f"{sum(counts.values()):>12,} rows copied; set CLOUDBURST_DATABASE_URL to the new ledger")
    return 0
