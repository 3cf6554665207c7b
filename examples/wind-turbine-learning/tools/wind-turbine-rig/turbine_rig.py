"""STAND-IN for a real turbine and its sensors: ten-minute means as its controller would record them."""

import numpy as np
from scipy.stats import norm
from turbine import air_density, power

ANEMOMETER_GAIN, ANEMOMETER_OFFSET = 0.94, 0.35
"""The anemometer behind the rotor reads `gain v + offset` m/s; only a calibration can tell."""

COEFFICIENT = 0.44
"""Of the real turbine; its data sheet need not say so."""


def record(days, *, radius, rated, soiling, seed):
    """Give columns of so many days: anemometer and mast in m/s, temperature in degrees C, pressure in Pa, turbulence, power in W.

    soiling: the part of the power that dirty blades lose.
    """
    random = np.random.default_rng(seed)
    count = days * 144
    time = np.arange(count) * 600.0
    wind = weibull_wind(count, random)
    temperature = 9 + 6 * np.sin(2 * np.pi * time / 86400) + 2 * random.standard_normal(count)
    pressure = 101_325 + 800 * random.standard_normal(count)
    turbulence = 0.06 + 0.08 * random.random(count) + 0.6 / np.maximum(wind, 4)
    produced = power(
        wind, air_density(temperature, pressure), radius=radius, coefficient=COEFFICIENT * (1 - soiling), rated=rated
    )
    # Gusts within ten minutes: below the rated power they help (the curve bends up), near it they cost.
    produced = produced * (1 + 0.5 * turbulence**2 * np.where(wind < 9, 3, -3))
    produced = np.clip(
        produced + 0.25 * turbulence * produced * (1 - produced / (1.15 * rated)) * random.standard_normal(count),
        0,
        None,
    )
    return {
        "time": time,
        "anemometer": np.maximum(0, ANEMOMETER_GAIN * wind + ANEMOMETER_OFFSET + 0.1 * random.standard_normal(count)),
        "mast": wind + 0.1 * random.standard_normal(count),
        "temperature": temperature,
        "pressure": pressure,
        "turbulence": turbulence,
        "power": produced + 0.004 * rated * random.standard_normal(count),
    }


def weibull_wind(count, random):
    """Give wind speeds in m/s, Weibull with scale 8.5 m/s and shape 2, that change over hours."""
    noise, value = random.standard_normal(count), np.empty(count)
    value[0] = noise[0]
    for step in range(1, count):
        value[step] = 0.98 * value[step - 1] + np.sqrt(1 - 0.98**2) * noise[step]
    # By way of the normal distribution: uniform numbers, then the Weibull distribution's quantiles.
    return 8.5 * np.sqrt(-np.log1p(-norm.cdf(value)))
