"""`make smoke` against a served instance: every line is well, each fault is found by its line, and silence is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from api.app import api
from core import ABTestingFramework, close_core, open_core
from core.domain.lifecycle import RunStatus
from deploy import smoke
from tests.trainings_made import FakeTrainings

NAMES = [check.__name__.replace("region_", "") for check in smoke.CHECKS]
Asked = Callable[[], tuple[int, list[str]]]


def _front(_request: object) -> HTMLResponse:
    return HTMLResponse("<html></html>")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    taken = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", _front), Mount("/api", app=api)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTrainings]:
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    monkeypatch.setattr(smoke, "LOOK_S", 0.01)
    fake = FakeTrainings()
    open_core().lifecycle.trainings = fake
    yield fake
    close_core()


@pytest.fixture
def asked(url: str, trainings: FakeTrainings, capsys: pytest.CaptureFixture[str]) -> Asked:
    def ask() -> tuple[int, list[str]]:
        code = smoke.main(["--url", url])
        return code, capsys.readouterr().out.splitlines()

    return ask


def test_every_part_of_a_well_instance_has_its_line(asked: Asked, trainings: FakeTrainings) -> None:
    code, lines = asked()
    assert [line.split(":")[0] for line in lines] == [f"ok   {name}" for name in NAMES], lines
    assert code == 0
    assert trainings.now is not None
    assert trainings.now.status is RunStatus.CANCELLED
    assert [one["stage"] for one in ABTestingFramework(open_core()).list_experiments()] == ["stopped"]


def test_a_training_that_runs_already_is_left_alone(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, trainings: FakeTrainings
) -> None:
    monkeypatch.setattr(smoke, "CHECKS", (smoke.admin, smoke.retraining))
    life = open_core().lifecycle
    life.retrain(open_core().default_region, who="somebody")
    code, lines = asked()
    assert code == 0
    assert any("runs already and is left alone" in line for line in lines)
    assert not trainings.cancelled


def _failing(trainings: FakeTrainings, _run_id: str) -> bool:
    trainings.end(RunStatus.FAILED, reasons=("no disk",))
    return True


def _standing_still(patch: pytest.MonkeyPatch) -> None:
    stats = open_core().cache.stats()
    patch.setattr(type(open_core().cache), "stats", lambda _: stats)


def _open_to_all(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CLOUDBURST_ADMIN_TOKEN", "no new home makes one now")
    patch.setattr(type(open_core().admin), "knows", lambda *_: True)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "cache": _standing_still,
    "admin": _open_to_all,
    "experiments": lambda patch: patch.setattr(type(open_core().experiments), "analyse", None),
    "retraining": lambda patch: patch.setattr(FakeTrainings, "cancel", _failing),
    "quality": lambda patch: patch.setattr("api.routes.quality._known", lambda _: {"validity": 1.0}),
    "metrics": lambda patch: patch.setattr("api.metrics.open_core", None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_the_line_of_its_part(asked: Asked, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    FAULTS[name](monkeypatch)
    parts = {"admin", "freshness", name}
    monkeypatch.setattr(smoke, "CHECKS", tuple(check for check in smoke.CHECKS if check.__name__ in parts))
    code, lines = asked()
    assert code == 1
    assert {line.split(":")[0] for line in lines} == {f"ok   {part}" for part in parts - {name}} | {f"FAIL {name}"}


def test_where_nothing_answers_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert smoke.main(["--url", f"http://127.0.0.1:{port}"]) == 2
    (line,) = capsys.readouterr().out.splitlines()
    assert "Nothing answers at" in line
    assert smoke.main(["--url", "not an address"]) == 2


def test_settings_that_do_not_hold_are_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLOUDBURST_TOKEN", "x")
    assert smoke.main([]) == 2
    assert "CLOUDBURST_TOKEN" in capsys.readouterr().out
