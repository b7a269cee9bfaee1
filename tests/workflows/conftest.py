"""What tests of workflows share: a house without training processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core import Core
from tests.trainings_made import FakeTrainings


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Core:
    """Return a small house whose trainings are no processes; a module that needs another one makes its own."""
    made = open_house(grid_spacing_deg=1.0)
    made.lifecycle.trainings = FakeTrainings()
    return made
