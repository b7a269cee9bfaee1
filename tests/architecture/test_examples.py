"""Examples in docstrings hold."""

from __future__ import annotations

import doctest
from pkgutil import resolve_name

import pytest

from tests.architecture.test_house import ROOT, ours

WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in ours("*.py")
    if "    >>> " in path.read_text("utf-8") and "tests" not in path.relative_to(ROOT).parts
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_hold(module: str) -> None:
    found = doctest.testmod(resolve_name(module))
    assert found.attempted > 0
    assert found.failed == 0
