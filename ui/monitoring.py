"""The monitoring page: everything the house says of itself, drawn anew every few seconds without losing one's place.

What a reader has selected lives in widgets with keys, whose data change in place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core import SHARES, CloudburstError, Core, Health, Issue
from ui import admin, components, wall
from ui import monitoring_tables as tables
from ui.language import say
from ui.words import age, heads, local, plain, share, source

#: How often the page is drawn anew, seconds by name; None: only with a new forecast.
INTERVALS: dict[str, float | None] = {"5 s": 5, "15 s": 15, "1 min": 60, "off": None}
DEFAULT_INTERVAL, INTERVAL = "15 s", "every"
#: Runs of the ledger that are shown.
MOST_RUNS = 25
JOBS = "jobs"
#: How much of the quality's past is drawn.
PAST = timedelta(days=7)
#: Keys of the chart, of its zoom, and of what it was drawn of.
COURSE_KEY, ZOOM, DRAWN = "course", "zoom", "course drawn"
COURSE: dict[str, Any] = {
    "mark": {"type": "line", "point": True},
    "encoding": {
        "x": {"field": "at", "type": "temporal", "title": None},
        "y": {
            "field": "percent",
            "type": "quantitative",
            "title": "%",
            "axis": {"format": ".4~g"},
            "scale": {"zero": False, "domainMax": 100},
        },
        "color": {"field": "metric", "type": "nominal", "legend": {"orient": "bottom", "title": None}},
    },
    "params": [{"name": ZOOM, "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}],
}


def controls() -> float | None:
    """Let the reader choose how often the page is drawn anew, or a wall display; return the seconds, None: never."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            say("Drawn anew every"), list(INTERVALS), default=DEFAULT_INTERVAL, required=True, key=INTERVAL,
            bind="query-params", format_func=_interval_text,
        )  # fmt: skip
        wall.offer()
    return INTERVALS[name]


def _interval_text(name: str) -> str:
    every_s = INTERVALS[name]
    return say("off") if every_s is None else age(every_s)


def show(core: Core, now: Issue, every_s: float | None) -> None:
    """Draw the page, and again every so many seconds; each part that cannot be read says so in its own place."""
    st.fragment(_parts, run_every=every_s)(core, now)


def _parts(core: Core, now: Issue) -> None:
    st.caption(say("Drawn at {clock}.", clock=local(core.clock(), now.forecast.region, "%H:%M:%S")))
    _part(None, _state, core, now)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _part(say("Scheduler"), _jobs, core, now)
    with right:
        _part(say("Source and budget"), _source, core, now)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _part(say("Cache"), _cache, core, now)
    with right:
        _part(say("Latency and errors"), _meters, core, now)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _part(say("Quality"), _quality, core, now)
    with right:
        _part(say("Model and drift"), _model, core, now)
    _part(say("Storage"), _storage, core, now)
    _part(say("Newest runs"), _runs, core, now)


def _part(title: str | None, draw: Callable[[Core, Issue], None], core: Core, now: Issue) -> None:
    if title is not None:
        st.subheader(title, anchor=False)
    try:
        draw(core, now)
    except CloudburstError as error:
        components.refusal(error)


def _state(core: Core, now: Issue) -> None:
    health = core.health(now.forecast.region.id)
    with st.container(horizontal=True):
        for title, value in _tiles(health).items():
            st.metric(say(title), value, border=True, width=160)
    if health.problems:
        st.markdown("\n".join(f"- {plain(say(problem))}" for problem in health.problems))
    else:
        st.success(say("Nothing is wrong."), icon=":material/check_circle:")


def _tiles(health: Health) -> dict[str, str]:
    return {
        "Health": say(health.status),
        "Problems": str(len(health.problems)),
        "Last sign of life": tables.beat(health.scheduler_heartbeat_age_s),
        "Data": say(health.freshness),
        "Cache": say(health.cache),
        "Program": health.version,
    }


def _jobs(core: Core, now: Issue) -> None:
    jobs = list(core.scheduler.jobs())
    if not jobs:
        st.info(say("The scheduler has no jobs: nothing is refreshed by itself."), icon=":material/schedule:")
        return
    region = now.forecast.region
    if core.scheduler.heartbeat_age_s() is not None and not core.scheduler.leads:
        st.caption(say("Another program on this ledger does the jobs; here stands what it wrote down."))
    picked = st.dataframe(
        heads(tables.job_table(jobs, region)),
        key=JOBS, hide_index=True, on_select="rerun", selection_mode="single-row", height="content",
    )  # fmt: skip
    for row in picked.selection.rows:
        if row < len(jobs):
            st.markdown(tables.job_text(jobs[row], region))


