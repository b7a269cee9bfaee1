"""Archived forecasts of the simulated weather: what a weather model with a coarse grid said a day before.

Truth and error by design: no model is run here. The fields of an hour are those of the simulated weather itself, seen
through a coarse grid and blurred in time, with an error that is drawn for the run. So they know of later weather what a
forecast of that run may know, and no more: storms and single hours are lost in the grid, the amounts in the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.adapters.simulator.source import SEASON_DAY, SimulatedRegion, Simulator
from core.domain.units import HOUR, hour_axis, to_second64
from core.domain.weather import VARIABLES, HourlyWeather, Hours, Region
from core.ports import Clock

Floats = NDArray[np.float64]

#: A run begins every so many hours, and is out so long after it began.
RUN_EVERY_H, OUT_AFTER_H = 12, 4
#: The value kept for an hour is that of the newest run that was out so long before it ("previous day 1").
AHEAD_H = 24
#: What the model knows of the weather: means of so many hours before and after, on the lattice of the air's fields
#: (0.8 degrees). Neither a storm nor its hour is left in them.
BLUR_H = 3


class Fault(NamedTuple):
    """What is wrong with a field a day ahead: which drawn error it follows, and one standard deviation of it.

    As a logarithm where `logarithmic`, else in the unit of the field.
    """

    drawn: int
    size: float
    logarithmic: bool


#: The fields given. The sizes are chosen, not measured: such as forecasters know them. Air that is too unstable has too
#: much CAPE, and too low an index and inhibition.
FAULTS: Mapping[str, Fault] = {
    "cape_j_kg": Fault(0, 0.4, True),
    "convective_inhibition_j_kg": Fault(0, -0.3, True),
    "lifted_index_k": Fault(0, -1.2, False),
    "precipitable_water_mm": Fault(1, 2.5, False),
    "freezing_level_m": Fault(2, 120.0, False),
    "precipitation_mm": Fault(3, 0.6, True),
}
#: Share of the rain that such a model brings, and its rain out of nothing where its error is wet, mm/h.
RAIN_SHARE, FALSE_RAIN_MM = 0.6, 0.15
FALSE_RAIN = 4
DRAWN_ERRORS = 5
#: The two runs of a day draw from these streams of its chance.
FORECAST_STREAM = 4
#: Each member of an ensemble has streams of its own, so far apart.
MEMBER_STREAMS = 100
#: Days kept.
CACHED_DAYS = 24


class SimulatedForecasts:
    """Port `FieldSource` over a simulator: the same fields whenever and for whatever window they are asked for.

    Parameters
    ----------
    simulator
        The weather that was forecast.
    clock
        Tells the time: what no run that is out by then has forecast is missing.
    calendar
        True: the forecasts of past monsoons; False: those of the live weather, whose season stands still.
    """

    def __init__(self, simulator: Simulator, clock: Clock, *, calendar: bool) -> None:
        self._simulator = simulator
        self._clock = clock
        self._calendar = calendar
        self._day = lru_cache(CACHED_DAYS)(self._forecast)

    def __reduce__(self) -> tuple[object, ...]:
        """Leave behind what was forecast: another process forecasts the same."""
        return _again, (self._simulator, self._clock, self._calendar)

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the forecasts for the hours from `start` to `end`, NaN where no run was out by the clock."""
        return self.member(region, start, end, 0)

    def member(self, region: Region, start: datetime, end: datetime, member: int) -> HourlyWeather:
        """Return the same with other errors: those of one member of an ensemble, of which 0 is the control."""
        axis = hour_axis(start, end)
        begun = _begun(axis)
        available: Hours = np.empty((len(region.locations), len(axis)), "datetime64[s]")
        available[:] = begun + HOUR * OUT_AFTER_H
        values = np.full((len(FAULTS), *available.shape), np.nan, np.float32)
        out = begun + HOUR * OUT_AFTER_H <= to_second64(self._clock())
        if out.any() and region.locations:
            world = self._simulator.world(region)
            for day in np.unique(axis[out].astype("datetime64[D]")):
                here = out & (axis.astype("datetime64[D]") == day)
                values[:, :, here] = self._day(world, int(day.astype(int)), member)[
                    :, :, (axis[here] - day).astype(int)
                ]
        return HourlyWeather(
            locations=region.locations,
            valid_at=axis,
            values=dict(zip(FAULTS, values, strict=True)),
            source=self._simulator.name,
            available_at=available,
            season_day=None if self._calendar else SEASON_DAY,
        )

    def _forecast(self, world: SimulatedRegion, day: int, member: int = 0) -> NDArray[np.float32]:
        """Return the fields of one day in the order of `FAULTS`, shape (fields, places, 24)."""
        hours = np.datetime64(day, "D") + HOUR * np.arange(24)
        error, grown = self._errors(world, hours, member)
        out = {}
        for (name, fault), truth in zip(FAULTS.items(), self._blurred(world, day), strict=True):
            wrong = fault.size * grown * error[fault.drawn]
            # The mean of exp(wrong) is exp(variance / 2).
            factor = np.exp(wrong - (fault.size * grown) ** 2 / 2)
            out[name] = truth * factor if fault.logarithmic else truth + wrong
        false_mm = FALSE_RAIN_MM * np.maximum(grown * error[FALSE_RAIN], 0)
        out["precipitation_mm"] = RAIN_SHARE * out["precipitation_mm"] + false_mm
        return np.stack(list(out.values())).astype(np.float32)

    def _blurred(self, world: SimulatedRegion, day: int) -> Floats:
        """Return the true fields of one day as a coarse model resolves them, shape (fields, places, 24)."""
        rows = [VARIABLES.index(name) for name in FAULTS]
        days = [world.observations(d, self._calendar)[rows] for d in (day - 1, day, day + 1)]
        around = np.concatenate(days, axis=2)[:, :, 24 - BLUR_H : 48 + BLUR_H].astype(float)
        hourly = np.lib.stride_tricks.sliding_window_view(around, 2 * BLUR_H + 1, axis=2).mean(axis=3)
        weight = world.bumps / np.maximum(world.bumps.sum(axis=0), np.finfo(float).tiny)
        lattice = np.einsum("vph,pb->vbh", hourly, weight)
        return np.asarray(np.einsum("vbh,pb->vph", lattice, world.bumps / world.bumps.sum(axis=1, keepdims=True)))

    def _errors(self, world: SimulatedRegion, hours: Hours, member: int) -> tuple[Floats, Floats]:
        """Return the errors of unit variance (fields, places, hours), and by how much they have grown (hours,)."""
        begun = _begun(hours)
        lead_h = (hours - begun).astype(int)
        # An error turns into another one within hours, and keeps its size.
        turn = lead_h * np.pi / RUN_EVERY_H
        out = np.empty((DRAWN_ERRORS, len(world.bumps), len(hours)))
        for run in np.unique(begun):
            day = run.astype("datetime64[D]")
            stream = FORECAST_STREAM + int((run - day).astype(int)) // RUN_EVERY_H + MEMBER_STREAMS * member
            drawn = world.chance(int(day.astype(int)), stream).standard_normal((2, DRAWN_ERRORS, world.bumps.shape[1]))
            one, other = np.einsum("deb,pb->dep", drawn, world.bumps)
            here = begun == run
            out[:, :, here] = one[:, :, None] * np.cos(turn[here]) + other[:, :, None] * np.sin(turn[here])
        return out, lead_h / 24


