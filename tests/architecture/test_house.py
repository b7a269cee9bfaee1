"""The house as a stranger would check it: rooms, lengths, plain pages, documented settings."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks import program
from core.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in (ROOT / "pages").glob("*.py") if p.name != "__init__.py")
ROOMS = (
    "app.py pages core models data tests .streamlit requirements.txt README.md ui api benchmarks deploy docs Makefile"
)


FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
OTHERS = {".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", "static"}


def ours(pattern: str) -> list[Path]:
    """Return our files of a pattern: everything below the project but environments and caches."""
    return [p for p in ROOT.rglob(pattern) if not OTHERS & set(p.relative_to(ROOT).parts)]


def test_the_rooms_stand() -> None:
    assert [room for room in ROOMS.split() if not (ROOT / room).exists()] == []


def test_no_file_is_longer_than_350_lines() -> None:
    long = {str(p): n for p in ours("*.py") if (n := len(p.read_text("utf-8").splitlines())) > 350}
    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    functions = ((p, n) for p in ours("*.py") for n in ast.walk(ast.parse(p.read_text("utf-8"))))
    long = [
        f"{path.name}:{node.name}"
        for path, node in functions
        if isinstance(node, FUNCTIONS) and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert long == []


def test_state_is_never_committed() -> None:
    named = {
        name for p in (ROOT / "core").rglob("*.py") for name in re.findall(r'"data" / "([\w.]+)"', p.read_text("utf-8"))
    }
    assert len(named) > 8
    state = sorted(f"data/{name}" for name in named - {"regions", "maps"})
    paths = [path if "." in path else f"{path}/x" for path in state]
    ignored = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    if ignored.returncode == 128:
        pytest.skip("not a clone")
    assert ignored.stdout.split() == paths


def test_models_and_data_hold_no_python() -> None:
    assert [p for folder in ("models", "data") for p in (ROOT / folder).rglob("*.py")] == []


def test_there_are_no_rooms_for_leftovers() -> None:
    banned = {"utils", "helpers", "common", "manager", "misc"}
    assert [p for p in ours("*.py") if p.stem in banned or p.parent.name in banned] == []


@pytest.mark.parametrize("path", [*PAGES, ROOT / "app.py"], ids=lambda p: p.name)
def test_pages_and_app_choose_and_show(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.BinOp) or isinstance(node.op, ast.BitOr), f"arithmetic in line {node.lineno}"
        if isinstance(node, FUNCTIONS):
            assert (node.end_lineno or 0) - node.lineno < 10, f"{node.name} is longer than ten lines"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            banned = {"numpy", "pandas", "json", "os", "pages", "plotly"}
            assert not banned & {name.split(".")[0] for name in names}
            assert not any(name.startswith("core.") for name in names)
    assert len(path.read_text("utf-8").splitlines()) <= 90


def test_app_is_composition_of_at_most_60_lines() -> None:
    text = (ROOT / "app.py").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    assert re.search(r"^ +app = st\.App\(__file__,", text, re.MULTILINE)


def test_every_setting_stands_in_the_readme_and_in_the_example() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    example = (ROOT / ".env.example").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        setting = PREFIX + name.upper()
        row = next((line for line in readme.splitlines() if line.startswith(f"| `{setting}` |")), "")
        assert field.description, setting
        assert field.description in row, f"the README's row of {setting} does not say: {field.description}"
        assert f"{setting}=" in example
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", example))
    assert named == {PREFIX + name.upper() for name in Settings.model_fields}


def test_the_scheduler_is_started_by_the_lifespan_alone() -> None:
    starters = [p for p in ours("*.py") if "tests" not in p.parts and re.search(r"\bstart_core\(\)", p.read_text())]
    assert {p.name for p in starters} == {"app.py"}


def test_no_page_text_is_html() -> None:
    assert [p for p in ours("*.py") if "tests" not in p.parts and "unsafe_allow_html" in p.read_text("utf-8")] == []


def test_what_pages_keep_has_an_end() -> None:
    keeping = [path for path in (ROOT / "ui").glob("*.py") if "st.cache_" in path.read_text("utf-8")]
    assert [path.name for path in keeping] == ["shared.py"]  # which lets nothing stay for hours


def test_nothing_names_a_path_of_a_machine() -> None:
    pattern = re.compile(r"/work/|/home/\w+/|/root/|/tmp/venv")
    kinds = ("*.py", "*.md", "*.toml", "*.txt", "Makefile", "run")
    paths = [p for kind in kinds for p in ours(kind) if p != Path(__file__)]
    assert [p for p in paths if pattern.search(p.read_text("utf-8", errors="ignore"))] == []


def test_pytest_finds_every_test() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["testpaths"]
    assert sorted(named) == sorted({f"tests/{path.parent.name}" for path in (ROOT / "tests").rglob("test_*.py")})


def test_what_is_measured_runs_as_make_runs_it() -> None:
    [line] = [line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line.startswith("HEAPS = ")]
    assert dict(pair.split("=") for pair in line.removeprefix("HEAPS = ").split()) == program.HEAPS
    assert "$(HEAPS) $(PY) -m streamlit run app.py" in (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("module", ["core", "api.app", "ui.shell"])
def test_every_door_imports_on_its_own_without_a_warning(module: str) -> None:
    command = [sys.executable, "-W", "error", "-c", f"import {module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_facade_lists_what_it_gives_sorted() -> None:
    import core

    def order(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert list(core.__all__) == sorted(core.__all__, key=order)
    assert all(hasattr(core, name) for name in core.__all__)
