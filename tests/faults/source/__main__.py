"""Faults of the live source under the running program: who asks how often, and what reaches a number.

python -m tests.faults.source [--full] [--only GATE] [--out docs/RELIABILITY.md]
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from benchmarks.program import TOKEN, ask, served, settings
from tests.faults.api.answers_judged import PROBLEM
from tests.faults.broken_program import by, crowding, forgetful, retrying, unitless
from tests.faults.gates import Gate, Result, main
from tests.faults.source import server as fault
from tests.faults.source.mutations import REFUSED, REFUSED_BODIES, all_refused
from tests.faults.source.server import Document, SourceServer, Step, places_of, serving

REGION = "points-example"
CLIENTS = 100
#: How long a window of the source lasts that is tried to its end, and how long one of a minute is watched, seconds.
WINDOW_S, WATCHED_S = 4, 4
PLAIN = ("streamlit",)


def gate_of_stampede(folder: Path, full: bool) -> Result:
    """Let many ask at once where nothing is kept; without the locks."""
    found = [_most_calls(folder / f"plain{i}", PLAIN) for i in range(10 if full else 1)]
    control = _most_calls(folder / "crowding", by(crowding))
    wrong = [f"{calls} times the same call" for calls in found if calls != 1]
    text = f"{CLIENTS} clients where nothing is kept: at most {max(found)} call for the same hours, {len(found)} times"
    return Result(text, wrong, f"without locks {control} calls", control > 1)


def gate_of_windows(folder: Path, _full: bool) -> Result:
    """Ask on and on while the source has said wait, in each of its ways; a variant that goes on asking it."""
    found = _calls_in_windows(folder / "plain", PLAIN)
    control = sum(_calls_in_windows(folder / "retrying", by(retrying)).values())
    wrong = [f"{form}: {calls} calls" for form, calls in found.items() if calls]
    text = f"{len(found)} windows ({', '.join(found)}): {sum(found.values())} calls within them"
    return Result(text, wrong, f"a client that asks again {control} calls", control > 0)


def gate_of_chaos(folder: Path, full: bool) -> Result:
    """Let every refresh meet another fault; a variant that believes every unit."""
    steps = _steps(full)
    with _program(folder / "plain", by(forgetful)) as (address, source):
        trial = _Trial(address, source)
        wrong = [text for name, step in steps.items() for text in trial.wrong(name, step)]
        wrong += trial.recovered()
        beating = ask(f"{address}/api/health")["scheduler_heartbeat_age_s"]
        wrong += [f"the scheduler's heart stands still for {beating} s"] if beating is None or beating > 60 else []
    with _program(folder / "unitless", by(unitless)) as (address, source):
        control = _Trial(address, source).wrong("warmth in °F", fault.answer(_warmth_in_fahrenheit))
    text = f"{len(steps)} faults in a row: {len(wrong)} findings, and well again at once"
    return Result(text, wrong, f"without units: {'; '.join(control) or 'nothing found'}", bool(control))


GATES: dict[str, Gate] = {
    "source stampede": gate_of_stampede,
    "429 window": gate_of_windows,
    "source chaos": gate_of_chaos,
}


class _Trial:
    """One program and its source: what it answers when the source fails, beside what it said before."""

    def __init__(self, address: str, source: SourceServer) -> None:
        self.address, self.source = address, source
        source.steps = [fault.answer()]
        _forget(address)
        self.before = ask(f"{address}/api/forecasts")

    def wrong(self, name: str, step: Step) -> list[str]:
        """Return what is wrong with the answers while the source does this."""
        self.source.steps = [step]
        _forget(self.address)
        try:
            issue = ask(f"{self.address}/api/forecasts")
        except urllib.error.HTTPError as error:
            kind = error.headers.get("Content-Type", "")
            return [] if error.code == 503 and kind.startswith(PROBLEM) else [f"{name}: status {error.code}, {kind}"]
        marked = any("source" in text for text in issue["problems"])
        same_hour = issue["valid_from"] == self.before["valid_from"]
        changed = same_hour and _numbers(issue) not in (_numbers(self.before), _none(issue))
        known = issue["freshness"] == "no_data" or issue["data_age_s"] is not None
        return [
            f"{name}: {text}"
            for text, holds in (
                ("no mark", marked),
                ("no age", known),
                ("another number", not changed),
            )
            if not holds
        ]

    def recovered(self) -> list[str]:
        """Return what is wrong when the source is well again."""
        self.source.steps = [fault.answer()]
        _forget(self.address)
        issue = ask(f"{self.address}/api/forecasts")
        return [f"still: {text}" for text in issue["problems"]]


def _numbers(issue: Mapping[str, Any]) -> list[Any]:
    """Return level and probability of every place."""
    return [
        (one["level"], None if one["exceedance"] is None else round(one["exceedance"]["p_15"]["probability"] or 0, 4))
        for one in issue["forecasts"]
    ]


def _none(issue: Mapping[str, Any]) -> list[Any]:
    return [("unknown", None) for _ in issue["forecasts"]]


def _steps(full: bool) -> dict[str, Step]:
    """Return the faults by name; each that takes a deadline of ten seconds once, but in the full run."""
    found: dict[str, Step] = {f"status {status}": fault.failure(status) for status in (403, 404, 500, 502, 503)}
    found |= {f"cut, length {said}": fault.cut(with_length=said) for said in (True, False)}
    found |= {"gzip bomb": fault.bomb(), "redirect": fault.failure(302, None, {"Location": "http://127.0.0.1:1"})}
    found |= {f"body: {name}": fault.text(change) for name, change in REFUSED_BODIES.items()}
    mutations = REFUSED if not full else dict(all_refused(fault.good(_params())))
    found |= {name: fault.answer(mutation) for name, mutation in mutations.items()}
    found |= {"°F": fault.answer(_warmth_in_fahrenheit), "drip": fault.drip()}
    return found | ({"silence": fault.silence(), "slow headers": fault.drip(headers=True)} if full else {})


def _params() -> dict[str, str]:
    hourly = ",".join(fault.MEANS)
    day = "2026-07-29"
    return {"latitude": "30,31", "longitude": "78,79", "hourly": hourly, "start_date": day, "end_date": day}


def _warmth_in_fahrenheit(document: Document) -> Document:
    for place in places_of(document):
        for name in ("temperature_2m", "dew_point_2m"):
            if name in place["hourly"]:
                place["hourly_units"][name] = "°F"
                place["hourly"][name] = [round(1.8 * value + 32, 1) for value in place["hourly"][name]]
    return document


def _most_calls(home: Path, way: tuple[str, ...]) -> int:
    """Return how often the most frequent call was made when many asked at once where nothing was kept."""
    with _program(home, way, fault.failure(404)) as (address, source):
        _quietly(address)
        source.steps = [_slowly(fault.answer())]
        source.asked.clear()
        _forget(address)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda _: _quietly(address), range(CLIENTS)))
        asked = [json.dumps(one.params, sort_keys=True) for one in source.asked]
        return max((asked.count(one) for one in asked), default=0)


def _calls_in_windows(home: Path, way: tuple[str, ...]) -> dict[str, int]:
    """Return the calls within each window, by the form in which the source named it."""
    found = {}
    with _program(home, way, fault.failure(404)) as (address, source):
        for form in ("seconds", "date", "reason"):
            ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=WINDOW_S + 1)
            said = {"seconds": str(WINDOW_S), "date": format_datetime(ends_at, usegmt=True)}.get(form)
            source.steps = [fault.limited("minutely", None if said is None else {"Retry-After": said})]
            source.asked.clear()
            until = time.monotonic() + 2 * WINDOW_S
            while not source.asked and time.monotonic() < until:
                _forget(address)
                _quietly(address)
            if not source.asked:
                found[form] = -1  # nobody asked: that proves nothing
                continue
            first = source.asked[0].at
            left = ends_at.timestamp() - (time.time() - (time.monotonic() - first)) if form == "date" else WATCHED_S
            while time.monotonic() < first + left:
                _forget(address)
                _quietly(address)
            found[form] = sum(one.at < first + left for one in source.asked[1:])
            time.sleep(1.0)
    return found


def _slowly(step: Step) -> Step:
    return lambda handler, params: (time.sleep(0.3), step(handler, params))[1]


def _quietly(address: str) -> None:
    with suppress(urllib.error.HTTPError):
        ask(f"{address}/api/forecasts")


def _forget(address: str) -> None:
    """Let the next who asks have everything made anew."""
    ask(f"{address}/api/monitoring/cache/clear", {})


@contextmanager
def _program(home: Path, way: tuple[str, ...], step: Step | None = None) -> Iterator[tuple[str, SourceServer]]:
    home.mkdir(parents=True)
    with serving(step or fault.answer()) as source:
        environment = settings(
            HOME=home,
            SOURCE="open-meteo:",
            OPEN_METEO_URL=source.url,
            REGION=REGION,
            ADMIN_TOKEN=TOKEN,
            PREDICT_PER_MINUTE=0,
            SIMULATED_HISTORY_DAYS=0,
            LOG_LEVEL="WARNING",
        )
        with served(environment, home / "server.log", way) as address:
            yield address, source


if __name__ == "__main__":
    sys.exit(main("tests.faults.source", GATES))
