"""Two programs asked the same at the same time: what one takes longer is not the machine's."""

from __future__ import annotations

import math
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

#: Seconds after which a request counts as lost; between two of a client, and between two draws of a page.
PATIENCE_S, PAUSE_S, PAGE_PAUSE_S = 10.0, 0.01, 0.5
#: A client that asks on has been answered after so long: by both programs what it waits for, and what it asks next.
ANSWERED_S = 4 * PATIENCE_S
#: Points so near a place are answered by it, degrees: hardly ever is one asked for twice.
SPREAD_DEG = 0.05


class Pair(NamedTuple):
    """When the program was asked something, and the seconds that it took for it, and its twin."""

    at: float
    ours_s: float
    twin_s: float

    @property
    def added_s(self) -> float:
        """What the program took more than its twin, seconds."""
        return self.ours_s - self.twin_s


def under_way(pairs: Sequence[Pair], begin: float, end: float = math.inf) -> list[Pair]:
    """Return the pairs that the program was asked until `end` and had not answered yet at `begin`."""
    return [pair for pair in list(pairs) if pair.at <= end and pair.at + pair.ours_s >= begin]


@dataclass
class Rush:
    """Clients of two programs; `pairs`, `pages` (the draws of one) and `wrong` grow while they run."""

    ours: str
    twin: str
    points: Sequence[tuple[float, float]]
    #: When each client asked the program what it was answered last.
    last: dict[str, float]
    pairs: list[Pair] = field(default_factory=list)
    pages: list[Pair] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def outlast(self, seconds: float) -> None:
        """Wait so long, and until every client has been answered what it asked after that."""
        time.sleep(seconds)
        self.answered(time.monotonic())

    def answered(self, since: float) -> None:
        """Wait until every client has been answered what it asked after a moment; one that is not is wrong."""
        until = time.monotonic() + ANSWERED_S
        while waiting := [name for name, at in self.last.items() if at < since]:
            if time.monotonic() > until:
                self.wrong += [f"{name} not answered for {ANSWERED_S:g} s" for name in waiting]
                return
            time.sleep(PAUSE_S)

    def client(self, name: str) -> None:
        """Ask for points that nobody asked for before: each answer is looked for in the cache, made and kept."""
        draw = random.Random()  # noqa: S311 - no secret, and other points in every rush
        with httpx.Client(timeout=PATIENCE_S) as client:
            while not self.over.wait(PAUSE_S):
                latitude, longitude = draw.choice(self.points)
                point = {
                    "latitude": latitude + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                    "longitude": longitude + draw.uniform(-SPREAD_DEG, SPREAD_DEG),
                }
                asked_at, took = {}, {}
                for address in draw.sample([self.ours, self.twin], 2):
                    asked_at[address] = time.monotonic()
                    took[address] = self._asked(client, address, point)
                self.pairs.append(Pair(asked_at[self.ours], took[self.ours], took[self.twin]))
                self.last[name] = asked_at[self.ours]

    def page(self, name: str) -> None:
        """Draw a page of the program again and again, and of its twin as well: requests wait for what is drawn."""
        try:
            with PageSession(self.ours, "", PATIENCE_S) as page, PageSession(self.twin, "", PATIENCE_S) as other:
                while not self.over.wait(PAGE_PAUSE_S):
                    at = time.monotonic()
                    self.pages.append(Pair(at, page.rerun(), other.rerun()))
                    self.last[name] = at
        except Exception as error:  # whatever a page may raise is what is looked for
            self.wrong.append(f"page: {type(error).__name__}: {error}")
            self.last[name] = math.inf  # it asks no more, and nobody waits for it

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
    names = [f"client {seed}" for seed in range(clients)]
    rush = Rush(ours, twin, _points(ours), dict.fromkeys([*names, "page"] if pages else names, 0.0))
    for address in (ours, twin):
        ask(f"{address}/api/forecasts")
    acts = [threading.Thread(target=rush.client, args=(name,), daemon=True) for name in names]
    acts += [threading.Thread(target=rush.page, args=("page",), daemon=True)] if pages else []
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
