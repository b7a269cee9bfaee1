"""Lead times of warnings before episodes, and how much successive forecasts turn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.verification.episodes import flip_flop, lead_times, stability

ALARM = 0.2


def row(*warned_at: int, hours: int = 40) -> NDArray[np.float64]:
    """Return one place's forecasts: at or above the alarm at these hours alone."""
    p = np.full((1, hours), 0.01)
    p[0, list(warned_at)] = ALARM
    return p


def rain(*exceeded_at: int, hours: int = 40) -> NDArray[np.bool_]:
    out = np.zeros((1, hours), bool)
    out[0, list(exceeded_at)] = True
    return out


@pytest.mark.parametrize(
    ("warned_at", "lead_h", "withdrawn"),
    [
        ((19,), 0.0, False),  # given when the hour of the rain began
        ((17, 18, 19), 2.0, False),
        ((14, 15, 16, 17, 18, 19), 5.0, False),
        (tuple(range(5, 20)), 5.0, False),  # earlier issues were of other hours
        ((15, 18, 19), 1.0, False),  # fell below again in between
        ((16, 17), np.nan, True),  # had been given and taken back
        ((), np.nan, False),
        ((20, 21), np.nan, False),  # too late
        ((13,), np.nan, False),  # of hours before
    ],
)
def test_the_lead_is_that_of_the_warning_that_stood(warned_at: tuple[int, ...], lead_h: float, withdrawn: bool) -> None:
    found = lead_times(row(*warned_at), rain(20), ALARM)
    np.testing.assert_array_equal(found.lead_h, [lead_h])
    assert found.withdrawn.tolist() == [withdrawn]
    assert (found.place.tolist(), found.hour.tolist()) == ([0], [20])


def test_an_episode_begins_after_six_quiet_hours() -> None:
    found = lead_times(row(), rain(10, 11, 16, 23, 30, 36), ALARM)
    assert found.hour.tolist() == [10, 23, 30]  # 16 is five quiet hours after 11, 23 is six after 16, 36 five after 30
    assert lead_times(row(), rain(10, 13), ALARM, quiet_h=2).hour.tolist() == [10, 13]


def test_an_episode_whose_issues_begin_before_the_record_is_left_out() -> None:
    assert lead_times(row(), rain(5), ALARM).episodes == 0
    assert lead_times(row(), rain(6), ALARM).hour.tolist() == [6]


def test_an_issue_that_is_missing_is_no_warning() -> None:
    p = row(16, 17, 18, 19)
    p[0, 18] = np.nan
    assert lead_times(p, rain(20), ALARM).lead_h.tolist() == [0.0]


def test_missed_episodes_are_counted_and_kept_out_of_the_median() -> None:
    p = np.vstack([row(19), row(16, 17, 18, 19), row(), row(17, 18)])
    found = lead_times(p, np.vstack([rain(20)] * 4), ALARM)
    assert (found.episodes, found.missed, found.median_h) == (4, 2, 1.5)
    assert found.withdrawn.tolist() == [False, False, False, True]
    assert (found.share_warned(0), found.share_warned(1), found.share_warned(4)) == (0.5, 0.25, 0.0)


def test_without_episodes_there_is_no_lead() -> None:
    found = lead_times(row(), rain(), ALARM)
    assert (found.episodes, found.missed, found.median_h, found.share_warned(0)) == (0, 0, None, None)


# ----------------------------------------------------------------------------------------------- stability


def test_flip_flop_index_has_its_published_values() -> None:
    # Griffiths et al. 2019 in the documentation of `scores`: 50, 20, 40, 80 has 15, its first three 20.
    x = np.array([[50.0, 20.0, 40.0, 80.0]])
    assert flip_flop(x, 4).tolist() == [[15.0]]
    assert flip_flop(x, 3)[0, 0] == 20.0


def test_forecasts_that_only_rise_do_not_flip() -> None:
    assert flip_flop(np.linspace(0, 0.4, 12)[None, :], 6).tolist() == pytest.approx(np.zeros((1, 7)))


def test_two_issues_cannot_flip_and_missing_ones_are_not_known() -> None:
    assert flip_flop(np.ones((3, 9)), 2).shape == (3, 0)
    assert flip_flop(np.ones((3, 4)), 6).shape == (3, 0)
    gap = np.array([[0.1, np.nan, 0.1, 0.2, 0.1]])
    np.testing.assert_allclose(flip_flop(gap, 3), [[np.nan, np.nan, 0.1]])


def test_stability_is_a_mean_over_known_hours_with_its_interval() -> None:
    generator = np.random.default_rng(3)
    p = generator.random((4, 240))
    level = (p > 0.5).astype(float)
    level[:, 50] = np.nan
    day = np.arange(240) // 24
    found = stability(p, level, day, draws=100, rng=generator)
    changed = np.diff(level, axis=1)
    assert found.level_changes.value == pytest.approx(np.nanmean(changed != 0, where=np.isfinite(changed)))
    assert found.flip_flop.value == pytest.approx(flip_flop(p, 6).mean())
    for measure in (found.flip_flop, found.level_changes):
        assert measure.value is not None
        assert measure.low < measure.value < measure.high  # type: ignore[operator]


def test_the_day_of_a_run_of_issues_is_that_of_its_last() -> None:
    p = np.array([[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1, 0.9]])
    day = np.array([0] * 9 + [1])
    found = stability(p, p * 0, day, draws=50, rng=np.random.default_rng(0)).flip_flop
    by_day = flip_flop(p, 6)[0]
    assert found.value == pytest.approx(by_day.mean())
    assert (found.low, found.high) == pytest.approx((by_day[:4].mean(), by_day[4]))  # draws of one of the two days


def test_stability_of_what_was_never_known_is_none() -> None:
    nothing = np.full((2, 30), np.nan)
    found = stability(nothing, nothing, np.arange(30) // 24, draws=10, rng=np.random.default_rng(0))
    assert (found.flip_flop.value, found.level_changes.value) == (None, None)
    ones, generator = np.ones((2, 30)), np.random.default_rng(0)
    one_hour = stability(ones, ones, np.zeros(30, int), draws=0, rng=generator, window_h=1)
    assert (one_hour.flip_flop.value, one_hour.level_changes.value) == (None, 0.0)
