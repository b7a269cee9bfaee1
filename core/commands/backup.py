"""python -m core backup and restore: the home in one file, and a home out of one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.bootstrap import Core
from core.bootstrap.backups import backup, restore
from core.commands.terminal import progress


def add(commands: Any) -> None:
    """Add both commands to a parser."""
    kept = commands.add_parser("backup", help="models, data and ledger in one file; programs may run meanwhile")
    kept.add_argument("file", type=Path, metavar="FILE.tar.gz", help="a new file, which holds keys: keep it safe")
    kept.set_defaults(run=_backup)
    back = commands.add_parser("restore", help="make an empty home out of a backup")
    back.add_argument("file", type=Path, metavar="FILE.tar.gz")
    back.set_defaults(run=_restore, alone=True)


def _backup(core: Core, args: argparse.Namespace) -> int:
    with progress() as told:
        contents = backup(core, args.file, told)
    print(f"{len(contents.files):,} files, {args.file.stat().st_size / 1e6:,.1f} MB: {args.file}")
    return 0


def _restore(_core: None, args: argparse.Namespace) -> int:
    with progress() as told:
        contents = restore(args.file, told)
    print(f"{len(contents.files):,} files of {contents.at}, written by {contents.version}, restored")
    return 0
