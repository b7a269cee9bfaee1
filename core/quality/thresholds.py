"""The limits of all checks in words: what a page shows beside the flags."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.weather import Flag
from core.quality import rules


@dataclass(frozen=True)
class Threshold:
    """One limit as people read it."""

    test: str
    variable: str
    limit: str
    flag: Flag
    reason: str


def thresholds() -> tuple[Threshold, ...]:
    """Return every limit of every check, in words with its unit and its reason."""
    ranges = [
        Threshold("range", r.variable, f"{r.low:g}..{r.high:g} {r.unit}", Flag.FAIL, r.reason) for r in rules.RANGES
    ]
    return (*ranges, *_of_courses(), *_OTHERS)


def _of_courses() -> list[Threshold]:
    found = []
    for c in rules.COURSES:
        if c.step is not None:
            found.append(Threshold("step", c.variable, f"{c.step:g} {c.unit} in an hour", Flag.SUSPECT, c.reason))
        if c.spike is not None:
            text = f"{c.spike:g} {c.unit} beyond both neighbouring hours"
            found.append(Threshold("spike", c.variable, text, Flag.SUSPECT, c.reason))
        if c.spike_fail is not None:
            text = f"{c.spike_fail:g} {c.unit} beyond both neighbouring hours"
            found.append(Threshold("spike", c.variable, text, Flag.FAIL, c.reason))
        if c.still_h is not None:
            found.append(Threshold("flat line", c.variable, f"unchanged for {c.still_h} h", Flag.SUSPECT, c.reason))
    return found


_SUSPECT, _FAIL = Flag.SUSPECT, Flag.FAIL
_OTHERS = (
    Threshold(
        "pressure at height",
        "surface_pressure_hpa",
        f"± {rules.PRESSURE_AT_HEIGHT_TOLERANCE_HPA:g} hPa",
        _SUSPECT,
        "around the standard atmosphere at the station's height (ICAO Doc 7488)",
    ),
    Threshold(
        "consistency",
        "dew_point_c",
        f"above temperature + {rules.DEW_POINT_TOLERANCE_K:g} K",
        _FAIL,
        "air cannot hold more; the temperature is then suspect",
    ),
    Threshold(
        "consistency",
        "relative_humidity_pct",
        f"{rules.HUMIDITY_TOLERANCE_PCT:g} % from temperature and dew point",
        _SUSPECT,
        f"the three say one thing (Bolton 1980); beyond {rules.HUMIDITY_CONTRADICTION_PCT:g} % all three fail",
    ),
    Threshold("consistency", "wind_gust_ms", "below the mean wind", _SUSPECT, "a gust is the hour's maximum"),
    Threshold(
        "consistency",
        "precipitation_mm",
        f"over {rules.WETTING_RAIN_MM:g} mm/h at {rules.WETTING_HUMIDITY_PCT:g} % humidity or less",
        _SUSPECT,
        "rain moistens the air it falls through",
    ),
    Threshold(
        "consistency",
        "precipitation_mm",
        f"{rules.HEAVY_RAIN_MM:g} mm/h or more under {rules.HEAVY_RAIN_CLOUD_PCT:g} % cloud or less",
        _SUSPECT,
        "heavy rain needs a cloud",
    ),
    Threshold(
        "consistency",
        "wind_speed_ms",
        f"{rules.GALE_MS:g} m/s or more while pressure moved less than {rules.GALE_TENDENCY_HPA:g} hPa in 3 h",
        _SUSPECT,
        "a gale comes with a pressure that changes",
    ),
    Threshold(
        "spike",
        "wind_speed_ms",
        f"√wind {rules.WIND_SPIKE:g} and √gust {rules.GUST_SPIKE:g} above both neighbouring hours",
        _SUSPECT,
        "one hour in other units; a gust front with cooling or rain is none",
    ),
    Threshold(
        "flat line",
        "temperature_c",
        f"temperature, humidity and pressure unchanged for {rules.FLAT_LINE_H} h",
        _FAIL,
        "one may stand still, not all together",
    ),
    Threshold(
        "flat line",
        "precipitation_mm",
        f"the same {rules.STUCK_RAIN_MM:g} mm or more for {rules.STUCK_RAIN_H} h",
        _FAIL,
        "rain of that rate is never steady to a tenth; no rain may stand",
    ),
    Threshold(
        "z-score",
        "every variable with a scale",
        f"{rules.Z_LIMIT:g} robust standard deviations of the place",
        _SUSPECT,
        "median and median absolute deviation of past values that passed; the hours around may confirm it",
    ),
    Threshold(
        "climatology",
        "every variable with a scale but rain",
        f"beyond the 1st..99th percentile of month and hour by {rules.CLIMATE_MARGIN:.0%} of their distance",
        _SUSPECT,
        "what the place has not seen in that month and hour",
    ),
    Threshold(
        "extreme rain",
        "precipitation_mm",
        f"{rules.EXTREME_RAIN_MM:g} mm/h, or a z-score of {rules.Z_LIMIT:g}",
        _SUSPECT,
        "rare is not wrong: confirmed by two of humidity, cooling, gust, rain around, rain at a neighbour",
    ),
    Threshold(
        "buddy",
        "temperature_c",
        f"{rules.BUDDY_TEMPERATURE_K:g} K and {rules.BUDDY_SPREADS:g} spreads from the neighbours' median",
        _SUSPECT,
        f"neighbours within {rules.BUDDY_RADIUS_KM:g} km, reduced to the same height by 6.5 K/km",
    ),
    Threshold(
        "clock",
        "the whole record",
        "the day fits its place's own day hours later or earlier far better",
        _SUSPECT,
        "a clock hours off; only known in hindsight",
    ),
    Threshold(
        "repeated",
        "the whole record",
        f"{rules.REPEATED_H} h that stand there again within {rules.REPEATED_WITHIN_H} h",
        _SUSPECT,
        "weather does not repeat itself to the tenth in every variable",
    ),
    Threshold(
        "duplicate",
        "the whole record",
        "two reports of one hour that differ in a value both have",
        _SUSPECT,
        "the later one counts, and which of them is true they do not say",
    ),
    Threshold(
        "freshness",
        "the newest values of a place",
        "older than the ages in the settings, or in the region's pack",
        _SUSPECT,
        "weather changes within the hour; from the hard limit on it counts as missing",
    ),
    Threshold(
        "gap",
        "the whole record",
        f"silent for {rules.GAP_H} h",
        Flag.MISSING,
        "told apart from a single missing hour",
    ),
)
