"""An hour in which 25 days go by: forecasts, truths, trainings, drift, experiments and exports, counted from outside.

The program runs with its clocks 600 times as fast (`benchmarks.fast_clock`), with simulated weather and a first start
that makes three months of history. A witness asks the API what it forecasts as often as it can; three dashboards are
open. At the end the program is stopped and its ledger held against what the witness saw, the rain that the simulator
makes again, the log, the files of the model store and a second reader of the reports (`benchmarks.soak_tally`), and
memory, file handles, threads and the size of the home are looked at for what grows without bound. As the control one
number of the ledger is removed, one truth changed, one training removed, and a leak of half a megabyte with every look,
and one that shows at peaks alone: each must be found.

python -m benchmarks.soak [--minutes 60] [--speed 600] [--out docs/RELIABILITY.md]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.load_pages import Habit, Seen, opened
from benchmarks.program import held_mb, process_of, served, settings
from benchmarks.soak_tally import Tally, Witness, ended, read_again, tally
from tests.faults.gates import Result, judged

#: Seconds between two questions of the witness, and two looks at what the process holds.
ASK_S, LOOK_S = 0.25, 5.0
#: With every so many looks the program is asked for its metrics.
LOOKS = 12
#: Refreshes, drift, reports and trainings, so that each comes often in 25 days; hours of the fast clock. It begins with
#: as much history as drift is judged by.
PLAN = {
    "REFRESH_MINUTES": 30, "DRIFT_EVERY_HOURS": 12, "REPORT_EVERY_HOURS": 12, "REPORT_KEEP_DAYS": 4,
    "RETRAIN_EVERY_DAYS": 3, "SIMULATED_HISTORY_DAYS": 95, "LOG_LEVEL": "INFO", "PREDICT_PER_MINUTE": 0,
}  # fmt: skip
#: The pages look back on a week, which is full of hourly forecasts after 17 minutes: a month, which they are asked for
#: else, would fill up until after the end (the history has a forecast every six hours), and what fills has a bound.
QUERY = "issued=7+days&days=7"
#: A training may take as long as ever, by a clock that runs fast.
TRAINING_MINUTES = 60
#: The last quarter of the time may hold so much more than the second, and one that leaks so many megabytes a look. Of
#: memory the lowest tenth of the looks counts: jobs that take a hundredth of an hour take all of it here, so that the
#: mean says how busy the program is, and grows with the month that reports read; what leaks is held between them too.
#: Means may grow by a quarter: a job that reads more and more holds it at its peaks alone.
GROWTH, LEAK_MB, LOW, MEAN_GROWTH = 0.10, 0.5, 0.1, 0.25
#: What is kept by design grows evenly: the last quarter may add so many times what the second one did, and 5 MB.
FASTER = 1.5
CONTROLS = (
    # Two issues of an hour may say the same: the number goes with both.
    "delete from forecasts where shown and begin_h = 0 and window_h = 6 and (valid_from, location_id) = (select"
    " valid_from, location_id from forecasts where shown and p_15 is not null order by valid_from desc limit 1 offset"
    " 1000)",
    "update outcomes set hourly_mm = hourly_mm + 1 where id = (select max(id) from outcomes where state = 'known')",
    # Runs of the history have the number of the first start, with a stroke.
    "delete from runs where id = (select id from runs where kind = 'retrain' and detail ->> 'run_id' not like '%-%'"
    " order by id limit 1)",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was counted; return 1 where counts disagree or something grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--speed", type=float, default=600)
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        plan = PLAN | {"HOME": home, "RETRAIN_MINUTES": TRAINING_MINUTES * args.speed}
        by = ("benchmarks.fast_clock", f"{args.speed:g}")
        environment = settings(**plan) | {"STREAMLIT_SERVER_WEBSOCKET_PING_INTERVAL": f"{30 * args.speed:.0f}"}
        with served(environment, Path(name) / "log", by=by) as address:
            seen, pages = _lived(address, home, 60 * args.minutes)
        return 0 if judged("soak", lambda: _result(home, seen, pages), args.out) else 1


def _lived(address: str, home: Path, seconds: float) -> tuple[Witness, Seen]:
    """Watch the program for so long."""
    seen, pages = Witness(), Seen()

    def dashboards() -> None:
        nonlocal pages
        pages = asyncio.run(opened(address, 3, Habit(3, seconds - 3, 20, query=QUERY)))

    looking = threading.Thread(target=dashboards)
    looking.start()
    process, begun, look = process_of(address), time.monotonic(), 0.0
    # A connection that is kept ends by the fast clock, which is at once.
    with httpx.Client(base_url=f"{address}/api", timeout=30, headers={"Connection": "close"}) as client:
        while (now := time.monotonic() - begun) < seconds:
            _asked(client, seen)
            if now >= look:
                if not len(seen.held_mb) % LOOKS:
                    _metrics(client, seen)
                _looked(process, home, seen)
                look = now + LOOK_S
            time.sleep(ASK_S)
        _metrics(client, seen)
    looking.join()
    return seen, pages


def _asked(client: httpx.Client, seen: Witness) -> None:
    answer = _got(client, "/forecasts", seen)
    if answer is None:
        return
    issue = answer.json()
    key = issue["valid_from"], issue["issued_at"]
    if key not in seen.issues:
        known = {f["location_id"]: f["exceedance"]["p_15"]["probability"] for f in issue["forecasts"]}
        seen.issues[key] = {place: p for place, p in known.items() if p is not None}


def _metrics(client: httpx.Client, seen: Witness) -> None:
    answer = _got(client, "/metrics", seen)
    if answer is not None:
        seen.metrics.append(answer.text)


def _got(client: httpx.Client, path: str, seen: Witness) -> httpx.Response | None:
    """Ask; whatever comes instead of an answer is an error of the hour, which goes on."""
    try:
        return client.get(path).raise_for_status()
    except httpx.HTTPError as error:
        seen.errors.append(f"{type(error).__name__}: {str(error)[:150]}")
        return None


def _looked(process: int, home: Path, seen: Witness) -> None:
    of = Path(f"/proc/{process}")
    seen.held_mb.append(held_mb(process))
    seen.handles.append(len(list(of.joinpath("fd").iterdir())))
    seen.threads.append(len(list(of.joinpath("task").iterdir())))
    seen.home_mb.append(_size_mb(home))


def _size_mb(home: Path) -> float:
    size = 0
    for path in home.rglob("*"):
        try:
            size += path.stat().st_size
        except OSError:  # gone meanwhile
            continue
    return size / 1e6


def _result(home: Path, seen: Witness, pages: Seen) -> Result:
    found, jobs, reports = tally(home, seen), ended(seen.metrics), read_again(home)
    caught = [bool(set(_broken(home, seen, change).wrong) - set(found.wrong)) for change in CONTROLS]
    leaking = [
        replace(seen, held_mb=[mb + LEAK_MB * look * times[look % 2] for look, mb in enumerate(seen.held_mb)])
        for times in ((1, 1), (0, 2))
    ]
    leaks = sum(len(_grown(one)) > len(_grown(seen)) for one in leaking)
    growth = " to ".join(f"{value:.0f}" for value in _second_and_last(seen.held_mb, _low))
    means = ", ".join(f"{statistics.fmean(part):.0f}" for part in _parts(seen.held_mb))
    sizes = ", ".join(f"{mb:.0f}" for mb in _at_quarters(seen.home_mb))
    held = (
        f"{len(pages.drawn_s):,} draws of pages, {len(pages.errors)} errors; memory at its lowest {growth} MB (means of"
        f" quarters {means}, most {max(seen.held_mb):.0f}), {seen.handles[-1]} handles, {seen.threads[-1]} threads;"
        f" home by quarters {sizes} MB"
    )
    failed = [*pages.errors, *(f"leaked {one}" for one in pages.leaks), *seen.errors[:3]]
    if pages.told < len(pages.opened_s):
        failed.append(f"only {pages.told} of {len(pages.opened_s)} pages were shown their own token")
    return Result(
        "; ".join([*found.texts, *jobs.texts, *reports.texts, held]),
        [*found.wrong, *jobs.wrong, *reports.wrong, *_grown(seen), *failed],
        f"{sum(caught)} of {len(CONTROLS)} spoiled ledgers and {leaks} of {len(leaking)} leaks found",
        all(caught) and leaks == len(leaking),
    )


def _grown(seen: Witness) -> list[str]:
    """Return what grew as if it had no bound."""
    found = [
        f"{what} grew: {first:.0f} in the second quarter, {last:.0f} in the last"
        for what, (first, last), room in (
            ("memory (MB)", _second_and_last(seen.held_mb, _low), GROWTH),
            ("memory, means (MB)", _second_and_last(seen.held_mb), MEAN_GROWTH),
            ("file handles", _second_and_last(seen.handles), 0.2),
            ("threads", _second_and_last(seen.threads), 0.2),
        )
        if last > (1 + room) * first + 1
    ]  # fmt: skip
    first, second, third, last = _at_quarters(seen.home_mb)
    if last - third > FASTER * (second - first) + 5:
        found.append(f"the home grew by {second - first:.0f} MB in the second quarter, {last - third:.0f} in the last")
    return found


def _at_quarters(values: Sequence[float]) -> list[float]:
    return [values[len(values) * i // 4 - 1] for i in (1, 2, 3, 4)]


def _parts(values: Sequence[float]) -> list[Sequence[float]]:
    return [values[len(values) * i // 4 : len(values) * (i + 1) // 4] for i in range(4)]


def _second_and_last(
    values: Sequence[float], of: Callable[[Sequence[float]], float] = statistics.fmean
) -> tuple[float, float]:
    """Return something of the second and of the last quarter: the first fills caches."""
    _, second, _, last = _parts(values)
    return of(second), of(last)


def _low(values: Sequence[float]) -> float:
    return sorted(values)[int(LOW * len(values))]


def _broken(home: Path, seen: Witness, change: str) -> Tally:
    """Return what is found after one change of the ledger."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "home"
        shutil.copytree(home, copy)
        with sqlite3.connect(copy / "data" / "ledger.sqlite") as ledger:
            ledger.execute(change)
        ledger.close()
        return tally(copy, seen)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
