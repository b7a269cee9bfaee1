"""Experiments on the page: the list, and one in full: what it comes to, who is shown what, why one may believe it."""

from __future__ import annotations

import streamlit as st

from core import CloudburstError, Code, Contrast, Core, ExperimentAnalysis, Issue, Stage, Status, TrafficSplitStrategy
from ui import components, experiment_tables
from ui import experiment_figures as figures
from ui.experiment_tables import ADVICE, CODES, STAGES, STATUS, STRATEGIES, share
from ui.language import say
from ui.words import count, event_text, heads, local, plain, source, within

#: What is below is brought about by chance in one of a thousand experiments: the core raises its alarm there.
SAMPLE_RATIO_ALARM = 0.001


def found(core: Core, now: Issue) -> tuple[ExperimentAnalysis, ...]:
    """Return the experiments of this region and those recorded by hand: what runs first, then the newest.

    Where the ledger does not answer, the page says so and ends.
    """
    mine = {(core.lifecycle.source, now.forecast.region.id), ("", "")}
    try:
        known = [e for e in core.experiments.files.experiments() if (e.source, e.region_id) in mine]
        analyses = [core.experiments.analyse(e.id) for e in reversed(known)]
    except CloudburstError as error:
        components.refusal(error)
        st.stop()
    return tuple(sorted(analyses, key=lambda one: list(STAGES).index(one.stage)))


def none_yet() -> None:
    """Say what an experiment is and how one begins."""
    st.info(
        say(
            "**No experiment yet.** An experiment lets two versions forecast the same hours side by side, shows each "
            "to a share of the stations or users, waits for what really fell, and says which one was better, how sure "
            "that is, and whether anything got worse.  \nTo begin: have two versions (page Models, *Retrain*), see "
            "below how many events it will take, then *New experiment*. Scripts may begin one as well, with "
            "`ABTestingFramework`."
        ),
        icon=":material/science:",
    )


def overview(analyses: tuple[ExperimentAnalysis, ...]) -> None:
    """Show the list of the experiments."""
    st.dataframe(heads(experiment_tables.listed(analyses)), hide_index=True)
    st.caption(
        say(
            "One row per challenger. Gain: by how many percent the challenger's Brier score is smaller (better) than "
            "the control's on the same cases; + is better. An interval that holds 0 says: it may be chance. *Not "
            "yet*: too few events or days to say."
        )
    )


def choose(analyses: tuple[ExperimentAnalysis, ...]) -> ExperimentAnalysis:
    """Let one be chosen; the address follows."""
    names = [one.experiment.id for one in analyses]
    if st.session_state.get("experiment") not in names:
        st.session_state.pop("experiment", None)  # one that another region left behind
    chosen = st.selectbox(say("Experiment"), names, key="experiment", bind="query-params", width=420)
    return analyses[components.position_of(names, chosen)]


def standing(now: Issue, one: ExperimentAnalysis) -> None:
    """Show what it comes to, in a word and a sentence, and what it is."""
    colour = "violet" if one.stage is Stage.DECIDED else STATUS[one.status][1]
    with st.container(border=True):
        st.header(f":{colour}[{plain(experiment_tables.status_words(one))}]", anchor=False)
        st.subheader(plain(sentence(one)), anchor=False)
        st.markdown(f"{experiment_tables.stage_words(one.stage)}: {say(STAGES[one.stage][1])}.")
        st.markdown(advice(one))
        st.caption(_definition(now, one))
    for code in one.codes if one.stage is not Stage.DRAFT else ():
        meaning, remedy = CODES[code]
        show = st.info if code is Code.TOO_FEW_EVENTS else st.warning
        icon = ":material/hourglass_empty:" if code is Code.TOO_FEW_EVENTS else ":material/warning:"
        show(f"**{say(meaning)}.** {say(remedy)}", icon=icon)


