"""Many open dashboards at once, each with a token of its own that no other may ever be shown."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.page_sessions import Talk, stream_of

#: What is open on a hundred screens: the map on half of them.
OPEN = ("", "point", "", "alerts", "", "point", "", "monitoring", "", "quality", "", "point", "", "verification",
        "", "models", "", "reports", "", "experiments")  # fmt: skip
MAP = ("",)
SEARCH = "Find a place"
TOKEN = re.compile(rb"token-[0-9a-f]{12}")
#: A page that has not come after so long has failed, seconds.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Habit:
    """How dashboards are used: opened within `ramp_s`, and for `stay_s` drawn whole every `whole_s`.

    In between they do what the page itself asks for. A whole draw is of the next of `pages`, which each dashboard
    begins at another place. `searches` lets each search for its token first, from where its session remembers it.
    What its reader chose stands in the address, `query`.
    """

    ramp_s: float
    stay_s: float
    whole_s: float
    pages: Sequence[str] = OPEN
    searches: bool = True
    query: str = ""


@dataclass
class Seen:
    """What dashboards saw: seconds of draws from the moment they were due, what failed, and whose token leaked."""

    opened_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)
    pieces_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    #: Dashboards that were shown their own token: where none is, leaks cannot be seen either.
    told: int = 0

    @property
    def drawn_s(self) -> list[float]:
        """All draws after the first; what failed counts as long as anybody was patient."""
        return self.whole_s + self.pieces_s + [PATIENCE_S] * len(self.errors)


class _Dashboard:
    def __init__(self, address: str, pages: Sequence[str], habit: Habit, seen: Seen) -> None:
        self._address, self._habit, self._seen = address, habit, seen
        self._pages = itertools.cycle(pages)
        self._token = f"token-{secrets.token_hex(6)}"
        self._shown: set[str] = set()

    async def live(self, begin_s: float, until_s: float) -> None:
        """Open the page at a moment of the monotonic clock, and use it until another one."""
        await asyncio.sleep(max(0.0, begin_s - time.monotonic()))
        try:
            async with connect(
                stream_of(self._address), max_size=None, subprotocols=["streamlit"],  # type: ignore[list-item]
                open_timeout=PATIENCE_S, ping_interval=None,
            ) as socket:  # fmt: skip
                talk = await self._open(socket)
                self._seen.opened_s.append(time.monotonic() - begin_s)
                await self._use(socket, talk, until_s)
        except Exception as error:  # whatever it is, this dashboard has failed
            self._seen.errors.append(f"{type(error).__name__}: {str(error)[:200]}")
        self._seen.told += self._token in self._shown
        self._seen.leaks += sorted(self._shown - {self._token})

    async def _open(self, socket: ClientConnection) -> Talk:
        talk = Talk("point" if self._habit.searches else next(self._pages), self._habit.query)
        await self._draw(socket, talk)
        if self._habit.searches:
            await self._draw(socket, talk, typed={SEARCH: self._token})
            talk.page = next(self._pages)
            await self._draw(socket, talk)
        return talk

    async def _use(self, socket: ClientConnection, talk: Talk, until_s: float) -> None:
        now = time.monotonic()
        whole = now + self._habit.whole_s * secrets.SystemRandom().random()  # not all in the same moment
        due = {piece: now + every for piece, every in talk.ticking.items()}
        while (at := min(whole, *due.values(), until_s)) < until_s:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            if at == whole:
                talk.page = next(self._pages)
                await self._draw(socket, talk)
                self._seen.whole_s.append(time.monotonic() - at)
                whole += self._habit.whole_s
                due = {piece: time.monotonic() + every for piece, every in talk.ticking.items()}
            else:
                piece = min(due, key=due.__getitem__)
                await self._draw(socket, talk, piece)
                self._seen.pieces_s.append(time.monotonic() - at)
                now = time.monotonic()
                del due[piece]  # it may have drawn the whole page anew, which then has other pieces
                due = {one: due.get(one, max(at + every, now)) for one, every in talk.ticking.items()}
            whole = max(whole, time.monotonic())

    async def _draw(
        self, socket: ClientConnection, talk: Talk, piece: str = "", typed: Mapping[str, str] | None = None
    ) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await socket.send(talk.ask(piece, typed))
            ended = False
            while not ended:
                data = await socket.recv(decode=False)
                self._shown |= {found.decode() for found in TOKEN.findall(data)}
                ended = talk.heard(data)


async def opened(address: str, count: int, habit: Habit) -> Seen:
    """Open so many dashboards, use them, and return what they saw."""
    seen, now = Seen(), time.monotonic()
    pages = [*habit.pages]
    some = [_Dashboard(address, pages[i % len(pages) :] + pages[: i % len(pages)], habit, seen) for i in range(count)]
    begins = [now + habit.ramp_s * i / count for i in range(count)]
    until = now + habit.ramp_s + habit.stay_s
    await asyncio.gather(*(one.live(begin, until) for one, begin in zip(some, begins, strict=True)))
    return seen
