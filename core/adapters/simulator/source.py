"""The simulated weather source: an endless monsoon night that is the same whenever and however it is asked for.

The day is the atom. Everything that belongs to one UTC day is computed at once, from chance drawn for that day and a
bounded number of days before it, with arrays of fixed shape; a window is days put side by side and cut. So a value
depends neither on the window nor on anything later than its own hour, down to the last bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.adapters.simulator import atmosphere as air
from core.adapters.simulator import storms as storm
from core.domain.units import floor_hour, hour_axis, to_hour64
from core.domain.weather import VARIABLES, HourlyWeather, Hours, Location, Region

Floats = NDArray[np.float64]

#: 29 July: the day of the year that the live weather plays.
SEASON_DAY = 210
#: Hourly values are published five minutes after their hour.
DELAY = np.timedelta64(300, "s")
#: First and last hour of a monsoon, (month, day).
MONSOON_BEGIN, MONSOON_END = (6, 1), (9, 30)
PAST_MONSOONS = 3

#: Latent fields with their memory (e-folding time, hours) and whether the whole region shares them.
FIELDS: Mapping[str, tuple[float, bool]] = {
    "active": (110.0, True),
    "moist": (30.0, False),
    "instability": (16.0, False),
    "wetness": (4.0, False),
    "warmth": (48.0, False),
    "pressure": (36.0, True),
    "flow_east": (20.0, False),
    "flow_north": (20.0, False),
}
#: Days of chance that a day remembers: five e-folding times of the longest memory.
MEMORY_DAYS = 23
#: The live weather plays an active spell: the regional moisture lies this far above its mean and varies half as much.
ACTIVE_SHIFT, ACTIVE_SHARE = 1.1, 0.5
#: Shares of the regional and the local field in moisture; their squares sum to 1.
REGIONAL_SHARE, LOCAL_SHARE = 0.6, 0.8
#: Chance of the single hour in storm rain (log-normal spread), drawn in that hour.
RAIN_CHANCE = 0.35
SENSOR_NOISES = 12
#: Numbers of the independent streams of chance of one day.
LATENT_STREAM, STORM_STREAM, SENSOR_STREAM, RAIN_STREAM = range(4)
#: Cells are as large as this where the places are stations.
STATION_CELL_DEG = 0.25
#: Days kept: observations for the pages that ask again, the rest only for the neighbouring days.
CACHED_DAYS, NEIGHBOURING_DAYS = 24, 4


class SimulatedRegion:
    """The weather of one region, day by day. Days are counted as numpy does: 0 is 1 January 1970."""

    def __init__(self, region_id: str, locations: Sequence[Location], spacing_deg: float | None, seed: int) -> None:
        self._seed = (seed, zlib.crc32(region_id.encode()))
        self._cell_deg = spacing_deg or STATION_CELL_DEG
        self.terrain = air.terrain_of(locations)
        self.bumps = air.bumps(self.terrain.longitude, self.terrain.latitude)
        memory_h = np.array([memory for memory, _ in FIELDS.values()])
        self._decay = np.exp(-1 / memory_h)
        lag = np.arange(24)[:, None] - np.arange(24)
        self._within_day = np.where(lag >= 0, self._decay[:, None, None] ** np.maximum(lag, 0), 0.0)
        self.innovations = lru_cache(NEIGHBOURING_DAYS)(self._innovations)
        self.summary = lru_cache(4 * MEMORY_DAYS)(self._summary)
        self.state = lru_cache(NEIGHBOURING_DAYS)(self._state)
        self.births = lru_cache(NEIGHBOURING_DAYS)(self._births)
        self.observations = lru_cache(CACHED_DAYS)(self._observations)

    def chance(self, day: int, stream: int) -> np.random.Generator:
        """Return the generator of one stream of one day, the same whenever it is asked for."""
        # Counted from the year 1, as seeds must not be negative.
        return np.random.default_rng([*self._seed, day + 719_163, stream])

    def _innovations(self, day: int) -> Floats:
        """Return the hourly news of all latent fields, shape (fields, 24, bumps): row h may act from hour h on."""
        return self.chance(day, LATENT_STREAM).standard_normal((len(FIELDS), 24, self.bumps.shape[1]))

    def _summary(self, day: int) -> Floats:
        """Return what the day's news still amounts to in its last hour, shape (fields, bumps)."""
        fading = self._decay[:, None] ** np.arange(23, -1, -1)
        return np.asarray((fading[:, :, None] * self.innovations(day)).sum(axis=1))

    def _field(self, day: int) -> dict[str, Floats]:
        """Return the latent fields, each N(0, 1) and of shape (24, places).

        z(t) = sqrt(1 - a^2) sum over k of a^k e(t - k): a moving average over news of the past, cut after MEMORY_DAYS.
        """
        carried = np.zeros((len(FIELDS), self.bumps.shape[1]))
        for back in range(MEMORY_DAYS, 0, -1):
            carried = carried * self._decay[:, None] ** 24 + self.summary(day - back)
        ahead = self._decay[:, None] ** np.arange(1, 25)
        z = np.einsum("fth,fhb->ftb", self._within_day, self.innovations(day)) + ahead[:, :, None] * carried[:, None, :]
        z *= np.sqrt(1 - self._decay**2)[:, None, None]
        shared = z.sum(axis=2) / np.sqrt(z.shape[2])
        return {
            name: shared[i][:, None] + np.zeros(len(self.bumps))
            if regional
            else np.einsum("hb,pb->hp", z[i], self.bumps)
            for i, (name, (_, regional)) in enumerate(FIELDS.items())
        }

    def _state(self, day: int, calendar: bool) -> dict[str, Floats]:
        """Return season, solar hour, latent fields, birth rate and light rain of one day, each (24, places)."""
        hour = np.arange(24.0)[:, None]
        start = np.datetime64(day, "D")
        fields = self._field(day)
        if calendar:
            begun = (start - start.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
            season = begun + 1 + hour / 24
        else:
            season = np.full((24, 1), float(SEASON_DAY))
            fields["active"] = ACTIVE_SHIFT + ACTIVE_SHARE * fields["active"]
        solar = np.mod(hour + self.terrain.longitude / 15.0, 24.0)
        moisture = REGIONAL_SHARE * fields["active"] + LOCAL_SHARE * fields["moist"]
        rate = storm.birth_rate(
            self.terrain,
            air.storm_season(season),
            solar,
            moisture=moisture,
            instability=fields["instability"],
            cell_deg2=self._cell_deg**2,
        )
        monsoon = air.monsoon_strength(season)
        drizzle = air.light_rain_mm(monsoon, self.terrain.orography, solar, moisture, fields["wetness"])
        state = {"day_of_year": season, "monsoon": monsoon, "solar_hour": solar, "moisture": moisture}
        return state | fields | {"birth_rate": rate, "light_rain_mm": drizzle}

    def _births(self, day: int, calendar: bool) -> storm.Storms:
        """Return the storms born on one day."""
        state = self.state(day, calendar)
        draws = self.chance(day, STORM_STREAM).random((24, len(self.terrain.longitude), storm.DRAWS))
        steering = air.steering_ms(state["monsoon"], state)
        return storm.born(
            self.terrain,
            state["birth_rate"],
            draws,
            moisture=state["moisture"],
            steering=steering,
            cell_deg=self._cell_deg,
        )

    def living(self, day: int, calendar: bool) -> storm.Storms:
        """Return all storms that can act on one day, counted from its start: they were born on it or the day before."""
        return self.births(day - 1, calendar).shifted(24).and_also(self.births(day, calendar))

    def _observations(self, day: int, calendar: bool) -> NDArray[np.float32]:
        """Return all variables of one day in the order of VARIABLES, shape (variables, places, 24)."""
        state = self.state(day, calendar)
        places = len(self.terrain.longitude)
        effects = storm.effects(self.terrain, self.living(day, calendar))
        chance = self.chance(day, RAIN_STREAM).standard_normal((24, places))
        heavy = effects["rain_mm"] * np.exp(RAIN_CHANCE * chance - RAIN_CHANCE**2 / 2)
        # Gauges report tenths of a millimetre.
        rain = np.asarray(np.minimum(heavy + state["light_rain_mm"], storm.GREATEST_MM).round(1), float)
        noise = self.chance(day, SENSOR_STREAM).standard_normal((SENSOR_NOISES, 24, places))
        today = air.AirState(state["day_of_year"], state["monsoon"], state["solar_hour"], state, rain, effects, noise)
        values = air.observed(self.terrain, today)
        return np.stack([values[name].T for name in VARIABLES]).astype(np.float32)

    def latent(self, day: int, calendar: bool) -> dict[str, Floats]:
        """Return everything drawn up to each hour of one day that bears on later rain, each (24, places)."""
        state = self.state(day, calendar)
        living = self.living(day, calendar)
        known = storm.known_rain_mm(self.terrain, living)
        fields = {name: np.broadcast_to(state[name], state["moisture"].shape) for name in state}
        fields |= storm.gathering_fields(self.terrain, living)
        fields |= {f"known_rain_{lead + 1}h_mm": known[lead] for lead in range(storm.LEADS)}
        fields["known_rain_mm"] = known.max(axis=0)
        # The rate to come if moisture and instability stay as they are: the sun's course is known in advance.
        later = [storm.diurnal_rate(state["solar_hour"] + lead) for lead in range(1, storm.LEADS)]
        now = storm.diurnal_rate(state["solar_hour"])
        fields["births_to_come"] = state["birth_rate"] / now * np.sum(later, axis=0)
        fields["births_nearby"] = np.einsum("hq,pq->hp", fields["births_to_come"], air.surroundings(self.terrain))
        fields["orography"] = np.broadcast_to(self.terrain.orography, known.shape[1:])
        return fields


class Simulator:
    """The simulated weather source: port `WeatherSource`.

    Parameters
    ----------
    regions
        The regions it serves.
    seed
        Seed of all weather; the same seed gives the same weather.
    clock
        Tells the time; hours after it are missing.
    """

    def __init__(self, regions: Sequence[Region], seed: int, clock: Callable[[], datetime]) -> None:
        self._regions = tuple(regions)
        self._seed = seed
        self._clock = clock
        self._simulated = lru_cache(8)(SimulatedRegion)

    def __reduce__(self) -> tuple[object, ...]:
        """Leave behind what was simulated: another process simulates the same."""
        return Simulator, (self._regions, self._seed, self._clock)

    @property
    def name(self) -> str:
        """Provenance."""
        return "simulator"

    @property
    def past_monsoons(self) -> tuple[int, ...]:
        """Years of the last three monsoons that are over by the clock, oldest first."""
        now = floor_hour(self._clock())
        over = now > monsoon_window(now.year)[1]
        last = now.year if over else now.year - 1
        return tuple(range(last - PAST_MONSOONS + 1, last + 1))

    def regions(self) -> tuple[Region, ...]:
        """Return the regions it serves."""
        return self._regions

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the hours from `start` to `end`, both included: 29 July in an active monsoon, whatever the date.

        Hours after the clock are NaN; a value is available five minutes after its hour.
        """
        return self._weather(region, start, end, calendar=False)

    def monsoon(self, region: Region, year: int) -> HourlyWeather:
        """Return 1 June to 30 September (UTC) of one year, in the calendar's own season."""
        return self._weather(region, *monsoon_window(year), calendar=True)

    def latent(
        self, region: Region, start: datetime, end: datetime, *, calendar: bool = False
    ) -> dict[str, NDArray[np.float32]]:
        """Return the hidden state behind the hours from `start` to `end`, each of shape (places, hours), float32.

        Honest and complete: whatever was drawn up to an hour and bears on later rain is in it, among it the rain of
        the next six hours from storms already born (`known_rain_1h_mm` to `known_rain_6h_mm`, mm), with their fate.
        Only benchmarks and tests may look: it says how predictable the simulated weather is at best.
        """
        axis = hour_axis(start, end)
        world = self.world(region)
        days = [world.latent(day, calendar) for day in _days(axis)]
        cut = _cut(axis)
        return {name: np.concatenate([day[name] for day in days])[cut].T.astype(np.float32) for name in days[0]}

    def _weather(self, region: Region, start: datetime, end: datetime, *, calendar: bool) -> HourlyWeather:
        """Put days side by side, cut the window and hide what lies after the clock."""
        axis = hour_axis(start, end)
        shape = (len(region.locations), len(axis))
        values = np.full((len(VARIABLES), *shape), np.nan, np.float32)
        past = axis <= to_hour64(self._clock())
        if past.any() and region.locations:
            world = self.world(region)
            for day in _days(axis[past]):
                here = past & (axis.astype("datetime64[D]").astype(int) == day)
                hour = axis[here].astype(int) - day * 24
                values[:, :, here] = world.observations(day, calendar)[:, :, hour]
        available: Hours = np.empty(shape, "datetime64[s]")
        available[:] = axis + DELAY
        return HourlyWeather(
            locations=region.locations,
            valid_at=axis,
            values=dict(zip(VARIABLES, values, strict=True)),
            source=self.name,
            available_at=available,
            season_day=None if calendar else SEASON_DAY,
        )

    def world(self, region: Region) -> SimulatedRegion:
        """Return the simulated weather of a region, kept from call to call."""
        return self._simulated(region.id, region.locations, region.spacing_deg, self._seed)


def monsoon_window(year: int) -> tuple[datetime, datetime]:
    """Return the first and the last hour of a monsoon (UTC)."""
    return datetime(year, *MONSOON_BEGIN, tzinfo=UTC), datetime(year, *MONSOON_END, 23, tzinfo=UTC)


def _days(axis: NDArray[np.datetime64]) -> range:
    """Return the numbers of all days that the hours touch."""
    return range(
        int(axis[0].astype("datetime64[D]").astype(int)), int(axis[-1].astype("datetime64[D]").astype(int)) + 1
    )


def _cut(axis: NDArray[np.datetime64]) -> slice:
    """Return where the hours lie in whole days put side by side."""
    first = int((axis[0] - axis[0].astype("datetime64[D]")).astype(int))
    return slice(first, first + len(axis))
