"""One system call of a process made to fail, or to be its last, by strace."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.gates import Absent
from tests.faults.processes import Say, forked

#: Calls that change a disk or open what will; the second names are those of other processors than Intel's.
CALLS = {
    "openat": "openat",
    "write": "write,?pwrite64",
    "fsync": "fsync,?fdatasync",
    "rename": "?rename,?renameat,?renameat2",
    "mkdir": "?mkdir,?mkdirat",
    "unlink": "?unlink,?unlinkat",
    "link": "?link,?linkat",
}
#: PR_SET_PTRACER and PR_SET_PTRACER_ANY of linux/prctl.h: who is no ancestor may trace this process.
_PTRACER, _ANYBODY = 0x59616D61, 2**64 - 1
KILL = "signal=SIGKILL"


@dataclass(frozen=True)
class Traced:
    """How a process ended in which one system call was spoiled.

    Parameters
    ----------
    reached
        Whether it made that call at all.
    said
        What it said, empty where it was killed.
    """

    reached: bool
    code: int
    said: str


def spoiled(act: Callable[[Say], object], call: str, number: int, fault: str, lasting: bool = False) -> Traced:
    """Run `act` in a process of its own and spoil one of its system calls.

    Parameters
    ----------
    call
        A key of `CALLS`.
    number
        Which of these calls, from 1 on.
    fault
        `KILL` ends the process before the call is made; "error=ENOSPC" lets the call fail.
    lasting
        Whether all later ones of these calls are spoiled too.

    Raises
    ------
    Absent
        If strace is not there or may not trace.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise Absent("no strace")
    process = forked(lambda say: _stopped_first(act, say))
    os.waitpid(process.pid, os.WUNTRACED)
    with tempfile.NamedTemporaryFile() as log:
        names = CALLS[call]
        tracer = subprocess.Popen(
            [
                *(strace, "-o", log.name, "-p", str(process.pid)),
                *("-e", f"trace={names}", "-e", f"inject={names}:{fault}:when={number}{'+' if lasting else ''}"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            process.kill()
            process.ended()
            tracer.communicate()
            raise Absent(said.strip() or "strace ends at once")
        os.kill(process.pid, signal.SIGCONT)
        code = process.ended()
        tracer.communicate()
        injected = "(INJECTED)" in Path(log.name).read_text("utf-8", "replace")
    return Traced(injected or code == -signal.SIGKILL, code, " ".join(process.lines))


def _stopped_first(act: Callable[[Say], object], say: Say) -> None:
    """Wait for strace; it may look on even where only ancestors may (Yama)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PTRACER, ctypes.c_ulong(_ANYBODY), 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    act(say)
