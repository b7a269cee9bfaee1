"""Faults of the live source under the running program: who asks how often, and what reaches a number.

python -m tests.faults.source [--full] [--only GATE] [--out docs/RELIABILITY.md]
"""

from __future__ import annotations

import json
import math
import sys
import time
import urllib.error
import urllib.request
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
from tests.faults.programs import until
from tests.faults.source import server as fault
from tests.faults.source.mutations import REFUSED, REFUSED_BODIES, all_refused
from tests.faults.source.server import Document, SourceServer, Step, places_of, serving

REGION = "points-example"
CLIENTS = 100
#: Windows by the form in which the source names them: the limit that it says is reached, and how long it must not be
#: asked then, seconds. Each is watched to its end; that of a minute takes too long for CI.
WINDOWS = {"seconds": ("minutely", 4), "date": ("minutely", 4), "reason": ("concurrent", 5)}
FULL_WINDOWS = WINDOWS | {"reason of a minute": ("minutely", 60)}
#: Who asks on and on reaches the source within so long where it may be asked, seconds; else nobody does.
REACHED_S, NOBODY = 10, -1
#: Stands in the metrics once the first refresh has ended.
REFRESHED = 'cloudburst_job_last_end_timestamp_seconds{name="refresh"}'
PLAIN = ("streamlit",)


def gate_of_stampede(folder: Path, full: bool) -> Result:
    """Let many ask at once where nothing is kept; without the locks."""
    found = [_most_calls(folder / f"plain{i}", PLAIN) for i in range(10 if full else 1)]
    control = _most_calls(folder / "crowding", by(crowding))
    wrong = [f"{calls} times the same call" for calls in found if calls != 1]
    text = f"{CLIENTS} clients where nothing is kept: at most {max(found)} call for the same hours, {len(found)} times"
    return Result(text, wrong, f"without locks {control} calls", control > 1)


def gate_of_windows(folder: Path, full: bool) -> Result:
    """Ask on and on while the source has said wait, in each of its ways; a variant that goes on asking it."""
    found = _calls_in_windows(folder / "plain", PLAIN, FULL_WINDOWS if full else WINDOWS)
    (control,) = _calls_in_windows(folder / "retrying", by(retrying), {"seconds": WINDOWS["seconds"]}).values()
    wrong = [f"{form}: {calls} calls" for form, calls in found.items() if calls > 0]
    wrong += [f"{form}: nobody asks before it, or after it" for form, calls in found.items() if calls == NOBODY]
    text = f"{len(found)} windows ({', '.join(found)}) watched to their ends: {sum(found.values())} calls within them"
    return Result(text, wrong, f"a client that asks again {control} calls", control > 0)


def gate_of_chaos(folder: Path, full: bool) -> Result:
    """Let every refresh meet another fault; a variant that believes every unit."""
    steps = _steps(full)
    with _program(folder / "plain", by(forgetful)) as (address, source):
        trial = _Trial(address, source)
        trial.learn()
        _refreshed(address)
        wrong = [text for name, step in steps.items() for text in trial.wrong(name, step)]
        wrong += [f"still: {text}" for text in trial.learn()]
        wrong += trial.unknown("all values x1000", fault.answer(_thousandfold))
        beating = ask(f"{address}/api/health")["scheduler_heartbeat_age_s"]
        wrong += [f"the scheduler's heart stands still for {beating} s"] if beating is None or beating > 60 else []
    with _program(folder / "unitless", by(unitless), fault.failure(404)) as (address, source):
        _refreshed(address)
        other = _Trial(address, source)
        wrong += other.wrong("nothing known yet", fault.failure(404))
        other.learn()
        control = other.wrong("warmth in °F", fault.answer(_warmth_in_fahrenheit))
    text = (
        f"{len(steps)} faults in a row: {trial.stood_in} times the last good issue with its age, {trial.refused} times"
        f" none; {len(wrong)} findings, and well again at once"
    )
    return Result(text, wrong, f"without units: {'; '.join(control) or 'nothing found'}", bool(control))


GATES: dict[str, Gate] = {
    "source stampede": gate_of_stampede,
    "429 window": gate_of_windows,
    "source chaos": gate_of_chaos,
}


