"""Blocks of words: the masthead, headings, paragraphs, notices and facts."""

from __future__ import annotations

from core.adapters.pdf.sheet import ACCENT, FLOOR, INK, LEADING, LEFT, RULE, SOFT, SPAN, TINT, TOP, WIDTH, Sheet
from core.domain.document import Document, Facts, Heading, Notice, Paragraph

#: What must be left of a page below a heading, so that it does not stand alone.
KEPT_WITH_HEADING = 96.0
NOTICE_FILL, NOTICE_LINE = "#fff4d6", "#8a5a00"


def print_masthead(sheet: Sheet, document: Document) -> None:
    """Print the head of the first page."""
    sheet.draw_box(LEFT, TOP - 8, SPAN, 3, fill=ACCENT)
    sheet.y = TOP
    sheet.write_lines(sheet.letters.lines(document.title, SPAN, 19, bold=True), LEFT, 19, bold=True, colour=ACCENT)
    if document.subtitle:
        sheet.write_lines(sheet.letters.lines(document.subtitle, SPAN, 11), LEFT, 11, colour=SOFT)
    sheet.y += 4
    if document.masthead.pairs:
        print_facts(sheet, document.masthead)
    sheet.draw_line([(LEFT, sheet.y), (WIDTH - LEFT, sheet.y)], colour=ACCENT, width=0.8)
    sheet.y += 8


def print_heading(sheet: Sheet, heading: Heading) -> None:
    """Print a heading, with some room below it, and enter it in the outline of the document."""
    if heading.new_page and sheet.y > TOP:
        sheet.room(FLOOR)
    sheet.room(KEPT_WITH_HEADING)
    sheet.y += 6 if sheet.y > TOP else 0
    if heading.text.strip():
        sheet.start_section(heading.text)
    sheet.write_lines(sheet.letters.lines(heading.text, SPAN, 13, bold=True), LEFT, 13, bold=True, colour=ACCENT)
    sheet.draw_line([(LEFT, sheet.y + 1), (WIDTH - LEFT, sheet.y + 1)], colour=RULE)
    sheet.y += 7


def print_paragraph(sheet: Sheet, paragraph: Paragraph) -> None:
    """Print running text."""
    sheet.write_lines(sheet.letters.lines(paragraph.text, SPAN, 9.5), LEFT, 9.5)
    sheet.y += 5


def print_notice(sheet: Sheet, notice: Notice) -> None:
    """Print a notice in a frame with a sign; one that is longer than a page goes on in a frame on the next."""
    size, inset = 10.0, 9.0
    lines = sheet.letters.lines(notice.text, SPAN - 3 * inset - 12, size, bold=True)
    most = int((FLOOR - TOP - 2 * inset) / (size * LEADING))
    while lines:
        part, lines = lines[:most], lines[most:]
        height = len(part) * size * LEADING + 2 * inset - 4
        sheet.room(height)
        sheet.draw_box(LEFT, sheet.y, SPAN, height, fill=NOTICE_FILL, line=NOTICE_LINE)
        sheet.draw_box(LEFT, sheet.y, 4, height, fill=NOTICE_LINE)
        sheet.write_line("▲", LEFT + inset + 4, sheet.y + inset + size * 0.75, size + 1, colour=NOTICE_LINE)
        sheet.write_line("!", LEFT + inset + 9.2, sheet.y + inset + size * 0.72, 6, bold=True, colour="#ffffff")
        bottom = sheet.y + height
        sheet.y += inset - 3
        sheet.write_lines(part, LEFT + 2 * inset + 10, size, bold=True, colour=INK)
        sheet.y = bottom + 8


def print_facts(sheet: Sheet, facts: Facts) -> None:
    """Print names with what they are: name, then fact, in two columns of them where they are short."""
    size, half = 9.0, SPAN / 2
    name_width = min(max((sheet.letters.width(n, size) for n, _ in facts.pairs), default=0) + 12, half * 0.6)
    room = half - name_width - 10
    short = all(sheet.letters.width(fact, size, bold=True) < room for _, fact in facts.pairs)
    columns = 2 if short and len(facts.pairs) > 2 else 1
    wide = SPAN / columns - name_width - 6
    cells = [
        (sheet.letters.lines(name, name_width - 6, size), sheet.letters.lines(fact, wide, size, bold=True))
        for name, fact in facts.pairs
    ]
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        height = max(len(lines) for cell in row for lines in cell)
        for line in range(height):
            sheet.room(size * LEADING)
            for column, (names, values) in enumerate(row):
                x, y = LEFT + column * half, sheet.y + size * 1.06
                if line < len(names):
                    sheet.write_line(names[line], x, y, size, colour=SOFT)
                if line < len(values):
                    sheet.write_line(values[line], x + name_width, y, size, bold=True)
            sheet.y += size * LEADING
        sheet.draw_line([(LEFT, sheet.y), (WIDTH - LEFT, sheet.y)], colour=TINT)
    sheet.y += 6
