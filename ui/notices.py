"""The outbox on a page: who was told outside, what waits, and what was given up and can be sent again."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import CloudburstError, Core, Delivery, DeliveryState, OutboxState, Region
from ui import admin, components, session
from ui.language import current, say
from ui.words import local

#: Deliveries that are shown, the newest.
MOST = 50
STATES = {
    DeliveryState.WAITING: "… waits",
    DeliveryState.FAILED: "↻ failed, is tried again",
    DeliveryState.DEAD: "✕ given up",
    DeliveryState.SENT: "✓ sent",
}
#: What may be sent again by hand.
AGAIN = (DeliveryState.DEAD, DeliveryState.FAILED)


def show(core: Core) -> None:
    """Draw the outbox: counts, a table, and for who may a button that sends again what failed."""
    try:
        state = core.notifying.state()
    except CloudburstError as error:
        components.refusal(error)
        return
    if not state.channels and not state.deliveries:
        st.caption(say("Nobody outside is told: neither a webhook nor a mail service is set."))
        return
    _counts(state)
    shown = state.deliveries[:MOST]
    if not shown:
        st.caption(say("Nothing was told yet."))
        return
    known = admin.may(core)
    picked = st.dataframe(
        table(shown, session.region(), known),
        key="outbox", hide_index=True, height="content", on_select="rerun", selection_mode="multi-row",
    )  # fmt: skip
    if state.count(*AGAIN):
        _offer_again(core, [shown[row] for row in picked.selection.rows if row < len(shown)], state)


def table(deliveries: tuple[Delivery, ...], region: Region, known: bool) -> pd.DataFrame:
    """Return one row per delivery in local time; `known`: who looks may see addresses, and what services said."""
    return pd.DataFrame(
        [
            {
                say("state"): say(STATES[d.state]),
                say("notice"): d.notice.headline,
                say("through"): d.channel if known else d.kind,
                say("tries"): current().number(d.tries),
                say("last try"): local(d.tried_at, region, "%d %b %H:%M:%S"),
                say("next try"): local(d.next_at, region, "%d %b %H:%M:%S") if d.ended_at is None else "–",
                say("why not"): (d.reason or "–") if known else "–",
            }
            for d in deliveries
        ]
    )


def _counts(state: OutboxState) -> None:
    counts = {one: current().number(state.count(one)) for one in STATES}
    text = say(
        "Sent in the last week: {sent}. Waiting: {waiting}. Failed, and tried again: {failed}. Given up: {dead}.",
        sent=counts[DeliveryState.SENT],
        waiting=counts[DeliveryState.WAITING],
        failed=counts[DeliveryState.FAILED],
        dead=counts[DeliveryState.DEAD],
    )
    if state.count(DeliveryState.DEAD) or state.lost:
        st.error(text, icon=":material/unsubscribe:")
    elif state.count(DeliveryState.FAILED):
        st.warning(text, icon=":material/sync_problem:")
    else:
        st.caption(text)
    if state.lost:
        lost = current().number(state.lost)
        st.caption(say("{count} files of the outbox could not be read and were put aside.", count=lost))


def _offer_again(core: Core, picked: list[Delivery], state: OutboxState) -> None:
    """Let who may send again the picked rows, or all that failed where none is picked."""
    chosen = [d for d in picked or state.deliveries if d.state in AGAIN]
    with st.popover(say("Send again"), icon=":material/outgoing_mail:"):
        count = current().number(len(chosen))
        st.caption(
            say("{count} of the picked rows can be sent again.", count=count)
            if picked
            else say("All {count} that failed or were given up; pick rows for some of them.", count=count)
        )
        who = admin.allowed(core, "outbox")
        if who is not None and st.button(say("Send now"), key="send again", type="primary", disabled=not chosen):
            _send(core, chosen)


def _send(core: Core, chosen: list[Delivery]) -> None:
    try:
        for delivery in chosen:
            core.notifying.again(delivery.id)
    except CloudburstError as error:
        components.refusal(error)
        return
    st.rerun()
