"""How long a workbook of many rows takes and how much memory, beside what others would use for the same table.

Each writer runs in a process of its own on the same made-up table of verified cases; the peak is what that process
ever held. `imports` is a process that only loads what ours needs.

python -m benchmarks.workbook_speed [--rows 100000]
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.adapters import excel
from core.domain.forecast import RiskLevel
from core.domain.workbook import Kind, Rows, Sheet, SheetColumn, Workbook

#: Goals for 100,000 rows: seconds, and megabytes at the peak.
SECONDS, MEGABYTES = 10.0, 200.0
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
LEVELS = tuple(RiskLevel)
COLUMNS = (
    SheetColumn("Place"),
    SheetColumn("Id"),
    SheetColumn("Valid from (UTC)", Kind.TIME),
    SheetColumn("Issued at (UTC)", Kind.TIME),
    SheetColumn("Level", Kind.LEVEL),
    *(SheetColumn(f"Probability {i}", Kind.SHARE, bar=True) for i in range(5)),
    SheetColumn("Truth"),
    SheetColumn("Rain of one hour, mm", Kind.NUMBER),
    SheetColumn("Rain of two hours, mm", Kind.NUMBER),
    SheetColumn("Model version"),
    SheetColumn("Reasons"),
)


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Return made-up cases; every fourth has no truth."""
    for i in range(count):
        at, rain = BEGIN + timedelta(hours=i // 100), math.nan if i % 4 == 0 else 0.7 * (i % 53)
        shares = ((i * k % 997) / 997 for k in (1, 3, 7, 11, 13))
        texts = "known" if i % 4 else "missing", rain, 1.4 * rain, "simulator_7", f"rain_rate: {i % 17} of 24 values"
        yield (f"Place {i % 100}", f"p{i % 100}", at, at + timedelta(minutes=5), LEVELS[i % 5], *shares, *texts)


def ours(count: int, path: Path) -> None:
    """Write with the workbook of the house."""
    sheet = Sheet("Cases", COLUMNS, Rows(lambda: rows(count)))
    excel.write(Workbook("Cases", {}, (sheet,)), path)


def pandas(count: int, path: Path) -> None:
    """Write with pandas and openpyxl, as most would."""
    import pandas as pd

    table = pd.DataFrame(rows(count), columns=[column.title for column in COLUMNS])
    for name in table.columns[2:4]:
        table[name] = table[name].dt.tz_localize(None)
    table.to_excel(path, index=False, engine="openpyxl")


def openpyxl(count: int, path: Path) -> None:
    """Write with openpyxl row by row."""
    import openpyxl as peer

    book = peer.Workbook(write_only=True)
    sheet = book.create_sheet("Cases")
    sheet.append([column.title for column in COLUMNS])
    for row in rows(count):
        sheet.append([v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row])
    book.save(path)


def imports(_count: int, path: Path) -> None:
    """Write nothing."""
    path.touch()


WRITERS: dict[str, Callable[[int, Path], None]] = {
    "imports": imports,
    "ours": ours,
    "openpyxl, row by row": openpyxl,
    "pandas with openpyxl": pandas,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print seconds and megabytes of every writer beside the goals; return 1 where ours misses one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbook_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", choices=WRITERS, help="one writer, in this process")
    args = parser.parse_args(arguments)
    if args.only:
        print(*_measured(args.only, args.rows))
        return 0
    print(f"{args.rows:,} rows x {len(COLUMNS)} columns; goal: {SECONDS:g} s, {MEGABYTES:g} MB at the peak")
    well = True
    for name in WRITERS:
        command = [sys.executable, "-m", "benchmarks.workbook_speed", "--rows", str(args.rows), "--only", name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603 - ourselves
        seconds, used_s, peak_mb, file_mb = (float(number) for number in said)
        print(f"{name:22} {seconds:6.1f} s ({used_s:.1f} s of processor)  {peak_mb:6.0f} MB  file {file_mb:.1f} MB")
        if name == "ours":
            well = seconds <= SECONDS and peak_mb <= MEGABYTES
    return 0 if well else 1


def _measured(name: str, count: int) -> tuple[float, float, float, float]:
    """Return seconds, seconds of processor, megabytes at the peak and megabytes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.xlsx"
        begun, used = time.perf_counter(), time.process_time()
        WRITERS[name](count, path)
        spent = time.perf_counter() - begun, time.process_time() - used
        size = path.stat().st_size / 1e6
    return (*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size)


if __name__ == "__main__":
    sys.exit(main())
