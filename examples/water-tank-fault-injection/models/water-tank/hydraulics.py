"""Hydraulics shared by the tank and the monitor that watches it."""

from math import sqrt

GRAVITY = 9.81
"""m/s^2"""


def outflow(level, hole):
    """Flow in m^3/s through a hole in the bottom, level in m, hole in m^2 (Torricelli's law)."""
    return hole * sqrt(2 * GRAVITY * level) if level > 0 else 0.0


def level_rate(level, inflow, hole, area):
    """How fast the level rises, in m/s: what flows in and what does not stay, over the tank's cross-section."""
    return (inflow - outflow(level, hole)) / area


def runge_kutta_step(rate, level, step):
    """Advance a level by one step, in s (fourth-order Runge-Kutta)."""
    k1 = rate(level)
    k2 = rate(level + step / 2 * k1)
    k3 = rate(level + step / 2 * k2)
    k4 = rate(level + step * k3)
    return level + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
