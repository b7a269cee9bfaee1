"""Definitions of experiments: written once, read back as they were, and what is none is left out."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.adapters import experiment_files
from core.adapters.experiment_files import JsonExperiments
from core.domain.experiment import Experiment, ModelVariant, Rollout, Rules, TrafficSplitStrategy, UnitKey
from core.domain.forecast import MINI_CLOUDBURST
from core.errors import ConfigurationError, ExperimentExists
from tests.experiments_made import BEGIN, experiment

#: A definition in which nothing stands as by default.
UNUSUAL = Experiment(
    id="a.b-c_1",
    variants=(ModelVariant("a", "models\\versions\\v1", "", 99.99), ModelVariant("b", "", "v2", 0.01)),
    strategy=TrafficSplitStrategy.USER_HASH,
    created_at=BEGIN + timedelta(microseconds=1),
    created_by="Ωmega",
    why='a "reason"\nof two lines',
    source="gauges",
    region_id="sikkim-arunachal",
    event=MINI_CLOUDBURST,
    alarm=0.1 + 0.2,
    unit=UnitKey.STATION,
    rollout=Rollout((1.0, 2.5), 0.5, by_evidence=True),
    rules=Rules(90.0, 7, 3, 0.5, 30, 2.0, (0.8, 1.25), 2.0, 0.5, 0.9, 24.0),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "experiments"


@pytest.fixture
def files(folder: Path) -> JsonExperiments:
    return JsonExperiments(folder, folder.with_name("experiment_results"))


def test_a_definition_comes_back_as_it_was(files: JsonExperiments) -> None:
    by_default = experiment("x", "y", id="other", created_at=BEGIN + timedelta(days=1))
    assert all(getattr(UNUSUAL, field.name) != getattr(by_default, field.name) for field in fields(UNUSUAL))
    files.store(by_default)
    files.store(UNUSUAL)
    assert files.experiments() == (UNUSUAL, by_default)  # the oldest first


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.tuples(st.floats(0, 100), st.floats(0, 1)), st.datetimes(), st.text(st.characters(codec="utf-8"), max_size=20)
)
def test_no_digit_is_lost(
    files: JsonExperiments, folder: Path, numbers: tuple[float, float], at: datetime, why: str
) -> None:
    share, alarm = numbers
    variants = (ModelVariant("a", traffic_percentage=share), ModelVariant("b", traffic_percentage=100 - share))
    made = experiment(variants=variants, alarm=alarm, created_at=at.replace(tzinfo=UTC), why=why)
    (folder / "monsoon.json").unlink(missing_ok=True)
    files.store(made)
    assert files.experiments() == (made,)


def test_a_definition_is_never_written_again(files: JsonExperiments) -> None:
    files.store(experiment())
    with pytest.raises(ExperimentExists, match="monsoon") as caught:
        files.store(experiment(why="changed"))
    assert "new name" in caught.value.hint
    assert files.experiments() == (experiment(),)


def test_of_two_that_write_one_name_at_once_one_does(files: JsonExperiments, monkeypatch: pytest.MonkeyPatch) -> None:
    door, write = threading.Barrier(2), experiment_files.write_text

    def meeting(path: Path, text: str) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            door.wait(timeout=0.5)
        write(path, text)

    def stored(who: str) -> str:
        try:
            files.store(experiment(created_by=who))
        except ExperimentExists:
            return ""
        return who

    monkeypatch.setattr(experiment_files, "write_text", meeting)
    with ThreadPoolExecutor(2) as pool:
        won = sorted(pool.map(stored, ("one", "two")))
    assert won[0] == ""
    assert [one.created_by for one in files.experiments()] == [won[1]]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"id": "x"}', "\udcff", '{"id":"x","variants":[],"strategy":"none","created_at":"now"}'],
)
def test_a_file_that_is_no_definition_is_left_out(files: JsonExperiments, folder: Path, text: str) -> None:
    files.store(experiment())
    (folder / "x.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "notes.txt").write_text("not ours")
    (folder / "folder.json").mkdir()
    assert files.experiments() == (experiment(),)


def test_a_file_of_another_name_is_left_out(files: JsonExperiments, folder: Path) -> None:
    files.store(experiment())
    (folder / "copy.json").write_bytes((folder / "monsoon.json").read_bytes())
    assert files.experiments() == (experiment(),)


def test_a_home_without_experiments_has_none(files: JsonExperiments) -> None:
    assert files.experiments() == ()


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    files = JsonExperiments(tmp_path / "file" / "experiments", tmp_path / "file" / "results")
    with pytest.raises(ConfigurationError) as caught:
        files.store(experiment())
    assert "disk" in caught.value.hint
    with pytest.raises(ConfigurationError):
        files.export("monsoon", [])


def test_an_export_is_csv_with_times_in_utc_and_nothing_for_what_is_missing(files: JsonExperiments) -> None:
    rows = [
        {"variant_id": "a", "valid_at": BEGIN, "probability": 0.1 + 0.2, "happened": True},
        {"variant_id": 'b,"c"', "valid_at": BEGIN, "probability": None, "happened": None},
    ]
    path = Path(files.export("monsoon", iter(rows)))
    assert path.name == "monsoon.csv"
    assert path.parent.name == "experiment_results"
    assert path.read_text() == (
        "variant_id,valid_at,probability,happened\n"
        "a,2026-07-01T06:00:00+00:00,0.30000000000000004,True\n"
        '"b,""c""",2026-07-01T06:00:00+00:00,,\n'
    )
    assert Path(files.export("monsoon", rows[:1])).read_text().count("\n") == 2  # an export is written anew
    assert Path(files.export("nothing", [])).read_text() == ""


def test_the_model_of_a_variant_is_named_by_its_version_or_its_folder() -> None:
    assert [v.model for v in UNUSUAL.variants] == ["v1", "v2"]
    assert replace(UNUSUAL.variants[0], model_path="models/versions/v3/").model == "v3"
    assert ModelVariant("by hand").model == ""
