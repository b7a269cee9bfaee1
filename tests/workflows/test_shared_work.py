"""Shared among processes, work gives what it gives in one: bit for bit where fits have the same number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import Core
from core.adapters import dask_workers
from core.adapters.dask_workers import DaskWorkers, one_thread
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.simulator.forecasts import SimulatedForecasts
from core.adapters.simulator.monsoons import PastMonsoons
from core.adapters.simulator.source import Simulator
from core.bootstrap import HindcastRequest
from core.bootstrap.labour import trainers_of, workers_of
from core.domain.forecast import FIELD_WINDOWS, WINDOWS
from core.domain.learning import TrainingRequest
from core.errors import ConfigurationError, InsufficientData, WorkersUnavailable
from core.learning.training import Recipe
from core.ports import ALONE, Alone, silent
from core.quality.checks import check
from core.settings import Settings
from core.workflows.fitting import fits, fitted
from core.workflows.gathering import Gathered, gather
from core.workflows.learned import learned
from tests.conftest import NOW
from tests.learnable_made import learnable_folder
from tests.weather_made import REGION

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
)
EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class Refusing(Alone):
    """Workers that are lost before the first part."""

    def each(self, *_: object) -> Iterator[object]:  # type: ignore[override]
        raise WorkersUnavailable("The cluster was lost.", hint="Look at it.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_folder(tmp_path_factory.mktemp("past") / "gauges", NOW)


@pytest.fixture(scope="module")
def two() -> Iterator[DaskWorkers]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dask_workers, "WORTH_S", 0.0)
        with DaskWorkers(count=2) as workers:
            yield workers


def same(one: Gathered, other: Gathered) -> None:
    for name in ("rows", "truth_mm", "hour", "place"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in ("rows", "truth_mm")), name
    assert one.place_ids == other.place_ids
    assert one.feature_names == other.feature_names


def test_a_training_is_the_same_and_tells_its_progress(folder: Path, two: DaskWorkers) -> None:
    source, told = GaugeFolder(folder), []
    alone = gather(source, (None, None), WINDOWS, check, silent)
    shared = gather(source, (None, None), WINDOWS, check, lambda done, text: told.append((done, text)), workers=two)
    same(alone, shared)
    request = TrainingRequest("logistic_regression")
    with one_thread():
        model, cards = learned(alone, request, silent, ALONE)
    again, others = learned(shared, request, lambda done, text: told.append((1 + done, text)), two)
    assert cards == others
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {"0 to 1 h: fitting on everything", "0 to 6 h: calibrating"} <= {text for _, text in told}
    assert list(model.curves) == list(again.curves) == list(WINDOWS)
    for window, curve in model.curves.items():
        assert np.array_equal(curve.central, again.curves[window].central)
        assert np.array_equal(curve.draws, again.curves[window].draws)
    with one_thread():
        for window in WINDOWS:
            some = alone.rows[::50]
            assert np.array_equal(model.probabilities(some, window), again.probabilities(some, window))


@pytest.mark.parametrize("algorithm", [pytest.param("gradient_boosting", marks=pytest.mark.slow), "random_forest"])
def test_trees_too_are_the_same_where_they_have_one_thread(folder: Path, two: DaskWorkers, algorithm: str) -> None:
    cases = gather(GaugeFolder(folder), (None, None), WINDOWS[:1], check, silent)
    recipe = Recipe(algorithm, 600, 7)
    parts = fits(WINDOWS[0], recipe)[1:3]
    with one_thread():
        alone = [fitted(cases, part) for part in parts]
    for mine, theirs in zip(alone, two.each(fitted, cases, parts, 1e3), strict=True):
        assert np.array_equal(mine, theirs)


def test_simulated_cases_with_their_fields_are_the_same(two: DaskWorkers) -> None:
    simulator = Simulator((REGION,), 7, fixed)
    fields = SimulatedForecasts(simulator, fixed, calendar=True)
    wanted = (datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 7, 12, tzinfo=UTC))
    windows = WINDOWS + FIELD_WINDOWS
    alone = gather(PastMonsoons(simulator), wanted, windows, check, silent, fields=fields)
    same(alone, gather(PastMonsoons(simulator), wanted, windows, check, silent, fields=fields, workers=two))


def fixed() -> datetime:
    return NOW


def test_a_hindcast_is_the_same_and_its_file_too(
    folder: Path, two: DaskWorkers, open_house: Callable[..., Core], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = open_house(dask="none:")
    sources = GaugeFolder(folder), EVER
    alone = list(house.hindcasting.run(*sources))
    shared = list(replace(house.hindcasting, workers=two).run(*sources))
    assert len(alone) == len(shared) > 0
    for one, other in zip(alone, shared, strict=True):
        assert np.array_equal(one.probability, other.probability)
        assert np.array_equal(one.issued_at, other.issued_at)
        assert list(one.location_id) == list(other.location_id)
        assert list(one.level) == list(other.level)
    out = tmp_path / "hindcast.parquet"
    assert house.hindcast(HindcastRequest(folder, None, *EVER, out)) == sum(len(part.location_id) for part in alone)
    assert len(pd.read_parquet(out)) == sum(len(part.location_id) for part in alone)


def test_what_is_lost_in_the_middle_stores_nothing(
    folder: Path, open_house: Callable[..., Core], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = open_house()
    before = [v.version for v in house.versions()]
    out = tmp_path / "hindcast.parquet"
    monkeypatch.setattr("core.bootstrap.house.workers_of", lambda _: DaskLost())
    with pytest.raises(WorkersUnavailable):
        house.hindcast(HindcastRequest(folder, None, *EVER, out))
    with pytest.raises(WorkersUnavailable):
        house.train(TrainingRequest("logistic_regression"), folder, None)
    assert not out.exists()
    assert [v.version for v in house.versions()] == before


class DaskLost:
    def __enter__(self) -> Refusing:
        return Refusing()

    def __exit__(self, *_: object) -> None:
        pass


def test_too_little_to_learn_from_is_said_as_in_one_process(folder: Path, two: DaskWorkers) -> None:
    cases = gather(GaugeFolder(folder), (None, None), WINDOWS, check, silent)
    few = cases.at(cases.hour < cases.hour.min() + 48)
    with pytest.raises(InsufficientData) as alone:
        learned(few, TrainingRequest("logistic_regression"), silent, ALONE)
    with pytest.raises(InsufficientData) as shared:
        learned(few, TrainingRequest("logistic_regression"), silent, two)
    assert (str(shared.value), shared.value.have) == (str(alone.value), alone.value.have)


@pytest.mark.parametrize("text", ["", "local", "local:0", "tcp://host", "http://host:1", "tcp://a b:1", "none"])
def test_a_setting_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CLOUDBURST_DASK"):
        workers_of(Settings(dask=text))


def test_a_retraining_is_shared_only_with_a_cluster_elsewhere() -> None:
    assert trainers_of(Settings()) is ALONE
    assert trainers_of(Settings(dask="local:2")) is ALONE
    assert trainers_of(Settings(dask="none:")) is ALONE
    assert isinstance(trainers_of(Settings(dask="tcp://127.0.0.1:8786")), DaskWorkers)
