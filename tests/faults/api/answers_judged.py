"""What an answer of the API must be, whatever was asked, and the count of what came."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.faults.api.requests_made import MOUNT, Made, Operation

PROBLEM = "application/problem+json"
MEMBERS = {"type": str, "title": str, "status": int, "detail": str}
#: Seconds for one answer; the machine of a test is shared.
DEADLINE_S = 5.0
ELSEWHERE = "elsewhere"
#: A spoiled path may be another one that is there.
ADMIN = f"{MOUNT}/admin/"


@dataclass
class Answer:
    """One answer as it left the application; a status of 0 says that nothing came."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    raised: str = ""
    seconds: float = 0.0

    def header(self, name: bytes) -> str:
        """Return the first header of this name."""
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == name), "")


@dataclass
class Tally:
    """Answers by operation and status, seconds by operation, and what should not have been."""

    answers: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    first: dict[str, Made] = field(default_factory=dict)

    def add(self, made: Made, answer: Answer) -> None:
        """Count one answer and judge it."""
        name = str(made.operation or ELSEWHERE)
        self.answers[name][answer.status] += 1
        self.seconds[name] += answer.seconds
        self.kinds[made.kind] += 1
        for wrong in violations(made, answer):
            text = f"{wrong} ({name})"
            self.violations[text] += 1
            self.first.setdefault(text, made)

    def missing(self, operation: Operation) -> list[str]:
        """Return what an operation has not answered yet: success, and refusal where something can be wrong."""
        came = self.answers[str(operation)]
        refusable = operation.parameters or operation.body or operation.behind_token
        found = [] if any(200 <= status < 300 for status in came) else [f"{operation}: never reached with success"]
        refused = any(400 <= status < 500 for status in came)
        return found + ([f"{operation}: never refused"] if refusable and not refused else [])


def violations(made: Made, answer: Answer) -> list[str]:
    """Return what is wrong with an answer."""
    if made.gone and answer.status == 0 and not answer.raised:
        return []
    found = [f"raised {answer.raised}"] if answer.raised else []
    if answer.status == 0 or not answer.ended:
        return [*found, "no whole answer"]
    if answer.status >= 500:
        found.append(f"status {answer.status}")
    if answer.seconds > DEADLINE_S:
        found.append("too slow")
    if _echoes(made, answer):
        found.append("echo")
    if any(mark in value for _, value in answer.headers for mark in (b"\r", b"\n", b"\x00")):
        found.append("line break in a header")
    return [*found, *_misread(made, answer)]


def _echoes(made: Made, answer: Answer) -> bool:
    """Tell whether the marker came back; only a change that was made tells its own reason."""
    mark = made.marker.encode()
    if any(mark in part.lower() for header in answer.headers for part in header):
        return True
    behind_token = made.path.startswith(ADMIN) if made.operation is None else made.operation.behind_token
    told = behind_token and 200 <= answer.status < 300
    return not told and mark in answer.body.lower()


def _misread(made: Made, answer: Answer) -> list[str]:
    """Return what is wrong with the text of an answer."""
    kind, bodiless = answer.header(b"content-type"), made.method.upper() == "HEAD" or answer.status in (204, 304)
    if answer.status >= 400 and kind != PROBLEM:
        return [f"{answer.status} is no problem document"]
    if bodiless or "json" not in kind:
        return []
    try:
        said = json.loads(answer.body, parse_constant=_refuse)
    except ValueError:
        return ["not strict JSON"]
    if answer.status < 400:
        return []
    if not isinstance(said, dict) or any(type(said.get(name)) is not of for name, of in MEMBERS.items()):
        return ["problem without its members"]
    return [] if said["status"] == answer.status else ["problem of another status"]


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def told(tally: Tally, operations: Iterable[Operation]) -> list[str]:
    """Return the report: by operation the answers of each status and the mean time."""
    lines = [f"{'operation':<52}{'ms':>7}  answers by status"]
    for name in [*map(str, operations), ELSEWHERE]:
        came = tally.answers[name]
        mean = 1000 * tally.seconds[name] / max(1, came.total())
        lines.append(f"{name:<52}{mean:>7.1f}  " + "  ".join(f"{s}: {n}" for s, n in sorted(came.items())))
    lines.append("by kind: " + ", ".join(f"{kind} {n}" for kind, n in sorted(tally.kinds.items())))
    return lines


def shown(made: Made) -> dict[str, Any]:
    """Return a request so that it can be sent again by hand."""
    return {
        "kind": made.kind,
        "method": made.method,
        "path": made.path[:120],
        "query": made.query[:120],
        "headers": [(name, value[:80]) for name, value in made.headers],
        "body": b"".join(made.parts)[:200],
        "gone": made.gone,
    }
