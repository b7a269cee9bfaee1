"""What is agreed with Open-Meteo: endpoints, names, units, weights, and one request as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from core.domain.units import hour_axis
from core.domain.weather import VARIABLES, Hours, Location

#: Names and units of the service, by variable of the house. The lifted index comes with an empty unit (recorded
#: answers of 2025-06), in some builds with K; a difference of temperatures is the same number in both.
NAMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "temperature_c": ("temperature_2m", ("°C",)),
    "dew_point_c": ("dew_point_2m", ("°C",)),
    "relative_humidity_pct": ("relative_humidity_2m", ("%",)),
    "surface_pressure_hpa": ("surface_pressure", ("hPa",)),
    "pressure_msl_hpa": ("pressure_msl", ("hPa",)),
    "wind_speed_ms": ("wind_speed_10m", ("m/s",)),
    "wind_direction_deg": ("wind_direction_10m", ("°",)),
    "wind_gust_ms": ("wind_gusts_10m", ("m/s",)),
    "cloud_cover_pct": ("cloud_cover", ("%",)),
    "precipitation_mm": ("precipitation", ("mm",)),
    "cape_j_kg": ("cape", ("J/kg",)),
    "lifted_index_k": ("lifted_index", ("", "K")),
    "convective_inhibition_j_kg": ("convective_inhibition", ("J/kg",)),
    # One kilogram of water on a square metre stands one millimetre high.
    "precipitable_water_mm": ("total_column_integrated_water_vapour", ("kg/m²",)),
    "freezing_level_m": ("freezing_level_height", ("m",)),
}
#: What a variable that no model of the place has is given as its unit; it then holds nothing but nulls.
UNDEFINED_UNIT = "undefined"
TIME_UNIT = "iso8601"
#: ERA5 as the service keeps it has none of these.
NOT_IN_ARCHIVE = frozenset({"cape_j_kg", "lifted_index_k", "convective_inhibition_j_kg"})
#: What the service keeps of the members of ensembles and a forecast looks at.
IN_ENSEMBLES = ("cape_j_kg", "precipitation_mm", "freezing_level_m")
#: An answer that holds nothing in one of these groups is no weather: some model was down for hours (issue 1872).
REQUIRED: tuple[tuple[str, ...], ...] = (
    ("temperature_c",),
    ("relative_humidity_pct", "dew_point_c"),
    ("surface_pressure_hpa", "pressure_msl_hpa"),
    ("precipitation_mm",),
)

#: The service takes at most so many places in one request.
MOST_PLACES = 1000
#: Decoded bytes of one answer: so many for up to 100 places, in proportion for more.
BYTES_PER_100_PLACES = 2_000_000
#: Bytes of one hour of one place: a time of 19 characters, and up to 9 for each value. Measured on recorded answers:
#: 19 and 3 to 7.
TIME_BYTES, VALUE_BYTES = 20, 9
#: Bytes of everything else that comes with a place: position, units.
HEAD_BYTES = 2_000
PREVIOUS_DAYS = range(1, 8)


class Endpoint(Enum):
    """The endpoints: default address, and path on a self-hosted instance.

    A self-hosted Open-Meteo serves what the service spreads over hosts under two paths: `/v1/forecast` answers for
    recent and archived forecasts and for previous runs alike (dates and the names asked for tell them apart), and
    `/v1/archive` for reanalysis.
    """

    FORECAST = ("https://api.open-meteo.com", "/v1/forecast")
    HISTORICAL_FORECAST = ("https://historical-forecast-api.open-meteo.com", "/v1/forecast")
    ARCHIVE = ("https://archive-api.open-meteo.com", "/v1/archive")
    PREVIOUS_RUNS = ("https://previous-runs-api.open-meteo.com", "/v1/forecast")
    ENSEMBLE = ("https://ensemble-api.open-meteo.com", "/v1/ensemble")

    @property
    def host(self) -> str:
        """Address of the service."""
        return self.value[0]

    @property
    def path(self) -> str:
        """Path, the same at the service and on a self-hosted instance."""
        return self.value[1]

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables of the house that it has; of ensembles those that speak of coming rain."""
        if self is Endpoint.ENSEMBLE:
            return IN_ENSEMBLES
        return tuple(v for v in VARIABLES if self is not Endpoint.ARCHIVE or v not in NOT_IN_ARCHIVE)


