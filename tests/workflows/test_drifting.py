"""Drifting: what an archive and a ledger say of drift, the same whenever they are asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters.archive import ParquetArchive
from core.domain.drift import SCORE, DriftReport
from core.domain.forecast import DEFAULT_WINDOW, Window
from core.domain.learning import Champion
from core.domain.quality import Finding, FlaggedWeather
from core.domain.units import months, to_hour64
from core.domain.verification import VerifiedCases
from core.domain.weather import Flag, HourlyWeather, Location, Region
from core.errors import ConfigurationError, ModelNotFound
from core.workflows.drifting import INPUTS, PLACES, Drifting, periods_of
from core.workflows.observing import Observing
from tests.verified_made import FIRST, cases
from tests.weather_made import END, REGION, FakeSource, weather

#: Days of weather before the clock's: 90 of reference at least, whenever watching begins.
DAYS = 150


def unchecked(made: HourlyWeather, hindsight: bool = False, baseline: object = None) -> FlaggedWeather:
    return FlaggedWeather(made, ())


@dataclass
class FakeLedger:
    """The issues of one region, of which it hands out the hours asked for."""

    held: VerifiedCases

    def issued(self, source: str, region_id: str, window: Window, period: Any = (None, None)) -> VerifiedCases:
        assert (source, region_id, window) == (self.held.source, self.held.region_id, DEFAULT_WINDOW)
        first, last = (to_hour64(moment) for moment in period)
        return self.held.select((self.held.valid_from >= first) & (self.held.valid_from <= last))


@dataclass
class FakeStore:
    """Whoever is champion, None: nobody."""

    version: str | None = "v1"

    def champion(self, source: str, region_id: str) -> Champion:
        assert source in ("simulator", "gauges")
        assert region_id == REGION.id
        if self.version is None:
            raise ModelNotFound("There is no champion.", hint="Train one.")
        return Champion(self.version, False, 1)


class House:
    """Drifting over a real archive of made-up weather without seasons, as the simulator's is."""

    def __init__(self, folder: Path, source: str = "simulator") -> None:
        self.now = END
        self.source = FakeSource(END, source)
        self.archive = ParquetArchive(folder)
        self.ledger = FakeLedger(VerifiedCases.none(source, REGION.id, DEFAULT_WINDOW))
        self.store = FakeStore()
        observing = Observing(self.source, self.archive, unchecked, 384)
        self.drifting = Drifting(observing, self.ledger, self.store, lambda: self.now)  # type: ignore[arg-type]

    def holds(self, made: HourlyWeather) -> None:
        for first, last in months(*(datetime.fromisoformat(f"{t}:00:00+00:00") for t in made.valid_at[[0, -1]])):
            self.archive.store(REGION.id, FlaggedWeather(made.window(first, last), ()))

    def look(self, **asked: Any) -> DriftReport:
        return self.drifting.look(REGION.id, **asked)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def shifted(made: HourlyWeather, variable: str, by: float, days: int = 20) -> HourlyWeather:
    """Return the weather with another level of one variable on its last days."""
    array = made.values[variable].copy()
    array[:, -24 * days :] += np.float32(by)
    return made.with_values({**made.values, variable: array})


def record(changed: float = 0.0, days: int = DAYS, version: str = "v1") -> VerifiedCases:
    """Return issues up to the clock, whose odds change by a factor on the last twenty days."""
    made = cases(days, source="simulator")
    move = to_hour64(END) - (FIRST + 24 * days - 1)
    late = made.valid_from + move > to_hour64(END - timedelta(days=20))
    p = made.probability.copy()
    odds = np.where(late[:, None], np.exp(changed), 1.0) * p / (1 - p)
    return replace(
        made,
        valid_from=made.valid_from + move,
        issued_at=made.issued_at + move,
        probability=odds / (1 + odds),
        model_version=np.full(len(made), version),
    )


def test_weather_and_score_as_usual_raise_no_alarm(house: House) -> None:
    house.holds(weather(24 * DAYS, source="simulator"))
    house.ledger.held = record()
    report = house.look()
    assert report.judged == (*INPUTS, SCORE)
    assert report.alarms == ()
    assert report.text == "No drift."
    assert (report.places, report.places_of, report.model_version) == (3, 3, "v1")
    assert 30 <= (report.end - report.begin).days + 1 < 60
    assert report.reference_end == report.begin - timedelta(days=1)
    assert report.reference_begin == (END - timedelta(days=DAYS)).date()


def test_a_shift_is_an_alarm_with_the_same_key_on_the_next_day(house: House) -> None:
    house.holds(shifted(weather(24 * DAYS, source="simulator"), "temperature_c", 1.0))
    report = house.look()
    assert house.look() == report
    mine = report.of("temperature_c").shifts
    assert len(mine) == 1
    assert mine[0].rising
    assert abs((mine[0].since - (END - timedelta(days=20)).date()).days) <= 2
    assert mine[0].text in report.alarms[0]
    house.now = END - timedelta(days=1)
    assert house.look().of("temperature_c").shifts[0].key == mine[0].key


def test_a_short_archive_is_not_judged(house: House) -> None:
    house.holds(shifted(weather(24 * 80, source="simulator"), "temperature_c", 9.0))
    report = house.look()
    assert report.alarms == ()
    assert report.judged == ()
    assert "days of reference, 60 are needed" in report.of("temperature_c").text
    assert report.text.startswith("Nothing could be judged.")


