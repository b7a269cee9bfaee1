"""What the gate of exports counts: rows that are not there, rows that are other ones, rows too many."""

from __future__ import annotations

import pytest

from tests.faults.exports.__main__ import Read, compared, rows_written

ROWS = [(text, number, at.replace(tzinfo=None)) for text, number, at in rows_written(5)]
EXTRA = ROWS[4]


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (ROWS, Read()),
        (ROWS[:3], Read(lost=2)),
        ([], Read(lost=5)),
        ([*ROWS, EXTRA], Read(other=1)),
        ([*ROWS[:4], (None, *EXTRA[1:])], Read(other=1)),
        ([*ROWS[:3], ROWS[4], ROWS[3]], Read(other=2)),
        ([*ROWS[:4], (2, *EXTRA[1:])], Read(other=1)),
        ([*ROWS[:4], (f" {EXTRA[0]}", *EXTRA[1:])], Read()),
    ],
)
def test_a_reader_is_held_to_the_rows_that_were_written(read: list[tuple[object, ...]], found: Read) -> None:
    told = Read()
    compared(iter(read), 5, told)
    assert told == found
