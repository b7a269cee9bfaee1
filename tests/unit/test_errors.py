"""The tree of errors is the one that is drawn."""

from __future__ import annotations

import re

import pytest

from core import errors
from core.errors import CloudburstError


def _drawn() -> dict[str, str]:
    """Return child -> parent as drawn in the docstring."""
    parents: list[tuple[int, str]] = []
    tree = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^( {4,})([A-Z]\w+)(?: {2,}|\s*\(|$)", line)
        if not found:
            continue
        depth, name = len(found[1]), found[2]
        parents = [p for p in parents if p[0] < depth]
        tree[name] = parents[-1][1] if parents else "Exception"
        parents.append((depth, name))
    return tree


def _classes() -> dict[str, type[BaseException]]:
    return {n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, BaseException)}


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {name: cls.__base__.__name__ for name, cls in _classes().items() if cls.__base__}
    assert len(real) >= 17
    assert _drawn() == real


def test_the_drawing_names_the_attributes_an_error_carries() -> None:
    for name, attribute in (
        ("SourceRateLimited", "retry_after_s"),
        ("TooManyAttempts", "retry_after_s"),
        ("InsufficientData", "have"),
        ("InsufficientData", "need"),
        ("TrainingInProgress", "run_id"),
        ("DeploymentLost", "generation"),
    ):
        assert re.search(rf"{name}\b.*\.{attribute}\b", errors.__doc__ or ""), name


@pytest.mark.parametrize("name", _classes())
def test_every_error_carries_message_hint_and_context(name: str) -> None:
    needs: dict[str, dict[str, object]] = {
        "SourceRateLimited": {"retry_after_s": 60.0},
        "TooManyAttempts": {"retry_after_s": 12.0},
        "InsufficientData": {"have": 3, "need": 20},
    }
    needs |= {"TrainingInProgress": {"run_id": "r1"}, "DeploymentLost": {"generation": 4}}
    own = needs.get(name, {})
    error = _classes()[name]("It rains.", hint="Take a coat.", place="x", **own)
    assert isinstance(error, CloudburstError)
    assert (error.message, error.hint, error.context) == ("It rains.", "Take a coat.", {"place": "x"})
    assert str(error) == "It rains. Take a coat."
    assert {key: getattr(error, key) for key in own} == own


def test_an_error_without_a_hint_is_its_message() -> None:
    error = CloudburstError("It rains.")
    assert (str(error), error.hint, error.context) == ("It rains.", "", {})
