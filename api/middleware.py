"""Posted observations are validated before any route sees them: schema and quality."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import Sent
from api.problems import UNAVAILABLE, UNPROCESSABLE, problem
from core import (
    CloudburstError,
    DataQualityMiddleware,
    RecordValidation,
    TableValidation,
    UnfitInput,
    open_core,
    require_fit,
)

MOST_RECORDS = 100
HEADER = "Data-Quality"


@dataclass(frozen=True)
class Posted:
    """What was posted and holds: the records, and what the checks say."""

    records: tuple[Any, ...]
    validation: RecordValidation | TableValidation


class PostedObservations:
    """ASGI middleware behind `StrictBodies` that validates what is posted to some paths and leaves the rest alone.

    What does not fit is refused as a problem document (422) that names the fields and never repeats a value. What fits
    reaches the route as `request.state.posted`, and its answer carries the overall quality in the header
    `Data-Quality`. Values that the checks flag are no reason to refuse: that is for the route to judge.

    Parameters
    ----------
    app
        What to protect.
    paths
        Paths below the mount whose POST bodies are one record or a list of records.
    clock
        Says what time it is (UTC); without one the clock of the core, asked when a record says its time.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: Collection[str],
        most_records: int = MOST_RECORDS,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.app = app
        self.paths = frozenset(paths)
        self.most_records = most_records
        self.quality = DataQualityMiddleware(clock=clock or _now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Validate a POST to one of the paths; pass on everything else."""
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope) not in self.paths:
            await self.app(scope, receive, send)
            return
        sent: Sent = scope["state"]["sent"]
        taken = await run_in_threadpool(self._take, sent.value)
        if isinstance(taken, Response):
            await taken(scope, receive, send)
            return
        scope["state"] = {**scope["state"], "posted": taken}
        await self.app(scope, receive, _marked(send, taken))

    def _take(self, value: Any) -> Posted | Response:
        """Return what was posted, or why it is refused."""
        try:
            if isinstance(value, list) and not 1 <= len(value) <= self.most_records:
                detail = f"1 to {self.most_records} records can be sent at once."
                return problem(UNPROCESSABLE, "Invalid observations", detail)
            readings = self.quality.read(value)
            require_fit(readings)
        except UnfitInput as error:
            return problem(UNPROCESSABLE, "Invalid observations", error.message, **error.context)
        except CloudburstError as error:
            return problem(
                UNPROCESSABLE, "Invalid observations", error.message, hint="Send one record or a list of records."
            )
        try:
            one = isinstance(value, dict)
            validation = self.quality.judge_one(readings[0]) if one else self.quality.judge(readings)
        except CloudburstError as error:  # the core, whose clock is asked, cannot be opened
            return problem(UNAVAILABLE, type(error).__name__, error.message, hint=error.hint)
        return Posted(tuple(reading.record for reading in readings), validation)


def _now() -> datetime:
    return open_core().clock()


def path_of(scope: Scope) -> str:
    """Return the path below the mount."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _marked(send: Send, posted: Posted) -> Send:
    """Return a `send` that adds the overall quality to the answer."""
    overall = posted.validation["quality_metrics"]["overall_quality"]

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start" and math.isfinite(overall):
            MutableHeaders(scope=message)[HEADER] = f"{overall:.3f}"
        await send(message)

    return marked
