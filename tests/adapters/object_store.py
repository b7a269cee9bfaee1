"""A little object store of the S3 kind on loopback: it lists, tells sizes and gives bytes, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
WHEN, CHANGED = "2026-07-29T00:00:00.000Z", "Wed, 29 Jul 2026 00:00:00 GMT"
NOTHING: Mapping[str, str] = {}


@dataclass
class Store:
    """Objects by bucket/key; `gone` makes every answer a refusal."""

    address: str
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gone: bool = False


@contextmanager
def object_store() -> Iterator[Store]:
    """Serve a store until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store = Store(f"http://127.0.0.1:{server.server_port}")
    server.store = store  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """Path-style requests: /BUCKET/KEY."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        store: Store = self.server.store  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        path = unquote(parts.path).strip("/")
        store.asked.append(f"{self.command} {path}")
        if store.gone or not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            self._answer(403, error("AccessDenied"))
        elif "list-type" in query:
            self._answer(200, listed(store, path, query.get("prefix", [""])[0], "delimiter" in query))
        elif path in store.objects:
            self._object(store.objects[path])
        elif "/" not in path and any(name.startswith(f"{path}/") for name in store.objects):
            self._answer(200, b"")
        else:
            self._answer(404, error("NoSuchKey"))

    def _object(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        if not asked:
            self._answer(200, data, "application/octet-stream")
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        some = data[int(first) : int(last) + 1 if last else None]
        span = f"bytes {first}-{int(first) + len(some) - 1}/{len(data)}"
        self._answer(206, some, "application/octet-stream", {"Content-Range": span})

    def _answer(
        self, code: int, body: bytes, kind: str = "application/xml", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(code)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Last-Modified": "Wed, 29 Jul 2026 00:00:00 GMT",
        }
        for name, value in {**headers, "ETag": '"0"', **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def listed(store: Store, bucket: str, prefix: str, folders: bool) -> bytes:
    keys = sorted(name.removeprefix(f"{bucket}/") for name in store.objects if name.startswith(f"{bucket}/"))
    keys = [key for key in keys if key.startswith(prefix)]
    below = {key: key.removeprefix(prefix).partition("/") for key in keys}
    common = sorted({prefix + head + "/" for head, slash, _ in below.values() if slash}) if folders else []
    own = [key for key in keys if not folders or not below[key][1]]
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(store.objects[f'{bucket}/{key}'])}</Size>"
        f'<ETag>"0"</ETag><LastModified>{WHEN}</LastModified></Contents>'
        for key in own
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>" for key in common)
    head = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(own) + len(common)}</KeyCount>"
    body = f"{head}<IsTruncated>false</IsTruncated>{contents}{prefixes}"
    return f"{HEAD}<ListBucketResult>{body}</ListBucketResult>".encode()


def error(code: str) -> bytes:
    return f"{HEAD}<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
