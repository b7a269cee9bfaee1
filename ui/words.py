"""Times and ages as people read them. Only here is anything local: inside, all is UTC."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pandas as pd
from babel.dates import format_datetime

from core import DEFAULT_LANGUAGE, MONTHS, EventDefinition, Region, Told, Window
from ui.language import current, say

LOCALES = {"en": "en_GB", "hi": "hi_IN"}
#: Parts of a form of `strftime`, and what CLDR calls them.
CLDR = {"%d": "dd", "%b": "MMM", "%m": "MM", "%Y": "yyyy", "%H": "HH", "%M": "mm", "%S": "ss", "%Z": "z"}


def local(moment: datetime | None, region: Region, form: str = "%d %b %H:%M") -> str:
    """Return a moment in the region's own time with the name of the zone, or a dash."""
    return current().moment(moment, ZoneInfo(region.time_zone), _cldr(form))


def day(moment: date, form: str = "%d %b %Y") -> str:
    """Return a day, or a moment as it stands without a zone: of hours that are named in their own time."""
    when = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return format_datetime(when.replace(tzinfo=None), _cldr(form), locale=LOCALES[current().code])


def _cldr(form: str) -> str:
    """Return a form of `strftime` as Unicode's CLDR writes it."""
    return "".join(CLDR.get(part, part) for part in re.split("(%[a-zA-Z])", form))


def count(number: float, decimals: int = 0) -> str:
    """Return a number with its groups as the reader writes them."""
    return current().number(number, decimals)


def age(seconds: float | None) -> str:
    """Return an age in words: "30 s", "40 min", "3.5 h", "12 days"."""
    if seconds is None or math.isnan(seconds):
        return say("unknown")
    if seconds < 59.5:
        return say("{n} s", n=f"{max(seconds, 0):.0f}")
    if seconds < 5400:
        return say("{n} min", n=f"{seconds / 60:.0f}")
    if seconds < 172_800:
        return say("{n} h", n=f"{seconds / 3600:.1f}")
    return say("{n} days", n=f"{seconds / 86_400:.0f}")


def percent(probability: float) -> str:
    """Return a probability as people read it: rare ones keep two digits, unknown ones are a dash."""
    return current().percent(probability)


def event_text(event: EventDefinition) -> str:
    """Return an event in words, such as "≥ 15 mm/h"."""
    if event.accumulation_h == 1:
        return f"≥ {event.threshold_mm:g} {say('mm/h')}"
    return say("≥ {amount} mm in {hours} h", amount=f"{event.threshold_mm:g}", hours=event.accumulation_h)


def window_text(window: Window) -> str:
    """Return a window in words, such as "0 to 6 h"."""
    return say("{begin} to {end} h", begin=window.begin_h, end=window.end_h)


def within(window: Window) -> str:
    """Return a window as a part of a sentence, such as "within 6 h"."""
    if window.begin_h:
        return say("in {begin} to {end} h", begin=window.begin_h, end=window.end_h)
    return say("within {end} h", end=window.end_h)


def source(text: str) -> str:
    """Return a provenance, such as "Simulated: 29 July", in the reader's language, as far as it is ours."""
    if isinstance(text, Told):
        return say(text)
    name, colon, rest = text.partition(": ")
    number, _, month = rest.partition(" ")
    return f"{say(name)}{colon}{number} {say(month)}" if month in MONTHS else say(text)


def heads(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the heads of its columns in the reader's language; whoever sets one up says its name."""
    return table if current().code == DEFAULT_LANGUAGE else table.rename(columns=lambda name: say(str(name)))


def share(value: float) -> str:
    """Return a share in [0, 1] as people read it: unknown is a dash, and only all of it is 100 %."""
    if math.isnan(value):
        return "–"
    tenths = math.floor(1000 * value + 1e-9) / 10
    return "< 0.1 %" if value > 0 and tenths == 0 else f"{tenths:g} %"


def plain(text: str) -> str:
    """Return text that stays text in Markdown: file names and cells of foreign files may hold anything."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|$~:])", r"\\\1", text)
