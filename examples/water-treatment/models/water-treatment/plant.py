"""A small water treatment plant: raw water tank, ultrafiltration membrane, chlorine, clean water tank.

    raw:    A1 h1' = Q_in - Q_f                     h1, h2 levels [m], A1, A2 areas [m²], Q flows [m³/s]
    clean:  A2 h2' = Q_f - Q_out                    what a tank cannot hold runs over its rim
    filter: p = mu J (R_m + R_irr + R_c)            Darcy's law: p pressure [Pa], J = Q_f / A_f flux [m/s]
            R_c' = k J                              cake filtration: what is held back settles on the membrane
    chlorine in the clean tank: (A2 h2 c)' = Q_f c_dosed - Q_out c - k_c A2 h2 c

Darcy's law in series with a cake that grows with the filtrate: B. F. Ruth, 1935; as a law of
membrane fouling: J. Hermia: Constant Pressure Blocking Filtration Laws, 1982. Viscosity of water:
T. Al-Shemmeri: Engineering Fluid Mechanics, 2012. All sizes are ours, of the order of a pilot plant.
"""

import math
from dataclasses import dataclass, field

HOUR = 3600.0


def viscosity(celsius):
    """Give the dynamic viscosity of water in Pa s."""
    return 2.414e-5 * 10 ** (247.8 / (celsius + 273.15 - 140))


@dataclass(frozen=True)
class Sizes:
    """What does not change while the plant runs."""

    raw_area: float = 2.0  # m²
    clean_area: float = 2.0  # m²
    rim: float = 1.2  # m, of both tanks
    pump: float = 6.0 / HOUR  # m³/s, into the raw tank while the pump is on
    backwash: float = 9.0 / HOUR  # m³/s, out of the clean tank
    backwash_time: float = 60.0  # s
    membrane_area: float = 60.0  # m²
    membrane_resistance: float = 1.0e12  # 1/m
    cake: float = 2.0e13  # 1/m², more resistance per metre of filtrate
    stays: float = 0.05  # share of the cake that no backwash takes away
    decay: float = 0.2 / HOUR  # 1/s, of chlorine


@dataclass
class State:
    raw: float = 0.65  # m
    clean: float = 0.8  # m
    cake: float = 0.0  # 1/m
    irreversible: float = 0.0  # 1/m
    chlorine: float = 0.5  # mg/l
    spilt: float = 0.0  # m³, over the rim of the raw tank
    dry: float = 0.0  # s for which the filter's pump ran dry
    actual: dict = field(default_factory=dict)  # flows of the last step, m³/s


def pressure(sizes, state, flow, celsius):
    """Give the pressure in Pa that presses a flow in m³/s through the membrane."""
    resistance = sizes.membrane_resistance + state.irreversible + state.cake
    return viscosity(celsius) * flow / sizes.membrane_area * resistance


def advance(sizes, state, commands, demand, step):
    """Let one step in s go by. Commands: pump (on or off), flow and backwash in m³/s, dose in mg/l."""
    pumped = sizes.pump * commands["pump"]
    filtered = commands["flow"]
    if state.raw <= 0:
        filtered, state.dry = 0.0, state.dry + step * (filtered > 0)
    washed = commands["backwash"]
    used = demand if state.clean > 0 else 0.0
    state.raw = state.raw + (pumped - filtered) * step / sizes.raw_area
    if state.raw > sizes.rim:
        state.spilt += (state.raw - sizes.rim) * sizes.raw_area
    state.raw = min(sizes.rim, max(0.0, state.raw))
    volume = sizes.clean_area * max(state.clean, 0.01)
    fresh = filtered * (commands["dose"] - state.chlorine) / volume
    state.chlorine += (fresh - sizes.decay * state.chlorine) * step
    state.clean = min(sizes.rim, max(0.0, state.clean + (filtered - used - washed) * step / sizes.clean_area))
    state.cake += sizes.cake * filtered / sizes.membrane_area * step
    state.actual = {"pumped": pumped, "filtered": filtered, "washed": washed, "used": used}


def backwashed(sizes, state):
    """Take the cake away, save for the share that stays for ever."""
    state.irreversible += sizes.stays * state.cake
    state.cake = 0.0


def demand_at(seconds, mean):
    """Give what the consumers take in m³/s: more and less with a period of four hours."""
    return mean * (1 + 0.15 * math.sin(2 * math.pi * seconds / (4 * HOUR)))
