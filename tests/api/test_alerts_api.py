"""The Atom feed of the alerts: what RFC 4287 asks for, what it says, and that it is asked for again cheaply."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from api import atom
from api.app import api
from core import Core, Freshness, RiskLevel, Scope, open_core
from core.domain.alerts import AlertRule

ATOM = "{http://www.w3.org/2005/Atom}"
REGION = "uttarakhand-himachal"


@pytest.fixture
def core(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> Core:
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    return open_core()


@pytest.fixture
def client(core: Core) -> TestClient:
    return TestClient(api, raise_server_exceptions=False)


def parsed(body: bytes) -> ET.Element:
    """Return a feed that has what RFC 4287 (4.1.1, 4.1.2) asks for."""
    feed = ET.fromstring(body)  # noqa: S314 - our own
    assert feed.tag == f"{ATOM}feed"
    for one in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1
        assert str(one.findtext(f"{ATOM}id")).startswith("tag:cloudburst-watch.invalid,2026:")
        assert datetime.fromisoformat(str(one.findtext(f"{ATOM}updated"))).tzinfo is not None
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    assert feed.find(f"{ATOM}link[@rel='self']") is not None
    ids = [e.findtext(f"{ATOM}id") for e in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    return feed


def test_without_alerts_the_feed_is_whole_and_empty(client: TestClient) -> None:
    answer = client.get("/alerts")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = parsed(answer.content)
    assert feed.findall(f"{ATOM}entry") == []
    assert "Simulated" in str(feed.findtext(f"{ATOM}title"))


@pytest.mark.parametrize(
    ("freshness", "mark"), [("fresh", ""), ("stale", " (data are stale)"), ("no data", " (no data)")]
)
def test_an_alert_that_stands_on_old_data_says_so(core: Core, freshness: str, mark: str) -> None:
    core.alerts.set_rule(AlertRule("default", REGION, RiskLevel.YELLOW, persistence=1), "Asha")
    issue = core.issue(REGION).forecast
    red = replace(issue, forecasts=tuple(replace(f, level=RiskLevel.RED) for f in issue.forecasts))
    core.alerts.evaluate(red)
    stands = core.alerts.standing(REGION)[0]
    ended = replace(stands, id="ended", ended=stands.begun, ended_at=stands.raised_at)
    feed = parsed(atom.feed(core.region(REGION), (stands, ended), core.alerts.source, Freshness(freshness)))
    titles = [str(one.findtext(f"{ATOM}title")) for one in (feed, *feed.iter(f"{ATOM}entry"))]
    assert [title.endswith(mark) for title in titles[:2]] == [True, True]
    assert "(" not in "".join(titles if not mark else titles[2:])  # one that has ended is as it was


def test_an_alert_is_an_entry_that_says_level_state_source_and_that_it_is_simulated(
    core: Core, client: TestClient
) -> None:
    core.alerts.set_rule(AlertRule("default", REGION, RiskLevel.RED, persistence=1), "Asha")
    region, place = core.region(REGION), core.region(REGION).locations[0]
    until = core.clock() + timedelta(hours=3)
    why = "<radar> & \x0bcell"
    core.alerts.levels.set_level(region, (Scope.PLACE, place.id), RiskLevel.RED, until, who="A <b> & \x0b", why=why)
    empty = client.get("/alerts").headers["etag"]
    core.alerts.evaluate(core.issue(REGION).forecast)
    answer = client.get(f"/alerts?region={REGION}", headers={"If-None-Match": empty})
    assert answer.status_code == 200
    mine = [e for e in parsed(answer.content).iter(f"{ATOM}entry") if place.name in str(e.findtext(f"{ATOM}summary"))]
    (entry,) = mine
    terms = {str(c.get("scheme")).rpartition(":")[2]: c.get("term") for c in entry.iter(f"{ATOM}category")}
    assert terms == {"level": "red", "state": "stands", "data": "simulated"}
    assert str(entry.findtext(f"{ATOM}title")).startswith("Simulated: Red alert stands: ")
    summary = str(entry.findtext(f"{ATOM}summary"))
    assert "set by A <b> &" in summary
    assert "no official warning" in summary
    again = client.get("/alerts", headers={"If-None-Match": f'"other", W/{answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")


def test_an_ended_alert_stays_in_the_feed_and_says_so(core: Core, client: TestClient) -> None:
    rule = AlertRule("default", REGION, RiskLevel.YELLOW, threshold=1e-9, persistence=1)
    core.alerts.set_rule(rule, "Asha")
    core.alerts.evaluate(core.issue(REGION).forecast)
    before = parsed(client.get("/alerts").content)
    core.alerts.remove_rule(rule, "Asha")
    feed = parsed(client.get("/alerts").content)
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == len(before.findall(f"{ATOM}entry")) > 0
    assert all("alert ended" in str(e.findtext(f"{ATOM}title")) for e in entries)
    assert str(feed.findtext(f"{ATOM}updated")) >= str(before.findtext(f"{ATOM}updated"))


def test_a_region_that_is_not_served_is_422(client: TestClient) -> None:
    assert client.get("/alerts?region=atlantis").status_code == 422


def test_forecasts_and_map_say_who_set_a_level(core: Core, client: TestClient) -> None:
    place = core.region(REGION).locations[0]
    assert client.get(f"/forecasts/{place.id}").json()["forecasts"][0]["override"] is None
    until = core.clock() + timedelta(hours=3)
    core.alerts.levels.set_level(
        core.region(REGION), (Scope.PLACE, place.id), RiskLevel.RED, until, who="Asha", why="radar"
    )
    body = client.get(f"/forecasts/{place.id}").json()
    (said,) = body["forecasts"]
    assert (said["level"], said["override"]["who"], said["override"]["why"]) == ("red", "Asha", "radar")
    assert said["override"]["model_level"] in ("green", "yellow", "orange", "red")
    assert any("Asha" in note for note in body["notes"])
