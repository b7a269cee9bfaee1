"""A report as it will be printed, drawn in the page: the same blocks, the same words."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import LEVELS, Block, Chart, Document, Facts, Heading, LevelMap, Paragraph, Table
from ui import report_figures
from ui.words import plain

#: A table scrolls beyond so many rows, at this height in pixels.
FEW_ROWS, TABLE_PX = 14, 520
#: Space that nobody sees: heads of one name are told apart by it.
UNSEEN = "\u200b"


def show(document: Document, version: str) -> None:
    """Draw a document; `version` keys its figures."""
    st.markdown(f"### {plain(document.title)}")
    st.caption(plain(document.subtitle))
    _facts(document.masthead)
    for position, block in enumerate(document.blocks):
        _block(block, f"{version} {position}", position)
    st.caption(plain(document.footer))


def _block(block: Block, version: str, position: int) -> None:
    match block:
        case Heading(text):
            st.markdown(f"#### {plain(text)}")
        case Paragraph(text):
            st.markdown(plain(text))
        case Facts():
            _facts(block)
        case Table():
            _table(block)
        case Chart():
            st.plotly_chart(
                report_figures.chart(version, block), key=f"chart {position}", config={"displayModeBar": False},
                alt=block.title,
            )  # fmt: skip
        case LevelMap():
            st.markdown(f"**{plain(block.title)}**")
            st.plotly_chart(
                report_figures.level_map(version, block), key=f"map {position}", config={"displayModeBar": False},
                alt=block.title,
            )  # fmt: skip
            st.caption(plain(block.note))
        case _:
            st.warning(plain(block.text), icon=":material/priority_high:")


def _facts(facts: Facts) -> None:
    st.markdown("  \n".join(f"{plain(name)}: **{plain(value)}**" for name, value in facts.pairs))


def _table(table: Table) -> None:
    if table.title:
        st.markdown(f"**{plain(table.title)}**")
    if table.rows:
        st.dataframe(frame(table), hide_index=True, height=TABLE_PX if len(table.rows) > FEW_ROWS else "content")
    if table.note:
        st.caption(plain(table.note))


def frame(table: Table) -> pd.DataFrame:
    """Return the rows of a table; the mark of a row's level stands before it, as it does on paper."""
    titles = [column.title + UNSEEN * i for i, column in enumerate(table.columns)]
    found = pd.DataFrame(list(table.rows), columns=titles)
    if table.levels:
        found.insert(0, UNSEEN, [LEVELS[level].sign if level is not None else "" for level in table.levels])
    return found
