"""Rivals: what plainer forecasts would have said of the features that the issued ones rest on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters.feature_store import ParquetFeatures
from core.domain.features import FeatureRows
from core.domain.forecast import DEFAULT_WINDOW, MINI_CLOUDBURST, TARGET
from core.domain.verification import VerifiedCases
from core.features import table
from core.workflows import rivals as rivals_module
from core.workflows.materialising import Materialising
from core.workflows.rivals import LOGISTIC, RAW_MODEL, Rivals
from core.workflows.serving import Serving
from tests.models_made import exceedance_model, model_store, stored
from tests.verified_made import cases
from tests.weather_made import REGION


@pytest.fixture
def rivals(tmp_path: Path) -> Rivals:
    store = model_store(tmp_path / "models")
    return Rivals(Materialising(ParquetFeatures(tmp_path / "features")), Serving(store))


def issued(rivals: Rivals, version: str | None = None) -> VerifiedCases:
    """Return three days of forecasts of a stored version."""
    name = version or stored(rivals.serving.store).version
    made = cases(days=3)
    return replace(made, model_version=np.full(len(made), name))


def serve(rivals: Rivals, made: VerifiedCases, feature_set: str, minutes: int = 10) -> FeatureRows:
    """Keep features of all cases, known so many minutes after their hour."""
    names = table.feature_names(feature_set)
    values = np.random.default_rng(3).normal(size=(len(made), len(names))).astype(np.float32)
    known = made.valid_from.astype("datetime64[s]") + np.timedelta64(minutes, "m")
    rows = FeatureRows(names, made.location_id, made.valid_from, known, values)
    rivals.served.store.store(made.source, REGION.id, feature_set, rows)
    return rows


def test_the_logistic_regression_of_the_version_speaks_of_what_was_served(rivals: Rivals) -> None:
    made = issued(rivals)
    rows = serve(rivals, made, table.OBSERVED)
    said = rivals.of(made, TARGET)
    assert set(said) == {LOGISTIC}, "without forecast fields there is no raw weather model"
    np.testing.assert_allclose(said[LOGISTIC], exceedance_model().probabilities(rows.values)[:, 0], rtol=1e-6)


def test_it_makes_no_difference_how_many_days_are_held_at_once(rivals: Rivals, monkeypatch: pytest.MonkeyPatch) -> None:
    made = issued(rivals)
    serve(rivals, made, table.OBSERVED)
    said = rivals.of(made, TARGET)[LOGISTIC]
    monkeypatch.setattr(rivals_module, "DAYS", 1)
    np.testing.assert_array_equal(rivals.of(made, TARGET)[LOGISTIC], said)
    assert np.isfinite(said).all()


def test_of_cases_without_served_features_the_logistic_regression_is_silent(rivals: Rivals) -> None:
    made = issued(rivals)
    some = np.arange(len(made)) % 3 == 0
    rows = serve(rivals, made.select(some), table.OBSERVED)
    said = rivals.of(made, TARGET)[LOGISTIC]
    np.testing.assert_array_equal(np.isfinite(said), some)
    np.testing.assert_allclose(said[some], exceedance_model().probabilities(rows.values)[:, 0], rtol=1e-6)


def test_features_that_came_after_the_issue_are_not_looked_at(rivals: Rivals) -> None:
    made = issued(rivals)
    serve(rivals, made, table.OBSERVED, minutes=61)
    assert rivals.of(made, TARGET) == {}


def test_the_raw_weather_model_is_taken_at_its_word(rivals: Rivals) -> None:
    made = issued(rivals)
    rows = serve(rivals, made, table.OBSERVED_MODEL)
    rain_mm = rows.values[:, rows.names.index("model_rain_max_0to6h_mm")]
    said = rivals.of(made, replace(TARGET, threshold_mm=15.0))
    assert set(said) == {LOGISTIC, RAW_MODEL}
    np.testing.assert_array_equal(said[RAW_MODEL], rain_mm >= 15.0)
    assert RAW_MODEL not in rivals.of(made, MINI_CLOUDBURST), "hourly rain says nothing of sums of two hours"


def test_a_version_that_is_gone_says_nothing(rivals: Rivals) -> None:
    made = issued(rivals, "logistic_regression_20200101T000000Z_9")
    serve(rivals, made, table.OBSERVED)
    assert rivals.of(made, TARGET) == {}
    assert made.window == DEFAULT_WINDOW
