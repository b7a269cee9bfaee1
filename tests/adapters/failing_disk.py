"""A disk that fails at the step one names: the first half of a write lands, a rename or a flush does not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WRITES = (Path, "write_text"), (Path, "write_bytes")
STEPS = (*WRITES, (Path, "replace"), (Path, "rename"), (Path, "mkdir"), (os, "fsync"))


class Disk:
    """Counts the steps that change the disk, and fails at one of them, or from it on.

    Parameters
    ----------
    at
        Number of the step that fails, from 1 on.
    code
        What the system says then, such as errno.ENOSPC.
    for_good
        Whether all later steps fail too.
    """

    def __init__(self, patch: pytest.MonkeyPatch, at: int, code: int, for_good: bool = False) -> None:
        self.at, self.code, self.for_good = at, code, for_good
        self.steps = 0
        for owner, name in STEPS:
            patch.setattr(owner, name, self._counted(getattr(owner, name), (owner, name) in WRITES))

    @property
    def failed(self) -> bool:
        """Whether the step was reached."""
        return self.steps >= self.at

    def _counted(self, step: Callable[..., Any], writes: bool) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.steps += 1
            if self.steps == self.at or (self.for_good and self.failed):
                if writes:
                    path, data = args[:2]
                    step(path, data[: len(data) // 2], *args[2:], **kwargs)
                raise OSError(self.code, os.strerror(self.code))
            return step(*args, **kwargs)

        return counted
