"""Workbooks as a second reader sees them: text stays text, nothing is lost, nothing is half written."""

from __future__ import annotations

import errno
import math
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import openpyxl
import pytest

from core.adapters import excel
from core.adapters.excel.texts import LONGEST, clean, sheet_name
from core.domain.forecast import RiskLevel
from core.domain.weather import Flag
from core.domain.workbook import Kind, Rows, Sheet, SheetChart, SheetColumn, Workbook
from core.errors import ConfigurationError

AT = datetime(2026, 7, 29, 18, 5, tzinfo=UTC)
COLUMNS = (
    SheetColumn("Place"),
    SheetColumn("Valid from (UTC)", Kind.TIME),
    SheetColumn("Probability", Kind.SHARE, bar=True),
    SheetColumn("Cases", Kind.COUNT),
    SheetColumn("Rain, mm", Kind.NUMBER),
    SheetColumn("Level", Kind.LEVEL),
    SheetColumn("Flag", Kind.FLAG),
)
#: What a foreign file may hold as the name of a station.
NASTY = (
    "=1+1", "@x", "http://example.org/", "+1", "-1", "0042", "1e5", "TRUE", "mailto:a@b.c", "internal:Sheet!A1",
    "<r><t>bold</t></r>", "<b>&amp;\"'", "{=1+1}", "#N/A", "  spaces  ", "हरा ▲", "🌧", "line\nfeed",
)  # fmt: skip


def table(*rows: tuple[object, ...], name: str = "Forecast", charts: tuple[SheetChart, ...] = ()) -> Workbook:
    return Workbook("A title", {"Made at": "now"}, (Sheet(name, COLUMNS, rows, charts, "A note"),), {}, AT)


