"""How hard the simulated weather is to forecast, and how heavy its rain.

Two classifiers forecast hourly rain >= 15 mm within the next 6 h in the same cell. One knows the whole hidden state at
issue time (every storm already born, with its fate): no forecast from observations can beat it, and it must stay at or
below AUC .95. The other knows the plain observed variables of the last hours. Both learn from the first two past
monsoons and are scored on the third.

Run: python benchmarks/simulator_hardness.py [--seed 7] [--train-rows 300000]
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.adapters.maps import load_region  # noqa: E402 - the project's root must be on the path first
from core.adapters.simulator.source import Simulator  # noqa: E402
from core.domain.units import from_datetime64  # noqa: E402
from core.domain.weather import HourlyWeather, Region  # noqa: E402

Array = NDArray[np.float32]

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
WINDOW_H = 6
TARGET_MM = 15.0
#: Hours of history that the observed features reach back.
HISTORY_H = 24
TAIL_MM = (15.0, 30.0, 50.0, 100.0)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--train-rows", type=int, default=300_000)
    options = parser.parse_args()
    region = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
    simulator = Simulator((region,), options.seed, lambda: NOW)
    print(f"{len(region.locations)} cells, seed {options.seed}")
    monsoons = {}
    for year in simulator.past_monsoons:
        begun = time.perf_counter()
        monsoons[year] = simulator.monsoon(region, year)
        print(f"monsoon {year}: {time.perf_counter() - begun:.1f} s")
    print_tail(monsoons)
    print_live(simulator, region)
    print_skill(simulator, region, monsoons, options.train_rows)


def print_tail(monsoons: dict[int, HourlyWeather]) -> None:
    """Print the numbers of cell-hours above each threshold, and the greatest hour."""
    print("\nyear    cell-hours  wet %" + "".join(f"  >= {mm:.0f} mm" for mm in TAIL_MM) + "    max mm  season mm")
    for year, weather in monsoons.items():
        rain = weather.get("precipitation_mm")
        counts = "".join(f"{int((rain >= mm).sum()):>{len(f'{mm:.0f}') + 8}}" for mm in TAIL_MM)
        wet, season = 100 * (rain >= 0.1).mean(), np.median(rain.sum(axis=1))
        print(f"{year} {rain.size:>13,} {wet:>6.1f}{counts} {rain.max():>9.1f} {season:>10.0f}")
    rain = np.concatenate([weather.get("precipitation_mm") for weather in monsoons.values()], axis=1)
    shares = ", ".join(f">= {mm:.0f} mm {100 * (rain >= mm).mean():.4f} %" for mm in TAIL_MM)
    print(f"all: {rain.size:,} cell-hours; {shares}; max {rain.max():.1f} mm")


def print_live(simulator: Simulator, region: Region) -> None:
    """Print the time for the last 16 days of live weather, and how active it is."""
    begun = time.perf_counter()
    live = simulator.hours(region, from_datetime64(np.datetime64("2026-11-08T03")), NOW)
    taken = time.perf_counter() - begun
    rain = live.get("precipitation_mm")
    wet = (rain >= 1).sum(axis=0)
    print(
        f"\nlive, 16 days: {taken:.2f} s; cells with >= 1 mm in an hour: median {np.median(wet):.0f}, "
        f"10 % of hours below {np.percentile(wet, 10):.0f}; >= 15 mm: {100 * (rain >= TARGET_MM).mean():.2f} % of hours"
    )


def print_skill(simulator: Simulator, region: Region, monsoons: dict[int, HourlyWeather], train_rows: int) -> None:
    """Print base rate and the AUC of both classifiers, and of the rate and of persistence alone."""
    truths, hidden, seen, names = [], [], [], []
    for weather in monsoons.values():
        truths.append(event_ahead(weather.get("precipitation_mm"))[:, HISTORY_H:-WINDOW_H].ravel())
        latent = simulator.latent(
            region, from_datetime64(weather.valid_at[0]), from_datetime64(weather.valid_at[-1]), calendar=True
        )
        names = list(latent)
        hidden.append(stacked(list(latent.values())))
        seen.append(stacked(observed_features(weather)))
    print(
        f"\nevent: >= {TARGET_MM:.0f} mm/h within {WINDOW_H} h; base rate of the third monsoon {truths[-1].mean():.4f}"
    )
    for name, features in (("latent state", hidden), ("observed variables", seen)):
        begun = time.perf_counter()
        auc = score(features, truths, train_rows)
        print(f"AUC, {name}: {auc:.4f} ({features[0].shape[1]} features, {time.perf_counter() - begun:.0f} s)")
    for name in ("births_to_come", "known_rain_mm", "moisture"):
        print(f"AUC, {name} alone: {roc_auc_score(truths[-1], hidden[-1][:, names.index(name)]):.4f}")


def event_ahead(rain: Array) -> NDArray[np.bool_]:
    """Return whether rain of the target comes within the next hours, shape (places, hours)."""
    ahead = np.zeros(rain.shape, bool)
    for lead in range(1, WINDOW_H + 1):
        ahead[:, :-lead] |= rain[:, lead:] >= TARGET_MM
    return ahead


def stacked(columns: list[Array]) -> Array:
    """Return columns of shape (places, hours) as (cases, features), without the ends that lack history or future."""
    return np.stack([column[:, HISTORY_H:-WINDOW_H].ravel() for column in columns], axis=1)


def observed_features(weather: HourlyWeather) -> list[Array]:
    """Return what a station knows: all variables now, their changes, sums of rain, the hour and the height."""
    columns = [weather.get(name) for name in weather.values]
    angle = np.deg2rad(weather.get("wind_direction_deg"))
    speed = weather.get("wind_speed_ms")
    columns += [speed * np.sin(angle), speed * np.cos(angle)]
    for name in ("temperature_c", "dew_point_c", "pressure_msl_hpa", "cloud_cover_pct", "cape_j_kg", "wind_speed_ms"):
        columns += [change(weather.get(name), hours) for hours in (1, 3, 6, 24)]
    rain = np.cumsum(weather.get("precipitation_mm"), axis=1, dtype=np.float64).astype(np.float32)
    columns += [change(rain, hours) for hours in (3, 6, 24)]
    hour = (weather.valid_at.astype(np.int64) % 24) * np.pi / 12
    height = np.array([place.elevation_m for place in weather.locations])[:, None]
    shape = speed.shape
    columns += [np.broadcast_to(extra, shape).astype(np.float32) for extra in (np.sin(hour), np.cos(hour), height)]
    return columns


def change(values: Array, hours: int) -> Array:
    """Return the change over the last hours, NaN where there is no history."""
    changed = np.full_like(values, np.nan)
    changed[:, hours:] = values[:, hours:] - values[:, :-hours]
    return changed


def score(features: list[Array], truths: list[NDArray[np.bool_]], train_rows: int) -> float:
    """Return the AUC on the last monsoon of a boosting trained on a sample of those before."""
    rows, answers = np.concatenate(features[:-1]), np.concatenate(truths[:-1])
    chosen = np.random.default_rng(1).permutation(len(answers))[:train_rows]
    model = HistGradientBoostingClassifier(
        learning_rate=0.06, max_iter=200, max_leaf_nodes=24, min_samples_leaf=100, l2_regularization=1.0, random_state=1
    )
    with threadpool_limits(1):  # on a busy machine OpenMP's threads wait for each other for minutes
        model.fit(rows[chosen], answers[chosen])
        return float(roc_auc_score(truths[-1], model.predict_proba(features[-1])[:, 1]))


if __name__ == "__main__":
    main()
