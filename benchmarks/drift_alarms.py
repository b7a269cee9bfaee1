"""How often drift is called where there is none, and how soon where there is; beside the naive way.

python -m benchmarks.drift_alarms [--gauges DIR] [--stretches 45] [--planted 10] [--seed 7]

Stationary are 90 days of the simulator's live weather, whose season never changes, with 120, 240 or 365 days before
them as reference, each stretch of a seed of its own. Real are 90 days of gauges of five parts of Brazil against the one
to three years before: no two years are alike, so this is harder than stationary and no gate. The score is made up from
humidity and rain. `naive` is the stability index of the newest 14 days against the 14 before, called at .25. An alarm
is found where it is raised within 30 days after something was planted, and not raised without that.

Exits 1 where the upper end of the interval of stationary false alarms exceeds one in 90 days.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from core.adapters.frames import from_frame
from core.adapters.gauges.stations import read_stations
from core.adapters.maps import load_region
from core.adapters.simulator.source import Simulator
from core.domain.drift import SCORE, Shift
from core.quality.checks import check
from core.verification.drift import PSI_DAYS, RATE, Periods, judge
from core.verification.standing import days_of, stability_index
from core.workflows.drifting import INPUTS, SCORE_PART

ROOT = Path(__file__).resolve().parent.parent
Table = Mapping[str, NDArray[np.float32]]
WATCHED_DAYS, FOUND_DAYS = 90, 30
REFERENCES = (120, 240, 365)
NAIVE_LIMIT = 0.25
#: Every so many cells of the region: 21 of 162.
THINNED = 8
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
PARTS = {
    "Minas Gerais": ("MG",),
    "South": ("RS", "SC", "PR"),
    "Northeast": ("BA", "PI", "CE"),
    "Southeast": ("RJ", "ES", "SP"),
    "Centre": ("GO", "DF"),
}


@dataclass(frozen=True)
class Stretch:
    """Hourly values with their hours, and which days are judged by which."""

    values: Table
    hour: NDArray[np.int64]
    periods: Periods

    def shifts(self) -> tuple[Shift, ...]:
        """Return all alarms, inputs and score judged as the house does."""
        inputs = {name: array for name, array in self.values.items() if name != SCORE}
        found = judge(inputs, self.hour, self.periods, RATE * (1 - SCORE_PART), np.random.default_rng(7))
        score = {SCORE: self.values[SCORE]}
        found += judge(score, self.hour, self.periods, RATE * SCORE_PART, np.random.default_rng(7))
        return tuple(shift for variable in found for shift in variable.shifts)

    def naive(self) -> int:
        """Return how often the naive way calls drift: changes from no call to a call, of every variable."""
        day = days_of(self.hour)
        first, last = self.periods.watched
        calls = 0
        for array in self.values.values():
            before = False
            for today in range(first, last + 1):
                called = naive_index(array, day, today) > NAIVE_LIMIT
                calls += called and not before
                before = called
        return calls


def naive_index(array: NDArray[np.float32], day: NDArray[np.int64], today: int) -> float:
    """Return the stability index of the newest 14 days by the deciles of the 14 days before, 0 where not known."""
    new, old = (array[:, (day > today - PSI_DAYS - back) & (day <= today - back)] for back in (0, PSI_DAYS))
    new, old = new[np.isfinite(new)], old[np.isfinite(old)]
    if not len(new) or not len(old):
        return 0.0
    edges = np.unique(np.quantile(old, np.arange(1, 10) / 10))
    masses = [np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1).astype(float) for x in (new, old)]
    return float(stability_index(*masses))


def score_of(values: Table) -> NDArray[np.float32]:
    """Return a made-up probability: the more humid and the wetter, the likelier."""
    rain = np.nan_to_num(values["precipitation_mm"])
    odds = -4 + 0.06 * (values["relative_humidity_pct"] - 80) + 0.8 * np.log1p(rain)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def simulated(seed: int, reference: int) -> Stretch:
    """Return a stationary stretch of its own seed."""
    region = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
    region = replace(region, locations=region.locations[::THINNED])
    end = BEGIN + timedelta(days=reference + WATCHED_DAYS)
    weather = Simulator((region,), seed, lambda: end).hours(region, BEGIN + timedelta(hours=1), end)
    values = {name: weather.get(name) for name in INPUTS}
    first = int(days_of(weather.valid_at.astype(np.int64)[:1])[0])
    watched = first + reference
    periods = Periods((first, watched - 1), (watched, watched + WATCHED_DAYS - 1), seasonal=False)
    return Stretch(values | {SCORE: score_of(values)}, weather.valid_at.astype(np.int64), periods)


def gauges(folder: Path) -> Iterator[tuple[str, Stretch]]:
    """Yield stretches of real weather with all years before as reference, and the number of these."""
    stations = pd.read_csv(folder / "stations.csv")
    places = tuple(read_stations(folder / "stations.csv").values())
    parts, hours = [], []
    for path in sorted(folder.glob("hourly_*.parquet")):
        begin = np.datetime64(path.stem[-4:], "Y")
        axis = np.arange(begin.astype("datetime64[h]") + 1, (begin + 1).astype("datetime64[h]") + 1)
        frame = pd.read_parquet(path).rename(columns={"station_id": "location_id"})
        usable = check(from_frame(frame, places, axis, "gauges"), True).usable()
        parts.append({name: usable.get(name) for name in INPUTS})
        hours.append(axis.astype(np.int64))
    hour = np.concatenate(hours)
    everywhere = {name: np.concatenate([part[name] for part in parts], axis=1) for name in INPUTS}
    first = int(days_of(hour[:1])[0])
    rows = {p.id: i for i, p in enumerate(places)}
    for states in PARTS.values():
        kept = [rows[name] for name in stations.loc[stations["state"].isin(states), "station_id"] if name in rows]
        values = {name: array[kept] for name, array in everywhere.items()}
        values |= {SCORE: score_of(values)}
        for years in (1, 2, 3):
            for quarter in range(4):
                watched = first + round(365.25 * years) + quarter * WATCHED_DAYS
                inside = (days_of(hour) >= watched) & (days_of(hour) < watched + WATCHED_DAYS)
                if np.isfinite(values["temperature_c"][:, inside]).mean() > 0.5:
                    until = days_of(hour) < watched + WATCHED_DAYS
                    periods = Periods((first, watched - 1), (watched, watched + WATCHED_DAYS - 1))
                    cut = {name: array[:, until] for name, array in values.items()}
                    yield str(years), Stretch(cut, hour[until], periods)


def _add(by: float) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    return lambda x: x + np.float32(by)


def _times(by: float) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    return lambda x: x * np.float32(by)


def _stuck(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values of which every third place reads its median throughout."""
    x = x.copy()
    x[::3] = np.where(np.isfinite(x[::3]), np.nanmedian(x[::3], axis=1, keepdims=True), np.nan)
    return x


