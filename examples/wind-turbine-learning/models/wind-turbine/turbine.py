"""Power of a wind turbine by physics: what its blades can take from the wind."""

import numpy as np

GAS_CONSTANT = 287.05
"""Of dry air, J/(kg K)."""


def air_density(temperature, pressure):
    """Density in kg/m^3 of dry air at a temperature in degrees Celsius and a pressure in Pa (ideal gas)."""
    return pressure / (GAS_CONSTANT * (temperature + 273.15))


def power(wind, density, *, radius, coefficient, rated, cut_in=3.0, cut_out=25.0):
    """Electrical power in W at a wind speed in m/s: rho/2 pi r^2 c v^3 up to the rated power, nothing outside its range.

    radius in m, coefficient without unit (Betz: at most 16/27), rated in W.
    """
    taken = 0.5 * density * np.pi * radius**2 * coefficient * np.asarray(wind) ** 3
    # Near its rated power a real controller bends the curve; the p-norm does so smoothly.
    limited = (taken**-8.0 + rated**-8.0) ** (-1 / 8)
    return np.where((wind >= cut_in) & (wind <= cut_out), limited, 0.0)
