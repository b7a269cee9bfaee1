"""Experimenting: the life of an experiment, and who is shown what at each of its stages."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.domain.experiment import ModelVariant, Rollout, Stage, Status, TrafficSplitStrategy
from core.errors import ExperimentClosed, ExperimentError, ExperimentExists, UnknownExperiment
from core.workflows.experimenting import Experimenting
from tests.experiments_made import BEGIN, CHALLENGER, CONTROL, SetClock, both, experiment, experimenting

UNITS = tuple(f"place {i}" for i in range(400))


@pytest.fixture
def lab(tmp_path: Path) -> Experimenting:
    return experimenting(tmp_path, SetClock())


def shown(lab: Experimenting, name: str = "monsoon") -> dict[str, int]:
    found = [lab.select(name, unit).variant_id for unit in UNITS]
    return {variant: found.count(variant) for variant in set(found)}


def test_an_experiment_is_registered_started_and_written_down(lab: Experimenting) -> None:
    made = lab.create(experiment(created_by="Ida", why="is it better?"))
    assert lab.experiment("monsoon") == made
    steps = lab.records.steps("monsoon")
    assert [(s.action, s.stage, s.who, s.why, s.at) for s in steps] == [
        ("create", Stage.DRAFT, "Ida", "is it better?", BEGIN),
        ("start", Stage.RUNNING, "Ida", "is it better?", BEGIN),
    ]
    assert lab.analyse("monsoon").status is Status.COLLECTING


def test_a_draft_shows_the_control_and_records_nothing_until_it_is_started(lab: Experimenting) -> None:
    lab.create(experiment(), draft=True)
    assert lab.stage("monsoon") is Stage.DRAFT
    assert shown(lab) == {CONTROL: len(UNITS)}
    assert lab.analyse("monsoon").status is Status.NOT_STARTED
    with pytest.raises(ExperimentClosed, match="draft") as caught:
        lab.record(both())
    assert "Start it" in caught.value.hint
    lab.step("monsoon", "start", "Ida")
    assert lab.record(both()) == 2


def test_a_name_is_given_once_and_a_definition_never_changes(lab: Experimenting) -> None:
    lab.create(experiment())
    with pytest.raises(ExperimentExists) as caught:
        lab.create(experiment(alarm=0.5))
    assert caught.value.hint
    assert lab.experiment("monsoon") == experiment()
    assert len(lab.records.steps("monsoon")) == 2


#: Actions that lead to a stage, and those that are refused there.
REFUSED = [
    ((), {"pause", "grow", "decide", "create"}),
    (("start",), {"start", "create"}),
    (("start", "pause"), {"pause", "grow", "create"}),
    (("start", "stop"), {"start", "pause", "grow", "stop", "create"}),
    (("stop",), {"start", "pause", "grow", "stop", "create"}),
    (("start", "decide"), {"start", "pause", "grow", "stop", "decide", "create"}),
]


@pytest.mark.parametrize(("way", "refused"), REFUSED, ids=lambda x: "-".join(sorted(x)) or "draft")
def test_a_stage_allows_what_it_allows(lab: Experimenting, way: tuple[str, ...], refused: set[str]) -> None:
    for action in ("create", "start", "pause", "grow", "stop", "decide"):
        name = f"x-{action}"
        lab.create(experiment(id=name), draft=True)
        for step in way:
            lab.step(name, step, "Ida")
        before = lab.records.steps(name)
        if action in refused:
            with pytest.raises(ExperimentClosed, match=before[-1].stage.value) as caught:
                lab.step(name, action, "Ida")
            assert caught.value.hint
            assert lab.records.steps(name) == before
        else:
            lab.step(name, action, "Ida")
            assert lab.records.steps(name)[-1].action == action


def test_of_two_that_take_a_step_at_once_one_is_told_to_look_again(lab: Experimenting) -> None:
    lab.create(experiment())
    door, steps = threading.Barrier(2), lab.records.steps

    def both_have_looked(name: str) -> object:
        found = steps(name)
        door.wait(timeout=10)
        return found

    lab.records.steps = both_have_looked  # type: ignore[method-assign, assignment]

    def taken(action: str) -> str:
        try:
            lab.step("monsoon", action, "Ida")
        except ExperimentClosed as error:
            return error.message
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(taken, ("pause", "stop")))
    assert said == ["", "Somebody else changed monsoon in between."]
    assert len(steps("monsoon")) == 3


def test_what_does_not_exist_is_refused_with_what_does(lab: Experimenting) -> None:
    with pytest.raises(UnknownExperiment) as caught:
        lab.select("monsoon", "u")
    assert caught.value.hint == "Known are: none yet."
    lab.create(experiment())
    for call in (lab.analyse, lab.export, lambda name: lab.happened(name, []), lambda name: lab.step(name, "stop", "")):
        with pytest.raises(UnknownExperiment, match="no experiment of this name") as caught:
            call("winter")
        assert "monsoon" in caught.value.hint
    with pytest.raises(UnknownExperiment, match="no variant of this name") as caught:
        lab.decide("monsoon", "third", "Ida", "so there")
    assert f"{CONTROL}, {CHALLENGER}" in caught.value.hint


PERCENTAGE = TrafficSplitStrategy.PERCENTAGE


def halves(*percent: float) -> tuple[ModelVariant, ...]:
    return tuple(ModelVariant(f"v{i}", traffic_percentage=share) for i, share in enumerate(percent))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""}, {"id": "../x"}, {"id": "-x"}, {"id": "a b"}, {"id": "x" * 65}, {"id": "x\n"},
        {"variants": ()}, {"variants": halves(100)}, {"variants": (ModelVariant("a"), ModelVariant("a"))},
        {"variants": (ModelVariant("a"), ModelVariant("b/c"))},
        {"strategy": PERCENTAGE, "variants": halves(50, 49)}, {"strategy": PERCENTAGE, "variants": halves(150, -50)},
        {"strategy": PERCENTAGE, "variants": halves(math.nan, 50)},
        {"strategy": TrafficSplitStrategy.USER_HASH, "variants": halves(50, 50.01)},
        {"strategy": TrafficSplitStrategy.GRADUAL_ROLLOUT, "variants": halves(0, 0, 0)},
        *({"strategy": TrafficSplitStrategy.GRADUAL_ROLLOUT, "rollout": Rollout(steps)}
          for steps in ((), (30.0, 10.0), (10.0, 10.0), (-1.0, 5.0), (50.0, 101.0))),
    ],
)  # fmt: skip
def test_a_definition_that_makes_no_sense_is_refused(lab: Experimenting, changes: dict[str, object]) -> None:
    with pytest.raises(ExperimentError) as caught:
        lab.create(experiment(**changes))
    assert caught.value.hint
    assert lab.files.experiments() == ()


def test_thirds_are_whole_enough(lab: Experimenting) -> None:
    lab.create(experiment(strategy=PERCENTAGE, variants=halves(33.33, 33.33, 33.34)))
    lab.create(experiment(id="x", strategy=PERCENTAGE, variants=halves(100 / 3, 100 / 3, 100 / 3)))
    assert set(shown(lab)) == set(shown(lab, "x")) == {"v0", "v1", "v2"}


def test_a_unit_keeps_its_variant_and_new_units_are_split(lab: Experimenting) -> None:
    lab.create(experiment())
    first = [lab.select("monsoon", unit) for unit in UNITS]
    assert [lab.select("monsoon", unit) for unit in UNITS] == first
    assert set(shown(lab)) == {CONTROL, CHALLENGER}
    assert {lab.select("monsoon").variant_id for _ in range(60)} == {CONTROL, CHALLENGER}


def test_who_is_shown_what_follows_the_stage(lab: Experimenting) -> None:
    lab.create(experiment())
    running = shown(lab)
    lab.step("monsoon", "pause", "Ida")
    assert shown(lab) == {CONTROL: len(UNITS)}
    lab.step("monsoon", "start", "Ida")
    assert shown(lab) == running
    lab.step("monsoon", "stop", "Ida")
    assert shown(lab) == {CONTROL: len(UNITS)}
    lab.decide("monsoon", CHALLENGER, "Ida", "cheaper")
    assert shown(lab) == {CHALLENGER: len(UNITS)}


def test_a_decision_for_nobody_shows_the_control(lab: Experimenting) -> None:
    lab.create(experiment())
    lab.decide("monsoon", None, "Ida", " no difference ")
    assert shown(lab) == {CONTROL: len(UNITS)}
    winner = lab.analyse("monsoon").winner
    assert (winner.winner_variant, winner.rule) == (None, "decided by Ida: no difference")


def test_a_decision_needs_a_reason_and_keeps_the_evidence(lab: Experimenting) -> None:
    lab.create(experiment())
    with pytest.raises(ExperimentError, match="reason") as caught:
        lab.decide("monsoon", CHALLENGER, "Ida", "  ")
    assert caught.value.hint
    lab.decide("monsoon", CHALLENGER, "Ida", "cheaper")
    detail = lab.records.steps("monsoon")[-1].detail
    assert detail == {"winner": CHALLENGER, "status": "Collecting", "evidence": {}}
    found = lab.analyse("monsoon")
    assert (found.winner.winner_variant, found.stage) == (CHALLENGER, Stage.DECIDED)


def test_what_a_process_left_that_died_before_the_first_step_is_taken_up(lab: Experimenting) -> None:
    lab.files.store(experiment())
    with pytest.raises(ExperimentExists):
        lab.create(experiment(why="another definition"))
    lab.create(experiment())
    assert lab.stage("monsoon") is Stage.RUNNING
    with pytest.raises(ExperimentExists):
        lab.create(experiment())
