"""Figures of the point page: the meteogram with the coming day set apart, and the hours ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, Exceedance, Window, events_in
from core.domain.quality import Finding, FlaggedWeather
from core.domain.weather import Flag, HourlyWeather
from tests.weather_made import END, REGION, weather
from ui.figures import FLOOR_PERCENT, lead_time_chart
from ui.point_meteogram import AHEAD_H, SHOWN_H, ahead, chart

NOW = END + timedelta(minutes=20)


def issue(fields: HourlyWeather | None = None, *findings: Finding, seen: HourlyWeather | None = None) -> Any:
    checked = FlaggedWeather(weather(96) if seen is None else seen, findings)
    forecast = SimpleNamespace(region=REGION, issued_at=NOW, version="v")
    return SimpleNamespace(forecast=forecast, checked=checked, situation=SimpleNamespace(fields=fields))


def coming(available_at: datetime) -> HourlyWeather:
    """Return forecast fields from three days before the issue to two days after it."""
    made = weather(120, END + timedelta(hours=48), "open-meteo")
    known = np.full((3, 120), np.datetime64(available_at.replace(tzinfo=None), "s"))
    return replace(made, available_at=known)


def drawn(made: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    chart.clear()
    figure, missing = chart("v", 1, "en", made)
    assert figure is not None
    return figure.to_dict(), missing


def test_observations_end_now_and_what_is_not_sent_is_named() -> None:
    figure, missing = drawn(issue())
    rain = next(t for t in figure["data"] if t["type"] == "bar")
    assert len(rain["x"]) == SHOWN_H
    assert rain["x"][-1] == END
    assert missing == ("CAPE", "precipitable water")
    assert not [s for s in figure["layout"]["shapes"] if s["type"] == "rect"]
    assert {s["x0"] for s in figure["layout"]["shapes"]} == {NOW}


def test_the_coming_day_is_pale_dotted_and_shaded_and_begins_after_now() -> None:
    figure, _ = drawn(issue(coming(NOW - timedelta(hours=5))))
    rain, later = (t for t in figure["data"] if t["type"] == "bar")
    assert (len(later["x"]), later["x"][0], later["x"][-1]) == (
        AHEAD_H, END + timedelta(hours=1), END + timedelta(hours=AHEAD_H),
    )  # fmt: skip
    assert later["opacity"] < rain["opacity"]
    dashes = [t["line"].get("dash") for t in figure["data"] if t.get("mode") == "lines"]
    assert dashes.count("dot") == dashes.count(None) == 5
    shade = [s for s in figure["layout"]["shapes"] if s["type"] == "rect"]
    assert {(s["x0"], s["x1"]) for s in shade} == {(NOW, END + timedelta(hours=AHEAD_H))}


def test_fields_that_came_after_the_issue_are_not_shown() -> None:
    assert ahead(issue(coming(NOW + timedelta(hours=1))), 1) is None
    assert ahead(issue(None), 1) is None


def test_flagged_values_have_a_cross_at_their_hour_and_place_only() -> None:
    where = np.zeros((3, 96), bool)
    where[1, -4] = True
    where[0, -9] = True
    figure, _ = drawn(issue(None, Finding("spike", "temperature_c", Flag.SUSPECT, "too steep", where)))
    (cross,) = (t for t in figure["data"] if t["name"] == "flagged")
    assert list(cross["x"]) == [END - timedelta(hours=3)]
    assert cross["marker"]["symbol"] == "x"


def test_arrows_fly_with_the_wind() -> None:
    seen = weather(96)
    blown = seen.with_values(seen.values | {"wind_direction_deg": np.full((3, 96), 270, np.float32)})
    figure, _ = drawn(issue(seen=blown))
    (arrows,) = (t for t in figure["data"] if t["name"] == "wind blows towards")
    assert set(arrows["marker"]["angle"]) == {90.0}  # a west wind blows to the east


def test_where_nothing_came_there_is_no_figure() -> None:
    seen = weather(96)
    nothing = seen.with_values({name: np.full_like(array, np.nan) for name, array in seen.values.items()})
    chart.clear()
    assert chart("v", 1, "en", issue(seen=nothing))[0] is None


def curve(window: Window, p: float) -> Exceedance:
    events = events_in(window)
    n = len(events)
    return Exceedance(events, (p,) * n, (p / 2,) * n, (2 * p,) * n, frozenset(events[1:]), (p / 4,) * n)


def test_the_hours_ahead_show_every_window_that_knows_the_rain_with_band_and_climatology() -> None:
    curves = [curve(Window(0, 1), 0.01), curve(DEFAULT_WINDOW, 0.2), curve(FIELD_WINDOWS[0], 0.1)]
    mini, target = events_in(DEFAULT_WINDOW)[-1], events_in(DEFAULT_WINDOW)[0]
    usual, shown = lead_time_chart(curves, target).data
    assert list(shown.x) == ["0 to 1 h", "0 to 6 h", "6 to 12 h"]
    assert list(shown.y) == pytest.approx([1, 20, 10])
    assert list(shown.error_y.array) == pytest.approx([1, 20, 10])
    assert list(shown.error_y.arrayminus) == pytest.approx([0.5, 10, 5])
    assert list(usual.y) == pytest.approx([0.25, 5, 2.5])
    assert set(shown.marker.symbol) == {"circle"}
    _, two_hours = lead_time_chart(curves, mini).data
    assert list(two_hours.x) == ["0 to 6 h", "6 to 12 h"]
    assert set(two_hours.marker.symbol) == {"circle-open"}


def test_rare_and_unknown_probabilities_can_be_drawn() -> None:
    usual, shown = lead_time_chart([curve(DEFAULT_WINDOW, 1e-9)], events_in(DEFAULT_WINDOW)[0]).data
    assert list(shown.y) == [FLOOR_PERCENT]
    assert min(shown.error_y.arrayminus) == 0
    figure = lead_time_chart([Exceedance.unknown()], events_in(DEFAULT_WINDOW)[0])
    assert np.isnan(figure.data[1].y).all()
    assert usual.y[0] >= FLOOR_PERCENT
