"""The second opinion: schemathesis makes requests from the OpenAPI text in its own way, and holds the answers to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.python.asgi import get_client

#: What they want of a valid and of an invalid request alike. That every valid one is taken, they cannot know: a place
#: may lie outside every region.
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)

#: Seconds; the first issue of a house takes some on a busy machine.
TIMEOUT_S = 60


def failures(app: FastAPI, cases: int, token: str, start: int = 0) -> tuple[int, Counter[str]]:
    """Return how many cases were asked, at least as many as wanted, and what failed by operation and check."""
    found: Counter[str] = Counter()
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]
    asked = 0
    with get_client(app, max_stream_events=1) as client:
        client.headers["Authorization"] = f"Bearer {token}"

        def judged(case: Any) -> None:
            nonlocal asked
            asked += 1
            try:
                case.call_and_validate(session=client, checks=list(CHECKS), timeout=TIMEOUT_S)
            except FailureGroup as group:
                found.update(f"{case.operation.label}: {type(one).__name__} {one}" for one in group.exceptions)

        while asked < cases:  # some operations have few requests that differ
            each = max(2, (cases - asked) // (2 * len(operations)))
            for operation in operations:
                for mode in GenerationMode:
                    with suppress(Unsatisfiable):  # nothing can be wrong with a request that says nothing
                        _many(operation.as_strategy(generation_mode=mode), judged, each, start)
            start += 1
    return asked, found


def _many(cases: SearchStrategy[Any], judged: Callable[[Any], None], count: int, start: int) -> None:
    """Judge so many cases."""
    limits = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def one(case: Any) -> None:
        judged(case)

    seed(start)(limits(given(case=cases)(one)))()
