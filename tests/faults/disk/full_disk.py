"""The running program on a disk that fills up, and on one that turns read-only: it goes on, says so, and recovers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.page_sessions import PageSession
from benchmarks.program import TOKEN, ask, served, settings
from tests.faults import broken_program
from tests.faults.disk.file_systems import make, memory, mounted, run
from tests.faults.gates import Absent, Result

DOORS = ("health", "ready", "freshness", "forecasts", "alerts", "monitoring/data-quality/report")
PAGES = ("", "monitoring")
#: How long the disk is out of order, and how long the program may take to say so and to write again, seconds.
OUTAGE_S, FULL_S, PATIENCE_S = 6.0, 120.0, 60.0
#: Of what the program says of itself: the disk.
WORDS = ("cannot be written", "not recorded", "ledger cannot be used")
#: Wrong answers after which nobody asks on.
ENOUGH = 10
CARELESS = broken_program.by(broken_program.careless)


@dataclass
class Seen:
    """What the doors answered, and what was wrong with it."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    said: str = ""

    def look(self, address: str) -> None:
        """Ask at every door once."""
        for door in DOORS:
            status = self._asked(f"{address}/api/{door}")
            self.answers[status] += 1
        for page in PAGES:
            try:
                with PageSession(address, page, PATIENCE_S) as session:
                    session.rerun()
                self.answers["page"] += 1
            except Exception as error:  # whatever a page dies of
                self.wrong.append(f"page {page or 'of the map'}: {type(error).__name__}: {error}"[:200])

    def _asked(self, url: str) -> str:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                told = answer.read()
            if url.endswith("/health"):
                found = json.loads(told)["problems"]
                self.said = self.said or next((p for p in found if any(w in p for w in WORDS)), "")
            return "200"
        except urllib.error.HTTPError as error:
            kind = error.headers.get_content_type()
            if error.code == 500 or (kind != "application/problem+json" and not url.endswith("ready")):
                self.wrong.append(f"{url.rpartition('/api/')[2]}: {error.code} {kind} {error.read()[:150]!r}")
            return str(error.code)
        except Exception as error:  # no answer at all
            self.wrong.append(f"{url.rpartition('/api/')[2]}: {type(error).__name__}: {error}")
            return "none"


def gate_of_full_disk(folder: Path, full: bool) -> Result:
    """Fill the disk below the running program and free it again; careless, only fill it."""
    found, again = _filled(folder, FULL_S if full else OUTAGE_S, ("streamlit",))
    control, _ = _filled(folder, PATIENCE_S, CARELESS)
    wrong = [*found.wrong, *again]
    return Result(_text(found), wrong, f"careless: {len(control.wrong)} wrong answers", bool(control.wrong))


def gate_of_read_only(folder: Path, full: bool) -> Result:
    """Let an ext4 turn read-only as it does after an error of its own, repair it, and start anew."""
    found, again = _turned(folder, FULL_S if full else OUTAGE_S, ("streamlit",))
    control, _ = _turned(folder, PATIENCE_S, CARELESS)
    wrong = [*found.wrong, *again]
    return Result(_text(found), wrong, f"careless: {len(control.wrong)} wrong answers", bool(control.wrong))


def _filled(folder: Path, outage_s: float, by: Sequence[str]) -> tuple[Seen, list[str]]:
    """Return what was seen while the disk was full, and what was wrong afterwards."""
    with memory(folder / "disk", "64m") as disk, served(_settings(disk), folder / "log", by) as address:
        _ready(address)
        filler = disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with suppress(OSError), filler.open("ab", buffering=0) as file:
            while file.write(bytes(64)):
                pass
        seen = _watched(address, outage_s, 1 if by == CARELESS else ENOUGH)
        filler.unlink()
        wrong = [] if by == CARELESS else _recovered(address, disk)
    return seen, wrong


def _turned(folder: Path, outage_s: float, by: Sequence[str]) -> tuple[Seen, list[str]]:
    """Return what was seen while the disk was read-only, and what was wrong when it was repaired and started anew."""
    image, at, wrong = folder / "disk.img", folder / "disk", list[str]()
    make(image, "64M")
    with mounted(image, at, "errors=remount-ro"), served(_settings(at), folder / "log", by) as address:
        _ready(address)
        _break(at)
        seen = _watched(address, outage_s, 1 if by == CARELESS else ENOUGH)
    if by == CARELESS:
        return seen, wrong
    subprocess.run(["e2fsck", "-fy", str(image)], check=False, capture_output=True)
    with mounted(image, at), served(_settings(at), folder / "log", by) as address:
        _ready(address)
        wrong = _recovered(address, at)
    return seen, wrong


def _break(at: Path) -> None:
    """Report an error to the ext4 that is mounted there, as a bad sector would."""
    device = Path(run("findmnt", "-no", "SOURCE", str(at)).strip()).name
    handle = Path("/sys/fs/ext4", device, "trigger_fs_error")
    if not device.startswith("loop") or not handle.exists():
        raise Absent("this system cannot report an error to an ext4")
    handle.write_text("on purpose")


def _settings(home: Path) -> dict[str, str]:
    return settings(HOME=home, GRID_SPACING_DEG=1.0, SIMULATED_HISTORY_DAYS=0, REFRESH_MINUTES=0.03, ADMIN_TOKEN=TOKEN)


def _ready(address: str) -> None:
    ask(f"{address}/api/forecasts")
    time.sleep(3)  # the first jobs have run


def _watched(address: str, outage_s: float, enough: int) -> Seen:
    """Ask until the time is over and the program has said what is wrong, or enough is wrong."""
    seen, begun = Seen(), time.monotonic()
    while time.monotonic() - begun < outage_s or (not seen.said and time.monotonic() - begun < PATIENCE_S):
        seen.look(address)
        if len(seen.wrong) >= enough:
            break
        time.sleep(0.5)
    if not seen.said and not seen.wrong:
        seen.wrong.append("it never said that it cannot write")
    return seen


def _recovered(address: str, home: Path) -> list[str]:
    """Wait until the program writes again and says no more that it cannot; return what is wrong."""
    until, freed_at = time.monotonic() + PATIENCE_S, time.time()
    problems: list[str] = []
    while time.monotonic() < until:
        problems = [p for p in ask(f"{address}/api/health")["problems"] if any(w in p for w in WORDS)]
        if not problems and _archived_at(home) > freed_at:
            return []
        time.sleep(1)
    return [f"it did not recover: {problems or 'nothing more is archived'}"]


def _archived_at(home: Path) -> float:
    """Return when hours were last archived, seconds since 1970."""
    return max(path.stat().st_mtime for path in (home / "data" / "processed").rglob("*.parquet"))


def _text(found: Seen) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(found.answers.items()))
    return f"{counts}; it said: {found.said or 'nothing'}"
