"""A program that uses the API while dashboards are open: it asks for health, and now and then for forecasts.

It speaks by Python's plain http.client: a richer client takes longer for its own part than the answer does.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: Seconds between two questions about health, and between two about forecasts.
HEALTH_S, FORECASTS_S = 0.1, 0.5
PATHS = ("/forecasts", "/map", "/monitoring/cache/stats", "/predict/live")


@dataclass
class Answers:
    """Seconds of the answers, and what was no success."""

    health_s: list[float] = field(default_factory=list)
    other_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def asking(address: str) -> Iterator[Answers]:
    """Ask from a process of its own; when the block ends the answers are there."""
    answers = Answers()
    program = subprocess.Popen(  # noqa: S603 - this module itself
        [sys.executable, "-m", "benchmarks.load_requests", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield answers
    finally:
        said, _ = program.communicate(b"\n", timeout=60)
        for name, values in json.loads(said).items():
            getattr(answers, name).extend(values)


def _ask(address: str) -> Answers:
    """Ask until a line stands on standard input."""
    import select

    answers, due, turn = Answers(), time.monotonic(), 0
    api = _Api(address)
    forecast = json.loads(api.ask("GET", "/forecasts"))
    ring = json.loads(api.ask("GET", f"/map/{forecast['region']}"))["features"][0]["geometry"]["coordinates"][0]
    point = {"longitude": (ring[0][0] + ring[2][0]) / 2, "latitude": (ring[0][1] + ring[2][1]) / 2}
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        due = max(due + HEALTH_S, time.monotonic())
        answers.health_s.append(_timed(api, answers, "GET", "/health"))
        turn += 1
        if turn % round(FORECASTS_S / HEALTH_S) == 0:
            path = PATHS[turn // 5 % len(PATHS)]
            where = f"/map/{forecast['region']}" if path == "/map" else path
            method, body = ("POST", point) if path == "/predict/live" else ("GET", None)
            answers.other_s.append(_timed(api, answers, method, where, body))
    return answers


class _Api:
    """One connection that is kept, and opened again after an error."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """Return the body of an answer.

        Raises
        ------
        OSError, http.client.HTTPException
            If there is none, or it is no success.
        """
        sent = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, f"/api{path}", sent, {"Content-Type": "application/json"} if sent else {})
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"{answer.status}: {said[:150]!r}")
        return said


def _timed(api: _Api, answers: Answers, method: str, path: str, body: object = None) -> float:
    begun = time.perf_counter()
    try:
        api.ask(method, path, body)
    except (OSError, http.client.HTTPException) as error:
        answers.errors.append(f"{method} {path}: {type(error).__name__}: {str(error)[:150]}")
    return time.perf_counter() - begun


if __name__ == "__main__":
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # whoever started it may keep to one core
    json.dump(vars(_ask(sys.argv[1])), sys.stdout)
