"""Appraising: metrics over time, reports of a period, falls that are said once, sensors that drift."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import Core
from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.adapters.quality_files import ParquetQuality
from core.bootstrap import jobs
from core.caching.two_level import TwoLevelCache
from core.domain.quality import QualityMetrics
from core.domain.weather import HourlyWeather, Region
from core.errors import ConfigurationError
from core.quality.checks import check
from core.risk import AgeLimits, Tiers
from core.workflows.appraising import Appraising
from core.workflows.falls import FALLS, LEAST_EARLIER, fallen, still_down
from core.workflows.forecasting import Forecasting
from core.workflows.observing import Observing
from core.workflows.serving import Serving
from tests.models_made import model_store
from tests.unit.test_drift import network, with_drift
from tests.weather_made import END, REGION, FakeSource

HOUR = timedelta(hours=1)
#: Of the made-up weather, whose values are drawn without each other.
CONSISTENCY = 0.92


class Source(FakeSource):
    """Made-up weather of which some places are silent from a moment on."""

    silent_from: datetime | None = None
    silent = (2,)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        made = super().hours(region, start, end)
        if self.silent_from is None:
            return made
        dark = made.valid_at >= np.datetime64(self.silent_from.replace(tzinfo=None))
        values = {name: array.copy() for name, array in made.values.items()}
        for array in values.values():
            array[np.ix_(self.silent, dark)] = np.nan
        return made.with_values(values)


@dataclass
class House:
    """Workflows on a fake source and real adapters, with a clock that can be moved."""

    folder: Path
    source: Source = field(default_factory=Source)

    def __post_init__(self) -> None:
        self.now = END + timedelta(minutes=20)
        self.ledger = SqlLedger(f"sqlite:///{self.folder / 'ledger.sqlite'}")
        self.archive = ParquetArchive(self.folder / "processed")
        store = model_store(self.folder / "models")
        self.cache = TwoLevelCache.in_memory()
        self.forecasting = Forecasting(
            Observing(self.source, self.archive, check, 100),
            Serving(store),
            self.ledger,
            self.cache,
            Tiers(),
            AgeLimits(),
            lambda: self.now,
            300,
        )
        self.quality = self.restarted()

    def restarted(self) -> Appraising:
        files = ParquetQuality(self.folder / "quality_metrics")
        return Appraising(self.forecasting, self.ledger, lambda: self.now, files)

    def pass_hours(self, hours: int) -> list[QualityMetrics | None]:
        """Let time pass and appraise every hour."""
        found = []
        for _ in range(hours):
            self.now += HOUR
            self.source.end += HOUR
            self.cache.clear()
            found.append(self.quality.appraise(REGION.id))
        return found

    def with_past(self, hours: int = 100, completeness: float = 1.0) -> House:
        """Give the ledger metrics of the hours before."""
        nan = math.nan
        made = QualityMetrics("gauges", REGION.id, None, END, END, completeness, 1, CONSISTENCY, nan, nan, 0, 0.9)
        self.ledger.record_quality([replace(made, end=END - h * HOUR) for h in range(1, hours + 1)])
        return self

    def states(self) -> list[tuple[str, str]]:
        """Return metric and state of the falls written down, oldest first."""
        return [(r["detail"]["metric"], r["status"]) for r in reversed(self.ledger.runs(kind="quality"))]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_hour_is_measured_and_kept_once_in_ledger_and_files(house: House, tmp_path: Path) -> None:
    first = house.quality.appraise(REGION.id)
    assert first is not None
    assert (first.completeness, first.end, first.begin) == (1, END, END - 23 * HOUR)
    assert house.quality.appraise(REGION.id) is None
    house.quality = house.restarted()
    house.quality.appraise(REGION.id)
    assert [m.end for m in house.ledger.quality(REGION.id, END - 9 * HOUR)] == [END]
    (path,) = (tmp_path / "quality_metrics").rglob("*.parquet")
    assert path.relative_to(tmp_path / "quality_metrics").as_posix() == f"gauges/{REGION.id}/2026-07.parquet"
    assert pd.read_parquet(path)["location_id"].tolist() == ["", "a", "b", "c"]


def test_the_metrics_are_a_history_of_which_a_report_tells(house: House) -> None:
    house.pass_hours(3)
    report = house.quality.report(REGION.id)
    assert [m.end for m in report.history] == [END + h * HOUR for h in (1, 2, 3)]
    assert report.end == END + 3 * HOUR
    assert report.end - report.begin == timedelta(days=7)
    assert [p.location_id for p in report.places] == ["a", "b", "c"]


def test_timeliness_is_measured_from_when_hours_are_first_seen(house: House) -> None:
    first = house.quality.appraise(REGION.id)
    assert first is not None
    assert math.isnan(first.timeliness)  # what was there at the first look may have come at any time
    (second,) = house.pass_hours(1)
    assert second is not None
    assert (second.timeliness, second.delay_min) == (1, 20)
    house.now += timedelta(minutes=80)
    (third,) = house.pass_hours(1)  # 20 + 80 minutes after its hour, and the look before is 140 minutes ago
    assert third is not None
    assert (third.timeliness, third.delay_min) == (1, 20)
    house.now += timedelta(minutes=20)
    (fourth,) = house.pass_hours(1)  # 120 minutes after its hour, 80 after the look before
    assert fourth is not None
    assert (fourth.timeliness, fourth.delay_min) == (0.5, 70)


def test_a_report_takes_its_timeliness_from_the_metrics_kept_where_it_saw_no_arrivals(house: House) -> None:
    house.quality.appraise(REGION.id)
    house.pass_hours(4)
    house.quality = house.restarted()
    metrics = house.quality.report(REGION.id).metrics
    assert (metrics.timeliness, metrics.delay_min) == (1, 20)


def test_a_report_joins_stored_and_live_hours_and_expects_nothing_before_the_first(house: House) -> None:
    house.forecasting.refresh(REGION.id)  # stores the last 101 hours
    house.source.end = END + 24 * HOUR
    house.now += 24 * HOUR
    house.cache.clear()
    report = house.quality.report(REGION.id, END - timedelta(days=20), house.now)
    seen = report.checked.weather.observed().any(axis=0)
    assert seen.sum() == 125
    assert report.metrics.completeness == 1
    assert report.metrics.begin == END - 100 * HOUR
    assert report.begin == END - timedelta(days=20)


def test_hours_that_are_missing_after_the_first_are_missed(house: House) -> None:
    house.forecasting.refresh(REGION.id)
    house.source.silent_from, house.source.silent = END + HOUR, (0, 1, 2)
    house.source.end += 101 * HOUR
    house.now += 101 * HOUR
    house.cache.clear()
    report = house.quality.report(REGION.id, END - timedelta(days=20), house.now)
    assert report.metrics.completeness == pytest.approx(101 / 200)  # the newest two hours are not due yet


def test_a_region_without_stored_hours_gives_an_empty_report(house: House) -> None:
    house.source.down = True
    report = house.quality.report(REGION.id)
    assert all(math.isnan(getattr(report.metrics, name)) for name in ("completeness", "validity", "overall"))
    assert report.places[0].location_id == "a"
    assert (report.history, report.alerts, report.drifts) == ((), (), ())


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        (END, END - HOUR, "ends .* before it begins"),
        (END + timedelta(days=1), None, "ends .* before it begins"),
        (END - timedelta(days=401), END, "longer than 400 days"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(
    house: House, begin: datetime, end: datetime | None, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as error:
        house.quality.report(REGION.id, begin, end)
    assert error.value.hint
    with pytest.raises(ConfigurationError, match="Unknown region"):
        house.quality.report("nowhere")


def test_a_fall_is_said_once_stays_while_it_lasts_and_ends_when_it_is_over(house: House) -> None:
    house.with_past()
    house.pass_hours(2)
    assert house.quality.alerts() == ()
    house.source.silent_from = house.source.end + HOUR
    house.pass_hours(20)
    (alert, *others) = house.quality.alerts(REGION.id)
    assert alert.startswith("Test region: completeness fell from 100% to 8")
    assert [text.split(":")[1].split()[0] for text in others] == ["overall"]
    assert house.states() == [("completeness", "fallen"), ("overall", "fallen")]
    assert house.quality.report(REGION.id).alerts == (alert, *others)
    assert house.restarted().alerts() == (alert, *others)
    assert house.quality.alerts("elsewhere") == ()
    house.source.silent_from = None
    house.pass_hours(3)
    assert house.states()[2:] == [("completeness", "recovered")]  # all is there, but it came a day late
    house.pass_hours(21)
    assert house.quality.alerts() == ()
    assert house.states()[-1] == ("overall", "recovered")
    assert house.restarted().alerts() == ()


def test_a_long_outage_does_not_become_usual(house: House) -> None:
    house.with_past().source.silent_from = END - timedelta(days=2)
    house.pass_hours(1)
    told = house.quality.alerts()
    assert told
    house.now += timedelta(days=10)
    house.source.end += timedelta(days=10)
    house.with_past(completeness=2 / 3)
    house.pass_hours(1)
    assert house.quality.alerts() == told


def test_without_a_past_nothing_falls(house: House) -> None:
    house.with_past(LEAST_EARLIER).source.silent_from = END - timedelta(days=2)
    house.pass_hours(2)
    assert house.quality.alerts() == ()


def test_another_process_that_measured_first_leaves_its_alerts_to_this_one(house: House) -> None:
    house.with_past()
    other = house.restarted()
    assert other.alerts() == ()
    house.source.silent_from = END - timedelta(days=2)
    house.pass_hours(1)
    other.appraise(REGION.id)
    assert other.alerts() == house.quality.alerts() != ()
    assert len(house.states()) == len(house.quality.alerts())


def test_who_only_shows_says_what_another_found_and_ends_it_when_it_takes_over(house: House) -> None:
    house.with_past()
    other = house.restarted()
    assert other.alerts() == ()
    house.source.silent_from = END - timedelta(days=2)
    house.pass_hours(1)
    assert other.alerts() == house.quality.alerts() != ()
    fell = house.states()
    first, house.quality = house.quality, other
    house.pass_hours(2)
    assert house.states() == fell
    house.source.silent_from = None
    house.pass_hours(30)
    assert sorted(house.states()[len(fell) :]) == sorted((metric, "recovered") for metric, _ in fell)
    assert first.alerts() == other.alerts() == ()


@pytest.mark.parametrize("metric", sorted(FALLS))
def test_every_metric_is_watched_by_its_own_fall(metric: str) -> None:
    good = QualityMetrics("gauges", "r", None, END, END, 0.9, 0.9, 0.9, 0.9, 5, 0, 0.9)
    past = [replace(good, end=END - h * HOUR) for h in range(24, 24 + LEAST_EARLIER)]
    slightly = replace(good, **{metric: 0.9 - FALLS[metric] + 0.001})
    clearly = replace(good, **{metric: 0.9 - FALLS[metric] - 0.001})
    assert fallen(slightly, past, "R") == ()
    assert [f.metric for f in fallen(clearly, past, "R")] == [metric]
    assert fallen(clearly, past, "R", [metric]) == ()
    assert fallen(clearly, past[1:], "R") == ()
    assert fallen(clearly, [replace(m, source="simulator") for m in past], "R") == ()
    assert fallen(replace(good, **{metric: math.nan}), past, "R") == ()


def test_runs_of_another_program_are_passed_over() -> None:
    assert still_down([{"status": "fallen", "detail": {"metric": "completeness"}}]) == ()


def test_a_ledger_that_fails_is_said_and_the_report_stands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_call: object, **_named: object) -> None:
        raise ConfigurationError("The ledger cannot be used.")

    monkeypatch.setattr(house.ledger, "runs", refuse)
    monkeypatch.setattr(house.ledger, "quality", refuse)
    report = house.quality.report(REGION.id)
    assert "not known" in report.alerts[0]
    assert report.metrics.completeness == 1


def test_a_sensor_that_drifts_stands_in_the_report(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made = with_drift(network(days=30), 4, "temperature_c", 3.0)
    region = replace(REGION, locations=made.locations)

    class Network(FakeSource):
        def regions(self) -> tuple[Region, ...]:
            return (region,)

        def hours(self, _region: Region, start: datetime, end: datetime) -> HourlyWeather:
            return made.window(start, end)

    house.archive.store(region.id, check(made, True))
    house.forecasting.observing.source = Network()
    (drift,) = house.quality.report(REGION.id, END - timedelta(days=2)).drifts
    assert (drift.location_id, drift.variable) == ("s4", "temperature_c")


def test_the_house_appraises_by_itself_and_its_alerts_are_problems(open_house: Callable[..., Core], home: Path) -> None:
    core = open_house()
    jobs.appraise(core)
    region = core.default_region
    (kept,) = core.quality.ledger.quality(region, END - HOUR)
    assert kept.completeness == 1
    assert list((home / "data" / "quality_metrics" / "simulator" / region).glob("*.parquet"))
    fall = {"source": "simulator", "region_id": region, "region": "There", "metric": "validity"}
    detail = {**fall, "usual": 0.99, "value": 0.5, "since": "now"}
    core.quality.ledger.record_run("quality", "fallen", detail, END)
    again = open_house()
    assert "There: validity fell from 99% to 50% (since now)." in again.monitoring.problems()
    assert "There: validity fell from 99% to 50% (since now)." in again.health().problems
    assert {"refresh", "appraise", "verify", "experiments", "trainings", "drift"} == {
        str(job["name"]) for job in _started(again)
    }


def _started(core: Core) -> list[dict[str, object]]:
    core.start()
    core.stop()
    return [dict(job) for job in core.scheduler.jobs()]
