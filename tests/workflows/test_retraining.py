"""From new hours in the archive to a verdict: what is refused, what is judged on what, and who serves then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import Core
from core.domain.forecast import DEFAULT_WINDOW
from core.domain.learning import ModelManifest
from core.domain.lifecycle import RunState, RunStatus, Trigger
from core.domain.units import to_hour64
from core.errors import DeploymentLost
from core.learning.promotion import Gate
from core.ports import silent
from core.workflows.judging import HeldOut, unseen
from core.workflows.training import Training
from tests.conftest import NOW
from tests.learnable_made import DAYS, learnable_folder, lenient, opened, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_folder(tmp_path_factory.mktemp("archive") / "gauges", NOW)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Core, RunState]:
    """Return a house that was trained for real, once, and how that ended."""
    made = opened(tmp_path_factory.mktemp("trained"), folder)
    made.ingest(folder, None)
    return made, run(made)


@pytest.fixture
def house(folder: Path, home: Path, trained: tuple[Core, RunState], monkeypatch: pytest.MonkeyPatch) -> Core:
    """Return a house whose trainings store the version that was learned from the same archive; all else is real."""
    first, ended = trained
    manifest, parts = first.store.load(ended.version or "")
    probe = first.store.probe(manifest.version)

    def learn(self: Training, *_: object) -> ModelManifest:
        fresh = replace(manifest, version="", generation=0, created_at=self.clock())
        return self.store.save(fresh, parts, "# {version}", probe)

    monkeypatch.setattr(Training, "learn", learn)
    made = opened(home, folder)
    made.ingest(folder, None)
    return made


def test_candidate_and_champion_are_judged_on_the_same_held_out_cases(trained: tuple[Core, RunState]) -> None:
    house, ended = trained
    assert ended.status in (RunStatus.DEPLOYED, RunStatus.KEPT)
    made = house.store.manifest(ended.version or "")
    judged = ended.metrics["judged"]
    assert ended.metrics["candidate"].keys() == ended.metrics["champion"].keys()
    assert judged["cases"] > 1000
    # Between the last case learned from and the first judged on lies more than any window and truth reach.
    gap = pd.Timestamp(judged["begin"]) - pd.Timestamp(made.trained_on.end)
    assert gap >= pd.Timedelta(hours=24 + 6)
    assert [rule["name"] for rule in ended.metrics["gate"]] == [
        "accuracy", "gain", "evidence", "POD", "calibration", "events", "finite", "leak",
    ]  # fmt: skip
    stored = json.loads((house.settings.home / "models" / "metrics" / f"{made.version}.json").read_text())
    assert stored["judged"] == judged
    assert made.trained_on.region_id == house.default_region
    assert made.trained_on.source == "gauges"


def test_a_challenger_that_is_not_better_stays_in_the_shadow(house: Core) -> None:
    before = house.store.champion("gauges", house.default_region)
    strict = replace(house.lifecycle.retraining.judging, gate=Gate(0.75, "brier", 99.0, 90, 2, (0.8, 1.2), 20))
    ended = run(house, judging=strict)
    assert ended.status is RunStatus.KEPT
    assert any(reason.startswith("gain: ") for reason in ended.reasons)
    assert house.store.champion("gauges", house.default_region) == before
    assert house.lifecycle.ledger.deployments("gauges", house.default_region) == ()
    assert house.lifecycle.serving.challengers("gauges", house.default_region, 2) == (ended.version,)
    house.forecasting.refresh(house.default_region)
    ledger = house.lifecycle.ledger
    shown = ledger.issued("gauges", house.default_region, DEFAULT_WINDOW)
    unseen_ones = ledger.issued("gauges", house.default_region, DEFAULT_WINDOW, shown=False)
    assert set(shown.model_versions) == {before.version}
    assert set(unseen_ones.model_versions) == {ended.version}
    assert len(unseen_ones) == len(shown)


def test_a_better_one_serves_and_everything_is_written_down(house: Core) -> None:
    region = house.default_region
    seed = house.store.champion("gauges", region).version
    ended = run(house, **lenient(house))
    assert ended.status is RunStatus.DEPLOYED
    champion = house.store.champion("gauges", region)
    assert (champion.version, champion.generation) == (ended.version, 1)
    (made,) = house.lifecycle.ledger.deployments("gauges", region)
    assert (made.action, made.from_version, made.to_version, made.who) == ("retrained", seed, ended.version, "test")
    assert made.verdict is not None
    assert made.verdict.promote
    assert made.why == "trigger: api"
    assert house.forecasting.served(region).manifest.version == ended.version
    assert house.forecasting.refresh(region).forecast.model_version == ended.version


def test_the_next_one_is_judged_on_what_neither_has_learned_from(house: Core) -> None:
    first = run(house, **lenient(house))
    learned_until = house.store.manifest(first.version or "").trained_on.end
    second = run(house, holdout=0.6)
    # The champion has learned from most of these: they are left out, not judged on.
    assert pd.Timestamp(second.metrics["judged"]["begin"]) > learned_until + timedelta(hours=24 + 6)
    assert second.metrics["judged"]["cases"] < 0.5 * second.metrics["cases"]


def test_somebody_who_deploys_in_between_wins(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise DeploymentLost("Somebody else deployed.", generation=1)

    monkeypatch.setattr(type(house.store), "deploy", lost)
    ended = run(house, **lenient(house))
    assert (ended.status, ended.reasons) == (RunStatus.KEPT, ("Somebody else deployed.",))


def test_an_empty_archive_is_skipped_with_counts(folder: Path, home: Path) -> None:
    ended = run(opened(home, folder))
    assert ended.status is RunStatus.SKIPPED
    assert ended.reasons == ("empty: there is no observation in this period.",)
    assert ended.metrics == {"station_hours": 0}
    assert ended.version is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda f: f.assign(precipitation_mm=np.minimum(f["precipitation_mm"], 9.0)), "one class: 0 events"),
        (lambda f: f.assign(dew_point_c=np.nan, relative_humidity_pct=np.nan), "all missing: dew_point_c"),
        (lambda f: f.assign(wind_direction_deg=90.0), "constant: wind_direction_deg"),
        (lambda f: f[f["valid_at"].dt.hour % 5 == 0], "quality: "),
        (lambda f: f[f["valid_at"] > NOW - timedelta(days=3)], "too few events"),
    ],
    ids=["one class", "all missing", "constant", "gaps", "few"],
)
def test_what_teaches_nothing_is_skipped_by_name(
    folder: Path, home: Path, tmp_path: Path, changed: Callable[[pd.DataFrame], pd.DataFrame], reason: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    changed(pd.read_parquet(folder / "hours.parquet")).to_parquet(other / "hours.parquet", index=False)
    (other / "stations.csv").write_bytes((folder / "stations.csv").read_bytes())
    house = opened(home, other)
    house.ingest(other, None)
    ended = run(house)
    assert ended.status is RunStatus.SKIPPED
    assert any(found.startswith(reason) for found in ended.reasons), ended.reasons
    assert ended.metrics["station_hours"] > 0
    assert [v for v in house.versions() if not v.shipped] == []


def test_without_truth_nothing_is_learned(open_house: Callable[..., Core]) -> None:
    house = open_house(grid_spacing_deg=1.0)
    request = replace(house.lifecycle.asked(house.default_region, who="test", trigger=Trigger.API), source="open-meteo")
    ended = house.lifecycle.retraining.run(RunState("r", request, 1, NOW, RunStatus.RUNNING, 0, ""), silent)
    assert ended.status is RunStatus.SKIPPED
    assert ended.reasons == ("No truth available: not verified, not retrained.",)


def test_cases_that_a_version_has_learned_from_are_not_judged_on(house: Core) -> None:
    ended = run(house)
    manifest = house.store.manifest(ended.version or "")
    begin = NOW - timedelta(days=DAYS)
    cases, _ = house.lifecycle.retraining.collecting.cases(("gauges", house.default_region), begin, NOW, silent)
    assert cases is not None
    left = unseen(HeldOut.of(cases, cases, "gauges"), manifest)
    assert 0 < len(left) < len(cases.hour)
    assert left.cases.hour.min() > to_hour64(manifest.trained_on.end).astype(int) + 24
    foreign = unseen(HeldOut.of(cases, cases, "simulator"), manifest)
    assert len(foreign) == len(cases.hour)