@dataclass(frozen=True)
class Query:
    """One request: some places, whole UTC days (both included).

    `days_before` (1 to 7) asks previous-runs for what was forecast so many days before; None everywhere else. `model`
    and `members` name an ensemble and how many it has, the control among them; "" and 1 everywhere else.
    """

    endpoint: Endpoint
    places: tuple[Location, ...] = field(repr=False)
    first: date
    last: date
    days_before: int | None = None
    model: str = ""
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse what the service would refuse.

        Raises
        ------
        ValueError
            If there are no or too many places, the days run backwards, or `days_before` does not fit the endpoint.
        """
        if not 1 <= len(self.places) <= MOST_PLACES:
            raise ValueError(f"{len(self.places)} places in one request; 1 to {MOST_PLACES} can be asked")
        if self.last < self.first:
            raise ValueError(f"{self.first} to {self.last} runs backwards")
        if (self.endpoint is Endpoint.PREVIOUS_RUNS) != (self.days_before in PREVIOUS_DAYS):
            raise ValueError(f"days_before={self.days_before} does not fit {self.endpoint.name}")
        if (self.endpoint is Endpoint.ENSEMBLE) != bool(self.model) or (self.members > 1) != bool(self.model):
            raise ValueError(f"{self.members} members of {self.model!r} do not fit {self.endpoint.name}")

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def hours(self) -> Hours:
        """Return every hour that the answer must have, datetime64[h], shape (24 x days,)."""
        return hour_axis(midnight(self.first), midnight(self.last) + timedelta(hours=23))

    @property
    def names(self) -> dict[str, str]:
        """Return the names of the service by variable of the house."""
        suffix = f"_previous_day{self.days_before}" if self.days_before else ""
        return {variable: NAMES[variable][0] + suffix for variable in self.endpoint.variables}

    def columns(self, variable: str) -> tuple[str, ...]:
        """Return the names of the columns of one variable, one per member, the control first."""
        name = self.names[variable]
        return (name, *(f"{name}_member{number:02d}" for number in range(1, self.members)))

    @property
    def required(self) -> tuple[tuple[str, ...], ...]:
        """Groups of variables, of each of which an answer must have a value."""
        return tuple(group for group in REQUIRED if set(group) & set(self.endpoint.variables))

    @property
    def weight(self) -> float:
        """Calls that the service counts for it."""
        return weight(len(self.places), len(self.endpoint.variables) * self.members, self.days)

    @property
    def params(self) -> dict[str, str]:
        """Return the parameters of the request."""
        return {
            "latitude": ",".join(f"{place.latitude:.4f}" for place in self.places),
            "longitude": ",".join(f"{place.longitude:.4f}" for place in self.places),
            "hourly": ",".join(self.names.values()),
            "start_date": self.first.isoformat(),
            "end_date": self.last.isoformat(),
            # Defaults of the service are km/h and, with timezone=auto, one UTC offset for both sides of a change of
            # daylight-saving time.
            "wind_speed_unit": "ms",
            "temperature_unit": "celsius",
            "precipitation_unit": "mm",
            "timezone": "GMT",
            **({"models": self.model} if self.model else {}),
        }


def weight(places: int, variables: int, days: int) -> float:
    """Return the calls that the service counts: places x max(1, v/10, v/10 x days/14).

    >>> weight(100, 15, 7), weight(1, 5, 28)
    (150.0, 1.0)
    """
    return places * max(1.0, variables / 10, variables / 10 * days / 14)


def chunked(
    endpoint: Endpoint,
    places: Sequence[Location],
    first: date,
    last: date,
    *,
    days_before: int | None = None,
    most: int = 100,
    bytes_per_100: int = BYTES_PER_100_PLACES,
) -> tuple[Query, ...]:
    """Return the requests for all places: as many in each as may be asked and as fit under the cap of its answer."""
    hours = ((last - first).days + 1) * 24
    of_a_place = HEAD_BYTES + hours * (TIME_BYTES + VALUE_BYTES * len(endpoint.variables))
    # Up to 100 places share one cap; beyond that it grows with them, so that more fit where 100 do.
    fitting = max(1, bytes_per_100 // of_a_place)
    size = min(most, MOST_PLACES, fitting if fitting < 100 else MOST_PLACES)
    return tuple(
        Query(endpoint, tuple(places[i : i + size]), first, last, days_before) for i in range(0, len(places), size)
    )


def most_bytes(query: Query, bytes_per_100: int) -> int:
    """Return the cap of the decoded answer."""
    return round(bytes_per_100 * query.members * max(1.0, len(query.places) / 100))


def midnight(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime.combine(day, time(), UTC)
