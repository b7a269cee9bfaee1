"""Which issue of an hour counts, what happened, and that the counts of verification add up."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, MINI_CLOUDBURST, TARGET, Window, events_in, hourly_events
from core.domain.verification import Truth, VerifiedCases

HOUR = datetime(2026, 7, 29, 18)  # noqa: DTZ001 - as datetime64 writes it
NAN = float("nan")


def cases(
    late_min: list[int],
    places: str = "",
    *,
    window: Window = DEFAULT_WINDOW,
    truth: str = "",
    rain_mm: list[float] | None = None,
    p: list[float] | None = None,
) -> VerifiedCases:
    """Return one case per number of minutes after the hour; the probability says which it is."""
    n = len(late_min)
    first = np.arange(1, n + 1) / 100 if p is None else np.array(p)
    states = {"p": Truth.PENDING, "k": Truth.KNOWN, "m": Truth.MISSING}
    rain = np.full(n, NAN) if rain_mm is None else np.array(rain_mm)
    return VerifiedCases(
        source="gauges",
        region_id="r",
        window=window,
        location_id=np.array(list(places or "a" * n), object),
        valid_from=np.array([HOUR] * n, "datetime64[h]"),
        issued_at=np.array([HOUR + timedelta(minutes=m) for m in late_min], "datetime64[s]"),
        probability=np.repeat(first[:, None], len(events_in(window)), axis=1),
        level=np.array(["green"] * n),
        model_version=np.array([f"m{i}" for i in range(n)]),
        truth=np.array([states[s].value for s in truth or "p" * n]),
        hourly_mm=rain,
        two_hour_mm=rain * 1.5,
    )


@pytest.mark.parametrize(
    ("late_min", "counts"),
    [
        ([10], 1),
        ([10, 40], 2),
        ([40, 10], 1),
        ([10, 60], 2),
        ([10, 61], 1),
        ([70, 61, 300], 2),
        ([300, 361], 1),
        ([361, 400], 0),
        ([-120, 61], 1),
    ],
)
def test_the_last_issue_within_the_hour_counts_and_else_the_first_one_before_the_window_is_over(
    late_min: list[int], counts: int
) -> None:
    counting = cases(late_min).counting()
    assert np.round(counting.probability[:, 0] * 100).tolist() == ([counts] if counts else [])


def test_a_short_window_is_over_after_its_hour() -> None:
    assert len(cases([61], window=Window(0, 1)).counting()) == 0
    assert len(cases([61], window=Window(6, 12)).counting()) == 1


def test_every_place_and_hour_counts_by_itself() -> None:
    several = cases([5, 15, 25, 35], "abab")
    later = VerifiedCases.joined([several, several.select(np.array([True, False, False, False]))])
    moved = later.valid_from.copy()
    moved[-1] += np.timedelta64(1, "h")
    object.__setattr__(later, "valid_from", moved)
    object.__setattr__(later, "issued_at", np.where(np.arange(5) == 4, moved[-1], later.issued_at))
    counting = later.counting()
    assert counting.location_id.tolist() == ["a", "a", "b"]
    assert counting.model_version.tolist() == ["m2", "m0", "m3"]


def test_the_counts_add_up_to_what_was_issued() -> None:
    some = cases([10] * 7, "abcdefg", truth="pkmkpkm", p=[0.1, 0.2, 0.3, NAN, NAN, 0.6, NAN])
    assert (some.matured, some.pending, some.missing, some.unknown) == (2, 1, 1, 3)
    assert some.matured + some.pending + some.missing + some.unknown == some.issued == 7
    assert some.verified.tolist() == [False, True, False, False, False, True, False]


def test_what_happened_is_nan_where_it_is_not_known() -> None:
    some = cases([10] * 5, "abcde", truth="kkkmp", rain_mm=[14.9, 15.0, 40.0, NAN, NAN])
    np.testing.assert_array_equal(some.happened(TARGET), [0, 1, 1, NAN, NAN])
    np.testing.assert_array_equal(some.happened(MINI_CLOUDBURST), [0, 0, 1, NAN, NAN])


def test_an_event_of_another_window_is_refused() -> None:
    with pytest.raises(ValueError, match="no event of the window 0 to 6 h"):
        cases([10]).happened(hourly_events(Window(0, 3))[0])


def test_no_case_has_the_shapes_of_its_window() -> None:
    none = VerifiedCases.none("simulator", "r", Window(0, 1))
    assert (none.probability.shape, none.issued, none.simulated, none.source_text) == ((0, 4), 0, True, "Simulated")
    assert none.counting().issued == none.unknown == none.matured == 0
    assert none.happened(none.events[0]).shape == (0,)
