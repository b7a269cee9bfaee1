"""Pieces that every page is made of: header, banners, legend, tables."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd
import streamlit as st

from core import (
    EVENTS,
    LEVELS,
    MEASURES,
    TARGET,
    CloudburstError,
    Core,
    EventDefinition,
    Exceedance,
    Forecast,
    Freshness,
    Health,
    Location,
    ModelManifest,
    RegionForecast,
    Scorecard,
    StoredVersion,
    source_text,
)
from ui.people import set_by
from ui.words import age, local, percent, plain

BadgeColour = Literal["green", "orange", "gray"]
FRESHNESS_BADGES: dict[Freshness, tuple[str, BadgeColour]] = {
    Freshness.FRESH: ("fresh", "green"),
    Freshness.STALE: ("STALE", "orange"),
    Freshness.NO_DATA: ("NO DATA", "gray"),
}


def header(core: Core, issue: RegionForecast, health: Health) -> None:
    """Show on every page whose data these are, how old they are, which model speaks, and whether the house is well."""
    word, colour = FRESHNESS_BADGES[issue.freshness]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.metric("Region", issue.region.name, width="content")
        st.metric("Issued", local(issue.issued_at, issue.region), width="content")
        st.metric(f"Valid for {TARGET.window_h} h from", local(issue.valid_from, issue.region), width="content")
        st.metric("Age of data", age(issue.age_s(core.clock())), help=_data_help(core, issue), width="content")
        st.metric("Model", _model(issue), help=issue.model_version or "no model serves", width="content")
        st.badge(issue.source_text, color="violet" if issue.simulated else "blue")
        st.badge(f"data {word}", color=colour)
        st.badge(f"health {health.status}", color="green" if health.status == "ok" else "orange")


def _data_help(core: Core, issue: RegionForecast) -> str:
    return f"{issue.data_name.capitalize()} {local(issue.data_at, issue.region)}. {core.ages_of(issue)}"


def _model(issue: RegionForecast) -> str:
    if issue.model_version is None:
        return "none"
    return "shipped seed" if issue.model_is_seed else issue.model_version.rsplit("_", 2)[0].replace("_", " ")


def banners(issue: RegionForecast, health: Health) -> None:
    """Show everything that is wrong, and what must be known before a number is believed."""
    for problem in health.problems:
        st.error(plain(problem), icon=":material/warning:")
    for note in issue.notes:
        st.info(plain(note), icon=":material/science:")
    if issue.simulated:
        st.caption(
            f"**{issue.source_text}.** This weather is made by a program; no number here says anything of today."
        )
    if issue.model_is_seed:
        st.caption("Served by the shipped seed model: **its transfer to this region is not verified** (see Models).")
    if any(TARGET in forecast.exceedance.unskilled for forecast in issue.forecasts):
        st.warning(
            f"No skill beyond climatology was found for {TARGET.text}: what is shown is climatology.",
            icon=":material/event_repeat:",
        )


def credit(issue: RegionForecast) -> None:
    """Credit the source where its licence asks for it."""
    if issue.source == "open-meteo":
        st.caption("Weather data by [Open-Meteo.com](https://open-meteo.com/), CC BY 4.0.")


def refusal(error: CloudburstError) -> None:
    """Show an error that keeps a page from being drawn, with what to do about it."""
    st.error(f"**{plain(error.message)}**  \n{plain(error.hint)}", icon=":material/block:")


def provenance(core: Core, issue: RegionForecast) -> None:
    """Say under a block of numbers where they come from and how old they are."""
    st.caption(
        f"{issue.source_text}; {issue.data_name} {local(issue.data_at, issue.region)}, "
        f"{age(issue.age_s(core.clock()))} old; model {issue.model_version or 'none'}."
    )


def ranking(issue: RegionForecast, most: int = 14) -> pd.DataFrame:
    """Return the places with the highest probability of the target event, unknown ones last."""
    names = {place.id: place.name for place in issue.region.locations}
    rows = [
        {
            "place": names[f.location_id],
            "level": f"{LEVELS[f.level].sign} {LEVELS[f.level].name}".strip() + set_by(f),
            **{event.text: percent(f.exceedance.of(event)) for event in (TARGET, EVENTS[1])},
            "data": f.freshness.value,
        }
        for f in issue.ranked()[:most]
    ]
    return pd.DataFrame(rows)


def curve(forecast: Forecast) -> Exceedance:
    """Let the forecaster choose the hours ahead where the model speaks of several; return their curve."""
    curves = {found.window.text: found for found in forecast.curves}
    if len(curves) == 1:
        return forecast.exceedance
    chosen = st.segmented_control(
        "Hours ahead",
        list(curves),
        default=forecast.exceedance.window.text,
        required=True,
        key="hours ahead",
        help="The level is that of the first six hours, whatever is chosen here.",
    )
    return curves[chosen]


def exceedance_table(curve: Exceedance) -> pd.DataFrame:
    """Return one row per event: probability, interval, and whether it was trained or extrapolated."""
    return pd.DataFrame(
        [
            {
                f"event {event.window.within}": event.text,
                "probability": percent(curve.probability[i]),
                "90 % interval": f"{percent(curve.low[i])} to {percent(curve.high[i])}",
                "climatology": percent(curve.base_rate[i]) if curve.base_rate else "–",
                "basis": _basis(curve, event),
            }
            for i, event in enumerate(curve.events)
        ]
    )


def _basis(curve: Exceedance, event: EventDefinition) -> str:
    if math.isnan(curve.of(event)):
        return "unknown"
    if event in curve.unskilled:
        return "no skill beyond climatology: climatology"
    return "extrapolated" if event in curve.extrapolated else "trained and calibrated"


def flags(forecast: Forecast) -> None:
    """Show the quality flags of the newest observation of a place."""
    if not forecast.reasons and forecast.freshness is Freshness.FRESH:
        st.success("The newest observation passed all checks.", icon=":material/check_circle:")
    for reason in forecast.reasons:
        st.warning(f"{forecast.worst_flag.name}: {reason}", icon=":material/flag:")


def place_names(places: tuple[Location, ...]) -> dict[str, str]:
    """Return id and name of places, by name."""
    return {p.id: p.name for p in sorted(places, key=lambda p: p.name)}


def card(core: Core, version: str) -> None:
    """Show the card of a version, or why it cannot be read."""
    try:
        st.markdown(core.card(version))
    except CloudburstError as error:
        refusal(error)


def scores(scored: Scorecard) -> pd.DataFrame:
    """Return the measures of a scorecard with their intervals; what is not available says so."""
    return pd.DataFrame(
        [
            {
                "measure": MEASURES[name],
                "value": "not available" if m.value is None else f"{m.value:.4f}",
                "90 % interval": "" if m.low is None or m.high is None else f"{m.low:.4f} to {m.high:.4f}",
            }
            for name, m in scored.measures.items()
        ]
    )


def position(issue: RegionForecast, location_id: str) -> int:
    """Return the position of a place in its region."""
    return [p.id for p in issue.region.locations].index(location_id)


def position_of(choices: list[str], wanted: str | None) -> int:
    """Return the position of a choice, the first where it is not among them."""
    return choices.index(wanted) if wanted in choices else 0


def level_text(forecast: Forecast) -> str:
    """Return level and meaning in words."""
    style = LEVELS[forecast.level]
    return f"{style.name} ({style.meaning}){plain(set_by(forecast))}"


def place_provenance(core: Core, issue: RegionForecast, forecast: Forecast) -> None:
    """Say under the observations of one place where they come from and how old its newest one is."""
    seconds = None if forecast.data_at is None else (core.clock() - forecast.data_at).total_seconds()
    newest = local(forecast.data_at, issue.region)
    model = issue.model_version or "none"
    st.caption(f"{issue.source_text}; {issue.data_name} for this place {newest}, {age(seconds)} old; model {model}.")


def version_table(versions: tuple[StoredVersion, ...], champion: str | None) -> pd.DataFrame:
    """Return one row per stored version; refused ones with their reason."""
    return pd.DataFrame([_version_row(v, champion) for v in versions])


def _version_row(stored: StoredVersion, champion: str | None) -> dict[str, str]:
    state = "champion" if stored.version == champion else "stored"
    if stored.shipped:
        state += ", shipped seed model"
    row = {"version": stored.version, "state": f"refused: {stored.refused}" if stored.refused else state}
    if stored.manifest is not None:
        data = stored.manifest.trained_on
        row["trained on"] = _origin(stored.manifest)
        row["period"] = f"{data.begin:%Y-%m-%d} to {data.end:%Y-%m-%d}"
        row["cases"] = f"{data.rows:,} with {data.events:,} events"
        row["created"] = f"{stored.manifest.created_at:%Y-%m-%d %H:%M} UTC"
    return row


def version_of(versions: tuple[StoredVersion, ...], name: str) -> StoredVersion:
    """Return the version of this name."""
    return next(v for v in versions if v.version == name)


def version_provenance(manifest: ModelManifest) -> str:
    """Return where the scores of a version come from, in words."""
    return f"Source: {_origin(manifest)}; scored {manifest.created_at:%Y-%m-%d}."


def features_text(manifest: ModelManifest) -> str:
    """Return which features a version looks at."""
    names = ", ".join(f"`{name}`" for name in manifest.feature_names)
    return f"{manifest.feature_version}, {len(manifest.feature_names)} features: {names}"


def _origin(manifest: ModelManifest) -> str:
    data = manifest.trained_on
    return f"{source_text(data.source)}{', ' + data.area if data.area else ''}"


def cases_text(scored: Scorecard) -> str:
    """Return what the cases of a scorecard were, in words."""
    base = "unknown" if scored.base_rate is None else f"{scored.base_rate:.2%}"
    cases = f"{scored.cases}: {scored.n:,} cases, {scored.events:,} events, base rate {base}"
    return f"{cases}; skill against {scored.reference}."
