"""Answers at once: the sockets of this process do not wait for an acknowledgement before they send the rest."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path


def without_delay() -> int:
    """Set TCP_NODELAY on the TCP sockets of this process, from which accepted ones inherit it; return how many.

    asyncio does so itself for sockets that name their protocol; Streamlit's server opens one that does not, and every
    answer (head, then body) waited 40 ms for the reader's delayed acknowledgement: 44 ms in place of 3 for a point.
    """
    count = 0
    for entry in _descriptors():
        with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as found:  # it may be closed meanwhile
            if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                count += 1
    return count


def _descriptors() -> list[Path]:
    """Return the entries of this process's sockets; elsewhere than on Linux answers are as slow as the server's."""
    folder = Path("/proc/self/fd")
    return [entry for entry in folder.iterdir() if _is_socket(entry)] if folder.is_dir() else []


def _is_socket(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("socket:")
    except OSError:  # the descriptor of the listing itself
        return False
