"""The hours ahead on the point page: every window of the model can be chosen, the level stays that of the first six."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.forecast import DEFAULT_WINDOW, FIELD_WINDOWS, WINDOWS, Exceedance, Forecast, Freshness, RiskLevel
from core.domain.forecast import events_in as events
from core.domain.weather import Flag

NOW = datetime(2026, 7, 29, 18, tzinfo=UTC)


def forecast(*windows: object) -> Forecast:
    """Return a forecast with a curve per window besides the default one, each with a probability of its own."""
    curves = [
        replace(Exceedance.unknown(events(window)), probability=(number / 10,) * len(events(window)))
        for number, window in enumerate((DEFAULT_WINDOW, *windows), 1)
    ]
    return Forecast(
        "a", NOW, NOW, 6, curves[0], RiskLevel.GREEN, "v", Flag.PASS, Freshness.FRESH, NOW, (), tuple(curves[1:])
    )


def page(made: object) -> None:
    import streamlit as st

    from ui import components

    st.dataframe(components.exceedance_table(components.curve(made)))


def opened(made: Forecast) -> AppTest:
    app = AppTest.from_function(page, kwargs={"made": made}).run()
    assert not app.exception
    return app


def test_every_window_can_be_chosen_and_the_first_is_that_of_the_level() -> None:
    app = opened(forecast(*WINDOWS[:2], *FIELD_WINDOWS))
    (choice,) = app.segmented_control
    assert choice.options == ["0 to 1 h", "0 to 3 h", "0 to 6 h", "6 to 12 h", "12 to 24 h"]
    assert app.dataframe[0].value["event within 6 h"].iloc[0] == "≥ 15 mm/h"
    assert app.dataframe[0].value["probability"].iloc[0] == "10 %"
    choice.set_value("12 to 24 h").run()
    assert not app.exception
    shown = app.dataframe[0].value
    assert shown["event in 12 to 24 h"].iloc[0] == "≥ 15 mm/h"
    assert shown["probability"].iloc[0] == "50 %"


@pytest.mark.parametrize("made", [forecast(), replace(forecast(), exceedance=Exceedance.unknown())])
def test_without_other_windows_there_is_nothing_to_choose(made: Forecast) -> None:
    app = opened(made)
    assert not app.segmented_control
    assert app.dataframe[0].value["event within 6 h"].iloc[0] == "≥ 15 mm/h"
