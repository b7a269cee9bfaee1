"""python -m core report: files, exit codes and words."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pypdf
import pytest

from core.__main__ import main
from core.adapters.cap import NAMESPACE
from core.adapters.cap_rules import broken


def report(*arguments: object) -> int:
    return main(["report", "--kind", "bulletin", *map(str, arguments)])


def test_the_issue_is_written_in_every_format_and_can_be_cancelled(tmp_path: Path) -> None:
    first, cancel = tmp_path / "new" / "a.xml", tmp_path / "b.xml"
    assert report("--region", "uttarakhand-himachal", "--format", "cap", "--out", first) == 0
    assert report("--format", "cap", "--out", cancel, "--cancels", first) == 0
    assert broken(first.read_bytes()) == broken(cancel.read_bytes()) == []
    root = ET.fromstring(cancel.read_bytes())  # noqa: S314 - our own
    assert root.findtext("msgType", namespaces={"": NAMESPACE}) == "Cancel"
    assert root.findtext("status", namespaces={"": NAMESPACE}) == "Exercise"
    assert report("--format", "geojson", "--out", tmp_path / "m.geojson") == 0
    places = json.loads((tmp_path / "m.geojson").read_text("utf-8"))["features"]
    assert report("--format", "csv", "--out", tmp_path / "m.csv") == 0
    assert len((tmp_path / "m.csv").read_text("utf-8").splitlines()) == 1 + len(places)


def test_what_cannot_be_exported_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, none = tmp_path / "x", tmp_path / "none.xml"
    broken_xml = tmp_path / "broken.xml"
    broken_xml.write_text("<alert/>")
    for words, arguments in [
        ("atlantis", ("--region", "atlantis", "--format", "csv")),
        ("not csv", ("--format", "csv", "--exercise")),
        ("sender is 'a b'", ("--format", "cap", "--sender", "a b")),
        ("sender is missing", ("--format", "cap", "--sender", "")),
        ("none.xml cannot be read", ("--format", "cap", "--updates", none)),
        ("broken.xml is no CAP 1.2", ("--format", "cap", "--updates", broken_xml)),
    ]:
        assert report(*arguments, "--out", out) == 2
        said = capsys.readouterr().err
        assert words in said
        assert said.startswith("error: ")
        assert "hint: " in said
    assert not out.exists()


@pytest.mark.parametrize("kind", ["bulletin", "verification", "quality"])
def test_every_kind_is_printed_and_tabled_in_hindi_too(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")
    pdf, xlsx = tmp_path / "a.pdf", tmp_path / "a.xlsx"
    assert report("--kind", kind, "--language", "hi", "--format", "pdf", "--out", pdf) == 0
    assert report("--kind", kind, "--format", "xlsx", "--out", xlsx) == 0
    read = pypdf.PdfReader(pdf)
    assert "IST" in read.pages[0].extract_text()
    assert openpyxl.load_workbook(xlsx, read_only=True).sheetnames


def test_a_kind_has_its_own_formats_and_a_bulletin_no_period(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x"
    for words, arguments in [
        ("There is no quality as csv", ("--kind", "quality", "--format", "csv")),
        ("A bulletin is of now", ("--format", "pdf", "--from", "2026-07-01")),
        (
            "ends before it begins",
            ("--kind", "quality", "--format", "pdf", "--from", "2026-07-03", "--to", "2026-07-01"),
        ),
    ]:
        assert report(*arguments, "--out", out) == 2
        assert words in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("arguments", [("--format", "docx"), ("--format", "csv", "--kind", "gossip")])
def test_a_kind_or_format_that_there_is_not_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        report(*arguments, "--out", tmp_path / "x")
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
