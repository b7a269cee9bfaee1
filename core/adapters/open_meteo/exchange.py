"""One request and its reply over HTTP: bounded in bytes, deaf to redirects and to the environment."""

from __future__ import annotations

import ssl
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from core.adapters.open_meteo.answers import refuse
from core.errors import ConfigurationError

#: Seconds to connect and between two bytes: short, so that there is time for another try within the deadline.
CONNECT_S, READ_S = 3.0, 5.0
#: An answer that says why it failed is short.
ERROR_BYTES = 64_000
#: The service writes this into a body that was well until then, with status 200.
BROKEN_OFF = b"Unexpected error while streaming data"
GZIP = 16 + zlib.MAX_WBITS
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "cloudburst-watch/2"}


class Passing(Exception):
    """A failure that another try may mend; `fault` is its kind in one word."""

    def __init__(self, text: str, fault: str) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(frozen=True)
class Reply:
    """Status, wait asked for by header, and body: decoded and within its cap."""

    status: int
    retry_after: str | None
    body: bytes = field(repr=False)


async def exchange(
    url: str, params: dict[str, str], cap: int, transport: httpx.AsyncBaseTransport | None = None
) -> Reply:
    """Send one GET request and return the reply.

    Nothing of the environment is used: no proxy and no .netrc decides where requests go. Redirects are answers, not
    orders. The content type is not looked at: captive portals lie about it, and so do good servers.

    Raises
    ------
    Passing
        If the body breaks off.
    SourceResponseInvalid
        If the body is larger than `cap` bytes or packed in another way than asked.
    httpx.HTTPError, httpx.InvalidURL
        As httpx does.
    """
    verify = _tls() if url.startswith("https:") else False
    client = httpx.AsyncClient(
        transport=transport,
        verify=verify,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
    )
    async with client, client.stream("GET", url, params=params, headers=HEADERS) as response:
        status = response.status_code
        body = b""
        if status == HTTPStatus.OK or status >= HTTPStatus.BAD_REQUEST:
            body = await _body(response, cap if status == HTTPStatus.OK else ERROR_BYTES)
        return Reply(status, response.headers.get("retry-after"), body)


@lru_cache(1)
def _tls() -> ssl.SSLContext:
    """Return the one context: reading the certificates takes longer than a request."""
    return ssl.create_default_context()


async def _body(response: httpx.Response, cap: int) -> bytes:
    """Return the decoded body, never holding more than its cap: a gzip bomb is cut while it unfolds."""
    if response.is_stream_consumed:  # a stand-in for the network holds it whole and decoded
        return response.content if len(response.content) <= cap else refuse("too_large", f"is larger than {cap} bytes")
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip"}:
        refuse("packing", "is packed in a way that was not asked for")
    unpack = zlib.decompressobj(GZIP) if packing == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += unpack.decompress(chunk, cap + 1 - len(body)) if unpack else chunk
        except zlib.error:
            refuse("packing", "cannot be unpacked")
        if unpack and unpack.unused_data:
            refuse("packing", "goes on after its end")
        if len(body) > cap:
            refuse("too_large", f"is larger than {cap} bytes")
    if unpack and not unpack.eof:
        raise Passing("it broke off in the middle of an answer", "broken_off")
    return bytes(body)


def broken_off(body: bytes) -> bool:
    """Tell whether JSON began and did not end: status 200 is sent before the service knows that it will fail."""
    text = body.strip()
    return not text or text.endswith(BROKEN_OFF) or (text[:1] in b"{[" and text[-1:] not in b"}]")


def checked_base(url: str) -> str:
    """Return the base address without a slash at its end, refusing what is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no port
        plain = (
            parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment or "@" in url)
        )
    except ValueError:
        plain = False
    if url and not plain:
        raise ConfigurationError(
            "CLOUDBURST_OPEN_METEO_URL is no address that can be used.", hint="Write it like http://127.0.0.1:8080."
        )
    return url.rstrip("/")
