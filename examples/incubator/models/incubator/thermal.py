"""The incubator's two thermal models: an insulated box with a heater inside, in a room.

Source of the equations: H. Feng, C. Gomes, C. Thule, K. Lausdahl, M. Sandberg, P. G. Larsen:
The Incubator Case Study for Digital Twin Engineering, 2021, arXiv:2102.10390.

Both are linear, x' = A x + B u, and the heater is switched only at samples. Between two
samples the input is constant, so the matrix exponential gives the exact solution; no
integration error stands between the model and the data.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import expm


@dataclass(frozen=True)
class Box:
    """What the models know of one incubator."""

    C_air: float  # J/K, heat capacity of the air in the box
    G_box: float  # W/K, conductance from the air through the walls to the room
    C_heater: float  # J/K
    G_heater: float  # W/K, conductance from the heater to the air
    V_heater: float  # V
    I_heater: float  # A

    @property
    def power(self):
        """Power in W of the heater while it is on."""
        return self.V_heater * self.I_heater

    def with_(self, **changed):
        return replace(self, **changed)


def box_from(parameters):
    """Take a box's values out of a twin's parameters."""
    return Box(**{name: parameters[name] for name in Box.__dataclass_fields__})


def four_parameter(box):
    """Give A and B of the model with states (T_heater, T_box) and inputs (heater power, T_room).

    C_heater T_heater' = P - G_heater (T_heater - T_box)
    C_air    T_box'    = G_heater (T_heater - T_box) - G_box (T_box - T_room)
    """
    a = np.array(
        [
            [-box.G_heater / box.C_heater, box.G_heater / box.C_heater],
            [box.G_heater / box.C_air, -(box.G_heater + box.G_box) / box.C_air],
        ]
    )
    b = np.array([[1 / box.C_heater, 0], [0, box.G_box / box.C_air]])
    return a, b


def two_parameter(box):
    """Give A and B of the model with the single state T_box: the heater's own heat capacity is left out.

    C_air T_box' = P - G_box (T_box - T_room)
    """
    return np.array([[-box.G_box / box.C_air]]), np.array([[1 / box.C_air, box.G_box / box.C_air]])


def over_one_step(model, step):
    """Give F and G of x[k+1] = F x[k] + G u[k], exact for inputs that are constant during a step in s."""
    a, b = model
    states, inputs = b.shape
    block = np.zeros((states + inputs, states + inputs))
    block[:states, :states], block[:states, states:] = a, b
    exponential = expm(block * step)
    return exponential[:states, :states], exponential[:states, states:]


def simulate(model, start, power, room, step):
    """Give the states at every sample, from the heater power in W and the room's temperature in °C at each."""
    f, g = over_one_step(model, step)
    states = np.empty((len(power), len(start)))
    states[0] = start
    for k in range(len(power) - 1):
        states[k + 1] = f @ states[k] + g @ (power[k], room[k])
    return states
