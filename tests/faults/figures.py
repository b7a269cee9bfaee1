"""Figures of the last run in docs/RELIABILITY.md: each promise names the gate that gave it, which fills its row in."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock


def keep(page: Path, gate: str, cells: Sequence[str]) -> None:
    """Replace the last cells of the row whose second cell is `gate`: what was found, the verdict, and the day.

    Two suites may run side by side.

    Raises
    ------
    ValueError
        If the page has no row of that gate.
    """
    with FileLock(Path(tempfile.gettempdir()) / f"figures of {page.name}.lock"):
        _replace(page, gate, cells)


def _replace(page: Path, gate: str, cells: Sequence[str]) -> None:
    day = datetime.now(UTC).date().isoformat()
    lines, found = page.read_text("utf-8").splitlines(), 0
    for at, line in enumerate(lines):
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(row) > 1 + len(cells) and row[1] == f"`{gate}`":
            kept = row[: -1 - len(cells)]
            lines[at] = f"| {' | '.join([*kept, *(cell.replace('|', '/') for cell in cells), day])} |"
            found += 1
    if not found:
        raise ValueError(f"{page} has no row of the gate `{gate}`; add one: | promise | `{gate}` | … | … | … |")
    page.write_text("\n".join(lines) + "\n", "utf-8")