def _source(core: Core, now: Issue) -> None:
    issue = now.forecast
    newest = say("{age_s} old", age_s=age(issue.age_s(core.clock()))) if issue.data_at is not None else say("none")
    if now.error is None:
        st.success(
            say(
                "{source_text} answers; newest data {newest}.",
                source_text=plain(source(issue.source_text)),
                newest=newest,
            ),
            icon=":material/check_circle:",
        )
    else:
        st.error(
            say(
                "{source_text} failed: {message} {hint} Newest data: {newest}.",
                source_text=plain(source(issue.source_text)),
                message=plain(say(now.error.message)),
                hint=plain(say(now.error.hint)),
                newest=newest,
            ),
            icon=":material/cloud_off:",
        )
    lines = core.budget()
    if not lines:
        st.caption(say("This source has no budget of requests."))
    for line in lines:
        st.progress(tables.used(line), text=tables.budget_text(line, issue.region))


def _cache(core: Core, _now: Issue) -> None:
    stats, mode = core.cache.stats(), core.cache.mode
    if "fails" in mode:
        st.warning(
            say("Redis does not answer: each process remembers for itself until it does."), icon=":material/cloud_off:"
        )
    with st.container(horizontal=True):
        for title, value in tables.cache_tiles(mode, stats).items():
            st.metric(say(title), value, border=True, width=100 if len(value) < len("100.0 MB") else 180)
    st.dataframe(
        heads(tables.cache_table(core.cache.categories())), hide_index=True, height="content", key="cache counts"
    )
    with st.popover(say("Clear cache"), icon=":material/delete_sweep:"):
        who = admin.allowed(core, "cache")
        if who is not None and st.button(say("Forget everything"), key="clear cache", type="primary"):
            core.lifecycle.changed()
            st.rerun()


def _meters(core: Core, _now: Issue) -> None:
    latencies, faults = core.meters.latencies(), core.meters.faults()
    if latencies:
        times = st.column_config.NumberColumn(format="%.0f")
        within = {f"{part}, ms": times for part in ("p50", "p95", "p99")}
        st.dataframe(
            heads(tables.latency_table(latencies)),
            hide_index=True,
            height="content",
            column_config=within,
            key="latencies",
        )
    else:
        st.caption(say("Nothing was measured yet."))
    if faults:
        st.dataframe(heads(tables.fault_table(faults)), hide_index=True, height="content", key="errors")
    else:
        st.success(say("No errors since the start."), icon=":material/check_circle:")


def _quality(core: Core, now: Issue) -> None:
    region = now.forecast.region
    for alert in core.quality.alerts(region.id):
        st.warning(plain(say(alert)), icon=":material/trending_down:")
    kept = core.quality.kept(region.id, PAST)
    if not kept:
        st.caption(say("Not measured yet: the scheduler does so with every hour of new data."))
        return
    with st.container(horizontal=True):
        for name, title, meaning in SHARES:
            st.metric(say(title), share(getattr(kept[-1], name)), help=say(meaning), border=True, width=210)
    if len(kept) > 1:
        _course(region.id, tables.course(kept))
    st.caption(say("Last measured for the day until {end}.", end=local(kept[-1].end, region)))


def _course(region_id: str, course: pd.DataFrame) -> None:
    """Draw the metrics over time; while the reader looks closer, as they were then: new data would undo the zoom."""
    zoomed = st.session_state.get(COURSE_KEY, {}).get("selection", {}).get(ZOOM)
    drawn_for, drawn = st.session_state.get(DRAWN, (None, course))
    if zoomed and drawn_for == region_id:
        course = drawn
    st.session_state[DRAWN] = region_id, course
    st.vega_lite_chart(
        course,
        COURSE,
        key=COURSE_KEY,
        on_select="rerun",
        height=220,
        alt=say("Quality of the region's data over a week"),
    )
    if zoomed:
        st.caption(say("Newer hours come when the zoom is undone: double click."))


def _model(core: Core, now: Issue) -> None:
    found = core.histories.of(now.forecast.region.id)
    if found.instead:
        st.error(plain(say(found.instead)), icon=":material/warning:")
    st.dataframe(heads(tables.model_table(found)), hide_index=True, height="content", key="model")


def _storage(core: Core, _now: Issue) -> None:
    room = core.storage()
    st.caption(tables.storage_text(room.free_bytes, room.data_bytes, room.models_bytes))
    table = tables.extent_table(core.forecasting.observing.archive.extent())
    if table.empty:
        st.info(say("Nothing is stored yet; the first refresh stores the newest days."), icon=":material/inbox:")
        return
    st.dataframe(heads(table), hide_index=True, height="content", key="stored")


def _runs(core: Core, now: Issue) -> None:
    newest = core.training.ledger.runs(MOST_RUNS)
    if not newest:
        st.info(say("Nothing was trained, deployed or replayed yet."), icon=":material/history:")
        return
    st.dataframe(heads(tables.run_table(newest, now.forecast.region)), hide_index=True, key="newest runs")
    if len(newest) == MOST_RUNS:
        st.caption(say("The newest {MOST_RUNS} runs.", MOST_RUNS=MOST_RUNS))
