"""How fast experiments record and are analysed, and whether anything is lost when several write at once.

python -m benchmarks.experiment_scale [--results 1000000] [--writers 8]

Records a million results in batches through the front door, durable when a call returns, joins their outcomes, and
analyses; then results one by one, and from several processes at once. Beside it stands the same table filled by plain
sqlite3, without checks. Ends with 1 where a goal is missed: 5,000 results/s in batches, 300/s one by one, an analysis
of 1 s, none lost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from core import ABTestingFramework, CaseOutcome, ExperimentResult, ModelVariant, open_core
from core.bootstrap import Core
from core.settings import Settings

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
PLACES, BATCH, NAME = 500, 10_000, "scale"
#: Goals: results a second in batches and one by one, and seconds of an analysis.
LEAST_BATCHED, LEAST_SINGLE, MOST_S = 5_000, 300, 1.0
SINGLE_S, EACH = 5.0, 2_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiment_scale", description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=8)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        core = house(Path(name))
        framework = ABTestingFramework(core)
        for experiment in (NAME, "single", "several"):
            framework.create_experiment(experiment, [ModelVariant("a"), ModelVariant("b")])
        batched = _batches(framework, args.results)
        peer = _plain(Path(name) / "plain.sqlite", min(args.results, 200_000))
        print(
            f"in batches of {BATCH:,}: {batched:,.0f} results/s; plain sqlite3 {peer / batched:.1f} times as many",
            flush=True,
        )
        begun = time.perf_counter()
        matured = sum(framework.update_actual_outcomes(NAME, some) for some in _outcomes(args.results))
        print(f"outcomes joined: {matured / (time.perf_counter() - begun):,.0f} results/s")
        framework.analyze_experiment("single")  # libraries are loaded once
        begun = time.perf_counter()
        found = framework.analyze_experiment(NAME)
        seconds = time.perf_counter() - begun
        print(f"analysis of {matured:,} results: {seconds:.2f} s ({found['status']}: {found['text']})", flush=True)
        single = _single(framework)
        print(f"one by one: {single:,.0f} results/s")
        kept = _several(core, Path(name), args.writers)
        print(f"{args.writers} writers at once: {kept:,} of {args.writers * EACH:,} kept")
    well = batched >= LEAST_BATCHED and single >= LEAST_SINGLE and seconds <= MOST_S
    return 0 if well and kept == args.writers * EACH and matured == args.results else 1


def house(home: Path) -> Core:
    """Return a house of its own in a folder."""
    return open_core(Settings(home=home, grid_spacing_deg=1.0, simulated_history_days=0))


def _case(number: int) -> tuple[str, datetime]:
    return f"s{number % PLACES}", BEGIN + timedelta(hours=number // PLACES)


def _results(experiment: str, first: int, count: int) -> list[ExperimentResult]:
    """Return results of both variants, `count` of them from case `first` on."""
    rng = np.random.default_rng(first)
    said = rng.beta(0.4, 20, count).tolist()
    return [
        ExperimentResult(
            experiment, "ab"[i % 2], p, *_case(first + i // 2), shown=i % 2 == (first + i // 2) % 2, latency_ms=2.0 + p
        )
        for i, p in enumerate(said)
    ]


def _batches(framework: ABTestingFramework, count: int) -> float:
    """Record results in batches; return how many a second."""
    batches = [_results(NAME, first // 2, BATCH) for first in range(0, count, BATCH)]
    begun = time.perf_counter()
    kept = sum(framework.record_results(batch) for batch in batches)
    return kept / (time.perf_counter() - begun)


def _outcomes(count: int) -> Iterator[list[CaseOutcome]]:
    rng = np.random.default_rng(0)
    for first in range(0, count // 2, BATCH):
        happened = rng.random(BATCH) < 0.02
        numbers = range(first, min(first + BATCH, count // 2))
        yield [CaseOutcome(*_case(n), happened=bool(y)) for n, y in zip(numbers, happened, strict=False)]


def _plain(file: Path, count: int) -> float:
    """Fill a table of the same columns and keys without any check; return rows a second."""
    rows = [
        (i, r.experiment_id, r.valid_at.isoformat(), r.location_id, r.variant_id, r.prediction, r.latency_ms, r.shown)
        for i, r in enumerate(_results(NAME, 0, count))
    ]
    with sqlite3.connect(file, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE r (id INTEGER PRIMARY KEY, e, v, l, a, p, ms, s, UNIQUE (e, v, l, a))")
        begun = time.perf_counter()
        for first in range(0, count, BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows[first : first + BATCH])
            connection.execute("COMMIT")
        return count / (time.perf_counter() - begun)


def _single(framework: ABTestingFramework) -> float:
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < SINGLE_S:
        count += framework.record_result(_results("single", count, 1)[0])
    return count / (time.perf_counter() - begun)


def _several(core: Core, home: Path, writers: int) -> int:
    """Let processes write at once; return how many results there are afterwards."""
    with multiprocessing.get_context("spawn").Pool(writers) as pool:
        pool.starmap(_written, [(home, number) for number in range(writers)])
    return sum(1 for _ in core.experiments.records.results("several"))


def _written(home: Path, number: int) -> None:
    """Write one process's part."""
    framework = ABTestingFramework(house(home))
    results = _results("several", number * EACH, EACH)
    for first in range(0, EACH, 50):
        framework.record_results(results[first : first + 50])


if __name__ == "__main__":
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    sys.exit(main())
