"""Verifying: truths are joined when they arrive, once; what is missing is never zero; other sources have no truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core import Core
from core.domain.forecast import DEFAULT_WINDOW, EVENTS, TARGET, WINDOWS, Window, events_in
from core.domain.units import to_hour64
from core.domain.verification import Truth
from core.errors import ConfigurationError
from core.quality.checks import check
from core.workflows.verifying import NO_RECORDS, NO_TRUTH
from tests.issued_made import House, hours
from tests.replay_made import BEGIN, table
from tests.weather_made import END, REGION, FakeSource

SHORT = Window(0, 1)
SHORT_TARGET = events_in(SHORT)[0]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_window_is_pending_until_it_has_ended_and_then_known(house: House) -> None:
    house.issue()
    house.falls(0, 6, 22.0)
    house.observe(5.9)
    assert house.join() == 2 * 3  # the windows of one and of three hours have ended
    assert house.cases().truth.tolist() == [Truth.PENDING] * 3
    house.observe(6)
    assert house.join() == 3
    cases = house.cases()
    assert cases.truth.tolist() == [Truth.KNOWN] * 3
    assert cases.happened(TARGET).tolist() == [1, 0, 0]
    assert cases.hourly_mm[0] == 22.0
    assert (house.cases(SHORT).hourly_mm == house.rain[:, house.at(1)]).all()
    assert np.isnan(house.cases(SHORT).two_hour_mm).all()


def test_the_truth_of_a_window_is_the_highest_rain_of_its_own_hours(house: House) -> None:
    house.issue()
    for hour, mm in ((0, 30.0), (2, 9.0), (3, 8.0), (7, 30.0)):
        house.falls(1, hour, mm)
    house.observe(8)
    house.join()
    at = house.at(0)
    for window in WINDOWS:
        rain = house.rain[1, at + 1 : at + 1 + window.end_h]
        cases = house.cases(window)
        assert cases.hourly_mm[1] == rain.max()
        if window.length_h > 1:
            assert cases.two_hour_mm[1] == pytest.approx((rain[1:] + rain[:-1]).max())
    assert house.cases().two_hour_mm[1] == 17.0


def test_joining_again_says_nothing_new(house: House) -> None:
    house.issue()
    house.observe(7)
    assert house.join() == 9
    assert house.join() == 0
    house.now += timedelta(days=5)
    assert house.join() == 0


def test_late_truth_joins_later(house: House) -> None:
    house.issue()
    late = house.rain[0, house.at(4)]
    house.falls(0, 4, math.nan)
    house.observe(7)
    house.join()
    assert house.cases().truth.tolist() == [Truth.PENDING, Truth.KNOWN, Truth.KNOWN]
    house.falls(0, 4, late)
    house.observe(30)
    assert house.join() == 1
    assert house.cases().truth.tolist() == [Truth.KNOWN] * 3


def test_what_arrives_after_now_is_not_known_yet(house: House) -> None:
    house.issue()
    available = np.broadcast_to(house.sky.valid_at, house.rain.shape).astype("datetime64[s]")
    available[2, house.at(3)] += np.timedelta64(9, "h")
    seen = replace(house.sky.with_values({"precipitation_mm": house.rain}), available_at=available)
    house.archive.store(REGION.id, check(seen, True))
    house.now = hours(7)
    house.join()
    assert house.cases().truth.tolist() == [Truth.KNOWN, Truth.KNOWN, Truth.PENDING]
    house.now = hours(12)
    assert house.join() == 2
    (last,) = [
        o for o in house.ledger.awaited("gauges", REGION.id, (END, hours(1)), END)
        if (o.location_id, o.window) == ("c", DEFAULT_WINDOW)
    ]  # fmt: skip
    assert (last.available_at, last.joined_at) == (hours(12), hours(12))


def test_truth_that_never_comes_is_missing_after_72_hours_and_never_zero(house: House) -> None:
    house.issue()
    house.falls(0, 4, math.nan)
    house.observe(6 + 71)
    house.join()
    assert house.cases().truth[0] == Truth.PENDING
    house.observe(6 + 72)
    assert house.join() == 1
    cases = house.cases()
    assert cases.truth.tolist() == [Truth.MISSING, Truth.KNOWN, Truth.KNOWN]
    assert np.isnan(cases.happened(TARGET)[0])
    assert (cases.missing, cases.matured) == (1, 2)


def test_truth_that_comes_after_it_was_given_up_is_known(house: House) -> None:
    house.issue()
    came = house.rain[0, house.at(4)]
    house.falls(0, 4, math.nan)
    house.observe(79)
    house.join()
    assert house.cases().truth[0] == Truth.MISSING
    house.falls(0, 4, came)
    house.observe(150)
    assert house.join() == 1
    assert house.cases().truth[0] == Truth.KNOWN


def test_a_value_that_fails_its_checks_is_no_truth(house: House) -> None:
    house.issue()
    house.falls(0, 4, 900.0)
    house.observe(7)
    house.join()
    assert house.cases().truth[0] == Truth.PENDING
    house.now = hours(79)
    house.join()
    assert house.cases().truth[0] == Truth.MISSING


def test_a_sensor_that_is_seen_to_be_stuck_takes_its_truth_back(house: House) -> None:
    house.issue()
    house.falls(0, 1, 60.0)
    house.observe(1)
    house.join()
    assert house.cases(SHORT).happened(SHORT_TARGET).tolist() == [1, 0, 0]
    for hour in range(2, 12):
        house.falls(0, hour, 60.0)
    house.observe(12)
    house.join()
    assert house.cases(SHORT).truth.tolist() == [Truth.MISSING, Truth.KNOWN, Truth.KNOWN]


def test_an_archive_that_is_lost_takes_no_truth_back(house: House) -> None:
    house.issue()
    house.observe(7)
    house.join()
    for path in (house.folder / "processed").rglob("*.parquet"):
        path.unlink()
    assert house.join() == 0
    assert house.cases().truth.tolist() == [Truth.KNOWN] * 3


def test_a_place_that_left_the_region_is_missing_in_the_end(house: House) -> None:
    house.issue()
    fewer = replace(REGION, locations=REGION.locations[1:])
    house.source.regions = lambda: (fewer,)  # type: ignore[method-assign]
    house.observe(7)
    house.join()
    assert house.cases().truth.tolist() == [Truth.PENDING, Truth.KNOWN, Truth.KNOWN]
    house.now = hours(79)
    house.join()
    assert house.cases().truth[0] == Truth.MISSING


def test_forecasts_of_many_days_are_joined_in_batches_each_once(house: House) -> None:
    for after in range(0, 150, 5):
        house.issue(after)
    house.observe(160)
    assert house.join() == 30 * 3 * 3
    assert house.cases().matured == 90


@pytest.mark.parametrize("source", ["open-meteo", "open-meteo-single-runs"])
def test_a_source_without_gauges_has_no_truth(tmp_path: Path, source: str) -> None:
    house = House(tmp_path, FakeSource(name=source))
    house.issue()
    house.observe(7)
    assert house.join() == 0
    assert house.verifying.no_truth == NO_TRUTH
    assert (house.cases().pending, house.cases().matured) == (3, 0)


def test_simulated_truth_is_labelled_simulated(tmp_path: Path) -> None:
    house = House(tmp_path, FakeSource(name="simulator"))
    house.issue()
    house.observe(7)
    assert house.join() == 9
    assert house.verifying.no_truth == ""
    assert house.cases().simulated


def test_the_last_issue_within_the_hour_is_verified_and_the_counts_add_up(house: House) -> None:
    house.issue(0, 5, p=0.1)
    house.issue(0, 50, p=0.2, model="m2")
    house.issue(0, 130, p=0.3)
    house.issue(1, 10, model=None)
    house.issue(60, 10)
    house.falls(0, 3, math.nan)
    house.observe(62)
    house.join()
    cases = house.cases()
    assert cases.probability[:, 0].tolist()[:3] == [0.2, pytest.approx(np.nan, nan_ok=True), 0.4]
    assert (cases.issued, cases.unknown, cases.matured, cases.pending, cases.missing) == (9, 3, 2, 4, 0)
    house.observe(62 + 80)
    house.join()
    cases = house.cases()
    assert (cases.issued, cases.unknown, cases.matured, cases.pending, cases.missing) == (9, 3, 5, 0, 1)
    assert cases.model_versions == ("m1", "m2")
    assert house.cases(model_version="m2").issued == 3
    assert house.cases(since=hours(1), until=hours(59)).issued == 3


def test_what_was_issued_is_asked_for_in_one_region(house: House) -> None:
    house.issue()
    assert house.verifying.issued("elsewhere", DEFAULT_WINDOW).issued == 0
    assert house.verifying.join("elsewhere") == 0


def test_a_region_that_the_source_no_longer_serves_is_said(house: House) -> None:
    house.issue()
    house.source.regions = lambda: (replace(REGION, id="another"),)  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="Unknown region"):
        house.join()


def test_events_of_every_window_are_those_of_the_forecast(house: House) -> None:
    house.issue()
    assert house.cases().events == EVENTS
    assert house.cases(SHORT).probability.shape == (3, 4)


class Jobs(dict[str, Callable[[], object]]):
    """Scheduler that runs nothing by itself."""

    term = 1

    def every(self, seconds: float, name: str, job: Callable[[], object], *, recorded: bool = False) -> None:  # noqa: ARG002 - the port's signature
        self[name] = job

    def start(self) -> None:
        pass


def test_the_scheduler_of_a_house_joins_what_was_issued_hours_ago(open_house: Callable[..., Core]) -> None:
    for after in (0, 8):
        house = replace(open_house(now=hours(after + 0.3)), scheduler=Jobs())  # type: ignore[arg-type]
        house.start()
        house.scheduler["refresh"]()  # type: ignore[index]
        house.scheduler["verify"]()  # type: ignore[index]
    region = house.region(house.default_region)
    cases = house.verification.issued(region.id, DEFAULT_WINDOW)
    assert (cases.issued, cases.simulated) == (2 * len(region.locations), True)
    first = cases.select(cases.valid_from == to_hour64(END))
    assert set(first.truth.tolist()) == {Truth.KNOWN}
    rain = house.forecasting.observing.source.hours(region, hours(1), hours(6)).get("precipitation_mm")
    np.testing.assert_allclose(np.sort(first.hourly_mm), np.sort(rain.max(axis=1)))


def test_a_house_that_replays_has_nothing_to_verify(open_house: Callable[..., Core], tmp_path: Path) -> None:
    house = open_house()
    (window,) = house.replays.read(table(tmp_path / "w.parquet"))
    then = house.as_known(window, BEGIN + timedelta(hours=180)).verification
    assert then.no_truth == NO_RECORDS
    assert then.join(window.id) == 0
    assert then.issued(window.id, DEFAULT_WINDOW).issued == 0