def row(place: object = "Alpha", at: object = AT, share: object = 0.25, rain: object = 3.5) -> tuple[object, ...]:
    return place, at, share, 12, rain, RiskLevel.RED, Flag.FAIL


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def read(path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def test_values_keep_their_kind(tmp_path: Path) -> None:
    ist = timezone(timedelta(hours=5, minutes=30))
    assert excel.write(table(row(), row(at=AT.astimezone(ist))), tmp_path / "a.xlsx") == {"Forecast": 2}
    sheet = read(tmp_path / "a.xlsx")["Forecast"]
    assert [cell.value for cell in sheet[1]] == [column.title for column in COLUMNS]
    for i in (2, 3):
        values = [cell.value for cell in sheet[i]]
        assert values == ["Alpha", AT.replace(tzinfo=None), 0.25, 12, 3.5, "■ Red", "✕ fail"]
        assert sheet.cell(i, 2).is_date and sheet.cell(i, 3).number_format == "0.00%"
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref == "A1:G3"
    assert sheet.column_dimensions["A"].width == pytest.approx(14, abs=1)


def test_what_is_not_known_is_an_empty_cell_and_never_a_number(tmp_path: Path) -> None:
    excel.write(table((None, None, math.nan, None, math.nan, None, None), row(share=0.0)), tmp_path / "a.xlsx")
    sheet = read(tmp_path / "a.xlsx")["Forecast"]
    assert [cell.value for cell in sheet[2]] == [None] * 7
    assert sheet.cell(3, 3).value == 0


def test_text_stays_text(tmp_path: Path) -> None:
    excel.write(table(*(row(text) for text in NASTY)), tmp_path / "a.xlsx")
    sheet = read(tmp_path / "a.xlsx")["Forecast"]
    cells = [sheet.cell(i, 1) for i in range(2, 2 + len(NASTY))]
    assert [cell.value.strip() for cell in cells] == [text.strip() for text in NASTY]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        texts = [parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/")]
    assert not any("<f>" in text or "<hyperlink" in text or "<t>bold</t>" in text for text in texts)
    assert sheet["A2"].quotePrefix and not sheet["A7"].quotePrefix


def test_what_xml_forbids_is_shown(tmp_path: Path) -> None:
    excel.write(table(row("a\x00b\x1bc\x7fd\ud800e\ufffff\rg")), tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")["Forecast"]["A2"].value == "a␀b␛c␡d\ufffde\ufffdf␍g"


@pytest.mark.parametrize("letter", ["x", "🌧", "ह"])
def test_a_text_too_long_is_cut_with_a_mark(letter: str) -> None:
    told = clean(letter * 40_000, "(cut)")
    assert told.endswith(f"{letter}(cut)") and LONGEST - 2 < len(told.encode("utf-16-le")) // 2 <= LONGEST
    assert clean("x" * LONGEST, "(cut)") == "x" * LONGEST


def test_a_long_text_is_written(tmp_path: Path) -> None:
    excel.write(table(row("x" * 40_000)), tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")["Forecast"]["A2"].value.endswith("(cut off here)")


def test_names_of_sheets_are_allowed_and_there_once() -> None:
    taken: list[str] = []
    for wanted in ("History", "a/b:c", "A-B-C", "", "'x'", "w" * 40, "w" * 50, "🌧" * 20, "\x00"):
        taken.append(sheet_name(wanted, taken))
    assert len({name.casefold() for name in taken}) == len(taken)
    assert "history" not in {name.casefold() for name in taken}
    assert all(0 < len(name.encode("utf-16-le")) // 2 <= 31 and not set(name) & set("[]:*?/\\\x00") for name in taken)
    assert not any(name.startswith("'") or name.endswith("'") for name in taken)


def test_a_table_goes_on_in_the_next_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.adapters.excel.book.MOST_ROWS", 10)
    made = table(*(row(f"p{i}") for i in range(25)), charts=(SheetChart("Rain", "line", 1, (4,)),))
    whole = replace(made, sheets=(*made.sheets, Sheet("Ten", COLUMNS, [row()] * 10)))
    assert excel.write(whole, tmp_path / "a.xlsx") == {"Forecast": 10, "Forecast (2)": 10, "Forecast (3)": 5, "Ten": 10}
    book = read(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Provenance", "Forecast", "Forecast (2)", "Forecast (3)", "Ten"]
    places = [sheet.cell(i, 1).value for sheet in book.worksheets[1:4] for i in range(2, sheet.max_row + 1)]
    assert places == [f"p{i}" for i in range(25)]
    assert [book["Forecast (3)"].cell(1, i).value for i in (1, 2)] == ["Place", "Valid from (UTC)"]
    told = {r[0]: r[1] for r in book["Provenance"].iter_rows(values_only=True) if r[0]}
    assert (told["Forecast"], told["Forecast (3)"], told["Made at"]) == (10, 5, "now")


def test_a_table_without_rows_has_its_head_and_no_chart_of_nothing(tmp_path: Path) -> None:
    assert excel.write(table(charts=(SheetChart("Rain", "line", 1, (4,)),)), tmp_path / "a.xlsx") == {"Forecast": 0}
    assert read(tmp_path / "a.xlsx")["Forecast"].max_row == 1


def test_charts_are_native_and_of_the_columns_asked_for(tmp_path: Path) -> None:
    charts = SheetChart("=Rain", "line", 1, (4,)), SheetChart("Two", "scatter", 2, (4, 3), 1)
    excel.write(table(row(), row(), charts=charts, name="It's"), tmp_path / "a.xlsx")
    line, scatter = read(tmp_path / "a.xlsx")["It's"]._charts
    assert line.series[0].val.numRef.f == "'It''s'!$E$2:$E$3"
    assert [s.yVal.numRef.f for s in scatter.series] == ["'It''s'!$E$2", "'It''s'!$D$2"]


def test_levels_and_shares_are_told_by_colour_and_bar_too(tmp_path: Path) -> None:
    excel.write(table(row()), tmp_path / "a.xlsx")
    rules = read(tmp_path / "a.xlsx")["Forecast"].conditional_formatting
    kinds = {str(rule.sqref): [r.type for r in rule.rules] for rule in rules}
    assert kinds == {"C2": ["dataBar"], "F2": ["cellIs"] * 5, "G2": ["cellIs"] * 3}


@pytest.mark.parametrize(
    "wrong",
    [row(at=AT.replace(tzinfo=None)), row(share="0.5"), row()[:-1], (*row(), 1), (*row()[:5], "red!", Flag.PASS)],
)
def test_a_value_that_does_not_fit_is_refused_and_no_file_stays(tmp_path: Path, wrong: tuple[object, ...]) -> None:
    path = tmp_path / "a.xlsx"
    excel.write(table(row()), path)
    before = path.read_bytes()
    with pytest.raises((ValueError, KeyError)):
        excel.write(table(row(), wrong), path)
    assert path.read_bytes() == before and names(tmp_path) == ["a.xlsx"]


def test_a_cell_that_is_not_written_is_an_error(tmp_path: Path) -> None:
    columns = tuple(SheetColumn(f"c{i}") for i in range(16_385))
    wide = Workbook("t", {}, (Sheet("Wide", columns, [("x",) * 16_385]),))
    with pytest.raises(ValueError, match="could not be written"):
        excel.write(wide, tmp_path / "a.xlsx")
    assert names(tmp_path) == []


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        excel.write(table(row()), tmp_path / "out" / "a.xlsx")
    assert names(tmp_path / "out") == []


def test_rows_that_fail_on_the_way_leave_no_half_file(tmp_path: Path) -> None:
    def failing() -> object:
        yield row()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    made = Workbook("t", {}, (Sheet("Forecast", COLUMNS, Rows(failing)),))  # type: ignore[arg-type] - it never ends
    with pytest.raises(ConfigurationError):
        excel.write(made, tmp_path / "a.xlsx")
    assert names(tmp_path) == []


def test_a_path_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "a.xlsx"):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            excel.write(table(row()), path)


def test_libreoffice_reads_it(tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: nothing but openpyxl has read the workbook")
    excel.write(table(row("=1+1"), row("Beta")), tmp_path / "a.xlsx")
    sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
    command = [office, "--headless", "--convert-to", sheet, "--outdir", str(tmp_path), str(tmp_path / "a.xlsx")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    text = next(tmp_path.glob("*.csv")).read_text("utf-8")
    assert "=1+1" in text and "Beta" in text
