"""A TCP proxy before a server of Redis' kind that can be told to misbehave, and an impostor of random replies."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from core.caching.clients import DEADLINE_S

#: Between two bytes of a drip, seconds: each comes before a limit per read is over, all of them never before ours.
DRIP_S = 0.03
#: Before an answer that is delayed, seconds: whoever waited for it would be late, at every command.
DELAY_S = 1.5 * DEADLINE_S
#: Bytes of an answer that is truncated; after them nothing comes.
TRUNCATED = 3
#: Closing sends a reset instead of what is left to be sent.
RESETTING = struct.pack("ii", 1, 0)
ERRORS = {
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "oom": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "readonly": b"-READONLY You can't write against a read only replica.\r\n",
    "moved": b"-MOVED 3999 127.0.0.1:1\r\n",
    "noauth": b"-NOAUTH Authentication required.\r\n",
    "error": b"-ERR unknown\r\n",
}
MODES = ("delay", "drip", "garbage", "silent", "truncate", "close", "reset", "half", *ERRORS)
#: Commands reach the server in these.
PASSING = frozenset({"pass", "delay", "drip", "truncate", "half"})


class Proxy:
    """Passes everything on until `mode` says otherwise; a mode holds for connections that are open already, too."""

    def __init__(self, port: int) -> None:
        self.mode = "pass"
        self.behind = port
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def close(self) -> None:
        self.mode = "close"
        for one in (self._listening, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in (self._listening, *self._sockets):
            one.close()

    def _start(self, act: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                front, _ = self._listening.accept()
                self._sockets.append(front)
                back = self._reached(front)
                if back is None:
                    continue
                self._sockets.append(back)
                self._start(self._asked, front, back)
                self._start(self._answered, back, front)

    def _reached(self, front: socket.socket) -> socket.socket | None:
        """Return a connection to the server; None where there is none to be had, and then the one before has ended."""
        with suppress(OSError):
            if self.mode == "reset":
                _reset(front)
            elif self.mode != "close":
                return socket.create_connection(("127.0.0.1", self.behind))
        with suppress(OSError):
            front.shutdown(socket.SHUT_RDWR)
        return None

    def _asked(self, front: socket.socket, back: socket.socket) -> None:
        with suppress(OSError):
            while data := front.recv(1 << 16):
                if self.mode in PASSING:
                    back.sendall(data)
                elif self.mode == "garbage":
                    front.sendall(random.randbytes(200))  # noqa: S311 - no secret
                elif self.mode in ERRORS:
                    front.sendall(ERRORS[self.mode])
                elif self.mode == "reset":
                    _reset(front)
                    break
                elif self.mode == "close":
                    front.shutdown(socket.SHUT_RDWR)
            back.shutdown(socket.SHUT_RDWR)

    def _answered(self, back: socket.socket, front: socket.socket) -> None:
        with suppress(OSError):
            while data := back.recv(1 << 16):
                if self.mode == "half":
                    front.sendall(data[: len(data) // 2])
                    front.shutdown(socket.SHUT_RDWR)
                elif self.mode == "drip":
                    for byte in data:
                        front.sendall(bytes([byte]))
                        time.sleep(DRIP_S)
                elif self.mode == "truncate":
                    front.sendall(data[:TRUNCATED])
                else:
                    time.sleep(DELAY_S if self.mode == "delay" else 0)
                    front.sendall(data)
            front.shutdown(socket.SHUT_RDWR)  # the server has gone


def _reset(front: socket.socket) -> None:
    front.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
    front.close()


def reply(draw: random.Random, depth: int = 0) -> bytes:
    """Return a random reply, well-formed or nearly."""
    kind = draw.choice(b"+-:$*_#,(=%~>!|" if depth < 2 else b"+-:$_#,")
    word = draw.choice(
        [b"OK", b"0", b"1", b"-1", b"5", b"\xff\xfe", b"well", b"1e9", b"ERR", b"MOVED x", b"ASK 1 a:b", b""]
    )
    if kind in b"$=!":
        length = len(word) if draw.random() < 0.8 else draw.choice([-1, 0, 3])
        return bytes([kind]) + b"%d\r\n" % length + word + b"\r\n"
    if kind in b"*~>%|":
        count = draw.choice([-1, 0, 1, 2, 2, 3])
        inner = b"".join(reply(draw, depth + 1) for _ in range(max(0, count) * (2 if kind in b"%|" else 1)))
        return bytes([kind]) + b"%d\r\n" % count + inner
    return bytes([kind]) + word + b"\r\n"


@contextmanager
def impostor(seed: int) -> Iterator[str]:
    """Answer every read with a random reply and hang up after some; give the URL."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    listening = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        with suppress(OSError):
            while True:
                front, _ = listening.accept()
                with front, suppress(OSError):
                    for polite in (True,) * 3 + (False,) * 4:  # the greetings first, that commands are reached
                        if not (data := front.recv(1 << 16)):
                            break
                        greeting = polite and (b"HELLO" in data or b"CLIENT" in data)
                        answers = max(1, data.count(b"CLIENT") + data.count(b"HELLO"))
                        front.sendall(b"+OK\r\n" * answers if greeting else reply(draw))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}?protocol=2"
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
