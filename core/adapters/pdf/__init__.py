"""Printer of documents: PDF by fpdf2, with fonts and charts of its own and without a browser.

Fonts are loaded anew for every document (40 ms): fpdf2 reduces them to the letters used in place, so that no two
documents could share them. Two prints of one document are equal, byte by byte.
"""

from __future__ import annotations

from core.adapters.pdf.blocks import print_facts, print_heading, print_masthead, print_notice, print_paragraph
from core.adapters.pdf.charts import print_chart
from core.adapters.pdf.level_maps import print_level_map
from core.adapters.pdf.sheet import Sheet
from core.adapters.pdf.tables import print_table
from core.domain.document import Block, Chart, Document, Facts, Heading, LevelMap, Notice, Paragraph, Table


def printed(document: Document) -> bytes:
    """Return a document as PDF, A4."""
    sheet = Sheet(document)
    print_masthead(sheet, document)
    for block in document.blocks:
        _print(sheet, block)
    sheet.foot(document)
    return sheet.finished()


def _print(sheet: Sheet, block: Block) -> None:
    match block:
        case Heading():
            print_heading(sheet, block)
        case Paragraph():
            print_paragraph(sheet, block)
        case Notice():
            print_notice(sheet, block)
        case Facts():
            print_facts(sheet, block)
        case Table():
            print_table(sheet, block)
        case Chart():
            print_chart(sheet, block)
        case LevelMap():
            print_level_map(sheet, block)
