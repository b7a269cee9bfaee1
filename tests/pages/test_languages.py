"""The reader's language: every page in Hindi, the choice kept from page to page, and what is no language."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import language
from tests.pages.drawn import drawn

PAGES = ("quality", "verification", "models", "experiments", "monitoring")
KINDS = ("title", "subheader", "caption", "markdown", "info", "warning", "success", "error")

pytestmark = pytest.mark.usefixtures("served")


def opened(page: str, code: str) -> AppTest:
    return drawn(f"pages/{page}.py", lang=code)


def shown(app: AppTest) -> set[str]:
    """Return every text of a page as it was said."""
    found = {str(e.value) for kind in KINDS for e in app.get(kind)}
    found |= {str(e.label) for kind in ("metric", "selectbox", "button", "multiselect") for e in app.get(kind)}
    return found | {str(column) for table in app.dataframe for column in table.value.columns}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_hindi_has_no_english_text_of_the_catalogue_left(page: str) -> None:
    english = {text for text, there in language("hi").texts.items() if there != text}
    app = opened(page, "hi")
    assert sorted(shown(app) & english) == []
    assert app.title[0].value in language("hi").texts.values()


def test_the_choice_is_kept_on_the_next_page_and_stands_in_the_address() -> None:
    app = opened("monitoring", "hi")
    del app.query_params["lang"]
    app.switch_page("pages/models.py").run()
    assert "hi" in app.query_params["lang"]
    assert app.title[0].value == language("hi").say("Models")


def test_the_picker_changes_the_language_and_the_address() -> None:
    app = opened("monitoring", "en")
    app.selectbox(key="language picker").select("hi").run()
    assert app.title[0].value == language("hi").say("Monitoring")
    assert "hi" in app.query_params["lang"]


def test_what_is_no_language_falls_back_to_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened("monitoring", "fr").title[0].value == "Monitoring"
