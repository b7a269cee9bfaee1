"""Times and ages as people read them. Only here is anything local: inside, all is UTC."""

from __future__ import annotations

import math
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from core import Region


def local(moment: datetime | None, region: Region, form: str = "%d %b %H:%M") -> str:
    """Return a moment in the region's own time with the name of the zone, or a dash."""
    return "–" if moment is None else f"{moment.astimezone(ZoneInfo(region.time_zone)):{form} %Z}"


def age(seconds: float | None) -> str:
    """Return an age in words: "30 s", "40 min", "3.5 h", "12 days"."""
    if seconds is None or math.isnan(seconds):
        return "unknown"
    if seconds < 59.5:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def percent(probability: float) -> str:
    """Return a probability as people read it: rare ones keep two digits, unknown ones are a dash."""
    if math.isnan(probability):
        return "–"
    if probability < 0.0001:
        return "< 0.01 %"
    return f"{100 * probability:.2g} %" if probability < 0.1 else f"{100 * probability:.3g} %"


def share(value: float) -> str:
    """Return a share in [0, 1] as people read it: unknown is a dash, and only all of it is 100 %."""
    if math.isnan(value):
        return "–"
    tenths = math.floor(1000 * value + 1e-9) / 10
    return "< 0.1 %" if value > 0 and tenths == 0 else f"{tenths:g} %"


def plain(text: str) -> str:
    """Return text that stays text in Markdown: file names and cells of foreign files may hold anything."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|$~:])", r"\\\1", text)
