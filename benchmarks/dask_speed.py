"""Hindcast, features, and cross-validation with training: in one process, with one worker of Dask and with two.

python -m benchmarks.dask_speed [--gauges DIR] [--model logistic_regression] [--from DATE] [--to DATE]

Each in one thread a process (`make bench-dask` sees to it for this one). Prints seconds, how many times as fast as one
process, and whether the results are the same bit for bit. Exits 1 where they are not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from core.adapters.dask_workers import DaskWorkers
from core.adapters.gauges.folder import GaugeFolder
from core.bootstrap import open_core
from core.domain.forecast import WINDOWS
from core.domain.learning import TrainingRequest
from core.ports import ALONE, Workers, silent
from core.quality.checks import check
from core.settings import Settings
from core.workflows.gathering import Gathered, gather
from core.workflows.hindcasting import Hindcasting
from core.workflows.learned import learned

SHARED = Path(__file__).resolve().parents[2] / "shared"


class Always(DaskWorkers):
    """Work is shared however little it is, and with one worker too."""

    def each(self, work: Any, shared: Any, parts: Sequence[Any], effort_s: float) -> Any:  # noqa: ARG002
        """Yield the result of every part."""
        return self._each(work, shared, parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=SHARED / "data" / "gauges")
    parser.add_argument("--model", default="logistic_regression")
    parser.add_argument("--from", dest="begin", type=datetime.fromisoformat, default=datetime(2022, 1, 1, tzinfo=UTC))
    parser.add_argument("--to", dest="end", type=datetime.fromisoformat, default=datetime(2022, 3, 31, tzinfo=UTC))
    args = parser.parse_args(arguments)
    period = args.begin.replace(tzinfo=UTC), args.end.replace(tzinfo=UTC) + timedelta(hours=23)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {len(os.sched_getaffinity(0))} cores, {args.model}, {period[0]:%F}")
    source = GaugeFolder(args.gauges)
    source.hours(source.regions()[0], *period)  # read and checked once: disk and compiler are warm for all
    request = TrainingRequest(args.model)
    with tempfile.TemporaryDirectory() as home:
        house = open_core(Settings(home=Path(home), dask="none:"))
        tasks: dict[str, Callable[[Workers], Any]] = {
            "hindcast": lambda workers: _hindcast(house.hindcasting, source, period, workers),
            "features": lambda workers: gather(source, period, WINDOWS, check, silent, workers=workers),
        }
        cases = _measured("features", tasks["features"], _same_cases)
        tasks["training"] = lambda workers: learned(cases[1], request, silent, workers)
        well = [cases[0], _measured("hindcast", tasks["hindcast"], _same_rows)[0]]
        well.append(_measured("training", tasks["training"], _same_models)[0])
    return 0 if all(well) else 1


def _measured(what: str, task: Callable[[Workers], Any], same: Callable[[Any, Any], bool]) -> tuple[bool, Any]:
    """Print the seconds of a task done by all; return whether all results are the same, and that of one process."""
    first, well, once_s = None, True, 0.0
    for name, count in (("one process", 0), ("1 worker", 1), ("2 workers", 2)):
        begun = time.perf_counter()
        if count:
            with Always(count=count) as workers:
                list(workers.each(_ready, None, range(4 * count), 0.0))  # all know the libraries
                there_s = time.perf_counter() - begun
                begun = time.perf_counter()
                result = task(workers)
                seconds = time.perf_counter() - begun
        else:
            result, there_s = task(ALONE), 0.0
            seconds = once_s = time.perf_counter() - begun
        equal = first is None or same(first, result)
        first = result if first is None else first
        well = well and equal
        start = f", started in {there_s:.1f} s" if count else ""
        told = f"{seconds:.1f} s, {once_s / seconds:.2f} times as fast, same result: {'yes' if equal else 'NO'}"
        print(f"{what}, {name}: {told}{start} (load {os.getloadavg()[0]:.1f})", flush=True)
    return well, first


def _ready(_: None, __: int) -> None:
    """Do nothing, once a worker is there and knows this program; long enough for the others to take a part too."""
    time.sleep(0.2)


def _hindcast(hindcasting: Hindcasting, source: GaugeFolder, period: Any, workers: Workers) -> list[Any]:
    return list(replace(hindcasting, workers=workers).run(source, period))


def _same_cases(one: Gathered, other: Gathered) -> bool:
    names = ("rows", "truth_mm", "hour", "place")
    return all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=n[0] in "rt") for n in names)


def _same_rows(one: list[Any], other: list[Any]) -> bool:
    pairs = list(zip(one, other, strict=True))
    same = all(np.array_equal(a.probability, b.probability) and list(a.level) == list(b.level) for a, b in pairs)
    return same and all(np.array_equal(a.issued_at, b.issued_at) for a, b in pairs)


def _same_models(one: Any, other: Any) -> bool:
    curves = [(one[0].curves[w], other[0].curves[w]) for w in one[0].curves]
    return one[1] == other[1] and all(
        np.array_equal(a.central, b.central) and np.array_equal(a.draws, b.draws) for a, b in curves
    )


if __name__ == "__main__":
    sys.exit(main())
