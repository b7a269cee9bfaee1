"""What the verification page cannot say yet, and what its numbers never can."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core import Core, Issue, ModelManifest, Truth, VerificationReport, VerifiedCases
from ui import components
from ui.language import say
from ui.verification_controls import Question
from ui.words import count, event_text, heads, local, percent, plain, window_text


def empty(core: Core, now: Issue, question: Question, cases: VerifiedCases) -> None:
    """Say why nothing can be scored yet and when that changes, and show what the model did before it came here."""
    st.info(
        say("**Nothing to score yet.** {why_empty}", why_empty=_why_empty(core, now, question, cases)),
        icon=":material/hourglass_empty:",
    )
    before(core, now, question)


def _why_empty(core: Core, now: Issue, question: Question, cases: VerifiedCases) -> str:
    what = say("forecast of {text}", text=plain(question.text))
    pending = cases.select(cases.given & (cases.truth == Truth.PENDING))
    if not len(cases):
        return say(
            "No {what} was issued {period_text}. Choose another period, window or model version.",
            what=what,
            period_text=question.period_text,
        )
    if not len(pending):
        return say(
            "No {what} issued {period_text} has both a probability and a known truth.",
            what=what,
            period_text=question.period_text,
        )
    first = pending.valid_from.min().astype("datetime64[s]").astype(datetime).replace(tzinfo=core.clock().tzinfo)
    ends = first + timedelta(hours=question.event.window.end_h)
    if ends <= core.clock():
        return say("The first windows are over; their truth is joined when the rain of their last hour has come.")
    region = now.forecast.region
    return say(
        "The first of {count} pending forecasts matures {ends}, when its window is over.",
        count=count(len(pending)),
        ends=local(ends, region),
    )


def without_truth(core: Core, now: Issue, question: Question) -> None:
    """Where no gauge measures: say so, and show what the model did elsewhere."""
    why = say(
        " Truth comes from gauges only: rain of a weather model or of a reanalysis is no truth. Forecasts of this "
        "region are recorded, and can be scored when gauges measure there."
    )
    said = f"**{plain(say(core.scoring.no_truth))}**"
    st.info(said if now.forecast.replayed else said + why, icon=":material/visibility_off:")
    before(core, now, question)


def before(core: Core, now: Issue, question: Question) -> None:
    """Show the scorecards that the serving model brought with it, and that they are not of this place."""
    manifest = serving(core, now)
    cards = [] if manifest is None else [c for c in manifest.scorecards if c.event.window == question.event.window]
    st.subheader(say("What the model did before it came here"), anchor=False)
    if manifest is None or not cards:
        st.caption(
            say("No model serves.")
            if manifest is None
            else say("The model that serves brings no scorecard of this window.")
        )
        return
    st.warning(
        say("From the model's blocked cross-validation, **not from forecasts issued here**."),
        icon=":material/swap_horiz:",
    )
    for card in cards:
        st.markdown(
            say("**{text} within {text_2}**", text=plain(event_text(card.event)), text_2=window_text(card.event.window))
        )
        st.caption(plain(components.cases_text(card)))
        st.dataframe(heads(components.scores(card)), hide_index=True, height="content")
    st.caption(plain(components.version_provenance(manifest)))


def serving(core: Core, now: Issue) -> ModelManifest | None:
    """Return the manifest of the model that serves, None where none does."""
    version = now.forecast.model_version
    return None if version is None else components.version_of(core.versions(), version).manifest


def limits(found: VerificationReport | None) -> None:
    """Say what these numbers cannot say."""
    st.subheader(say("Limits"), anchor=False)
    rare = (
        say("Nothing has been scored yet: there is no base rate and no number of events.")
        if found is None or found.card.base_rate is None
        else say(
            "Base rate {base_rate}: {events} events in {n} forecasts. They are fewer storms than that, since one "
            "storm is many places and hours.",
            base_rate=percent(found.card.base_rate),
            events=count(found.card.events),
            n=count(found.card.n),
        )
    )
    said = (
        rare,
        say(
            "Gauges and grids miss most cloudbursts: 6 of 18 reported Himalayan cloudbursts are in the national grid. "
            "Reanalysis holds none of them: its hourly rain there never exceeds 19.2 mm."
        ),
        say(
            "The transfer of the shipped model to this region is not verified before gauges of this region have "
            "judged it."
        ),
        say("Thresholds marked as extrapolated had too few events to be trained on; they are not verified."),
        say(
            "Truth comes from gauges only. A region with weather-model data alone says: “No truth available: not "
            "verified, not retrained.”"
        ),
        say(
            "References know how often it happened in these very cases, which no forecaster did: skill is rather too "
            "low."
        ),
    )
    st.markdown("\n".join(f"- {line}" for line in said))
