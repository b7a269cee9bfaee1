"""The rules of CAP 1.2 (OASIS, 2010, section 3.2 and the schema of section 3.4): what a message breaks, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from core.adapters.cap import NAMESPACE

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_NAME = re.compile(r"[^\s,<&]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
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
    children = [child for child in parent if not child.tag.startswith(_SIGNATURE)]
    names = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in children]
    order = [field.name for field in fields]
    found = [f"{path} has no element {name}" for name in names if name not in order]
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
    return [f"{path} {wrong}"] if wrong else []


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
    found = [f"alert: {words}" for wrong, words in rules if wrong]
    floating = (area for area in root.iter(f"{{{NAMESPACE}}}area") if not _said(area, "altitude"))
    return found + ["alert/info/area: ceiling needs altitude" for area in floating if _said(area, "ceiling")]


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
        well = _TIME.fullmatch(text) and not text.endswith("+00:00") and datetime.fromisoformat(text)
    except ValueError:
        well = None
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
    return "" if points[0] == points[-1] else "does not end where it begins"


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
    _Field("mimeType", _any, must=True),
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
    _Field("web", _any),
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