def test_an_empty_archive_and_an_empty_ledger_are_not_judged(house: House) -> None:
    report = house.look()
    assert [v.variable for v in report.variables] == [*INPUTS, SCORE]
    assert [v.not_judged for v in report.variables] == ["0 days of reference, 60 are needed"] * 7
    assert (report.reference_begin, report.reference_end) == (None, None)


def test_real_weather_is_judged_only_by_the_same_season(tmp_path: Path) -> None:
    gauges = House(tmp_path, "gauges")
    gauges.holds(weather(24 * DAYS))
    report = gauges.look()
    assert report.judged == ()
    assert "days of the same season of reference, 60 are needed" in report.of("temperature_c").not_judged
    assert FakeSource().name == report.source


def test_a_variable_missing_lately_is_named_and_one_that_never_was_is_not(house: House) -> None:
    made = weather(24 * DAYS, source="simulator")
    wind = made.values["wind_speed_ms"].copy()
    wind[:, -24 * 70 :] = np.nan
    kept = {name: array for name, array in made.values.items() if name != "dew_point_c"}
    house.holds(made.with_values({**kept, "wind_speed_ms": wind}))
    report = house.look()
    assert "dew_point_c" not in [v.variable for v in report.variables]
    assert "Wind is not judged: it is missing on" in report.text
    assert "temperature_c" in report.judged


def test_values_that_failed_their_checks_are_not_looked_at(house: House) -> None:
    made = weather(24 * DAYS, source="simulator")
    house.holds(shifted(made, "temperature_c", 1.0))

    def all_wrong(stored: HourlyWeather, hindsight: bool = False, baseline: object = None) -> FlaggedWeather:
        everywhere = np.ones(stored.get("temperature_c").shape, bool)
        wrong = Finding("range", "temperature_c", Flag.FAIL, "all wrong", everywhere)
        return FlaggedWeather(stored, (wrong,) if hindsight else ())

    house.drifting.observing.check = all_wrong
    report = house.look()
    assert "temperature_c" not in report.judged
    assert "dew_point_c" in report.judged


def test_nothing_known_later_than_now_is_looked_at(house: House) -> None:
    house.holds(shifted(weather(24 * DAYS, source="simulator"), "temperature_c", 3.0, days=20))
    house.now = END - timedelta(days=25)
    assert house.look().alarms == ()


def test_the_score_is_judged_by_the_champions_own_record(house: House) -> None:
    house.ledger.held = record(changed=5.0)
    found = house.look().of(SCORE)
    assert found.judged
    assert found.shifts[0].rising
    assert (found.shifts[0].percentile or 0) > 75
    assert abs((found.shifts[0].since - (END - timedelta(days=20)).date()).days) <= 7
    house.store.version = "v2"
    assert house.look().of(SCORE).not_judged.startswith("0 days of reference")
    house.store.version = None
    assert house.look().of(SCORE).not_judged == "there is no champion"


def test_a_young_champions_score_is_not_judged(house: House) -> None:
    old = record(days=DAYS)
    young = old.valid_from > to_hour64(END - timedelta(days=70))
    house.ledger.held = replace(old, model_version=np.where(young, "v1", "v0"))
    assert "60 are needed" in house.look().of(SCORE).not_judged


def test_the_reference_ends_where_the_champion_stopped_learning(house: House) -> None:
    house.holds(shifted(weather(24 * DAYS, source="simulator"), "temperature_c", 1.0, days=45))
    until = END - timedelta(days=50)
    report = house.look(until=until)
    assert report.begin == until.date()
    assert report.reference_end == until.date() - timedelta(days=1)
    assert report.of("temperature_c").shifts
    today = house.look(until=END)
    assert today.judged == ()
    assert "no whole day has passed since the training" in today.text


def test_a_large_region_is_thinned_and_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    many = tuple(Location(f"p{i}", f"P{i}", 30.0 + i / 100, 78.0, 500.0) for i in range(PLACES + 5))
    region = Region(REGION.id, "Large", "UTC", many, (), 0.25)
    house.source.regions = lambda: (region,)  # type: ignore[method-assign]
    report = house.look()
    assert (report.places, report.places_of) == (PLACES, PLACES + 5)
    assert report.text.endswith(f"{PLACES} of {PLACES + 5} places were looked at.")


def test_an_unknown_region_is_refused(house: House) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        house.drifting.look("nowhere")


def test_watching_begins_on_the_same_day_for_thirty_days() -> None:
    begun = {periods_of(END + timedelta(days=i), None, True).watched[0] for i in range(60)}
    assert len(begun) == 3
    until = END - timedelta(days=100)
    anchor = periods_of(END, until, True)
    assert anchor.reference[1] == (until - datetime.fromisoformat("1970-01-01T00:00:00+00:00")).days - 1
    for i in range(60):
        periods = periods_of(END + timedelta(days=i), until, False)
        assert (periods.watched[0] - anchor.reference[1] - 1) % 30 == 0
        assert 30 <= periods.watched[1] - periods.watched[0] + 1 < 60
        assert periods.reference == (anchor.reference[1] - 364, anchor.reference[1])
