"""Alerts as an Atom feed (RFC 4287)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from core import Alert, Freshness, Region, source_text

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
#: Whoever reads the feed can name an alert by this whatever address it was read from (RFC 4151).
TAG = "tag:cloudburst-watch.invalid,2026"
#: When a feed changed last to which nothing was ever added: Atom wants a moment.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
#: What a title says of the data behind it where they are not fresh.
MARKS = {Freshness.FRESH: "", Freshness.STALE: " (data are stale)", Freshness.NO_DATA: " (no data)"}
NO_AUTHORITY = "Cloudburst Watch is no alerting authority: this is no official warning."


def feed(region: Region, alerts: Sequence[Alert], source: str, freshness: Freshness) -> bytes:
    """Return the alerts of a region as a feed, in their order; the same alerts give the same bytes.

    `freshness` is that of the data now: nothing ends an alert of which nothing is known any more, and it says so.
    """
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")
    simulated = "Simulated: " if source == "simulator" else ""
    _text(root, "id", f"{TAG}:alerts/{source}/{region.id}")
    _text(root, "title", f"{simulated}Alerts for {region.name}{MARKS[freshness]}")
    _text(root, "subtitle", f"{NO_AUTHORITY} Data: {source_text(source)}, {freshness.value}.")
    _text(root, "updated", _moment(max((alert.changed_at for alert in alerts), default=NEVER)))
    ET.SubElement(root, f"{{{ATOM}}}link", rel="self", href=f"alerts?region={region.id}")
    ET.SubElement(root, f"{{{ATOM}}}category", scheme=f"{TAG}:freshness", term=freshness.value)
    author = ET.SubElement(root, f"{{{ATOM}}}author")
    _text(author, "name", "Cloudburst Watch")
    names = {place.id: place.name for place in region.locations}
    for alert in alerts:
        _entry(root, alert, names, MARKS[freshness])
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _entry(root: ET.Element, alert: Alert, names: dict[str, str], mark: str) -> None:
    entry = ET.SubElement(root, f"{{{ATOM}}}entry")
    level = alert.level.value.capitalize()
    where = alert.area or "places outside every district"
    simulated = "Simulated: " if alert.simulated else ""
    state = "stands" if alert.ended_at is None else "ended"
    _text(entry, "id", f"{TAG}:alert/{alert.id}")
    _text(entry, "title", f"{simulated}{level} alert {state}: {where}{mark if alert.stands else ''}")
    _text(entry, "updated", _moment(alert.changed_at))
    _text(entry, "published", _moment(alert.raised_at))
    for scheme, term, label in (
        ("level", alert.level.value, level),
        ("state", state, f"alert {state}"),
        ("data", "simulated" if alert.simulated else "real", alert.source_text),
    ):
        ET.SubElement(entry, f"{{{ATOM}}}category", scheme=f"{TAG}:{scheme}", term=term, label=label)
    said = f"level set by {alert.said_by}" if alert.said_by else f"model {alert.model_version or 'none'}"
    chance = "not known" if math.isnan(alert.probability) else f"{100 * alert.probability:.2g} %"
    ended = "" if alert.ended_at is None else f" Ended {_moment(alert.ended_at)}."
    places = ", ".join(names.get(place, place) for place in alert.places)
    _text(
        entry,
        "summary",
        f"{simulated}{level} for {where} since {_moment(alert.begun)}.{ended} Highest probability of "
        f"{alert.event.text} {alert.event.window.within}: {chance}. Places: {places or 'none'}. "
        f"Rule: {alert.rule_text}. Data: {alert.source_text}; {said}. {NO_AUTHORITY}",
    )


def _text(parent: ET.Element, name: str, text: str) -> None:
    """Add an element with a text; what XML cannot hold is left out."""
    clean = "".join(
        c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = clean


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
