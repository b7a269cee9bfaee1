"""A small archive of gauges from which something can be learned, and not too much: moist afternoons bring storms.

And a house over such an archive, whose trainings run in this process.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

import core.bootstrap
from core import Core
from core.domain.lifecycle import Comparison, RunState, RunStatus, Trigger, Verdict
from core.domain.units import saturation_vapour_pressure_hpa
from core.learning.promotion import Gate
from core.ports import silent
from core.settings import Settings
from tests.conftest import NOW

STATIONS = 8
#: How far back a training looks.
DAYS = 70


def learnable_folder(folder: Path, end: datetime, days: int = 75, seed: int = 5) -> Path:
    """Write hourly rows of eight stations up to `end`: heavy rain is likelier the moister and the later the day."""
    rng = np.random.default_rng(seed)
    last = pd.Timestamp(end).floor("h")
    hours = pd.date_range(end=last, periods=24 * days, freq="h")
    clock = hours.hour.to_numpy()
    n = len(hours)
    moist = np.zeros(n)
    for i in range(1, n):  # a spell of moist air lasts for a day or two
        moist[i] = 0.97 * moist[i - 1] + 0.243 * rng.normal()
    frames = []
    for station in range(STATIONS):
        own = moist + 0.3 * rng.normal(size=n)
        temperature = 24 + 5 * np.sin(2 * np.pi * (clock - 9) / 24) - 0.5 * moist + 0.4 * rng.normal(size=n)
        spread = np.clip(7 - 2.5 * own + 0.3 * rng.normal(size=n), 0.2, 20)
        afternoon = np.isin(clock, (8, 9, 10, 11, 12, 13))
        likely = 1 / (1 + np.exp(-(-5.6 + 1.6 * own + 1.6 * afternoon)))
        storm = rng.random(n) < likely
        rain = np.where(storm, rng.gamma(2.0, 7.0, n), rng.gamma(0.4, 0.6, n) * (rng.random(n) < 0.15))
        temperature = temperature - 2.0 * storm
        dew_point = np.minimum(temperature - spread * (1 - 0.7 * storm), temperature)
        vapour = saturation_vapour_pressure_hpa(dew_point) / saturation_vapour_pressure_hpa(temperature)
        frames.append(
            pd.DataFrame(
                {
                    "station_id": f"S{station}",
                    "valid_at": hours,
                    "temperature_c": temperature.round(1),
                    "dew_point_c": dew_point.round(1),
                    "relative_humidity_pct": np.clip(100 * vapour, 1, 100).round(0),
                    "surface_pressure_hpa": (935 - 1.5 * moist + 0.3 * rng.normal(size=n)).round(1),
                    "wind_speed_ms": np.clip(2 + rng.normal(size=n), 0, None).round(1),
                    "wind_direction_deg": rng.integers(0, 36, n) * 10.0,
                    "wind_gust_ms": (np.clip(4 + rng.normal(size=n), 3, None) + 5 * storm).round(1),
                    "precipitation_mm": rain.round(1),
                }
            )
        )
    folder.mkdir(parents=True)
    pd.concat(frames).to_parquet(folder / "hours.parquet", index=False)
    rows = [f"S{i},{30 + 0.4 * (i % 4)},{77 + 0.5 * (i // 4)},{700 + 10 * i}" for i in range(STATIONS)]
    (folder / "stations.csv").write_text("\n".join(["station_id,latitude,longitude,elevation_m", *rows]) + "\n")
    return folder


class LenientGate(Gate):
    """Lets everybody pass who could be compared: what follows a promotion is tried with it."""

    def judge(self, comparison: Comparison | None, leak: str = "") -> Verdict:
        found = super().judge(comparison, leak)
        return Verdict(tuple(replace(rule, met=True) for rule in found.rules)) if comparison else found


def lenient(house: Core) -> dict[str, object]:
    """Return what `run` is to have in place of the gate's rules."""
    gate = LenientGate(0.75, "brier", 1, 90, 2, (0.8, 1.2), 20)
    return {"judging": replace(house.lifecycle.retraining.judging, gate=gate)}


def opened(home: Path, folder: Path, **settings: object) -> Core:
    """Return a house over an archive that `learnable_folder` made; what is in it is yet to be ingested."""
    return core.bootstrap.open_core(Settings(home=home, source=f"gauges:{folder}", **settings), lambda: NOW)


def run(house: Core, days_back: int = DAYS, **changes: object) -> RunState:
    """Train in this process: what the training process does, without one."""
    request = house.lifecycle.asked(
        house.default_region, who="test", trigger=Trigger.API, algorithm="logistic_regression", days_back=days_back
    )
    state = RunState("run", request, 1, NOW, RunStatus.RUNNING, 0.0, "")
    return replace(house.lifecycle.retraining, **changes).run(state, silent)  # type: ignore[arg-type]
