"""Pieces of the monitoring page: state of the house, jobs, source with its budget, cache, archive, runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core import BudgetLine, CloudburstError, Core, Health, Issue, Region
from ui import components, session
from ui.words import age, local, plain, share

#: Runs of the ledger that are shown, and characters of what one says of itself.
MOST_RUNS, MOST_DETAIL = 25, 300


@st.fragment(run_every=session.TICK)
def now_running(core: Core, now: Issue) -> None:
    """Show what changes without a new forecast: heartbeat, jobs, cache and budget."""
    try:
        health = core.health(now.forecast.region.id)
        _state(health)
        st.subheader("Scheduler", anchor=False)
        _jobs(core, health, now.forecast.region)
        st.subheader("Source", anchor=False)
        _source(core, now)
        st.subheader("Cache", anchor=False)
        _cache(core.monitoring.cache.mode, core.monitoring.cache.stats())
    except CloudburstError as error:
        components.refusal(error)


def _state(health: Health) -> None:
    with st.container(horizontal=True):
        st.metric("Health", health.status, border=True, width=150)
        st.metric("Problems", len(health.problems), border=True, width=150)
        st.metric("Last sign of life", beat(health.scheduler_heartbeat_age_s), border=True, width=170)
        st.metric("Data", health.freshness, border=True, width=150)
        st.metric("Cache", health.cache, border=True, width=150)
        st.metric("Program", health.version, border=True, width=150)
    if health.problems:
        st.markdown("\n".join(f"- {plain(problem)}" for problem in health.problems))
    else:
        st.success("Nothing is wrong.", icon=":material/check_circle:")


def beat(seconds: float | None) -> str:
    """Return the age of a heartbeat in words; it beats every second, so seconds tell."""
    if seconds is None:
        return "never"
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{age(seconds)} ago"


def _jobs(core: Core, health: Health, region: Region) -> None:
    table = job_table(core.scheduler.jobs(), region)
    if table.empty:
        st.info("The scheduler has no jobs: nothing is refreshed by itself.", icon=":material/schedule:")
        return
    st.dataframe(table, hide_index=True)
    st.caption(f"Last sign of life of the scheduler: {beat(health.scheduler_heartbeat_age_s)}.")


def job_table(jobs: Iterable[Mapping[str, Any]], region: Region) -> pd.DataFrame:
    """Return one row per job: interval, last run in local time, and how it ended."""
    return pd.DataFrame(
        [
            {
                "job": job["name"],
                "every": age(job["every_s"]),
                "last run": "not yet" if job["last_run"] is None else local(job["last_run"], region, "%d %b %H:%M:%S"),
                "next in": age(job.get("next_in_s")),
                "state": _job_state(job),
            }
            for job in jobs
        ]
    )


def _job_state(job: Mapping[str, Any]) -> str:
    if job["last_error"]:
        return f"✕ failed: {job['last_error']}"
    if job.get("running_since"):
        return "⏳ running"
    if job["last_run"] is None:
        return "… waiting for its first run"
    return f"✓ went well, {age(job['late_s'])} late" if job.get("late_s") else "✓ went well"


def _source(core: Core, now: Issue) -> None:
    issue = now.forecast
    newest = f"{age(issue.age_s(core.clock()))} old" if issue.data_at is not None else "none"
    if now.error is None:
        st.success(f"{plain(issue.source_text)} answers; newest data {newest}.", icon=":material/check_circle:")
    else:
        st.error(
            f"{plain(issue.source_text)} failed: {plain(now.error.message)} {plain(now.error.hint)} "
            f"Newest data: {newest}.",
            icon=":material/cloud_off:",
        )
    lines = core.budget()
    if not lines:
        st.caption("This source has no budget of requests.")
    for line in lines:
        st.progress(used(line), text=budget_text(line, issue.region))


def used(line: BudgetLine) -> float:
    """Return the used part of a budget, 0..1; where nothing may be spent all of it is used."""
    return min(max(line.spent / line.limit, 0.0), 1.0) if line.limit > 0 else 1.0


def budget_text(line: BudgetLine, region: Region) -> str:
    """Return a budget in words: spent, limit, and until when it has to wait."""
    text = f"{plain(line.name)}: {line.spent:,.0f} of {line.limit:,.0f} weighted requests, {share(used(line))}"
    if line.free_at is None:
        return text
    return f"{text}; waiting until {local(line.free_at, region, '%H:%M:%S')}: {plain(line.reason) or 'spent'}"


def _cache(mode: str, stats: Mapping[str, float]) -> None:
    asked = stats.get("hits", 0) + stats.get("misses", 0)
    with st.container(horizontal=True):
        st.metric("Works in", mode, border=True, width=150)
        hits = share(stats.get("hits", 0) / asked) if asked else "–"
        st.metric("Found in cache", hits, border=True, width=150, help="Hits of all questions since the start.")
        for name, value in stats.items():
            st.metric(name.capitalize().replace("_", " "), f"{value:,.0f}", border=True, width=150)


def runs(core: Core, region: Region) -> None:
    """Show the newest runs of the ledger; a ledger that does not answer says so here."""
    try:
        newest = core.monitoring.ledger.runs(MOST_RUNS)
    except CloudburstError as error:
        components.refusal(error)
        return
    if not newest:
        st.info("Nothing was trained, deployed or replayed yet.", icon=":material/history:")
        return
    st.dataframe(run_table(newest, region), hide_index=True)
    if len(newest) == MOST_RUNS:
        st.caption(f"The newest {MOST_RUNS} runs.")


def run_table(newest: Iterable[Mapping[str, Any]], region: Region) -> pd.DataFrame:
    """Return one row per run: local time, kind, state, and what it says of itself, cut to a readable length."""
    return pd.DataFrame(
        [
            {
                "at": local(run["at"], region, "%d %b %Y %H:%M"),
                "what": run["kind"],
                "state": run["status"],
                "detail": _detail(run["detail"]),
            }
            for run in newest
        ]
    )


def _detail(detail: Mapping[str, Any]) -> str:
    text = "; ".join(f"{key}: {_plain_value(value)}" for key, value in detail.items())
    return text if len(text) <= MOST_DETAIL else f"{text[:MOST_DETAIL]} …"


def _plain_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def archive(core: Core) -> None:
    """Show what is stored, by source and region."""
    table = extent_table(core.forecasting.observing.archive.extent())
    if table.empty:
        st.info("Nothing is stored yet; the first refresh stores the newest days.", icon=":material/inbox:")
        return
    st.dataframe(table, hide_index=True)


def extent_table(extent: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per source and region: first and last month, number of months and of rows."""
    parts = pd.DataFrame(list(extent), columns=["source", "region", "month", "rows"])
    grouped = parts.groupby(["source", "region"], as_index=False)
    return grouped.agg(
        **{"from": ("month", "min"), "to": ("month", "max"), "months": ("month", "size"), "rows": ("rows", "sum")}
    )
