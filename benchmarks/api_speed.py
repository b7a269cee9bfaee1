"""How fast the API answers for a point, and how much of what the dashboard asks for is found in the cache.

Starts the program as a user would, with simulated weather. On one kept connection a point is asked for again and again:
its answer kept, made anew from the current issue (`Cache-Control: no-cache`), and made of 72 posted hours. Then the
dashboard's traffic for some minutes: three pages that are drawn anew every ten seconds and changed every minute. Its
rates are those of a day, and the issue is made anew as often as there, so its hit rate is a day's. Then the same beside
a program that asks for ten points and the map twice a minute, which finds every second answer kept at the best.

python -m benchmarks.api_speed [--minutes 6]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.page_sessions import PageSession
from benchmarks.program import TOKEN, ask, look_ups, served, settings

#: Goals: median milliseconds of an answer that is kept and of one that is not, and the share that is found.
KEPT_MS, ANEW_MS, FOUND = 3.0, 30.0, 0.9
ROUNDS = 300
PAGES = ("", "point", "verification", "quality", "models", "monitoring")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print medians and shares beside their goals; return 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        environment = settings(
            HOME=Path(name), SIMULATED_HISTORY_DAYS=0, PREDICT_PER_MINUTE=0, ADMIN_TOKEN=TOKEN, LOG_LEVEL="WARNING"
        )
        with served(environment, Path(name) / "server.log") as address:
            well = _speed(address)
            share = _found(address, args.minutes, "the dashboard")
            print(f"goal for the dashboard: {FOUND:.0%}", flush=True)
            _found(address, args.minutes / 2, "the dashboard and a program", points=10)
            return 0 if well and share >= FOUND else 1


def _points(address: str) -> list[dict[str, float]]:
    """Return the points in the middle of the places of the region."""
    rings = [f["geometry"]["coordinates"][0] for f in ask(f"{address}/api/map/{_region(address)}")["features"]]
    return [{"longitude": (ring[0][0] + ring[2][0]) / 2, "latitude": (ring[0][1] + ring[2][1]) / 2} for ring in rings]


def _region(address: str) -> str:
    return str(ask(f"{address}/api/forecasts")["region"])


def _speed(address: str) -> bool:
    point = _points(address)[40]
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [_hour(now - timedelta(hours=i), i) for i in range(72)]
    with httpx.Client(base_url=f"{address}/api", timeout=30) as client:

        def live(**headers: str) -> httpx.Response:
            return client.post("/predict/live", json=point, headers=headers)

        acts: dict[str, Callable[[], httpx.Response]] = {
            "nothing (GET /api/)": lambda: client.get("/"),
            "kept": live,
            "made anew from the issue": lambda: live(**{"Cache-Control": "no-cache"}),
        }
        spent = {name: _median_ms(act, ROUNDS) for name, act in acts.items()}
        series = {**point, "observations": hours}
        posted = _median_ms(lambda: client.post("/predict", json=series, headers={"Cache-Control": "no-cache"}), 20)
    for name, ms in spent.items():
        print(f"POST /predict/live, {name}: median {ms:.2f} ms")
    kept, anew = spent["kept"], spent["made anew from the issue"]
    print(f"made anew takes {anew / kept:.2f} times as long as kept; goals {KEPT_MS:g} and {ANEW_MS:g} ms")
    print(f"POST /predict of 72 hours: median {posted:.1f} ms", flush=True)
    return kept <= KEPT_MS and anew <= ANEW_MS


def _median_ms(act: Callable[[], httpx.Response], rounds: int) -> float:
    act().raise_for_status()
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act().raise_for_status()
        spent.append(1000 * (time.perf_counter() - begun))
    return statistics.median(spent)


def _hour(at: datetime, number: int) -> dict[str, Any]:
    return {
        "valid_at": at.isoformat(),
        "temperature_c": 22.0 + number % 5 / 4,
        "relative_humidity_pct": 90.0,
        "surface_pressure_hpa": 900.0 + number % 7 / 8,
        "wind_speed_ms": 2.0 + number % 3 / 4,
        "wind_direction_deg": 120.0 + number % 11,
        "cloud_cover_pct": 90.0,
        "precipitation_mm": float(number % 4),
    }


def _found(address: str, minutes: float, who: str, points: int = 0) -> float:
    """Play the traffic; print and return the share that was found fresh."""
    asked_for, region = _points(address)[:points], _region(address)
    before = look_ups(address)
    until, tick = time.monotonic() + 60 * minutes, 0
    pages = [PageSession(address, "") for _ in range(3)]
    with pages[0], pages[1], pages[2]:
        while time.monotonic() < until:
            begun = time.monotonic()
            for i, page in enumerate(pages):
                page.show(PAGES[(tick // 6 + 2 * i) % len(PAGES)])
            if points and tick % 3 == 0:
                for point in asked_for:
                    ask(f"{address}/api/predict/live", point)
                ask(f"{address}/api/map/{region}")
            time.sleep(max(0.0, 10 - (time.monotonic() - begun)))
            tick += 1
    counts = {name: after - before[name] for name, after in look_ups(address).items()}
    asked = sum(counts.values())
    print(f"{minutes:g} minutes of {who}: {asked:,} look-ups, {counts['hits'] / asked:.1%} found fresh", flush=True)
    return counts["hits"] / asked


if __name__ == "__main__":
    sys.exit(main())
