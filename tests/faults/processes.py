"""Processes forked from one that has everything loaded, and what they say before they end or are ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import structlog

PROJECT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]
#: How long a process may take before it counts as hung, seconds.
PATIENCE_S = 60.0
HUNG = -1000


@dataclass
class Forked:
    """A process, and the end of the pipe that it speaks into."""

    pid: int
    _pipe: int
    _text: bytes = b""
    lines: list[str] = field(default_factory=list)

    def heard(self, count: int) -> bool:
        """Wait until it has said so many lines; say whether it has."""
        until = time.monotonic() + PATIENCE_S
        while len(self.lines) < count and select.select([self._pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            if not self._read():
                break
        return len(self.lines) >= count

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> int:
        """Return how it ended: a signal as a negative number, HUNG where it had to be killed."""
        self.heard(1 << 30)
        hung = not select.select([self._pipe], [], [], 0)[0]  # one that has ended has an end of file to read
        if hung:
            self.kill()
        os.close(self._pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return HUNG if hung else code

    def _read(self) -> bool:
        data = os.read(self._pipe, 1 << 16)
        *whole, self._text = (self._text + data).split(b"\n")
        self.lines.extend(line.decode("utf-8", "replace") for line in whole)
        return bool(data)


def forked(act: Callable[[Say], object]) -> Forked:
    """Run `act` in a process of its own, which is told how to say a line."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _run(act, writing)
    os.close(writing)
    return Forked(pid, reading)


def _run(act: Callable[[Say], object], pipe: int) -> NoReturn:
    code = 1
    try:
        act(partial(_say, pipe))
        code = 0
    finally:  # whatever it is, this process must end here
        os._exit(code)


def _say(pipe: int, line: str) -> None:
    """Say a line by writev, so that it is none of the writes that are counted."""
    os.writev(pipe, [line.replace("\n", " ").encode("utf-8", "replace") + b"\n"])


def told_alone(module: str, *words: str) -> Any:
    """Return the JSON that a module says in a process without the threads of other tests: it forks."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def silence() -> list[str]:
    """Keep the log out of what is printed, and its writes out of those that are counted; return the levels logged."""
    levels: list[str] = []

    def drop(_logger: object, level: str, _event: object) -> NoReturn:
        levels.append(level)
        raise structlog.DropEvent

    structlog.configure(processors=[drop])
    return levels
