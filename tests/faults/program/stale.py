"""Data that grow old while the program runs: every surface with a risk number says so, at both limits."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
from pypdf import PdfReader

from core.domain.forecast import Freshness
from core.risk import AgeLimits
from tests.faults.gates import Result
from tests.faults.processes import Say, forked
from tests.faults.program.moved_clock import STEP_S, moved_by
from tests.faults.program.pages import ReadPage
from tests.faults.programs import Program, Spoil, house, running
from tests.learnable_made import learnable_folder

MINUTE, HOUR = 60.0, 3600.0
AMBER, NO_DATA = 90 * MINUTE, 6 * HOUR
PAGES = ("", "point", "alerts", "reports", "quality", "verification", "models", "experiments", "monitoring")
PATHS = ("freshness", "health", "forecasts", "forecasts/S0", "map/gauges", "alerts")
FORMATS = ("pdf", "xlsx", "csv", "geojson", "cap")
BADGES = {"fresh": "[fresh]", "stale": "[STALE]", "no data": "[NO DATA]"}
#: Everything is red at this rule, so that a CAP message has something to say.
RED = {"LEVEL_RULE": "probability", "LEVEL_YELLOW": 0.0001, "LEVEL_ORANGE": 0.0002, "LEVEL_RED": 0.0003}
FRESH_METRIC = re.compile(r'^cloudburst_fresh\{region="gauges"\} (\S+)$', re.MULTILINE)
#: A legend of the bulletin that has the word of a state.
LEGEND = "Hours known before they count as stale."


def gate_of_stale(folder: Path, full: bool) -> Result:
    """Move the clock past both limits of gauges that have fallen silent; where all is said to be fresh, the same."""
    gauges = learnable_folder(folder / "gauges", datetime.now(UTC), days=30)
    steps = _steps(datetime.now(UTC), full)
    wrong, looked = _looked(folder / "sound", gauges, steps, exports=True)
    careless, _ = _looked(folder / "careless", gauges, steps[-1:], _always_fresh, exports=full)
    ages = ", ".join(f"{age / HOUR:.1f} h" for age, _ in steps)
    text = f"{looked} looks at pages, API and exports with data {ages} old: {len(wrong)} unmarked"
    return Result(text, wrong, f"always fresh {len(careless)} unmarked", bool(careless))


def _steps(now: datetime, full: bool) -> list[tuple[float, str]]:
    """Return the ages at which everything is looked at, seconds, with what must be said then."""
    age = now.minute * MINUTE + now.second
    around = [AMBER - 2 * MINUTE, AMBER + 2 * MINUTE, NO_DATA - 2 * MINUTE, NO_DATA + 2 * MINUTE, 10 * 365 * 24 * HOUR]
    ages = [one for one in around if one > age] if full else [AMBER + MINUTE, NO_DATA + MINUTE]
    return [(one, "fresh" if one < AMBER else "stale" if one < NO_DATA else "no data") for one in [age, *ages]]


def _looked(
    folder: Path, gauges: Path, steps: list[tuple[float, str]], spoil: Spoil = lambda: None, *, exports: bool
) -> tuple[list[str], int]:
    """Return what does not say how old the data are, and how many surfaces were looked at."""
    folder.mkdir()
    clock = folder / "clock"
    begun = datetime.now(UTC)
    behind = begun.minute * MINUTE + begun.second
    environment = house(folder / "home", SOURCE=f"gauges:{gauges}", **RED)

    def spoiled() -> None:
        spoil()
        moved_by(clock)()

    wrong, looked = list[str](), 0
    with running(environment, folder / "log", spoiled) as program:
        for age, state in steps:
            clock.write_text(str(age - behind), "utf-8")
            time.sleep(10 * STEP_S)
            surfaces = [*_answers(program, state), *_pages(program)]
            if exports and state != "fresh":
                surfaces += _exports(environment, folder, spoiled)
            wrong += [f"{name} does not say {state!r} alone" for name, text in surfaces if not _says(text, state)]
            looked += len(surfaces)
    return wrong + program.tracebacks(), looked


def _says(text: str, state: str) -> bool:
    """Say whether a text has the word of a state, and none of a better one."""
    better = ("fresh", "stale", "no data")[: ("fresh", "stale", "no data").index(state)]
    return _has(text, state) and not any(_has(text, word) for word in better)


def _has(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text, re.IGNORECASE) is not None


def _answers(program: Program, state: str) -> Iterator[tuple[str, str]]:
    """Yield what the API answers, and its metric in words: it knows fresh and not fresh."""
    for path in PATHS:
        yield path, program.get(f"/api/{path}")[1].decode()
    yield "predict/live", program.post("/api/predict/live", {"latitude": 30.0, "longitude": 77.0})[1].decode()
    metric = FRESH_METRIC.search(program.get("/api/metrics")[1].decode())
    said_fresh = metric is not None and float(metric[1]) == 1
    yield "metrics", state if metric is not None and said_fresh == (state == "fresh") else "another state"


def _pages(program: Program) -> Iterator[tuple[str, str]]:
    """Yield the badges of every page in words."""
    for name in PAGES:
        with ReadPage(program.address, name) as page:
            page.rerun()
            yield f"page {name or 'risk_map'}", " ".join(word for word, badge in BADGES.items() if page.shows(badge))


def _exports(environment: Mapping[str, str], folder: Path, spoil: Spoil) -> Iterator[tuple[str, str]]:
    """Yield the texts of what the command line writes at this moment."""
    out = folder / "out.txt"
    child = forked(lambda say: _command_line(say, environment, out, spoil))
    if child.ended() != 0:
        yield "command line", "it failed"
    for name in FORMATS:
        yield name, _text(folder / f"out.{name}")
    yield "forecast", out.read_text("utf-8")


def _command_line(_say: Say, environment: Mapping[str, str], out: Path, spoil: Spoil) -> None:
    """Be the command line, several times."""
    os.environ.clear()
    os.environ.update(environment)
    target = os.open(out, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(target, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    spoil()
    from core.__main__ import main

    for name in FORMATS:
        if main(["report", "--format", name, "--out", str(out.with_suffix(f".{name}"))]) != 0:
            raise RuntimeError(f"no {name}")
    main(["forecast"])
    sys.stdout.flush()


def _text(path: Path) -> str:
    """Return the words of a file; a legend that explains the words is none of them."""
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages).replace(LEGEND, "")
    if path.suffix == ".xlsx":
        rows = (row for sheet in openpyxl.load_workbook(path, read_only=True) for row in sheet.values)
        return "\n".join(str(cell) for row in rows for cell in row if cell is not None)
    return path.read_text("utf-8")


def _always_fresh() -> None:
    AgeLimits.freshness = lambda *_: Freshness.FRESH  # type: ignore[method-assign, assignment]