def sentence(one: ExperimentAnalysis) -> str:
    """Return what is to be said of it: the decision and its evidence where it is decided, else what the records say."""
    if one.stage is Stage.DECIDED:
        return f"{one.winner.rule[:1].upper()}{one.winner.rule[1:]}. {_evidence(one)}"
    if one.stage is Stage.STOPPED and one.status is Status.COLLECTING:
        return say("It was stopped before the records could decide.")
    return say(one.text)


def advice(one: ExperimentAnalysis) -> str:
    """Return what to do next."""
    if one.stage is Stage.DECIDED:
        won = one.winner.winner_variant not in (None, one.experiment.control.variant_id)
        return say("To do: promote the winner; the gate is asked once more.") if won else say("To do: nothing.")
    if one.stage is Stage.STOPPED:
        return say("To do: decide it, so that the ledger says how it ended.")
    return say("To do: {advice}", advice=say(ADVICE[one.status]))


def _evidence(one: ExperimentAnalysis) -> str:
    """Return what the records said when it was decided, in words."""
    known = one.winner.evidence
    parts = [known.get(f"{what}_percent") for what in ("gain", "low", "high")]
    if any(part is None for part in parts):
        return say("The records had not decided by then.")
    value, low, high = parts
    return say(
        "By then the challenger's gain was {value:+.1f} % ({low:+.1f} to {high:+.1f} % at every look) in {cases} "
        "cases with {events} events on {days} days.",
        value=value,
        low=low,
        high=high,
        cases=count(known["cases"]),
        events=count(known["events"]),
        days=known["days"],
    )


def _definition(now: Issue, one: ExperimentAnalysis) -> str:
    e = one.experiment
    whose = source(now.forecast.source_text) if e.source else say("Recorded by hand")
    why = say(" to find out: {why}", why=plain(e.why.rstrip("."))) if e.why else ""
    begun = local(e.created_at, now.forecast.region, "%d %b %Y %H:%M")
    return say(
        "{whose}. Event: {text} {within}; a warning is given from {alarm:.3g} % on. {strategies}, by {value}. Defined "
        "{begun} by {created_by}{why}.",
        whose=whose,
        text=event_text(e.event),
        within=within(e.event.window),
        alarm=100 * e.alarm,
        strategies=say(STRATEGIES[e.strategy]).capitalize(),
        value=say(e.unit.value),
        begun=begun,
        created_by=plain(e.created_by or say("nobody named")),
        why=why,
    )


def arms(core: Core, one: ExperimentAnalysis) -> None:
    """Show the arms: who is shown what, and how each did by itself."""
    shares = core.experiments.shares(one.experiment)
    st.dataframe(heads(experiment_tables.shown_to(one, shares)), hide_index=True)
    st.caption(
        say(
            "Every variant forecasts every case; the share says only whose forecast people see. Units are counted "
            "since the shares last changed. A forecast is *awaited* until rain gauges tell what fell, and given up "
            "{expire_h:g} h after its window began.",
            expire_h=one.experiment.rules.expire_h,
        )
    )
    st.dataframe(heads(experiment_tables.scored(one)), hide_index=True)
    st.caption(
        say(
            "Brier score: mean squared error of the probability, less is better. POD: events with a warning; FAR: "
            "warnings without an event; CSI: hits among both. Calibration slope: 1 is honest, below 1 too extreme, "
            "above 1 too timid. Rows compare the arms only roughly; the comparison on the same cases follows."
        )
    )


def contrasts(one: ExperimentAnalysis) -> None:
    """Show every challenger against the control."""
    if not any(c.pairs for c in one.contrasts):
        st.info(say("No case has an outcome yet that both sides have forecast."), icon=":material/hourglass_empty:")
        return
    for c in one.contrasts:
        _contrast(one, c)


