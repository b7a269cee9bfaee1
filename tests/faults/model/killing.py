"""Kills at random moments of training, deploying and rolling back: every home is the old or the new one."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from core.errors import CloudburstError
from tests.faults.model.broken import Variant, sound
from tests.faults.model.homes import POINTER, Home, deploy, roll_back, train, unhealthy
from tests.faults.processes import Say, forked

STEPS = ("train", "deploy", "roll back")
#: A fresh home after so many kills: all its versions are verified after every one.
KILLS_OF_A_HOME = 20
#: How the time before a kill grows where a step had not landed, and shrinks where it had: two in five steps land.
LATER, SOONER = 1.05, 0.93


@dataclass
class Known:
    """What was acknowledged in a home: the number of the last deployment, and every version."""

    generation: int
    versions: set[str]


@dataclass
class Kills:
    """What the kills found."""

    landed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))
    unsaid: int = 0
    count: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the deployments killed that had landed all the same; of those back too."""
        landed = self.landed["deploy"] + self.landed["roll back"]
        return landed / max(1, landed + self.missed["deploy"] + self.missed["roll back"])


def kills(
    template: Home, folder: Path, count: int, seed: int, *, variant: Variant = sound, enough: int = 1 << 30
) -> Kills:
    """Kill so many processes, each at a random moment of a random step.

    Parameters
    ----------
    template
        Home of which copies are used.
    folder
        Where they are made.
    enough
        Findings after which no more are killed.
    """
    rng, found = random.Random(seed), Kills()  # noqa: S311 - chance for tests, seeded
    until_s = {step: _duration_s(template, folder, step) for step in STEPS}
    for number in range(count):
        if len(found.broken) >= enough:
            break
        found.count += 1
        if number % KILLS_OF_A_HOME == 0:
            home = template.copied(folder / "killed")
            known = Known(home.store().champion(*POINTER).generation, set(home.names()))
        step = rng.choices(STEPS, (0.3, 0.4, 0.3))[0]
        before = Known(known.generation, set(known.versions))
        _kill(home, step, rng.uniform(0, until_s[step]), known, variant)
        landed, wrong = _judged(home, step, before, known, found)
        (found.landed if landed else found.missed)[step] += 1
        until_s[step] *= SOONER if landed else LATER
        if wrong:
            found.broken.append(f"{step}: {wrong}")
            home = template.copied(folder / "killed")
            known = Known(home.store().champion(*POINTER).generation, set(home.names()))
    return found


def _duration_s(template: Home, folder: Path, step: str) -> float:
    """Return how long a step takes that nobody kills, seconds."""
    home, began = template.copied(folder / "timed"), time.monotonic()
    process = forked(lambda say: _go_on(home, step, say, sound, steps=1))
    process.ended()
    return time.monotonic() - began


def _kill(home: Home, step: str, after_s: float, known: Known, variant: Variant) -> None:
    """Let a process go on from a step and kill it after a while; take down what it had acknowledged."""
    process = forked(partial(_going_on, home, step, variant))
    process.heard(1)
    time.sleep(after_s)
    process.kill()
    process.ended()
    for line in process.lines[1:]:
        kind, value = json.loads(line)
        if kind == "version":
            known.versions.add(value)
        else:
            known.generation = value


def _going_on(home: Home, step: str, variant: Variant, say: Say) -> None:
    _go_on(home, step, say, variant, steps=len(STEPS))


def _go_on(home: Home, step: str, say: Say, variant: Variant, steps: int) -> None:
    """Say that it begins, and what has been done after every step; then wait to be killed."""
    variant(pytest.MonkeyPatch())
    home.store().sweep()
    say("begun")
    at = STEPS.index(step)
    for one in (STEPS[at:] + STEPS[:at])[:steps]:
        if one == "train":
            say(json.dumps(["version", train(home)]))
        else:
            say(json.dumps(["generation", deploy(home, home.names()[-1]) if one == "deploy" else roll_back(home)]))
    if steps > 1:
        time.sleep(60)


def _judged(home: Home, step: str, before: Known, known: Known, found: Kills) -> tuple[bool, str]:
    """Return whether the step had landed, and what is broken, in a few words."""
    wrong = unhealthy(home)
    try:
        store = home.store()
        generation = store.champion(*POINTER).generation
        there = {stored.version for stored in store.versions() if not stored.quarantined}
        instead = home.served().instead
    except (CloudburstError, OSError) as error:
        return False, wrong or f"{type(error).__name__}: {error}"
    if not known.generation <= generation <= known.generation + 1:
        wrong = wrong or f"deployment {known.generation} was acknowledged, the pointer stands at {generation}"
    if known.versions - there:
        wrong = wrong or f"{min(known.versions - there)} was acknowledged and is gone"
    if instead:
        wrong = wrong or f"the champion does not serve: {instead}"
    landed = bool(there - before.versions) if step == "train" else generation > before.generation
    found.unsaid += generation > known.generation
    known.generation, known.versions = generation, there
    return landed, wrong
