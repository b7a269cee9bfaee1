"""The command line: exit codes, words, and what bad input must not do; once in a process as a user starts it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from core import close_core
from core.__main__ import main
from core.adapters.keys import secret
from core.adapters.seed import SEED_VERSION
from tests.faults.source.server import answer, failure, serving
from tests.models_made import deployed, model_store, stored

ROOT = Path(__file__).resolve().parents[2]


def started(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Return what a process of its own does with a command, as a user starts it."""
    command = [sys.executable, "-W", "error", "-m", "core", *map(str, arguments)]
    environment = os.environ | {"CLOUDBURST_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False)


def run(home: Path, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """Return the same from this process: the libraries are loaded once for all, and no house is left open."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in {"CLOUDBURST_HOME": str(home), **settings}.items():
            patch.setenv(name, value)
        try:
            code: int | str | None = main([*map(str, arguments)])
        except SystemExit as left:
            code = left.code
        finally:
            close_core()
    return subprocess.CompletedProcess(arguments, int(code or 0), out.getvalue(), err.getvalue())


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_an_empty_home_is_served_by_the_seed_model(home: Path) -> None:
    result = started(home, "forecast", "--json")
    assert result.returncode == 0, result.stderr
    issue = json.loads(result.stdout)
    assert issue["model_version"] == SEED_VERSION
    assert issue["simulated"] is True
    assert issue["source_text"] == "Simulated: 29 July"
    assert issue["freshness"] == "fresh"
    assert 130 <= len(issue["forecasts"]) <= 190
    assert all(0 <= f["exceedance"]["p_15"]["probability"] <= 1 for f in issue["forecasts"])


def test_the_doctor_of_a_healthy_house_finds_nothing(home: Path) -> None:
    result = run(home, "doctor")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAIL" not in result.stdout


def test_an_unknown_setting_is_refused_with_the_nearest_name(home: Path) -> None:
    refused(run(home, "doctor", CLOUDBURST_SORCE="simulator:"), "CLOUDBURST_SORCE", "CLOUDBURST_SOURCE")


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("CLOUDBURST_SOURCE", "gopher:", "not understood"),
        ("CLOUDBURST_SOURCE", "gauges:/nowhere/at/all", "/nowhere/at/all"),
        ("CLOUDBURST_CACHE_URL", "memcached://x", "not understood"),
        ("CLOUDBURST_FIELDS", "archive:", "does not go with"),
        ("CLOUDBURST_DATABASE_URL", "nonsense", "ledger"),
        ("CLOUDBURST_DATABASE_URL", "postgresql://u@h:abc/x", "ledger"),
        ("CLOUDBURST_GRID_SPACING_DEG", "nan", "CLOUDBURST_GRID_SPACING_DEG"),
        ("CLOUDBURST_OBSERVATION_NO_DATA_HOURS", "inf", "CLOUDBURST_OBSERVATION_NO_DATA_HOURS"),
        ("CLOUDBURST_LEVEL_YELLOW", "0.9", "level_yellow"),
        ("CLOUDBURST_REGION", "atlantis", "atlantis"),
        ("CLOUDBURST_HOME", "/proc/nowhere", "/proc/nowhere"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(home: Path, setting: str, value: str, word: str) -> None:
    refused(run(home, "forecast", "--json", **{setting: value}), word)


def test_a_model_with_one_flipped_bit_is_put_aside_and_nothing_is_lost(home: Path) -> None:
    store = model_store(home / "models", secret(home / "data" / "model.key"))
    name = stored(store, "simulator").version
    deployed(store, "simulator", "uttarakhand-himachal", name)
    assert json.loads(run(home, "forecast", "--json").stdout)["model_version"] == name  # the control: whole, it serves
    model = home / "models" / "versions" / name / "model.skops"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    issue = json.loads(run(home, "forecast", "--json").stdout)
    assert issue["model_version"] == SEED_VERSION
    assert any("stands in" in text and "not what its manifest says" in text for text in issue["problems"])
    doctor = run(home, "doctor")
    assert doctor.returncode == 2
    assert f"FAIL model {name}" in doctor.stdout
    assert (home / "models" / "quarantine" / name / "model.skops").read_bytes() == bytes(data)


def test_a_hand_made_pickle_is_named_by_the_doctor_and_never_loaded(home: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = f"cos\nmkdir\n(V{canary}\ntR.".encode()
    for place in ("trained/model.pkl", "versions/evil/model.skops", "model.joblib"):
        path = home / "models" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(evil)
    doctor = run(home, "doctor")
    assert doctor.returncode == 2
    assert "trained/model.pkl is no version of ours" in doctor.stdout
    gauges = home / "nothing"
    gauges.mkdir()
    refused(run(home, "hindcast", "--gauges", gauges, "--out", tmp_path / "x.parquet", "--model", "evil"))
    assert json.loads(run(home, "forecast", "--json").stdout)["model_version"] == SEED_VERSION
    assert not canary.exists()


def test_a_broken_gauge_file_is_an_error_of_the_forecast(home: Path, gauge_folder: Callable[..., Path]) -> None:
    folder = gauge_folder()
    (folder / "hours.csv").write_text((folder / "hours.csv").read_text() + "A1,2026-01-01T00:00:00Z,wet,1,1,1,1\n")
    refused(run(home, "forecast", "--json", CLOUDBURST_SOURCE=f"gauges:{folder}"), "hours.csv", "precipitation_mm")


@pytest.mark.parametrize("out", ["/proc/x/y.parquet", "."])
def test_a_place_that_cannot_be_written_is_refused(home: Path, gauge_folder: Callable[..., Path], out: str) -> None:
    refused(run(home, "hindcast", "--gauges", gauge_folder(hours=40), "--out", out))


@pytest.mark.parametrize("date", ["yesterday", "0001-01-01T00:00+05:00", "9999-12-31T23:30-05:00"])
def test_a_date_that_is_none_is_refused(home: Path, tmp_path: Path, date: str) -> None:
    result = run(home, "hindcast", "--gauges", tmp_path, "--out", tmp_path / "x", "--to", date)
    assert result.returncode == 2
    assert "ISO date" in result.stderr or "lies outside" in result.stderr


def test_ingest_train_and_hindcast_run_on_a_small_folder(
    home: Path, tmp_path: Path, gauge_folder: Callable[..., Path]
) -> None:
    folder = gauge_folder(hours=24 * 90)
    stations = folder / "stations.csv"
    ingested = run(home, "ingest", "gauges", folder, "--stations", stations)
    assert ingested.stdout == "4320 rows archived\n"
    trained = run(home, "train", "--gauges", folder, "--stations", stations, "--model", "logistic_regression")
    assert trained.returncode == 0, trained.stderr
    version = trained.stdout.split()[-1]
    out = tmp_path / "hindcast.parquet"
    cast = run(home, "hindcast", "--gauges", folder, "--stations", stations, "--out", out, "--model", version)
    assert cast.returncode == 0, cast.stderr
    assert "4320 rows" in cast.stdout
    assert out.is_file()


def test_a_backfill_goes_on_where_it_was_interrupted(home: Path) -> None:
    arguments = ["ingest", "open-meteo", "--region", "points-example", "--from", "2026-05-30", "--to", "2026-06-02"]
    with serving(answer(), failure(400, "Parameter out of range")) as service:
        refused(run(home, *arguments, CLOUDBURST_OPEN_METEO_URL=service.url))
        first = len(service.asked)
        kept = {p.name: p.stat().st_mtime_ns for p in (home / "data" / "processed").rglob("*.parquet")}
        assert list(kept) == ["2026-05.parquet"]  # the month before the failure is not lost
        service.steps[:] = [answer()]
        done = run(home, *arguments, CLOUDBURST_OPEN_METEO_URL=service.url)
        assert done.stdout == f"{4 * 48} rows archived\n", done.stderr
        days = [(asked.params["start_date"], asked.params["end_date"]) for asked in service.asked[first:]]
        assert min(day for day, _ in days) >= "2026-06-01"  # May is not asked for again


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--product", "previous-runs"], "does not go with"),
        (["--days-before", "2"], "does not go with"),
        (["--product", "rumours"], "invalid choice"),
        (["--product", "previous-runs", "--days-before", "9"], "invalid choice"),
    ],
)
def test_a_product_that_cannot_be_is_refused_before_anything_is_asked(home: Path, more: list[str], says: str) -> None:
    with serving() as server:
        period = ("--from", "2026-03-01", "--to", "2026-06-30")
        command = ("ingest", "open-meteo", "--region", "points-example", *period, *more)
        result = run(home, *command, CLOUDBURST_OPEN_METEO_URL=server.url)
        assert result.returncode == 2
        assert says in result.stderr
        assert len(server) == 0


def test_an_empty_archive_is_refused(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    for command in (["ingest", "gauges", folder], ["train", "--gauges", folder], ["hindcast", "--gauges", folder]):
        arguments = [*command, "--out", tmp_path / "out.parquet"] if command[0] == "hindcast" else command
        refused(run(home, *arguments))
    assert not (tmp_path / "out.parquet").exists()


def test_too_few_events_are_refused_with_their_number(home: Path, gauge_folder: Callable[..., Path]) -> None:
    refused(run(home, "train", "--gauges", gauge_folder(hours=200), "--model", "random_forest"), "events")


@pytest.mark.parametrize("command", ["check", "hindcast"])
def test_a_result_is_never_written_among_the_observations(
    home: Path, gauge_folder: Callable[..., Path], command: str
) -> None:
    folder = gauge_folder()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in (*before, "new.parquet"):
        refused(run(home, command, "--gauges", folder, "--out", folder / name), "among the observations")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_check_writes_one_row_per_flag(home: Path, gauge_folder: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "flags.parquet"
    result = run(home, "check", "--gauges", gauge_folder(), "--out", out)
    assert result.returncode == 0, result.stderr
    flags = pd.read_parquet(out)
    assert list(flags.columns) == ["location_id", "valid_at", "variable", "flag", "test", "reason"]
    assert f"{len(flags)} rows" in result.stdout
    assert set(flags["flag"]) <= {3, 4}
