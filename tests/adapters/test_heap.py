"""Memory of holes goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.adapters import heap

PAGES = Path("/proc/self/statm")


def held_mb() -> float:
    return int(PAGES.read_text("ascii").split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not PAGES.exists(), reason="needs Linux")
def test_holes_between_what_is_kept_are_given_back() -> None:
    if not heap.give_back():
        pytest.skip("this C library keeps nothing that could be asked for")
    some = [bytes(100_000) + b"1" for _ in range(800)]  # too small for pages of their own, too large for Python's
    kept = some[::8]
    some.clear()
    before_mb = held_mb()
    assert heap.give_back()
    assert before_mb - held_mb() > 20
    assert len(kept) == 100


def test_where_there_is_no_such_library_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not heap.give_back()
