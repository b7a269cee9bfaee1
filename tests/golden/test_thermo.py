"""Thermodynamics against published tables and against other people's code."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.units import standard_pressure_hpa
from core.features.thermo import (
    equivalent_potential_temperature_k,
    lifting_condensation_temperature_k,
    mixing_ratio_g_kg,
    saturation_vapour_pressure_hpa,
    wind_components_ms,
)

KELVIN = 273.15


@pytest.mark.parametrize(
    ("temperature_c", "vapour_hpa"),
    # Smithsonian Meteorological Tables, 6th ed. (List 1951), table 94: over water, after Goff & Gratch.
    [(-10.0, 2.8627), (0.0, 6.1078), (10.0, 12.272), (20.0, 23.373), (30.0, 42.430)],
)
def test_saturation_vapour_pressure_is_that_of_the_smithsonian_tables(temperature_c: float, vapour_hpa: float) -> None:
    # Bolton 1980 claims .1 % against Wexler's formula for -30..35 °C; the tables are a little older.
    assert saturation_vapour_pressure_hpa(np.array(temperature_c)) == pytest.approx(vapour_hpa, rel=0.003)


def test_saturation_vapour_pressure_at_20_degrees_is_boltons_own() -> None:
    # Bolton 1980 (doi:10.1175/1520-0493(1980)108<1046:TCOEPT>2.0.CO;2), eq. 10, by hand: 6.112 exp(353.4 / 263.5).
    assert saturation_vapour_pressure_hpa(np.array(20.0)) == pytest.approx(23.37, abs=0.005)


@pytest.mark.parametrize(
    ("dew_point_c", "pressure_hpa", "ratio_g_kg"),
    # MetPy, tests/calc/test_thermo.py: test_saturation_mixing_ratio and ..._with_xarray.
    [(14.85, 999.0, 10.68), (10.0, 700.0, 11.098), (13.0, 700.0, 13.589), (14.0, 850.0, 11.913), (17.0, 850.0, 14.499)],
)
def test_mixing_ratio_is_metpys(dew_point_c: float, pressure_hpa: float, ratio_g_kg: float) -> None:
    found = mixing_ratio_g_kg(np.array(dew_point_c), np.array(pressure_hpa))
    assert found == pytest.approx(ratio_g_kg, rel=0.001)  # 622 here, 621.98 there


def test_lifting_condensation_temperature_is_earthkits_bolton() -> None:
    # earthkit-meteo (ECMWF), tests/thermo/test_thermo_array.py: test_lcl, method "bolton"; zero is 273.16 K there.
    t_c = np.array([10.0, 30.0, 43.0]) + 273.16 - KELVIN
    td_c = np.array([-2.0, 26.0, 5.0]) + 273.16 - KELVIN
    found = lifting_condensation_temperature_k(t_c, td_c)
    np.testing.assert_allclose(found, [268.683018, 298.182282, 270.531264], atol=1e-5)


def test_lifting_condensation_temperature_is_near_metpys_iteration() -> None:
    # MetPy, tests/calc/test_thermo.py: test_lcl (1000 hPa, 30 and 20 °C -> 17.676 °C) and test_lcl_kelvin.
    found = lifting_condensation_temperature_k(
        np.array([30.0, 273.09723 - KELVIN]), np.array([20.0, 264.5351 - KELVIN])
    )
    np.testing.assert_allclose(found, [17.676 + KELVIN, 262.827], atol=0.1)  # Bolton's eq. 15 is a fit to .1 K


def test_saturated_air_condenses_where_it_is() -> None:
    t = np.array([-20.0, 0.0, 28.0])
    np.testing.assert_allclose(lifting_condensation_temperature_k(t, t), t + KELVIN, rtol=1e-12)


@pytest.mark.parametrize(
    ("temperature_k", "dew_point_k", "pressure_hpa", "theta_e_k"),
    [
        # MetPy, tests/calc/test_thermo.py: test_equivalent_potential_temperature and ..._masked (Bolton's eq. 39).
        (293.0, 280.0, 1000.0, 311.18586),
        (294.0, 281.0, 1000.0, 313.51781),
        (295.0, 282.0, 1000.0, 315.93971),
        # MetPy, test_saturation_equivalent_potential_temperature: dew point equal to temperature.
        (263.15, 263.15, 700.0, 299.096584),
    ],
)
def test_equivalent_potential_temperature_is_metpys(
    temperature_k: float, dew_point_k: float, pressure_hpa: float, theta_e_k: float
) -> None:
    found = equivalent_potential_temperature_k(
        np.array(temperature_k - KELVIN), np.array(dew_point_k - KELVIN), np.array(pressure_hpa)
    )
    assert found == pytest.approx(theta_e_k, abs=0.05)  # eq. 43 here, eq. 39 there; Bolton gives .02 K between them


def test_dry_air_keeps_its_potential_temperature() -> None:
    # Poisson's equation: 280 K at 850 hPa with kappa = .2854 (Bolton 1980) is 280 (1000/850)^.2854 = 293.29 K.
    found = equivalent_potential_temperature_k(np.array(280.0 - KELVIN), np.array(-90.0), np.array(850.0))
    assert found == pytest.approx(293.29, abs=0.02)


def test_nan_stays_nan_through_all_of_it() -> None:
    t, td, p = np.array([20.0, np.nan, 20.0, 20.0]), np.array([10.0, 10.0, np.nan, 10.0]), np.full(4, 900.0)
    p[3] = np.nan
    np.testing.assert_array_equal(np.isnan(equivalent_potential_temperature_k(t, td, p)), [False, True, True, True])


@pytest.mark.parametrize(
    ("direction_deg", "east_ms", "north_ms"),
    # WMO-No. 8, part I, ch. 5: the direction is where the wind comes from, clockwise from north.
    [(0, 0, -4), (90, -4, 0), (180, 0, 4), (270, 4, 0), (360, 0, -4), (225, math.sqrt(8), math.sqrt(8))],
)
def test_wind_blows_from_its_direction(direction_deg: float, east_ms: float, north_ms: float) -> None:
    east, north = wind_components_ms(np.array(4.0), np.array(float(direction_deg)))
    assert (float(east), float(north)) == pytest.approx((east_ms, north_ms), abs=1e-12)


@pytest.mark.parametrize(
    ("height_m", "pressure_hpa"),
    # ICAO Doc 7488/3 (1993), table 1, by geopotential altitude.
    [(0, 1013.25), (1000, 898.75), (2000, 794.95), (3000, 701.09), (4000, 616.40), (5000, 540.20)],
)
def test_standard_atmosphere_is_that_of_the_icao(height_m: float, pressure_hpa: float) -> None:
    assert standard_pressure_hpa(height_m) == pytest.approx(pressure_hpa, abs=0.015)
