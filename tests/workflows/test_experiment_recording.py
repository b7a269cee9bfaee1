"""What an experiment records: results of variants, what then happened, and what cannot be kept."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.experiment import CaseOutcome, Counts, ModelVariant, Status
from core.errors import ExperimentClosed, ExperimentError
from core.workflows.experimenting import Experimenting
from tests.experiments_made import (
    BEGIN,
    CHALLENGER,
    CONTROL,
    SetClock,
    both,
    experiment,
    experimenting,
    outcome,
    result,
)
from tests.models_made import model_store, stored


@pytest.fixture
def lab(tmp_path: Path) -> Experimenting:
    return experimenting(tmp_path, SetClock())


@pytest.mark.parametrize("way", [("pause",), ("stop",), ("decide",)])
def test_only_a_running_experiment_records(lab: Experimenting, way: tuple[str, ...]) -> None:
    lab.create(experiment())
    lab.record(both())
    for step in way:
        lab.step("monsoon", step, "Ida")
    with pytest.raises(ExperimentClosed) as caught:
        lab.record(both(1))
    assert caught.value.hint
    assert lab.happened("monsoon", [outcome()]) == 2  # outcomes still come in


@pytest.mark.parametrize(
    "broken",
    [
        {"variant_id": "third"}, {"prediction": math.nan}, {"prediction": -0.01}, {"prediction": 1.01},
        {"prediction": math.inf}, {"valid_at": BEGIN.replace(tzinfo=None)}, {"issued_at": BEGIN.replace(tzinfo=None)},
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_kept_is_refused_with_all_others(lab: Experimenting, broken: dict[str, Any]) -> None:
    lab.create(experiment())
    with pytest.raises(ExperimentError) as caught:
        lab.record([*both(), replace(result(case=1), **broken)])
    assert caught.value.hint
    assert lab.records.counts("monsoon", 2) == {}


def test_results_of_several_experiments_are_kept_at_once_or_not_at_all(lab: Experimenting) -> None:
    lab.create(experiment())
    lab.create(experiment(id="winter"), draft=True)
    other = [replace(one, experiment_id="winter") for one in both()]
    with pytest.raises(ExperimentClosed, match="winter"):
        lab.record([*both(), *other])
    assert lab.records.counts("monsoon", 2) == {}
    lab.step("winter", "start", "Ida")
    assert lab.record([*both(), *other]) == 4
    assert lab.record([]) == 0


def test_an_outcome_that_comes_with_the_results_matures_them_at_once(lab: Experimenting) -> None:
    lab.create(experiment())
    assert lab.record([*both(0, actual=True), *both(1, actual=False), *both(2)]) == 6
    assert lab.records.counts("monsoon", 2)[CHALLENGER] == Counts(matured=2, pending=1)
    arm = lab.analyse("monsoon").arms[1]
    assert (arm.events, arm.brier) == (1, pytest.approx((0.5**2 + 0.5**2) / 2))


def test_of_outcomes_that_contradict_each_other_the_first_counts(lab: Experimenting) -> None:
    lab.create(experiment())
    lab.record([result(CONTROL, actual=True), result(CHALLENGER, actual=False)])
    assert [arm.events for arm in lab.analyse("monsoon").arms] == [1, 1]
    lab.happened("monsoon", [outcome(happened=False)])
    assert [arm.events for arm in lab.analyse("monsoon").arms] == [1, 1]


def test_an_outcome_without_a_time_zone_is_refused(lab: Experimenting) -> None:
    lab.create(experiment())
    with pytest.raises(ExperimentError) as caught:
        lab.happened("monsoon", [CaseOutcome("a", BEGIN.replace(tzinfo=None), happened=True)])
    assert caught.value.hint


def test_a_place_and_its_day_are_one_unit_in_every_zone(lab: Experimenting) -> None:
    lab.create(experiment())
    for h in range(18):  # from 6 h to 23 h UTC; in India a new day begins in between
        at = (BEGIN + timedelta(hours=h)).astimezone(timezone(timedelta(hours=5.5 if h % 2 else 0)))
        lab.record([result(CONTROL, valid_at=at, shown=True)])
    assert lab.records.counts("monsoon", 2)[CONTROL].units == 1


def test_the_sums_are_those_of_the_results(lab: Experimenting) -> None:
    rng = np.random.default_rng(5)
    lab.create(experiment())
    p, rival, y = rng.random(60), rng.random(60), rng.random(60) < 0.3
    for i in range(60):  # told one by one, on three days
        lab.record([result(CONTROL, float(rival[i]), i), result(CHALLENGER, float(p[i]), i)])
        lab.happened("monsoon", [outcome(i, bool(y[i]))])
    found = lab.analyse("monsoon")
    assert [arm.brier for arm in found.arms] == pytest.approx([np.mean((x - y) ** 2) for x in (rival, p)], abs=1e-12)
    (contrast,) = found.contrasts
    assert (contrast.pairs, contrast.days, contrast.events) == (60, 3, int(y.sum()))
    gain = 1 - np.sum((p - y) ** 2) / np.sum((rival - y) ** 2)
    assert contrast.gain.value == pytest.approx(gain, abs=1e-12)


def test_an_export_holds_every_result_with_what_happened(lab: Experimenting) -> None:
    lab.create(experiment())
    lab.record([*both(0, actual=True), *both(1)])
    lines = Path(lab.export("monsoon")).read_text().splitlines()
    assert len(lines) == 5
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["True", "True", "", ""]


def test_a_variant_whose_model_is_gone_makes_the_experiment_unhealthy(lab: Experimenting, tmp_path: Path) -> None:
    version = stored(model_store(tmp_path / "models")).version
    variants = (ModelVariant("a", version=version), ModelVariant("b", version=version))
    house = {"source": "gauges", "region_id": "r"}
    lab.create(experiment(variants=variants, **house))
    assert lab.analyse("monsoon").status is Status.COLLECTING
    assert [one.id for one in lab.running("gauges", "r")] == ["monsoon"]
    assert lab.running("gauges", "other") == ()
    gone = (variants[0], ModelVariant("b", version="nobody's"))
    lab.create(experiment(id="gone", variants=gone, **house))
    found = lab.analyse("gone")
    assert found.status is Status.UNHEALTHY
    assert "nobody's" in found.text
    lab.step("monsoon", "pause", "Ida")
    assert [one.id for one in lab.running("gauges", "r")] == ["gone"]
