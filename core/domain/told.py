"""Texts that keep what they were made of, so that they can be said in another language long after they were made.

What the core tells of weather and models is told in English, for logs and the API, and is read in Hindi too: a `Told`
is that English text and remembers its key in the catalogue with its values. `core.words` says it in any language.
"""

from __future__ import annotations

from datetime import date, timedelta

#: The months as a day names them, keys of the catalogue.
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class Told(str):
    """An English text with the key and the values it was made of; anything that takes a `str` takes it.

    Joined or formatted into another text it is but a `str`: tell that text by `tell` too, with this one as a value.
    """

    key: str
    values: dict[str, object]

    def __new__(cls, key: str, values: dict[str, object]) -> Told:
        """Make the text of a key: as it stands where it has no values."""
        made = super().__new__(cls, key.format(**values) if values else key)
        made.key, made.values = key, values
        return made

    def __getnewargs__(self) -> tuple[str, dict[str, object]]:  # type: ignore[override]  # of str: one argument
        """Return what a copy is made of."""
        return self.key, self.values


def tell(text: str, /, **values: object) -> Told:
    """Return a text of the catalogue with its values, in English; a value that is `Told` is translated with it.

    >>> tell("{n} of {m} places {state}", n=3, m=12, state=tell("known"))
    '3 of 12 places known'
    """
    return text if isinstance(text, Told) else Told(text, values)


def tell_day(number: int) -> Told:
    """Return a day of the year, 1 to 365, such as "29 July"."""
    day = date(2001, 1, 1) + timedelta(days=number - 1)
    return tell("{day} {month}", day=day.day, month=tell(MONTHS[day.month - 1]))
