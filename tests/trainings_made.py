"""Trainings of tests: a fake that ends when it is told to, and a house that has learned something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from core.domain.lifecycle import RetrainingRequest, RunState, RunStatus
from core.errors import TrainingInProgress
from core.ports import Progress, silent


def unasked(_last: RunState | None) -> None:
    """Let a training begin whatever was before it."""


@dataclass
class FakeTrainings:
    """Port `Trainings` without processes: a training runs until `end` is called."""

    now: RunState | None = None
    cancelled: list[str] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def start(self, request: RetrainingRequest, check: Callable[[RunState | None], None]) -> RunState:
        if self.now is not None and self.now.running:
            raise TrainingInProgress(f"A training has been running since {self.now.begun_at}.", run_id=self.now.run_id)
        check(self.now)
        self.now = RunState(f"run{next(self._numbers)}", request, 4242, request.now, RunStatus.RUNNING, 0.1, "reading")
        return self.now

    def state(self) -> RunState | None:
        return self.now

    def settle(self, told: Callable[[RunState | None], None]) -> None:
        if self.now is None or not self.now.running:
            told(self.now)

    def cancel(self, run_id: str) -> bool:
        self.cancelled.append(run_id)
        if self.now is None or self.now.run_id != run_id or not self.now.running:
            return False
        self.end(RunStatus.CANCELLED)
        return True

    def wait(self, run_id: str, told: Progress = silent) -> RunState:
        assert self.now is not None
        assert self.now.run_id == run_id
        told(1.0, "done")
        if self.now.running:
            self.end(RunStatus.KEPT)
        return self.now

    def end(self, status: RunStatus, **changes: object) -> RunState:
        assert self.now is not None
        self.now = replace(
            self.now, status=status, done=1.0, ended_at=datetime(2026, 7, 29, 18, 25, tzinfo=UTC), **changes
        )  # type: ignore[arg-type]
        return self.now
