"""Which planted faults the quality checks find, at which cost, beside ioos_qc's and the plain z > 3.

python -m benchmarks.quality_detection [--gauges DIR] [--planter plant_faults.py] [--years 2020 ...] [--share 0.02]

Counted by record (a station's hour): found where any check flags any of its values, SUSPECT or FAIL. `false` is the
share of untouched records that are flagged, `10 mm` that of untouched hours with at least 10 mm, `50 mm FAIL` the hours
with at least 50 mm whose rain fails, of how many.
"""

from __future__ import annotations

import argparse
import runpy
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from ioos_qc import qartod

from core.adapters.frames import from_frame
from core.adapters.gauges.stations import read_stations
from core.domain.quality import Mask
from core.domain.weather import Flag, HourlyWeather
from core.quality import rules
from core.quality.checks import check

SHARED = Path(__file__).resolve().parents[2] / "shared"
KINDS = ("spike", "stuck", "unit_temp", "swap", "rain_stuck", "unit_wind", "clock")
#: What must be found at least, and the share of untouched records that may be flagged.
GOALS = dict(zip(KINDS, (0.95,) * 5 + (0.6, 0.5), strict=True))
FALSE_LIMIT = 0.01
#: Variables that the peers look at; ours looks at all.
VARIABLES = ("temperature_c", "dew_point_c", "relative_humidity_pct", "surface_pressure_hpa", "wind_speed_ms")
RAIN = "precipitation_mm"
#: Flags by record and those of rain, shape (places, hours).
Flags = tuple[Mask, Mask]


def ours(weather: HourlyWeather) -> Flags:
    """Return what the house flags in hindsight, and where rain fails."""
    checked = check(weather, hindsight=True)
    hit = [f.where for f in checked.findings if f.flag in (Flag.SUSPECT, Flag.FAIL)]
    return np.logical_or.reduce(hit), checked.flags(RAIN) == Flag.FAIL


def plain_z(weather: HourlyWeather) -> Flags:
    """Return range and |x - mean| > 3 standard deviations of the station, as it is often written."""
    flagged = np.zeros(weather.observed().shape, bool)
    rain_fails = flagged.copy()
    for variable, values in weather.values.items():
        rule = rules.RANGE_OF[variable]
        outside = (values < rule.low) | (values > rule.high)
        with warnings.catch_warnings():  # a station without a sensor has no mean
            warnings.simplefilter("ignore", RuntimeWarning)
            mean, deviation = (of(values, axis=1, keepdims=True) for of in (np.nanmean, np.nanstd))
        hit = outside | (np.abs(values - mean) > 3 * deviation)
        flagged |= hit
        if variable == RAIN:
            rain_fails = hit  # the recipe knows one verdict only
    return flagged, rain_fails


def ioos(weather: HourlyWeather, still_h: int | None = None) -> Flags:
    """Return ioos_qc's gross range, spike, rate of change and flat line with the limits of the house.

    `still_h` is its flat line for every sensor by itself, hours; None for that of the house's table.
    """
    flagged = np.zeros(weather.observed().shape, bool)
    rain_fails = flagged.copy()
    hours = weather.valid_at.astype("datetime64[ns]")
    courses = {c.variable: c for c in rules.COURSES}
    for variable in (*VARIABLES, RAIN):
        rule, course = rules.RANGE_OF[variable], courses.get(variable)
        for place, row in enumerate(weather.get(variable).astype(float)):
            values = np.ma.masked_invalid(row)
            flags = [qartod.gross_range_test(values, fail_span=(rule.low, rule.high))]
            # Its flat line test has no exemption of dry hours, so rain is judged by its range alone.
            if course is not None:
                still_s = 3600 * ((still_h or course.still_h or rules.FLAT_LINE_H) - 1)
                flags.append(qartod.flat_line_test(values, hours, still_s, 10 * still_s, tolerance=1e-6))
                if course.spike is not None:
                    limits = (course.spike, course.spike_fail or 10 * course.spike)
                    flags.append(qartod.spike_test(values, *limits, method="differential"))
                if course.step is not None:
                    flags.append(qartod.rate_of_change_test(values, hours, threshold=course.step / 3600))
            worst = np.max([np.where(np.ma.getmaskarray(f) | (f.data == Flag.MISSING), 0, f.data) for f in flags], 0)
            flagged[place] |= worst >= Flag.SUSPECT
            if variable == RAIN:
                rain_fails[place] = worst == Flag.FAIL
    return flagged, rain_fails


METHODS: dict[str, Callable[[HourlyWeather], Flags]] = {
    "ours": ours,
    "ioos_qc": ioos,
    "ioos_qc, 6 h": partial(ioos, still_h=rules.FLAT_LINE_H),
    "z > 3": plain_z,
}


def grid(frame: pd.DataFrame, stations: Path) -> tuple[HourlyWeather, np.ndarray]:
    """Return the records on a gapless axis, and the planted fault of each (None: no record)."""
    known = read_stations(stations)
    places = tuple(known[name] for name in sorted(frame["station_id"].unique()))
    hours = pd.DatetimeIndex(frame["valid_at"]).tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[h]")
    axis = np.arange(hours.min(), hours.max() + np.timedelta64(1, "h"))
    weather = from_frame(frame.rename(columns={"station_id": "location_id"}), places, axis, "gauges")
    fault = np.full((len(places), len(axis)), None, object)
    row = frame["station_id"].map({p.id: i for i, p in enumerate(places)}).to_numpy()
    fault[row, (hours - axis[0]).astype(int)] = frame["fault"].to_numpy()
    return weather, fault


def row_of(name: str, weather: HourlyWeather, fault: np.ndarray) -> dict[str, object]:
    """Return one line of the table."""
    flagged, rain_fails = METHODS[name](weather)
    rain = weather.get(RAIN)
    untouched = fault == ""
    extreme = untouched & (rain >= 50)
    found = {kind: float(flagged[fault == kind].mean()) for kind in KINDS}
    return {
        "method": name,
        **found,
        "false": float(flagged[untouched].mean()),
        "10 mm": float(flagged[untouched & (rain >= 10)].mean()),
        "50 mm FAIL": f"{int(rain_fails[extreme].sum())} of {int(extreme.sum())}",
    }


def main() -> None:
    """Print one table per year, and whether the goals hold."""
    args = _arguments()
    plant = runpy.run_path(str(args.planter))["plant"]
    for year in args.years:
        frame = pd.read_parquet(args.gauges / f"hourly_{year}.parquet")
        weather, fault = grid(plant(frame, args.share, args.seed), args.gauges / "stations.csv")
        with np.errstate(invalid="ignore"):
            table = pd.DataFrame([row_of(name, weather, fault) for name in METHODS]).set_index("method")
        print(f"\n{year}: {int((fault != None).sum()):,} records, {args.share:.0%} planted")  # noqa: E711 - an array
        print(table.to_string(float_format=lambda x: f"{x:.3f}"))
        best = table.loc["ours"]
        missed = [kind for kind, goal in GOALS.items() if float(best[kind]) < goal]
        held = not missed and float(best["false"]) < FALSE_LIMIT
        print(f"goals {'hold' if held else f'do NOT hold: {missed}, false {best.false:.3f}'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=SHARED / "data" / "gauges")
    parser.add_argument("--planter", type=Path, default=SHARED / "reference" / "plant_faults.py")
    parser.add_argument("--years", nargs="+", type=int, default=[2020, 2021, 2022, 2023])
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
