"""Models with forecast fields: trained on the simulator, served where there are fields, refused elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.adapters.archive import ParquetArchive
from core.adapters.archived_forecasts import ArchivedForecasts
from core.adapters.ledger import SqlLedger
from core.adapters.maps import load_region
from core.adapters.model_store import FolderModelStore
from core.adapters.open_meteo.ensembles import EnsembleForecasts
from core.adapters.simulator.forecasts import SimulatedEnsemble, SimulatedForecasts
from core.adapters.simulator.monsoons import PastMonsoons
from core.adapters.simulator.source import Simulator
from core.bootstrap.services import field_source, weather_source
from core.caching.two_level import TwoLevelCache
from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, TARGET, WINDOWS, RegionForecast
from core.domain.learning import ModelManifest, TrainingRequest
from core.domain.weather import HourlyWeather, Region
from core.errors import ConfigurationError, FeatureMismatch, SourceUnavailable
from core.features import table, words
from core.ports import FieldSource
from core.quality.checks import check
from core.risk import AgeLimits, Tiers
from core.settings import Settings
from core.workflows.explaining import drivers
from core.workflows.forecasting import Forecasting
from core.workflows.hindcasting import Hindcasting
from core.workflows.observing import Observing
from core.workflows.serving import Serving
from core.workflows.training import FIELDS_LIMIT, Training
from tests.models_made import deployed, model_store, stored

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
WHOLE = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
#: Nine cells of the wettest belt: enough storms for a season to teach something.
BELT = sorted(WHOLE.locations, key=lambda p: abs(p.latitude - 30.4) + abs(p.longitude - 79.0))[:9]
REGION = replace(WHOLE, locations=tuple(BELT))
SIMULATOR = Simulator((REGION,), 7, lambda: NOW)
SEASON = datetime(2026, 6, 15, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC)
REQUEST = TrainingRequest("logistic_regression", SEASON[1], SEASON[0], feature_set="observed+model")


class Fields(SimulatedForecasts):
    """The live forecasts, changed or failing when told to."""

    def __init__(self, *, known_later: float = 0.0, known: float = 0.0) -> None:
        super().__init__(SIMULATOR, lambda: NOW, calendar=False)
        self.down = False
        self.changes = known_later, known

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        if self.down:
            raise SourceUnavailable("The fields are down.", hint="Put them up again.")
        found = super().fields(region, start, end)
        assert found.available_at is not None
        known = found.available_at <= np.datetime64("2026-11-24T03:00")
        added = np.where(known, self.changes[1], self.changes[0]).astype(np.float32)
        return found.with_values({name: np.nan_to_num(array, nan=1.0) + added for name, array in found.values.items()})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderModelStore, ModelManifest]:
    """Return a store with one version with forecast fields, deployed."""
    folder = tmp_path_factory.mktemp("fields")
    store = model_store(folder / "models")
    ledger = SqlLedger(f"sqlite:///{folder / 'ledger.sqlite'}")
    forecasts = SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=True)
    manifest = Training(store, ledger, check, lambda: NOW).train(PastMonsoons(SIMULATOR), REQUEST, fields=forecasts)
    deployed(store, "simulator", REGION.id, manifest.version)
    return store, manifest


def forecasting(store: FolderModelStore, folder: Path, fields: Fields | None) -> Forecasting:
    observing = Observing(SIMULATOR, ParquetArchive(folder / "processed"), check, 384, fields)
    ledger = SqlLedger(f"sqlite:///{folder / 'ledger.sqlite'}")
    return Forecasting(
        observing, Serving(store), ledger, TwoLevelCache.in_memory(), Tiers(), AgeLimits(), lambda: NOW, 300
    )


def probabilities(issue: RegionForecast) -> np.ndarray:
    return np.array([[p for curve in f.curves for p in curve.probability] for f in issue.forecasts])


def test_a_version_with_fields_has_five_windows_and_says_what_they_were_tested_on(
    trained: tuple[FolderModelStore, ModelManifest],
) -> None:
    store, manifest = trained
    assert manifest.feature_version == table.OBSERVED_MODEL == "observed+model-1"
    assert manifest.feature_names == table.feature_names(table.OBSERVED_MODEL)
    assert FIELDS_LIMIT in manifest.limits
    card = store.card(manifest.version)
    assert "tested on simulated data only" in card
    assert "Scores for ≥ 15 mm/h in 12 to 24 h" in card
    assert {scored.event.window for scored in manifest.scorecards} == {*WINDOWS, *FIELD_WINDOWS}


def test_forecast_fields_teach_something_of_the_hours_beyond_six(
    trained: tuple[FolderModelStore, ModelManifest],
) -> None:
    for window in FIELD_WINDOWS:
        card = next(c for c in trained[1].scorecards if c.event.window == window and c.event.threshold_mm == 15)
        auc = card.measures["auc"].value
        assert auc is not None
        assert 0.6 < auc < 0.97


def test_an_issue_has_the_curves_of_five_windows(
    trained: tuple[FolderModelStore, ModelManifest], tmp_path: Path
) -> None:
    issue = forecasting(trained[0], tmp_path, Fields()).current(REGION.id).forecast
    assert issue.problems == ()
    for forecast in issue.forecasts:
        assert forecast.exceedance.window == DEFAULT_WINDOW
        assert [curve.window for curve in forecast.curves] == [*WINDOWS, *FIELD_WINDOWS]
        assert all(0 <= p <= 1 for curve in forecast.curves for p in curve.probability)


def test_the_drivers_name_what_the_weather_model_says(
    trained: tuple[FolderModelStore, ModelManifest], tmp_path: Path
) -> None:
    workflow = forecasting(trained[0], tmp_path, Fields())
    issue = workflow.current(REGION.id)
    groups = {driver.group for place in REGION.locations for driver in drivers(issue, place.id, workflow)}
    assert groups & {words.MODEL_AIR, words.MODEL_RAIN}


def test_a_house_without_fields_refuses_it_and_says_what_to_do(
    trained: tuple[FolderModelStore, ModelManifest], tmp_path: Path
) -> None:
    store, manifest = trained
    workflow = forecasting(store, tmp_path, None)
    with pytest.raises(FeatureMismatch, match="forecast fields") as caught:
        workflow.served(REGION.id)
    assert "CLOUDBURST_FIELDS" in caught.value.hint
    issue = workflow.current(REGION.id).forecast
    assert any("forecast fields" in problem for problem in issue.problems)
    assert np.isnan(probabilities(issue)).all()
    with pytest.raises(FeatureMismatch):
        list(Hindcasting(Serving(store), check, Tiers()).run(PastMonsoons(SIMULATOR), SEASON, manifest.version))


def test_fields_that_fail_are_missing_and_the_issue_says_so(
    trained: tuple[FolderModelStore, ModelManifest], tmp_path: Path
) -> None:
    fields = Fields()
    fields.down = True
    issue = forecasting(trained[0], tmp_path, fields).current(REGION.id).forecast
    assert issue.problems == ("The forecast fields are missing: The fields are down. Put them up again.",)
    assert all(not math.isnan(f.exceedance.of(TARGET)) for f in issue.forecasts)
    there = forecasting(trained[0], tmp_path / "there", Fields()).current(REGION.id).forecast
    assert not np.array_equal(probabilities(issue), probabilities(there))


def test_an_issue_does_not_change_with_fields_that_are_known_later(
    trained: tuple[FolderModelStore, ModelManifest], tmp_path: Path
) -> None:
    def issued(name: str, fields: Fields) -> np.ndarray:
        return probabilities(forecasting(trained[0], tmp_path / name, fields).current(REGION.id).forecast)

    usual = issued("usual", Fields())
    np.testing.assert_array_equal(issued("later", Fields(known_later=500.0)), usual)
    assert not np.array_equal(issued("known", Fields(known=500.0)), usual)


def test_a_hindcast_takes_the_fields_as_known_at_each_hour(trained: tuple[FolderModelStore, ModelManifest]) -> None:
    store, manifest = trained
    period = SEASON[1] - timedelta(days=1), SEASON[1]
    forecasts = SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=True)
    workflow = Hindcasting(Serving(store), check, Tiers(), forecasts)
    (rows,) = workflow.run(PastMonsoons(SIMULATOR), period, manifest.version)
    assert len(rows.location_id) == 9 * 25
    assert np.isfinite(rows.probability).all()


def test_an_observed_version_is_served_the_same_with_and_without_fields(tmp_path: Path) -> None:
    store = model_store(tmp_path / "models")
    deployed(store, "simulator", REGION.id, stored(store, "simulator").version)
    one, other = (forecasting(store, tmp_path / str(f), f).current(REGION.id).forecast for f in (None, Fields()))
    np.testing.assert_array_equal(probabilities(one), probabilities(other))
    assert [curve.window for curve in one.forecasts[0].curves] == list(WINDOWS)


@pytest.mark.parametrize(
    ("feature_set", "word"), [("observed+model", "CLOUDBURST_FIELDS"), ("everything", "observed+model")]
)
def test_training_without_fields_or_on_an_unknown_set_is_refused(tmp_path: Path, feature_set: str, word: str) -> None:
    store = model_store(tmp_path / "models")
    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with pytest.raises(ConfigurationError) as caught:
        Training(store, ledger, check, lambda: NOW).train(
            PastMonsoons(SIMULATOR), replace(REQUEST, feature_set=feature_set)
        )
    assert word in caught.value.hint
    assert store.versions() == ()


@pytest.mark.parametrize(
    ("fields", "source", "kind"),
    [
        ("", "simulator:", type(None)),
        ("simulator:", "simulator:", SimulatedForecasts),
        ("archive:", "open-meteo:", ArchivedForecasts),
        ("archive:points-example", "gauges:{}", ArchivedForecasts),
        ("simulator:7", "simulator:", SimulatedEnsemble),
        ("ensemble:", "open-meteo:", EnsembleForecasts),
        ("ensemble:gfs025", "gauges:{}", EnsembleForecasts),
    ],
)
def test_fields_come_from_where_the_setting_says(tmp_path: Path, fields: str, source: str, kind: type) -> None:
    assert isinstance(chosen(fields, source.format(tmp_path), tmp_path), kind)


@pytest.mark.parametrize(
    ("fields", "source", "word"),
    [
        ("simulator:", "open-meteo:", "does not go with"),
        ("archive:", "simulator:", "does not go with"),
        ("archive", "open-meteo:", "is not understood"),
        ("simulator:1", "simulator:", "is not understood"),
        ("simulator:many", "simulator:", "is not understood"),
        ("ensemble:", "simulator:", "does not go with"),
        ("ensemble:atlantis", "open-meteo:", "is not understood"),
        ("open-meteo:", "open-meteo:", "is not understood"),
        ("archive:atlantis", "open-meteo:", "atlantis"),
    ],
)
def test_fields_that_do_not_go_with_the_weather_are_refused(
    tmp_path: Path, fields: str, source: str, word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word):
        chosen(fields, source, tmp_path)


def chosen(fields: str, source: str, folder: Path) -> FieldSource | None:
    given = Settings(fields=fields, source=source, _env_file=None)  # type: ignore[call-arg]
    weather = weather_source(given, lambda: NOW)
    return field_source(given, weather, ParquetArchive(folder), lambda: NOW)
