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
from core.domain.units import to_hour64
from core.domain.weather import HourlyWeather, Location, Region, Values
from core.errors import InsufficientData
from core.features import table
from core.learning import training
from core.ports import ALONE, FieldSource, Progress, WeatherArchive, Workers
from core.quality.checks import Checker
from core.workflows.materialising import Materialising
from core.workflows.partitions import CHUNK, Partition, Partitions, Span

Period = tuple[datetime | None, datetime | None]
#: Accumulations of a truth, hours.
ACCUMULATIONS_H = (1, MINI_CLOUDBURST_H)
#: Reading, checking and building features takes about so long per station-hour in one process, seconds.
SECONDS = 1.1e-5


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


def _unexamined(_: FlaggedWeather) -> None:
    """Let all weather pass."""


def gather(
    source: WeatherArchive,
    wanted: Period,
    windows: Sequence[Window],
    check: Checker,
    told: Progress,
    *,
    fields: FieldSource | None = None,
    served: Materialising | None = None,
    examined: Callable[[FlaggedWeather], None] = _unexamined,
    workers: Workers = ALONE,
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
        Whoever wants to keep what it is shown must work alone.
    workers
        Who builds the features.

    Raises
    ------
    InsufficientData
        If there is no labelled case.
    SourceError, DataError
        If the archive or the source of the fields cannot be read.
    """
    archive = Archived(source, tuple(source.regions()), check, fields, windows=tuple(windows), examined=examined)
    spans = [span for number in range(len(archive.regions)) for span in _spans(source, number, wanted)]
    parts = [part for span in spans for part in archive.parts(span)]
    effort_s = SECONDS * sum(len(archive.regions[span.region].locations) * span.hours for span in spans)
    found: list[tuple[NDArray[Any], ...]] = []
    names: tuple[str, ...] = ()
    for part, result in zip(parts, workers.each(cases_of, archive, parts, effort_s), strict=True):
        if isinstance(result, Truths):
            truths = result
            continue
        assert part.places is not None  # noqa: S101 - what is no truth is of some places
        region = archive.regions[part.span.region]
        told(part.places.start / len(region.locations), _progress(part.places, region))
        names = result.names
        found.append(_cases(archive, part.span.region, part.places, (truths, result.values), served))
    if not sum(len(some[0]) for some in found):
        raise InsufficientData("No labelled case in this period.", have=0, need=1, hint="Check the period.")
    rows, hour, place, mm = (_joined([some[i] for some in found]) for i in range(4))
    ids = np.concatenate([_ids(region.locations) for region in archive.regions])
    return Gathered(rows, hour, place, mm, tuple(windows), names, tuple(ids.tolist()))


@dataclass(frozen=True)
class Truths:
    """What fell at all places of a span: `where` (places, hours) a case stands, and its truths (cases, windows, 2).

    `hour` since 1970 (hours,), from the first wanted one on.
    """

    where: NDArray[np.bool_]
    mm: NDArray[np.float32]
    hour: NDArray[np.int64]

    def of(self, places: slice) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Return place (counted from the first of them), hour and truths of the cases of some places."""
        place, hour = np.nonzero(self.where[places])
        before = int(self.where[: places.start].sum())
        return place, hour, self.mm[before : before + len(place)]


@dataclass(frozen=True)
class Archived(Partitions):
    """An archive in partitions of which cases are made; `examined` is shown the flags of hindsight."""

    windows: tuple[Window, ...] = ()
    examined: Callable[[FlaggedWeather], None] = _unexamined

    def parts(self, span: Span) -> list[Partition]:
        """Return the parts of a span: its truths, then the features of some places after the other."""
        places = table.slices(len(self.regions[span.region].locations), CHUNK)
        return [Partition(span), *(Partition(span, some) for some in places)]

    def truths(self, span: Span) -> Truths:
        """Return what fell, as hindsight lets it stand."""
        weather = self.weather(span)
        hindsight = self.check(weather, True)  # knows what was stuck
        self.examined(hindsight.since(span.first))
        truth = hindsight.usable().get("precipitation_mm")
        inside = weather.valid_at >= to_hour64(span.first)
        found = [
            _labelled(weather.select(range(part.start, part.stop)), truth[part], span.first, self.windows)
            for part in table.slices(len(truth), CHUNK)
        ]
        where = np.concatenate([where[:, inside] for where, _ in found])
        return Truths(where, np.concatenate([mm for _, mm in found]), weather.valid_at[inside].astype(np.int64))


def cases_of(archive: Archived, part: Partition) -> Truths | table.FeatureTable:
    """Return the truths of a span, or the features of some of its places at the wanted hours."""
    if part.places is None:
        return archive.truths(part.span)
    built = archive.features(part.span, part.places)
    inside = archive.weather(part.span).valid_at >= to_hour64(part.span.first)
    return replace(built, values=built.values[:, int(np.argmax(inside)) :])


def _cases(
    archive: Archived,
    region: int,
    places: slice,
    made: tuple[Truths, NDArray[np.float32]],
    served: Materialising | None,
) -> tuple[NDArray[Any], ...]:
    """Return rows, hours, places and truths of the cases of some places, of which `made` are truths and features."""
    place, at, mm = made[0].of(places)
    rows, hour = made[1][place, at], made[0].hour[at]
    if served:
        ids = _ids(archive.regions[region].locations[places])[place]
        pointer = archive.source.name, archive.regions[region].id
        rows = served.as_served(pointer, ids, hour.astype("datetime64[h]"), rows)
    before = sum(len(earlier.locations) for earlier in archive.regions[:region])
    return rows, hour, place + places.start + before, mm


def _spans(source: WeatherArchive, region: int, wanted: Period) -> Iterator[Span]:
    """Yield the wanted part of every period with the hours before it that are looked back on."""
    for begin, end in source.periods():
        first, last = max(begin, wanted[0] or begin), min(end, wanted[1] or end)
        if first <= last:
            # No feature and no check of an hour looks further back than serving does.
            yield Span(region, max(begin, first - timedelta(hours=table.LOOKBACK_H + 24)), first, last)


def _progress(places: slice, region: Region) -> str:
    return f"features: {places.start} of {len(region.locations)} places"


def _ids(places: Sequence[Location]) -> NDArray[np.object_]:
    return np.array([place.id for place in places], object)


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