def _contrast(one: ExperimentAnalysis, c: Contrast) -> None:
    control = one.experiment.control.variant_id
    st.markdown(
        say(
            "**{variant_id} against {control}**: {pairs} cases both have forecast, with {events} events on {days} days",
            variant_id=plain(c.variant_id),
            control=plain(control),
            pairs=count(c.pairs),
            events=count(c.events),
            days=count(c.days),
        )
    )
    left, right = st.columns([10, 11], gap="medium")
    with left:
        st.dataframe(heads(experiment_tables.contrasted(one, c)), hide_index=True)
        st.caption(
            say(
                "More than 0 speaks for the challenger, but not for FAR. A small p: chance alone seldom brings it "
                "about."
            )
        )
        st.dataframe(heads(experiment_tables.guardrails(c)), hide_index=True)
        st.caption(
            say("A broken guardrail keeps a better Brier score from shipping; POD, latency and errors roll it back.")
        )
    with right:
        if not c.growth.events:
            st.info(
                say(
                    "The figure of the effect begins with {min_events} events on {min_days} days.",
                    min_events=one.experiment.rules.min_events,
                    min_days=one.experiment.rules.min_days,
                ),
                icon=":material/show_chart:",
            )
            return
        figure = figures.growth(c, one.experiment.rules.practical_percent)
        st.plotly_chart(figure, key=f"growth {c.variant_id}")
        st.caption(
            say(
                "How sure one could be, event by event. When the whole band has left the line at 0, it is decided, "
                "and one may stop on the day that happens. A band within the grey strip says: no difference that "
                "matters."
            )
        )


def health(one: ExperimentAnalysis) -> None:
    """Show whether the experiment itself is sound."""
    p, coverage, least = one.sample_ratio_p, one.coverage, one.experiment.rules.coverage
    split = (
        say("no units yet")
        if p is None
        else f"✓ p = {p:.3f}"
        if p >= SAMPLE_RATIO_ALARM
        else f"✕ p < {SAMPLE_RATIO_ALARM:g}"
    )
    covered = say("no cases yet") if coverage is None else f"{'✓' if coverage >= least else '✕'} {100 * coverage:.1f} %"
    with st.container(horizontal=True):
        st.metric(say("Sample ratio"), split, border=True, width=220)
        st.metric(say("Cases forecast by both"), covered, border=True, width=220)
    st.caption(
        say(
            "Sample ratio: whether units were shown the variants in the shares set; p below {SAMPLE_RATIO_ALARM:g} "
            "means that something is lost or assigned twice. Cases forecast by both: {least} are needed, else the "
            "comparison may leave out the hard ones.",
            SAMPLE_RATIO_ALARM=SAMPLE_RATIO_ALARM,
            least=share(least),
        )
    )


def reliability(one: ExperimentAnalysis) -> None:
    """Show the reliability of all arms in one figure."""
    if not any(arm.reliability for arm in one.arms):
        st.info(say("No outcome is known yet."), icon=":material/hourglass_empty:")
        return
    st.plotly_chart(figures.reliability(one.arms), key="arms reliability")
    st.caption(
        say(
            "On the dashed line it rained as often as was said; below it was said too often (false alarms), above too "
            "seldom (missed). Hollow signs: nothing happened there. Far right few cases stand behind a sign: see them "
            "by pointing at it."
        )
    )


def steps(core: Core, now: Issue, one: ExperimentAnalysis) -> None:
    """Show who changed what, when and why, and who was shown which variant from then on."""
    region, experiment = now.forecast.region, one.experiment
    try:
        taken = core.experiments.records.steps(experiment.id)
    except CloudburstError as error:
        components.refusal(error)
        return
    if experiment.strategy is TrafficSplitStrategy.GRADUAL_ROLLOUT and len(taken) > 1:
        until = None if one.stage in (Stage.STOPPED, Stage.DECIDED) else core.clock()
        st.plotly_chart(figures.rollout(experiment, taken, region, until), key="rollout")
    st.dataframe(heads(experiment_tables.taken(experiment, taken, region)), hide_index=True)
    st.caption(say("The ledger of this experiment, the newest first; nothing in it is ever rewritten."))
