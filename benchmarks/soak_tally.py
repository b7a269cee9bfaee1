"""What a witness outside counted while the program ran, held against what its ledger says afterwards."""

from __future__ import annotations

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from openpyxl import load_workbook
from prometheus_client.parser import text_string_to_metric_families
from pypdf import PdfReader

from core.bootstrap.services import simulator
from core.settings import Settings
from core.workflows.training_runs import FIRST, RETRAIN

#: Truths are joined once the rain of the whole window is there, and the job has had some of its periods for it.
JOINED_AFTER = timedelta(hours=12)
#: What runs by plan, whatever the weather.
JOBS = {"refresh", "verify", "experiments", "drift", "reports", "trainings"}
#: What a client may miss between two of its questions.
UNSEEN = 0.02


@dataclass
class Witness:
    """What was seen from outside: probabilities of ≥ 15 mm/h by hour and place, and how much the process held."""

    #: By (hour the windows begin at, moment of issue): by place.
    issues: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    held_mb: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    home_mb: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: What the program said of itself now and then, and at the end.
    metrics: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """Findings by what they are of: a text, and what disagrees."""

    texts: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def say(self, text: str, *wrong: str) -> None:
        """Note what was counted of one kind, and what disagrees."""
        self.texts.append(text)
        self.wrong += wrong


