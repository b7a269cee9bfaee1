"""What the tests of pages share: a small house, no figure of another test, and a house that is served."""

from __future__ import annotations

from functools import cache

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(autouse=True, scope="session")
def _components_looked_for_once() -> None:
    """Every AppTest looks through all installed packages for components, 0.4 s each time; nobody installs any here."""
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def small_house(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few cells, so that a page is drawn in a moment, and no figure of another test."""
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    st.cache_resource.clear()


@pytest.fixture
def served(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the server: the scheduler runs from the first opening."""
    monkeypatch.setattr("core.bootstrap._serving", True)


@pytest.fixture
def whole_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells of the default region, as a visitor has them."""
    monkeypatch.delenv("CLOUDBURST_GRID_SPACING_DEG")
