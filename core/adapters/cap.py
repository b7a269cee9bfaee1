"""An issue as a draft of an alert: Common Alerting Protocol 1.2 (OASIS, 2010).

It is never status Actual: the house is no alerting authority. One that warns of nothing is a Draft, also of simulated
weather: there is nothing to exercise, and the note and the headline say what the weather is.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from core.adapters.cap_areas import Area, areas
from core.domain.forecast import TARGET, Forecast, RegionForecast, RiskLevel
from core.words import LANGUAGES, Language, language

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
#: Urgency and severity of a level, the gravest first. Green and UNKNOWN do not stand here: they warn of nothing.
WARNINGS = {
    RiskLevel.RED: ("Expected", "Extreme"),
    RiskLevel.ORANGE: ("Expected", "Severe"),
    RiskLevel.YELLOW: ("Future", "Moderate"),
}
HEADLINES = {
    RiskLevel.RED: "Red warning of extreme short-duration rain: {region}",
    RiskLevel.ORANGE: "Orange warning of extreme short-duration rain: {region}",
    RiskLevel.YELLOW: "Yellow warning of extreme short-duration rain: {region}",
}
NOTHING = "{region}: no warning in force"
CANCELLED = "{region}: the earlier message is cancelled"
#: CAP 1.2 calls likely what is more probable than about one half.
LIKELY = 0.5


@dataclass(frozen=True)
class Message:
    """What an issue does not say of itself: who sends the draft and when, and what becomes of an earlier one.

    `kind` is Alert, Update or Cancel; `references` names the earlier message ("sender,identifier,sent") for the latter
    two. Where something warns, simulated and replayed weather is an exercise whatever `exercise` says.
    """

    sender: str
    sent: datetime
    exercise: bool = False
    kind: str = "Alert"
    references: str = ""


@dataclass(frozen=True)
class _Block:
    """What one info block says in every language: its headline, a text of the catalogue, and the places it is of."""

    headline: str
    urgency: str
    severity: str
    certainty: str
    level: RiskLevel | None = None
    forecasts: tuple[Forecast, ...] = ()
    ends: bool = False


def alert(issue: RegionForecast, message: Message) -> bytes:
    """Return the draft as XML, UTF-8: one info block per level that warns and language, in English and Hindi."""
    warnings = _warnings(issue)
    blocks = [_cancelled()] if message.kind == "Cancel" else warnings or [_nothing(issue)]
    made_up = issue.simulated or issue.replayed
    exercise = message.exercise or (made_up and bool(warnings or message.kind == "Cancel"))
    status = "Exercise" if exercise else "Draft"
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
    for code in LANGUAGES:
        for block in blocks:
            _info(root, issue, message, language(code), block)
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
            blocks.append(_Block(HEADLINES[level], urgency, severity, certainty, level, forecasts))
    return blocks


def _nothing(issue: RegionForecast) -> _Block:
    """Return the block that says that nothing warns: unlikely only where every place is known."""
    certainty = "Unknown" if issue.counts()[RiskLevel.UNKNOWN] else "Unlikely"
    return _Block(NOTHING, "Future", "Minor", certainty, forecasts=issue.forecasts)


def _cancelled() -> _Block:
    return _Block(CANCELLED, "Past", "Unknown", "Unknown", ends=True)


def _info(root: ET.Element, issue: RegionForecast, message: Message, words: Language, block: _Block) -> None:
    info = ET.SubElement(root, "info")
    advice = words.say("Keep away from streams and steep slopes. Follow the official warnings.")
    _put(
        info,
        language=f"{words.code}-IN",
        category="Met",
        event=words.say("Extreme short-duration rain"),
        responseType="AllClear" if block.ends else "Monitor",
        urgency=block.urgency,
        severity=block.severity,
        certainty=block.certainty,
        effective=_time(message.sent),
        onset=_time(issue.valid_from),
        expires=_time(issue.valid_from + timedelta(hours=TARGET.window_h)),
        senderName="Cloudburst Watch",
        headline=_headline(issue, words, block),
        description=_description(issue, words, block),
        instruction=advice if block.level else "",
    )
    for name, value in issue.about(message.sent).items():
        text = "; ".join(value) if isinstance(value, list) else value
        if text not in ("", None):
            _put(ET.SubElement(info, "parameter"), valueName=name, value=text)
    _areas(info, issue, block)


def _headline(issue: RegionForecast, words: Language, block: _Block) -> str:
    said = words.say(block.headline, region=issue.region.name)
    unknown = _unknown(issue, words)
    if block.headline == NOTHING and unknown:
        said = f"{said}. {unknown}"
    return words.say("Simulated: {headline}", headline=said) if issue.simulated else said


def _description(issue: RegionForecast, words: Language, block: _Block) -> str:
    end = issue.valid_from + timedelta(hours=TARGET.window_h)
    begin, end_text = (f"{_utc(moment):%Y-%m-%d %H:%M}" for moment in (issue.valid_from, end))
    sentences = []
    if not block.ends:
        rain = words.say(
            "Rain of {mm} mm or more in one hour between {begin} and {end} UTC: {count} of {all} places.",
            mm=f"{TARGET.threshold_mm:g}",
            begin=begin,
            end=end_text,
            count=len(block.forecasts) if block.level else 0,
            all=len(issue.forecasts),
        )
        sentences.append(rain)
        known = [p for f in block.forecasts if not math.isnan(p := f.exceedance.of(TARGET))]
        if known:
            sentences.append(words.say("Highest probability: {p}.", p=f"{max(known):.1%}"))
        sentences.append(_unknown(issue, words))
    return " ".join([*filter(None, sentences), words.say("This is no official warning.")])


def _unknown(issue: RegionForecast, words: Language) -> str:
    """Return how many places nothing is known of, in words; empty where all are known."""
    unknown = issue.counts()[RiskLevel.UNKNOWN]
    if not unknown:
        return ""
    return words.say("Nothing is known of {unknown} of {all} places.", unknown=unknown, all=len(issue.forecasts))


def _areas(info: ET.Element, issue: RegionForecast, block: _Block) -> None:
    """Add the areas of a block; where nothing warns it is the region, whose districts need not be named."""
    spoken = {forecast.location_id for forecast in block.forecasts}
    places = [place for place in issue.region.locations if place.id in spoken]
    found = areas(issue.region, places)
    if block.headline == NOTHING and issue.region.spacing_deg is not None:
        polygons = tuple(polygon for area in found for polygon in area.polygons)
        found = [Area((issue.region.name,), polygons)]
    for area in found:
        element = ET.SubElement(info, "area")
        _put(element, areaDesc=", ".join(area.names))
        for polygon in area.polygons:
            _put(element, polygon=polygon)
        for circle in area.circles:
            _put(element, circle=circle)


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
