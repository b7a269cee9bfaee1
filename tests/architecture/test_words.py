"""Whatever Streamlit writes goes through `say`: no literal text stands in a call of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Files whose texts are not said yet; each must still exist.
NOT_YET = (
    "ui/maps.py", "ui/figures.py", "ui/drivers.py", "ui/map_*.py", "ui/point*.py", "ui/alerts*.py", "ui/reports*.py",
    "ui/notices.py", "pages/risk_map.py", "pages/point.py", "pages/alerts.py", "pages/reports.py",
)  # fmt: skip
WRITERS = frozenset({
    "title", "header", "subheader", "caption", "markdown", "write", "text", "button", "selectbox", "multiselect",
    "metric", "info", "warning", "error", "success", "expander", "popover", "toggle", "checkbox", "radio", "slider",
    "select_slider", "number_input", "text_input", "date_input", "download_button", "form_submit_button",
    "segmented_control", "badge", "spinner",
})  # fmt: skip
WORDS = ("help", "placeholder", "alt", "label")
#: A name, and what is the same in every language.
NAMES = ("Cloudburst Watch", "Language / भाषा")


def unsaid(source: str) -> list[str]:
    """Return the literal texts that calls of Streamlit have."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("st", "left", "right", "line"):
                said = [*node.args[:1], *(k.value for k in node.keywords if k.arg in WORDS)]
                found += [text for text in map(_literal, said) if text not in NAMES and re.search("[A-Za-z]{2}", text)]
    return found


def _literal(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))


def test_every_text_of_the_pages_is_said() -> None:
    later = {path for pattern in NOT_YET for path in ROOT.glob(pattern)}
    files = [path for room in ("ui", "pages") for path in sorted((ROOT / room).glob("*.py")) if path not in later]
    assert {path.name: found for path in files if (found := unsaid(path.read_text("utf-8")))} == {}


def test_a_text_that_is_not_said_is_found() -> None:
    assert unsaid('st.caption(f"{n} hours", help="Why")') == [" hours", "Why"]
    assert unsaid('st.caption(say("Hours"), help=say("Why"), key="hours")') == []
