"""The rules of CAP 1.2 (OASIS, 2010, section 3.2 and the schema of section 3.4): what a message breaks, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from core.adapters.cap import NAMESPACE
from core.domain.geometry import is_simple

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_NAME = re.compile(r"[^\s,<&]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;.*)?", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]+", re.ASCII)
_ENCODING = re.compile(r"""<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)""")
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
#: Says where a schema is; every other attribute is foreign to CAP.
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
#: The schema of times knows no farther zones.
_FARTHEST = timedelta(hours=14)
#: A ring has three corners and its first once more.
_RING = 4

Rule = Callable[[str], str]


def broken(data: bytes) -> list[str]:
    """Return the rules of CAP 1.2 that a message breaks, in words; none where it is one.

    A document type is refused before it is parsed: entities come in by it.
    """
    try:
        root = _parsed(data)
    except ValueError as error:
        return [str(error)]
    if root.tag != f"{{{NAMESPACE}}}alert":
        return [f"the root is {root.tag}, not alert in {NAMESPACE}"]
    return [*_in(root, _ALERT, "alert"), *_together(root)]


def reference(data: bytes) -> str:
    """Return how later messages name this one, "sender,identifier,sent"; the message must break no rule."""
    root = _parsed(data)
    return ",".join(_said(root, name) for name in ("sender", "identifier", "sent"))


def _parsed(data: bytes) -> ET.Element:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8") from None
    if "<!DOCTYPE" in text:
        raise ValueError("it has a document type, which is never read")
    declared = _ENCODING.match(text)
    if declared and declared[1].upper() not in ("UTF-8", "UTF8", "US-ASCII"):
        raise ValueError(f"it says that it is {declared[1]}, not UTF-8")
    try:
        return ET.fromstring(text)  # noqa: S314 - no document type, so no entity
    except ET.ParseError as error:
        raise ValueError(f"it is no well-formed XML: {error}") from None


@dataclass(frozen=True)
class _Field:
    """An element: its name, whether it must and may more than once be there, and what it may hold."""

    name: str
    rule: Rule | tuple[_Field, ...]
    must: bool = False
    many: bool = False


def _in(parent: ET.Element, fields: tuple[_Field, ...], path: str) -> list[str]:
    """Return what is wrong with the elements within one: which, how many, in which order, and what they hold."""
    children = [child for child in parent if not (path == "alert" and child.tag == _SIGNATURE)]
    names = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in children]
    order = [field.name for field in fields]
    found = _foreign(parent, path)
    if any((text or "").strip() for text in (parent.text, *(child.tail for child in parent))):
        found.append(f"{path} holds text between its elements")
    found += [f"{path} has no element {name}" for name in names if name not in order]
    places = [order.index(name) for name in names if name in order]
    if places != sorted(places):
        found.append(f"{path}: its elements are not in the order {', '.join(order)}")
    for field in fields:
        same = [child for child, name in zip(children, names, strict=True) if name == field.name]
        if field.must and not same:
            found.append(f"{path}: {field.name} is missing")
        if len(same) > 1 and not field.many:
            found.append(f"{path}: {field.name} is there {len(same)} times")
        for child in same:
            found += _held(child, field, f"{path}/{field.name}")
    return found


def _held(element: ET.Element, field: _Field, path: str) -> list[str]:
    if isinstance(field.rule, tuple):
        return _in(element, field.rule, path)
    if len(element):
        return [f"{path} holds elements, not text"]
    wrong = field.rule((element.text or "").strip())
    return [*_foreign(element, path), *([f"{path} {wrong}"] if wrong else [])]


def _foreign(element: ET.Element, path: str) -> list[str]:
    strange = [name for name in element.attrib if not name.startswith(_INSTANCE)]
    return [f"{path} has an attribute {strange[0]}"] if strange else []


def _together(root: ET.Element) -> list[str]:
    """Return the rules that join several elements."""
    scope, kind = _said(root, "scope"), _said(root, "msgType")
    rules = [
        ((scope == "Restricted") != bool(_said(root, "restriction")), "restriction goes with scope Restricted"),
        (scope == "Private" and not _said(root, "addresses"), "scope Private needs addresses"),
        (kind not in ("Alert", "") and not _said(root, "references"), f"msgType {kind} needs references"),
        (_said(root, "status") == "Exercise" and not _said(root, "note"), "status Exercise needs a note"),
        (kind == "Error" and not _said(root, "note"), "msgType Error needs a note"),
    ]
    found = [f"alert: {words}" for wrong, words in rules if wrong] + _earlier(root)
    for info in root.iter(f"{{{NAMESPACE}}}info"):
        found += _in_time(info, _moment(_said(root, "sent")), kind)
    for area in root.iter(f"{{{NAMESPACE}}}area"):
        low, high = _said(area, "altitude"), _said(area, "ceiling")
        if high and not low:
            found.append("alert/info/area: ceiling needs altitude")
        elif high and _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high) and float(high) < float(low):
            found.append("alert/info/area: ceiling is below altitude")
    for resource in root.iter(f"{{{NAMESPACE}}}resource"):
        uri = _said(resource, "uri")
        if uri and not _URI.fullmatch(uri) and not _said(resource, "derefUri"):
            found.append("alert/info/resource: uri is not absolute, and derefUri does not hold what it names")
    return found


def _earlier(root: ET.Element) -> list[str]:
    """Return whether the messages referred to are other and earlier ones."""
    own = (_said(root, "sender"), _said(root, "identifier"))
    parts = [message.split(",") for message in _said(root, "references").split()]
    whole = [part for part in parts if len(part) == len(("sender", "identifier", "sent"))]
    found = ["alert: references names the message itself"] if own in [(p[0], p[1]) for p in whole] else []
    sent = _moment(_said(root, "sent"))
    moments = [moment for part in whole if (moment := _moment(part[2]))]
    if sent and any(moment > sent for moment in moments):
        found.append("alert: references names a message that is sent later")
    return found


def _in_time(info: ET.Element, sent: datetime | None, kind: str) -> list[str]:
    """Return whether an info block ends after it begins, and where it is no end of another, after it is sent."""
    expires = _moment(_said(info, "expires"))
    if expires is None:
        return []
    found = []
    for name in ("effective", "onset"):
        begins = _moment(_said(info, name))
        if begins and expires <= begins:
            found.append(f"alert/info: expires is not after {name}")
    if sent and expires <= sent and kind in ("Alert", "Update"):
        found.append("alert/info: expires is not after sent")
    return found


def _moment(text: str) -> datetime | None:
    """Return a moment, None where it is none."""
    return None if _time(text) else datetime.fromisoformat(text)


def _said(element: ET.Element, name: str) -> str:
    return (element.findtext(f"{{{NAMESPACE}}}{name}") or "").strip()


def _one_of(names: str) -> Rule:
    return lambda text: "" if text in names.split() else f"is {text!r}, not one of {names}"


def _any(text: str) -> str:
    return "" if text else "is empty"


def _like(pattern: re.Pattern[str], words: str) -> Rule:
    return lambda text: "" if pattern.fullmatch(text) else f"is {text!r}, not {words}"


def _time(text: str) -> str:
    """Check a moment: no Z, and UTC is -00:00."""
    try:
        zone = _TIME.fullmatch(text) and not text.endswith("+00:00") and datetime.fromisoformat(text).utcoffset()
        well = isinstance(zone, timedelta) and abs(zone) <= _FARTHEST
    except ValueError:
        well = False
    return "" if well else f"is {text!r}, not a time such as 2026-07-29T18:00:00+05:30, with UTC as -00:00"


def _references(text: str) -> str:
    for message in text.split():
        parts = message.split(",")
        if len(parts) != len(("sender", "identifier", "sent")) or _name(parts[0]) or _name(parts[1]) or _time(parts[2]):
            return f"holds {message!r}, not sender,identifier,sent"
    return _any(text)


def _point(text: str) -> bool:
    """Tell whether a text is "latitude,longitude" in degrees (WGS 84)."""
    numbers = text.split(",")
    if len(numbers) != len(("latitude", "longitude")) or not all(map(_NUMBER.fullmatch, numbers)):
        return False
    return abs(float(numbers[0])) <= 90 and abs(float(numbers[1])) <= 180


def _polygon(text: str) -> str:
    points = text.split()
    if not all(map(_point, points)):
        return "is no list of latitude,longitude"
    if len(points) < _RING:
        return f"has {len(points)} points, not {_RING} or more"
    if points[0] != points[-1]:
        return "does not end where it begins"
    pairs = [point.split(",") for point in points]
    simple = is_simple([(float(longitude), float(latitude)) for latitude, longitude in pairs])
    return "" if simple else "crosses or touches itself"


def _circle(text: str) -> str:
    centre, _, radius = text.partition(" ")
    well = _point(centre) and _NUMBER.fullmatch(radius) and float(radius) >= 0
    return "" if well else "is no latitude,longitude and radius in km"


_name = _like(_NAME, "a name without blank, comma, < and &")
_integer = _like(re.compile(r"\d+", re.ASCII), "a whole number")
_decimal = _like(_NUMBER, "a number")
_PAIR = (_Field("valueName", _any, must=True), _Field("value", _any, must=True))
_RESOURCE = (
    _Field("resourceDesc", _any, must=True),
    _Field("mimeType", _like(_MIME, "a type such as text/plain"), must=True),
    _Field("size", _integer),
    _Field("uri", _any),
    _Field("derefUri", _any),
    _Field("digest", _like(re.compile(r"[0-9a-fA-F]{40}"), "a SHA-1 digest")),
)
_AREA = (
    _Field("areaDesc", _any, must=True),
    _Field("polygon", _polygon, many=True),
    _Field("circle", _circle, many=True),
    _Field("geocode", _PAIR, many=True),
    _Field("altitude", _decimal),
    _Field("ceiling", _decimal),
)
_INFO = (
    _Field("language", _like(_LANGUAGE, "a language such as en-IN")),
    _Field(
        "category",
        _one_of("Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"),
        must=True,
        many=True,
    ),
    _Field("event", _any, must=True),
    _Field(
        "responseType",
        _one_of("Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None"),
        many=True,
    ),
    _Field("urgency", _one_of("Immediate Expected Future Past Unknown"), must=True),
    _Field("severity", _one_of("Extreme Severe Moderate Minor Unknown"), must=True),
    _Field("certainty", _one_of("Observed Likely Possible Unlikely Unknown"), must=True),
    _Field("audience", _any),
    _Field("eventCode", _PAIR, many=True),
    _Field("effective", _time),
    _Field("onset", _time),
    _Field("expires", _time),
    _Field("senderName", _any),
    _Field("headline", _any),
    _Field("description", _any),
    _Field("instruction", _any),
    _Field("web", _like(_URI, "an absolute address")),
    _Field("contact", _any),
    _Field("parameter", _PAIR, many=True),
    _Field("resource", _RESOURCE, many=True),
    _Field("area", _AREA, many=True),
)
_ALERT = (
    _Field("identifier", _name, must=True),
    _Field("sender", _name, must=True),
    _Field("sent", _time, must=True),
    _Field("status", _one_of("Actual Exercise System Test Draft"), must=True),
    _Field("msgType", _one_of("Alert Update Cancel Ack Error"), must=True),
    _Field("source", _any),
    _Field("scope", _one_of("Public Restricted Private"), must=True),
    _Field("restriction", _any),
    _Field("addresses", _any),
    _Field("code", _any, many=True),
    _Field("note", _any),
    _Field("references", _references),
    _Field("incidents", _any),
    _Field("info", _INFO, many=True),
)
