"""Estimate of a firefighter's consumption from the pressures that the set reports."""

from collections import deque

import numpy as np


class Consumption:
    """The slope of a straight line through the pressures of the last window s, by least squares."""

    def __init__(self, volume, window=60.0):
        self.volume = volume  # l
        self.window = window  # s
        self.samples = deque()

    def update(self, time, pressure):
        """Take a pressure in bar at a time in s; give l/min, or None while the window is not full."""
        self.samples.append((time, pressure))
        while time - self.samples[0][0] > self.window:
            self.samples.popleft()
        if time - self.samples[0][0] < self.window:
            return None
        times, pressures = np.array(self.samples).T
        offset = times - times.mean()
        return float(-60 * self.volume * (offset @ pressures) / (offset @ offset))
