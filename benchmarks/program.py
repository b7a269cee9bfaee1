"""The program as a user starts it, for benchmarks that ask it from outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "for this run only"  # noqa: S105 - the server of a benchmark is gone when it ends
#: What `make run` sets as well.
HEAPS = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144", "ARROW_DEFAULT_MEMORY_POOL": "system"}


def settings(**values: object) -> dict[str, str]:
    """Return the environment of `make run` with these settings of the house and no others."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLOUDBURST_")}
    return environment | HEAPS | {f"CLOUDBURST_{name}": str(value) for name, value in values.items()}


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def begun(
    environment: Mapping[str, str],
    log: Path,
    by: Sequence[str] = ("streamlit",),
    app: Path = ROOT / "app.py",
    folder: Path = ROOT,
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the program, or another one, by a module with its arguments; return the process and its address.

    Streamlit reads its configuration in `folder`.
    """
    port = free_port()
    command = [sys.executable, "-m", *by, "run", str(app), "--server.port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=out, stderr=out)  # noqa: S603
    return process, f"http://127.0.0.1:{port}"


def answering(address: str, most_s: float = 120.0) -> None:
    """Wait until a program answers.

    Raises
    ------
    OSError
        If it has not for so long.
    """
    until = time.monotonic() + most_s
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5)  # noqa: S310
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return


@contextmanager
def served(
    environment: Mapping[str, str],
    log: Path,
    by: Sequence[str] = ("streamlit",),
    app: Path = ROOT / "app.py",
    folder: Path = ROOT,
) -> Iterator[str]:
    """Start the program as `begun` does; yield its address when it answers, and end it."""
    server, address = begun(environment, log, by, app, folder)
    try:
        answering(address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def ask(url: str, post: dict[str, Any] | None = None) -> Any:
    """Return the JSON at an address; raises on anything but success."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if post is None else json.dumps(post).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def look_ups(address: str) -> dict[str, int]:
    """Return how many look-ups of the cache were hits, misses or stale since the program was started."""
    stats = ask(f"{address}/api/monitoring/cache/stats")["stats"]
    return {name: int(stats[name]) for name in ("hits", "misses", "stale")}


def process_of(address: str) -> int:
    """Return the number of the process that serves an address."""
    port = address.rpartition(":")[2].encode()
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if words.read_bytes().split(b"\0")[-3:-1] == [b"--server.port", port]:
                return int(words.parent.name)
    raise ProcessLookupError(address)


def held_mb(process: int) -> float:
    """Return the memory that a process holds, megabytes."""
    text = Path(f"/proc/{process}/status").read_text("ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024
