"""What is installed: each requirement is pinned, each that runs has its reason, and a release has its digests."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.test_house import ROOT, ours

LISTS = sorted(ROOT.glob("requirements*.txt"))
#: Come with what is required, which passes their values in and out.
BROUGHT = {"pydantic_core": "pydantic", "xarray": "scores", "PIL": "fpdf2", "fontTools": "fpdf2"}
PIN = re.compile(r"^([A-Za-z0-9_.\[\]-]+)==(\S+)", re.MULTILINE)


def name_of(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written.partition("[")[0]).lower()


@pytest.mark.parametrize("path", LISTS, ids=lambda p: p.name)
def test_each_requirement_is_pinned_and_each_that_runs_has_its_reason(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "-r ")):
            pin, _, reason = line.partition("#")
            assert re.fullmatch(r"""[\w.\[\]-]+==[\w.]+( ; [\w !="]+)?""", pin.strip()), line
            assert reason or path.name != "requirements.txt", line


def test_a_release_installs_the_same_versions_by_their_digests() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {name_of(name): version for name, version in PIN.findall(lock)}
    wanted = dict(PIN.findall((ROOT / "requirements.txt").read_text("utf-8")))
    assert {name: locked.get(name_of(name)) for name in wanted} == wanted, "run: make lock"
    for entry in re.split(r"\n(?=\S)", lock):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry
    assert "://" not in lock
    assert "--index-url" not in lock


def test_whatever_is_imported_is_required() -> None:
    required = {name_of(name) for path in LISTS for name, _ in PIN.findall(path.read_text("utf-8"))}
    foreign = set()
    for path in ours("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                foreign |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                foreign.add((node.module or "").partition(".")[0])
    foreign -= sys.stdlib_module_names | {path.stem for path in ROOT.iterdir()}
    assert set(BROUGHT) < foreign
    providers = packages_distributions()
    providers |= {"dogpile": ["dogpile.cache"]}  # which the benchmarks alone install
    made_by = {name: providers.get(BROUGHT.get(name, name), [BROUGHT.get(name, name)]) for name in foreign}
    assert {name for name, some in made_by.items() if not required & {name_of(one) for one in some}} == set()
