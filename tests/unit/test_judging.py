"""Judging without a training: who is shown which cases, and what of it reaches the comparison and the gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, EVENTS, TARGET, WINDOWS
from core.domain.learning import ModelManifest
from core.errors import LeakSuspected
from core.features.table import LOOKBACK_H
from core.learning.training import purge_h
from core.verification import climatology
from core.workflows import judging
from core.workflows.gathering import Gathered
from core.workflows.judging import HeldOut, Judging
from tests.models_made import manifest

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = int(START.timestamp()) // 3600
SEED = 7


def cases(count: int, first: int = FIRST, every: int = 1) -> Gathered:
    """Return cases at hours that follow one another; the event of the target happens in every third."""
    at = np.arange(count)
    mm = np.zeros((count, len(WINDOWS), 2), np.float32)
    mm[:, WINDOWS.index(DEFAULT_WINDOW), 0] = np.where(at % 3 == 0, TARGET.threshold_mm, TARGET.threshold_mm - 0.01)
    mm[:, 0, 0] = 99.0  # of another window
    rows = np.stack([at, at + 0.5], axis=1).astype(np.float32)
    return Gathered(rows, first + every * at, at % 4, mm, WINDOWS, ("a", "b"), ("p", "q", "r", "s"))


def held(count: int = 1000, source: str = "gauges", every: int = 1) -> HeldOut:
    return HeldOut(cases(count, every=every), np.linspace(0, 1, count), source)


class Version:
    """Says the first feature of a case, by a scale, of the target event; something else of all others."""

    def __init__(self, scale: float, made: ModelManifest) -> None:
        self.scale, self.manifest = scale, made

    def probabilities(self, rows: Any) -> Any:
        said = np.full((len(rows), len(EVENTS)), -1.0)
        said[:, EVENTS.index(TARGET)] = self.scale * rows[:, 0]
        return said


def trained_until(end: datetime, source: str = "gauges") -> ModelManifest:
    made = manifest(source)
    return replace(made, trained_on=replace(made.trained_on, end=end))


def test_the_event_of_a_case_is_that_of_the_longest_window_at_its_threshold() -> None:
    assert judging.happened_in(cases(7)).tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert judging.happened_in(cases(7)).dtype == float


def test_what_a_version_says_is_of_the_target() -> None:
    assert judging.said_of(Version(0.1, manifest()), cases(4)).tolist() == pytest.approx([0, 0.1, 0.2, 0.3])  # type: ignore[arg-type]


def test_the_calendar_is_of_the_cases_that_are_learned_from() -> None:
    learned, later = cases(500, FIRST - 2000, every=3), cases(100)
    found = HeldOut.of(later, learned, "gauges")
    usual = climatology.frequencies(learned.hour, judging.happened_in(learned))
    assert found.usual.tolist() == usual[climatology.cells(later.hour)].tolist()
    assert (found.cases, found.source, len(found)) == (later, "gauges", 100)


def test_after_an_hour_are_the_cases_later_than_it() -> None:
    found = held(10).after(FIRST + 6)
    assert found.cases.hour.tolist() == [FIRST + 7, FIRST + 8, FIRST + 9]
    assert found.usual.tolist() == held(10).usual[7:].tolist()
    assert found.source == "gauges"


def test_a_version_is_not_judged_on_what_it_or_its_features_have_seen() -> None:
    some = held(4000)
    end = START + timedelta(hours=100)
    gap = purge_h(some.cases.hour, LOOKBACK_H, DEFAULT_WINDOW)
    found = judging.unseen(some, trained_until(end))
    assert found.cases.hour[0] == FIRST + 100 + gap + 1
    assert found.cases.hour[-1] == some.cases.hour[-1]


def test_another_source_has_taught_it_nothing_and_no_case_is_no_case() -> None:
    some, none = held(50), held(50).after(FIRST + 100)
    late = START + timedelta(days=400)
    assert judging.unseen(some, trained_until(late, "simulator")) is some
    assert judging.unseen(none, trained_until(late)) is none
    assert len(judging.unseen(some, trained_until(late))) == 0


def test_both_are_compared_on_the_same_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def compare(*given: Any, **named: Any) -> str:
        asked.update(named, given=given)
        return "compared"

    monkeypatch.setattr(judging, "compare", compare)
    some = held(60, every=5)
    one, other = Version(0.01, manifest()), Version(0.02, manifest())
    gate = SimpleNamespace(measure="log", confidence=95.0)
    how: dict[str, Any] = {"gate": gate, "alarm": 0.2, "seed": SEED}
    assert judging.compared(one, other, some, **how) == "compared"  # type: ignore[arg-type]
    candidate, champion, happened, usual, day = asked.pop("given")
    assert candidate.tolist() == pytest.approx((0.01 * np.arange(60)).tolist())
    assert champion.tolist() == pytest.approx((0.02 * np.arange(60)).tolist())
    assert happened.tolist() == judging.happened_in(some.cases).tolist()
    assert usual is some.usual
    assert day.tolist() == (some.cases.hour // 24).tolist()
    assert asked.pop("rng").random() == np.random.default_rng(SEED).random()
    assert asked == {
        "event": TARGET, "measure": "log", "confidence": 95.0, "alarm": 0.2, "draws": judging.DRAWS,
        "begin": START, "end": START + timedelta(hours=5 * 59),
    }  # fmt: skip
    judging.compared(one, None, some, **how)  # type: ignore[arg-type]
    assert asked["given"][1] is None


class Gate:
    """Remembers what it was asked."""

    measure, confidence = "brier", 90.0

    def judge(self, comparison: object, leak: str = "") -> object:
        return comparison, leak


class Tiers:
    """The alarm of a region and a manifest says which of both it was asked for."""

    def of(self, region: object, made: ModelManifest) -> Any:
        return SimpleNamespace(thresholds=(np.float64(made.seed / 100 + (region != "a region")), 0.9, 1.0))


def test_the_alarm_is_where_the_champion_begins_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(judging, "compared", lambda *given, **named: asked.append((given, named)) or "compared")
    judge = Judging(Gate(), Tiers())  # type: ignore[arg-type]
    candidate, champion = Version(1, manifest(seed=10)), Version(1, manifest(seed=20))
    some = held(5)
    for rival, alarm in ((champion, 0.2), (None, 0.1)):
        found = judge.judge(candidate, rival, some, "a region", SEED)  # type: ignore[arg-type]
        assert found == ("compared", ("compared", ""))
        given, named = asked.pop()
        assert given == (candidate, rival, some)
        assert named == {"gate": judge.gate, "alarm": alarm, "seed": SEED}
        assert type(named["alarm"]) is float


def test_scores_that_are_too_good_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(*_given: object, **_named: object) -> object:
        raise LeakSuspected("AUC .999 is too good to be true.")

    monkeypatch.setattr(judging, "compared", compared)
    judge = Judging(Gate(), Tiers())  # type: ignore[arg-type]
    found = judge.judge(Version(1, manifest()), None, held(5), "a region", SEED)  # type: ignore[arg-type]
    assert found == (None, (None, "AUC .999 is too good to be true."))
