"""Tables and words of the monitoring page: what the house says of itself, as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from core import BudgetLine, History, Latency, QualityMetrics, Region, RunState
from ui.language import say
from ui.words import age, count, local, plain, share

#: Characters of what a run says of itself.
MOST_DETAIL = 300
#: What a door is called on the page.
DOORS = {"api": "API answer", "page": "page run", "refresh": "region refresh"}
#: Metrics that are drawn over time.
COURSES = {"overall": "overall", "completeness": "completeness", "validity": "validity", "timeliness": "timeliness"}


def beat(seconds: float | None) -> str:
    """Return the age of a heartbeat in words; it beats every second, so seconds tell."""
    if seconds is None:
        return say("never")
    return say("{seconds:.0f} s ago", seconds=seconds) if seconds < 120 else say("{seconds} ago", seconds=age(seconds))


def job_table(jobs: Iterable[Mapping[str, Any]], region: Region) -> pd.DataFrame:
    """Return one row per job: interval, last run in local time, and how it ended."""
    return pd.DataFrame(
        [
            {
                "job": say(job["name"]),
                "every": age(job["every_s"]),
                "last run": say("not yet")
                if job["last_run"] is None
                else local(job["last_run"], region, "%d %b %H:%M:%S"),
                "next in": age(job.get("next_in_s")),
                "state": _job_state(job),
            }
            for job in jobs
        ]
    )


def _job_state(job: Mapping[str, Any]) -> str:
    if job["last_error"]:
        return say("✕ failed: {last_error}", last_error=job["last_error"])
    if job.get("running_since"):
        return say("⏳ running")
    if job["last_run"] is None:
        return say("… waiting for its first run")
    return say("✓ went well, {late_s} late", late_s=age(job["late_s"])) if job.get("late_s") else say("✓ went well")


def job_text(job: Mapping[str, Any], region: Region) -> str:
    """Return everything of one job in a sentence; a table cuts long errors off."""
    since = (
        say(", running since {running_since}", running_since=local(job["running_since"], region, "%H:%M:%S"))
        if job.get("running_since")
        else ""
    )
    return say(
        "**{name}** every {every_s}{since}: {job_state}.",
        name=plain(job["name"]),
        every_s=age(job["every_s"]),
        since=since,
        job_state=plain(_job_state(job)),
    )


def used(line: BudgetLine) -> float:
    """Return the used part of a budget, 0..1; where nothing may be spent all of it is used."""
    return min(max(line.spent / line.limit, 0.0), 1.0) if line.limit > 0 else 1.0


def budget_text(line: BudgetLine, region: Region) -> str:
    """Return a budget in words: spent, limit, and until when it has to wait."""
    text = say(
        "{name}: {spent} of {limit} weighted requests, {used}",
        name=plain(line.name),
        spent=count(line.spent),
        limit=count(line.limit),
        used=share(used(line)),
    )
    if line.free_at is None:
        return text
    return say(
        "{text}; waiting until {free_at}: {reason}",
        text=text,
        free_at=local(line.free_at, region, "%H:%M:%S"),
        reason=plain(line.reason) or "spent",
    )


def found_share(counts: Mapping[str, float]) -> str:
    """Return the share of questions to the cache that found a value, fresh or stale; a dash where nobody asked.

    >>> found_share({"hits": 2, "stale": 1, "misses": 1}), found_share({})
    ('75 %', '–')
    """
    found = counts.get("hits", 0) + counts.get("stale", 0)
    asked = found + counts.get("misses", 0)
    return share(found / asked) if asked else "–"


def storage_text(free: int, data: int, models: int) -> str:
    """Return the room on the disk of the home in words; all in bytes."""
    left, measured, learned = (say("{size} MB", size=count(size / 2**20)) for size in (free, data, models))
    return say(
        "Disk: {left} free; data/ takes {measured}, models/ {learned}.", left=left, measured=measured, learned=learned
    )


def cache_tiles(mode: str, stats: Mapping[str, float]) -> dict[str, str]:
    """Return what the cache says of itself by title."""
    return {
        "Works in": say(mode),
        "Found": found_share(stats),
        "Stale": f"{stats['stale']:,.0f}",
        "Entries": f"{stats['entries']:,.0f}",
        "Oldest": age(stats["oldest_s"]) if "oldest_s" in stats else "–",
        "Memory": say("{bytes} MB", bytes=count(stats["bytes"] / 2**20, 1)),
    }


def cache_table(categories: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    """Return one row per category: its questions, what they found, and what could not be kept or believed."""
    named = sorted({category for category, _ in categories})
    rows = []
    for category in named:
        counts = {what: count for (of, what), count in categories.items() if of == category}
        refused = sum(counts.get(what, 0) for what in ("refused", "refresh_failures"))
        rows.append(
            {
                "category": category,
                "found": found_share(counts),
                "fresh": counts.get("hits", 0),
                "stale": counts.get("stale", 0),
                "missed": counts.get("misses", 0),
                "refused or failed": refused,
            }
        )
    return pd.DataFrame(rows)


def latency_table(latencies: Mapping[str, Latency]) -> pd.DataFrame:
    """Return one row per door: how many of its newest durations are known, and their percentiles, ms."""
    return pd.DataFrame(
        [
            {
                "door": say(DOORS.get(door, door)),
                "measured": one.count,
                "p50, ms": 1000 * one.p50_s,
                "p95, ms": 1000 * one.p95_s,
                "p99, ms": 1000 * one.p99_s,
            }
            for door, one in latencies.items()
        ]
    )


def fault_table(faults: Mapping[str, int]) -> pd.DataFrame:
    """Return one row per kind of error, the most frequent first."""
    ordered = sorted(faults.items(), key=lambda fault: (-fault[1], fault[0]))
    return pd.DataFrame(ordered, columns=["error", "times"])


def course(kept: Iterable[QualityMetrics]) -> pd.DataFrame:
    """Return the kept metrics over time, a row per metric and hour, percent."""
    rows = [(m.end, say(words), 100 * getattr(m, name)) for m in kept for name, words in COURSES.items()]
    return pd.DataFrame(rows, columns=["at", "metric", "percent"])


def model_table(found: History) -> pd.DataFrame:
    """Return what serves, who challenges, and how the last training ended, a row each."""
    drift = found.drift
    if drift is None:
        drifted = say("not looked for yet")
    elif not drift.judged:
        drifted = say("nothing could be judged yet")
    else:
        drifted = " ".join(map(say, drift.alarms)) or say("none in {count} variables", count=len(drift.judged))
    rows = {
        "serves": found.serves or say("nobody: {instead}", instead=found.instead),
        "deployments": str(found.champion.generation)
        if found.champion is not None and found.champion.generation
        else say("none"),
        "challengers": ", ".join(found.challengers) or say("none"),
        "last training": _training(found.training),
        "drift": drifted,
    }
    return pd.DataFrame([(say(what), text) for what, text in rows.items()], columns=["what", "now"])


def _training(state: RunState | None) -> str:
    if state is None:
        return say("none yet")
    reasons = f"{say(state.text)}, {share(state.done)}" if state.running else " ".join(map(say, state.reasons))
    return f"{say(state.status.value)}: {reasons}" if reasons else say(state.status.value)


def run_table(newest: Iterable[Mapping[str, Any]], region: Region) -> pd.DataFrame:
    """Return one row per run: local time, kind, state, and what it says of itself, cut to a readable length."""
    return pd.DataFrame(
        [
            {
                "at": local(run["at"], region, "%d %b %Y %H:%M"),
                "what": say(run["kind"]),
                "state": say(run["status"]),
                "detail": _detail(run["detail"]),
            }
            for run in newest
        ]
    )


def _detail(detail: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in detail.items() if key != "found"}  # by a search for drift: its text says it
    text = "; ".join(f"{key}: {_plain_value(value)}" for key, value in shown.items())
    return text if len(text) <= MOST_DETAIL else f"{text[:MOST_DETAIL]} …"


def _plain_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def extent_table(extent: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per source and region: first and last month, number of months and of rows."""
    parts = pd.DataFrame(list(extent), columns=["source", "region", "month", "rows"])
    grouped = parts.groupby(["source", "region"], as_index=False)
    return grouped.agg(
        **{"from": ("month", "min"), "to": ("month", "max"), "months": ("month", "size"), "rows": ("rows", "sum")}
    )
