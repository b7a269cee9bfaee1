"""Monitoring: the state of the house in one value, and the doctor's visit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from core.domain.forecast import Freshness
from core.domain.told import tell
from core.errors import CloudburstError
from core.ports import Cache, Clock, Ledger, ModelStore, Scheduler
from core.workflows.appraising import Appraising
from core.workflows.forecasting import Forecasting

#: A job of another program that has not begun for two of its periods and so many seconds more hangs, or its program
#: does: wall clocks of two machines are compared here.
OVERDUE_S = 120.0
#: The scheduler beats every second and after every job. One that is silent for the time between two refreshes is dead,
#: or as good as dead for a forecaster; no job needs more than the longer of these, and some need the shorter one.
SILENT_S = (30.0, 120.0)


@dataclass(frozen=True)
class Health:
    """What `/api/health` says. Ages in seconds; None where there is nothing to have an age."""

    status: str
    version: str
    champion: str | None
    champion_is_seed: bool | None
    source: str
    simulated: bool
    region: str
    freshness: str
    data_at: datetime | None
    data_age_s: float | None
    cache: str
    scheduler_heartbeat_age_s: float | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, whether it is well, and what to do if not."""

    name: str
    well: bool
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Monitoring:
    """Looks at everything and repairs nothing."""

    forecasting: Forecasting
    store: ModelStore
    ledger: Ledger
    cache: Cache
    scheduler: Scheduler
    clock: Clock
    version: str
    quality: Appraising
    #: What else the house must say of itself, in words.
    outside: Callable[[], tuple[str, ...]] = tuple

    @property
    def silent_s(self) -> float:
        """Seconds without a sign of life after which the scheduler counts as dead: within two of its periods."""
        shortest, longest = SILENT_S
        return min(longest, max(shortest, self.forecasting.ttl_s))

    def problems(self) -> tuple[str, ...]:
        """Return in words what is wrong with the house itself, whatever the region."""
        out: list[str] = [
            tell("{name} in models/ is no version of ours; it is never loaded.", name=name)
            for name in self.store.foreign_files()
        ]
        out += [
            tell("Model {version} is refused: {why}", version=v.version, why=tell(v.refused))
            for v in self.store.versions()
            if v.refused
        ]
        beat = self.scheduler.heartbeat_age_s()
        if beat is None:
            out.append(tell("The scheduler does not run: nothing is refreshed by itself."))
        elif beat > self.silent_s:
            out.append(tell("The scheduler has shown no sign of life for {s:.0f} s: nothing is refreshed.", s=beat))
        out += self.quality.alerts()
        out += self.outside()
        jobs = tuple(self.scheduler.jobs())
        out += [
            tell("The job {job} failed: {error}", job=tell(str(job["name"])), error=job["last_error"])
            for job in jobs
            if job["last_error"]
        ]
        return (*out, *self._overdue(jobs))

    def _overdue(self, jobs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Say which jobs the program that leads does not do: it beats on, so that nobody takes over."""
        for job in () if self.scheduler.leads else jobs:
            last, patience_s = job["running_since"] or job["last_run"], 2 * job["every_s"] + OVERDUE_S
            if last is not None and (self.clock() - last).total_seconds() > patience_s:
                yield tell(
                    "The job {job} is overdue: it belongs to another program, which began it last at {at:%H:%M} UTC on "
                    "{at:%d %b}.",
                    job=tell(str(job["name"])),
                    at=last,
                )

    def health(self, region_id: str) -> Health:
        """Return the state of the house for one region; problems are in it, not raised."""
        source = self.forecasting.observing.source.name
        problems = list(self.problems())
        champion, is_seed, freshness, data_at = None, None, Freshness.NO_DATA, None
        try:
            issue = self.forecasting.current(region_id).forecast
            problems += issue.problems
            champion, freshness, data_at = issue.model_version, issue.freshness, issue.data_at
            is_seed = issue.model_is_seed
        except CloudburstError as error:
            if not any(str(error) in known for known in problems):
                problems.append(error.told)
        beat = self.scheduler.heartbeat_age_s()
        well = not problems and freshness is Freshness.FRESH
        return Health(
            status="ok" if well else "degraded",
            version=self.version,
            champion=champion,
            champion_is_seed=is_seed,
            source=source,
            simulated=source == "simulator",
            region=region_id,
            freshness=freshness.value,
            data_at=data_at,
            data_age_s=None if data_at is None else (self.clock() - data_at).total_seconds(),
            cache=self.cache.mode,
            scheduler_heartbeat_age_s=beat,
            problems=tuple(problems),
        )

    def doctor(self, region: Callable[[], str], folders: Iterable[Callable[[], Finding]]) -> tuple[Finding, ...]:
        """Return one finding per part of the house; `folders` are the checks that touch the disk."""
        findings = [Finding("settings", True, "understood"), *(look() for look in folders)]
        findings.append(_look("ledger", self.ledger.check, "answers"))
        findings += [
            Finding("models", False, f"{name} is no version of ours and is never loaded.", "Remove it from models/.")
            for name in self.store.foreign_files()
        ]
        for version in self.store.versions():
            findings.append(_look(f"model {version.version}", partial(self.store.load, version.version), "verified"))
        try:
            region_id = region()
            issue = self.forecasting.current(region_id).forecast
            text = (
                "; ".join(issue.problems) or f"{issue.freshness.value}, newest data {issue.data_at:%Y-%m-%d %H:%M} UTC"
            )
            findings.append(Finding(f"forecast of {region_id}", not issue.problems, text))
        except CloudburstError as error:
            findings.append(Finding("forecast", False, error.message, error.hint))
        return tuple(findings)


def _look(name: str, look: Callable[[], object], well: str) -> Finding:
    try:
        look()
    except CloudburstError as error:
        return Finding(name, False, error.message, error.hint)
    return Finding(name, True, well)
