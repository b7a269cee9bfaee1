"""A PostgreSQL of the tests' own, from Debian's package: in a folder of its own, reached by a socket in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

#: Where Debian keeps what it does not put on the path, the newest last.
FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
#: Nobody waits for the disk in a test.
SETTINGS = ("fsync=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")
START_S = 30.0


def missing() -> str | None:
    """Return why there is no PostgreSQL for the tests, None where there is one."""
    if _program("initdb") is None or _program("postgres") is None:
        return "no PostgreSQL on this machine (apt-get install postgresql)"
    return None


@contextmanager
def serving() -> Iterator[Server]:
    """Serve from a new folder until the end."""
    server = Server(Path(tempfile.mkdtemp(prefix="postgres-")))  # a socket's address has 107 letters at most
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.end()
        shutil.rmtree(server.folder)


class Server:
    """One PostgreSQL in a folder, which may be made to suffer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # It refuses to be root; the user that Debian's package made is not.
        self._who: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def make(self) -> None:
        """Make its files."""
        if self._who:
            shutil.chown(self.folder, "postgres", "postgres")
        command = [_program("initdb"), "-D", str(self.folder / "data"), "-U", "watch", "-A", "trust", "-E", "UTF8"]
        ran = subprocess.run(
            [*map(str, command), "--no-sync"], check=False, capture_output=True, text=True, cwd="/", **self._who
        )
        assert ran.returncode == 0, ran.stderr

    def start(self) -> None:
        """Start, and return when it answers."""
        settings = [part for one in (*SETTINGS, f"unix_socket_directories={self.folder}") for part in ("-c", one)]
        log = self.folder / "log"
        with log.open("ab") as file:
            command = [str(_program("postgres")), "-D", str(self.folder / "data"), *settings]
            self._process = subprocess.Popen(command, stdout=file, stderr=file, cwd="/", **self._who)
        until = time.monotonic() + START_S
        while True:
            try:
                self._do("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(log.read_text("utf-8", "replace")) from None
                time.sleep(0.05)
            else:
                return

    def new(self) -> str:
        """Return the address of a ledger that is not there yet."""
        # A schema: a database would take 7 MB and a third of a second.
        name = f"ledger_{next(self._numbers)}"
        self._do(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://watch@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        assert self._process is not None
        of = str(self._process.pid)
        found = subprocess.run(["pgrep", "-P", of], check=False, capture_output=True, text=True)
        for process in (*found.stdout.split(), of):
            os.kill(int(process), number)

    def end(self) -> None:
        """End at once, as after a power cut; what was committed is there after the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # its children with it
            self._process.wait()
            self._process = None

    def _do(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=watch dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def _program(name: str) -> str | None:
    found = (shutil.which(name, path=folder) for folder in reversed(FOLDERS))
    return next((path for path in found if path), None) or shutil.which(name)
