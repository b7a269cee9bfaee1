"""From an archive to a stored version and its hindcast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.adapters.hindcast_file import write
from core.adapters.ledger import SqlLedger
from core.adapters.model_store import FolderModelStore
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.learning import ModelManifest, TrainingRequest
from core.domain.weather import HourlyWeather, Region
from core.errors import ConfigurationError, InsufficientData
from core.learning.estimators import ALGORITHMS
from core.quality.checks import check
from core.risk import Tiers
from core.workflows.hindcasting import Hindcasting
from core.workflows.serving import Serving
from core.workflows.training import Training
from tests.models_made import model_store
from tests.weather_made import END, FakeSource, weather

NOW = datetime(2026, 8, 1, tzinfo=UTC)


class LearnableSource(FakeSource):
    """Days in which heavy rain falls in the afternoon only."""

    days = 60

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        return ((END - timedelta(days=self.days), END),)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        begin, last = self.periods()[0]
        hours = round((last - begin).total_seconds() / 3600) + 1
        plain = weather(hours, last, self.name, region.locations, seed=4)
        rng = np.random.default_rng(9)
        afternoon = np.isin(plain.valid_at.astype(int) % 24, (12, 13, 14))
        heavy = afternoon & (rng.random(plain.get("precipitation_mm").shape) < 0.15)
        rain = np.where(heavy, rng.uniform(10, 45, heavy.shape), plain.get("precipitation_mm").clip(0, 9))
        return plain.with_values({**plain.values, "precipitation_mm": rain.astype(np.float32)}).window(start, end)


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    return model_store(tmp_path / "models")


class BriefSource(LearnableSource):
    """Enough of them to grow a forest."""

    days = 20


def train(
    store: FolderModelStore, tmp_path: Path, request: TrainingRequest, source: FakeSource | None = None
) -> ModelManifest:
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    return Training(store, ledger, check, lambda: NOW).train(source or LearnableSource(), request)


#: Half of the suite's slowest minute; the store's tests fit and serve each of them too.
SLOW = {"gradient_boosting", "extra_trees"}


@pytest.mark.parametrize(
    "algorithm", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in sorted(ALGORITHMS)]
)
def test_every_algorithm_learns_what_can_be_learned(store: FolderModelStore, tmp_path: Path, algorithm: str) -> None:
    manifest = train(store, tmp_path, TrainingRequest(algorithm))
    card = manifest.card_of(TARGET)
    assert card is not None
    auc = card.measures["auc"].value
    assert auc is not None
    assert auc > 0.6
    assert manifest.trained_on.source == "gauges"
    assert store.load(manifest.version)[0] == manifest


def test_isotonic_calibration_is_kept_and_served(store: FolderModelStore, tmp_path: Path) -> None:
    manifest = train(store, tmp_path, TrainingRequest("logistic_regression", calibration="isotonic"))
    served = Serving(store).version(manifest.version, "gauges")
    assert len(served.model.curves[DEFAULT_WINDOW].isotonic_score) > 1
    assert manifest.calibration == "isotonic"


def test_the_same_seed_gives_the_same_model(store: FolderModelStore, tmp_path: Path) -> None:
    request = TrainingRequest("random_forest", seed=3)
    one, two = (train(store, tmp_path, request, BriefSource()) for _ in range(2))
    rows = np.random.default_rng(0).normal(size=(200, len(one.feature_names))).astype(np.float32)
    serving = Serving(store)
    first, second = (serving.version(m.version, "gauges").model.probabilities(rows) for m in (one, two))
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_nothing_after_until_is_learned(store: FolderModelStore, tmp_path: Path) -> None:
    until = END - timedelta(days=10)
    manifest = train(store, tmp_path, TrainingRequest("logistic_regression", until=until))
    assert manifest.trained_on.end <= until - timedelta(hours=6)  # the window of the last case ends by then


def test_too_few_events_are_refused_and_nothing_is_stored(store: FolderModelStore, tmp_path: Path) -> None:
    until = LearnableSource().periods()[0][0] + timedelta(hours=12)
    with pytest.raises(InsufficientData) as caught:
        train(store, tmp_path, TrainingRequest("random_forest", until=until))
    assert caught.value.need == 20
    assert store.versions() == ()


def test_an_unknown_calibration_is_refused(store: FolderModelStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="platt"):
        train(store, tmp_path, TrainingRequest("random_forest", calibration="platt"))


def test_a_hindcast_has_one_row_per_observed_hour_and_knows_nothing_of_later_ones(
    store: FolderModelStore, tmp_path: Path
) -> None:
    manifest = train(store, tmp_path, TrainingRequest("logistic_regression"))
    workflow = Hindcasting(Serving(store), check, Tiers())
    source = LearnableSource()
    period = (END - timedelta(days=5), END)
    rows = write(tmp_path / "all.parquet", workflow.run(source, period, manifest.version))
    assert rows == 3 * (5 * 24 + 1)
    whole = pd.read_parquet(tmp_path / "all.parquet")
    assert list(whole.columns) == ["location_id", "issued_at", "p_15", "p_30", "p_50", "p_100", "level"]
    source.end = END - timedelta(days=2)
    original = LearnableSource.hours

    class Shortened(LearnableSource):
        """The same weather, of which the last two days have not happened yet."""

        def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
            return original(self, region, start, end).as_known(END - timedelta(days=2))

    write(tmp_path / "short.parquet", workflow.run(Shortened(), period, manifest.version))
    short = pd.read_parquet(tmp_path / "short.parquet")
    same = whole.merge(short, on=["location_id", "issued_at"])
    assert len(same) == len(short) == 3 * (3 * 24 + 1)
    for column in ("p_15", "p_30", "p_50", "p_100"):
        # A matrix product of fewer rows rounds differently in float32; a look ahead would show in the first digits.
        np.testing.assert_allclose(same[f"{column}_x"], same[f"{column}_y"], rtol=1e-5)


def test_a_hindcast_without_observations_is_refused_and_writes_nothing(store: FolderModelStore, tmp_path: Path) -> None:
    manifest = train(store, tmp_path, TrainingRequest("logistic_regression"))
    workflow = Hindcasting(Serving(store), check, Tiers())
    period = (NOW + timedelta(days=100), NOW + timedelta(days=101))
    with pytest.raises(InsufficientData):
        write(tmp_path / "none.parquet", workflow.run(LearnableSource(), period, manifest.version))
    assert not (tmp_path / "none.parquet").exists()
