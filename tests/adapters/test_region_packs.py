"""A region's own thresholds and languages; nonsense in them is said, with what to do about it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.adapters.maps import load_region
from core.adapters.region_packs import thresholds_of
from core.domain.weather import Thresholds
from core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
MAPS, PACKS = ROOT / "data" / "maps", ROOT / "data" / "regions"
POINTS = PACKS / "points-example.toml"
LEVELS = {"level_yellow": 0.02, "level_orange": 0.1, "level_red": 0.3}
AGES = {"observation_amber_minutes": 60, "observation_no_data_hours": 3}


def test_thresholds_of_a_pack_reach_the_region() -> None:
    region = load_region(POINTS, MAPS, 0.25)
    assert region.languages == ("en", "hi")
    assert region.thresholds == Thresholds((0.05, 0.15, 0.4), (timedelta(minutes=90), timedelta(hours=6)))


@pytest.mark.parametrize(
    ("pack", "languages"),
    [
        ("uttarakhand-himachal", ("en", "hi")),
        ("jammu-kashmir-ladakh", ("en", "hi", "ur")),
        ("sikkim-arunachal", ("en", "hi", "ne")),
    ],
)
def test_a_pack_without_thresholds_says_that_the_settings_hold(pack: str, languages: tuple[str, ...]) -> None:
    path = PACKS / f"{pack}.toml"
    region = load_region(path, MAPS, 1.0)
    assert (region.thresholds, region.languages) == (Thresholds(), languages)
    assert "the levels and ages of the settings hold" in path.read_text("utf-8")


def test_either_group_may_stand_alone() -> None:
    assert thresholds_of(LEVELS, POINTS) == Thresholds((0.02, 0.1, 0.3))
    assert thresholds_of(AGES, POINTS) == Thresholds((), (timedelta(hours=1), timedelta(hours=3)))
    assert thresholds_of({}, POINTS) == Thresholds()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (LEVELS | {"level_yellow": 0.2}, "do not rise"),
        (LEVELS | {"level_orange": 0.3}, "do not rise"),
        (LEVELS | {"level_purple": 0.9}, "unknown key 'level_purple'"),
        ({"level_yellow": 0.02}, "lack 'level_orange'"),
        ({"observation_amber_minutes": 60}, "lack 'observation_no_data_hours'"),
        (LEVELS | {"level_red": 1.0}, "unusable level_red"),
        (LEVELS | {"level_red": 40}, "unusable level_red"),
        (LEVELS | {"level_yellow": 0}, "unusable level_yellow"),
        (LEVELS | {"level_yellow": True}, "unusable level_yellow"),
        (LEVELS | {"level_yellow": "0.02"}, "unusable level_yellow"),
        (LEVELS | {"level_yellow": float("nan")}, "unusable level_yellow"),
        (AGES | {"observation_amber_minutes": 180}, "do not rise"),
        (AGES | {"observation_no_data_hours": 10_000}, "unusable observation_no_data_hours"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(table: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        thresholds_of(table, POINTS)
    assert "points-example.toml" in caught.value.message
    assert caught.value.hint


def test_thresholds_that_are_no_table_are_refused(tmp_path: Path) -> None:
    pack = tmp_path / "pack.toml"
    text = (PACKS / "uttarakhand-himachal.toml").read_text("utf-8")
    pack.write_text(f"{text}\nthresholds = 0.05\n", "utf-8")
    with pytest.raises(ConfigurationError, match="'thresholds'") as caught:
        load_region(pack, MAPS, 0.25)
    assert "a table" in caught.value.hint
