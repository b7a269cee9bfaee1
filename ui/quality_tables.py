"""Tables of a quality report: flags counted and one by one, stations, thresholds; and the report as CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core import (
    FLAG_NAMES,
    FORMULA_SIGNS,
    SHARES,
    Drift,
    Finding,
    Flag,
    FlaggedWeather,
    QualityMetrics,
    QualityReport,
    source_text,
    thresholds,
)
from ui.language import say

#: Flags that a check can give, worst first, with the sign that stands for each beside its colour.
SIGNS: dict[Flag, str] = {Flag.FAIL: "✕", Flag.SUSPECT: "▲", Flag.MISSING: "▨", Flag.PASS: "○"}
#: The flags by their names.
FLAG_OF: dict[str, Flag] = {word: flag for flag, word in FLAG_NAMES.items()}
CSV_COLUMNS = ["location_id", "valid_at", "variable", "value", "flag", "test", "reason", "source"]


@dataclass(frozen=True)
class Choice:
    """Which flags are looked at, by station id, variable, test and word of the flag; an empty part means all."""

    stations: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def positions(self, checked: FlaggedWeather) -> list[int]:
        """Return the positions of the chosen stations."""
        places = checked.weather.locations
        return [i for i, place in enumerate(places) if not self.stations or place.id in self.stations]


def flag_text(flag: Flag) -> str:
    """Return a flag with its sign, such as "✕ fail"."""
    return f"{SIGNS.get(flag, '')} {say(FLAG_NAMES.get(flag, flag.name.lower().replace('_', ' ')))}".strip()


def findings(checked: FlaggedWeather, choice: Choice) -> tuple[Finding, ...]:
    """Return the findings of a choice, cut to its stations; those that say nothing there are left out."""
    keep = np.zeros((len(checked.weather.locations), 1), bool)
    keep[choice.positions(checked)] = True
    cut = (
        replace(f, where=f.where & keep)
        for f in checked.findings
        if (not choice.variables or f.variable in choice.variables)
        and (not choice.tests or f.test in choice.tests)
        and (not choice.flags or FLAG_NAMES.get(f.flag) in choice.flags)
    )
    return tuple(f for f in cut if bool(f.where.any()))


def flag_counts(checked: FlaggedWeather, found: Sequence[Finding]) -> pd.DataFrame:
    """Return one row per station, variable, test and reason, worst and most frequent first.

    Columns: location_id, station, variable, flag, test, values (how many), first and last (end of the hour, UTC),
    reason, severity (0 is worst, others below).
    """
    ids, names = _columns(checked)
    parts = [_counted(finding, ids, names, checked.weather.valid_at) for finding in found]
    if not parts:
        return pd.DataFrame(columns=["location_id", "station", "variable", "flag", "test", "values", "reason"])
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["severity", "values"], ascending=False, kind="stable", ignore_index=True)


def _counted(finding: Finding, ids: np.ndarray, names: np.ndarray, valid_at: np.ndarray) -> pd.DataFrame:
    places = np.flatnonzero(finding.where.any(axis=1))
    where = finding.where[places]
    return pd.DataFrame(
        {
            "location_id": ids[places],
            "station": names[places],
            "variable": finding.variable,
            "flag": flag_text(finding.flag),
            "test": finding.test,
            "values": where.sum(axis=1),
            "first": pd.to_datetime(valid_at[where.argmax(axis=1)], utc=True),
            "last": pd.to_datetime(valid_at[where.shape[1] - 1 - where[:, ::-1].argmax(axis=1)], utc=True),
            "reason": say(finding.reason),
            "severity": -list(SIGNS).index(finding.flag) if finding.flag in SIGNS else -len(SIGNS),
        }
    )


def flagged_values(checked: FlaggedWeather, found: Sequence[Finding]) -> pd.DataFrame:
    """Return one row per flagged value and finding, in the order of `CSV_COLUMNS`; times are ISO 8601 in UTC."""
    ids, _ = _columns(checked)
    hours = np.datetime_as_string(checked.weather.valid_at, unit="s")
    parts = []
    for finding in found:
        place, hour = finding.where.nonzero()
        part = {
            "location_id": ids[place],
            "valid_at": np.char.add(hours[hour], "Z"),
            "variable": finding.variable,
            "value": checked.weather.get(finding.variable)[place, hour],
            "flag": finding.flag.name,
            "test": finding.test,
            "reason": finding.reason,
            "source": source_text(checked.weather.source),
        }
        parts.append(pd.DataFrame(part, columns=CSV_COLUMNS))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CSV_COLUMNS)


def report_csv(report: QualityReport, choice: Choice) -> bytes:
    """Return every flagged value of a choice as CSV."""
    return csv(flagged_values(report.checked, findings(report.checked, choice)))


def csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV (UTF-8) in which no text is a formula; numbers stay numbers."""
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            codes, different = pd.factorize(safe[name], use_na_sentinel=False)
            safe[name] = np.array([defused(cell) for cell in different], object)[codes]
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text.encode()


def defused(cell: object) -> str:
    """Return text that a spreadsheet takes for text, whatever it begins with."""
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def stations(report: QualityReport) -> pd.DataFrame:
    """Return the metrics of every station in percent, the worst first; what is not known is NaN."""
    names = {place.id: place.name for place in report.region.locations}
    rows = [
        {"station": names.get(m.location_id or "", m.location_id), "id": m.location_id}
        | {title: _percent(getattr(m, name)) for name, title, _ in SHARES}
        | {"median delay, min": m.delay_min}
        for m in report.places
    ]
    return pd.DataFrame(rows).sort_values("Overall", kind="stable", ignore_index=True) if rows else pd.DataFrame()


def _percent(value: float) -> float:
    return math.floor(1000 * value + 1e-9) / 10 if math.isfinite(value) else math.nan


def delay_text(metrics: QualityMetrics) -> str:
    """Return the median delay in words."""
    return (
        say("median delay unknown")
        if math.isnan(metrics.delay_min)
        else say("median delay {delay_min:.0f} min", delay_min=metrics.delay_min)
    )


def drift_text(drift: Drift, report: QualityReport) -> str:
    """Return a drift in words."""
    name = next((p.name for p in report.region.locations if p.id == drift.location_id), drift.location_id)
    return f"{name}, {drift.variable}: {say(drift.reason)}"


def threshold_table() -> pd.DataFrame:
    """Return every threshold of the checks with its unit and its reason."""
    return pd.DataFrame(
        [
            {
                "test": t.test,
                "variable": t.variable,
                "limit": t.limit,
                "flag": flag_text(t.flag),
                "reason": say(t.reason),
            }
            for t in thresholds()
        ]
    )


def checks(report: QualityReport) -> list[str]:
    """Return the names of the checks that have thresholds or found something, in their order."""
    return list(dict.fromkeys([*(t.test for t in thresholds()), *(f.test for f in report.checked.findings)]))


def _columns(checked: FlaggedWeather) -> tuple[np.ndarray, np.ndarray]:
    places = checked.weather.locations
    return np.array([p.id for p in places], object), np.array([p.name for p in places], object)
