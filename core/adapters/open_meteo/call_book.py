"""The calls of all processes of one home in one file: a restart does not forget what a day has spent already."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.adapters.files import write_whole
from core.errors import SourceUnavailable

#: Nobody holds the file for longer than it takes to write it.
LOCK_S = 5.0

Call = tuple[datetime, float]


@dataclass
class Page:
    """What the file holds: calls with their weights, oldest first, and until when the service said wait."""

    calls: list[Call]
    held_until: datetime | None = None
    held_s: float = 0.0


class CallBook:
    """A file that several processes write in turn.

    Parameters
    ----------
    path
        Where it is; made where it is not there. One that cannot be understood is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))

    @contextmanager
    def open(self) -> Iterator[Page]:
        """Give the page to read and change; it is written where the work in it went well.

        Raises
        ------
        SourceUnavailable
            If the file can neither be read nor written: without it the limits of the service could be passed.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock.acquire(timeout=LOCK_S):
                page = _read(self._path)
                before = _text(page)
                yield page
                if (text := _text(page)) != before:
                    write_whole(self._path, lambda temporary: temporary.write_text(text, "utf-8"))
        except (OSError, Timeout) as error:
            raise SourceUnavailable(
                "The calls to Open-Meteo cannot be counted, so none is made.",
                hint=f"May this process write {self._path}?",
                fault="call_book",
            ) from error


def _text(page: Page) -> str:
    held = [page.held_until.timestamp(), page.held_s] if page.held_until is not None else None
    return json.dumps({"calls": [[at.timestamp(), weight] for at, weight in _by_minute(page.calls)], "held": held})


def _by_minute(calls: Sequence[Call]) -> list[Call]:
    """Return one entry per minute, at its last call: counted longer than it need be, never shorter."""
    joined: list[Call] = []
    for at, weight in calls:
        if joined and at - joined[-1][0] < timedelta(minutes=1) and at.minute == joined[-1][0].minute:
            joined[-1] = (at, joined[-1][1] + weight)
        else:
            joined.append((at, weight))
    return joined


def _read(path: Path) -> Page:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Page([])
    except UnicodeDecodeError:
        return Page([])
    try:
        found = json.loads(text)
        calls = sorted((_moment(at), _finite(weight)) for at, weight in found["calls"])
        held = found["held"]
        return Page(calls, _moment(held[0]), _finite(held[1])) if held else Page(calls)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, OSError):
        return Page([])


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(_finite(seconds), UTC)


def _finite(number: Any) -> float:
    if type(number) not in (int, float) or not math.isfinite(number):
        raise ValueError("no number")
    return float(number)
