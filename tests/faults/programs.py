"""The whole program, dashboard and API and scheduler, as a process that can be asked, watched, ended and spoiled.

`started` forks it from a process that has the libraries loaded, which takes a second and allows a variant that is
broken on purpose; `launched` starts it as a user does, for what the loading itself is part of.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.program import ROOT, TOKEN, begun, free_port, settings

#: How long anything may take before it counts as never, and how often it is looked whether it has come, seconds.
PATIENCE_S, LOOK_S = 60.0, 0.05
NOBODY = 0
Spoil = Callable[[], object]


@dataclass
class Program:
    """One that runs, or has run."""

    pid: int
    address: str
    log: Path

    def get(self, path: str, patience_s: float = PATIENCE_S) -> tuple[int, bytes]:
        """Return status and body at a path; NOBODY where nobody answers."""
        return _asked(urllib.request.Request(f"{self.address}{path}", headers=_HEADERS), patience_s)

    def post(self, path: str, body: Mapping[str, Any], patience_s: float = PATIENCE_S) -> tuple[int, bytes]:
        """Return status and body of what was sent."""
        data = json.dumps(body).encode()
        return _asked(urllib.request.Request(f"{self.address}{path}", data, _HEADERS), patience_s)

    def said(self, path: str) -> Any:
        """Return the JSON at a path, an empty object where there is none."""
        status, body = self.get(path)
        return json.loads(body) if status else {}

    def ready(self) -> bool:
        """Say whether forecasts can be answered."""
        return self.get("/api/ready", 5)[0] == 200

    def fresh(self) -> bool:
        """Say whether there is an issue of fresh data."""
        status, body = self.get("/api/freshness", 10)
        return status == 200 and json.loads(body)["freshness"] == "fresh"

    def end(self, number: signal.Signals = signal.SIGKILL) -> int | None:
        """End it by a signal and return how it ended: a signal as a negative number, None where it had to be killed."""
        os.kill(self.pid, number)
        return self.ended()

    def ended(self, patience_s: float = PATIENCE_S) -> int | None:
        """Wait for its end and return how it came, None where it had to be killed."""
        over = time.monotonic() + patience_s
        while time.monotonic() < over:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(LOOK_S / 5)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def tracebacks(self) -> list[str]:
        """Return the last line of every traceback in its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        begun = [i for i, line in enumerate(lines) if "Traceback (most recent call last)" in line]
        return [
            next((line for line in lines[i + 1 :] if line and not line.startswith((" ", "|"))), lines[i]) for i in begun
        ]


_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Cache-Control": "no-cache"}


def house(home: Path, **values: object) -> dict[str, str]:
    """Return the environment of a small simulated house in a folder, without its made-up history."""
    home.mkdir(parents=True, exist_ok=True)
    small = {"GRID_SPACING_DEG": 1.0, "SIMULATED_HISTORY_DAYS": 0, "REPORT_EVERY_HOURS": 0, "RETRAIN_EVERY_DAYS": 0}
    return settings(**{"HOME": home, "ADMIN_TOKEN": TOKEN, "LOG_LEVEL": "WARNING", **small, **values})


@contextmanager
def running(environment: Mapping[str, str], log: Path, spoil: Spoil | None = None) -> Iterator[Program]:
    """Start a program, yield it when it is ready, and kill it where it still runs."""
    program = started(environment, log, spoil)
    try:
        until(program.ready)
        yield program
    finally:
        gone(program)


def gone(program: Program) -> None:
    """Kill a program that may have ended."""
    try:
        if os.waitpid(program.pid, os.WNOHANG)[0] == 0:
            program.end()
    except ChildProcessError:
        return


def started(environment: Mapping[str, str], log: Path, spoil: Spoil | None = None) -> Program:
    """Fork a program; `spoil` is called in it before it begins."""
    _load()
    port = free_port()
    pid = os.fork()
    if pid == 0:
        _serve(environment, log, port, spoil)
    return Program(pid, f"http://127.0.0.1:{port}", log)


@contextmanager
def together(
    count: int, environment: Mapping[str, str], home: Path, spoil: Spoil, well: Callable[[Program], bool]
) -> Iterator[list[Program]]:
    """Start so many programs on a home, yield them when all are well, and kill whichever are in the list by then."""
    programs = [started(environment, home.with_name(f"{home.name}-{i}.log"), spoil) for i in range(count)]
    try:
        for program in programs:
            until(partial(well, program))
        yield programs
    finally:
        for program in programs:
            gone(program)


def launched(environment: Mapping[str, str], log: Path, by: Sequence[str] = ("streamlit",)) -> Program:
    """Start a program as a user does, or by another module with its arguments."""
    process, address = begun(environment, log, by)
    process.returncode = 0  # it is waited for by its number
    return Program(process.pid, address, log)


def until(what: Callable[[], Any], most_s: float = PATIENCE_S, look_s: float = LOOK_S) -> float:
    """Wait until something is so, looking so often; return the seconds, infinity where it never was."""
    begun = time.monotonic()
    while not what():
        if time.monotonic() - begun > most_s:
            return float("inf")
        time.sleep(look_s)
    return time.monotonic() - begun


def _load() -> None:
    """Load what every program loads sooner or later: what is forked then has it."""

    import ui.shell  # noqa: F401 - it is not used here


def _asked(request: urllib.request.Request, patience_s: float) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=patience_s) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException) as error:  # the latter: an answer that ends in the middle
        return NOBODY, str(error).encode()


def _serve(environment: Mapping[str, str], log: Path, port: int, spoil: Spoil | None) -> NoReturn:
    """Be the program, in a process that ends here."""
    code = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(ROOT)
        if spoil is not None:
            spoil()
        sys.argv = ["streamlit", "run", "app.py", "--server.port", str(port)]
        from streamlit.web.cli import main

        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:  # whatever it is, this process must end here
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
