"""One suite over all weather sources: what a workflow may rely on, whoever answers.

A new source joins with one maker in `MAKERS`: a function that yields a `Subject`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.adapters.archive import ParquetArchive
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.open_meteo.source import OpenMeteo
from core.adapters.simulator.source import Simulator
from core.domain.units import HOUR, floor_hour, to_hour64, to_second64
from core.domain.weather import VARIABLES, HourlyWeather, Location, Region
from core.errors import ConfigurationError, DataError, SourceError
from core.ports import WeatherSource
from core.quality.checks import check
from core.workflows.observing import Observing
from tests.adapters.gauge_folders import folder, hour, observations
from tests.adapters.open_meteo_made import NOW, Clock
from tests.faults.source.mutations import REFUSED
from tests.faults.source.server import Document, answer, failure, limited, places_of, serving
from tests.weather_made import PLACES, REGION

ELSEWHERE = Region("atlantis", "Atlantis", "UTC", (Location("x", "Far away", -40.0, -20.0),), (), 0.25)


@dataclass(frozen=True)
class Subject:
    """A source with what its suite must know of it."""

    source: WeatherSource
    name: str
    #: The clock that the source goes by, and an hour well inside its past.
    now: datetime
    inside: datetime
    #: An hour of the window before `inside` whose rain is missing in the first place, None where nothing ever is.
    hole: datetime | None
    #: Ways to make the source fail; each is applied to a source of its own.
    failures: Sequence[Callable[[], object]]
    #: Makes another source of the same weather.
    again: Callable[[], WeatherSource]

    @property
    def region(self) -> Region:
        """The first region."""
        return self.source.regions()[0]

    def hours(self, back: int = 30, ahead: int = 0) -> HourlyWeather:
        """Return some hours around `inside`."""
        return self.source.hours(self.region, self.inside - timedelta(hours=back), self.inside + timedelta(hours=ahead))


@contextmanager
def simulator(tmp_path: Path) -> Iterator[Subject]:
    def made() -> Simulator:
        return Simulator((REGION,), 7, Clock())

    yield Subject(made(), "simulator", NOW, NOW - timedelta(hours=3), None, (), made)


@contextmanager
def gauges(tmp_path: Path) -> Iterator[Subject]:
    rain = np.zeros(200)
    rain[140] = np.nan
    place = folder(tmp_path, {"hours.parquet": observations(200, precipitation_mm=rain)})

    def gone() -> None:
        shutil.rmtree(place)

    def garbled() -> None:
        (place / "hours.parquet").write_bytes(b"PAR1 no more")

    def empty() -> None:
        (place / "hours.parquet").unlink()

    yield Subject(
        GaugeFolder(place),
        "gauges",
        hour(199),
        hour(150),
        hour(140),
        (garbled, empty, gone),
        lambda: GaugeFolder(place),
    )


@contextmanager
def open_meteo(tmp_path: Path) -> Iterator[Subject]:
    hole = floor_hour(NOW) - timedelta(hours=13)

    def holed(document: Document) -> Document:
        first = places_of(document)[0]["hourly"]
        at = f"{hole:%Y-%m-%dT%H:%M}"
        if at in first["time"]:
            first["precipitation"][first["time"].index(at)] = None
        return document

    with serving(answer(holed)) as server:
        steps = (answer(REFUSED["another city"]), failure(503), failure(404), limited("hourly"))

        def failing(step: object) -> Callable[[], object]:
            return lambda: server.steps.__setitem__(slice(None), [step])

        def made() -> OpenMeteo:
            return OpenMeteo((REGION,), Clock(), base_url=server.url)

        inside = NOW - timedelta(hours=3)
        yield Subject(made(), "open-meteo", NOW, inside, hole, tuple(failing(step) for step in steps), made)


#: The sources of the house.
MAKERS = (simulator, gauges, open_meteo)


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with request.param(tmp_path) as made:
        yield made


def same(one: HourlyWeather, other: HourlyWeather) -> bool:
    """Tell whether two have the same values to the last bit, holes included."""
    return all(np.array_equal(one.get(name), other.get(name), equal_nan=True) for name in VARIABLES)


def test_a_source_says_its_name(subject: Subject) -> None:
    assert subject.source.name == subject.name
    assert subject.hours().source.partition(":")[0] == subject.name.partition(":")[0]


def test_there_are_regions_with_places_and_no_id_comes_twice(subject: Subject) -> None:
    regions = subject.source.regions()
    assert regions
    assert len({region.id for region in regions}) == len(regions)
    for region in regions:
        ids = [place.id for place in region.locations]
        assert ids
        assert len(set(ids)) == len(ids)
        assert all(-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180 for place in region.locations)


@pytest.mark.parametrize("back", [0, 1, 30])
@pytest.mark.parametrize("minutes", [0, 20])
def test_hours_are_gapless_with_both_ends_in_utc(subject: Subject, back: int, minutes: int) -> None:
    end = subject.inside + timedelta(minutes=minutes)
    weather = subject.source.hours(subject.region, end - timedelta(hours=back), end)
    assert weather.valid_at.dtype == np.dtype("datetime64[h]")
    assert (weather.valid_at[0], weather.valid_at[-1]) == (to_hour64(end - timedelta(hours=back)), to_hour64(end))
    assert len(weather.valid_at) == back + 1
    assert (np.diff(weather.valid_at) == HOUR).all()


def test_the_same_moment_in_another_zone_is_the_same_hour(subject: Subject) -> None:
    india = ZoneInfo("Asia/Kolkata")
    start, end = subject.inside - timedelta(hours=5), subject.inside
    utc = subject.source.hours(subject.region, start, end)
    local = subject.source.hours(subject.region, start.astimezone(india), end.astimezone(india))
    assert np.array_equal(utc.valid_at, local.valid_at)
    assert same(utc, local)


def test_a_moment_without_a_zone_is_refused(subject: Subject) -> None:
    naive = subject.inside.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        subject.source.hours(subject.region, naive, naive)


def test_values_are_float32_on_the_places_asked_for(subject: Subject) -> None:
    weather = subject.hours()
    assert weather.locations == subject.region.locations
    assert {array.dtype for array in weather.values.values()} == {np.dtype(np.float32)}
    assert {array.shape for array in weather.values.values()} == {(len(weather.locations), len(weather.valid_at))}
    assert not any(np.isinf(array).any() for array in weather.values.values())
    assert np.isfinite(weather.get("precipitation_mm")).any()


def test_some_places_of_a_region_have_the_values_that_they_have_among_all(subject: Subject) -> None:
    if subject.name == "simulator":
        pytest.skip("storms of the simulator live in a region: another region has other weather")
    whole = subject.hours()
    part = replace(subject.region, locations=subject.region.locations[:1])
    alone = subject.source.hours(part, subject.inside - timedelta(hours=30), subject.inside)
    assert same(whole.select([0]), alone)


def test_what_is_missing_is_nan_and_never_zero(subject: Subject) -> None:
    late = subject.source.hours(subject.region, subject.now + timedelta(hours=2), subject.now + timedelta(hours=9))
    assert len(late.valid_at) == 8
    assert not late.observed().any()
    across = subject.source.hours(subject.region, subject.now - timedelta(hours=2), subject.now + timedelta(hours=5))
    assert not across.observed()[:, 3:].any()
    assert across.observed()[:, :3].any()
    if subject.hole is not None:
        weather = subject.hours()
        at = int(np.flatnonzero(weather.valid_at == to_hour64(subject.hole))[0])
        assert np.isnan(weather.get("precipitation_mm")[0, at])
        assert np.isfinite(weather.get("temperature_c")[0, at])
        assert np.isfinite(weather.get("precipitation_mm")[0, at - 1])


def test_nothing_is_known_before_it_could_be(subject: Subject) -> None:
    weather = subject.hours()
    for issued_at in (subject.now, subject.inside, subject.inside - timedelta(hours=10, minutes=1)):
        known = weather.as_known(issued_at).observed()
        available = weather.valid_at[None, :] if weather.available_at is None else weather.available_at
        assert not (known & ~(np.broadcast_to(available, known.shape) <= to_second64(issued_at))).any()
    assert weather.as_known(subject.now).observed().any()
    assert not weather.as_known(subject.inside - timedelta(hours=31)).observed().any()


def test_who_asks_again_or_another_source_of_the_kind_gets_the_same(subject: Subject) -> None:
    first = subject.hours()
    assert same(first, subject.hours())
    assert same(first, subject.again().hours(subject.region, subject.inside - timedelta(hours=30), subject.inside))
    inner = subject.source.hours(subject.region, subject.inside - timedelta(hours=7), subject.inside)
    assert same(first.window(subject.inside - timedelta(hours=7), subject.inside), inner)


def test_answers_are_the_askers_own(subject: Subject) -> None:
    first = subject.hours()
    before = first.get("precipitation_mm").copy()
    for array in first.values.values():
        if array.flags.writeable:
            array[:] = 9999.0
    assert np.array_equal(subject.hours().get("precipitation_mm"), before, equal_nan=True)


def test_an_unknown_region_is_refused_with_the_known_ones(subject: Subject, tmp_path: Path) -> None:
    observing = Observing(subject.source, ParquetArchive(tmp_path / "processed"), check, 48)
    with pytest.raises(ConfigurationError) as caught:
        observing.region(ELSEWHERE.id)
    assert subject.region.id in caught.value.hint


def test_a_source_that_fails_raises_errors_of_its_kind_alone(subject: Subject) -> None:
    for fail in subject.failures:
        fail()
        source = subject.again()
        with pytest.raises((SourceError, DataError)) as caught:
            source.hours(Region("r", "R", "UTC", PLACES), subject.inside - timedelta(hours=1), subject.inside)
        assert caught.value.message
        assert caught.value.hint
