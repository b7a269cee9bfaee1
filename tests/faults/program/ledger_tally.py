"""What a home's ledger must say of itself, whatever happened to the programs that wrote it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

ISSUES = """SELECT region_id, issued_at, model_version, shown, count(*), count(DISTINCT location_id),
            count(DISTINCT begin_h || '/' || window_h) FROM forecasts GROUP BY 1, 2, 3, 4"""
TWICE = """SELECT count(*) FROM (SELECT 1 FROM forecasts
           GROUP BY location_id, content, begin_h, window_h, shown, issued_at HAVING count(*) > 1)"""


def asked(home: Path, question: str) -> list[Any]:
    """Return the rows that answer a question to the ledger of a home."""
    with closing(sqlite3.connect(home / "data" / "ledger.sqlite", timeout=20)) as ledger:
        return ledger.execute(question).fetchall()


def torn(home: Path) -> list[str]:
    """Return what is not whole in a home's ledger: issues in part or twice, deployments or runs twice."""
    wrong = [f"the ledger is damaged: {row[0]}" for row in asked(home, "PRAGMA integrity_check") if row[0] != "ok"]
    for region, at, version, _, rows, places, windows in asked(home, ISSUES):
        if rows != places * windows:
            wrong.append(f"the issue of {at} for {region} by {version} has {rows} rows for {places} x {windows}")
    places = {row[5] for row in asked(home, ISSUES)}
    if len(places) > 1:
        wrong.append(f"issues have {sorted(places)} places")
    if asked(home, TWICE)[0][0]:
        wrong.append("a forecast was issued twice")
    return wrong + _runs(home) + _deployments(home)


def _runs(home: Path) -> list[str]:
    told = Counter(json.loads(row[0]).get("run_id") for row in asked(home, "SELECT detail FROM runs"))
    return [f"the run {run} is recorded {count} times" for run, count in told.items() if run and count > 1]


def _deployments(home: Path) -> list[str]:
    """Return what is wrong with the line of champions of every region."""
    wrong = []
    rows = asked(
        home, "SELECT source, region_id, generation, from_version, to_version FROM deployments ORDER BY 1, 2, 3"
    )
    for before, after in pairwise(rows):
        if before[:2] == after[:2] and (after[3], after[2]) != (before[4], before[2] + 1):
            wrong.append(f"{after[4]} took the place of {after[3]}, {before[4]} served")
    return wrong


def deployed(home: Path) -> int:
    """Return how many deployments the ledger of a home tells of."""
    return int(asked(home, "SELECT count(*) FROM deployments")[0][0])


def working(home: Path) -> list[int]:
    """Return the numbers of the processes that were begun for this home."""
    mark, found = f"CLOUDBURST_HOME={home}".encode(), []
    for at in Path("/proc").iterdir():
        try:
            other = at.name.isdigit() and int(at.name) != os.getpid()
            if other and mark in (at / "environ").read_bytes().split(b"\0"):
                found.append(int(at.name))
        except OSError:
            continue
    return found
