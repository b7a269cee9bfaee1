"""Marks that storms leave at the ground: gust fronts, and rain that comes and goes. Arrays are (places, hours).

None looks ahead.
"""

from __future__ import annotations

import numpy as np

from core.domain.weather import Values
from core.features import history

#: What a typical front does: fall of temperature, K (median of 489 fronts: Kirsch et al. 2021,
#: doi:10.1175/MWR-D-20-0197.1); growth of the wind, m/s (median of 189: Kruse et al. 2022, doi:10.1002/qj.4223); rise
#: of pressure, hPa (mean of first storms: Engerer et al. 2008, doi:10.1175/2008MWR2528.1).
TYPICAL_COOLING_K, TYPICAL_GROWTH_MS, TYPICAL_RISE_HPA = 3.3, 4.4, 3.2
#: Gusts are compared with those of so many hours before; half of them must be known.
CALM_H = 6


def gust_front(temperature_c: Values, wind_gust_ms: Values, surface_pressure_hpa: Values, hours: int = 2) -> Values:
    """Return how much the last `hours` hours look like the passage of a gust front: 0 not at all, 1 a typical one.

    s = ((cooling / 3.3 K) (growth / 4.4 m/s) (rise / 3.2 hPa))^(1/3), each factor at least 0: the geometric mean is 0
    unless all three come together, as they do at the edge of a cold pool (Engerer et al. 2008,
    doi:10.1175/2008MWR2528.1). Cooling and rise are changes over `hours` without what is usual at this hour of the day,
    so that neither nightfall nor the tide of pressure is a front; growth is the strongest gust of these hours less the
    mean gust of the six before.

    Returns
    -------
    array (places, hours)
        NaN where any of the three is not known.
    """
    cooling = -history.unusual(history.change(temperature_c, hours))
    rise = history.unusual(history.change(surface_pressure_hpa, hours))
    strongest = wind_gust_ms
    for back in range(1, hours):
        strongest = np.maximum(strongest, history.before(wind_gust_ms, back))  # NaN spreads: none may be missing
    growth = strongest - history.mean(history.before(wind_gust_ms, hours), CALM_H, at_least=CALM_H // 2)
    scaled = (cooling / TYPICAL_COOLING_K, growth / TYPICAL_GROWTH_MS, rise / TYPICAL_RISE_HPA)
    mean: Values = np.cbrt(np.prod([np.maximum(part, 0) for part in scaled], axis=0)).astype(np.float32)
    return mean


def intermittency(rain_mm: Values, hours: int = 24) -> Values:
    """Return how often rain began or ended in the last `hours` hours: changes between wet and dry per known pair, 0..1.

    A share, not a number, so that gaps do not make rain look steadier. Rain of one amount and duration can fall in one
    spell or in many (Trenberth et al. 2017, doi:10.1175/JHM-D-16-0263.1).

    Returns
    -------
    array (places, hours)
        NaN where fewer than half of the pairs of neighbouring hours are known.
    """
    return history.mean(np.abs(history.change(history.above(rain_mm, 0), 1)), hours, at_least=(hours + 1) // 2)


def hours_since_rain(rain_mm: Values, at_most: int = 72) -> Values:
    """Return the hours since the last one with rain, 0 in an hour with rain, `at_most` where none is so near.

    Returns
    -------
    array (places, hours)
        NaN where fewer than half of the hours since then are known.
    """
    hour = np.arange(rain_mm.shape[1])
    last = np.maximum.accumulate(np.where(rain_mm > 0, hour, -at_most), axis=1)
    since = np.minimum(hour - last, at_most)
    counted = np.cumsum(np.isfinite(rain_mm), axis=1)
    begin = np.maximum(hour - since, 0)
    known = counted - np.take_along_axis(counted, begin, axis=1) + np.isfinite(np.take_along_axis(rain_mm, begin, 1))
    return np.where(2 * known >= since + 1, since, np.nan).astype(np.float32)
