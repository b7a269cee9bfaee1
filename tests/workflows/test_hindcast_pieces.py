"""A hindcast in pieces is that of the whole period: no feature, check or level sees the cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core import Core
from core.adapters.gauges.folder import GaugeFolder
from core.domain.forecast import HindcastRows, RiskLevel
from core.risk import Tiers
from core.workflows import hindcasting
from tests.conftest import NOW

DAY = timedelta(days=1)
#: Half a year: long enough for pieces that each look back sixteen days.
HALF = datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 6, 30, 23, tzinfo=UTC)


def same(one: list[HindcastRows], other: list[HindcastRows]) -> bool:
    return len(one) == len(other) > 0 and all(
        np.array_equal(a.probability, b.probability)
        and np.array_equal(a.issued_at, b.issued_at)
        and list(a.location_id) == list(b.location_id)
        and list(a.level) == list(b.level)
        for a, b in zip(one, other, strict=True)
    )


def rows(house: Core, source: GaugeFolder, period: tuple[datetime, datetime]) -> list[HindcastRows]:
    return list(house.hindcasting.run(source, period))


def test_real_gauges_are_forecast_the_same_in_pieces(
    gauges: Path, open_house: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, source = open_house(), GaugeFolder(gauges)
    found = rows(house, source, HALF)
    monkeypatch.setattr(hindcasting, "PIECE_H", 24 * 400)
    assert same(found, rows(house, source, HALF))
    monkeypatch.setattr(hindcasting, "PIECE_H", 24 * 37)  # cut at other hours
    assert same(found, rows(house, source, HALF))


def test_a_level_outlasts_a_cut(gauge_folder: Callable[..., Path], open_house: Callable[..., Core]) -> None:
    house, source = open_house(), GaugeFolder(gauge_folder(hours=24 * 30))
    period = NOW - 12 * DAY, NOW
    found = rows(house, source, period)
    middle = float(np.median(found[0].probability[:, 0]))
    house.hindcasting.__dict__["tiers"] = Tiers(middle, 0.9991, 0.9992, margin=0.9)  # once reached it hardly ends
    whole = rows(house, source, period)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hindcasting, "PIECE_H", 1)  # every hour by itself
        assert same(whole, rows(house, source, period))
    levels = [level for part in whole for level in part.level]
    below = [p < middle for part in whole for p in part.probability[:, 0]]
    assert any(low and level is RiskLevel.YELLOW for low, level in zip(below, levels, strict=True))


def test_pieces_cover_a_period_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hindcasting, "PIECE_H", 10)
    for hours in (0, 1, 9, 14, 15, 16, 100, 101):
        begin = datetime(2022, 1, 1, tzinfo=UTC)
        spans = list(hindcasting._stretches(0, (begin, begin + timedelta(hours=hours))))
        inside = [span.first + timedelta(hours=i) for span in spans for i in range(_length(span.first, span.last))]
        assert inside == [begin + timedelta(hours=i) for i in range(hours + 1)]


def _length(first: datetime, last: datetime) -> int:
    return (last - first) // timedelta(hours=1) + 1
