"""Posting: weather of places that somebody hands in. It is kept in the archive, or forecast from as the house would."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, TARGET, Forecast, Freshness, RegionForecast
from core.domain.quality import FlaggedWeather
from core.domain.units import HOUR, floor_hour, hour_axis, to_hour64, to_second64
from core.domain.weather import VARIABLES, Flag, HourlyWeather, Hours, Location, Region
from core.errors import ModelError, UnfitInput
from core.ports import silent
from core.quality.schema import Reading, WeatherRecord, read
from core.workflows.forecasting import Forecasting, issued
from core.workflows.serving import Served
from core.workflows.situation import Situation
from core.workflows.trials import Trials

#: Provenance of what was handed in, in the archive and in answers.
POSTED = "posted"
#: Records that are handed in together may lie so far apart: an archive's years come as files.
MOST_SPAN = timedelta(days=31)
#: Refusals named in one error; the total stands beside them.
MOST_ERRORS = 50
#: Nothing in 32 bits is larger: what is sent beyond stays finite, and fails the range checks as it should.
BEYOND = 1e30
#: A feature is a measurement or made of some: none is larger.
LARGEST = 1e6
UNCHECKED = "The features are taken as they were sent: nobody knows how old they are, and no check has seen them."


@dataclass(frozen=True)
class Kept:
    """What became of records that were handed in: rows of the archive by region, and the places they are of."""

    rows: Mapping[str, int]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Posting:
    """Takes what somebody hands in.

    Parameters
    ----------
    trials
        Experiments choose the version that answers, as they do for the house's own forecasts.
    place_at
        Returns the region and the place that speak for a point, degrees; raises UnknownPlace outside every region.
    """

    forecasting: Forecasting
    trials: Trials
    place_at: Callable[[float, float], tuple[Region, Location]]

    def keep(self, records: Sequence[WeatherRecord]) -> Kept:
        """Store records with their flags in the archive, under `POSTED`; the newest known value of an hour wins.

        Raises
        ------
        UnfitInput
            If a record does not say its hour, or one that is not over, or they lie too far apart.
        UnknownPlace
            If one lies outside every region. Nothing is stored then.
        """
        now = self.forecasting.clock()
        hours = _hours(records, now)
        spoken = [self.place_at(record.latitude, record.longitude) for record in records]
        rows: dict[str, int] = {}
        for region in {region.id: region for region, _ in spoken}.values():
            mine = [i for i, (one, _) in enumerate(spoken) if one.id == region.id]
            places = tuple({spoken[i][1].id: spoken[i][1] for i in mine}.values())
            at = [hours[i] for i in mine]
            axis = np.arange(min(at), max(at) + HOUR, HOUR)
            weather = _weather(places, axis, [(spoken[i][1].id, hours[i], records[i]) for i in mine])
            shape = (len(places), len(axis))
            weather = replace(weather, available_at=np.full(shape, to_second64(now)))
            rows[region.id] = self.forecasting.observing.archive.store(region.id, self._checked(weather))
        return Kept(rows, tuple(sorted({place.id for _, place in spoken})))

    def forecast(self, latitude: float, longitude: float, records: Sequence[WeatherRecord]) -> RegionForecast:
        """Return the issue for the place that speaks for a point, from its own hours alone; nothing is recorded.

        Raises
        ------
        UnfitInput, UnknownPlace
            As `keep`.
        ModelError
            If no model can serve.
        """
        now = self.forecasting.clock()
        region, place = self.place_at(latitude, longitude)
        hours = _hours(records, now)
        axis = self._axis(now)
        weather = _weather((place,), axis, [(place.id, at, r) for at, r in zip(hours, records, strict=True)])
        situation = Situation(_alone(region, place), self._checked(weather), self.forecasting.limits, now)
        served, note = self._served(region, place, situation.valid_from)
        old = sum(at < axis[0] for at in hours)
        late = f"{old} hours lie before those that a forecast looks back on, and were not used."
        said = issued(situation, lambda: served, self.forecasting.tiers, (late,) if old else (), silent)
        return replace(said, notes=note)

    def from_features(self, latitude: float, longitude: float, features: Mapping[str, float | None]) -> RegionForecast:
        """Return what the model says of features that were computed elsewhere, None or absent where not known.

        Those of the place, the season and the hour are known here, and are filled in where they are absent.

        Raises
        ------
        UnfitInput
            If one is unknown to the model or no sensible number, or none is given.
        UnknownPlace, ModelError
            As `forecast`.
        """
        now = self.forecasting.clock()
        region, place = self.place_at(latitude, longitude)
        valid_from = floor_hour(now)
        served, note = self._served(region, place, valid_from)
        alone = _alone(region, place)
        blank = HourlyWeather((place,), self._axis(now), {}, POSTED)
        situation = Situation(alone, self._checked(blank), self.forecasting.limits, now)
        row, absent = _row(situation.rows[0], features, served.manifest.feature_names)
        curves = {window: said[0] for window, said in served.curves(row).items()}
        rule = self.forecasting.tiers.of(alone, served.manifest)
        curve = curves.pop(DEFAULT_WINDOW)
        forecast = Forecast(
            location_id=place.id,
            issued_at=now,
            valid_from=valid_from,
            window_h=TARGET.window_h,
            exceedance=curve,
            level=rule.levels(np.array([curve.of(TARGET)]))[0],
            model_version=served.manifest.version,
            worst_flag=Flag.NOT_EVALUATED,
            freshness=Freshness.NO_DATA,
            data_at=None,
            others=tuple(curves[window] for window in sorted(curves)),
        )
        missing = f"{absent} of {row.shape[1]} features are missing."
        stands_in = (served.instead,) if served.instead else ()
        return RegionForecast(
            region=alone,
            issued_at=now,
            valid_from=valid_from,
            forecasts=(forecast,),
            source=POSTED,
            model_version=served.manifest.version,
            model_source=served.manifest.source,
            model_is_seed=served.is_seed,
            freshness=Freshness.NO_DATA,
            data_at=None,
            problems=(*stands_in, UNCHECKED, *((missing,) if absent else ())),
            notes=note,
        )

    def _axis(self, now: datetime) -> Hours:
        """Return the hours that a forecast looks back on."""
        end = floor_hour(now)
        return hour_axis(end - timedelta(hours=self.forecasting.observing.history_h), end)

    def _checked(self, weather: HourlyWeather) -> FlaggedWeather:
        return self.forecasting.observing.check(weather, True, None)

    def _served(self, region: Region, place: Location, valid_from: datetime) -> tuple[Served, tuple[str, ...]]:
        """Return the model that answers, and the variant it is of; where that cannot serve, the champion answers.

        What is handed in counts as real: in a simulated house it is not the simulated champion that answers.
        """
        house = self.forecasting.observing.source.name
        source = POSTED if house == "simulator" else house
        champion = self.forecasting.serving.champion(source, region.id)
        assigned = self.trials.assigned(source, region.id, champion.manifest.version, place.id, valid_from)
        if assigned is None:
            return champion, ()
        try:
            served = self.forecasting.serving.version(assigned.version, source)
        except ModelError:
            return champion, ()
        return served, (f"Experiment {assigned.experiment_id}: {assigned.variant_id} answers.",)


def weather_records(sent: Sequence[Mapping[str, object]]) -> tuple[WeatherRecord, ...]:
    """Return records as read by the schema.

    Raises
    ------
    UnfitInput
        If one does not fit; the context names fields and reasons, and repeats no value.
    """
    readings = tuple(read(record) for record in sent)
    require_fit(readings)
    return tuple(reading.record for reading in readings if reading.record is not None)


def require_fit(readings: Sequence[Reading]) -> None:
    """Refuse records that do not fit the schema.

    Raises
    ------
    UnfitInput
        If one does not fit; `errors` and `total` of the context name fields and reasons, and repeat no value.
    """
    errors = [
        {"record": i, "field": misfit.field, "error": misfit.reason}
        for i, reading in enumerate(readings)
        for misfit in reading.misfits
    ]
    if errors:
        text = f"{len(errors)} field{'s do' if len(errors) > 1 else ' does'} not fit."
        raise UnfitInput(text, errors=errors[:MOST_ERRORS], total=len(errors))


def _hours(records: Sequence[WeatherRecord], now: datetime) -> list[np.datetime64]:
    """Return the hour of every record.

    Raises
    ------
    UnfitInput
        If one says none, one that is not full or not over, or they lie too far apart.
    """
    hours = []
    for i, record in enumerate(records):
        at = record.valid_at
        if at is None:
            raise UnfitInput(f"Record {i} has no valid_at.", hint="Say which hour it is of: 2026-07-29T18:00Z.")
        if at != floor_hour(at):
            raise UnfitInput(f"Record {i} is not of a full hour.", hint="valid_at is the end of the hour.")
        if at > now:
            raise UnfitInput(f"Record {i} is of an hour that is not over.", hint="Send what was observed.")
        hours.append(to_hour64(at))
    if max(hours) - min(hours) > np.timedelta64(MOST_SPAN):
        raise UnfitInput(f"The records span more than {MOST_SPAN.days} days.", hint="Send them in parts.")
    return hours


def _weather(
    places: tuple[Location, ...], axis: Hours, records: Sequence[tuple[str, np.datetime64, WeatherRecord]]
) -> HourlyWeather:
    """Return records as weather on an axis; of two of one hour the last counts, and that they differ is marked."""
    row = {place.id: i for i, place in enumerate(places)}
    shape = (len(places), len(axis))
    values = {name: np.full(shape, np.nan, np.float32) for name in VARIABLES}
    given, doubled = np.zeros(shape, bool), np.zeros(shape, bool)
    for place, at, record in records:
        cell = row[place], int((at - axis[0]) / HOUR)
        if not 0 <= cell[1] < len(axis):
            continue
        said = {name: np.float32(np.clip(getattr(record, name), -BEYOND, BEYOND)) for name in VARIABLES}
        if given[cell]:
            doubled[cell] |= any(not np.array_equal(values[n][cell], v, equal_nan=True) for n, v in said.items())
        given[cell] = True
        for name, value in said.items():
            values[name][cell] = value
    present = {name: array for name, array in values.items() if np.isfinite(array).any()}
    return HourlyWeather(places, axis, present, POSTED, doubled=doubled if doubled.any() else None)


def _row(
    known: NDArray[np.float32], features: Mapping[str, float | None], names: Sequence[str]
) -> tuple[NDArray[np.float32], int]:
    """Return features in the order of the model, shape (1, features), and how many are missing."""
    strange = [name for name in features if name not in names]
    if strange:
        raise UnfitInput(
            f"{len(strange)} features are unknown to the model.", hint="GET /api/model/features names those it wants."
        )
    given = {name: float(value) for name, value in features.items() if value is not None}
    wild = [name for name, value in given.items() if not math.isfinite(value) or abs(value) > LARGEST]
    if wild:
        raise UnfitInput(
            f"{wild[0]} is no sensible number.", hint=f"Send numbers below {LARGEST:,.0f}, or null where not known."
        )
    if not given:
        raise UnfitInput("No feature is given.", hint="GET /api/model/features names those that the model wants.")
    row = np.array([[given.get(name, float(known[i])) for i, name in enumerate(names)]], np.float32)
    return row, int(np.isnan(row).sum())


def _alone(region: Region, place: Location) -> Region:
    """Return a region of this one place."""
    return replace(region, locations=(place,), outlines=())
