"""Reports by plan: whole files under names that sort, old ones removed, failures recorded and not fatal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core import Core, kept_reports, read_report
from core.bootstrap import jobs, report_files
from core.domain.report import ReportKind, ReportRequest
from core.errors import ConfigurationError, UnfitInput
from core.settings import load_settings
from tests.conftest import NOW

REGION = "points-example"


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Core:
    return open_house(region=REGION, report_every_hours=6, report_formats="pdf,geojson")


def names(house: Core) -> list[str]:
    return [one.name for one in kept_reports(house)]


def test_every_kind_is_written_in_the_wanted_formats_it_has(house: Core) -> None:
    report_files.keep(house)
    assert sorted(names(house)) == [
        "points-example_bulletin_20260729T1820Z.geojson",
        "points-example_bulletin_20260729T1820Z.pdf",
        "points-example_quality_20260729T1820Z.pdf",
        "points-example_verification_20260729T1820Z.pdf",
    ]
    assert [path.name for path in report_files.folder(house).iterdir() if path.name.startswith(".")] == []
    found = kept_reports(house)[0]
    assert (found.region_id, found.made_at.hour, found.size_bytes) == (REGION, 18, len(read_report(house, found.name)))
    runs = house.lifecycle.ledger.runs(10, "report")
    assert {run["status"] for run in runs} == {"written"}
    assert len(runs) == 4


def test_one_that_fails_is_recorded_and_keeps_no_other_from_being_written(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = report_files.exports.write

    def broken(core: Core, request: ReportRequest, file: tuple[str, Path]) -> int:
        if request.kind is ReportKind.BULLETIN:
            raise ConfigurationError("The printer is on fire.", hint="Put it out.")
        return real(core, request, file)

    monkeypatch.setattr(report_files.exports, "write", broken)
    with pytest.raises(ConfigurationError, match="on fire"):  # so that the scheduler tells it
        report_files.keep(house)
    assert len(names(house)) == 2
    failed = [run for run in house.lifecycle.ledger.runs(10, "report") if run["status"] == "failed"]
    assert [run["detail"]["why"] for run in failed] == ["The printer is on fire."] * 2


def test_a_full_disk_is_told_and_leaves_no_half_file(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.adapters.files.sync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        report_files.keep(house)
    assert list(report_files.folder(house).iterdir()) == []


def test_old_reports_of_ours_are_removed_and_nothing_else(house: Core) -> None:
    folder = report_files.folder(house)
    folder.mkdir(parents=True)
    old, young = NOW - timedelta(days=31), NOW - timedelta(days=29)
    ours = [f"{REGION}_bulletin_{at:%Y%m%dT%H%MZ}.pdf" for at in (old, young)]
    for name in (*ours, "notes.pdf", f"{REGION}_gossip_{old:%Y%m%dT%H%MZ}.pdf"):
        (folder / name).write_text("x")
    report_files.keep(house)
    left = {path.name for path in folder.iterdir()}
    assert ours[0] not in left
    assert {ours[1], "notes.pdf", f"{REGION}_gossip_{old:%Y%m%dT%H%MZ}.pdf"} <= left


@pytest.mark.parametrize(
    "name", ["../../model.key", "notes.pdf", "points-example_bulletin_20260729T1820Z.pdf/../../x", "a_bulletin_1.pdf"]
)
def test_nothing_but_reports_of_ours_is_read(name: str, house: Core) -> None:
    with pytest.raises(UnfitInput):
        read_report(house, name)


def test_a_link_is_neither_listed_nor_followed(house: Core, tmp_path: Path) -> None:
    secret, name = tmp_path / "secret", f"{REGION}_bulletin_20260729T1820Z.pdf"
    secret.write_text("secret")
    report_files.folder(house).mkdir(parents=True)
    (report_files.folder(house) / name).symlink_to(secret)
    assert names(house) == []
    with pytest.raises(UnfitInput, match="cannot be read"):
        read_report(house, name)


def test_the_scheduler_has_one_job_for_it_and_none_where_nothing_is_planned(
    house: Core, open_house: Callable[..., Core]
) -> None:
    jobs.plan(house)
    planned = {job["name"]: job["every_s"] for job in house.scheduler.jobs()}
    assert planned["reports"] == 6 * 3600
    never = open_house(region=REGION)
    jobs.plan(never)
    assert "reports" not in {job["name"] for job in never.scheduler.jobs()}


@pytest.mark.parametrize(("hours_ago", "wait_s"), [(None, 60.0), (2, 4 * 3600), (30, 60.0)])
def test_what_was_missed_is_written_after_the_start_and_what_is_young_is_waited_for(
    hours_ago: float | None, wait_s: float, house: Core
) -> None:
    if hours_ago is not None:
        folder = report_files.folder(house)
        folder.mkdir(parents=True)
        (folder / f"{REGION}_bulletin_{NOW - timedelta(hours=hours_ago):%Y%m%dT%H%MZ}.pdf").write_text("x")
    jobs.plan(house)
    assert house.scheduler._named["reports"][1] == wait_s


@pytest.mark.parametrize(("name", "value"), [("FORMATS", "pdf,docx"), ("FORMATS", ""), ("LANGUAGE", "fr")])
def test_a_format_or_language_that_there_is_not_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CLOUDBURST_REPORT_{name}", value)
    with pytest.raises(ConfigurationError, match=f"CLOUDBURST_REPORT_{name}"):
        load_settings()
