"""CAP drafts: what the writer says of an issue, and of which areas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from core.adapters.cap import NAMESPACE, Message, alert
from core.adapters.cap_areas import areas
from core.adapters.cap_rules import broken, reference
from core.bootstrap.services import regions_named
from core.domain.districts import districts_of
from core.domain.forecast import RegionForecast, RiskLevel
from core.domain.geometry import inside
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


@pytest.mark.parametrize("source", ["simulator", "replay:gauges", "replay:simulator"])
def test_what_warns_of_nothing_is_a_draft_whatever_the_weather_is(red: RegionForecast, source: str) -> None:
    calm = replace(levelled(red, *[RiskLevel.GREEN] * 3), source=source, season_day=210)
    data = alert(calm, MESSAGE)
    assert broken(data) == []
    assert [said(data, p) for p in ("status", "msgType", "info/severity")] == [["Draft"], ["Alert"], ["Minor"] * 2]
    assert calm.source_text in (said(data, "note")[0] or "")
    assert (said(data, "info/headline")[0] or "").endswith("Test region: no warning in force")
    assert ("Simulated" in (said(data, "info/headline")[1] or "")) is calm.simulated
    assert said(alert(calm, replace(MESSAGE, exercise=True)), "status") == ["Exercise"]
    assert said(alert(calm, replace(MESSAGE, kind="Cancel", references=reference(data))), "status") == ["Exercise"]


def test_messages_that_follow_one_another_name_all_before_them(red: RegionForecast) -> None:
    first = alert(red, MESSAGE)
    update = alert(red, replace(MESSAGE, sent=hours(1), kind="Update", references=reference(first)))
    both = f"{reference(first)} {reference(update)}"
    cancel = alert(red, replace(MESSAGE, sent=hours(2), kind="Cancel", references=both))
    assert [broken(data) for data in (first, update, cancel)] == [[], [], []]
    named = (said(cancel, "references")[0] or "").split()
    assert named == [reference(first), reference(update)]
    assert len({reference(data) for data in (first, update, cancel)}) == 3
    for data, name in ((first, named[0]), (update, named[1])):
        assert name.split(",") == [said(data, part)[0] for part in ("sender", "identifier", "sent")]


def test_cells_of_a_level_are_one_polygon_and_are_named(red: RegionForecast) -> None:
    data = alert(red, MESSAGE)
    assert said(data, "info/area/areaDesc") == ["Alpha, Beta, Gamma"] * 2
    assert said(data, "info/area/polygon")[0] == (
        "29.975000,77.975000 29.975000,78.475000 30.225000,78.475000 30.225000,78.225000 30.475000,78.225000"
        " 30.475000,77.975000 29.975000,77.975000"
    )
    assert said(data, "info/area/geocode") == []


def test_districts_name_the_polygons_of_a_real_region(red: RegionForecast) -> None:
    """A third of the cells is red, another yellow; the union of polygons is exactly the cells of each level."""
    (region,) = regions_named("uttarakhand-himachal", 0.25)
    three = (RiskLevel.RED, RiskLevel.YELLOW, RiskLevel.GREEN)
    drawn = np.random.default_rng(3).integers(0, 3, len(region.locations))
    shown = red.forecasts[0]
    made = tuple(replace(shown, location_id=p.id, level=three[i]) for p, i in zip(region.locations, drawn, strict=True))
    data = alert(replace(red, region=region, forecasts=made), MESSAGE)
    assert broken(data) == []
    root = ET.fromstring(data)  # noqa: S314 - our own
    names = set(districts_of(region))
    longitude = np.array([p.longitude for p in region.locations])
    latitude = np.array([p.latitude for p in region.locations])
    for number, info in enumerate(root.findall("info", NAMES)[:2]):
        times = np.zeros(len(drawn), int)
        described = []
        for area in info.findall("area", NAMES):
            described.append(area.findtext("areaDesc", namespaces=NAMES) or "")
            assert set(described[-1].split(", ")) <= names
            for polygon in area.findall("polygon", NAMES):
                pairs = [tuple(map(float, point.split(","))) for point in (polygon.text or "").split()]
                times += inside(longitude, latitude, [tuple((lon, lat) for lat, lon in pairs)])
        assert (times == (drawn == number)).all()
        assert len(set(described)) == len(described)
        assert len(info.findall("area/polygon", NAMES)) < 0.6 * (drawn == number).sum()


def test_a_cell_off_the_lattice_stays_by_itself(red: RegionForecast) -> None:
    a, b, c = red.region.locations
    off = replace(red.region, locations=(a, replace(b, longitude=b.longitude + 0.1), c))
    found = areas(off, off.locations)
    assert sorted(area.names for area in found) == [("Alpha", "Gamma"), ("Beta",)]
