"""What the twin does about an anomaly: calibrate the model on what was measured since, then choose a better controller."""

import numpy as np
import thermal
from controller import Controller
from scipy.optimize import least_squares


def calibrate(box, names, samples, step, heater, heater_doubt=0.1):
    """Fit some of the four-parameter model's values to samples of (power in W, room in °C, measured box in °C).

    The box's first temperature is fitted too, as noise is on its sensors, and the heater's, which
    is known only as well as the filter estimated it: heater_doubt says how much less, in °C per °C
    of the box. Gives the box with its new values and the states at the last sample.
    """
    power, room, measured = (np.array(column) for column in zip(*samples, strict=True))

    def states(unknown):
        fitted = box.with_(**dict(zip(names, np.exp(unknown[2:]), strict=True)))
        return fitted, thermal.simulate(thermal.four_parameter(fitted), unknown[:2], power, room, step)

    # By their logarithms, so that no value becomes negative and all are of the same size.
    start = [heater, measured[0], *(np.log(getattr(box, name)) for name in names)]
    solved = least_squares(
        lambda unknown: np.append(states(unknown)[1][:, 1] - measured, heater_doubt * (unknown[0] - heater)), start
    )
    fitted, course = states(solved.x)
    return fitted, course[-1]


def rehearse(box, room, settings, step, duration=3600.0):
    """Give the box temperatures in °C that a controller with these settings would lead to, starting at the desired one."""
    f, g = thermal.over_one_step(thermal.four_parameter(box), step)
    controller = Controller(**settings)
    state = np.array([settings["desired"] + 5, settings["desired"]])
    course = []
    for k in range(round(duration / step)):
        on = controller.heater_on(k * step, state[1])
        state = f @ state + g @ (box.power * on, room)
        course.append(state[1])
    return np.array(course)


def best_heating_time(box, room, settings, step):
    """Choose the length of a burst in s that keeps the box nearest to the desired temperature, by trying them on the model."""

    def deviation(heating_time):
        course = rehearse(box, room, {**settings, "heating_time": heating_time}, step)
        settled = course[len(course) // 3 :]
        return float(np.sqrt(np.mean((settled - settings["desired"]) ** 2)))

    return min((step * count for count in range(2, 61, 2)), key=deviation)
