"""The catalogue: every text that is said stands in it, in every language, with its values, and nothing else does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from core import LANGUAGES, language

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = ROOT / "core" / "words"
ROOMS = ("ui", "pages", "core")
TRANSLATED = [code for code in LANGUAGES if code != "en"]


def _trees() -> Iterator[tuple[Path, ast.AST]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def said() -> dict[str, str]:
    """Return every literal that is said, or told to be said, and where."""
    found = {}
    for path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[0]
                if name in ("say", "tell") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found[first.value] = f"{path.name}:{node.lineno}"
    return found


def written() -> set[str]:
    """Return every text that stands in the code: keys may also come from a table of names."""
    return {
        n.value
        for _, tree in _trees()
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def entries(code: str) -> list[tuple[str, str, str]]:
    """Return file, text and translation of every entry."""
    out = []
    for path in sorted((CATALOGUES / code).glob("*.po")):
        with path.open(encoding="utf-8") as file:
            out += [(path.name, str(m.id), str(m.string)) for m in read_po(file) if m.id]
    return out


@pytest.mark.parametrize("code", TRANSLATED)
def test_everything_that_is_said_is_in_the_catalogue(code: str) -> None:
    known = {text for _, text, translation in entries(code) if translation}
    assert {text: where for text, where in said().items() if text not in known} == {}


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_values_of_its_text(code: str) -> None:
    fields = re.compile(r"{(\w+)")
    wrong = [
        text
        for _, text, there in entries(code)
        if sorted(set(fields.findall(text))) != sorted(set(fields.findall(there)))
    ]
    assert wrong == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_entry_is_dead_or_there_twice(code: str) -> None:
    texts, there = [text for _, text, _ in entries(code)], written()
    assert sorted({t for t in texts if texts.count(t) > 1}) == []
    assert [t for t in texts if t not in there] == []


def test_a_text_is_said_in_the_language_asked_for_and_falls_back_to_english() -> None:
    assert language("hi").say("no warning") != "no warning"
    assert language("en").say("no warning") == "no warning"
    assert language("hi").say("no such text {n}", n=3) == "no such text 3"
    assert language("fr") == language("en")
