"""How much of what a day of the dashboard asks for is found in the cache, by the program's own counts.

The program runs with its clocks sixty times as fast (`benchmarks.fast_clock`), so that a day with its 288 issues, its
scheduler and the ends of everything that is kept takes 24 minutes. Its visitors are a roster of a weather service,
written down below, since nobody has used the house for a day yet: a desk that is never empty, one of the day and one of
the evening's storms, and a wall display. Each draws a page when it is opened and when it is changed, and its tick as
often as the page itself says. Of every hour the look-ups and what was found are read from the program and kept.

python -m benchmarks.dashboard_day [--hours 24] [--speed 60] [--out day.csv]
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.page_sessions import PageSession
from benchmarks.program import TOKEN, look_ups, served, settings

GOAL = 0.9
PAGES = ("", "point", "verification", "quality", "models", "experiments", "monitoring")
#: Seconds of ours that a visitor waits for a page.
PATIENCE_S = 5.0


@dataclass(frozen=True)
class Desk:
    """Somebody who has the dashboard open from one hour of the day to another and changes the page so often.

    A wall display turns the pages `in_turn`, people choose.
    """

    name: str
    from_h: float
    to_h: float
    change_min: float
    in_turn: bool = False


ROSTER = (
    Desk("duty", 0, 24, 12),
    Desk("day", 7, 19, 6),
    Desk("storms", 14, 23, 3),
    Desk("wall", 0, 24, 0.5, in_turn=True),
)


@dataclass
class _Open:
    desk: Desk
    page: PageSession
    chance: random.Random
    shown: int = 0
    change_at_s: float = 0.0
    ticks: dict[str, float] = field(default_factory=dict)

    def due(self, now_s: float) -> None:
        """Draw what is due at this second of the day."""
        if now_s >= self.change_at_s:
            self.shown = (self.shown + 1) % len(PAGES) if self.desk.in_turn else self.chance.randrange(len(PAGES))
            self.page.show(PAGES[self.shown])
            self.change_at_s = now_s + 60 * self.desk.change_min * self.chance.uniform(0.5, 1.5)
            self.ticks = {}
        for name in [name for name, at in self.ticks.items() if now_s >= at]:
            del self.ticks[name]
            if name in self.page.ticking:  # another one may have drawn the whole page anew
                self.page.tick(name)
        self.ticks = {name: self.ticks.get(name, now_s + every) for name, every in self.page.ticking.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every hour's share and the day's beside its goal; return 1 where it is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard_day", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--speed", type=float, default=60)
    parser.add_argument("--out", type=Path, help="CSV of the hours")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        house = settings(HOME=Path(name), SIMULATED_HISTORY_DAYS=0, ADMIN_TOKEN=TOKEN, LOG_LEVEL="WARNING")
        # The server would give a visitor a third of a second to answer its pings.
        patient = {"STREAMLIT_SERVER_WEBSOCKET_PING_INTERVAL": "86400"}
        fast = ("benchmarks.fast_clock", f"{args.speed:g}")
        with served(house | patient, Path(name) / "server.log", fast) as address:
            hours = list(_day(address, args.hours, args.speed))
    if args.out is not None:
        with args.out.open("w", newline="") as out:
            csv.writer(out).writerows([("hour", *hours[0]), *((i, *h.values()) for i, h in enumerate(hours))])
    day = {name: sum(h[name] for h in hours) for name in hours[0]}
    found = day["hits"] / sum(day.values())
    print(f"{len(hours)} hours: {sum(day.values()):,} look-ups, {found:.1%} found fresh; goal {GOAL:.0%}")
    return 0 if found >= GOAL else 1


def _day(address: str, hours: float, speed: float) -> Iterator[Mapping[str, int]]:
    """Play the roster; yield the counts of every hour."""
    begun = time.monotonic()
    before, hour, opened = look_ups(address), 0, dict[str, _Open]()
    with ExitStack() as closing:
        while hour < hours:
            now_s = (time.monotonic() - begun) * speed
            for i, desk in enumerate(ROSTER):
                if desk.from_h <= now_s / 3600 < desk.to_h:
                    if desk.name not in opened:
                        page = closing.enter_context(PageSession(address, "", PATIENCE_S))
                        opened[desk.name] = _Open(desk, page, random.Random(i))  # noqa: S311 - a roster, no secret
                    with suppress(TimeoutError):  # what is asked for while a page is drawn anew is drawn with it
                        opened[desk.name].due(now_s)
            if now_s >= 3600 * (hour + 1):
                after, hour = look_ups(address), hour + 1
                counts = {name: after[name] - before[name] for name in after}
                before = after
                asked = sum(counts.values())
                print(f"hour {hour:2d}: {asked:6,} look-ups, {counts['misses']:4,} not found", flush=True)
                yield counts
            time.sleep(1 / speed)


if __name__ == "__main__":
    sys.exit(main())
