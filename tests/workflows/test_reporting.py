"""Reports as documents: what they say of themselves, what may be left out, and what they never hide."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from core import Core, document
from core.domain.document import Chart, Document, Facts, Heading, LevelMap, Notice, Paragraph, Table
from core.domain.forecast import EVENTS, RiskLevel
from core.domain.report import SECTIONS, ReportKind, ReportRequest, Section
from core.errors import ConfigurationError
from core.words import language
from tests.conftest import NOW

REGION = "points-example"


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Core:
    return open_house(region=REGION)


def texts(value: object) -> list[str]:
    """Return every text of a document, wherever it stands."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple | list):
        return [text for one in value for text in texts(one)]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    return [t for f in fields(value) for t in texts(getattr(value, f.name))] if is_dataclass(value) else []


def tables(made: Document) -> dict[str, Table]:
    return {block.title: block for block in made.blocks if isinstance(block, Table)}


def notices(made: Document) -> str:
    return "\n".join(block.text for block in made.blocks if isinstance(block, Notice))


def test_a_bulletin_says_when_from_which_data_and_by_which_model(house: Core) -> None:
    made, issue = document(house, ReportRequest(REGION)), house.issue(REGION).forecast
    head = dict(made.masthead.pairs)
    assert head["Issued"] == "29 Jul 2026 23:50 IST"
    assert head["Valid"] == "29 Jul 2026 23:30 IST to 30 Jul 2026 05:30 IST"
    assert head["Source"] == "Simulated: 29 July"
    assert head["Data"] == "newest observation 29 Jul 2026 23:30 IST, 20 min old: fresh"
    assert head["Model"] == f"{issue.model_version} (shipped seed model)"
    for said in ("29 Jul 2026 23:50 IST", "Simulated: 29 July", "20 min old: fresh", str(issue.model_version)):
        assert said in made.footer
    assert "Simulated weather" in notices(made)
    assert "no official warning" in notices(made)
    assert "its transfer to this region is not verified" in notices(made)
    assert made.made_at == NOW


def test_a_bulletin_has_every_place_once_on_its_map_and_in_its_districts(house: Core) -> None:
    made, issue = document(house, ReportRequest(REGION)), house.issue(REGION).forecast
    drawn = next(block for block in made.blocks if isinstance(block, LevelMap))
    assert list(drawn.levels) == [f.level for f in issue.forecasts]
    assert len(drawn.cells) == len(issue.forecasts)
    assert set(drawn.legend) == set(RiskLevel)
    districts = tables(made)["Districts by level"]
    assert sum(int(cell) for row in districts.rows for cell in row[2:7]) == len(issue.forecasts)
    assert len(districts.levels) == len(districts.rows)


def test_the_highest_places_are_told_with_every_threshold_interval_and_base_rate(house: Core) -> None:
    made, first = document(house, ReportRequest(REGION)), house.issue(REGION).forecast.ranked()[0]
    name = next(p.name for p in house.region(REGION).locations if p.id == first.location_id)
    table = next(block for title, block in tables(made).items() if title.startswith(f"{name}:"))
    say = language("en")
    assert [row[1] for row in table.rows] == [say.percent(p) for p in first.exceedance.probability]
    assert [row[3] for row in table.rows] == [say.percent(p) for p in first.exceedance.base_rate]
    assert table.rows[0][2] == f"{say.percent(first.exceedance.low[0])} to {say.percent(first.exceedance.high[0])}"
    assert {row[4] for row in table.rows} == {"trained and calibrated", "extrapolated"}
    assert len(table.rows) == len(EVENTS)


@pytest.mark.parametrize("kind", list(ReportKind))
def test_a_section_that_is_not_wanted_is_left_out_and_the_masthead_never(kind: ReportKind, house: Core) -> None:
    whole = document(house, ReportRequest(REGION, kind))
    bare = document(house, ReportRequest(REGION, kind, sections=frozenset()))
    assert bare.masthead == whole.masthead
    assert notices(bare) == notices(whole) != ""
    assert not [block for block in bare.blocks if isinstance(block, LevelMap | Chart)]
    heads = [b.text for b in bare.blocks if isinstance(b, Heading)]
    assert heads in ([], ["What the model did before it came here"])  # stands in for scores that there are not
    for section in SECTIONS[kind]:
        one = document(house, ReportRequest(REGION, kind, sections=frozenset({section})))
        assert len(bare.blocks) <= len(one.blocks) <= len(whole.blocks)


def test_what_is_old_is_no_data_and_nobody_is_told_that_nothing_warns(
    open_house: Callable[..., Core], gauge_folder: Callable[..., Path]
) -> None:
    house = open_house(source=f"gauges:{gauge_folder(end=NOW - timedelta(hours=9))}")
    made = document(house, ReportRequest(house.default_region))
    assert "NO DATA" in dict(made.masthead.pairs)["Data"]
    assert "NO DATA" in notices(made)
    assert "Simulated" not in "\n".join(texts(made))
    said = " ".join(block.text for block in made.blocks if isinstance(block, Paragraph))
    assert "Of 2 of 2 places nothing can be said." in said
    assert "Nothing warns" not in said
    assert "highest probability" not in said


@pytest.mark.parametrize("kind", list(ReportKind))
def test_a_report_in_hindi_has_no_english_text_of_the_catalogue(kind: ReportKind, house: Core) -> None:
    made = document(house, ReportRequest(REGION, kind, language="hi"))
    assert made.language == "hi"
    hindi = language("hi").texts
    signed = {text for text in texts(made) if hindi.get(text, text) != text}
    assert signed == set()
    assert re.search("[\u0900-\u097f]", made.title)
    assert "IST" in made.footer


def test_a_replay_or_weather_without_gauges_is_not_verified_and_says_why(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workflows.verifying.TRUTH_SOURCES", ())
    for kind in (ReportKind.BULLETIN, ReportKind.VERIFICATION):
        made = document(house, ReportRequest(REGION, kind))
        assert "Not verified: No truth available: not verified, not retrained." in "\n".join(texts(made))
        assert "Better than climatology" not in "\n".join(texts(made))


def test_a_ledger_that_does_not_answer_is_said_in_its_section_and_the_bulletin_is_there(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise ConfigurationError("The ledger does not answer.", hint="Wait.")

    monkeypatch.setattr("core.workflows.verifying.Verifying.issued", down)
    monkeypatch.setattr("core.workflows.appraising.Appraising.report", down)
    made = document(house, ReportRequest(REGION))
    said = [block.text for block in made.blocks if isinstance(block, Paragraph)]
    assert said.count("This cannot be told now: The ledger does not answer.") == 2
    assert "Districts by level" in tables(made)


def test_a_period_that_ends_before_it_begins_and_an_unknown_region_are_refused(house: Core) -> None:
    backwards = ReportRequest(REGION, ReportKind.QUALITY, (NOW, NOW - timedelta(days=1)))
    with pytest.raises(ConfigurationError, match="ends before it begins"):
        document(house, backwards)
    with pytest.raises(ConfigurationError, match="atlantis"):
        document(house, ReportRequest("atlantis"))


def test_without_drivers_the_bulletin_says_so(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.workflows.explaining.drivers", lambda *_: ())
    made = document(house, ReportRequest(REGION, sections=frozenset({Section.DRIVERS})))
    assert any("No drivers" in text for text in texts(made))
    assert [b for b in made.blocks if isinstance(b, Facts | Table)] == []
