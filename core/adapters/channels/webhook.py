"""A webhook: every notice is one POST request with JSON, signed where a secret is shared."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import ssl
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from core.adapters.resilience import Deadline, DeadlineExceeded, within
from core.domain.notices import Notice
from core.errors import ConfigurationError, DeliveryFailed

#: Seconds from the first byte to the last; all channels send within one turn of the scheduler.
DEADLINE_S = 8.0
SIGNATURE = "X-Cloudburst-Signature"


class Webhook:
    """Port `Channel`: posts to one address. Redirects are answers, not orders, and no proxy of the environment is used.

    Parameters
    ----------
    url
        https, or http to this machine.
    secret
        Shared with the receiver; empty: nothing is signed.
    deadline_s
        Neither slow bytes nor silence can hold a request for longer.

    Raises
    ------
    ConfigurationError
        If it is no such address; the message repeats none of it.
    """

    def __init__(self, url: str, secret: str = "", deadline_s: float = DEADLINE_S) -> None:
        self._url, self._secret, self._deadline_s = _checked(url), secret, deadline_s
        digest = hashlib.sha256(url.encode()).hexdigest()[:6]
        self._name = f"webhook {urlsplit(url).hostname} {digest}"

    @property
    def name(self) -> str:
        """Its host, and a digest of the whole: two paths of a host are two channels."""
        return self._name

    def send(self, notice: Notice) -> None:
        """Post one notice.

        Raises
        ------
        DeliveryFailed
            If the answer is not 2xx, or there is none in time.
        """
        body = json.dumps({**notice.as_dict(), "official": False}, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "cloudburst-watch/2"}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body)
        try:
            status, retry_after = within(Deadline(self._deadline_s), lambda: self._post(body, headers))
        except (DeadlineExceeded, httpx.TimeoutException):
            raise DeliveryFailed(f"It did not answer within {self._deadline_s:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise DeliveryFailed(_why(error)) from None
        _judge(status, retry_after)

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Return the status and the wait asked for; the body of an answer is not read."""
        verify = _tls() if self._url.startswith("https:") else False
        client = httpx.AsyncClient(
            verify=verify, trust_env=False, follow_redirects=False, timeout=httpx.Timeout(self._deadline_s)
        )
        async with client, client.stream("POST", self._url, content=body, headers=headers) as response:
            return response.status_code, response.headers.get("retry-after", "")


def webhooks(urls: Sequence[str], secret: str) -> tuple[Webhook, ...]:
    """Return one channel per address; one that is named twice is told once."""
    return tuple(Webhook(url, secret) for url in dict.fromkeys(urls))


def signature(secret: str, body: bytes) -> str:
    """Return what the receiver compares: HMAC-SHA256 (RFC 2104) of the body as sent, in hexadecimal digits.

    >>> signature("Jefe", b"what do ya want for nothing?")  # RFC 4231, test case 2
    'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    """
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def loopback(host: str) -> bool:
    """Tell whether a host is this machine.

    >>> loopback("localhost"), loopback("127.8.0.1"), loopback("::1"), loopback("met.example")
    (True, True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no port
        httpx.URL(url)
        host = parts.hostname or ""
        well = parts.scheme == "https" or (parts.scheme == "http" and loopback(host))
        plain = url.isascii() and url.isprintable() and " " not in url and not parts.fragment
    except (ValueError, httpx.InvalidURL):
        host, well, plain = "", False, False
    if not (host and well and plain):
        raise ConfigurationError(
            "CLOUDBURST_WEBHOOK_URLS holds an address that cannot be used.",
            hint="Write https://host/path, several separated by commas; http only to this machine.",
        )
    return url


def _judge(status: int, retry_after: str) -> None:
    """Refuse every answer but success; only 410 says that no later try will do."""
    if HTTPStatus(200) <= status < HTTPStatus(300):
        return
    moved = " (a redirect, which is not followed)" if HTTPStatus(300) <= status < HTTPStatus(400) else ""
    wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 7 else 0.0
    raise DeliveryFailed(f"It answered {status}{moved}.", final=status == HTTPStatus.GONE, retry_after_s=wait_s)


def _why(error: Exception) -> str:
    """Return in words why a request failed; texts of libraries may hold the address."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "Its certificate is not trusted."
    if isinstance(error, httpx.ConnectError):
        return "It cannot be reached."
    return f"The connection broke off ({type(error).__name__})."


@lru_cache(1)
def _tls() -> ssl.SSLContext:
    """Return the one context: reading the certificates takes longer than a request."""
    return ssl.create_default_context()
