"""Two programs asked the same at the same time: what one takes longer is not the machine's."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from benchmarks.page_sessions import PageSession
from benchmarks.program import ask

#: Seconds after which a request counts as lost; between two of a client.
PATIENCE_S, PAUSE_S = 10.0, 0.01
#: Points so near a place are answered by it, degrees: hardly ever is one asked for twice.
SPREAD_DEG = 0.05


class Pair(NamedTuple):
    """When one request was sent, and the seconds that it took at the program and at its twin."""

    at: float
    ours_s: float
    twin_s: float


@dataclass
class Rush:
    """Clients of two programs; `pairs` and `wrong` grow while they run."""

    ours: str
    twin: str
    points: Sequence[tuple[float, float]]
    pairs: list[Pair] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def since(self, at: float) -> list[Pair]:
        """Return the pairs that were sent from a moment on."""
        return [pair for pair in list(self.pairs) if pair.at >= at]

    def client(self, seed: int) -> None:
        """Ask for points that nobody asked for before: each answer is looked for in the cache, made and kept."""
        draw = random.Random(seed)  # noqa: S311 - no secret
        with httpx.Client(timeout=PATIENCE_S) as client:
            while not self.over.wait(PAUSE_S):
                latitude, longitude = draw.choice(self.points)
                point = {
                    "latitude": latitude + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                    "longitude": longitude + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                }
                at, took = time.monotonic(), {}
                for address in draw.sample([self.ours, self.twin], 2):
                    took[address] = self._asked(client, address, point)
                self.pairs.append(Pair(at, took[self.ours], took[self.twin]))

    def page(self) -> None:
        """Draw a page of the program again and again, and of its twin as well: requests wait for what is drawn."""
        try:
            with PageSession(self.ours, "", PATIENCE_S) as page, PageSession(self.twin, "", PATIENCE_S) as other:
                while not self.over.wait(0.5):
                    self.pages_s.append(page.rerun())
                    other.rerun()
        except Exception as error:  # whatever a page may raise is what is looked for
            self.wrong.append(f"page: {type(error).__name__}: {error}")

    def _asked(self, client: httpx.Client, address: str, point: dict[str, float]) -> float:
        begun = time.perf_counter()
        try:
            status = client.post(f"{address}/api/predict/live", json=point).status_code
            if status != httpx.codes.OK:
                self.wrong.append(f"status {status}")
        except httpx.HTTPError as error:
            self.wrong.append(type(error).__name__)
        return time.perf_counter() - begun


@contextmanager
def rushing(ours: str, twin: str, clients: int, *, pages: bool = True) -> Iterator[Rush]:
    """Let so many clients ask, and one page of each be drawn."""
    rush = Rush(ours, twin, _points(ours))
    for address in (ours, twin):
        ask(f"{address}/api/forecasts")
    acts = [threading.Thread(target=rush.client, args=(seed,), daemon=True) for seed in range(clients)]
    acts += [threading.Thread(target=rush.page, daemon=True)] if pages else []
    for act in acts:
        act.start()
    try:
        yield rush
    finally:
        rush.over.set()
        for act in acts:
            act.join(2 * PATIENCE_S)


def _points(address: str) -> list[tuple[float, float]]:
    """Return the places of the region, as latitude and longitude."""
    region = ask(f"{address}/api/forecasts")["region"]
    ends = [feature["geometry"]["coordinates"] for feature in ask(f"{address}/api/map/{region}")["features"]]
    return [(latitude, longitude) for longitude, latitude in ends]
