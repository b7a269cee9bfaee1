"""Pieces of the page of reports: the report that is asked for, its files, and those that were written by plan."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core import (
    FORMATS,
    MEDIA_TYPES,
    CloudburstError,
    Core,
    Document,
    Issue,
    KeptReport,
    ReportKind,
    ReportRequest,
    export,
    file_name,
    kept_reports,
    read_report,
)
from core import document as composed
from ui import components
from ui.language import say
from ui.report_controls import KINDS
from ui.shared import shared
from ui.words import count, heads, local, plain

FORM_NAMES = {"pdf": "PDF", "xlsx": "Excel", "cap": "CAP 1.2", "geojson": "GeoJSON", "csv": "CSV"}
#: What only a forecast can fill: without one these formats have nothing to say.
OF_THE_MAP = ("cap", "geojson", "csv")
#: Reports by plan that are listed, the newest.
LISTED = 200


def key(now: Issue, request: ReportRequest) -> str:
    """Return the version of a report: that of the issue, and what is asked for."""
    sections = "all" if request.sections is None else " ".join(sorted(request.sections))
    return f"{now.forecast.version} {request.region_id} {request.kind} {request.period} {request.language} {sections}"


def document(core: Core, now: Issue, request: ReportRequest) -> Document:
    """Return the report, made once for all sessions that ask for the same.

    Where it cannot be made the error stands below the controls, and the script ends here.
    """
    try:
        with st.spinner(say("Composing the report …"), show_time=True):
            return _document(key(now, request), request, core)
    except CloudburstError as error:
        components.refusal(error)
        st.stop()


@shared(12)
def _document(version: str, _request: ReportRequest, _core: Core) -> Document:  # noqa: ARG001 - keys the cache
    return composed(_core, _request)


def downloads(core: Core, now: Issue, request: ReportRequest) -> None:
    """Offer the report in every format of its kind; a file is made when it is asked for, of what is known then."""
    refused = _refused(core, request.region_id) if request.kind is ReportKind.BULLETIN else None
    with st.container(horizontal=True):
        for form in FORMATS[request.kind]:
            kept_back = refused if form in OF_THE_MAP else None
            st.download_button(
                FORM_NAMES[form],
                data=partial(export, core, request, form),
                file_name=file_name(request.region_id, request.kind, form, core.clock()),
                mime=MEDIA_TYPES[form],
                key=f"download {request.kind} {form}",
                icon=":material/download:",
                on_click="ignore",
                type="primary" if form == "pdf" else "secondary",
                disabled=kept_back is not None,
                help=None if kept_back is None else plain(f"{kept_back.message} {kept_back.hint}"),
            )
    components.provenance(core, now.forecast)


def _refused(core: Core, region_id: str) -> CloudburstError | None:
    """Return why there is no forecast to export as a map or a warning, None where there is one."""
    try:
        core.require_issue(region_id)
    except CloudburstError as error:
        return error
    return None


def kept(core: Core) -> None:
    """List the reports that were written by plan, and offer the one that is chosen."""
    every = core.settings.report_every_hours
    if every:
        st.caption(say("Written every {hours} h to data/reports/, kept for {days} days.", hours=f"{every:g}",
                       days=f"{core.settings.report_keep_days:g}"))  # fmt: skip
    else:
        st.caption(say("Nothing is planned. CLOUDBURST_REPORT_EVERY_HOURS says how often reports are written."))
    found = {one.name: one for one in kept_reports(core)[:LISTED]}
    if not found:
        st.info(say("No report has been written by plan yet."), icon=":material/inbox:")
        return
    st.dataframe(heads(_table(core, tuple(found.values()))), hide_index=True, height=220)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = str(st.selectbox(say("File"), list(found), key="report by plan", width=420))
        st.download_button(
            say("Download"),
            data=partial(read_report, core, name),
            file_name=name,
            mime=MEDIA_TYPES[found[name].form],
            key="download by plan",
            icon=":material/download:",
            on_click="ignore",
        )


def _table(core: Core, found: tuple[KeptReport, ...]) -> pd.DataFrame:
    regions = {region.id: region for region in core.regions()}
    first = next(iter(regions.values()))
    return pd.DataFrame(
        [
            {
                "made": local(one.made_at, regions.get(one.region_id, first), "%d %b %Y %H:%M"),
                "region": regions[one.region_id].name if one.region_id in regions else one.region_id,
                "report": say(KINDS[one.kind]),
                "format": FORM_NAMES[one.form],
                "size, kB": count(one.size_bytes / 1000),
            }
            for one in found
        ]
    )
