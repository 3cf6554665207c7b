"""STAND-IN for a real beam with accelerometers: what they would measure while a random force shakes it.

The rig solves the beam's own equations of motion, with a damage that only it
knows, mode by mode, and adds the sensors' noise.
"""

import numpy as np
from beam import assemble, deflections, modes
from scipy.signal import lfilter

MODES = 8


def measure(beam, sensors, *, loss, damping, sample_rate, duration, noise, seed):
    """Give accelerations in m/s^2, one column per sensor.

    sensors: positions in m. damping: ratio of critical damping, the same for all modes.
    noise: standard deviation of the sensors' noise, as a part of each signal's own.
    """
    random = np.random.default_rng(seed)
    samples = round(duration * sample_rate)
    frequencies, shapes = modes(beam, MODES, loss)
    _, mass = assemble(beam)
    # A force on every node, white in time and independent in space, as wind or traffic comes near to.
    force = random.standard_normal((samples, mass.shape[0] // 2))
    modal_force = force @ shapes[0::2]
    accelerations = np.zeros((samples, len(sensors)))
    at_sensors = deflections(beam, shapes, sensors)
    for mode, frequency in enumerate(frequencies):
        if frequency < sample_rate / 2:
            motion = oscillator(modal_force[:, mode], 2 * np.pi * frequency, damping, 1 / sample_rate)
            accelerations += np.outer(motion, at_sensors[:, mode])
    return accelerations + noise * accelerations.std(axis=0) * random.standard_normal(accelerations.shape)


def oscillator(force, omega, damping, step):
    """Acceleration of q'' + 2 damping omega q' + omega^2 q = force, the force constant during each step: exact."""
    decay, omega_d = damping * omega, omega * np.sqrt(1 - damping**2)
    e, c, s = np.exp(-decay * step), np.cos(omega_d * step), np.sin(omega_d * step)
    ratio = decay / omega_d
    # Displacement as a recursion over past displacements and forces (the impulse-invariant step response).
    b1 = (1 - e * (c + ratio * s)) / omega**2
    b2 = (e * e + e * (ratio * s - c)) / omega**2
    displacement = lfilter([0, b1, b2], [1, -2 * e * c, e * e], force)
    # The same recursion holds for the velocity, whose step response is e^(-decay t) sin(omega_d t) / omega_d.
    velocity = lfilter([0, e * s / omega_d, -e * s / omega_d], [1, -2 * e * c, e * e], force)
    return force - 2 * decay * velocity - omega**2 * displacement
