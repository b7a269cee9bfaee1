"""Thermodynamics against published tables and against other people's code."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.units import standard_pressure_hpa
from core.features.thermo import (
    equivalent_potential_temperature_k,
    lifting_condensation_level_m,
    lifting_condensation_temperature_k,
    mixing_ratio_g_kg,
    moisture_flux,
    saturation_vapour_pressure_hpa,
    specific_humidity_g_kg,
    wet_bulb_temperature_c,
    wind_components_ms,
)

KELVIN = 273.15


def dew_point_c(vapour_hpa: float) -> np.ndarray:
    """Return the dew point of a vapour pressure: Bolton's eq. 10 turned round."""
    log = math.log(vapour_hpa / 6.112)
    return np.array(243.5 * log / (17.67 - log))


def dew_point_of(temperature_c: float, relative_humidity: float) -> np.ndarray:
    """Return the dew point of a relative humidity, 0..1."""
    return dew_point_c(relative_humidity * float(saturation_vapour_pressure_hpa(np.array(temperature_c))))


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


@pytest.mark.parametrize(
    ("temperature_c", "humidity", "pressure_hpa", "wet_bulb_c"),
    [
        # PsychroLib 2.5 (ASHRAE 2017), tests/test_psychrolib_si.py: test_TWetBulb_RelHum.
        (7.0, 0.61, 1000.0, 3.92667),
        # Fly Carpet psychrometric calculator (ASHRAE), as quoted by the tests of the package meteo: sea level.
        (5.0, 0.5, 1013.25, 1.345),
        (10.0, 0.7, 1013.25, 7.393),
        (20.0, 0.9, 1013.25, 18.863),
        (30.0, 1.0, 1013.25, 30.0),
    ],
)
def test_wet_bulb_temperature_is_ashraes(
    temperature_c: float, humidity: float, pressure_hpa: float, wet_bulb_c: float
) -> None:
    dew_point = dew_point_of(temperature_c, humidity)
    found = wet_bulb_temperature_c(np.array(temperature_c), dew_point, np.array(pressure_hpa))
    assert found == pytest.approx(wet_bulb_c, abs=0.01)  # Bolton's vapour pressure here, Hyland and Wexler's there


def test_wet_bulb_temperature_knows_the_pressure() -> None:
    # PsychroLib, test_HumRatio_TWetBulb: 30 °C, wet bulb 25 °C at 954.61 hPa hold 19.2281274 g/kg.
    ratio = 0.0192281274241096
    dew_point = dew_point_c(954.61 * ratio / (0.622 + ratio))
    at_954, at_700 = wet_bulb_temperature_c(np.array(30.0), dew_point, np.array([954.61, 700.0]))
    assert at_954 == pytest.approx(25.0, abs=0.01)
    assert at_700 < at_954 - 0.3  # thinner air gives up less heat for the same water


@pytest.mark.parametrize(
    ("pressure_hpa", "temperature_c", "dew_point", "wet_bulb_c"),
    # Wet bulbs of the calculator of the US National Weather Service, quoted in MetPy's tests/calc/test_thermo.py.
    [(1000, 25, 15, 18.59), (1013, 25, 20, 21.58), (1000, 20, 15, 16.86), (990, 15, 10, 12.18)],
)
def test_wet_bulb_temperature_is_near_that_of_the_weather_service(
    pressure_hpa: float, temperature_c: float, dew_point: float, wet_bulb_c: float
) -> None:
    found = wet_bulb_temperature_c(*(np.array(float(v)) for v in (temperature_c, dew_point, pressure_hpa)))
    assert found == pytest.approx(wet_bulb_c, abs=0.15)  # its psychrometric constant differs; MetPy's adiabat gives .25


def test_wet_bulb_temperature_is_near_stulls_example() -> None:
    # Stull 2011 (doi:10.1175/JAMC-D-11-0143.1): 20 °C and 50 % give 13.7 °C at sea level, within his .3 K.
    found = wet_bulb_temperature_c(np.array(20.0), dew_point_of(20.0, 0.5), np.array(1013.25))
    assert found == pytest.approx(13.7, abs=0.3)


