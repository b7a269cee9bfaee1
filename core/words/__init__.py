"""Words in the reader's language: one catalogue of texts, and numbers and times as its readers write them.

A text is its own key, as gettext has it: `say("Nothing warns")` is English as it stands, and what the catalogue makes
of it elsewhere. The catalogue of a language are the `*.po` files of its folder here, one per room, which any tool of
translators opens. What is not in it stays English. Values of a text stand in braces by name: `say("{n} places", n=12)`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path

from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from core.domain.told import Told

#: Code (ISO 639) and name of every language, as its readers call it.
LANGUAGES: Mapping[str, str] = {"en": "English", "hi": "हिन्दी"}
DEFAULT_LANGUAGE = "en"
UNKNOWN = "–"
#: Folder of the shipped fonts: pages and printed documents read right where a machine has none.
FONTS = Path(__file__).parent / "fonts"


@dataclass(frozen=True)
class Language:
    """One of `LANGUAGES`; get it by `language(code)`."""

    code: str
    texts: Mapping[str, str] = field(repr=False, compare=False, default_factory=dict)

    def say(self, text: str, /, **values: object) -> str:
        """Return a text with its values in this language, in English where the catalogue does not know it.

        A `Told`, given as the text or as a value, is said by its own key and values.
        """
        if isinstance(text, Told):
            return self.say(text.key, **text.values)
        said = self.texts.get(text, text)
        return said.format(**{name: self._value(value) for name, value in values.items()}) if values else said

    def _value(self, value: object) -> object:
        return self.say(value) if isinstance(value, Told) else value

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with its groups, a dash where it is not known.

        >>> language("en").number(1234567.8), language("hi").number(1234567.8, 1), language("en").number(math.nan)
        ('1,234,568', '12,34,567.8', '–')
        """
        if not math.isfinite(value):
            return UNKNOWN
        groups = "#,##,##0" if self.code == "hi" else "#,##0"
        return format_decimal(value, groups + ("." + decimals * "0" if decimals else ""), self._locale)

    def percent(self, probability: float) -> str:
        """Return a probability as people read it: rare ones keep two digits, unknown ones are a dash."""
        if math.isnan(probability):
            return UNKNOWN
        if probability < 0.0001:
            return "< 0.01 %"
        return f"{100 * probability:.2g} %" if probability < 0.1 else f"{100 * probability:.3g} %"

    def moment(self, when: datetime | None, zone: tzinfo, form: str = "dd MMM HH:mm") -> str:
        """Return a moment in a zone with its name, a dash for None.

        Parameters
        ----------
        form
            As Unicode's CLDR writes forms: dd MMM yyyy HH:mm.

        >>> from datetime import UTC
        >>> language("hi").moment(datetime(2026, 7, 29, 3, tzinfo=UTC), UTC)
        '29 जुल॰ 03:00 UTC'
        """
        if when is None:
            return UNKNOWN
        return _written(when, zone, form, self._locale)

    @property
    def _locale(self) -> str:
        return "hi_IN" if self.code == "hi" else "en_GB"


@lru_cache(maxsize=4096)
def _written(when: datetime, zone: tzinfo, form: str, locale: str) -> str:
    """Return a moment in words; pages say the same few hundred again and again."""
    there = when.astimezone(zone)
    return f"{format_datetime(there, form, zone, locale)} {there:%Z}"


@cache
def language(code: str) -> Language:
    """Return a language; `DEFAULT_LANGUAGE` where there is none of this code."""
    known = code if code in LANGUAGES else DEFAULT_LANGUAGE
    return Language(known, _catalogue(Path(__file__).parent / known))


def _catalogue(folder: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.po")):
        with path.open(encoding="utf-8") as file:
            texts |= {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string and not m.fuzzy}
    return texts
