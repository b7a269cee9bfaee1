"""Scoring what was issued: only what is known counts, references are strict, few events give no verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, TARGET, WINDOWS, Window, events_in
from core.domain.verification import Truth, VerifiedCases
from core.domain.weather import Region
from core.errors import LeakSuspected
from core.workflows.scoring import CLIMATOLOGY, FEW_EVENTS, OWN, PERSISTENCE, Scoring, scorable
from tests.verified_made import FIRST, cases, untold
from tests.weather_made import PLACES, REGION

SHORT = Window(0, 1)


@dataclass
class FakeVerifying:
    """What scoring asks of the workflow that joins truths."""

    region: Region = REGION
    no_truth: str = ""

    @property
    def observing(self) -> Any:
        return SimpleNamespace(region=lambda _: self.region)

    def issued(self, _region_id: str, window: Window, _since: object) -> VerifiedCases:
        return cases(window=window)


SCORING = Scoring(FakeVerifying())  # type: ignore[arg-type] # a hand-written fake of the part that is asked


def test_a_forecast_that_knows_something_has_skill_and_noise_has_none() -> None:
    knowing, noise = SCORING.report(cases(), TARGET), SCORING.report(cases(skill=0.0), TARGET)
    assert knowing is not None and noise is not None
    assert knowing.has_skill and not knowing.too_few
    assert not noise.has_skill and not noise.too_few
    assert knowing.card.measures["auc"].value > 0.7
    assert noise.card.measures["auc"].value < 0.6


def test_what_the_numbers_meant_counts_every_case_once() -> None:
    made = cases()
    found = SCORING.report(made, TARGET)
    assert found is not None
    assert sum(row.n for row in found.meant) == found.card.n == made.matured == len(made)
    assert sum(row.events for row in found.meant) == found.card.events == int(made.happened(TARGET).sum())
    said = made.probability_of(TARGET)
    ten = next(row for row in found.meant if row.low == 0.1)
    inside = (said >= ten.low) & (said < ten.high)
    assert (ten.n, ten.events) == (inside.sum(), made.happened(TARGET)[inside].sum())


@pytest.mark.parametrize("truth", [Truth.PENDING, Truth.MISSING])
def test_what_is_not_known_is_not_scored_and_never_taken_for_no_rain(truth: Truth) -> None:
    made = cases()
    wet = made.hourly_mm >= TARGET.threshold_mm
    found = SCORING.report(untold(made, wet & (np.arange(len(made)) % 2 == 0), truth), TARGET)
    assert found is not None
    assert found.card.n < len(made)
    assert found.card.events == int((wet & (np.arange(len(made)) % 2 == 1)).sum())
    assert found.cases.issued == len(made)  # the page counts them all the same


def test_a_forecast_without_a_number_is_not_scored() -> None:
    made = cases()
    made.probability[:100] = np.nan
    found = SCORING.report(made, TARGET)
    assert found is not None
    assert found.card.n == len(made) - 100
    assert found.cases.unknown == 100


def test_nothing_known_is_no_report() -> None:
    made = cases(days=2)
    assert SCORING.report(untold(made, np.ones(len(made), bool), Truth.PENDING), TARGET) is None
    assert SCORING.report(VerifiedCases.none("gauges", REGION.id, DEFAULT_WINDOW), TARGET) is None


def test_few_events_are_no_verdict_however_good_they_look() -> None:
    made = cases()
    wet = np.flatnonzero(made.happened(TARGET) == 1)
    dry = np.flatnonzero(made.happened(TARGET) == 0)
    few = made.select(np.sort(np.r_[wet[: FEW_EVENTS - 1], dry]))
    few.probability[:, 0] = np.where(few.happened(TARGET) == 1, 0.9, 0.001)
    found = SCORING.report(few, TARGET)
    assert found is not None
    assert found.card.measures["brier_skill"].low > 0
    assert found.too_few and not found.has_skill


def test_few_days_are_no_verdict_however_many_events() -> None:
    week, less = SCORING.report(cases(days=7, mean_mm=3.5), TARGET), SCORING.report(cases(days=6, mean_mm=3.5), TARGET)
    assert week is not None and less is not None
    assert less.card.events > FEW_EVENTS
    assert (week.too_few, less.too_few) == (False, True)


def test_the_forecast_is_compared_with_persistence_on_the_same_days() -> None:
    found = SCORING.report(cases(), TARGET)
    assert found is not None
    own, lasting = (card.measures["brier_skill"].value for card in (found.card, found.references[PERSISTENCE]))
    assert found.beyond_persistence.value == pytest.approx(own - lasting)


def test_scores_too_good_to_be_true_are_refused() -> None:
    made = cases()
    made.probability[:, 0] = np.where(made.happened(TARGET) == 1, 0.9, 0.001)
    with pytest.raises(LeakSuspected):
        SCORING.report(made, TARGET)


@pytest.mark.parametrize(("days", "seasonal"), [(29, False), (30, True)])
def test_the_climatology_is_that_of_the_cases_and_knows_the_hour_only_after_a_month(days: int, seasonal: bool) -> None:
    found = SCORING.report(cases(days=days), TARGET)
    assert found is not None
    climate = found.references[CLIMATOLOGY].measures
    assert climate["brier_skill"].value == 0
    assert (climate["auc"].value > 0.5) is seasonal
    assert ("3 hours of the day" in found.card.reference) is seasonal


def test_persistence_knows_the_rain_before_the_window_and_none_of_it() -> None:
    rng = np.random.default_rng(1)
    lasting = SCORING.report(cases(), TARGET)  # the state of a day lasts
    made = cases()
    chance = SCORING.report(replace(made, hourly_mm=rng.permutation(made.hourly_mm)), TARGET)
    assert lasting is not None and chance is not None
    assert lasting.references[PERSISTENCE].measures["auc"].value > 0.6
    assert chance.references[PERSISTENCE].measures["auc"].value < 0.56  # its own window's rain would give 1
    assert list(lasting.curves) == [OWN, PERSISTENCE]


def test_groups_are_months_and_bands_of_elevation_or_of_latitude() -> None:
    made = cases()
    found = SCORING.report(made, TARGET)
    assert found is not None
    assert list(found.groups) == ["month", "elevation"]
    assert list(found.groups["month"]) == ["2026-07", "2026-08"]
    assert {k: card.n for k, card in found.groups["elevation"].items()} == {
        "0 to 1,000 m": 2 * len(made) // 3, "1,000 to 2,500 m": len(made) // 3,
    }  # fmt: skip
    one = replace(REGION, locations=(*PLACES[:2], replace(PLACES[2], elevation_m=math.nan)))
    some = Scoring(FakeVerifying(one)).report(made, TARGET)  # type: ignore[arg-type] # the fake
    assert some is not None
    assert some.groups["elevation"]["elevation not known"].n == len(made) // 3
    flat = replace(REGION, locations=tuple(replace(place, elevation_m=math.nan) for place in PLACES))
    unknown = Scoring(FakeVerifying(flat)).report(made, TARGET)  # type: ignore[arg-type] # the fake
    assert unknown is not None
    assert {k: card.n for k, card in unknown.groups["latitude"].items()} == {"30 to 31 °": len(made)}
    gone = Scoring(FakeVerifying(replace(REGION, locations=()))).report(made, TARGET)  # type: ignore[arg-type] # the fake
    assert gone is not None
    assert list(gone.groups["latitude"]) == ["place not known"]


def test_every_window_that_knows_the_event_is_scored() -> None:
    issued = {window: cases(window=window) for window in WINDOWS}
    assert list(SCORING.by_window(issued, TARGET)) == ["0 to 1 h", "0 to 3 h", "0 to 6 h"]
    mini = events_in(DEFAULT_WINDOW)[-1]
    assert list(SCORING.by_window(issued, mini)) == ["0 to 3 h", "0 to 6 h"]
    issued[WINDOWS[1]] = VerifiedCases.none("gauges", REGION.id, WINDOWS[1])
    assert list(SCORING.by_window(issued, TARGET)) == ["0 to 1 h", "0 to 6 h"]


def storm(warned_from_h: int) -> tuple[VerifiedCases, VerifiedCases]:
    """Return forecasts and hours of one place: dry, but 20 mm fall in the hour that ends at hour 20."""

    def of(window: Window) -> VerifiedCases:
        made = cases(days=2, window=window)
        one = made.select(made.location_id == "b")
        one.hourly_mm[:] = 0.0
        one.probability[:] = 0.01
        return one

    forecasts, hours = of(DEFAULT_WINDOW), of(SHORT)
    hours.hourly_mm[19] = 20.0
    forecasts.probability[warned_from_h:20, 0] = 0.5
    return forecasts, hours


@pytest.mark.parametrize(("warned_from_h", "lead_h"), [(19, 0), (16, 3), (20, None)])
def test_the_lead_time_counts_from_the_first_warning_that_stood(warned_from_h: int, lead_h: int | None) -> None:
    leads = SCORING.lead_times(*storm(warned_from_h), TARGET, 0.3)
    assert (leads.episodes, leads.missed) == (1, int(lead_h is None))
    assert leads.median_h == lead_h
    assert leads.hour.tolist() == [20]


def test_a_missing_issue_breaks_a_warning() -> None:
    forecasts, hours = storm(14)
    gap = forecasts.select(forecasts.valid_from != FIRST + 17)
    assert SCORING.lead_times(gap, hours, TARGET, 0.3).median_h == 1


def test_two_hours_of_rain_are_added_for_the_mini_cloudburst() -> None:
    forecasts, hours = storm(16)
    mini = events_in(DEFAULT_WINDOW)[-1]
    forecasts.probability[16:20, -1] = 0.5
    hours.hourly_mm[18:20] = 30.0
    leads = SCORING.lead_times(forecasts, hours, mini, 0.3)
    assert (leads.episodes, leads.hour.tolist(), leads.median_h) == (1, [20], 3)


def test_a_forecast_that_stands_does_not_turn_and_one_that_swings_does() -> None:
    made = cases(days=3)
    made.probability[:] = 0.02
    made.level[:] = "green"
    still = SCORING.stability(made, TARGET)
    assert (still.flip_flop.value, still.level_changes.value) == (0, 0)
    made.probability[::2, 0] = 0.2
    made = replace(made, level=np.where(made.probability[:, 0] > 0.1, "orange", "green"))
    swinging = SCORING.stability(made, TARGET)
    assert swinging.flip_flop.value > 0.1
    assert swinging.level_changes.value == 1


def test_only_what_can_be_scored_is() -> None:
    made = cases(days=2)
    made.probability[3] = np.nan
    made = untold(made, np.arange(len(made)) == 5, Truth.MISSING)
    assert len(scorable(made, TARGET)) == len(made) - 2


def test_what_was_issued_comes_from_the_ledger_with_its_reason_where_there_is_none() -> None:
    assert len(SCORING.issued(REGION.id, SHORT)) == len(cases(window=SHORT))
    assert Scoring(FakeVerifying(no_truth="No truth.")).no_truth == "No truth."  # type: ignore[arg-type] # the fake
