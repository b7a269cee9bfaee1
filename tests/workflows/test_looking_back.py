"""Looking back into a real ledger: past hours, the issue before, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core import LookingBack, RegionForecast
from core.caching.two_level import TwoLevelCache
from core.domain.forecast import DEFAULT_WINDOW, TARGET, WINDOWS
from tests.issued_made import House, hours
from tests.weather_made import REGION


@dataclass
class _Forecasting:
    house: House
    cache: TwoLevelCache

    def __getattr__(self, name: str) -> Any:
        if name == "clock":
            return lambda: self.house.now
        return getattr(self.house, name) if name == "ledger" else getattr(self.house.verifying, name)


def _looking(house: House) -> LookingBack:
    return LookingBack(_Forecasting(house, TwoLevelCache.in_memory()))  # type: ignore[arg-type]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_hour_shows_what_counted_in_every_window_and_nothing_without_an_issue(house: House) -> None:
    house.issue(0, 10, p=0.2)
    house.issue(0, 40, p=0.4)
    house.issue(0, 100, p=0.8)  # later than the hour: it does not count
    past = _looking(house)
    for window in (DEFAULT_WINDOW, WINDOWS[0]):
        found = past.at(REGION, window, hours(0))
        assert found is not None
        assert set(found.probability[:, 0]) == {0.4}
    assert past.at(REGION, DEFAULT_WINDOW, hours(1)) is None


def test_the_issue_before_is_the_last_that_said_something_else(house: House) -> None:
    house.issue(0, 10, p=0.1)
    house.issue(1, 10, p=0.3)
    now: RegionForecast = house.issue(2, 10, p=0.4)
    house.issue(3, 10, p=0.9)
    found = _looking(house).before(now, DEFAULT_WINDOW)
    assert found is not None
    assert found.valid_from == hours(1)
    assert set(found.probability_of(TARGET)) == {0.3}
    assert _looking(house).before(house.issue(-30, 10), DEFAULT_WINDOW) is None
