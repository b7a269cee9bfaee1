"""Text that a spreadsheet takes as it came: what XML forbids is shown, what is too long says so, names are allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Units of UTF-16 in one cell.
LONGEST = 32_767
#: Characters of the name of a sheet.
LONGEST_NAME = 31
#: Names that Excel keeps for itself.
RESERVED = frozenset({"history"})
#: What XML 1.0 forbids, and the returns that its readers change: tab and line feed alone may stay.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def clean(text: str, mark: str) -> str:
    r"""Return text that a cell can hold, with every forbidden character shown and `mark` at the end where it was cut.

    >>> clean("a\x00b\x1b[1m", "...")
    'a␀b␛[1m'
    """
    shown = _FORBIDDEN.sub(_visible, text)
    if len(shown) > LONGEST // 2 and _units(shown) > LONGEST:
        kept = shown.encode("utf-16-le")[: 2 * (LONGEST - _units(mark))]
        shown = kept.decode("utf-16-le", "ignore") + mark
    # xlsxwriter takes a string between these two for cells' XML of its own and writes it as it stands.
    return f"{shown} " if shown.startswith("<r>") and shown.endswith("</r>") else shown


def _visible(found: re.Match[str]) -> str:
    """Return the picture of a control character (U+2400 and following), or the sign of what cannot be shown."""
    code = ord(found[0])
    return "\u2421" if code == 0x7F else chr(0x2400 + code) if code < 0x20 else "\ufffd"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def sheet_name(wanted: str, taken: Iterable[str], part: int = 1) -> str:
    """Return an allowed name for a sheet that is not taken yet, whatever the case; from the second part on numbered.

    >>> sheet_name("Wind [m/s]", ["wind -m-s-"]), sheet_name("Cases", ["Cases"], part=2)
    ('Wind -m-s- 2', 'Cases (2)')
    """
    plain = _NOT_IN_NAMES.sub("-", clean(wanted, "").replace("\n", " ").replace("\t", " ")).strip("' ") or "-"
    used, number = {name.casefold() for name in taken} | RESERVED, 1
    ending = f" ({part})" if part > 1 else ""
    while True:
        name = _fitting(plain, ending if number == 1 else f" {number}{ending}")
        if name.casefold() not in used:
            return name
        number += 1


def _fitting(text: str, ending: str) -> str:
    """Return text and ending within the longest name; what is cut is cut from the text."""
    room = LONGEST_NAME - len(ending)
    while _units(text) > room:
        text = text[:-1]
    return text.rstrip("' ") + ending
