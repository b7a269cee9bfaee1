"""The admin routes: the token, the life of a training, promotions with their reasons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core
from core.domain.lifecycle import RunStatus
from tests.models_made import stored
from tests.trainings_made import FakeTrainings

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
REGION = "uttarakhand-himachal"


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTrainings]:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    fake = FakeTrainings()
    open_core().lifecycle.trainings = fake
    yield fake


@pytest.fixture
def client(trainings: FakeTrainings) -> TestClient:
    return TestClient(api, raise_server_exceptions=False, headers={"Authorization": f"Bearer {TOKEN}"})


def test_a_training_begins_is_watched_and_ends(client: TestClient, trainings: FakeTrainings) -> None:
    body = {"model_type": "logistic_regression", "days_back": 30, "why": "new gauges"}
    begun = client.post("/admin/retrain", json=body)
    assert begun.status_code == 202, begun.text
    told = begun.json()
    assert (told["status"], told["algorithm"], told["days_back"]) == ("running", "logistic_regression", 30)
    assert (told["trigger"], told["who"], told["why"]) == ("api", "admin (API)", "new gauges")
    assert client.get(f"/admin/retrain/{told['run_id']}").json()["text"] == "reading"
    trainings.end(RunStatus.SKIPPED, reasons=("empty: there is no observation in this period.",))
    ended = client.get(f"/admin/retrain/{told['run_id']}").json()
    open_core().lifecycle.ended(trainings.now)
    (run,) = client.get("/admin/model/history").json()["runs"]
    assert (run["run_id"], run["status"], run["why"]) == (told["run_id"], "skipped", "new gauges")
    assert ended["status"] == "skipped"
    assert ended["reasons"] == ["empty: there is no observation in this period."]


def test_a_second_training_is_a_conflict_with_the_id_of_the_first(client: TestClient) -> None:
    first = client.post("/admin/retrain", json={}).json()
    second = client.post("/admin/retrain", json={})
    assert second.status_code == 409
    assert second.json()["run_id"] == first["run_id"]
    assert "running since" in second.json()["detail"]


def test_a_training_is_cancelled(client: TestClient, trainings: FakeTrainings) -> None:
    run_id = client.post("/admin/retrain", json={}).json()["run_id"]
    answer = client.post(f"/admin/retrain/{run_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert trainings.cancelled == [run_id]


@pytest.mark.parametrize(
    "body",
    [
        {"model_type": "crystal_ball"},
        {"days_back": 0},
        {"days_back": "30"},
        {"days_back": 10**9},
        {"region": "atlantis"},
        {"surprise": 1},
        {"why": "x" * 501},
        [],
    ],
)
def test_what_cannot_be_asked_is_refused_without_an_echo(
    client: TestClient, trainings: FakeTrainings, body: object
) -> None:
    answer = client.post("/admin/retrain", json=body)
    assert answer.status_code == 422
    assert "crystal" not in answer.text
    assert trainings.now is None


@pytest.mark.parametrize("path", ["/admin/retrain/nobody", "/admin/retrain/nobody/cancel"])
def test_an_unknown_training_is_not_found(client: TestClient, path: str) -> None:
    answer = client.post(path) if path.endswith("cancel") else client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no such training, or a later one took its place."


def test_versions_are_promoted_and_rolled_back_with_a_reason(client: TestClient) -> None:
    core = open_core()
    one, two = (stored(core.store, "simulator").version for _ in range(2))
    made = client.post(f"/admin/model/{one}/promote", json={"why": "better in the west"})
    assert made.status_code == 200, made.text
    assert (made.json()["to_version"], made.json()["who"]) == (one, "admin (API)")
    client.post(f"/admin/model/{two}/promote", json={"why": "better everywhere"})
    back = client.post("/admin/model/rollback", json={"why": "it was not"})
    assert (back.json()["to_version"], back.json()["generation"]) == (one, 3)
    history = client.get("/admin/model/history").json()
    assert (history["champion"], history["serves"], history["generation"]) == (one, one, 3)
    assert [made["why"] for made in history["deployments"]] == ["it was not", "better everywhere", "better in the west"]
    assert {one, two} <= {version["version"] for version in history["versions"]}
    shown = next(version for version in history["versions"] if version["version"] == one)
    assert shown["manifest"]["trained_on"]["source"] == "simulator"


def test_what_cannot_serve_is_a_conflict_and_what_is_not_there_is_not_found(client: TestClient) -> None:
    core = open_core()
    version = stored(core.store, "simulator", feature_version="observed-0").version
    refused = client.post(f"/admin/model/{version}/promote", json={"why": "try"})
    assert refused.status_code == 409
    assert refused.json()["title"] == "FeatureMismatch"
    for blank in ("", "  ", "\x1c"):
        assert client.post("/admin/model/rollback", json={"why": blank}).status_code == 422
    missing = client.post("/admin/model/random_forest_20260101T000000Z_999/promote", json={"why": "try"})
    assert missing.status_code == 404
    assert client.post("/admin/model/rollback", json={"why": "try"}).status_code == 409
    assert client.post("/admin/model/rollback", json={"why": ""}).status_code == 422


def test_the_token_of_a_house_without_one_is_made_and_kept_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDBURST_ADMIN_TOKEN", raising=False)
    core = open_core()
    assert not core.admin.knows("", "192.0.2.1")
    path = core.admin.file
    assert path.stat().st_mode & 0o077 == 0
    token = path.read_text().strip()
    assert core.admin.knows(token, "192.0.2.1")
    assert TestClient(api).get("/admin/model/history", headers={"Authorization": f"Bearer {token}"}).status_code == 200
