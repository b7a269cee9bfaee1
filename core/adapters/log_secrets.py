"""What no line of the log may hold: tokens, passwords in URLs, the values of authorization headers."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

HIDDEN = "***"
#: Shorter texts stand in other words: to hide them would hide the log, and tell by the gaps what they are.
SHORTEST = 4
_NAMES = r"password|passwd|secret|token|api[_-]?key|authorization|cookie"
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
#: A name, an equals sign or colon, and a value with or without quotes. Lengths are bounded: no text can be made so that
#: the search takes long.
_NAMED = re.compile(
    rf"""((?:{_NAMES})["']?\ {{0,3}}[=:]\ {{0,3}})("[^"]{{0,500}}"|'[^']{{0,500}}'|(?:\w{{1,20}}\ )?[^\s,;&)}}\]]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic) +[^\s,;\"')}\]]{6,}", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_known: tuple[str, ...] = ()


def hide(secret: str) -> None:
    """Let a secret of this process stand in no line from now on, quoted or quoted within a quotation."""
    global _known  # noqa: PLW0603 - one process, one log
    if len(secret) >= SHORTEST and secret not in _known:
        forms = _quoted(secret).union(*map(_quoted, _quoted(secret)))
        _known = tuple(sorted({*_known, *forms}, key=len, reverse=True))


def is_secret(name: str) -> bool:
    """Say whether the value of a field of this name is shown to nobody.

    >>> is_secret("admin_token"), is_secret("region")
    (True, False)
    """
    return _SECRET_NAME.search(name) is not None


def without_secrets(text: str) -> str:
    """Return a text with stars for everything in it that is secret, or looks like it.

    >>> without_secrets("redis://watch:s3cret@cache:6379/0 does not answer")
    'redis://***@cache:6379/0 does not answer'
    """
    for secret in _known:
        text = text.replace(secret, HIDDEN)
    if "://" in text:
        text = _WORD.sub(_anonymous, text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _SCHEME.sub(rf"\1 {HIDDEN}", text)


def _quoted(text: str) -> set[str]:
    return {text, repr(text)[1:-1], json.dumps(text)[1:-1], quote(text, safe="", errors="surrogatepass")}


def _anonymous(found: re.Match[str]) -> str:
    """Return a word without what stands before the last @ of a URL in it: passwords may hold any sign."""
    scheme, mark, rest = found.group().partition("://")
    return f"{scheme}{mark}{HIDDEN}@{rest.rpartition('@')[2]}" if "@" in rest else found.group()
