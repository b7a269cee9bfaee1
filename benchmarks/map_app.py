"""The Risk map page over a made region of 40,000 places, with a button that puts the next issue in place."""

from __future__ import annotations

import os
import runpy
import time
from pathlib import Path

import streamlit as st

from benchmarks.wide_region import NEXT, WideForecasting, wide_core
from core import Core, open_core
from ui import session

#: So many issues are held ready.
ISSUES = 14
PAGE = Path(__file__).resolve().parents[1] / "pages" / "risk_map.py"


@st.cache_resource(show_spinner=False)
def core() -> Core:
    """Return the house of the benchmark, made once."""
    return wide_core(open_core(), int(os.environ.get("MAP_ISSUES", ISSUES)))


def next_issue() -> None:
    """Put the next issue in place."""
    forecasting = core().forecasting
    assert isinstance(forecasting, WideForecasting)
    forecasting.number += 1


st.set_page_config(layout="wide")
session.core = core
st.button(NEXT, on_click=next_issue)
begun = time.perf_counter()
try:
    runpy.run_path(str(PAGE))
finally:
    print(f"run {time.perf_counter() - begun:.3f}", flush=True)
