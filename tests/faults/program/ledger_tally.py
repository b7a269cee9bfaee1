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

from core.experiments.sums import NAMES

#: What was said well of a first history.
MADE = ("kept", "deployed")
ISSUES = """SELECT region_id, issued_at, model_version, shown, count(*), count(DISTINCT location_id),
            count(DISTINCT begin_h || '/' || window_h) FROM forecasts GROUP BY 1, 2, 3, 4"""
#: The ledger keeps one content of an issue once; what is twice says two things of one hour in one moment.
TWICE = """SELECT region_id, issued_at, location_id FROM forecasts
           GROUP BY source, region_id, location_id, valid_from, begin_h, window_h, model_version, shown, issued_at
           HAVING count(*) > 1"""
#: Cases of experiments: how many results, in how many states, and how many of them count.
CASES = """SELECT experiment_id, count(*), count(DISTINCT state), sum(state = 'matured' AND probability IS NOT NULL)
           FROM experiment_results GROUP BY experiment_id, valid_at, location_id"""


def asked(home: Path, question: str) -> list[Any]:
    """Return the rows that answer a question to the ledger of a home."""
    with closing(sqlite3.connect(home / "data" / "ledger.sqlite", timeout=20)) as ledger:
        return ledger.execute(question).fetchall()


def torn(home: Path) -> list[str]:
    """Return what is not whole in a home's ledger: issues or cases in part or twice, trainings or deployments twice."""
    wrong = [f"the ledger is damaged: {row[0]}" for row in asked(home, "PRAGMA integrity_check") if row[0] != "ok"]
    for region, at, version, _, rows, places, windows in asked(home, ISSUES):
        if rows != places * windows:
            wrong.append(f"the issue of {at} for {region} by {version} has {rows} rows for {places} x {windows}")
    places = {row[5] for row in asked(home, ISSUES)}
    if len(places) > 1:
        wrong.append(f"issues have {sorted(places)} places")
    wrong += [f"at {at} {place} of {region} was forecast twice" for region, at, place in asked(home, TWICE)]
    return wrong + _runs(home) + _experiments(home) + _deployments(home)


def _runs(home: Path) -> list[str]:
    """Return the trainings that are recorded more than once, and the first histories that were made more than once."""
    runs = [(*row, json.loads(told)) for *row, told in asked(home, "SELECT kind, status, detail FROM runs")]
    told = Counter(detail.get("run_id") for *_, detail in runs)
    made = Counter(detail["region"] for kind, status, detail in runs if kind == "first start" and status in MADE)
    wrong = [f"the run {run} is recorded {count} times" for run, count in told.items() if run and count > 1]
    return wrong + [f"the history of {region} was made {count} times" for region, count in made.items() if count > 1]


def _experiments(home: Path) -> list[str]:
    """Return what is wrong with the cases of experiments: those there or known in part, and sums of other cases."""
    wrong, sizes, known, summed = list[str](), dict[str, set[int]](), Counter[str](), Counter[str]()
    for name, results, states, count in asked(home, CASES):
        sizes.setdefault(name, set()).add(results)
        known[name] += count
        wrong += [f"a case of {name} has {states} states"] * (states > 1)
    for name, sums in asked(home, "SELECT experiment_id, sums FROM experiment_days"):
        summed[name] += round(json.loads(sums)[NAMES.index("cases")])
    wrong += [f"cases of {name} have {sorted(found)} results" for name, found in sizes.items() if len(found) > 1]
    wrong += [f"{name} sums {summed[name]} of {known[name]} results" for name in sizes if summed[name] != known[name]]
    return wrong


def _deployments(home: Path) -> list[str]:
    """Return what is wrong with the line of champions of every region: gaps, forks, and who took its own place."""
    wrong = []
    rows = asked(
        home, "SELECT source, region_id, generation, from_version, to_version FROM deployments ORDER BY 1, 2, 3"
    )
    for before, after in pairwise(rows):
        if before[:2] != after[:2]:
            continue
        if (after[3], after[2]) != (before[4], before[2] + 1):
            wrong.append(f"{after[4]} took the place of {after[3]}, {before[4]} served")
        elif after[4] == after[3]:
            wrong.append(f"{after[4]} was deployed twice")
    return wrong


def deployed(home: Path) -> int:
    """Return how many deployments the ledger of a home tells of."""
    return int(asked(home, "SELECT count(*) FROM deployments")[0][0])


def first_history(home: Path) -> tuple[int, str]:
    """Return how many makings of the first history were interrupted, and how the last that was not ended."""
    states = [row[0] for row in asked(home, "SELECT status FROM runs WHERE kind = 'first start' ORDER BY id")]
    return states.count("interrupted"), next((state for state in reversed(states) if state in MADE), "")


def training(home: Path) -> dict[str, Any]:
    """Return the state of the training that runs or ended last in a home, empty where none was ever begun."""
    for file in (home / "data").rglob("now.json"):
        try:
            return dict(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError):
            continue
    return {}


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
