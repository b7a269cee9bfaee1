"""Backfill as a user runs it: killed in the middle it loses nothing, and goes on where it stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from tests.faults.source.server import SourceServer, serving, text

ROOT = Path(__file__).resolve().parents[2]
MONTHS = ["2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"]


def started(home: Path, server: SourceServer, *more: str) -> subprocess.Popen[str]:
    settings = os.environ | {"CLOUDBURST_HOME": str(home), "CLOUDBURST_OPEN_METEO_URL": server.url}
    command = [sys.executable, "-m", "core", "ingest", "open-meteo", "--region", "points-example"]
    command += ["--from", MONTHS[0], "--to", "2026-06-30", *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=settings, text=True, stdout=pipe, stderr=pipe)


def stored(home: Path, source: str = "open-meteo") -> list[Path]:
    return sorted((home / "data" / "processed" / source / "points-example").glob("*.parquet"))


def test_a_killed_backfill_loses_nothing_and_goes_on(home: Path) -> None:
    with serving(text(lambda body: (time.sleep(0.5), body)[1])) as server:
        first = started(home, server)
        end = time.monotonic() + 60
        while len(stored(home)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        first.kill()
        first.communicate()
        kept = {path: path.read_bytes() for path in stored(home)}
        assert 2 <= len(kept) < len(MONTHS)
        before = len(server)
        out, errors = started(home, server).communicate(timeout=120)
        assert out.endswith("rows archived\n"), errors
        asked = [request.params["start_date"] for request in server.asked[before:]]
    assert asked == MONTHS[len(kept) :]
    assert all(path.read_bytes() == content for path, content in kept.items())
    rows = pd.concat([pd.read_parquet(path) for path in stored(home)])
    assert len(rows) == 4 * 24 * 122
    assert not rows.duplicated(["location_id", "valid_at"]).any()


def test_forecasts_of_days_before_are_kept_apart_with_their_lead(home: Path) -> None:
    with serving() as server:
        out, errors = started(home, server, "--product", "previous-runs", "--days-before", "2").communicate(timeout=120)
        assert out == f"{4 * 24 * 122} rows archived\n", errors
        assert all("temperature_2m_previous_day2" in request.params["hourly"] for request in server.asked)
    assert stored(home) == []
    rows = pd.concat([pd.read_parquet(path) for path in stored(home, "open-meteo-previous-runs-day2")])
    assert (rows["available_at"] - rows["valid_at"]).unique().tolist() == [pd.Timedelta(hours=6 - 48)]
