"""What the image is made of is what the program needs: it runs from these files alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.deployed import DEPLOY, ROOT, copied, variables_of_image

#: The lists that a builder reads, and which nothing of the program reads.
LISTS = {"requirements.lock"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder of the program, as the image has it."""
    folder = tmp_path / "program"
    for source in copied():
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
        else:
            shutil.copy(ROOT / source, target)
    return folder


def said(image: Path, *words: str) -> tuple[int, str]:
    """Run Python as the image does, with a home of its own; return the exit code and what was said."""
    home = image.parent / "home"
    home.mkdir(exist_ok=True)
    variables = {**variables_of_image(), "HOME": str(home), "CLOUDBURST_HOME": str(home)}
    del variables["PATH"]
    done = subprocess.run(
        [sys.executable, *words], cwd=image, capture_output=True, text=True, check=False, env=variables
    )
    return done.returncode, f"{done.stdout}{done.stderr}"


def test_the_doctor_finds_a_program_of_these_files_well(image: Path) -> None:
    code, text = said(image, "-m", "core", "doctor")
    assert code == 0, text
    assert "forecast of uttarakhand-himachal" in text
    assert said(image, "-c", "import app, ui.shell")[0] == 0
    assert {path.name for path in (image / "pages").glob("*.py")} == {
        path.name for path in (ROOT / "pages").glob("*.py")
    }
    assert [path for path in image.rglob("*") if path.suffix == ".pyc"] == []  # it wrote nothing beside its home


@pytest.mark.parametrize("missing", ["data/maps", "models/versions"])
def test_the_doctor_sees_what_is_missing(image: Path, missing: str) -> None:
    shutil.rmtree(image / missing)
    assert said(image, "-m", "core", "doctor")[0] != 0


def test_the_builder_is_given_what_is_copied_and_nothing_else() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    given = {line.removeprefix("!").removesuffix("/config.toml") for line in rules if line.startswith("!")}
    assert given == set(copied())
    assert set(copied()) >= LISTS | {"app.py"}
