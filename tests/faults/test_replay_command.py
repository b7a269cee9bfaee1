"""python -m core replay: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.__main__ import main
from tests.replay_made import frame, table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return table(tmp_path / "w.parquet", frame(), frame(place=(-30.2, -60.5)), frame(60, place=(10.0, 10.0)))


def test_the_list_names_windows_places_and_periods(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(file), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("2013-06-01-10.000N-10.000E")
    assert "2013-06-01 00:00 to 2013-06-10 23:00 UTC" in lines[1]
    assert "30.500N 78.500E; 30.200S 60.500W" in lines[1] or "30.200S 60.500W" in lines[1]


def test_one_line_per_issue_says_time_place_probability_level_and_freshness(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--window", "2013-06-01-2-places", "--from", "2013-06-08", "--to", "2013-06-08", "--every", "12"]
    assert main(["replay", str(file), *arguments]) == 0
    out = capsys.readouterr().out
    assert out.startswith("REPLAY of stored weather")
    assert "not current weather" in out
    assert "shipped seed model" in out
    lines = [line for line in out.splitlines() if line.startswith("2013-06-08 ")]
    assert [line[11:16] for line in lines] == ["00:00", "12:00"]
    for line in lines:
        assert any(name in line for name in ("30.500N 78.500E", "30.200S 60.500W"))
        assert "%" in line
        assert line.endswith("fresh")


def test_json_holds_every_issue_as_a_replay(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(file), "--json", "--from", "2013-06-09", "--every", "24"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["replay"] is True
    assert [i["issued_at"] for i in said["issues"]] == ["2013-06-09T00:00:00+00:00", "2013-06-10T00:00:00+00:00"]
    assert {i["source_text"] for i in said["issues"]} == {"Replay of stored weather"}
    assert {i["data_age_s"] for i in said["issues"]} == {0.0}


def test_all_windows_are_written_as_a_table(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.parquet"
    assert main(["replay", str(file), "--out", str(out), "--every", "48"]) == 0
    rows = pd.read_parquet(out)
    assert len(rows) == 2 * 5 + 2
    assert list(rows.columns) == ["location_id", "issued_at", "p_15", "p_30", "p_50", "p_100", "level"]
    assert "12 rows written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--window", "2013-06-01-3-places"], "no such stored window"),
        (["--from", "2013-06-20"], "No stored window holds"),
        (["--from", "2013-06-09", "--to", "2013-06-08"], "--from lies after --to"),
    ],
)
def test_what_the_file_does_not_hold_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["replay", str(file), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert "hint: " in error


@pytest.mark.parametrize("name", ["nowhere.parquet", "notes.txt"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (tmp_path / "notes.txt").write_text("no table")
    assert main(["replay", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err


@pytest.mark.parametrize("every", ["0", "-1", "1.5", "x", "²"])
def test_a_step_that_is_none_is_refused(file: Path, every: str) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["replay", str(file), "--every", every])
    assert refusal.value.code == 2
