"""Tens of thousands of requests that should not be, through the ASGI application in process.

    python -m tests.faults.api.fuzz --runs 100000 --cases 3000 --seed 0

No answer may be a server error, repeat what was sent, be anything but strict JSON or a problem document, or come late;
every operation of the OpenAPI text must have been answered with success and with refusal; the house must be well
afterwards. Broken applications (positive controls) must be found. Then schemathesis does the same in its own way.
Prints counts by operation and status and ends with 1 where anything else came out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from core import Core, open_core
from tests.faults.api import broken_apis, fuzz_schema
from tests.faults.api.answers_judged import DEADLINE_S, Answer, Tally, shown, told
from tests.faults.api.broken_apis import BROKEN_PATHS, VARIANTS
from tests.faults.api.request_mutations import spoiled
from tests.faults.api.requests_made import MARK, MOUNT, Known, Made, elsewhere, operations, percent, valid
from tests.faults.gates import Result, judged
from tests.models_made import stored
from tests.trainings_made import FakeTrainings
from tests.weather_posted import RECORD

TOKEN = "a token of the fuzzer"  # noqa: S105 - it opens nothing
ENVIRONMENT = {
    "CLOUDBURST_ADMIN_TOKEN": TOKEN,
    "CLOUDBURST_GRID_SPACING_DEG": "1.0",
    "CLOUDBURST_SIMULATED_HISTORY_DAYS": "0",
    "CLOUDBURST_LOG_LEVEL": "ERROR",
}
#: Every analysis reads all cases of its experiment: more would only make the same slower.
MOST_EXPERIMENTS = 60
#: So often an experiment is named before the next one: it ends with a decision or a stop, and then only refuses.
USES = 8
#: So many rounds come first, until every operation has been answered with success and with refusal.
MOST_ROUNDS = 60
POINT = {"latitude": 30.3, "longitude": 78.0}


class Fuzzed:
    """A small house behind an application: asks, judges, and keeps count.

    Parameters
    ----------
    app
        The application, or a broken one; it is asked as below the mount of the program.
    known
        What valid requests say.
    text
        The OpenAPI text that requests are made from.
    """

    def __init__(self, app: ASGIApp, known: Known, text: dict[str, Any], seed: int) -> None:
        self.app = app
        self.operations = operations(text)
        #: Where more can be wrong, more is asked; one without anything to say is also the slowest.
        self.weights = [1 + 3 * len(o.parameters) + 8 * (o.body is not None) for o in self.operations]
        self.rng = random.Random(seed)  # noqa: S311 - chance for tests, seeded
        self.known = known
        self.tally = Tally()

    async def run(self, runs: int) -> Tally:
        """Ask so many times and return what came."""
        for _ in range(MOST_ROUNDS):
            missing = [operation for operation in self.operations if self.tally.missing(operation)]
            if not missing:
                break
            # Some want one of their kind before them, made anew: a promotion wants an experiment that was just decided.
            kinds = [operation.template.split("/")[:3] for operation in missing]
            others = self.rng.choices([o for o in self.operations if o.template.split("/")[:3] in kinds], k=5)
            for operation in self.rng.sample([*missing, *others], len(missing) + len(others)):
                made = valid(operation, self.rng, self.known, TOKEN)
                await self.judged(made)
                await self.judged(spoiled(made, self.rng))
        for _ in range(runs):
            if self.rng.random() < 0.05:
                made = elsewhere(self.rng)
            else:
                (operation,) = self.rng.choices(self.operations, self.weights)
                made = valid(operation, self.rng, self.known, TOKEN)
                made = made if self.rng.random() < 0.1 else spoiled(made, self.rng)
            await self.judged(made)
        for wrong in [*(text for o in self.operations for text in self.tally.missing(o)), *await self.ill()]:
            self.tally.violations[wrong] += 1
        return self.tally

    async def judged(self, made: Made) -> None:
        """Ask once and count what came."""
        self.tally.add(made, await asked(self.app, made))

    async def ill(self) -> list[str]:
        """Return what is wrong with the house now, by three right requests."""
        host = ((b"host", b"localhost"),)
        health = await asked(self.app, Made(None, "GET", f"{MOUNT}/health", MARK, headers=host))
        body = Made(None, "POST", f"{MOUNT}/predict/live", MARK, headers=host)
        point = await asked(
            self.app,
            body.with_header("content-type", b"application/json").with_body(json.dumps(POINT).encode()),
        )
        metrics = await asked(self.app, Made(None, "GET", f"{MOUNT}/metrics", MARK, headers=host))
        found = []
        if health.status != 200 or json.loads(health.body)["champion"] is None:
            found.append("not healthy afterwards")
        if point.status != 200 or not 0 <= json.loads(point.body)["probability"] <= 1:
            found.append("no forecast afterwards")
        if metrics.status != 200 or MARK in metrics.body.decode().lower():
            found.append("metrics are filled with what was sent")
        return found


async def asked(app: ASGIApp, made: Made) -> Answer:
    """Ask an application once, without sockets."""
    answer, left = Answer(), list(made.parts)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": made.method,
        "scheme": "http",
        "path": made.path,
        "raw_path": percent(made.path),
        "query_string": made.query,
        "root_path": MOUNT,
        "headers": list(made.headers),
        # Everybody asks from elsewhere: what is counted by address refuses nobody here.
        "client": (".".join(["10", *(str(byte) for byte in made.marker.encode()[-3:])]), 50_000),
        "server": ("localhost", 8501),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        if left:
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or made.gone}
        if not made.gone:
            await asyncio.Event().wait()  # the client listens until the answer has come
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")
            answer.ended = not message.get("more_body", False)

    begun = time.perf_counter()
    try:
        async with asyncio.timeout(2 * DEADLINE_S):
            await app(scope, receive, send)
    except Exception as error:
        answer.raised = type(error).__name__
    answer.seconds = time.perf_counter() - begun
    return answer


def known_of(core: Core) -> Known:
    """Return what valid requests say: names that the house knows now, and points that it serves."""
    region = core.default_region
    places = [f.location_id for f in core.require_issue(region).forecasts]
    versions = [stored(core.store, "gauges").version for _ in range(2)]
    features = core.forecasting.served(region).manifest.feature_names
    now = core.clock()

    def hours(number: int) -> list[str]:
        last = now.replace(minute=0, second=0, microsecond=0)
        return [(last - timedelta(hours=i)).isoformat() for i in range(number)]

    uses = count()

    def run_id(_: random.Random) -> str:
        state = core.lifecycle.trainings.state()
        return "none" if state is None else state.run_id

    def experiment_id(rng: random.Random) -> str:
        newest = min(next(uses) // USES, MOST_EXPERIMENTS - 1)
        return f"e{max(0, newest - rng.randrange(2))}"

    def variants(rng: random.Random) -> list[dict[str, Any]]:
        shares = zip(("control", "challenger"), versions, (50, 50), strict=True)
        return [{"variant_id": v, "version": version, "traffic_percentage": s} for v, version, s in shares]

    return {
        "region": lambda _: region,
        "location_id": lambda rng: rng.choice(places),
        "latitude": lambda rng: rng.choice([30.3, 30, 31.25]),
        "longitude": lambda rng: rng.choice([78.0, 78, 78.5]),
        "valid_at": lambda rng: rng.choice(hours(24)),
        "features": lambda rng: {name: round(rng.gauss(0, 1), 3) for name in rng.sample(features, 5)},
        "observations": lambda rng: [{**RECORD, "valid_at": at} for at in hours(rng.randint(1, 3))],
        "begin": lambda _: (now - timedelta(days=1)).isoformat(),
        "end": lambda _: now.isoformat(),
        "run_id": run_id,
        "version": lambda rng: rng.choice(versions),
        "experiment_id": experiment_id,
        "variants": variants,
        "strategy": lambda rng: rng.choice(["percentage", "random"]),
        "draft": lambda rng: rng.random() < 0.5,
        "winner": lambda _: "challenger",
        "model_type": lambda _: "logistic_regression",
        "days_back": lambda rng: rng.randint(1, 400),
        "alarm": lambda _: 0.05,
    }


def opened() -> Core:
    """Return the house of this process, whose trainings are played."""
    core = open_core()
    core.lifecycle.trainings = FakeTrainings()
    return core


def fuzz(app: FastAPI, runs: int, seed: int = 0) -> Tally:
    """Return what came of so many requests."""
    return asyncio.run(Fuzzed(app, known_of(opened()), app.openapi(), seed).run(runs))


def unnoticed(app: FastAPI, runs: int, seed: int = 0) -> list[str]:
    """Return the broken variants of an application in which so many requests do not find what is broken."""
    text = app.openapi()
    few = {**text, "paths": {path: text["paths"][path] for path in BROKEN_PATHS}}
    known = known_of(opened())
    missed = []
    for name, (variant, wrong) in VARIANTS.items():
        found = asyncio.run(Fuzzed(variant(app), known, few, seed).run(runs)).violations
        if not any(wrong in text for text in found):
            missed.append(name)
    return missed


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--cases", type=int, default=3_000, help="cases of schemathesis")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, metavar="FILE.md", help="page whose figures are replaced")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {**ENVIRONMENT, "CLOUDBURST_HOME": str(Path(folder) / "home")}
        from api.app import api

        begun = time.perf_counter()
        tally = fuzz(api, chosen.runs, chosen.seed)
        seconds = time.perf_counter() - begun
        missed = unnoticed(api, 400, chosen.seed)
        cases, failed = fuzz_schema.failures(api, chosen.cases, TOKEN, chosen.seed)
        _, planted = fuzz_schema.failures(broken_apis.undescribed(api), 100, TOKEN, chosen.seed)
    lines = told(tally, operations(api.openapi()))
    for text, number in tally.violations.most_common():
        lines.append(f"VIOLATION {number} x {text}: {shown(tally.first[text]) if text in tally.first else ''}")
    lines += [f"FAILURE {number} x {text}" for text, number in failed.most_common()]
    sys.stdout.write("\n".join(lines) + "\n")
    found = len(VARIANTS) - len(missed)
    result = Result(
        f"{chosen.runs:,} requests in {seconds:.0f} s, {cases:,} of schemathesis",
        [f"{text}: {number}" for some in (tally.violations, failed) for text, number in some.items()],
        f"{found} of {len(VARIANTS)} found {missed or ''}, by schemathesis {planted.total()} failures of another",
        not missed and bool(planted),
    )
    return 0 if judged("fuzz api", lambda: result, chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
