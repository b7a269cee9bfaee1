"""Deploying: what is written into pointer and ledger, and what holds where one of them does not answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.domain.learning import Champion
from core.domain.lifecycle import Deployment, Rule, Verdict
from core.errors import ConfigurationError, DeploymentLost, ModelCorrupt, ModelNotFound
from core.workflows.deploying import Deploying

AT = datetime(2026, 7, 29, 18, tzinfo=UTC)
POINTER = ("gauges", "uttarakhand-himachal")
VERDICT = Verdict((Rule("events", True, "60"),))


class Store:
    """A store with one pointer; raises what it is told to."""

    def __init__(self, error: Exception | None = None, last: Deployment | None = None) -> None:
        self.error, self.last, self.asked = error, last, list[Any]()

    def champion(self, *pointer: str) -> Champion:
        self.asked.append(pointer)
        if self.error is not None:
            raise self.error
        return Champion("v1", is_seed=False, generation=3)

    def deploy(self, made: Deployment) -> None:
        if self.error is not None:
            raise self.error
        self.last = made

    def last_deployment(self, *pointer: str) -> Deployment | None:
        self.asked.append(pointer)
        return self.last


class Ledger:
    """Takes deployments down, unless it does not answer."""

    def __init__(self, answers: bool = True) -> None:
        self.answers, self.rows = answers, list[Deployment]()

    def record_deployment(self, made: Deployment) -> None:
        if not self.answers:
            raise ConfigurationError("The ledger cannot be used.")
        self.rows.append(made)


def deploying(store: Store, ledger: Ledger | None = None) -> Deploying:
    return Deploying(store, ledger or Ledger())  # type: ignore[arg-type]


def point(one: Deploying, champion: Champion, **changes: Any) -> Deployment:
    how = {"action": "promoted", "who": "desk", "why": "it is better", "at": AT, "verdict": VERDICT}
    return one.point(POINTER, champion, "v2", **{**how, **changes})


def test_the_champion_is_the_stores() -> None:
    store = Store()
    assert deploying(store).champion(POINTER) == Champion("v1", is_seed=False, generation=3)
    assert store.asked == [POINTER]


def test_a_pointer_that_is_not_believed_stands_on_nobody_with_its_number() -> None:
    store = Store(ModelCorrupt("It is torn.", generation=8))
    assert deploying(store).champion(POINTER) == Champion("", is_seed=False, generation=8)
    with pytest.raises(ModelNotFound):
        deploying(Store(ModelNotFound("Nobody."))).champion(POINTER)


@pytest.mark.parametrize(("version", "before"), [("v1", "v1"), ("", None)])
def test_a_deployment_says_who_served_and_what_number_it_is(version: str, before: str | None) -> None:
    store, ledger = Store(), Ledger()
    made = point(deploying(store, ledger), Champion(version, is_seed=False, generation=3))
    assert made == Deployment(*POINTER, 4, AT, "promoted", "desk", "it is better", before, "v2", VERDICT)
    assert store.last == made
    assert ledger.rows == [made]
    assert point(deploying(store), Champion("v1", is_seed=True), verdict=None).verdict is None


def test_who_was_overtaken_is_told_and_nothing_is_written_down() -> None:
    ledger = Ledger()
    with pytest.raises(DeploymentLost):
        point(deploying(Store(DeploymentLost("Too late.", generation=4)), ledger), Champion("v1", is_seed=False))
    assert ledger.rows == []


def test_a_ledger_that_does_not_answer_undoes_nothing() -> None:
    store = Store()
    with capture_logs() as said:
        made = point(deploying(store, Ledger(answers=False)), Champion("v1", is_seed=False))
    assert store.last == made
    assert [line["event"] for line in said] == ["a deployment is not in the ledger yet"]


def test_what_the_ledger_lacks_is_written_from_the_pointer() -> None:
    made = Deployment(*POINTER, 4, AT, "promoted", "desk", "why", None, "v2")
    store, ledger = Store(last=made), Ledger()
    deploying(store, ledger).reconcile(POINTER)
    assert (ledger.rows, store.asked) == ([made], [POINTER])
    deploying(Store(), ledger).reconcile(POINTER)
    assert ledger.rows == [made]
    with pytest.raises(ConfigurationError):
        deploying(store, Ledger(answers=False)).reconcile(POINTER)
