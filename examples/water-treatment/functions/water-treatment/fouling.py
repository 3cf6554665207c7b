"""How fouled is the membrane, and when does it need a backwash? Resistance from pressure, flow and temperature."""

import numpy as np
from plant import viscosity


class Fouling:
    """Fits a straight line through the resistance over the filtrate since the last backwash.

    Cake filtration makes it straight: R = R_after_backwash + k V / A. The line says what the
    resistance will be, Darcy's law what pressure that takes at the present flow.
    """

    def __init__(self, membrane_area, pressure_limit):
        self.area, self.limit = membrane_area, pressure_limit  # m², Pa
        self.after_backwash = []  # 1/m, where each line began
        self.begin()

    def begin(self):
        """Start a new line."""
        self.filtrate, self.points, self.line = 0.0, [], None

    def update(self, pressure, flow, celsius, seconds):
        """Take a pressure in Pa at a flow in m³/s, and give the resistance in 1/m; None while nothing is filtered."""
        self.filtrate += flow * seconds / self.area
        if flow <= 0:
            return None
        resistance = pressure * self.area / (viscosity(celsius) * flow)
        self.points.append((self.filtrate, resistance))
        if len(self.points) >= 20:
            self.line = np.polyfit(*np.array(self.points).T, 1)
        return resistance

    def backwash(self):
        """End the line; keep where it began."""
        if self.line is not None:
            self.after_backwash.append(float(self.line[1]))
        self.begin()

    def seconds_left(self, flow, celsius):
        """Forecast the time in s until the pressure reaches its limit at this flow; None when it cannot be said yet."""
        if self.line is None or flow <= 0 or self.line[0] <= 0:
            return None
        most = self.limit * self.area / (viscosity(celsius) * flow)
        return max(0.0, (most - np.polyval(self.line, self.filtrate)) / self.line[0] * self.area / flow)

    def backwashes_left(self, resistance_at_end):
        """Forecast after how many more backwashes the membrane needs cleaning: when nothing is left between a fresh line and its end."""
        if len(self.after_backwash) < 3:
            return None
        more = np.polyfit(range(len(self.after_backwash)), self.after_backwash, 1)[0]
        return (resistance_at_end - self.after_backwash[-1]) / more if more > 0 else None
