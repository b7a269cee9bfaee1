"""Features are kept as they were served, and training learns from what was served."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.adapters.feature_store import ParquetFeatures
from core.domain.features import FeatureRows
from core.domain.forecast import WINDOWS
from core.domain.units import to_hour64
from core.features import table
from core.ports import silent
from core.quality.checks import check
from core.workflows.gathering import gather
from core.workflows.materialising import Materialising
from tests.weather_made import END, REGION
from tests.workflows.test_forecasting import House
from tests.workflows.test_training import LearnableSource


@pytest.fixture
def kept(tmp_path: Path) -> Materialising:
    return Materialising(ParquetFeatures(tmp_path / "features"))


def test_a_refresh_keeps_the_features_of_its_issue_once(tmp_path: Path, kept: Materialising) -> None:
    house = House(tmp_path).with_champion()
    house.forecasting.served_features = kept
    issue = house.forecasting.refresh(REGION.id)
    house.forecasting.refresh(REGION.id)
    assert issue.situation is not None
    source = issue.forecast.source
    rows = kept.store.as_of(source, REGION.id, table.OBSERVED, issue.forecast.issued_at)
    assert list(rows.location_id) == [place.id for place in REGION.locations]
    assert (rows.valid_at == to_hour64(issue.forecast.valid_from)).all()
    np.testing.assert_array_equal(rows.values, issue.situation.rows)
    assert issue.situation.rows.base is None, "the features of every hour live as long as the issue"
    whole = timedelta(days=9)
    assert len(kept.store.read(source, REGION.id, table.OBSERVED, END - whole, END + whole)) == len(rows)


def _served(hours: int, known_after: timedelta, value: float) -> FeatureRows:
    """Return rows that were served for the last hours of the archive, every feature of one value."""
    names = table.feature_names()
    ids = np.array([place.id for place in REGION.locations], object)
    moments = [to_hour64(END - timedelta(hours=hour)) for hour in range(6, 6 + hours)]
    valid_at = np.tile(np.array(moments), len(ids))
    late = np.timedelta64(known_after).astype("timedelta64[s]")
    return FeatureRows(
        names,
        np.repeat(ids, hours),
        valid_at,
        valid_at.astype("datetime64[s]") + late,
        np.full((len(valid_at), len(names)), value, np.float32),
    )


def test_training_learns_from_what_was_served_and_not_from_what_came_later(kept: Materialising) -> None:
    source = LearnableSource()
    archive = (source.name, REGION.id, table.OBSERVED)
    kept.store.store(*archive, _served(5, timedelta(minutes=20), 0.25))
    kept.store.store(*archive, _served(5, timedelta(hours=3), 9.0))  # a revision nobody knew when it was issued
    built = gather(source, (None, None), WINDOWS, check, silent)
    joined = gather(source, (None, None), WINDOWS, check, silent, served=kept)
    np.testing.assert_array_equal(joined.truth_mm, built.truth_mm)
    last = np.unique(joined.hour)[-5:]
    recent = np.isin(joined.hour, last)
    assert recent.sum() == 5 * len(REGION.locations)
    assert (joined.rows[recent] == 0.25).all()
    np.testing.assert_array_equal(joined.rows[~recent], built.rows[~recent])


def test_rows_of_another_hour_do_not_stand_in(kept: Materialising) -> None:
    source = LearnableSource()
    kept.store.store(source.name, REGION.id, table.OBSERVED, _served(1, timedelta(hours=2), 0.25))
    built = gather(source, (None, None), WINDOWS, check, silent)
    joined = gather(source, (None, None), WINDOWS, check, silent, served=kept)
    np.testing.assert_array_equal(joined.rows, built.rows)
