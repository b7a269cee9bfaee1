"""The point page says why: drivers with arrows, words and factors, and what they are not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.adapters.keys import secret
from tests.models_made import deployed, model_store, stored

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh_caches(own_environment: None) -> None:
    import streamlit as st

    st.cache_resource.clear()


@pytest.fixture
def champion(home: Path) -> None:
    """Give the simulated region a small model of its own."""
    store = model_store(home / "models", secret(home / "data" / "model.key"))
    deployed(store, "simulator", "uttarakhand-himachal", stored(store, "simulator").version)


def point() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/point.py").run()
    assert not app.exception
    return app


@pytest.mark.usefixtures("champion")
def test_the_drivers_stand_on_the_page_with_arrows_words_and_factors() -> None:
    app = point()
    assert "Why" in [s.value for s in app.subheader]
    rows = next(d.value for d in app.dataframe if "driver" in d.value)
    assert list(rows.columns) == ["effect", "driver", "odds"]
    assert 1 <= len(rows) <= 8
    for effect, driver, odds in rows.itertuples(index=False):
        factor = float(re.fullmatch(r"× ([\d.e+-]+)", odds)[1])  # type: ignore[index]
        assert effect == ("▲ raises" if factor > 1 else "▼ lowers")
        assert re.match(r"[A-Z][a-z ]+: .*\S", driver)
    captions = "\n".join(c.value for c in app.caption)
    assert "not causes" in captions
    assert "generalized Pareto" in captions


@pytest.mark.usefixtures("champion")
def test_another_place_has_drivers_of_its_own() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    places = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][-1]["customdata"]
    found = []
    for place in (places[5], places[-5]):
        app.query_params["place"] = place
        app.switch_page("pages/point.py").run()
        assert app.selectbox[0].value == place
        found.append(next(d.value for d in app.dataframe if "driver" in d.value))
    assert not found[0].equals(found[1])


def test_without_a_model_the_page_says_that_there_are_no_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.adapters.seed.SEED_VERSION", "")
    app = point()
    assert any("No drivers" in info.value for info in app.info)
    assert not [d for d in app.dataframe if "driver" in d.value]
