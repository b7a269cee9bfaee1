"""Sums of an experiment: against a plain loop, and the sums of parts are those of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.experiments.sums import BINNED, EDGES, LEAST, NAMES, WIDTH, Floats, Sums, sums

ALARM = 0.05
PROBABILITY = st.one_of(st.just(math.nan), st.floats(0, 1), st.sampled_from([0.0, 1.0, ALARM, *EDGES.tolist()]))
CASE = st.tuples(PROBABILITY, PROBABILITY, st.sampled_from([0.0, 1.0]), st.one_of(st.just(math.nan), st.floats(0, 1e4)))


def loss(p: float, y: float) -> float:
    safe = min(max(p, 1e-5), 1 - 1e-5)
    return -math.log(safe if y else 1 - safe)


def plain(cases: list[tuple[float, float, float, float]]) -> dict[str, float]:
    """Return every sum by a loop over the cases."""
    out = dict.fromkeys(NAMES, 0.0)

    def warn(prefix: str, p: float, y: float) -> None:
        for name, is_so in (("hits", p >= ALARM and y), ("misses", p < ALARM and y), ("false_alarms", p >= ALARM > y)):
            out[prefix + name] += bool(is_so)

    for p, rival, y, ms in cases:
        if not math.isnan(ms):
            out["timed"], out["ms"], out["ms_squared"] = out["timed"] + 1, out["ms"] + ms, out["ms_squared"] + ms * ms
        if math.isnan(p):
            out["failed"] += 1
            continue
        out["cases"] += 1
        out["events"] += y
        out["brier"] += (p - y) ** 2
        out["log"] += loss(p, y)
        warn("", p, y)
        i = max(j for j, edge in enumerate(EDGES) if p >= edge)
        for what, value in (("n", 1), ("p", p), ("y", y)):
            out[f"{what}_{i}"] += value
        if math.isnan(rival):
            continue
        out["pairs"] += 1
        out["pair_events"] += y
        out["gain"] += (rival - y) ** 2 - (p - y) ** 2
        out["log_gain"] += loss(rival, y) - loss(p, y)
        out["control_brier"] += (rival - y) ** 2
        out["control_log"] += loss(rival, y)
        right, rival_right = (p >= ALARM) == bool(y), (rival >= ALARM) == bool(y)
        out["only_own"] += right and not rival_right
        out["only_control"] += rival_right and not right
        warn("pair_", p, y)
        warn("control_", rival, y)
    return out


def summed(cases: list[tuple[float, float, float, float]]) -> Floats:
    columns = np.array(cases, float).reshape(-1, 4).T
    return sums(*columns, ALARM)


@settings(deadline=None)
@given(st.lists(CASE, max_size=40))
def test_every_sum_is_that_of_a_plain_loop(cases: list[tuple[float, float, float, float]]) -> None:
    found = dict(zip(NAMES, summed(cases), strict=True))
    assert found == pytest.approx(plain(cases), rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(st.lists(CASE, max_size=30), st.lists(CASE, max_size=30))
def test_the_sums_of_two_halves_add_up_to_the_whole(
    one: list[tuple[float, float, float, float]], other: list[tuple[float, float, float, float]]
) -> None:
    np.testing.assert_allclose(summed(one) + summed(other), summed([*one, *other]), rtol=1e-9, atol=1e-9)


def test_nothing_sums_to_nothing() -> None:
    assert summed([]).tolist() == [0.0] * WIDTH


def test_a_case_the_variant_failed_in_is_a_failure_and_nothing_else() -> None:
    found = dict(zip(NAMES, summed([(math.nan, 0.5, 1.0, 7.0)]), strict=True))
    assert {name: value for name, value in found.items() if value} == {
        "failed": 1, "timed": 1, "ms": 7.0, "ms_squared": 49.0
    }  # fmt: skip


def test_a_case_the_control_failed_in_is_the_variants_own() -> None:
    found = dict(zip(NAMES, summed([(0.5, math.nan, 1.0, math.nan)]), strict=True))
    assert (found["cases"], found["events"], found["brier"], found["hits"]) == (1, 1, 0.25, 1)
    assert not any(found[name] for name in NAMES if name.startswith(("pair", "control", "gain", "log_gain", "only")))


@pytest.mark.parametrize(("p", "y"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_certainty_that_fails_costs_much_and_not_infinitely(p: float, y: float) -> None:
    found = dict(zip(NAMES, summed([(p, 0.5, y, math.nan)]), strict=True))
    assert found["log"] == pytest.approx(-math.log(1e-5))
    assert found["brier"] == 1
    assert found["log_gain"] == pytest.approx(math.log(2) + math.log(LEAST))


def test_a_certainty_that_holds_costs_nearly_nothing() -> None:
    found = dict(zip(NAMES, summed([(1.0, 1.0, 1.0, math.nan), (0.0, 0.0, 0.0, math.nan)]), strict=True))
    assert (found["brier"], found["gain"], found["log_gain"]) == (0, 0, 0)
    assert found["log"] == pytest.approx(2e-5, rel=1e-4)
    assert (found["n_0"], found[f"n_{len(EDGES) - 1}"]) == (1, 1)


def test_a_probability_at_the_alarm_warns() -> None:
    found = dict(zip(NAMES, summed([(ALARM, np.nextafter(ALARM, 0), 1.0, math.nan)]), strict=True))
    assert (found["hits"], found["control_misses"], found["only_own"], found["only_control"]) == (1, 1, 1, 0)


def test_sums_are_read_by_name_and_by_bin() -> None:
    days = np.array([summed([(0.5, 0.25, 1.0, 3.0)]), summed([(0.001, 0.25, 0.0, 5.0), (0.5, 0.25, 0.0, 5.0)])])
    found = Sums(days)
    assert found["ms"].tolist() == [3, 10]
    assert found.total("cases") == 3
    n, p, y = found.bins()
    assert (n[0], p[0], y[0]) == (1, 0.001, 0)
    at_half = int(np.searchsorted(EDGES, 0.5, side="right")) - 1
    assert (n[at_half], p[at_half], y[at_half], n.sum()) == (2, 1.0, 1, 3)
    with pytest.raises(ValueError, match="not in"):
        found["nonsense"]


def test_the_names_are_each_one_place() -> None:
    assert len(set(NAMES)) == WIDTH
    assert NAMES[-len(BINNED) :] == BINNED
    assert EDGES[0] == 0
    assert (np.diff(EDGES) > 0).all()
