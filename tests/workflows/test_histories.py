"""The life of models in one value: challengers scored beside what was shown, two versions on the same cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import core.bootstrap
from core import Core
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.verification import Outcome, Truth
from core.errors import InsufficientData
from core.settings import Settings
from tests.conftest import NOW
from tests.learnable_made import learnable_folder
from tests.models_made import manifest, stored


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnable_folder(tmp_path_factory.mktemp("archive") / "gauges", NOW, days=45)


@pytest.fixture
def house(folder: Path, home: Path) -> Core:
    made = core.bootstrap.open_core(Settings(home=home, source=f"gauges:{folder}"), lambda: NOW)
    made.ingest(folder, None)
    return made


def version_of(house: Core, until: datetime) -> str:
    """Store a version that learned from this archive until a moment."""
    data = replace(manifest().trained_on, begin=until - timedelta(days=9), end=until, region_id=house.default_region)
    return stored(house.store, trained_on=data).version


def test_two_versions_are_compared_on_what_neither_has_learned_from(house: Core) -> None:
    until = NOW - timedelta(days=20)
    one, other = version_of(house, until), house.store.seed
    found = house.histories.compare(one, other, house.default_region, 90)
    comparison = found.comparison
    assert comparison.begin > until + timedelta(hours=30)
    assert comparison.candidate.n == comparison.champion.n > 1000  # type: ignore[union-attr]
    assert set(found.curves) == set(found.reliability) == {one, other}
    assert sum(place.n for place in found.places) == comparison.candidate.n
    # The mean over places is the difference of the Brier scores.
    mean = sum(place.difference * place.n for place in found.places) / comparison.candidate.n
    assert mean == pytest.approx(found.brier.value, abs=1e-12)
    swapped = house.histories.compare(other, one, house.default_region, 90)
    assert swapped.brier.value == pytest.approx(-mean, abs=1e-12)


def test_versions_that_have_seen_everything_cannot_be_compared(house: Core) -> None:
    one, other = version_of(house, NOW - timedelta(hours=2)), house.store.seed
    with pytest.raises(InsufficientData):
        house.histories.compare(one, other, house.default_region, 90)


def test_a_comparison_is_made_once(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    one = version_of(house, NOW - timedelta(days=20))
    found = house.histories.compare(one, house.store.seed, house.default_region, 30)
    monkeypatch.setattr("core.workflows.comparing.Comparing.two", None)
    assert house.histories.compare(one, house.store.seed, house.default_region, 30) is found


def test_challengers_are_scored_beside_what_was_shown_for_the_same_windows(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenger = version_of(house, NOW - timedelta(days=30))
    region = house.default_region
    house.forecasting.refresh(region)
    (before,) = house.histories.shadows(region)
    assert (before.version, before.cases, before.challenger) == (challenger, 0, None)
    ledger = house.lifecycle.ledger
    shown = ledger.issued("gauges", region, DEFAULT_WINDOW)
    rng, hour = np.random.default_rng(1), NOW.replace(minute=0)
    ledger.record_outcomes(
        [
            Outcome("gauges", region, str(place), hour, DEFAULT_WINDOW, Truth.KNOWN, float(mm), float(mm),
                    available_at=NOW + timedelta(hours=6), joined_at=NOW + timedelta(hours=7))
            for place, mm in zip(shown.location_id, rng.uniform(0, 30, len(shown)), strict=True)
        ]
    )  # fmt: skip
    assert house.histories.shadows(region) == (before,)  # as it was a moment ago
    house.forecasting.cache.clear()
    (found,) = house.histories.shadows(region)
    assert found.cases == len(shown)
    assert found.challenger is not None
    assert found.shown is not None
    assert found.challenger.n == found.shown.n == len(shown)
    assert found.challenger.event == TARGET
    assert found.challenger.measures["brier"] != found.shown.measures["brier"]
    house.forecasting.cache.clear()
    monkeypatch.setattr("core.workflows.histories.SHADOW_DAYS", -1)  # all of it is too old by then
    assert house.histories.shadows(region) == (before,)


def test_a_replay_and_a_house_without_truth_have_no_shadows(open_house: Callable[..., Core]) -> None:
    house = open_house(grid_spacing_deg=1.0)
    assert house.histories.shadows(house.default_region) == ()
