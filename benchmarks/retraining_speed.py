"""Retraining beside serving: a year of 119 stations is learned from while pages are drawn and forecasts are asked for.

python -m benchmarks.retraining_speed [--gauges DIR] [--model random_forest]

Starts the program as a user would, on real gauges of which a year is moved to end now. While a training runs, a page
is drawn again and again over its websocket and forecasts are asked for over HTTP; then versions are exchanged twenty
times under the same load. Prints times, memory, and the page's times with and without a training in the same run.
Exits 1 where a goal is missed: 5 minutes, 6 GB, page p95 below 1 s, no failed request.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.page_sessions import PageSession
from benchmarks.program import ROOT, TOKEN, ask, served, settings

SHARED = ROOT.parent / "shared"
GIGABYTE = 1024**3
#: Goals: seconds, gigabytes, seconds of a page.
MOST_S, MOST_GB, MOST_PAGE_S = 300.0, 6.0, 1.0
#: Years in which all stations report.
YEARS = (2021, 2022)
DAYS, QUIET_S, SWAPS = 365, 30.0, 20


class Load:
    """Somebody who asks again and again, and counts: seconds of every answer, and what failed."""

    def __init__(self, ask: Any, pause_s: float) -> None:
        self.seconds: list[tuple[float, float]] = []
        self.failures: list[str] = []
        self._ask, self._pause_s = ask, pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=180)

    def _run(self) -> None:
        while not self._stop.is_set():
            begun = time.perf_counter()
            try:
                self._ask()
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}"[:200])
            else:
                self.seconds.append((begun, time.perf_counter() - begun))
            self._stop.wait(self._pause_s)

    def between(self, begin: float, end: float) -> np.ndarray:
        """Return the seconds of what was asked in a time."""
        return np.array([s for at, s in self.seconds if begin <= at <= end])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retraining_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=SHARED / "data" / "gauges")
    parser.add_argument("--model", default="random_forest")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "gauges"
        rows = moved(args.gauges, folder)
        environment = settings(
            HOME=Path(name) / "home", SOURCE=f"gauges:{folder}", RETRAIN_MEMORY_GB=MOST_GB, ADMIN_TOKEN=TOKEN
        )
        begun = time.perf_counter()
        command = [sys.executable, "-m", "core", "ingest", "gauges", str(folder)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603
        print(f"archive: {rows:,} station-hours stored in {time.perf_counter() - begun:.0f} s", flush=True)
        with served(environment, Path(name) / "server.log") as address:
            return _measure(address, args.model)


def moved(gauges: Path, folder: Path) -> int:
    """Write a year of a folder of gauges so that it ends now; return the number of rows."""
    frame = pd.concat([pd.read_parquet(gauges / f"hourly_{year}.parquet") for year in YEARS])
    moments = pd.to_datetime(frame["valid_at"], utc=True)
    now = pd.Timestamp.now(UTC).floor("h")
    years = now.year - moments.max().year
    shifted = moments + pd.Timedelta(days=round(365.25 * years))
    frame = frame.assign(valid_at=shifted)[(shifted > now - timedelta(days=DAYS + 20)) & (shifted <= now)]
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "hourly.parquet", index=False)
    (folder / "stations.csv").write_bytes((gauges / "stations.csv").read_bytes())
    return len(frame)


def _measure(address: str, model: str) -> int:
    with PageSession(address, "") as page:
        page.rerun()
        pages, answers = Load(page.rerun, 0.5), Load(lambda: ask(f"{address}/api/forecasts"), 0.1)
        with pages, answers:
            quiet = time.perf_counter()
            time.sleep(QUIET_S)
            begun = time.perf_counter()
            state, memory_gb = _trained(address, model)
            ended = time.perf_counter()
            swaps = _swapped(address)
    _times("page without a training", pages.between(quiet, begun))
    beside = _times("page beside the training", pages.between(begun, ended))
    _times("forecasts without a training", answers.between(quiet, begun))
    _times("forecasts beside the training", answers.between(begun, ended))
    seconds = ended - begun
    cases = state["metrics"].get("cases", 0)
    print(f"training: {state['status']}, {cases:,} cases in {seconds:.0f} s, at most {memory_gb:.2f} GB")
    print(*(f"  {reason}" for reason in state["reasons"]), sep="\n")
    print(f"swaps: {swaps} under load; failed requests: {len(answers.failures)} of {len(answers.seconds)}")
    print(*sorted(set(answers.failures + pages.failures))[:5], sep="\n")
    well = state["status"] in ("deployed", "kept") and seconds <= MOST_S and memory_gb <= MOST_GB
    return 0 if well and beside < MOST_PAGE_S and not answers.failures and not pages.failures else 1


def _trained(address: str, model: str) -> tuple[dict[str, Any], float]:
    """Train over HTTP; return how it ended and the highest memory of its process, GB."""
    state = ask(f"{address}/api/admin/retrain", {"model_type": model, "days_back": DAYS, "why": "benchmark"})
    most = 0.0
    while state["status"] == "running":
        most = max(most, _peak_gb())
        time.sleep(0.5)
        state = ask(f"{address}/api/admin/retrain/{state['run_id']}")
    return state, most


def _peak_gb() -> float:
    """Return the highest memory that any training process of this machine's user has had, GB."""
    most = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if "core.commands.work" in (status.parent / "cmdline").read_text():
                text = status.read_text()
                most = max(most, int(text.partition("VmHWM:")[2].split()[0]) * 1024)
        except (OSError, IndexError, ValueError):
            continue
    return most / GIGABYTE


def _swapped(address: str) -> int:
    """Let the two newest versions serve in turn; return how often."""
    history = ask(f"{address}/api/admin/model/history")
    names = [v["version"] for v in history["versions"] if not v["refused"]][:2]
    for number in range(SWAPS):
        wanted = next(v for v in names if v != ask(f"{address}/api/admin/model/history")["champion"] or number == 0)
        try:
            ask(f"{address}/api/admin/model/{wanted}/promote", {"why": "benchmark"})
        except urllib.error.HTTPError as error:
            if error.code != 409:  # it serves already
                raise
        time.sleep(0.5)
    return SWAPS


def _times(what: str, seconds: np.ndarray) -> float:
    if not len(seconds):
        print(f"{what}: nothing asked")
        return float("inf")
    p50, p95 = np.percentile(seconds, (50, 95))
    print(f"{what}: {len(seconds)} times, median {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")
    return float(p95)


if __name__ == "__main__":
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    sys.exit(main())