class _Trial:
    """One program and its source: what it answers when the source fails, beside what it says when that is well."""

    def __init__(self, address: str, source: SourceServer) -> None:
        self.address, self.source = address, source
        #: What was said of each hour from what the source says when it is well; when last, and of when the data were.
        self.said: dict[str, list[Any]] = {}
        self.learnt_at, self.data_at = datetime.now(UTC), ""
        self.stood_in = self.refused = 0

    def learn(self) -> list[str]:
        """Let the source be well and keep what is said then; return what is said to be wrong all the same."""
        self.learnt_at = datetime.now(UTC)
        issue = self._issue(fault.answer())
        self.said[issue["valid_from"]], self.data_at = _numbers(issue), issue["data_at"]
        return list(issue["problems"])

    def wrong(self, name: str, step: Step) -> list[str]:
        """Return what is wrong with the answers while the source does this: what was known last must stand in."""
        if self.said and datetime.now(UTC).hour != self.learnt_at.hour:
            self.learn()
        try:
            issue = self._issue(step)
        except urllib.error.HTTPError as error:
            self.refused += 1
            kind = error.headers.get("Content-Type", "")
            right = error.code == 503 and kind.startswith(PROBLEM) and not self.said
            stored = "the last good issue could stand in" if self.said else "nothing is known"
            return [] if right else [f"{name}: status {error.code}, {kind}, where {stored}"]
        self.stood_in += 1
        holds = {
            "no mark": any("source" in text for text in issue["problems"]),
            "no age": issue["data_age_s"] is not None,
            "younger than it was": not self.said or issue["data_at"] <= self.data_at,
            "another number": _numbers(issue) == self.said.get(issue["valid_from"]),
        }
        return [f"{name}: {text}" for text, well in holds.items() if not well]

    def unknown(self, name: str, step: Step) -> list[str]:
        """Return what is wrong while the source says, in due form, what cannot be: no number, and a word about it."""
        issue = self._issue(step)
        known = [number for number in _numbers(issue) if number != (False, None)]
        return [f"{name}: {len(known)} numbers"] * bool(known) + [f"{name}: no mark"] * (not issue["problems"])

    def _issue(self, step: Step) -> Any:
        """Return what is answered where everything is made anew while the source does this."""
        self.source.steps = [step]
        _forget(self.address)
        return ask(f"{self.address}/api/forecasts")


def _numbers(issue: Mapping[str, Any]) -> list[tuple[bool, float | None]]:
    """Return for every place whether it has a level, and its probability: which level may depend on the one before."""
    said = [(one["level"], one["exceedance"]["p_15"]["probability"]) for one in issue["forecasts"]]
    return [(level != "unknown", None if p is None else round(p, 4)) for level, p in said]


def _refreshed(address: str) -> None:
    """Wait until the first refresh has ended: what it was told stands in the archive."""

    def ended() -> bool:
        with urllib.request.urlopen(f"{address}/api/metrics", timeout=REACHED_S) as answer:
            return REFRESHED in answer.read().decode()

    until(ended, look_s=0.5)


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


def _thousandfold(document: Document) -> Document:
    for place in places_of(document):
        for name in set(place["hourly"]) - {"time"}:
            place["hourly"][name] = [1000 * value for value in place["hourly"][name]]
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


def _calls_in_windows(home: Path, way: tuple[str, ...], windows: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Return the calls within each window, by the form in which the source named it; NOBODY where that proves nothing.

    For it does where nobody asks before the window, or after it.
    """
    found = {}
    with _program(home, way, fault.failure(404)) as (address, source):
        for form, (limit, lasts_s) in windows.items():
            ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=lasts_s + 1)
            said = {"seconds": str(lasts_s), "date": format_datetime(ends_at, usegmt=True)}.get(form)
            first = _reached(address, source, fault.limited(limit, None if said is None else {"Retry-After": said}))
            over_at = time.monotonic() + ends_at.timestamp() - time.time() if form == "date" else first + lasts_s
            while time.monotonic() < over_at < math.inf:
                _forget(address)
                _quietly(address)
            calls = sum(one.at < over_at for one in source.asked[1:])
            again = _reached(address, source, fault.failure(404))
            found[form] = calls if calls or max(first, again) < math.inf else NOBODY
    return found


def _reached(address: str, source: SourceServer, step: Step) -> float:
    """Ask on and on until the source is asked, which then does this; return when, infinity where nobody asks it."""
    source.steps = [step]
    source.asked.clear()
    over_at = time.monotonic() + REACHED_S
    while not source.asked and time.monotonic() < over_at:
        _forget(address)
        _quietly(address)
    return source.asked[0].at if source.asked else math.inf


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
