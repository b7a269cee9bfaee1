"""Thermodynamics of moist air. All functions take and return numpy arrays of any shape; NaN stays NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.units import ZERO_CELSIUS_K, saturation_vapour_pressure_hpa

Array = NDArray[np.floating]
#: Specific heat of dry air at constant pressure (Bolton 1980) and standard gravity (CGPM 1901).
DRY_AIR_HEAT_CAPACITY_J_KG_K, GRAVITY_MS2 = 1005.7, 9.80665
#: Newton's steps from the temperature down: five leave less than 0.001 K between -40 and 50 °C, 500 and 1050 hPa.
WET_BULB_STEPS = 5


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


def wet_bulb_temperature_c(temperature_c: Array, dew_point_c: Array, pressure_hpa: Array) -> Array:
    """Return the thermodynamic wet-bulb temperature over water, °C, by Newton's iteration.

    It solves the heat balance of air that is cooled at constant pressure by water evaporating into it until it is
    saturated (ASHRAE Handbook Fundamentals 2017, ch. 1, eq. 33; WMO-No. 8, annex 4.A):

    (2501 - 2.326 T_w) r_s(T_w) = 1.006 (T - T_w) + (2501 + 1.86 T - 4.186 T_w) r

    with T in °C, r = mixing ratio in kg/kg, r_s(T_w) that of saturated air at the same pressure. Below 0 °C it is that
    of supercooled water, not of ice. Stull's fit (2011, doi:10.1175/JAMC-D-11-0143.1) holds at 1013 hPa only.

    >>> round(float(wet_bulb_temperature_c(np.array(30.0), np.array(20.0), np.array(700.0))), 1)
    22.2
    """
    r = mixing_ratio_g_kg(dew_point_c, pressure_hpa) / 1000
    wet = temperature_c
    for _ in range(WET_BULB_STEPS):
        vapour = saturation_vapour_pressure_hpa(wet)
        r_s = mixing_ratio_g_kg(wet, pressure_hpa) / 1000
        growth = r_s * 17.67 * 243.5 / (wet + 243.5) ** 2 * pressure_hpa / (pressure_hpa - vapour)
        needed = (2501 - 2.326 * wet) * r_s - 1.006 * (temperature_c - wet)
        excess = needed - (2501 + 1.86 * temperature_c - 4.186 * wet) * r
        wet = wet - excess / ((2501 - 2.326 * wet) * growth - 2.326 * r_s + 1.006 + 4.186 * r)
    return wet


def lifting_condensation_level_m(temperature_c: Array, dew_point_c: Array) -> Array:
    """Return the height of the lifting condensation level above the ground, m: where the cloud base of rising air lies.

    z = (c_p / g) (T - T_L): along the dry adiabat to Bolton's T_L (1980, eq. 15). The vapour's own heat capacity is
    left out, which makes it about 1 % too low (Romps 2017, doi:10.1175/JAS-D-17-0102.1). 0 where the air is saturated.
    """
    lifted_k = temperature_c + ZERO_CELSIUS_K - lifting_condensation_temperature_k(temperature_c, dew_point_c)
    return np.maximum(DRY_AIR_HEAT_CAPACITY_J_KG_K / GRAVITY_MS2 * lifted_k, 0)


def specific_humidity_g_kg(dew_point_c: Array, pressure_hpa: Array) -> Array:
    """Return the specific humidity, g of vapour per kg of moist air: q = r / (1 + r), r in kg/kg."""
    ratio = mixing_ratio_g_kg(dew_point_c, pressure_hpa)
    return ratio / (1 + ratio / 1000)


def moisture_flux(
    dew_point_c: Array, pressure_hpa: Array, wind_east_ms: Array, wind_north_ms: Array
) -> tuple[Array, Array]:
    """Return the eastward and northward flux of moisture near the ground, q V, in g/kg m/s.

    Banacos and Schultz 2005, Wea. Forecasting 20, doi:10.1175/WAF858.1, eq. 4.
    """
    humidity = specific_humidity_g_kg(dew_point_c, pressure_hpa)
    return humidity * wind_east_ms, humidity * wind_north_ms
