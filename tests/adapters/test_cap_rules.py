"""The rules of CAP 1.2: the validator finds every one that is broken, and refuses nothing that is right."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from core.adapters.cap import NAMESPACE
from core.adapters.cap_rules import broken

CONTROL = f"""<?xml version='1.0' encoding='UTF-8'?><alert xmlns="{NAMESPACE}"><identifier>i-1</identifier>
<sender>s.invalid</sender><sent>2026-07-29T18:00:00+05:30</sent><status>Exercise</status><msgType>Update</msgType>
<source>o</source><scope>Restricted</scope><restriction>r</restriction><addresses>a b</addresses><code>c</code>
<note>n</note><references>s.invalid,i-0,2026-07-29T11:00:00-00:00</references><incidents>x</incidents>
<info><language>en-IN</language><category>Met</category><event>rain</event><responseType>Monitor</responseType>
<urgency>Future</urgency><severity>Minor</severity><certainty>Possible</certainty><audience>all</audience>
<eventCode><valueName>SAME</valueName><value>FFW</value></eventCode><effective>2026-07-29T12:00:00-00:00</effective>
<onset>2026-07-29T13:00:00-00:00</onset><expires>2026-07-29T18:00:00-00:00</expires><senderName>we</senderName>
<headline>h</headline><description>d</description><instruction>go</instruction><web>https://w.invalid/a</web>
<contact>us</contact><parameter><valueName>n</valueName><value>v</value></parameter>
<resource><resourceDesc>d</resourceDesc><mimeType>text/plain</mimeType><size>3</size><uri>https://w.invalid/b</uri>
<digest>da39a3ee5e6b4b0d3255bfef95601890afd80709</digest></resource>
<area><areaDesc>a</areaDesc><polygon>1,2 1,3 2,3 1,2</polygon><circle>1,2 15</circle>
<geocode><valueName>LGD</valueName><value>47</value></geocode><altitude>1</altitude><ceiling>2</ceiling></area></info></alert>"""


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
        ("Restricted</scope><restriction>r</restriction><addresses>a b</addresses>", "Private</scope>", "addresses"),
        ("<note>n</note>", "", "needs a note"),
        ("<note>n</note>", "<note>n</note><note>n</note>", "note is there 2 times"),
        ("<references>s.invalid,i-0,2026-07-29T11:00:00-00:00</references>", "", "needs references"),
        ("i-0,2026", "2026", "references"),
        ("T11:00:00-00:00", "T11:00:00Z", "references"),
        ("<language>en-IN", "<language>en_IN", "language"),
        (">Met<", ">Weather<", "category"),
        ("<category>Met</category>", "", "category is missing"),
        ("<event>rain</event>", "<event> </event>", "event is empty"),
        (">Monitor<", ">Flee<", "responseType"),
        (">Future<", ">Soon<", "urgency"),
        (">Minor<", ">Low<", "severity"),
        (">Possible<", ">Very Likely<", "certainty"),
        ("12:00:00-00:00</eff", "12:00:00Z</eff", "effective"),
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
        ("<altitude>1<", "<altitude>3<", "ceiling is below"),
        ("<altitude>1<", "<altitude>high<", "altitude is"),
        ("1,2 1,3 2,3 1,2", "1,2 2,3 1,3 2,2 1,2", "crosses or touches"),
        ("1,2 1,3 2,3 1,2", "1,2 1,4 1,3 1,2", "crosses or touches"),
        ("1,2 1,3 2,3 1,2", "0,0 0,4 2,2 4,4 4,0 2,2 0,0", "crosses or touches"),
        ("18:00:00+05:30", "18:00:00+14:30", "sent"),
        ("18:00:00-00:00</exp", "12:00:00-00:00</exp", "not after effective"),
        ("18:00:00-00:00</exp", "13:00:00-00:00</exp", "not after onset"),
        ("18:00:00-00:00</exp", "12:30:00-00:00</exp", "not after sent"),
        ("18:00:00-00:00</exp", "18:00:00Z</exp", "expires"),
        ("13:00:00-00:00</ons", "13:00:00Z</ons", "onset"),
        ("s.invalid,i-0,2026-07-29T11", "s.invalid,i-1,2026-07-29T11", "itself"),
        ("i-0,2026-07-29T11", "i-0,2026-07-29T13", "sent later"),
        ("<web>https://w.invalid/a", "<web>w.invalid", "web"),
        ("<uri>https://w.invalid/b", "<uri>b.txt", "uri is not absolute"),
        ("<digest>da39a3ee", "<digest>", "digest"),
        ("<mimeType>text/plain", "<mimeType>text", "mimeType"),
        ("<geocode><valueName>LGD</valueName>", "<geocode>", "geocode: valueName is missing"),
        ("<eventCode><valueName>SAME</valueName>", "<eventCode>", "eventCode: valueName is missing"),
        ("<note>n", '<note lang="en">n', "attribute lang"),
        ("<info>", '<info id="1">', "attribute id"),
        ("</sender>", "</sender>and so on", "text between"),
        ("<language>", "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/><language>", "no element"),
        ("<?xml version='1.0' encoding='UTF-8'?>", "<?xml version='1.0' encoding='ISO-8859-1'?>", "not UTF-8"),
        ("<note>n</note>", "<mood>n</mood>", "no element mood"),
        ("<note>n</note>", "<note><b>n</b></note>", "holds elements"),
        ("<identifier>i-1</identifier>\n<sender>s.invalid</sender>",
         "<sender>s.invalid</sender><identifier>i-1</identifier>", "order"),
    ],
)  # fmt: skip
def test_every_broken_rule_is_found(old: str, new: str, words: str) -> None:
    assert broken(CONTROL.encode()) == []
    assert CONTROL.count(old) == 1
    wrong = broken(CONTROL.replace(old, new).encode())
    assert any(words in text for text in wrong), wrong


def test_an_error_needs_a_note_and_a_signature_is_no_fault() -> None:
    wrong = CONTROL.replace(">Update<", ">Error<").replace(">Exercise<", ">Draft<").replace("<note>n</note>", "")
    assert broken(wrong.encode()) == ["alert: msgType Error needs a note"]
    signed = CONTROL.replace(
        "</info></alert>", "</info><Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/></alert>"
    )
    assert broken(signed.encode()) == []


def test_every_value_of_an_enumeration_is_one() -> None:
    """CAP 1.2, section 3.2; references, restriction and note stand in the control whatever is asked."""
    values = {
        "Exercise": "Actual Exercise System Test Draft",
        "Update": "Alert Update Cancel Ack Error",
        "Met": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
        "Monitor": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
        "Future": "Immediate Expected Future Past Unknown",
        "Minor": "Extreme Severe Moderate Minor Unknown",
        "Possible": "Observed Likely Possible Unlikely Unknown",
    }
    for now, known in values.items():
        for value in known.split():
            assert broken(CONTROL.replace(f">{now}<", f">{value}<").encode()) == []


ONCE_IN_ALERT = "identifier sender sent status msgType source scope restriction addresses note references incidents"
ONCE_IN_INFO = (
    "language event urgency severity certainty audience effective onset expires senderName headline description"
    " instruction web contact"
)
MANY_TIMES = "code category responseType eventCode parameter resource area polygon circle geocode"
NEEDED = (
    "identifier sender sent status msgType scope category event urgency severity certainty valueName value"
    " resourceDesc mimeType areaDesc"
)


def element(name: str) -> str:
    """Return an element of the control with its contents."""
    found = re.search(rf"<{name}>.*?</{name}>", CONTROL, re.DOTALL)
    assert found, name
    return found[0]


@pytest.mark.parametrize("name", f"{ONCE_IN_ALERT} {ONCE_IN_INFO} areaDesc altitude ceiling size uri".split())
def test_what_may_be_there_once_is_not_there_twice(name: str) -> None:
    wrong = broken(CONTROL.replace(element(name), element(name) * 2, 1).encode())
    assert any(f"{name} is there 2 times" in text for text in wrong), wrong


@pytest.mark.parametrize("name", MANY_TIMES.split())
def test_what_may_be_there_often_is(name: str) -> None:
    assert broken(CONTROL.replace(element(name), element(name) * 2, 1).encode()) == []


@pytest.mark.parametrize("name", NEEDED.split())
def test_what_must_be_there_is_missed(name: str) -> None:
    wrong = broken(CONTROL.replace(element(name), "", 1).encode())
    assert any(f"{name} is missing" in text for text in wrong), wrong


@pytest.mark.parametrize(
    "names",
    ["identifier sender sent status msgType source scope restriction addresses code note references incidents info",
     "language category event responseType urgency severity certainty audience eventCode effective onset expires"
     " senderName headline description instruction web contact parameter resource area",
     "resourceDesc mimeType size uri digest", "areaDesc polygon circle geocode altitude ceiling"],
)  # fmt: skip
def test_any_two_neighbours_in_the_other_order_are_found(names: str) -> None:
    for first, second in pairwise(names.split()):
        one, other = element(first), element(second)
        begin, end = CONTROL.index(one), CONTROL.index(other)
        between = CONTROL[begin + len(one) : end]
        assert not between.strip()
        turned = CONTROL[:begin] + other + between + one + CONTROL[end + len(other) :]
        assert any("not in the order" in text for text in broken(turned.encode())), (first, second)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", CONTROL.encode("utf-16"), b"<alert/>"])
def test_what_is_no_message_at_all_is_said_to_be_none(data: bytes) -> None:
    assert len(broken(data)) == 1
