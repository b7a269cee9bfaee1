"""What is printed is read again by others: pypdf, and pdftotext where it is there."""

from __future__ import annotations

import io
import logging
import re
import shutil
import subprocess
from dataclasses import replace

import pypdf
import pytest

from core.adapters.pdf import printed
from core.adapters.pdf.lettering import JOINER
from core.domain.document import Column, Document, Facts, Heading, Notice, Paragraph, Table
from tests.documents_made import bulletin, rain_table

LONG = "Zweckverbandsversammlungsprotokoll" * 160


def pages(document: Document) -> list[str]:
    """Return the text of every page, as pypdf reads it."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed(document))).pages]


def poppler(document: Document) -> str:
    """Return the text as pdftotext reads it."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here")
    return subprocess.run(
        ["pdftotext", "-", "-"], input=printed(document), capture_output=True, check=True, timeout=60
    ).stdout.decode()


@pytest.mark.parametrize("code", ["en", "hi"])
def test_every_row_of_a_table_is_printed_once_and_its_head_on_every_page(code: str) -> None:
    read = pages(bulletin(code, blocks=(rain_table(code, 131),)))
    rows = re.findall(r"R\d{4}", "\n".join(read))
    assert rows == [f"R{i + 1:04d}" for i in range(131)]
    assert len(read) > 3
    assert all("No." in page for page in read)


def test_every_page_says_its_number_and_how_many_there_are() -> None:
    read = pages(bulletin("en", rows=150))
    assert [re.findall(r"Page (\d+) of (\d+)", page) for page in read] == [
        [(str(i + 1), str(len(read)))] for i in range(len(read))
    ]
    assert all("Made 29 Jul 2026 03:04 IST" in page for page in read)


def test_hindi_is_found_again_by_pdftotext() -> None:
    text = poppler(bulletin("hi"))
    for word in ("उत्तराखण्ड", "किन्नौर", "क्षेत्रों", "सतर्कता", "बुलेटिन", "कृत्रिम", "≥ 15 mm", "25.4 °C"):
        assert word in text, word


def test_hindi_is_found_again_by_pypdf_but_for_joiners() -> None:
    text = "".join(pages(bulletin("hi"))).replace(JOINER, "")
    for word in ("उत्तराखण्ड", "किन्नौर", "विशेष", "≥ 15 mm", "25.4 °C"):
        assert word in text, word


def test_no_letter_is_missing_and_what_no_font_has_is_a_box(caplog: pytest.LogCaptureFixture) -> None:
    signs = "▲ ◆ ■ ▨ ● ≥ ≤ ± × ° – … → − μ ² ₹ “quoted” Ł ș ñ ।॥ ऽ ॐ"
    with caplog.at_level(logging.WARNING):
        read = pages(bulletin("hi", blocks=(Paragraph(signs), Paragraph("台北 🌧 ไทย"))))
    assert [record.message for record in caplog.records] == []
    assert signs.replace(" ", "") in read[0].replace(" ", "").replace(JOINER, "")
    assert "□□ □ □□□" in read[0]


def test_fonts_are_embedded_and_their_letters_named() -> None:
    reader = pypdf.PdfReader(io.BytesIO(printed(bulletin("hi"))))
    fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]
    assert {str(font["/BaseFont"]).partition("+")[2] for font in fonts} == {
        f"NotoSans{script}{weight}" for script in ("", "Devanagari") for weight in ("", "Bold")
    }
    assert all("/FontFile2" in font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts)
    assert all("/ToUnicode" in font for font in fonts)


def test_the_file_says_what_it_is() -> None:
    reader = pypdf.PdfReader(io.BytesIO(printed(bulletin("hi"))))
    assert reader.metadata is not None
    assert reader.metadata.title == "अल्पावधि अति वर्षा बुलेटिन"
    assert reader.metadata.creator == "Cloudburst Watch"
    assert reader.metadata.creation_date == bulletin().made_at
    assert reader.trailer["/Root"]["/Lang"] == "hi"
    assert [entry["/Title"] for entry in reader.outline] == ["उत्तराखण्ड, किन्नौर"]


@pytest.mark.parametrize("dated", [True, False])
def test_two_prints_of_one_document_are_equal(dated: bool) -> None:
    document = bulletin("hi") if dated else replace(bulletin("hi"), made_at=None)
    reader = pypdf.PdfReader(io.BytesIO(printed(document)))
    assert reader.metadata is not None
    assert (reader.metadata.creation_date is not None) == dated
    assert printed(document) == printed(document)


def test_text_of_data_is_plain_text() -> None:
    odd = r"**not bold** __x__ {nb} (a) \n <b> [link](http://a.b) {n} of {all}"
    read = pages(bulletin(blocks=(Paragraph(odd), Table("", (Column(odd),), ((odd,),)), Notice(odd))))
    assert "".join(read).replace("\n", " ").count(odd) >= 2


def test_a_table_without_rows_has_its_head_and_a_dash() -> None:
    (read,) = pages(bulletin(blocks=(Table("Nothing", (Column("Place"), Column("P")), ()),)))
    assert re.search(r"Nothing\nPlace P\n–", read)


def test_level_signs_stand_in_rows_and_legends() -> None:
    text = "".join(pages(bulletin("en", blocks=(rain_table("en", 10),))))
    assert [text.count(sign) for sign in "▲◆■"] == [2, 2, 2]


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(LONG),
        Notice(LONG),
        Facts(((LONG[:300], LONG), ("short", LONG))),
        Table(LONG[:200], (Column(LONG[:2000]), Column("b")), ((LONG, "x"), ("c", "d"))),
    ],
    ids=["paragraph", "notice", "facts", "table"],
)
def test_words_without_end_break_and_lose_no_letter(block: Paragraph | Notice | Facts | Table) -> None:
    read = pages(bulletin(blocks=(block,)))
    letters = re.sub(r"[^A-Za-z]", "", "".join(read))
    assert letters.count("versammlung") >= 155


def test_a_heading_is_not_left_alone_at_the_foot_of_a_page() -> None:
    for lines in range(45, 52):
        read = pages(bulletin(blocks=(Paragraph("\n".join("x" * lines)), Heading("Below"), Paragraph("Text " * 90))))
        (page,) = (page for page in read if "Below" in page)
        assert page.count("Text") >= 60


def test_a_heading_begins_a_page_where_it_should() -> None:
    blocks = (Heading("First", new_page=True), Heading("Second", new_page=True), Paragraph("text"))
    read = pages(bulletin(blocks=blocks))
    assert ["First" in page for page in read] == [False, True, False]
    assert "Second" in read[2]
