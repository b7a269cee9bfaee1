"""File systems made for a gate: one in memory, of a size, and one in a file, which lies bare while it is mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.gates import Absent, Gate, Result


@contextmanager
def memory(at: Path, size: str) -> Iterator[Path]:
    """Mount an empty file system of a size that lies in memory, and yield where.

    Raises
    ------
    Absent
        If that is not allowed.
    """
    with _mounted(at, "-t", "tmpfs", "-o", f"size={size}", "none"):
        yield at


@contextmanager
def mounted(image: Path, at: Path, *options: str) -> Iterator[Path]:
    """Mount a file as a file system, and yield where.

    Raises
    ------
    Absent
        If that is not allowed.
    """
    with _mounted(at, "-o", ",".join(("loop", *options)), str(image)):
        yield at


def make(image: Path, size: str) -> None:
    """Make an ext4 in a file.

    Raises
    ------
    Absent
        If its tool is not there.
    """
    if not shutil.which("mkfs.ext4"):
        raise Absent("no mkfs.ext4")
    run("truncate", "-s", size, str(image))
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))


def run(*command: str) -> str:
    """Run a command to its end, and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def in_memory(gate: Gate, size: str = "2g") -> Gate:
    """Return a gate that tries in a folder in memory where that can be mounted: nobody else's disk slows it down."""

    def tried(folder: Path, full: bool) -> Result:
        try:
            with memory(folder / "memory", size) as at:
                return gate(at, full)
        except Absent:
            if (folder / "memory").is_mount():
                raise
            return gate(folder, full)

    return tried


@contextmanager
def _mounted(at: Path, *what: str) -> Iterator[None]:
    at.mkdir(exist_ok=True)
    if os.geteuid():
        raise Absent("only root may mount")
    try:
        run("mount", *what, str(at))
    except subprocess.CalledProcessError as error:
        raise Absent(f"no such mounts here: {error.stderr.strip()}") from None
    try:
        yield
    finally:
        run("umount", str(at))
