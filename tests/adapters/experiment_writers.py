"""Writers of an experiment's records that are killed at random moments, and a torn variant that loses what it adds.

python -m tests.adapters.experiment_writers TOGETHER KILLED TORN KILLS SEED: three are addresses of new ledgers. It is
a process of one thread, for it forks, and prints what it found as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_experiments import SqlExperiments
from core.domain.experiment import CaseOutcome, ExperimentResult, Matured
from core.domain.units import as_utc
from core.ports import Fold
from tests.experiments_made import both, counted, outcome
from tests.faults.processes import Say, forked

#: Cases of a batch, each with two results.
BATCH = 5
STEPS = {"monsoon": 2}
#: Longest life of a writer that is killed, seconds.
LIFE_S = 0.25
#: Batches of a writer that is not killed, and how many of them write at once.
BATCHES, WRITERS = 10, 8


class Torn(SqlExperiments):
    """Matures results in one transaction and adds them up in the next."""

    def mature(self, experiment_id: str, outcomes: Sequence[CaseOutcome], fold: Fold) -> int:
        rows = [
            {
                "experiment_id": experiment_id,
                "valid_at": as_utc(one.valid_at),
                "location_id": one.location_id,
                "happened": one.happened,
            }
            for one in outcomes
        ]
        with self._ledger.writing() as connection:
            matured = self._joined(connection, experiment_id, rows)
        with self._ledger.writing() as connection:
            self._add(connection, experiment_id, fold(matured))
        return len(matured)


def batch(writer: int, number: int) -> tuple[list[ExperimentResult], list[CaseOutcome]]:
    """Return the results of a batch, and their outcomes; the places are the writer's own, the days everybody's."""
    cases = range(number * BATCH, (number + 1) * BATCH)
    place = f"w{writer}"
    results = [one for case in cases for one in both(case, place, shown=True)]
    return results, [outcome(case, case % 3 == 0, place) for case in cases]


def write(kind: type[SqlExperiments], url: str, writer: int, numbers: Sequence[int], say: Say) -> None:
    """Write batches and their outcomes, and say each when it is acknowledged."""
    records = kind(SqlLedger(url))
    say("open")
    for number in numbers:
        results, outcomes = batch(writer, number)
        assert records.record_results(results, STEPS) == len(results)
        say(f"results {writer} {number}")
        assert records.mature("monsoon", outcomes, counted) == len(results)
        say(f"outcomes {writer} {number}")


def wrong(url: str, said: Sequence[str]) -> list[str]:
    """Return what is not as it was acknowledged, or does not add up."""
    records = SqlExperiments(SqlLedger(url))
    rows = list(records.results("monsoon"))
    states = {(row["location_id"], row["valid_at"], row["variant_id"]): row["state"] for row in rows}
    found = [] if len(states) == len(rows) else ["a result is there twice"]
    for line in said:
        what, writer, number = line.split()
        for one in batch(int(writer), int(number))[0]:
            state = states.get((one.location_id, one.valid_at, one.variant_id))
            if state is None or (what == "outcomes" and state != "matured"):
                found.append(f"{line}: {state}")
    recount: Mapping[tuple[str, int], Any] = counted(
        [
            Matured(row["variant_id"], row["location_id"], row["valid_at"], row["probability"], None, row["happened"])
            for row in rows
            if row["state"] == "matured"
        ]
    )
    sums = {(variant, day): v for variant, days in records.sums("monsoon").items() for day, v in days.items()}
    if sums.keys() != recount.keys() or any(not np.array_equal(v, recount[key]) for key, v in sums.items()):
        found.append("the sums are not those of a recount")
    return found


def kills(kind: type[SqlExperiments], url: str, count: int, seed: int) -> dict[str, Any]:
    """Kill so many writers, two at a time, each at a random moment of its life; return what was found."""
    rng, said, broken = random.Random(seed), [], []  # noqa: S311 - chance for tests, seeded
    for pair in range(count // 2):
        writers = [forked(partial(write, kind, url, 2 * pair + i, range(10_000))) for i in range(2)]
        for process in writers:
            process.heard(1)
        for process in writers:
            time.sleep(rng.uniform(0, LIFE_S))
            process.kill()
        for process in writers:
            assert process.ended() == -9
            said += [line for line in process.lines if line != "open"]
        broken += wrong(url, said)
        if broken:
            break
    return {"acknowledged": len(said), "broken": broken}


def together(url: str) -> dict[str, Any]:
    """Let eight processes write at once; return what was found."""
    SqlLedger(url).engine.dispose()
    writers = [forked(partial(write, SqlExperiments, url, i, range(BATCHES))) for i in range(WRITERS)]
    codes = [process.ended() for process in writers]
    said = [line for process in writers for line in process.lines if line != "open"]
    units = SqlExperiments(SqlLedger(url)).counts("monsoon", STEPS["monsoon"])
    broken = wrong(url, said)
    return {
        "codes": codes,
        "acknowledged": len(said),
        "broken": broken,
        "units": {name: counts.units for name, counts in units.items()},
    }


def main(arguments: Sequence[str]) -> None:
    """Run everything, and print what was found."""
    urls, (count, seed) = arguments[:3], map(int, arguments[3:])
    found = {
        "together": together(urls[0]),
        "killed": kills(SqlExperiments, urls[1], count, seed),
        "torn": kills(Torn, urls[2], count, seed),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
