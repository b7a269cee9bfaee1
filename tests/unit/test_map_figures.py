"""What stands and what changed, as arrays, and the figures that are drawn of it."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import numpy as np
import pytest

from core import DEFAULT_WINDOW, LEVELS, TARGET, WINDOWS, Changes, RiskLevel, Standing, Window, fallen_mm
from core.domain.weather import Location
from tests.issued_made import END, curve
from tests.unit.test_districts import REGION, _issue
from tests.weather_made import weather
from ui import map_preview, maps
from ui.map_choice import windows_of
from ui.map_grid import MOST_SPOTS, Spots, grid_of
from ui.map_layers import HATCH_X, HATCHED, LAYERS, LEVEL, NOTHING, OUTSIDE, Picture

GREEN, YELLOW, RED, NOTHING_KNOWN = (
    (RiskLevel.GREEN, 0.01),
    (RiskLevel.YELLOW, 0.2),
    (RiskLevel.RED, 0.6),
    (RiskLevel.UNKNOWN, math.nan),
)
BEFORE = Standing.of(_issue(GREEN, RED, YELLOW, NOTHING_KNOWN, GREEN))
AFTER = Standing.of(_issue(YELLOW, GREEN, NOTHING_KNOWN, GREEN, GREEN))


def test_what_rose_fell_was_lost_and_found_by_place_and_district() -> None:
    found = Changes(BEFORE, AFTER)
    assert [list(places) for places in (found.risen, found.fallen, found.lost, found.found)] == [[0], [1], [2], [3]]
    assert np.allclose(found.difference(TARGET)[[0, 1, 4]], [0.19, -0.59, 0.0])
    assert np.isnan(found.difference(TARGET)[[2, 3]]).all()
    assert [(d.name, d.risen, d.fallen, d.lost, d.found) for d in found.by_district()] == [
        ("West", 1, 1, 0, 0),
        ("East", 0, 0, 1, 0),
        ("North", 0, 0, 0, 1),
    ]
    assert Changes(AFTER, AFTER).none
    assert not found.none


def test_rain_with_a_missing_hour_is_not_known() -> None:
    seen = weather(30, END)
    rain = seen.get("precipitation_mm").copy()
    rain[1, -2] = np.nan
    seen = seen.with_values({**seen.values, "precipitation_mm": rain})
    assert fallen_mm(seen, END, 3)[0] == pytest.approx(rain[0, -3:].sum())
    assert np.isfinite(fallen_mm(seen, END, 1)).all()
    assert np.isnan(fallen_mm(seen, END, 3)[1])
    assert np.isnan(fallen_mm(seen, END - timedelta(hours=20), 24)).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_every_place_without_a_value_is_hatched_and_no_other(layer: str) -> None:
    rain = np.array([1, 2, np.nan, 4, 5], np.float32)
    picture = Picture(AFTER, layer, TARGET, Changes(BEFORE, AFTER), rain)
    drawn = {trace.name: trace for trace in maps.figure(picture).data}
    unknown = {"change": 2, "terrain": 0}.get(layer, 1)
    assert len(drawn["hatching"].x) == unknown * len(HATCH_X)
    assert list(maps.figure(picture).data[-1].customdata) == [place.id for place in REGION.locations]


def test_what_stands_in_the_maps_place_has_every_cell_in_the_colour_and_sign_of_its_level() -> None:
    made = map_preview.drawn(Picture(BEFORE, LEVEL, TARGET, outlines=False))
    drawing = ElementTree.fromstring(base64.b64decode(made.split("base64,")[1].split('"')[0]))  # noqa: S314 - ours
    cells = {p.get("fill"): p.get("d", "").count("z") for p in drawing if p.tag.endswith("path")}
    known = {LEVELS[level].colour: n for level, n in BEFORE.counts().items() if level is not RiskLevel.UNKNOWN}
    white = LEVELS[RiskLevel.UNKNOWN].colour
    assert {colour: n for colour, n in cells.items() if colour != "none"} == known | {white: 1}
    assert cells["none"] == 1  # outlined and crossed on white, in no colour of a level
    assert sorted("".join(drawing.itertext())) == sorted("▲■")
    assert map_preview.drawn(Picture(BEFORE, "terrain", TARGET)) == ""
    assert map_preview.drawn(Picture(_wide(40), LEVEL, TARGET)) == ""


@pytest.mark.parametrize("layer", ["level", "probability"])
def test_above_a_base_map_every_place_has_its_spot_white_where_nothing_is_known(layer: str) -> None:
    address = "https://tiles.example/{z}/{x}/{y}.png"
    made = maps.figure(Picture(BEFORE, layer, TARGET), address)
    assert list(made.layout.map.layers[0].source) == [address]
    assert made.layout.map.style == {"version": 8, "sources": {}, "layers": []}  # a named one is fetched from elsewhere
    *_, unknown, known = made.data
    assert list(unknown.customdata) == [REGION.locations[3].id]
    assert unknown.marker.color == LEVELS[RiskLevel.UNKNOWN].colour
    assert sorted([*unknown.customdata, *known.customdata]) == sorted(place.id for place in REGION.locations)


def _wide(side: int) -> Standing:
    places = tuple(
        Location(f"{i}", f"{i}", 30 + i // side / 10, 78 + i % side / 10, 500.0, 0.1, 0.0) for i in range(side * side)
    )
    step = np.zeros(len(places), np.int8)
    step[:side], step[17 * side + 17] = -1, 3
    chances = np.full((len(places), 5), 0.01)
    return Standing(
        replace(REGION, locations=places), DEFAULT_WINDOW, END, END, step, chances, np.zeros(len(places), bool)
    )


def test_a_fine_grid_has_few_spots_that_show_the_gravest_and_hatches_by_its_cells() -> None:
    standing = _wide(120)
    grid = grid_of(standing.region)
    spots = Spots.on(grid, standing)
    assert len(spots.place) <= MOST_SPOTS
    assert spots.of.sum() == 120 * 120
    assert 17 * 120 + 17 in spots.place
    z = np.asarray(maps.figure(Picture(standing, "level", TARGET)).data[0].z)
    assert z.dtype == np.uint8
    assert set(z[0].tolist()) == {NOTHING, HATCHED}
    assert set(z[1:].ravel().tolist()) == {0, 3}
    assert OUTSIDE not in z


def test_an_issue_names_the_windows_of_its_curves_and_a_region_is_the_key_of_what_is_made_of_it() -> None:
    issue = _issue(GREEN, RED, YELLOW, NOTHING_KNOWN, GREEN)
    assert windows_of(issue) == WINDOWS
    first = replace(issue.forecasts[0], others=(curve(Window(0, 1), 0.1), curve(Window(6, 12), 0.3)))
    wider = replace(issue, forecasts=(first, *issue.forecasts[1:]))
    assert windows_of(wider) == (Window(0, 1), DEFAULT_WINDOW, Window(6, 12))
    later = Standing.of(wider, Window(6, 12))
    assert later.probability[0, 0] == pytest.approx(0.3)
    assert np.isnan(later.probability[1:]).all()
    again, moved = replace(REGION), replace(REGION, locations=(*REGION.locations[:-1], REGION.locations[0]))
    assert hash(again) == hash(REGION)
    assert grid_of(again) is grid_of(REGION)
    assert grid_of(moved) is not grid_of(REGION)
