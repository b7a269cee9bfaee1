"""Pieces that every page is made of: header, banners, legend, tables."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from core import (
    MEASURES,
    TARGET,
    CloudburstError,
    Core,
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
from ui.language import say
from ui.words import age, count, day, event_text, heads, local, plain, source

BadgeColour = Literal["green", "orange", "gray"]
FRESHNESS_BADGES: dict[Freshness, tuple[str, BadgeColour]] = {
    Freshness.FRESH: ("fresh", "green"),
    Freshness.STALE: ("STALE", "orange"),
    Freshness.NO_DATA: ("NO DATA", "gray"),
}


def header(core: Core, issue: RegionForecast, health: Health) -> None:
    """Show on every page whose data these are, how old they are, which model speaks, and whether the house is well."""
    word, colour = FRESHNESS_BADGES[issue.freshness]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="header"):
        st.metric(say("Region"), issue.region.name, width="content")
        st.metric(say("Issued"), local(issue.issued_at, issue.region), width="content")
        st.metric(
            say("Valid for {window_h} h from", window_h=TARGET.window_h),
            local(issue.valid_from, issue.region),
            width="content",
        )
        st.metric(say("Age of data"), age(issue.age_s(core.clock())), help=_data_help(core, issue), width="content")
        st.metric(say("Model"), _model(issue), help=issue.model_version or say("no model serves"), width="content")
        st.badge(source(issue.source_text), color="violet" if issue.simulated else "blue")
        st.badge(say(word), color=colour)
        st.badge(
            say("health {status}", status=say(health.status)), color="green" if health.status == "ok" else "orange"
        )


def _data_help(core: Core, issue: RegionForecast) -> str:
    return f"{say(issue.data_name).capitalize()} {local(issue.data_at, issue.region)}. {core.ages_of(issue)}"


def _model(issue: RegionForecast) -> str:
    if issue.model_version is None:
        return say("none")
    return say("shipped seed") if issue.model_is_seed else issue.model_version.rsplit("_", 2)[0].replace("_", " ")


def banners(issue: RegionForecast, health: Health) -> None:
    """Show everything that is wrong, and what must be known before a number is believed."""
    for problem in health.problems:
        st.error(plain(say(problem)), icon=":material/warning:")
    for note in issue.notes:
        st.info(plain(say(note)), icon=":material/science:")
    known = []
    if issue.simulated:
        known.append(
            say(
                "**{source_text}.** This weather is made by a program; no number here says anything of today.",
                source_text=source(issue.source_text),
            )
        )
    if issue.model_is_seed:
        known.append(
            say("Served by the shipped seed model: **its transfer to this region is not verified** (see Models).")
        )
    if known:
        st.caption(" ".join(known))
    if any(TARGET in forecast.exceedance.unskilled for forecast in issue.forecasts):
        st.warning(
            say(
                "No skill beyond climatology was found for {text}: what is shown is climatology.",
                text=event_text(TARGET),
            ),
            icon=":material/event_repeat:",
        )


def credit(issue: RegionForecast) -> None:
    """Credit the source where its licence asks for it."""
    if issue.source == "open-meteo":
        st.caption(say("Weather data by [Open-Meteo.com](https://open-meteo.com/), CC BY 4.0."))


def refusal(error: CloudburstError) -> None:
    """Show an error that keeps a page from being drawn, with what to do about it."""
    st.error(f"**{plain(say(error.message))}**  \n{plain(say(error.hint))}", icon=":material/block:")


def provenance(core: Core, issue: RegionForecast) -> None:
    """Say under a block of numbers where they come from and how old they are."""
    st.caption(
        say(
            "{source_text}; {data_name} {data_at}, {age_s} old; model {model_version}.",
            source_text=source(issue.source_text),
            data_name=say(issue.data_name),
            data_at=local(issue.data_at, issue.region),
            age_s=age(issue.age_s(core.clock())),
            model_version=issue.model_version or say("none"),
        )
    )


def flags(forecast: Forecast) -> None:
    """Show the quality flags of the newest observation of a place."""
    if not forecast.reasons and forecast.freshness is Freshness.FRESH:
        st.success(say("The newest observation passed all checks."), icon=":material/check_circle:")
    for reason in forecast.reasons:
        st.warning(f"{say(forecast.worst_flag.name)}: {say(reason)}", icon=":material/flag:")


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
    return heads(
        pd.DataFrame(
            [
                {
                    "measure": say(MEASURES[name]),
                    "value": say("not available") if m.value is None else f"{m.value:.4f}",
                    "90 % interval": ""
                    if m.low is None or m.high is None
                    else say("{low:.4f} to {high:.4f}", low=m.low, high=m.high),
                }
                for name, m in scored.measures.items()
            ]
        )
    )


def position(issue: RegionForecast, location_id: str) -> int:
    """Return the position of a place in its region."""
    return [p.id for p in issue.region.locations].index(location_id)


def position_of(choices: list[str], wanted: str | None) -> int:
    """Return the position of a choice, the first where it is not among them."""
    return choices.index(wanted) if wanted in choices else 0


def place_provenance(core: Core, issue: RegionForecast, forecast: Forecast) -> None:
    """Say under the observations of one place where they come from and how old its newest one is."""
    seconds = None if forecast.data_at is None else (core.clock() - forecast.data_at).total_seconds()
    newest = local(forecast.data_at, issue.region)
    model = issue.model_version or say("none")
    st.caption(
        say(
            "{source_text}; {data_name} for this place {newest}, {seconds} old; model {model}.",
            source_text=source(issue.source_text),
            data_name=say(issue.data_name),
            newest=newest,
            seconds=age(seconds),
            model=model,
        )
    )


def version_table(versions: tuple[StoredVersion, ...], champion: str | None) -> pd.DataFrame:
    """Return one row per stored version; refused ones with their reason."""
    return heads(pd.DataFrame([_version_row(v, champion) for v in versions]))


def _version_row(stored: StoredVersion, champion: str | None) -> dict[str, str]:
    state = say("champion") if stored.version == champion else say("stored")
    if stored.shipped:
        state += say(", shipped seed model")
    row = {
        "version": stored.version,
        "state": say("refused: {refused}", refused=stored.refused) if stored.refused else state,
    }
    if stored.manifest is not None:
        data = stored.manifest.trained_on
        row["trained on"] = _origin(stored.manifest)
        row["period"] = say("{begin} to {end}", begin=day(data.begin, "%Y-%m-%d"), end=day(data.end, "%Y-%m-%d"))
        row["cases"] = say("{rows} with {events} events", rows=count(data.rows), events=count(data.events))
        row["created"] = say("{created_at} UTC", created_at=day(stored.manifest.created_at, "%Y-%m-%d %H:%M"))
    return row


def version_of(versions: tuple[StoredVersion, ...], name: str) -> StoredVersion:
    """Return the version of this name."""
    return next(v for v in versions if v.version == name)


def version_provenance(manifest: ModelManifest) -> str:
    """Return where the scores of a version come from, in words."""
    return say(
        "Source: {origin}; scored {created_at}.",
        origin=_origin(manifest),
        created_at=day(manifest.created_at, "%Y-%m-%d"),
    )


def features_text(manifest: ModelManifest) -> str:
    """Return which features a version looks at."""
    names = ", ".join(f"`{name}`" for name in manifest.feature_names)
    return say(
        "{feature_version}, {count} features: {names}",
        feature_version=manifest.feature_version,
        count=len(manifest.feature_names),
        names=names,
    )


def _origin(manifest: ModelManifest) -> str:
    data = manifest.trained_on
    return f"{source(source_text(data.source))}{', ' + data.area if data.area else ''}"


def cases_text(scored: Scorecard) -> str:
    """Return what the cases of a scorecard were, in words."""
    base = say("unknown") if scored.base_rate is None else f"{scored.base_rate:.2%}"
    cases = say(
        "{cases}: {n} cases, {events} events, base rate {base}",
        cases=scored.cases,
        n=count(scored.n),
        events=count(scored.events),
        base=base,
    )
    return say("{cases}; skill against {reference}.", cases=cases, reference=scored.reference)
