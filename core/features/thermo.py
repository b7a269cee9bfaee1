"""Thermodynamics of moist air. All functions take and return numpy arrays of any shape; NaN stays NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.units import ZERO_CELSIUS_K, saturation_vapour_pressure_hpa

Array = NDArray[np.floating]


def mixing_ratio_g_kg(dew_point_c: Array, pressure_hpa: Array) -> Array:
    """Return the water vapour mixing ratio, g/kg: r = 622 e / (p - e), e at the dew point."""
    vapour = saturation_vapour_pressure_hpa(dew_point_c)
    ratio: Array = 622.0 * vapour / (pressure_hpa - vapour)
    return ratio


def lifting_condensation_temperature_k(temperature_c: Array, dew_point_c: Array) -> Array:
    """Return the temperature at the lifting condensation level, K (Bolton 1980, eq. 15).

    T_L = 1 / (1 / (T_d - 56) + ln(T / T_d) / 800) + 56, T and T_d in K.
    """
    t, td = temperature_c + ZERO_CELSIUS_K, dew_point_c + ZERO_CELSIUS_K
    return 1 / (1 / (td - 56) + np.log(t / td) / 800) + 56


def equivalent_potential_temperature_k(temperature_c: Array, dew_point_c: Array, pressure_hpa: Array) -> Array:
    """Return the equivalent potential temperature, K (Bolton 1980, eq. 43).

    theta_e = T (1000 / p)^(0.2854 (1 - 0.28e-3 r)) exp((3.376 / T_L - 0.00254) r (1 + 0.81e-3 r)), r in g/kg.
    """
    t = temperature_c + ZERO_CELSIUS_K
    r = mixing_ratio_g_kg(dew_point_c, pressure_hpa)
    t_lcl = lifting_condensation_temperature_k(temperature_c, dew_point_c)
    dry = t * (1000.0 / pressure_hpa) ** (0.2854 * (1 - 0.28e-3 * r))
    return dry * np.exp((3.376 / t_lcl - 0.00254) * r * (1 + 0.81e-3 * r))


def wind_components_ms(speed_ms: Array, direction_deg: Array) -> tuple[Array, Array]:
    """Return the eastward and northward wind, m/s, of a wind blowing *from* `direction_deg`."""
    angle = np.deg2rad(direction_deg)
    return -speed_ms * np.sin(angle), -speed_ms * np.cos(angle)
