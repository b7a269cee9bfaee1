"""Members of an ensemble as spread of the input: the mean of what is said of each, in an interval that holds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from core.adapters.model_store import FolderModelStore
from core.adapters.simulator.forecasts import SimulatedEnsemble, SimulatedForecasts
from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, RegionForecast
from core.domain.learning import ModelManifest
from core.domain.weather import HourlyWeather, Region
from core.errors import SourceUnavailable
from core.learning.windows import spread_of
from core.ports import EnsembleSource
from core.workflows.situation import Situation
from tests.models_made import deployed, model_store, stored
from tests.workflows.test_forecast_fields import NOW, REGION, SIMULATOR, forecasting, probabilities, trained

__all__ = ["trained"]  # a fixture
SIZE = 8
Trained = tuple[FolderModelStore, ModelManifest]


class Members:
    """An ensemble whose members a test makes of the simulated forecast."""

    def __init__(self, *factors: float) -> None:
        self.size, self.factors, self.down = len(factors), factors, False
        self._control = SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=False)

    def fields(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        return self.members(region, start, end).mean_of_members(self.size)

    def members(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        if self.down:
            raise SourceUnavailable("The ensemble is down.")
        control = self._control.fields(region, start, end)
        assert control.available_at is not None
        return replace(
            control,
            locations=region.locations * self.size,
            values={
                name: np.concatenate([np.float32(factor) * array for factor in self.factors])
                for name, array in control.values.items()
            },
            available_at=np.concatenate([control.available_at] * self.size),
        )


def bounds(issue: RegionForecast) -> np.ndarray:
    """Return low, probability and high of every place, window and event."""
    return np.array(
        [
            [part for curve in f.curves for part in zip(curve.low, curve.probability, curve.high, strict=True)]
            for f in issue.forecasts
        ]
    )


def issue_of(store: FolderModelStore, folder: Path, fields: object) -> RegionForecast:
    return forecasting(store, folder, fields).current(REGION.id).forecast  # type: ignore[arg-type]


def test_members_that_agree_say_what_the_one_says(trained: Trained, tmp_path: Path) -> None:
    one = issue_of(trained[0], tmp_path / "one", SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=False))
    same = issue_of(trained[0], tmp_path / "same", Members(1.0, 1.0, 1.0))
    np.testing.assert_allclose(bounds(same), bounds(one), rtol=1e-5)  # sums of float32 in another order
    assert one.notes == () and len(same.notes) == 1 and "3 members" in same.notes[0]


def test_the_probability_is_the_mean_over_the_members(trained: Trained, tmp_path: Path) -> None:
    factors = (0.2, 1.0, 2.0)
    each = [probabilities(issue_of(trained[0], tmp_path / str(factor), Members(factor, factor))) for factor in factors]
    found = issue_of(trained[0], tmp_path / "all", Members(*factors))
    curves = found.forecasts[0].curves
    skilled = np.array([event not in curve.unskilled for curve in curves for event in curve.events])
    assert skilled.sum() >= 4  # for the others it is climatology that is said
    np.testing.assert_allclose(probabilities(found)[:, skilled], np.mean(each, axis=0)[:, skilled], rtol=1e-5)
    assert np.abs(each[0] - each[2]).max() > 0.01  # so that the mean is of something


def test_the_interval_holds_the_spread_of_the_input(trained: Trained, tmp_path: Path) -> None:
    plain = bounds(issue_of(trained[0], tmp_path / "one", Members(1.0, 1.0)))
    wide = bounds(issue_of(trained[0], tmp_path / "many", Members(0.0, 0.5, 1.0, 1.5, 2.0)))
    assert (wide[..., 0] <= wide[..., 1]).all() and (wide[..., 1] <= wide[..., 2]).all()
    assert (wide >= 0).all() and (wide <= 1).all()
    width = [(part[..., 2] - part[..., 0]).mean() for part in (plain, wide)]
    assert width[1] > 1.1 * width[0]


def test_calibration_and_input_add_up_in_squares() -> None:
    centre = np.array([[0.2], [0.3], [0.4]])  # three members of one row
    mean, low, high = spread_of((centre, centre - 0.03, centre + 0.03), 1)
    least, most = np.percentile(centre, (5, 95))
    assert mean[0, 0] == pytest.approx(0.3)
    assert low[0, 0] == pytest.approx(0.3 - np.hypot(0.03, 0.3 - least))
    assert high[0, 0] == pytest.approx(0.3 + np.hypot(0.03, most - 0.3))
    rows = np.array([[0.1], [0.5], [0.1], [0.5]])  # two members of two rows: all rows of the first come first
    mean, low, _ = spread_of((rows, rows - 0.02, rows), 2)
    np.testing.assert_allclose(mean[:, 0], [0.1, 0.5])
    np.testing.assert_allclose(low[:, 0], [0.08, 0.48])


def test_an_ensemble_that_fails_is_missing_and_the_issue_says_so(trained: Trained, tmp_path: Path) -> None:
    fields = Members(1.0, 2.0)
    fields.down = True
    issue = issue_of(trained[0], tmp_path, fields)
    assert issue.problems == ("The forecast fields are missing: The ensemble is down.",)
    assert issue.notes == ()
    assert np.isfinite(probabilities(issue)).any()


def test_a_version_without_fields_does_not_see_the_members(tmp_path: Path) -> None:
    store = model_store(tmp_path / "models")
    deployed(store, "simulator", REGION.id, stored(store, "simulator").version)
    one, other = (issue_of(store, tmp_path / str(n), fields) for n, fields in enumerate((None, Members(0.0, 3.0))))
    np.testing.assert_array_equal(bounds(one), bounds(other))
    assert other.notes == ()


def test_the_simulated_ensemble_differs_from_member_to_member_and_is_the_same_whenever_it_is_asked() -> None:
    control = SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=False)
    ensemble = SimulatedEnsemble(control, SIZE)
    assert isinstance(ensemble, EnsembleSource) and not isinstance(control, EnsembleSource)
    period = NOW, NOW.replace(hour=23)
    found = ensemble.members(REGION, *period)
    again = SimulatedEnsemble(SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=False), SIZE).members(REGION, *period)
    for name, array in found.values.items():
        np.testing.assert_array_equal(array, again.values[name])
        each = array.reshape(SIZE, len(REGION.locations), -1)
        np.testing.assert_array_equal(each[0], control.fields(REGION, *period).get(name))
        assert np.nanmin(np.nanstd(each, axis=0)) > 0 or name == "precipitation_mm"


def test_with_a_simulated_ensemble_the_later_windows_are_wider(trained: Trained, tmp_path: Path) -> None:
    control = SimulatedForecasts(SIMULATOR, lambda: NOW, calendar=False)
    issue = issue_of(trained[0], tmp_path, SimulatedEnsemble(control, SIZE))
    windows = {curve.window for forecast in issue.forecasts for curve in forecast.curves}
    assert {DEFAULT_WINDOW, *FIELD_WINDOWS} <= windows
    assert "8 members" in issue.notes[0]


def test_members_are_looked_at_only_where_something_is_known(trained: Trained, tmp_path: Path) -> None:
    workflow = forecasting(trained[0], tmp_path, Members(1.0, 2.0))  # type: ignore[arg-type]
    situation = workflow.current(REGION.id).situation
    assert isinstance(situation, Situation)
    known = np.zeros(len(REGION.locations), bool)
    known[[1, 4]] = True
    rows = situation.member_rows(known)
    assert rows is not None and rows.shape == (2, 2, situation.rows.shape[1])
    observed = situation.rows.shape[1] - rows.shape[2] + len(trained[1].feature_names)
    assert observed == len(trained[1].feature_names)
    assert replace(situation, members=None).member_rows(known) is None
