"""A Kalman filter on the four-parameter model, and the test that tells an anomaly from noise.

R. E. Kalman: A New Approach to Linear Filtering and Prediction Problems, 1960. The box
temperature is measured, the heater's is not: the filter estimates both, and with them how much
heat the heater gives to the air and how much the room takes away.
"""

from collections import deque

import numpy as np
import thermal
from scipy.stats import chi2


class Filter:
    """The estimate of (T_heater, T_box) in °C and its covariance."""

    def __init__(self, box, step, sensor_deviation, model_deviation, start):
        self.step = step
        self.sensor_variance = sensor_deviation**2  # K²
        self.model_covariance = model_deviation**2 * np.eye(2)  # K², per step
        self.state = np.array(start, dtype=float)
        self.covariance = np.eye(2)
        self.use(box)

    def use(self, box):
        """Go on with another box's values; the estimate stays."""
        self.box = box
        self.f, self.g = thermal.over_one_step(thermal.four_parameter(box), self.step)

    def update(self, power, room, measured):
        """Predict one step ahead, correct by the measured box temperature; give innovation in K and its square over its variance.

        Power in W and room temperature in °C are those since the last sample.
        """
        self.state = self.f @ self.state + self.g @ (power, room)
        self.covariance = self.f @ self.covariance @ self.f.T + self.model_covariance
        innovation = measured - self.state[1]
        variance = self.covariance[1, 1] + self.sensor_variance
        gain = self.covariance[:, 1] / variance
        self.state = self.state + gain * innovation
        self.covariance = self.covariance - np.outer(gain, self.covariance[1, :])
        return innovation, innovation**2 / variance

    def heat_flows(self, room):
        """Give in W what the heater gives to the air and what the air gives to the room."""
        heater, air = self.state
        return self.box.G_heater * (heater - air), self.box.G_box * (air - room)


class InnovationTest:
    """Tells when the innovations of the last samples are larger than noise explains.

    If the model holds, innovations over their deviation are independent standard normal numbers
    and the sum of the squares of n of them is chi-squared with n degrees of freedom
    (Y. Bar-Shalom, X. R. Li, T. Kirubarajan: Estimation with Applications to Tracking and Navigation, 2001, section 5.4).
    """

    def __init__(self, samples, false_alarm):
        self.squares = deque(maxlen=samples)
        self.limit = chi2.isf(false_alarm, samples)

    def add(self, square):
        """Add one sample; give the sum and whether it is an anomaly."""
        self.squares.append(square)
        total = sum(self.squares)
        return total, len(self.squares) == self.squares.maxlen and total > self.limit

    def forget(self):
        self.squares.clear()