class SimulatedEnsemble:
    """Port `EnsembleSource`: members that differ in their errors as much as each does from the truth.

    Parameters
    ----------
    control
        Its first member.
    size
        Number of members, 2 at the least.
    """

    def __init__(self, control: SimulatedForecasts, size: int) -> None:
        self._control, self.size = control, size

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the mean of the members."""
        return self.members(region, start, end).mean_of_members(self.size)

    def members(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return every member: all places of the control, then all of the first perturbed one, and so on."""
        each = [self._control.member(region, start, end, member) for member in range(self.size)]
        known = [one.available_at for one in each if one.available_at is not None]
        return replace(
            each[0],
            locations=region.locations * self.size,
            values={name: np.concatenate([one.values[name] for one in each]) for name in FAULTS},
            available_at=np.concatenate(known),
        )


def _begun(hours: Hours) -> Hours:
    """Return when the run began whose values are kept for each hour, datetime64[h]."""
    latest = hours.astype(int) - AHEAD_H - OUT_AFTER_H
    return np.asarray((latest - latest % RUN_EVERY_H).astype("datetime64[h]"))


def _again(simulator: Simulator, clock: Clock, calendar: bool) -> SimulatedForecasts:
    """Return the forecasts in another process."""
    return SimulatedForecasts(simulator, clock, calendar=calendar)