def test_wet_bulb_temperature_has_converged_in_cold_dry_and_thin_air() -> None:
    t, humidity = (part.ravel() for part in np.meshgrid(np.linspace(-40, 50, 46), np.linspace(0.02, 1, 20)))
    dew_point = np.array([float(dew_point_of(*pair)) for pair in zip(t, humidity, strict=True)])
    for pressure in (500.0, 1050.0):
        wet = wet_bulb_temperature_c(t, dew_point, np.full(t.shape, pressure))
        saturated, held = (mixing_ratio_g_kg(at, np.full(t.shape, pressure)) / 1000 for at in (wet, dew_point))
        cooled_by = (saturated * (2501 - 2.326 * wet) - held * (2501 + 1.86 * t - 4.186 * wet)) / 1.006
        np.testing.assert_allclose(cooled_by, t - wet, atol=0.01)
        assert (wet <= t + 1e-9).all()
        assert (wet >= dew_point - 0.05).all()


@pytest.mark.parametrize(
    ("temperature_k", "humidity", "height_m"),
    # Romps 2017 (doi:10.1175/JAS-D-17-0102.1), the check values printed in his program lcl.py.
    [(300.0, 0.5, 1433.844139279), (200.0, 0.5, 542.8017712435)],
)
def test_lifting_condensation_level_is_near_romps_exact_one(
    temperature_k: float, humidity: float, height_m: float
) -> None:
    t = np.array(temperature_k - KELVIN)
    found = lifting_condensation_level_m(t, dew_point_of(float(t), humidity))
    # The vapour's heat capacity is left out; at 200 K Bolton's vapour pressure is far beyond its range.
    assert found == pytest.approx(height_m, rel=0.011 if temperature_k > 250 else 0.04)


def test_lifting_condensation_level_is_about_espys() -> None:
    # Espy 1841: 125 m for every degree between temperature and dew point (AMS Glossary, "cloud base").
    t, td = np.array([25.0, 15.0]), np.array([15.0, 12.0])
    np.testing.assert_allclose(lifting_condensation_level_m(t, td), 125 * (t - td), rtol=0.03)


def test_saturated_air_has_its_cloud_base_at_the_ground() -> None:
    found = lifting_condensation_level_m(np.array([20.0, 20.0]), np.array([20.0, 20.4]))
    np.testing.assert_allclose(found, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("dew_point", "pressure_hpa", "humidity_g_kg"),
    # earthkit-meteo (ECMWF), tests/thermo/test_thermo_array.py: test_specific_humidity_from_dewpoint.
    [(21.78907, 967.5085, 16.9461501), (7.104064, 756.1647, 8.3409720), (-0.3548709, 649.157, 5.7268584)],
)
def test_specific_humidity_is_earthkits(dew_point: float, pressure_hpa: float, humidity_g_kg: float) -> None:
    found = specific_humidity_g_kg(np.array(dew_point), np.array(pressure_hpa))
    assert found == pytest.approx(humidity_g_kg, rel=0.003)  # Bolton's vapour pressure here, the IFS's there


def test_specific_humidity_of_a_mixing_ratio_is_psychrolibs() -> None:
    # PsychroLib, test_HumRatio_SpecificHum: 6 g per kg of dry air are 5.96421471 g per kg of moist air.
    dew_point = dew_point_c(900.0 * 6 / (622 + 6))
    assert specific_humidity_g_kg(dew_point, np.array(900.0)) == pytest.approx(5.96421471, rel=1e-6)


def test_moisture_flux_goes_with_the_wind() -> None:
    dew_point = dew_point_c(900.0 * 6 / (622 + 6))  # 5.964 g/kg, as above
    east, north = moisture_flux(dew_point, np.array(900.0), *wind_components_ms(np.array(10.0), np.array(225.0)))
    assert (float(east), float(north)) == pytest.approx((5.96421471 * 10 * math.sqrt(0.5),) * 2, rel=1e-6)


def test_nan_stays_nan_in_wet_bulb_cloud_base_and_flux() -> None:
    t, td, p = np.array([20.0, np.nan, 20.0, 20.0]), np.array([10.0, 10.0, np.nan, 10.0]), np.full(4, 900.0)
    p[3] = np.nan
    np.testing.assert_array_equal(np.isnan(wet_bulb_temperature_c(t, td, p)), [False, True, True, True])
    np.testing.assert_array_equal(np.isnan(lifting_condensation_level_m(t, td)), [False, True, True, False])
    east, _ = moisture_flux(td, p, np.array([1.0, np.nan, 1.0, 1.0]), np.ones(4))
    np.testing.assert_array_equal(np.isnan(east), [False, True, True, True])
