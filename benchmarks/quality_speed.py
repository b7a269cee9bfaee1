"""How fast weather records are validated: this house, pydantic row by row, and pandera, with the same checks.

All sides check the same records of eight variables and a position: the same ranges, the same consistency (dew point,
humidity against both temperatures, rain out of dry air or a clear sky), the same z-score with the same centre and
spread. All give back what is wrong and why: this house its flags with record and reason of each, pydantic the errors of
every row, pandera its failure cases. One record in a hundred is wrong.

What favours the peers: pydantic is handed dictionaries that are ready, and stops at a range before it looks at the
consistency of a row; neither tells suspect from failed. Times are the best of several, for all sides.

Run: python -m benchmarks.quality_speed
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.quality_peers import USUAL, by_pandera, by_pydantic
from core import DataQualityMiddleware
from core.domain.units import dew_point_c, saturation_vapour_pressure_hpa
from core.quality.baseline import Baseline

VARIABLES = (
    "temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "surface_pressure_hpa",
    "wind_speed_ms",
    "wind_direction_deg",
    "cloud_cover_pct",
    "precipitation_mm",
)
#: One record in so many has a wrong value.
ONE_WRONG_IN = 100
REPEATS = {"house": 15, "pydantic": 3, "pandera": 7}
MEMORY_ROWS = (10_000, 100_000, 1_000_000)
#: Least times faster than pydantic and than pandera, by rows.
GOALS = {10_000: (30, 10), 100_000: (60, 20)}
ONE_RECORD_MS = 1.0


@dataclass(frozen=True)
class Speed:
    """Records per second of each side, by rows, and the records that each found fault with."""

    rows: int
    per_s: dict[str, float]
    faulty: dict[str, int]

    def times(self, peer: str) -> float:
        """Return how many times faster this house is."""
        return self.per_s["house"] / self.per_s[peer]


def records(rows: int, seed: int = 7) -> pd.DataFrame:
    """Return plausible records of one place at 560 m, one in a hundred wrong."""
    draw = np.random.default_rng(seed)
    temperature, humidity = draw.normal(24, 3, rows), draw.uniform(61, 99, rows)
    frame = pd.DataFrame(
        {
            "temperature_c": temperature,
            "dew_point_c": dew_point_c(humidity / 100 * saturation_vapour_pressure_hpa(temperature)),
            "relative_humidity_pct": humidity,
            "surface_pressure_hpa": draw.normal(946, 3, rows),
            "wind_speed_ms": draw.gamma(2, 1.5, rows),
            "wind_direction_deg": draw.uniform(0, 360, rows),
            "cloud_cover_pct": draw.uniform(51, 100, rows),
            "precipitation_mm": np.where(draw.random(rows) < 0.2, draw.exponential(2, rows), 0.0),
            "latitude": 30.3,
            "longitude": 78.0,
        }
    )
    wrong = draw.choice(rows, rows // ONE_WRONG_IN, replace=False)
    for i, name in enumerate(VARIABLES):
        frame.loc[wrong[i :: len(VARIABLES)], name] = 9999.0
    return frame


def house() -> DataQualityMiddleware:
    """Return this house's side, with the z-score's centre and spread that the peers have."""
    centre = {name: np.array([usual[0]], np.float32) for name, usual in USUAL.items()}
    spread = {name: np.array([usual[1]], np.float32) for name, usual in USUAL.items()}
    return DataQualityMiddleware(Baseline(centre, spread, {}, {}))


def by_house(quality: DataQualityMiddleware, frame: pd.DataFrame) -> int:
    """Validate a frame with record and reason of every flag; return the number of records with one."""
    flags = quality.process_and_validate(frame)["flags"]
    record, code = flags.entries()
    assert len(record) == len(code)
    faulty = np.zeros(len(frame), bool)
    faulty[record] = True
    return int(faulty.sum())


def compare(rows: int) -> Speed:
    """Return the speeds of all sides on the same records."""
    frame, quality = records(rows), house()
    ready = frame.to_dict("records")
    sides: dict[str, Callable[[], int]] = {
        "house": lambda: by_house(quality, frame),
        "pydantic": lambda: by_pydantic(ready),
        "pandera": lambda: by_pandera(frame),
    }
    faulty = {side: run() for side, run in sides.items()}
    best = {side: min(_seconds(run) for _ in range(REPEATS[side])) for side, run in sides.items()}
    return Speed(rows, {side: rows / seconds for side, seconds in best.items()}, faulty)


def one_record_ms(repeats: int = 2000) -> float:
    """Return the median time of one record through the whole validation, pydantic included, ms."""
    quality, record = house(), {**records(100).iloc[0].to_dict(), "elevation_m": 560.0}
    assert quality.process_and_validate(record)["passed"]
    return 1000 * median(_seconds(lambda: quality.process_and_validate(record)) for _ in range(repeats))


def bytes_per_record(rows: int) -> float:
    """Return the most memory that validating a frame takes besides the frame itself, bytes per record."""
    frame, quality = records(rows), house()
    tracemalloc.start()
    quality.process_and_validate(frame)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / rows


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def table() -> tuple[str, bool]:
    """Return all figures as text, and whether every goal is met."""
    one = one_record_ms()
    lines, met = [f"one record, whole validation: median {one:.3f} ms (goal < {ONE_RECORD_MS:g})"], one < ONE_RECORD_MS
    for rows, (than_pydantic, than_pandera) in GOALS.items():
        speed = compare(rows)
        found = ", ".join(f"{side} {n}" for side, n in speed.faulty.items())
        lines.append(f"{rows:,} records x {len(VARIABLES)} variables (records with a finding: {found})")
        lines += [f"  {side:9} {per_s:12,.0f} records/s" for side, per_s in speed.per_s.items()]
        for peer, goal in (("pydantic", than_pydantic), ("pandera", than_pandera)):
            lines.append(f"  {speed.times(peer):6.1f} times {peer} (goal {goal})")
            met &= speed.times(peer) >= goal
    memory = {rows: bytes_per_record(rows) for rows in MEMORY_ROWS}
    lines += [f"memory at {rows:>9,} records: {size:6.0f} bytes per record" for rows, size in memory.items()]
    return "\n".join(lines), met


def main() -> None:
    """Print all figures; exit 1 where a goal is missed."""
    text, met = table()
    print(text)
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
