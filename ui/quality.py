"""Pieces of the quality page: the report of a period, its cards, charts and tables, and what a click does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from core import SHARES, VARIABLES, CloudburstError, Core, Issue, QualityReport
from ui import completeness, components, quality_figures, quality_tables, session
from ui.language import current, say
from ui.quality_controls import pick_one, station_names
from ui.quality_tables import Choice
from ui.shared import shared
from ui.words import count, heads, local, plain, share

GROUPS = ("test", "flag", "variable")
#: Keys of widgets; those of the first line are names in the address bar.
BY, SHOWN_STATION, SHOWN_VARIABLE = "by", "raw", "raw_variable"
MAP, TABLE = "completeness map", "flag table"
#: Rows of the table of flags that are drawn; the download has all of them.
MOST_ROWS = 200
#: The table scrolls beyond so many rows, at this height in pixels.
FEW_ROWS, TABLE_PX = 12, 520


def report(core: Core, now: Issue, period: tuple[datetime, datetime]) -> QualityReport:
    """Return the report of a period, made once for all sessions that look at the same one.

    Where it cannot be made the error stands below the controls, and the script ends here.
    """
    begin, end = period
    try:
        with st.spinner(say("Reading and checking the observations of the period …"), show_time=True):
            return _report(_version(now, period), now.forecast.region.id, begin, end, core)
    except CloudburstError as error:
        components.refusal(error)
        st.stop()


@shared(4)
def _report(
    version: str,  # noqa: ARG001 - keys the cache
    region_id: str,
    begin: datetime,
    end: datetime,
    _core: Core,
) -> QualityReport:
    return _core.quality.report(region_id, begin, end)


def key(now: Issue, period: tuple[datetime, datetime]) -> str:
    """Return the version of a report that is drawn: that of the issue, the period, and the language."""
    return f"{_version(now, period)} {current().code}"


def _version(now: Issue, period: tuple[datetime, datetime]) -> str:
    begin, end = period
    return f"{now.forecast.region.id} {now.forecast.version} {begin:%Y%m%d%H%M} {end:%Y%m%d%H%M}"


def is_empty(found: QualityReport) -> bool:
    """Say whether nothing at all is stored of the period."""
    return not bool(found.checked.weather.observed().any())


def empty(found: QualityReport) -> None:
    """Say that there is nothing to show, and what would change that."""
    st.info(
        say(
            "Nothing is stored of {period_text}. Choose another period, or fill the archive with `python -m core "
            "ingest`.",
            period_text=period_text(found),
        ),
        icon=":material/inbox:",
    )


def period_text(found: QualityReport) -> str:
    """Return the period of a report in local time."""
    form = "%d %b %Y %H:%M"
    return say(
        "{begin} to {end}", begin=local(found.begin, found.region, form), end=local(found.end, found.region, form)
    )


def warnings(found: QualityReport) -> None:
    """Show in words what has fallen and which sensors wander."""
    for alert in found.alerts:
        st.warning(plain(say(alert)), icon=":material/trending_down:")
    for drift in found.drifts:
        st.warning(
            say("Drift: {drift_text}", drift_text=plain(quality_tables.drift_text(drift, found))),
            icon=":material/moving:",
        )


def cards(found: QualityReport) -> None:
    """Show the metrics of the region; what is not known is a dash."""
    with st.container(horizontal=True):
        for name, title, meaning in SHARES:
            value = share(getattr(found.metrics, name))
            late = quality_tables.delay_text(found.metrics) if name == "timeliness" else ""
            st.metric(say(title), value, help=f"{say(meaning)} {late.capitalize()}".strip(), border=True, width=150)
    st.caption(
        say(
            "{period_text}; {delay_text}. A dash: not known.",
            period_text=period_text(found),
            delay_text=quality_tables.delay_text(found.metrics),
        )
    )


def flags_over_time(found: QualityReport, version: str, choice: Choice) -> None:
    """Show the flagged values over time, stacked by test, flag or variable."""
    if not quality_tables.findings(found.checked, choice):
        st.success(say("No check has flagged any value of this choice."), icon=":material/check_circle:")
        return
    by = st.segmented_control(
        say("Stacked by"), GROUPS, default=GROUPS[0], required=True, key=BY, bind="query-params", format_func=say
    )
    st.plotly_chart(
        quality_figures.timeline(version, by, choice, found),
        key=f"timeline-{by}",
        alt=say("Number of flagged values over the period, stacked by {by}", by=say(by)),
    )


def flag_table(found: QualityReport, choice: Choice) -> None:
    """Show what was flagged, counted by station, variable and test; a click shows the raw values below."""
    counted = quality_tables.flag_counts(found.checked, quality_tables.findings(found.checked, choice))
    if counted.empty:
        st.caption(say("Nothing to list."))
        return
    shown = counted.head(MOST_ROWS)
    columns = ["station", "variable", "flag", "test", "values", "last", "reason"]
    st.dataframe(
        heads(shown[columns].assign(last=shown["last"].dt.tz_convert(found.region.time_zone))),
        key=TABLE, hide_index=True, on_select=show_row, selection_mode="single-cell",
        height=TABLE_PX if len(shown) > FEW_ROWS else "content",
        column_config={
            say("last"): st.column_config.DatetimeColumn(format="DD MMM HH:mm"), say("reason"): {"width": "large"}
        },
    )  # fmt: skip
    st.session_state["rows of the flag table"] = list(zip(shown["location_id"], shown["variable"], strict=True))
    st.caption(
        say(
            "{rows_text} ✕ fail, ▲ suspect, ▨ missing, ○ an extreme that was confirmed.",
            rows_text=_rows_text(len(shown), counted),
        )
    )


def _rows_text(shown: int, counted: pd.DataFrame) -> str:
    flags = say("{sum} flags", sum=count(int(counted["values"].sum())))
    if shown == len(counted):
        return say(
            "{flags} in {shown} {value}; a value may have several.",
            flags=flags,
            shown=count(shown),
            value=say("row") if shown == 1 else say("rows"),
        )
    return say(
        "The worst {shown} of {count} rows ({flags}); filter to see others, the download has all.",
        shown=count(shown),
        count=count(len(counted)),
        flags=flags,
    )


def show_row() -> None:
    """Show the raw values of the row that was clicked."""
    rows = [row for row, _ in st.session_state[TABLE].selection.cells]
    known = st.session_state.get("rows of the flag table", [])
    if rows and rows[0] < len(known):
        _show(*known[rows[0]])


def completeness_map(core: Core, now: Issue, found: QualityReport, version: str, choice: Choice) -> None:
    """Show which part of the values came, by station and day; a click shows the raw values of the station."""
    region = found.region
    due_at = now.forecast.issued_at - core.forecasting.limits.of(region).amber
    st.plotly_chart(
        completeness.completeness_map(version, choice, found, due_at),
        key=MAP, on_select=show_cell, selection_mode="points", config={"displayModeBar": False},
        alt=say("Heat map: share of the values that came, by station and day"),
    )  # fmt: skip
    count = len(choice.positions(found.checked))
    most = completeness.MOST_ROWS
    rows = (
        say("The {most} of {count} stations with the fewest values. ", most=most, count=count) if count > most else ""
    )
    st.caption(
        say(
            "{rows}Numbers are percent; dark: missing, light: complete, hatched: nothing is stored of the whole "
            "region.",
            rows=rows,
        )
    )


def show_cell() -> None:
    """Show the raw values of the station whose cell was clicked."""
    points: list[Any] = st.session_state[MAP].selection.points
    if points:
        _show(points[0]["customdata"], None)


def _show(station: str, variable: str | None) -> None:
    st.session_state[SHOWN_STATION] = station
    session.choose_place(station)
    if variable is not None:
        st.session_state[SHOWN_VARIABLE] = variable


def raw_values(found: QualityReport, version: str, choice: Choice) -> None:
    """Show the raw values of one station and variable with their flags."""
    names = station_names(found.region.locations)
    station, variable = _worst(found, choice)
    left, right = st.columns(2)
    with left:
        station = pick_one(say("Station"), list(names), station, SHOWN_STATION, names)
    with right:
        variable = pick_one(say("Variable"), list(VARIABLES), variable, SHOWN_VARIABLE)
    place = [p.id for p in found.region.locations].index(station)
    st.plotly_chart(
        quality_figures.series(version, place, variable, found),
        key=f"raw-{station}-{variable}",
        alt=say("Raw values of {variable} at {names} with their flags", variable=variable, names=names[station]),
    )


def _worst(found: QualityReport, choice: Choice) -> tuple[str, str]:
    """Return the station and variable with the worst flags of a choice, else its first station and rain."""
    counted = quality_tables.flag_counts(found.checked, quality_tables.findings(found.checked, choice))
    if len(counted):
        return str(counted["location_id"][0]), str(counted["variable"][0])
    places = choice.positions(found.checked)
    return found.region.locations[places[0]].id, (choice.variables or ("precipitation_mm",))[0]


def history(found: QualityReport, version: str) -> None:
    """Show how the metrics of the region went; a single number has no course."""
    if len(found.history) < 2:
        st.caption(say("There is no history yet: the metrics are kept with every hour of new data."))
        return
    st.plotly_chart(
        quality_figures.history(f"{version} {len(found.history)}", found.history),
        key="metrics over time",
        alt=say("Completeness, validity, consistency, timeliness and overall quality over time, and the anomaly rate"),
    )


def station_table(found: QualityReport) -> None:
    """Show the metrics of every station, the worst first."""
    table = quality_tables.stations(found)
    shares = {say(title): st.column_config.NumberColumn(format="%.1f %%") for _, title, _ in SHARES}
    delay = {say("median delay, min"): st.column_config.NumberColumn(format="%.0f")}
    st.dataframe(heads(table), hide_index=True, height=320, column_config=shares | delay, placeholder="–")


def download(found: QualityReport, choice: Choice) -> None:
    """Offer every flagged value of the choice as CSV; it is written when it is asked for."""
    name = f"quality_{found.region.id}_{found.begin:%Y%m%dT%H%MZ}_{found.end:%Y%m%dT%H%MZ}.csv"
    st.download_button(
        say("Report of this period (CSV)"),
        data=lambda: quality_tables.report_csv(found, choice),
        file_name=name, mime="text/csv", icon=":material/download:", on_click="ignore",
        help=say("All flagged values of the choice: station, hour (UTC), variable, value, flag, test, reason, source."),
    )  # fmt: skip


def threshold_table() -> None:
    """Show the thresholds of the checks with their units and reasons."""
    st.dataframe(heads(quality_tables.threshold_table()), hide_index=True)
