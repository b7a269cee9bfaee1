"""Gathering: from an archive to labelled cases, a case being an hour of a place with its own rain known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import DEFAULT_WINDOW, MINI_CLOUDBURST_H, Window
from core.domain.quality import FlaggedWeather
from core.domain.units import from_datetime64, to_hour64
from core.domain.weather import HourlyWeather, Location, Region, Values
from core.errors import InsufficientData
from core.features import fields as model_fields
from core.features import table
from core.learning import training
from core.ports import FieldSource, Progress, WeatherArchive
from core.quality.checks import Checker
from core.workflows.materialising import Materialising

#: Places per step: 10 stations x 4 years x 80 features are 110 MB.
CHUNK = 10
Period = tuple[datetime | None, datetime | None]
#: Accumulations of a truth, hours.
ACCUMULATIONS_H = (1, MINI_CLOUDBURST_H)


@dataclass(frozen=True)
class Gathered:
    """The cases of an archive.

    `rows` (cases, features); `hour` since 1970 and `place` as position in `place_ids` (cases,); `truth_mm` (cases,
    windows, 2): the highest rain of one hour and of two in every window, NaN where it is not known.
    """

    rows: NDArray[np.float32]
    hour: NDArray[np.int64]
    place: NDArray[np.int64]
    truth_mm: NDArray[np.float32]
    windows: tuple[Window, ...]
    feature_names: tuple[str, ...]
    place_ids: tuple[str, ...]

    def truth(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the highest hourly rain and the highest sum of two hours in a window, mm, each (cases,)."""
        hourly, two_hour = self.truth_mm[:, self.windows.index(window)].T
        return hourly, two_hour

    def at(self, where: NDArray[np.bool_]) -> Gathered:
        """Return some of the cases; `where` has shape (cases,)."""
        some = {name: getattr(self, name)[where] for name in ("rows", "hour", "place", "truth_mm")}
        return replace(self, **some)


def gather(
    source: WeatherArchive,
    wanted: Period,
    windows: Sequence[Window],
    check: Checker,
    told: Progress,
    *,
    fields: FieldSource | None = None,
    served: Materialising | None = None,
    examined: Callable[[FlaggedWeather], None] = lambda _: None,
) -> Gathered:
    """Return the labelled cases of all periods and places.

    Features come from what was known at their hour, truths from what hindsight lets stand.

    Parameters
    ----------
    wanted
        First and last hour to learn from, None: whatever there is.
    fields
        Where forecast fields come from; None: features of what was observed only.
    served
        Features as they were served: where there are some, they stand in the place of those built in hindsight.
    examined
        Shown the wanted hours with the flags of hindsight before anything is computed; raises where they are not fit.

    Raises
    ------
    InsufficientData
        If there is no labelled case.
    SourceError, DataError
        If the archive or the source of the fields cannot be read.
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    names: tuple[str, ...] = ()
    ids: list[str] = []
    for region in source.regions():
        for first, last, weather in _read(source, region, wanted):
            hindsight = check(weather, True)  # knows what was stuck
            examined(hindsight.since(first))
            truth = hindsight.usable().get("precipitation_mm")
            forecast = _forecast(fields, region, weather, last)
            for part, features in table.in_parts(check(weather, False).usable(), CHUNK, forecast):
                told(part.start / len(truth), f"features: {part.start} of {len(truth)} places")
                names = features.names
                where, mm = _labelled(weather.select(range(part.start, part.stop)), truth[part], first, windows)
                place, hour = np.nonzero(where)
                rows = features.rows(where)
                if served:
                    rows = served.as_served(
                        (source.name, region.id), _ids(weather.locations[part])[place], weather.valid_at[hour], rows
                    )
                parts.append((rows, weather.valid_at.astype(np.int64)[hour], place + part.start + len(ids), mm))
        ids += _ids(region.locations).tolist()
    if not sum(len(part[0]) for part in parts):
        raise InsufficientData("No labelled case in this period.", have=0, need=1, hint="Check the period.")
    rows, hour, place, mm = (_joined([part[i] for part in parts]) for i in range(4))
    return Gathered(rows, hour, place, mm, tuple(windows), names, tuple(ids))


def _read(source: WeatherArchive, region: Region, wanted: Period) -> Iterator[tuple[datetime, datetime, HourlyWeather]]:
    """Yield the wanted part of every period, first and last hour, with the hours before it that are looked back on."""
    for begin, end in source.periods():
        first, last = max(begin, wanted[0] or begin), min(end, wanted[1] or end)
        if first <= last:
            # No feature and no check of an hour looks further back than serving does.
            yield first, last, source.hours(region, max(begin, first - timedelta(hours=table.LOOKBACK_H + 24)), last)


def _ids(places: Sequence[Location]) -> NDArray[np.object_]:
    return np.array([place.id for place in places], object)


def _forecast(
    fields: FieldSource | None, region: Region, weather: HourlyWeather, last: datetime
) -> HourlyWeather | None:
    """Return what was forecast for the hours of a period and beyond, None where there are no fields."""
    if fields is None:
        return None
    known_from = from_datetime64(weather.valid_at[0])
    return fields.fields(region, known_from, last + timedelta(hours=model_fields.REACH_H))


def _labelled(
    weather: HourlyWeather, rain_mm: Values, first: datetime, windows: Sequence[Window]
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return where the truth of the default window is known (places, hours), and the truths there."""
    known = np.isfinite(training.highest_ahead(rain_mm, DEFAULT_WINDOW))
    where = known & np.isfinite(rain_mm) & (weather.valid_at >= to_hour64(first))
    mm = [[training.highest_ahead(rain_mm, w, span)[where] for span in ACCUMULATIONS_H] for w in windows]
    return where, np.moveaxis(np.array(mm, np.float32), -1, 0)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join arrays and let go of each as it is copied, so that memory holds them once."""
    out = np.empty((sum(len(p) for p in parts), *parts[0].shape[1:]), parts[0].dtype)
    at = 0
    for i, part in enumerate(parts):
        out[at : at + len(part)] = part
        at += len(part)
        parts[i] = part[:0]
    return out
