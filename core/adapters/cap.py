"""An issue as a draft of an alert: Common Alerting Protocol 1.2 (OASIS, 2010).

It is never status Actual: the house is no alerting authority.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from core.adapters.cap_words import LANGUAGES, Words
from core.domain.forecast import TARGET, Forecast, RegionForecast, RiskLevel
from core.domain.maps import cell
from core.domain.weather import STATION_REACH_KM, Location

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
#: Urgency and severity of a level, the gravest first. Green and UNKNOWN do not stand here: they warn of nothing.
WARNINGS = {
    RiskLevel.RED: ("Expected", "Extreme"),
    RiskLevel.ORANGE: ("Expected", "Severe"),
    RiskLevel.YELLOW: ("Future", "Moderate"),
}
#: CAP 1.2 calls likely what is more probable than about one half.
LIKELY = 0.5


@dataclass(frozen=True)
class Message:
    """What an issue does not say of itself: who sends the draft and when, and what becomes of an earlier one.

    `kind` is Alert, Update or Cancel; `references` names the earlier message ("sender,identifier,sent") for the latter
    two. Simulated and replayed weather is an exercise whatever `exercise` says.
    """

    sender: str
    sent: datetime
    exercise: bool = False
    kind: str = "Alert"
    references: str = ""


@dataclass(frozen=True)
class _Block:
    """What one info block says in every language: its sentence of `Words`, and the places it is of."""

    sentence: str
    urgency: str
    severity: str
    certainty: str
    level: RiskLevel | None = None
    forecasts: tuple[Forecast, ...] = ()


def alert(issue: RegionForecast, message: Message) -> bytes:
    """Return the draft as XML, UTF-8: one info block per level that warns and language, in English and Hindi."""
    status = "Exercise" if message.exercise or issue.simulated or issue.replayed else "Draft"
    root = ET.Element("alert", xmlns=NAMESPACE)
    _put(
        root,
        identifier=_identifier(issue, message, status),
        sender=message.sender,
        sent=_time(message.sent),
        status=status,
        msgType=message.kind,
        source="Cloudburst Watch",
        scope="Restricted",
        restriction="For forecasters; not for release.",
        note=_note(issue, status),
        references=message.references,
    )
    blocks = [_cancelled()] if message.kind == "Cancel" else _warnings(issue) or [_nothing(issue)]
    for words in LANGUAGES:
        for block in blocks:
            _info(root, issue, message, words, block)
    ET.indent(root, " ")
    data: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return data


def _identifier(issue: RegionForecast, message: Message, status: str) -> str:
    """Return a name that no other message has, and that this one keeps however often it is made."""
    said = repr((issue.version, message.sender, status, message.kind, message.references))
    return f"{issue.region.id}-{_utc(message.sent):%Y%m%dT%H%M%S}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _note(issue: RegionForecast, status: str) -> str:
    data = "none" if issue.data_at is None else f"{issue.data_name} {_utc(issue.data_at):%Y-%m-%d %H:%M} UTC"
    facts = [
        f"{status}: not for release",
        f"Weather: {issue.source_text}",
        f"Data: {data}, {issue.freshness.value}",
        f"Model: {issue.model_version or 'none'}",
    ]
    return ". ".join(facts) + "."


def _warnings(issue: RegionForecast) -> list[_Block]:
    """Return a block per level that warns; it is likely where it is so at every place."""
    blocks = []
    for level, (urgency, severity) in WARNINGS.items():
        forecasts = tuple(f for f in issue.forecasts if f.level is level)
        likely = all(f.exceedance.of(TARGET) > LIKELY for f in forecasts)
        if forecasts:
            certainty = "Likely" if likely else "Possible"
            blocks.append(_Block("warning", urgency, severity, certainty, level, forecasts))
    return blocks


def _nothing(issue: RegionForecast) -> _Block:
    """Return the block that says that nothing warns: unlikely only where every place is known."""
    certainty = "Unknown" if issue.counts()[RiskLevel.UNKNOWN] else "Unlikely"
    return _Block("nothing", "Future", "Minor", certainty, forecasts=issue.forecasts)


def _cancelled() -> _Block:
    return _Block("cancelled", "Past", "Unknown", "Unknown")


def _info(root: ET.Element, issue: RegionForecast, message: Message, words: Words, block: _Block) -> None:
    info = ET.SubElement(root, "info")
    _put(
        info,
        language=words.language,
        category="Met",
        event=words.event,
        responseType="AllClear" if block.sentence == "cancelled" else "Monitor",
        urgency=block.urgency,
        severity=block.severity,
        certainty=block.certainty,
        effective=_time(message.sent),
        onset=_time(issue.valid_from),
        expires=_time(issue.valid_from + timedelta(hours=TARGET.window_h)),
        senderName="Cloudburst Watch",
        headline=_headline(issue, words, block),
        description=_description(issue, words, block),
        instruction=words.instruction if block.level else "",
    )
    for name, value in issue.about(message.sent).items():
        text = "; ".join(value) if isinstance(value, list) else value
        if text not in ("", None):
            _put(ET.SubElement(info, "parameter"), valueName=name, value=text)
    places = {place.id: place for place in issue.region.locations}
    for forecast in block.forecasts:
        _area(info, issue, places[forecast.location_id])


def _headline(issue: RegionForecast, words: Words, block: _Block) -> str:
    template: str = getattr(words, block.sentence)
    said = template.format(region=issue.region.name, level=words.levels[block.level] if block.level else "")
    unknown = _unknown(issue, words)
    if block.sentence == "nothing" and unknown:
        said = f"{said}. {unknown}"
    return f"{words.simulated}: {said}" if issue.simulated else said


def _description(issue: RegionForecast, words: Words, block: _Block) -> str:
    end = issue.valid_from + timedelta(hours=TARGET.window_h)
    begin, end_text = (f"{_utc(moment):%Y-%m-%d %H:%M}" for moment in (issue.valid_from, end))
    sentences = []
    if block.sentence != "cancelled":
        warned = len(block.forecasts) if block.level else 0
        sentences.append(
            words.rain.format(mm=TARGET.threshold_mm, begin=begin, end=end_text, count=warned, all=len(issue.forecasts))
        )
        known = [p for f in block.forecasts if not math.isnan(p := f.exceedance.of(TARGET))]
        if known:
            sentences.append(words.highest.format(p=max(known)))
        sentences.append(_unknown(issue, words))
    return " ".join([*filter(None, sentences), words.unofficial])


def _unknown(issue: RegionForecast, words: Words) -> str:
    """Return how many places nothing is known of, in words; empty where all are known."""
    unknown = issue.counts()[RiskLevel.UNKNOWN]
    return words.unknown.format(unknown=unknown, all=len(issue.forecasts)) if unknown else ""


def _area(info: ET.Element, issue: RegionForecast, place: Location) -> None:
    area = ET.SubElement(info, "area")
    ring = " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in cell(issue.region, place))
    circle = "" if ring else f"{place.latitude:.6f},{place.longitude:.6f} {STATION_REACH_KM:g}"
    _put(area, areaDesc=place.name or place.id, polygon=ring, circle=circle)


def _put(parent: ET.Element, **fields: Any) -> None:
    """Add fields in their order; an empty one is left out."""
    for name, value in fields.items():
        if value != "":
            ET.SubElement(parent, name).text = str(value)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _time(moment: datetime) -> str:
    """Return a moment as CAP 1.2 wants it: UTC is -00:00, never Z and never +00:00."""
    return f"{_utc(moment):%Y-%m-%dT%H:%M:%S}-00:00"
