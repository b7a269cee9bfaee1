"""A made region of 200 x 200 places in the outlines of a real one, and made issues of it with every level."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from core.bootstrap.house import Core
from core.domain.forecast import WINDOWS, Exceedance, Forecast, Freshness, RegionForecast, RiskLevel, events_in
from core.domain.quality import FlaggedWeather
from core.domain.standing import LADDER
from core.domain.units import floor_hour, hour_axis
from core.domain.weather import Flag, HourlyWeather, Location, Region
from core.workflows.forecasting import Forecasting, Issue

SIDE = 200
#: Label of the button that puts the next issue in place.
NEXT = "Next issue"
#: Probabilities of the gravest windows are made in so many steps, and those from which a level begins.
STEPS, LEVELS_FROM = 400, (0.1, 0.3, 0.5)
HOURS = 26


def wide(region: Region, side: int = SIDE) -> Region:
    """Return a region of side x side places that covers the same land."""
    east = [point[0] for outline in region.outlines for ring in outline.rings for point in ring]
    north = [point[1] for outline in region.outlines for ring in outline.rings for point in ring]
    step = round(max(max(east) - min(east), max(north) - min(north)) / side, 3)
    rows, columns = np.divmod(np.arange(side * side), side)
    ground = 2500 + 2000 * np.sin(rows / 9) * np.cos(columns / 11)
    places = tuple(
        Location(
            f"wide-{i}", f"cell {i}", round(min(north) + step * int(rows[i]), 3),
            round(min(east) + step * int(columns[i]), 3), round(float(ground[i]), 1),
            float(np.cos(rows[i] / 9)), float(np.sin(columns[i] / 11)),
        )
        for i in range(side * side)
    )  # fmt: skip
    return replace(region, locations=places, spacing_deg=step)


def made(region: Region, number: int, now: datetime) -> Issue:
    """Return one issue: storms that wander with its number, and a strip of which nothing is known."""
    side = round(len(region.locations) ** 0.5)
    rows, columns = np.divmod(np.arange(len(region.locations)), side)
    wave = np.sin((rows + 3 * number) / 17) * np.cos((columns - 2 * number) / 13)
    steps = (np.clip(wave, 0, 1) ** 2 * 0.8 * STEPS).astype(int)
    steps[(rows + number) % side < side // 20] = -1
    at = floor_hour(now)
    kinds = _kinds(number, now)
    forecasts = tuple(
        replace(kinds[step], location_id=place.id) for step, place in zip(steps.tolist(), region.locations, strict=True)
    )
    forecast = RegionForecast(
        region, at + timedelta(seconds=number), at, forecasts, "simulator", "made", "simulator", False,
        Freshness.FRESH, at - timedelta(minutes=number), season_day=210,
    )  # fmt: skip
    axis = hour_axis(at - timedelta(hours=HOURS - 1), at)
    wander = np.cos((np.arange(HOURS) + columns[:, None]) / 9)  # else the rain of three hours looks like that of one
    rain = (np.clip(wave[:, None] * wander, 0, 1) * 9).astype(np.float32)
    weather = HourlyWeather(region.locations, axis, {"precipitation_mm": rain}, "simulator")
    return Issue(forecast, FlaggedWeather(weather, ()))


def _kinds(number: int, now: datetime) -> dict[int, Forecast]:
    """Return the forecast of every step of the probability, -1 where it is not known."""
    at = floor_hour(now)
    kinds = {}
    for step in range(-1, STEPS + 1):
        curves = [Exceedance.unknown(events_in(window)) for window in WINDOWS]
        level = RiskLevel.UNKNOWN
        if step >= 0:
            curves = [_curve(window, step / STEPS) for window in WINDOWS]
            level = LADDER[int(np.searchsorted(LEVELS_FROM, step / STEPS, side="right"))]
        fresh = Freshness.FRESH if step >= 0 else Freshness.NO_DATA
        data_at = at - timedelta(minutes=number)
        kinds[step] = Forecast(
            "", now, at, 6, curves[-1], level, "made", Flag.PASS, fresh, data_at, (), tuple(curves[:-1])
        )
    return kinds


def _curve(window: Any, p: float) -> Exceedance:
    falling = tuple(p / 2**i for i in range(len(events_in(window))))
    return Exceedance(events_in(window), falling, tuple(x / 2 for x in falling), falling)


class WideForecasting(Forecasting):
    """Forecasting of which the current issue is made here; the ledger, the cache and the clock are the house's."""

    def __init__(self, of: Forecasting, issues: int) -> None:
        super().__init__(**{field.name: getattr(of, field.name) for field in fields(of) if field.init})
        region = wide(of.observing.regions()[0])
        self.issues = [made(region, number, datetime.now(UTC)) for number in range(issues)]
        self.number = 0
        for issue in self.issues:
            issue.forecast.version  # noqa: B018 - whoever refreshes an issue asks for its digest

    def current(self, region_id: str, told: Any = None) -> Issue:
        """Return the issue that was made last."""
        del region_id, told
        return self.issues[min(self.number, len(self.issues) - 1)]


def wide_core(core: Core, issues: int) -> Core:
    """Return the house with so many made issues; the first is recorded, and what follows is compared with it."""
    forecasting = WideForecasting(core.forecasting, issues)
    core.forecasting.ledger.record_forecast(forecasting.issues[0].forecast)
    return replace(core, forecasting=forecasting)
