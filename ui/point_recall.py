"""When we said this before: how often it happened after a probability like the one shown."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core import TARGET, CloudburstError, Core, Forecast, Issue, Recall, Recalled, recalled, said_like
from ui.language import say
from ui.shared import shared
from ui.words import event_text, percent, plain

#: Days of issued forecasts that are looked through.
DAYS = 90


def show(core: Core, now: Issue, forecast: Forecast) -> None:
    """Say what became of the issued forecasts of this region that said what is said now, or why nobody can say."""
    probability = forecast.exceedance.of(TARGET)
    if probability != probability:  # noqa: PLR0124 - NaN: nothing is said now
        return
    if core.scoring.no_truth:
        st.info(say("Not verified: {why}", why=say(core.scoring.no_truth)), icon=":material/history:")
        return
    try:
        told = _told(now.forecast.version, now.forecast.region.id, core)
    except CloudburstError as error:
        st.info(say("Not verified: {why}", why=plain(str(error))), icon=":material/history:")
        return
    text = sentence(said_like(told, probability))
    st.info(f"{text} {say('Forecasts and truth are simulated.')}" if now.forecast.simulated else text,
            icon=":material/history:")  # fmt: skip


def sentence(found: Recalled | None) -> str:
    """Return in words what became of forecasts like this one."""
    if found is None:
        return say("Not verified yet: no forecast issued here can be compared with what fell.")
    said = {"low": f"{100 * found.low:g}", "high": f"{100 * found.high:g}", "event": event_text(TARGET), "days": DAYS}
    if found.state is Recall.NEVER:
        return say("Not verified: {low} to {high} % for {event} was not said in the last {days} days.", **said)
    counts = {"n": f"{found.n:,}", "events": f"{found.events:,}", "on": found.days}
    if found.state is Recall.FEW or found.frequency is None or found.interval is None:
        return say(
            "Not verified: too few cases. {low} to {high} % for {event} was said {n} times on {on} days; it happened "
            "in {events} of them.",
            **{k: v for k, v in said.items() if k != "days"},
            **counts,
        )
    return say(
        "When we said {low} to {high} % for {event}, it happened in **{events} of {n}** cases ({share}; 90 % interval "
        "{least} to {most}), on {on} days of the last {days}.",
        share=percent(found.frequency),
        least=percent(found.interval[0]),
        most=percent(found.interval[1]),
        **said,
        **counts,
    )


@shared(16)
def _told(version: str, region_id: str, _core: Core) -> tuple[Recalled, ...]:  # noqa: ARG001 - keys the cache
    since = _core.clock() - timedelta(days=DAYS)
    return recalled(_core.scoring.issued(region_id, TARGET.window, since), TARGET)
