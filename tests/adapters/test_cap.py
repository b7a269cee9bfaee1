"""CAP drafts: what the writer says of an issue, and that the validator finds every broken rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from core.adapters.cap import NAMESPACE, Message, alert
from core.adapters.cap_rules import broken, reference
from core.domain.forecast import RegionForecast, RiskLevel
from tests.issued_made import House, hours

NAMES = {"": NAMESPACE}
MESSAGE = Message("watch.invalid", hours(0.2))


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> RegionForecast:
    """Return an issue that is red at all of its three places, at 40 %."""
    return House(tmp_path_factory.mktemp("issued")).issue()


def levelled(issue: RegionForecast, *levels: RiskLevel) -> RegionForecast:
    made = (replace(f, level=level) for f, level in zip(issue.forecasts, levels, strict=True))
    return replace(issue, forecasts=tuple(made))


def said(data: bytes, path: str) -> list[str | None]:
    return [element.text for element in ET.fromstring(data).findall(path, NAMES)]  # noqa: S314 - our own


def test_each_level_that_warns_is_a_block_per_language_with_its_places(red: RegionForecast) -> None:
    data = alert(levelled(red, RiskLevel.YELLOW, RiskLevel.RED, RiskLevel.UNKNOWN), MESSAGE)
    assert broken(data) == []
    assert said(data, "info/language") == ["en-IN", "en-IN", "hi-IN", "hi-IN"]
    assert said(data, "info/severity") == ["Extreme", "Moderate"] * 2
    assert said(data, "info/urgency") == ["Expected", "Future"] * 2
    assert said(data, "info/certainty") == ["Possible"] * 4  # 40 % is no more than about one half
    assert said(data, "info/area/areaDesc") == ["Beta", "Alpha"] * 2
    assert said(data, "info/area/polygon")[1] == (
        "29.975000,77.975000 29.975000,78.225000 30.225000,78.225000 30.225000,77.975000 29.975000,77.975000"
    )
    assert said(data, "info/expires") == ["2026-07-30T00:00:00-00:00"] * 4
    assert "Nothing is known of 1 of 3 places." in (said(data, "info/description")[0] or "")
    assert said(data, "status") == ["Draft"]
    assert said(data, "sent") == ["2026-07-29T18:12:00-00:00"]
    values = dict(zip(said(data, "info/parameter/valueName"), said(data, "info/parameter/value"), strict=True))
    assert (values["data_age_s"], values["freshness"], values["model_version"]) == ("720.0", "fresh", "m1")


def test_likely_is_what_is_likely_at_every_place(tmp_path: Path) -> None:
    assert said(alert(House(tmp_path).issue(p=0.6), MESSAGE), "info/certainty") == ["Likely"] * 2


def test_an_issue_that_warns_of_nothing_says_so(red: RegionForecast) -> None:
    data = alert(levelled(red, *[RiskLevel.GREEN] * 3), MESSAGE)
    assert broken(data) == []
    assert [said(data, p) for p in ("status", "msgType", "info/severity")] == [["Draft"], ["Alert"], ["Minor"] * 2]
    assert said(data, "info/certainty") == ["Unlikely"] * 2
    assert said(data, "info/headline") == [
        "Test region: no warning in force",
        "Test region: कोई चेतावनी लागू नहीं है",
    ]


def test_an_unknown_issue_warns_of_nothing_and_says_that_it_knows_nothing(tmp_path: Path) -> None:
    data = alert(House(tmp_path).issue(model=None), MESSAGE)
    assert broken(data) == []
    assert said(data, "info/severity") == ["Minor"] * 2
    assert said(data, "info/certainty") == ["Unknown"] * 2
    assert said(data, "info/headline")[0] == ("Test region: no warning in force. Nothing is known of 3 of 3 places.")


@pytest.mark.parametrize("kind", ["Update", "Cancel"])
def test_a_later_message_names_the_earlier_one(red: RegionForecast, kind: str) -> None:
    first = alert(red, MESSAGE)
    later = alert(red, replace(MESSAGE, sent=hours(1), kind=kind, references=reference(first)))
    assert broken(later) == []
    (identifier,) = said(first, "identifier")
    assert said(later, "references") == [f"watch.invalid,{identifier},2026-07-29T18:12:00-00:00"]
    assert said(later, "identifier") != [identifier]
    assert said(later, "info/urgency") == (["Past"] * 2 if kind == "Cancel" else ["Expected"] * 2)
    assert alert(red, MESSAGE) == first  # the same message keeps its identifier
    at_once = alert(red, replace(MESSAGE, kind=kind, references=reference(first)))
    assert said(at_once, "identifier") != [identifier]


@pytest.mark.parametrize("source", ["simulator", "replay:gauges", "replay:simulator"])
def test_what_is_no_weather_of_now_is_an_exercise(red: RegionForecast, source: str) -> None:
    issue = replace(red, source=source, season_day=210)
    data = alert(issue, MESSAGE)
    assert broken(data) == []
    assert said(data, "status") == ["Exercise"]
    assert issue.source_text in (said(data, "note")[0] or "")
    assert ("Simulated" in (said(data, "info/headline")[1] or "")) is issue.simulated


def test_a_station_is_a_circle_and_its_name_is_text(red: RegionForecast) -> None:
    places = tuple(replace(place, name="A & <B>") for place in red.region.locations)
    data = alert(replace(red, region=replace(red.region, spacing_deg=None, locations=places)), MESSAGE)
    assert broken(data) == []
    assert said(data, "info/area/circle")[0] == "30.100000,78.100000 15"
    assert said(data, "info/area/areaDesc")[0] == "A & <B>"


CONTROL = f"""<alert xmlns="{NAMESPACE}"><identifier>i-1</identifier><sender>s.invalid</sender>
<sent>2026-07-29T18:00:00+05:30</sent><status>Exercise</status><msgType>Update</msgType><scope>Restricted</scope>
<restriction>r</restriction><note>n</note><references>s.invalid,i-0,2026-07-29T17:00:00-00:00</references>
<info><language>en-IN</language><category>Met</category><event>rain</event><responseType>Monitor</responseType>
<urgency>Future</urgency><severity>Minor</severity><certainty>Possible</certainty>
<effective>2026-07-29T18:00:00-00:00</effective><parameter><valueName>n</valueName><value>v</value></parameter>
<resource><resourceDesc>d</resourceDesc><mimeType>text/plain</mimeType><size>3</size></resource>
<area><areaDesc>a</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon><circle>1,2 15</circle><altitude>1</altitude>
<ceiling>2</ceiling></area></info></alert>"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<alert", "<!DOCTYPE alert><alert", "document type"),
        ("</alert>", "", "well-formed"),
        ("cap:1.2", "cap:1.1", "root"),
        ("i-1", "i 1", "identifier"),
        ("<sender>s.invalid", "<sender>s,invalid", "sender"),
        ("<sender>s.invalid", "<sender>s&amp;invalid", "sender"),
        ("<sender>s.invalid", "<sender>s&lt;invalid", "sender"),
        ("<sender>s.invalid</sender>", "", "sender is missing"),
        ("18:00:00+05:30", "18:00:00Z", "sent"),
        ("18:00:00+05:30", "18:00:00+00:00", "sent"),
        ("18:00:00+05:30", "18:00:00", "sent"),
        ("07-29T18:00:00+05:30", "02-30T18:00:00+05:30", "sent"),
        ("Exercise<", "exercise<", "status"),
        (">Update<", ">Renewal<", "msgType"),
        (">Restricted<", ">Secret<", "scope"),
        (">Restricted<", ">Public<", "restriction goes with"),
        ("<restriction>r</restriction>", "", "restriction goes with"),
        ("Restricted</scope>\n<restriction>r</restriction>", "Private</scope>", "addresses"),
        ("<note>n</note>", "", "needs a note"),
        ("<note>n</note>", "<note>n</note><note>n</note>", "note is there 2 times"),
        ("<references>s.invalid,i-0,2026-07-29T17:00:00-00:00</references>", "", "needs references"),
        ("i-0,2026", "2026", "references"),
        ("T17:00:00-00:00", "T17:00:00Z", "references"),
        ("<language>en-IN", "<language>en_IN", "language"),
        (">Met<", ">Weather<", "category"),
        ("<category>Met</category>", "", "category is missing"),
        ("<event>rain</event>", "<event> </event>", "event is empty"),
        (">Monitor<", ">Flee<", "responseType"),
        (">Future<", ">Soon<", "urgency"),
        (">Minor<", ">Low<", "severity"),
        (">Possible<", ">Very Likely<", "certainty"),
        ("18:00:00-00:00</eff", "18:00:00Z</eff", "effective"),
        ("<value>v</value>", "", "parameter: value is missing"),
        ("<size>3", "<size>many", "size"),
        ("<mimeType>text/plain</mimeType>", "", "mimeType is missing"),
        ("<areaDesc>a</areaDesc>", "", "areaDesc is missing"),
        ("1,2 1,3 2,3 1,2", "1,2 1,3 2,3 2,2", "end where it begins"),
        ("1,2 1,3 2,3 1,2", "1,2 1,3 1,2", "3 points"),
        ("1,2 1,3 2,3 1,2", "91,2 1,3 2,3 91,2", "latitude,longitude"),
        ("1,2 1,3 2,3 1,2", "1,181 1,3 2,3 1,181", "latitude,longitude"),
        ("1,2 1,3 2,3 1,2", "1,2;1,3;2,3;1,2", "latitude,longitude"),
        ("<circle>1,2 15", "<circle>1,2", "circle"),
        ("<circle>1,2 15", "<circle>1,2 -1", "circle"),
        ("<altitude>1</altitude>", "", "ceiling needs altitude"),
        ("<note>n</note>", "<mood>n</mood>", "no element mood"),
        ("<note>n</note>", "<note><b>n</b></note>", "holds elements"),
        ("<identifier>i-1</identifier><sender>s.invalid</sender>",
         "<sender>s.invalid</sender><identifier>i-1</identifier>", "order"),
    ],
)  # fmt: skip
def test_every_broken_rule_is_found(old: str, new: str, words: str) -> None:
    assert broken(CONTROL.encode()) == []
    assert CONTROL.count(old) == 1
    wrong = broken(CONTROL.replace(old, new).encode())
    assert any(words in text for text in wrong), wrong


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", CONTROL.encode("utf-16"), b"<alert/>"])
def test_what_is_no_message_at_all_is_said_to_be_none(data: bytes) -> None:
    assert len(broken(data)) == 1
