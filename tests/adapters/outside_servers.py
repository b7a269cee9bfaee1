"""Receivers of notices on loopback: a webhook and a mail service that do what they are told."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer

from core.domain.forecast import RiskLevel
from core.domain.notices import Notice, NoticeKind

AT = datetime(2026, 7, 29, 18, 20, tzinfo=UTC)


def notice(id: str = "n-1", **changes: object) -> Notice:
    said: dict[str, object] = {
        "id": id, "kind": NoticeKind.RAISED, "region_id": "uttarakhand-himachal", "at": AT, "level": RiskLevel.RED,
        "headline": "Red: Chamoli – भारी वर्षा", "text": "40 % in Chamoli.\nThis is no official warning.",
        "source_text": "gauges", "simulated": False, "model_version": "m1", "places": ("Chamoli", "Rudraprayag"),
    } | changes  # fmt: skip
    return Notice(**said)  # type: ignore[arg-type]


@dataclass
class Hook:
    """What a webhook answers, one after another (the last for good), and what it got."""

    answers: list[int | str]
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def next(self) -> int | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def webhook(*answers: int | str, **headers: str) -> Iterator[Hook]:
    """Serve a webhook that answers with a status, or "hang"s, "drip"s or "break"s off."""
    hook = Hook(list(answers), headers=headers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            answer = hook.next()
            if answer == "hang":
                hook.over.wait(20)
            elif answer == "drip":
                self._drip()
            elif answer != "break":
                self.send_response(int(answer))
                for name, value in hook.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_GET(self) -> None:
            hook.got.append(({}, b"GET"))
            self.send_error(200)

        def _drip(self) -> None:
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not hook.over.wait(0.02):
                    self.wfile.write(b"X-Slow: x\r\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        server.server_close()


@dataclass
class Post:
    """What a mail service answers to a verb instead of its usual answer, and what it took."""

    answers: dict[str, str] = field(default_factory=dict)
    #: Called when a verb comes; it may hang, or return True to break off.
    on: dict[str, Callable[[], object]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    offers: tuple[str, ...] = ()
    port: int = 0
    said: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


USUAL = {"MAIL": "250 ok", "RCPT": "250 ok", "AUTH": "235 ok", "RSET": "250 ok", "NOOP": "250 ok", "QUIT": "221 bye"}


class _Conversation(StreamRequestHandler):
    """SMTP as far as a client of ours speaks it (RFC 5321)."""

    post: Post

    def handle(self) -> None:
        post = self.post
        if "banner" in post.on and post.on["banner"]():
            return
        self._say(post.answers.get("banner", "220 test"))
        with suppress(OSError, ssl.SSLError):
            while line := self.rfile.readline():
                post.said.append(line.decode("ascii", "replace").strip())
                if not self._one(line.split()[0].upper().decode()):
                    break
        self.connection.close()

    def _one(self, verb: str) -> bool:
        post = self.post
        if verb in post.on and post.on[verb]():
            return False
        if verb in post.answers:
            self._say(post.answers[verb])
        elif verb == "EHLO":
            offers = post.offers + (("STARTTLS",) if post.tls and not post.at_once else ())
            self._say("\r\n".join(["250-test", *(f"250-{one}" for one in offers), "250 SIZE 1000000"]))
        elif verb == "STARTTLS" and post.tls:
            self._say("220 go on")
            self.connection = post.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        elif verb == "DATA":
            self._say("354 go on")
            post.messages.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self._say(post.answers.get("message", "250 taken"))
        else:
            self._say(USUAL.get(verb, "502 what?"))
        return verb != "QUIT"

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_service(post: Post) -> Iterator[Post]:
    """Serve mail on loopback."""

    class Server(ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

        def get_request(self):  # type: ignore[no-untyped-def]
            connection, address = super().get_request()
            if post.at_once and post.tls:
                connection = post.tls.wrap_socket(connection, server_side=True)
            return connection, address

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    handler = type("Handler", (_Conversation,), {"post": post})
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    post.port = server.server_address[1]
    try:
        yield post
    finally:
        post.over.set()
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with webhook(200) as hook:
        return int(hook.url.rsplit(":", 1)[1].split("/")[0])


def seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