def tally(home: Path, seen: Witness) -> Tally:
    """Count again from the ledger what the witness, the simulator, the log and the store say independently of it."""
    found = Tally()
    with sqlite3.connect(f"file:{home / 'data' / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
        _issues(ledger, seen, found)
        _truths(ledger, found)
        _trainings(ledger, home, found)
        _experiments(ledger, found)
    return found


def _issues(ledger: sqlite3.Connection, seen: Witness, found: Tally) -> None:
    """Every number that a client was shown stands in the ledger, and hardly one that none was shown."""
    kept: dict[tuple[str, str], set[float]] = {}
    query = "select valid_from, location_id, p_15 from forecasts where shown and begin_h = 0 and window_h = 6"
    for valid_from, place, p in ledger.execute(query):
        kept.setdefault((_iso(valid_from), place), set()).add(math.nan if p is None else round(p, 9))
    shown = [(hour, place, p) for (hour, _), places in seen.issues.items() for place, p in places.items()]
    lost = [f"{hour} {place} {p}" for hour, place, p in shown if round(p, 9) not in kept.get((hour, place), set())]
    hours = sorted({hour for hour, _ in seen.issues})
    between = {hour for hour, _ in kept if hours[0] <= hour <= hours[-1]}
    unseen = between - set(hours)
    expected = round((_moment(hours[-1]) - _moment(hours[0])).total_seconds() / 3600) + 1
    found.say(
        f"{len(hours)} of {expected} hours were forecast as a client saw, {len(between)} as the ledger says;"
        f" {len(shown):,} numbers shown, {len(lost)} not in the ledger",
        *lost[:5],
        *([f"{len(unseen)} hours in the ledger that no client saw"] if len(unseen) > UNSEEN * expected else []),
        *([f"only {len(hours)} of {expected} hours"] if len(hours) < (1 - UNSEEN) * expected else []),
    )


def _truths(ledger: sqlite3.Connection, found: Tally) -> None:
    """Every truth is what the simulator rained, computed again from it, and none is missing that could be there."""
    rows = ledger.execute(
        "select location_id, valid_from, begin_h, window_h, hourly_mm from outcomes where state = 'known'"
    ).fetchall()
    last = max(_moment(row[1]) for row in ledger.execute("select id, valid_from from forecasts"))
    first = min(_moment(row[1]) for row in rows)
    again = simulator(Settings(_env_file=None), lambda: last + timedelta(days=2))
    region = again.regions()[0]
    weather = again.hours(region, first, last + timedelta(hours=8))
    rain, place = weather.get("precipitation_mm"), {one.id: i for i, one in enumerate(region.locations)}
    begin = weather.valid_at[0]
    differ = 0
    for location, valid_from, begin_h, window_h, hourly in rows:
        at = int((np.datetime64(_moment(valid_from).replace(tzinfo=None), "h") - begin).astype(int))
        truth = float(rain[place[location], at + 1 + begin_h : at + 1 + begin_h + window_h].max())
        differ += not abs(truth - hourly) < 1e-3
    awaited = ledger.execute(
        "select count(*) from (select distinct valid_from, location_id, begin_h, window_h from forecasts"
        " where valid_from < ?) f left join outcomes o using (valid_from, location_id, begin_h, window_h)"
        " where o.id is null",
        (f"{last - JOINED_AFTER:%Y-%m-%d %H:%M:%S}",),
    ).fetchone()[0]
    missing = ledger.execute("select count(*) from outcomes where state = 'missing'").fetchone()[0]
    twice = len(rows) - len({row[:4] for row in rows})
    found.say(
        f"{len(rows):,} truths, {differ} unlike the rain that the simulator makes again, {awaited} not joined,"
        f" {missing} given up, {twice} twice",
        *([f"{differ} truths differ"] if differ else []),
        *([f"{awaited} windows have no truth"] if awaited else []),
        *([f"{twice} truths stand twice"] if twice else []),
        *([f"{missing} truths given up, though it rained where nobody lost anything"] if missing else []),
    )


def _trainings(ledger: sqlite3.Connection, home: Path, found: Tally) -> None:
    """Count: trainings in the log end in the ledger once, and the pointer's deployments are those of the ledger."""
    log = "".join(path.read_text("utf-8") for path in sorted((home / "logs").glob("*")))
    lines = re.findall(r'^timestamp=(\S+) .*event="training begins" run_id=(\w+)', log, re.MULTILINE)
    begun = [run for _, run in sorted(lines)]
    runs = ledger.execute("select status, detail from runs where kind in (?, ?)", (RETRAIN, FIRST)).fetchall()
    ended = [match for _, detail in runs for match in re.findall(r'"run_id": "(\w+)"', detail)]
    lost, twice = set(begun[:-1]) - set(ended), len(ended) - len(set(ended))  # the last may be at work
    by_status = _counted(status for status, _ in runs)
    made = ledger.execute("select count(*), max(generation) from deployments").fetchone()
    marks = [int(path.read_text("ascii").split()[0]) for path in (home / "models").rglob("*@*.generation")]
    drift = _counted(status for (status,) in ledger.execute("select status from runs where kind = 'drift'"))
    found.say(
        f"{len(begun)} trainings begun by the log, ended by the ledger: {by_status}; {made[0]} deployments, the newest"
        f" of generation {made[1]} where the store says {marks}; drift: {drift or 'no alarm'}",
        *([f"{len(lost)} trainings did not end in the ledger"] if lost else []),
        *([f"{twice} trainings ended twice"] if twice else []),
        *([f"deployments {made[1]}, the store {marks}"] if (made[1] or 0) != max(marks, default=0) else []),
        *([f"{made[0]} deployments of {made[1]} generations"] if made[0] != (made[1] or 0) else []),
        *(["no training ended"] if not runs else []),
    )


def _experiments(ledger: sqlite3.Connection, found: Tally) -> None:
    """Results are paired: every variant of an experiment answers the same hours and places, and none twice."""
    rows = ledger.execute(
        "select experiment_id, variant_id, count(*), count(distinct valid_at || location_id), sum(state = 'matured')"
        " from experiment_results group by 1, 2"
    ).fetchall()
    twice = [f"{row[0]} {row[1]}: {row[2]} results of {row[3]} cases" for row in rows if row[2] != row[3]]
    by_experiment: dict[str, set[int]] = {}
    for experiment, _, count, *_ in rows:
        by_experiment.setdefault(experiment, set()).add(count)
    odd = [f"{name}: {sorted(counts)} results by variant" for name, counts in by_experiment.items() if len(counts) > 1]
    found.say(
        f"{len(by_experiment)} experiments with {sum(row[2] for row in rows):,} results,"
        f" {sum(row[4] for row in rows):,} matured, {len(twice)} twice, {len(odd)} unpaired",
        *twice,
        *odd,
        *([] if any(row[4] for row in rows) else ["no experiment took a result that matured"]),
    )


def ended(metrics: Sequence[str]) -> Tally:
    """Count jobs by what the program said of them: each has ended, the last without an error, and drift was judged.

    Nothing is judged on the first day of a new champion.
    """
    found, at_end = Tally(), _by_name(metrics[-1])
    judged = max(_by_name(one).get("cloudburst_drift_judged", {}).get("", 0.0) for one in metrics)
    ran = at_end["cloudburst_job_last_end_timestamp_seconds"]
    failed = [name for name, last in at_end["cloudburst_job_failed"].items() if last]
    found.say(
        f"{len(ran)} jobs ran, the last run of {len(failed)} failed; up to {judged:.0f} variables judged for drift",
        *(f"{name} failed" for name in failed),
        *(f"{name} never ran" for name in sorted(JOBS - set(ran))),
        *([] if judged else ["no drift was judged"]),
    )
    return found


def _by_name(metrics: str) -> dict[str, dict[str, float]]:
    """Return the values of metrics by their name and what their label `name` says."""
    values: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            values.setdefault(sample.name, {})[sample.labels.get("name", "")] = sample.value
    return values


def read_again(home: Path) -> Tally:
    """Open every report that is kept with a second reader."""
    found, reports = Tally(), sorted((home / "data" / "reports").iterdir())
    unreadable = []
    for path in reports:
        try:
            pages = (
                len(PdfReader(path).pages)
                if path.suffix == ".pdf"
                else len(load_workbook(path, read_only=True).sheetnames)
            )
        except Exception as error:  # whatever a second reader says
            unreadable.append(f"{path.name}: {type(error).__name__}")
        else:
            if not pages:
                unreadable.append(f"{path.name} is empty")
    found.say(f"{len(reports)} reports kept, {len(unreadable)} unreadable", *unreadable[:5])
    if not reports:
        found.wrong.append("no report was written")
    return found


def _counted(words: Iterable[str]) -> Mapping[str, int]:
    return dict(Counter(words))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=UTC)


def _iso(text: str) -> str:
    return f"{_moment(text):%Y-%m-%dT%H:%M:%SZ}"
