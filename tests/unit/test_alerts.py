"""The state machine of alerts: when one is raised, changed and ended, and that it never flaps."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.domain.alerts import AlertRule, Seen, State, step
from core.domain.forecast import MINI_CLOUDBURST, EventDefinition, RiskLevel
from core.domain.levels import LADDER, rank
from core.domain.notices import NoticeKind
from tests.weather_made import END

RULE = AlertRule("default", "r")
CHANCE = AlertRule("chance", "r", threshold=0.2, persistence=1, ends_after=1, margin=0.5)
LETTERS = {
    "g": RiskLevel.GREEN,
    "y": RiskLevel.YELLOW,
    "o": RiskLevel.ORANGE,
    "r": RiskLevel.RED,
    "?": RiskLevel.UNKNOWN,
}
SIGNS = {NoticeKind.RAISED: "R", NoticeKind.CHANGED: "C", NoticeKind.ENDED: "E", None: "."}


def run(rule: AlertRule, levels: str, chances: list[float] | None = None) -> str:
    """Return what an issue an hour makes of an alert, a sign each."""
    state, signs = State(), ""
    for i, letter in enumerate(levels):
        p = math.nan if chances is None else chances[i]
        state, kind = step(rule, state, Seen(END + timedelta(hours=i), LETTERS[letter], p))
        signs += SIGNS[kind]
    return signs


@pytest.mark.parametrize(
    ("levels", "made"),
    [
        ("gogoyo", "......"),  # never two in a row
        ("goo", "..R"),
        ("oogggg", ".R..E."),
        ("ooggoggyg", ".R.....E."),  # one that reaches it begins the count anew
        ("oorro", ".RC.."),
        ("rrorr", ".R..."),  # back to a level that was there already is no change
        ("o?o", "..R"),  # unknown neither counts nor breaks
        ("oo?g?g?????", ".R........."),
        ("oo????gg", ".R......"),
        ("oogggoo", ".R..E.R"),
    ],
)
def test_an_alert_by_level_in_its_hours(levels: str, made: str) -> None:
    assert run(RULE, levels) == made


def test_an_alert_by_probability_ends_only_below_by_its_margin() -> None:
    chances = [0.19, 0.2, 0.15, 0.1, 0.099, 0.15, math.nan, 0.25]
    assert run(CHANCE, "g" * 8, chances) == ".R..E..R"


def test_what_repeats_an_hour_confirms_nothing_and_what_corrects_it_counts() -> None:
    def at(hour: int, level: RiskLevel, state: State) -> tuple[State, NoticeKind | None]:
        return step(RULE, state, Seen(END + timedelta(hours=hour), level, math.nan))

    state, kind = at(0, RiskLevel.ORANGE, State())
    for _ in range(5):
        state, kind = at(0, RiskLevel.ORANGE, state)
        assert kind is None
    corrected, _ = at(0, RiskLevel.GREEN, state)
    assert at(1, RiskLevel.ORANGE, corrected)[1] is None
    assert at(1, RiskLevel.ORANGE, state)[1] is NoticeKind.RAISED
    assert at(-1, RiskLevel.ORANGE, state) == (state, None)
    assert at(9, RiskLevel.ORANGE, state)[1] is None  # nine hours apart are not in a row


@pytest.mark.parametrize("seed", range(40))
def test_it_never_flaps_whatever_comes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rule = replace(RULE, persistence=int(rng.integers(1, 4)), ends_after=int(rng.integers(1, 4)))
    levels = "".join(rng.choice(list("gyor?"), 300))
    made = run(rule, levels)
    known = [(letter, sign) for letter, sign in zip(levels, made, strict=True) if letter != "?"]
    assert all(sign == "." for letter, sign in zip(levels, made, strict=True) if letter == "?")
    standing, peak = False, -1
    for i, (letter, sign) in enumerate(known):
        before = [one for one, _ in known[: i + 1]]
        if sign == "R":
            assert not standing
            assert all(one in "or" for one in before[-rule.persistence :])
            standing, peak = True, rank(LETTERS[letter])
        elif sign == "E":
            assert standing
            assert all(one in "gy" for one in before[-rule.ends_after :])
            standing = False
        elif sign == "C":
            assert standing
            assert rank(LETTERS[letter]) > peak
            peak = rank(LETTERS[letter])
    raised = [i for i, sign in enumerate(made) if sign == "R"]
    ended = [i for i, sign in enumerate(made) if sign == "E"]
    assert "R" in made
    assert all(e - r >= rule.ends_after for r, e in zip(raised, ended, strict=False))


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": RiskLevel.UNKNOWN},
        {"level": RiskLevel.GREEN},
        {"threshold": 0.0},
        {"threshold": 1.1},
        {"threshold": math.nan},
        {"persistence": 0},
        {"ends_after": 0},
        {"margin": 1.0},
        {"event": EventDefinition(77.0)},
    ],
)
def test_a_rule_that_could_never_hold_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(RULE, **wrong)  # type: ignore[arg-type]


def test_a_rule_says_itself_in_words() -> None:
    assert RULE.text == "level orange or above in 2 issues in a row; ends after 3 issues below"
    assert "P(≥ 50 mm in 2 h within 6 h) at least 20 %" in replace(CHANCE, event=MINI_CLOUDBURST).text
    assert "below by 50 %" in CHANCE.text


def test_levels_are_ranked_by_gravity_and_unknown_is_none_of_them() -> None:
    assert [rank(level) for level in (*LADDER, RiskLevel.UNKNOWN)] == [0, 1, 2, 3, -1]
