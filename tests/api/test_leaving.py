"""SIGTERM: not ready from then on, the server told to end and not killed, and an end where something lasts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api import leaving
from api.app import api


class _Server:
    should_exit = False

    def handle_exit(self, _signal: int, _frame: object) -> None:
        raise AssertionError("the signal reached the server, which dies of it")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setattr(leaving, "_told", threading.Event())
    server = _Server()
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    yield server
    signal.signal(signal.SIGTERM, before)


def test_ready_ends_with_the_signal_and_the_server_is_asked_to_end(
    told: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = threading.Event()
    monkeypatch.setattr(leaving, "MOST_S", 0.01)
    monkeypatch.setattr(leaving, "_end", gone.set)
    leaving.leave_when_told()
    assert not leaving.leaving()
    os.kill(os.getpid(), signal.SIGTERM)
    assert leaving.leaving()
    assert told.should_exit
    assert gone.wait(10), "a request without an end would keep the program"
    answer = TestClient(api).get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)


def test_another_server_keeps_its_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    leaving.leave_when_told()
    assert signal.getsignal(signal.SIGTERM) is before