PLANTED: dict[str, tuple[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]]] = {
    "temperature +2 K": ("temperature_c", _add(2)),
    "humidity +10 %": ("relative_humidity_pct", lambda x: np.minimum(x + np.float32(10), 100)),
    "pressure +3 hPa": ("surface_pressure_hpa", _add(3)),
    "wind x1.5": ("wind_speed_ms", _times(1.5)),
    "rain x1.5": ("precipitation_mm", _times(1.5)),
    "third of temperatures stuck": ("temperature_c", _stuck),
    "score log-odds +0.5": (SCORE, lambda p: p / (p + (1 - p) * np.float32(np.exp(-0.5)))),
}


def delay_of(stretch: Stretch, name: str, without: frozenset[str]) -> int | None:
    """Return after how many days something planted on the 31st day is called, None where it is not within 30 days."""
    variable, change = PLANTED[name]
    begin = stretch.periods.watched[0] + WATCHED_DAYS - 2 * FOUND_DAYS
    values = dict(stretch.values)
    at = days_of(stretch.hour) >= begin
    values[variable] = values[variable].copy()
    values[variable][:, at] = change(values[variable][:, at])
    periods = replace(stretch.periods, watched=(stretch.periods.watched[0], begin + FOUND_DAYS - 1))
    planted = datetime(1970, 1, 1, tzinfo=UTC).date() + timedelta(days=begin)
    called = [s for s in replace(stretch, values=values, periods=periods).shifts() if s.key not in without]
    delays = [(s.raised - planted).days + 1 for s in called if s.raised >= planted]
    return min(delays, default=None)


def print_rate(name: str, alarms: list[int], naive: list[int]) -> float:
    """Print alarms per 90 days with the 90 % interval of a Poisson rate (Garwood 1936); return its upper end."""
    total, n = sum(alarms), len(alarms)
    low = chi2.ppf(0.05, 2 * total) / 2 / n if total else 0.0
    high = float(chi2.ppf(0.95, 2 * total + 2) / 2 / n)
    some = np.mean([count > 0 for count in alarms])
    print(
        f"{name:<34} {n:>3} stretches: {total / n:5.2f} ({low:.2f} to {high:.2f}) alarms in 90 days, "
        f"{some:4.0%} with any; naive {np.mean(naive):5.1f}"
    )
    return high


def print_power(name: str, stretches: list[Stretch]) -> None:
    """Print for everything planted the share found within 30 days, and the median delay of what was found."""
    without = [frozenset(shift.key for shift in stretch.shifts()) for stretch in stretches]
    for planted in PLANTED:
        delays = [delay_of(stretch, planted, keys) for stretch, keys in zip(stretches, without, strict=True)]
        found = [delay for delay in delays if delay is not None]
        median = f"median {np.median(found):.0f} days" if found else "never"
        print(f"{name:<10} {planted:<28} found {len(found):>2} of {len(delays)} within 30 days, {median}")


def main() -> int:
    """Print false alarms and power, simulated and real; return the exit code."""
    args = _arguments()
    alarms: dict[int, list[int]] = {days: [] for days in REFERENCES}
    naive: dict[int, list[int]] = {days: [] for days in REFERENCES}
    for i in range(args.stretches):
        stretch = simulated(1000 * args.seed + i, REFERENCES[i % 3])
        alarms[REFERENCES[i % 3]].append(len(stretch.shifts()))
        naive[REFERENCES[i % 3]].append(stretch.naive())
    for days in REFERENCES:
        print_rate(f"stationary, {days} days of reference", alarms[days], naive[days])
    upper = print_rate("stationary, all", *([n for of in x.values() for n in of] for x in (alarms, naive)))
    print_power("simulated", [simulated(1000 * args.seed + 900 + i, 240) for i in range(args.planted)])
    if args.gauges.exists():
        real = list(gauges(args.gauges))
        for years in ("1", "2", "3"):
            mine = [stretch for held, stretch in real if held == years]
            print_rate(
                f"gauges, {years} years of reference", [len(s.shifts()) for s in mine], [s.naive() for s in mine]
            )
        print_power("gauges", [stretch for held, stretch in real if held == "2"][:: max(20 // args.planted, 1)])
    print(f"at most one false alarm in 90 days: {'holds' if upper <= 1 else 'does NOT hold'} ({upper:.2f})")
    return int(upper > 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=ROOT.parent / "shared" / "data" / "gauges")
    parser.add_argument("--stretches", type=int, default=45)
    parser.add_argument("--planted", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
