"""One event is one line of logfmt, whatever its fields hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from core.adapters.log_secrets import HIDDEN, is_secret, without_secrets

#: What every line begins with.
FIRST = ("timestamp", "level", "event")
_BARE = re.compile(r'[^\s"=\\]+')
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return an event of structlog as a line in which no secret stands: the last of its processors."""
    ordered = {**{name: event[name] for name in FIRST if name in event}, **event}
    return line({without_secrets(name): _shown(name, value) for name, value in ordered.items()})


def line(fields: Mapping[str, str]) -> str:
    r"""Return fields as one printable line that can be read back.

    A name is percent-encoded as in a URL. A value of visible characters without space, quote, equals sign and backslash
    stands as it is, every other as a JSON string in which all that is not printable is escaped: line separators of any
    kind, control characters, and marks that turn the direction of writing.

    >>> print(line({"event": "it rains", "place": "Chamoli", "said": 'a\nlevel="x"'}))
    event="it rains" place=Chamoli said="a\nlevel=\"x\""
    """
    return " ".join(f"{quote(name, safe='', errors='surrogatepass')}={_value(text)}" for name, text in fields.items())


def _shown(name: str, value: object) -> str:
    if is_secret(name):
        return HIDDEN
    try:
        return without_secrets(str(value))
    except Exception:  # whoever logs a thing that cannot say what it is must not fail for that
        return f"<{type(value).__name__}>"


def _value(text: str) -> str:
    if text.isprintable() and _BARE.fullmatch(text):
        return text
    return _NOT_ASCII.sub(_visible, json.dumps(text, ensure_ascii=False))


def _visible(found: re.Match[str]) -> str:
    character = found.group()
    return character if character.isprintable() else json.dumps(character)[1:-1]
