"""Region packs become grids of cells; whatever is wrong with a pack or a map is said, with what to do about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.adapters.maps import DISTRICTS_FILE, ELEVATION_FILE, load_region, load_regions
from core.domain.geometry import inside
from core.domain.weather import Region
from core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
MAPS = ROOT / "data" / "maps"
PACKS = ROOT / "data" / "regions"
PACK = PACKS / "uttarakhand-himachal.toml"
POINTS = PACKS / "points-example.toml"


@pytest.fixture(scope="module")
def region() -> Region:
    return load_region(PACK, MAPS, 0.25)


def rewritten(folder: Path, old: str, new: str, pack: Path = PACK) -> Path:
    text = pack.read_text("utf-8")
    assert old in text
    path = folder / "pack.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_the_default_region_has_its_cells(region: Region) -> None:
    assert (region.id, region.time_zone, region.spacing_deg) == ("uttarakhand-himachal", "Asia/Kolkata", 0.25)
    assert 150 <= len(region.locations) <= 170
    assert len(region.outlines) == 13 + 12  # districts of Uttarakhand and of Himachal Pradesh


def test_ids_and_names_are_unique_and_say_where_the_cell_lies(region: Region) -> None:
    assert len({place.id for place in region.locations}) == len(region.locations)
    assert len({place.name for place in region.locations}) == len(region.locations)
    place = next(place for place in region.locations if place.id == "uh-30.375-79.375")
    assert place.name == "Chamoli 30.38N 79.38E"
    assert (place.latitude, place.longitude) == (30.375, 79.375)


@pytest.mark.parametrize("spacing", [0.1, 0.125, 0.25, 0.5])
def test_names_and_ids_stay_unique_on_other_grids(spacing: float) -> None:
    places = load_region(PACK, MAPS, spacing).locations
    assert len({place.id for place in places}) == len({place.name for place in places}) == len(places)


def test_centres_lie_at_fixed_multiples_of_the_spacing(region: Region) -> None:
    for place in region.locations:
        for degrees in (place.latitude, place.longitude):
            assert (degrees / 0.25) % 1 == 0.5


@pytest.mark.parametrize(
    ("longitude", "latitude", "district"),
    [(78.03, 30.32, "Dehradun"), (77.17, 31.10, "Shimla"), (79.46, 29.39, "Nainital"), (78.07, 32.23, "Lahul & Spiti")],
)
def test_towns_lie_in_their_districts(region: Region, longitude: float, latitude: float, district: str) -> None:
    found = [o.name for o in region.outlines if inside(np.array([longitude]), np.array([latitude]), o.rings)[0]]
    assert found == [district]


def test_delhi_and_the_plains_of_tibet_lie_outside(region: Region) -> None:
    longitude, latitude = np.array([77.21, 81.5]), np.array([28.61, 31.5])
    assert not any(inside(longitude, latitude, outline.rings).any() for outline in region.outlines)


def test_a_hole_is_outside_and_an_island_in_it_inside() -> None:
    square = [((r, r), (10 - r, r), (10 - r, 10 - r), (r, 10 - r), (r, r)) for r in (0.0, 2.0, 4.0)]
    points = np.array([1.0, 3.0, 5.0, 11.0])
    assert inside(points, points, square).tolist() == [True, False, True, False]


def test_plains_are_low_and_the_main_range_is_high(region: Region) -> None:
    height = {place.id: place.elevation_m for place in region.locations}
    assert all(np.isfinite(list(height.values())))
    assert height["uh-28.875-79.625"] < 300  # Udham Singh Nagar, in the plain
    assert height["uh-32.375-78.125"] > 4000  # Spiti


def test_a_place_beyond_the_elevation_map_has_no_elevation(tmp_path: Path) -> None:
    square = [[100.0, 30.0], [101.0, 30.0], [101.0, 31.0], [100.0, 31.0], [100.0, 30.0]]
    properties = {"STATE_UT": "UTTARAKHAND", "DISTRICT": "FAR AWAY"}
    feature = {"properties": properties, "geometry": {"type": "Polygon", "coordinates": [square]}}
    (tmp_path / DISTRICTS_FILE).write_text(json.dumps({"features": [feature]}), "utf-8")
    shutil.copy(MAPS / ELEVATION_FILE, tmp_path)
    pack = rewritten(tmp_path, '["UTTARAKHAND", "HIMACHAL PRADESH"]', '["UTTARAKHAND"]')
    places = load_region(pack, tmp_path, 0.5).locations
    assert len(places) == 4
    assert all(np.isnan(place.elevation_m) for place in places)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('prefix = "uh"', 'prefix = "uh"\ncolour = "red"', "unknown key 'colour'"),
        ('prefix = "uh"', "", "lacks the key 'prefix'"),
        ('prefix = "uh"', "prefix = 7", "'prefix'"),
        ('["en", "hi"]', "[]", "'languages'"),
        ('["en", "hi"]', '"en"', "'languages'"),
        ("HIMACHAL PRADESH", "ATLANTIS", "unknown state 'ATLANTIS'"),
        ("Asia/Kolkata", "Asia/Atlantis", "unknown time zone"),
        ('prefix = "uh"', 'prefix = "uh', "no valid TOML"),
        ('prefix = "uh"', 'prefix = "uh"\nspacing_deg = true', "'spacing_deg'"),
        ('prefix = "uh"', 'prefix = "uh"\nspacing_deg = 50.0', "spacing of 50"),
        ('prefix = "uh"', 'prefix = "uh"\nspacing_deg = 4.9', "No cell"),
        ('states = ["UTTARAKHAND", "HIMACHAL PRADESH"]', "", "either 'states' or 'points'"),
        ('states = ["UTTARAKHAND", "HIMACHAL PRADESH"]', "points = []", "'points'"),
        ('prefix = "uh"', 'prefix = "uh"\npoints = [{name = "A", latitude = 1, longitude = 2}]', "either 'states' or"),
    ],
)
def test_an_unusable_pack_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_region(rewritten(tmp_path, old, new), MAPS, 0.25)
    assert caught.value.hint


def test_the_spacing_of_a_pack_holds(tmp_path: Path) -> None:
    pack = rewritten(tmp_path, 'prefix = "uh"', 'prefix = "uh"\nspacing_deg = 1')
    assert load_region(pack, MAPS, 0.25).spacing_deg == 1.0


def test_missing_files_are_named(tmp_path: Path) -> None:
    for pack, maps in ((tmp_path / "none.toml", MAPS), (PACK, tmp_path)):
        with pytest.raises(ConfigurationError, match="cannot be read") as caught:
            load_region(pack, maps, 0.25)
        assert caught.value.hint
    with pytest.raises(ConfigurationError, match="No region pack"):
        load_regions(tmp_path, MAPS, 0.25)


@pytest.mark.parametrize("broken", [DISTRICTS_FILE, ELEVATION_FILE])
def test_a_broken_map_is_named(tmp_path: Path, broken: str) -> None:
    for name in (DISTRICTS_FILE, ELEVATION_FILE):
        shutil.copyfile(MAPS / name, tmp_path / name)
    (tmp_path / broken).write_bytes(b"[]")
    with pytest.raises(ConfigurationError, match=broken):
        load_region(PACK, tmp_path, 0.25)


def test_a_pickled_elevation_is_refused(tmp_path: Path) -> None:
    shutil.copyfile(MAPS / DISTRICTS_FILE, tmp_path / DISTRICTS_FILE)
    np.savez(tmp_path / ELEVATION_FILE, z=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(ConfigurationError, match=ELEVATION_FILE):
        load_region(PACK, tmp_path, 0.25)


def test_all_packs_of_a_folder_are_loaded_and_ids_must_differ(tmp_path: Path) -> None:
    shutil.copyfile(PACK, tmp_path / "a.toml")
    assert [region.id for region in load_regions(tmp_path, MAPS, 0.5)] == ["uttarakhand-himachal"]
    shutil.copyfile(PACK, tmp_path / "b.toml")
    with pytest.raises(ConfigurationError, match="Two region packs"):
        load_regions(tmp_path, MAPS, 0.5)


def test_the_shipped_regions_and_their_states() -> None:
    regions = {region.id: region for region in load_regions(PACKS, MAPS, 0.25)}
    cells = {name: len(region.locations) for name, region in regions.items()}
    # Pinned: 22 districts and 2, 6 and 27, 13 and 12 on the map.
    assert cells == {
        "jammu-kashmir-ladakh": 349,
        "points-example": 4,
        "sikkim-arunachal": 132,
        "uttarakhand-himachal": 162,
    }
    assert [len(regions[name].outlines) for name in cells] == [24, 0, 33, 25]
    every = [place.id for region in regions.values() for place in region.locations]
    assert len(set(every)) == len(every)


def test_points_are_places_without_a_grid() -> None:
    region = load_region(POINTS, MAPS, 0.25)
    assert (region.spacing_deg, region.outlines) == (None, ())
    leh, _, dharamshala, _ = region.locations
    assert (leh.id, leh.name, leh.latitude, leh.elevation_m) == ("pt-34.160-77.580", "Leh", 34.16, 3500.0)
    assert 500 < dharamshala.elevation_m < 3000  # from the map


def test_a_point_beyond_the_elevation_map_has_the_elevation_it_is_given_or_none(tmp_path: Path) -> None:
    pack = rewritten(tmp_path, "latitude = 32.22", "latitude = -32.22", POINTS)
    assert np.isnan(load_region(pack, MAPS, 0.25).locations[2].elevation_m)
    pack = rewritten(tmp_path, "latitude = 34.16", "latitude = 48", POINTS)
    assert load_region(pack, MAPS, 0.25).locations[0].elevation_m == 3500


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "Leh"', "", "Point 1 .* keys"),
        ('name = "Leh"', 'name = "Leh"\ncolour = "red"', "Point 1 .* keys"),
        ('name = "Leh"', 'name = " "', "Point 1 .* no name"),
        ('name = "Leh"', 'name = "Kedarnath"', "share the name Kedarnath"),
        ("latitude = 34.16", "latitude = 134.16", "latitude of point 1"),
        ("latitude = 34.16", 'latitude = "34.16"', "latitude of point 1"),
        ("latitude = 34.16", "latitude = true", "latitude of point 1"),
        ("longitude = 77.58", "longitude = nan", "longitude of point 1"),
        ("elevation_m = 3500", "elevation_m = inf", "elevation_m of point 1"),
        ("latitude = 31.04\nlongitude = 78.78", "latitude = 34.16\nlongitude = 77.58", "share the position"),
        ('prefix = "pt"', 'prefix = "pt"\nspacing_deg = 1', "either 'states' or 'points'"),
    ],
)
def test_an_unusable_point_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_region(rewritten(tmp_path, old, new, POINTS), MAPS, 0.25)
    assert caught.value.hint


def test_points_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    pack = rewritten(tmp_path, 'states = ["UTTARAKHAND", "HIMACHAL PRADESH"]', 'points = ["Leh"]')
    with pytest.raises(ConfigurationError, match="Point 1"):
        load_region(pack, MAPS, 0.25)
