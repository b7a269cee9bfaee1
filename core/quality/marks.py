"""Flags of records as a table: one small number per value, and the reasons beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import Finding, Mask
from core.domain.weather import Flag
from core.quality.columns import SCHEMA, Columns, Numbers
from core.quality.metrics import CONSISTENCY_TESTS


@dataclass(frozen=True)
class FlagTable:
    """Flags of some records.

    `values` has shape (records, variables), uint8, the numbers of `Flag`. The reasons stand once in `findings` with the
    records that they hit; `reasons` and `entries` spell them out when somebody asks.
    """

    variables: tuple[str, ...]
    values: NDArray[np.uint8] = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)

    def of(self, record: int) -> dict[str, int]:
        """Return the flag of every variable of one record."""
        return dict(zip(self.variables, self.values[record].tolist(), strict=True))

    def reasons(self, record: int) -> tuple[str, ...]:
        """Return the reasons of all flags of one record."""
        return tuple(text(f) for f in self.findings if f.where[record])

    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return record and code of every flag set: code i is `findings[i]`, variable, test and reason in one."""
        rows = [np.flatnonzero(f.where) for f in self.findings]
        codes = np.repeat(np.arange(len(rows), dtype=np.uint16), [len(r) for r in rows])
        return np.concatenate([np.empty(0, np.int64), *rows]), codes


@dataclass(frozen=True)
class Tally:
    """Values of some records: expected, come, failed, inconsistent, suspect, and good; and the records that failed."""

    expected: int
    present: int
    failed: int
    inconsistent: int
    suspect: int
    good: int
    failed_records: int


def text(finding: Finding) -> str:
    """Return what a finding says."""
    return f"{finding.variable} {finding.reason}" if finding.test == SCHEMA else f"{finding.variable}: {finding.reason}"


def mark(columns: Columns, findings: Sequence[Finding]) -> FlagTable:
    """Return the worst flag of every value; what is missing is MISSING, and what is no number has failed."""
    names = tuple(columns.values)
    flags = np.ones((len(names), columns.records), np.uint8)
    row = {name: flags[i] for i, name in enumerate(names)}
    for name, values in columns.values.items():
        _missing(row[name], values)
    refused = [f for f in findings if f.test == SCHEMA and f.flag is Flag.FAIL]
    for finding in findings:
        if finding.variable in row and finding.flag is not Flag.PASS:
            np.maximum(row[finding.variable], _flagged(finding), out=row[finding.variable])
    for finding in refused:
        if finding.variable in row:
            row[finding.variable][finding.where] = Flag.FAIL
    return FlagTable(names, flags.T, tuple(findings))


def tally(table: FlagTable) -> Tally:
    """Count what the metrics are made of; the terms are those of `core.quality.metrics.measure`."""
    flags = table.values.T
    present = flags.size - _count(flags == np.uint8(Flag.MISSING))
    failed = flags == np.uint8(Flag.FAIL)
    inconsistent, bad = 0, _count(failed)
    for i, name in enumerate(table.variables):
        where = _union(
            f for f in table.findings if f.variable == name and f.flag >= Flag.SUSPECT and _of_consistency(f)
        )
        if where is not None:
            inconsistent += _count(where)
            bad += _count(where & ~failed[i])
    spoilt = _union(f for f in table.findings if f.flag is Flag.FAIL or f.test == SCHEMA)
    return Tally(
        expected=flags.size,
        present=present,
        failed=_count(failed),
        inconsistent=inconsistent,
        suspect=_count(flags == np.uint8(Flag.SUSPECT)),
        good=present - bad,
        failed_records=0 if spoilt is None else _count(spoilt),
    )


def _count(where: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(where))


def _missing(flags: NDArray[np.uint8], values: Numbers) -> None:
    missing = np.isnan(values)
    if missing.any():
        flags[missing] = Flag.MISSING


def _flagged(finding: Finding) -> NDArray[np.uint8]:
    return finding.where.view(np.uint8) * np.uint8(finding.flag)


def _of_consistency(finding: Finding) -> bool:
    return finding.test.startswith(CONSISTENCY_TESTS)


def _union(findings: Any) -> Mask | None:
    where: Mask | None = None
    for finding in findings:
        where = finding.where if where is None else where | finding.where
    return where
