"""Does a level sensor fit the flows? An observer of the tank's mass balance, and a test that adds up small doubts."""

DOUBT = 1.0  # deviations of residual that are forgiven at each sample
ALARM = 12.0
TRUST = 15  # samples in a row that fit, until a sensor is believed again
FITS = 4.0  # deviations


class LevelCheck:
    """Follows a tank's level by its flows; the sensor corrects it as long as it is believed.

    The residual, measured less expected, in units of its deviation, goes into a two-sided CUSUM
    (E. S. Page: Continuous Inspection Schemes, 1954). While there is an alarm the level follows
    the flows alone, and that is what the plant may use instead of the sensor.
    """

    def __init__(self, area, deviation, gain=0.1):
        self.area, self.deviation, self.gain = area, deviation, gain  # m², m, share of the residual that corrects
        self.level = None  # m
        self.high = self.low = 0.0
        self.alarm = False
        self.fitting = 0
        self.same, self.last = 0, None

    def update(self, measured, inflow, outflow, seconds):
        """Take a level in m and the mean flows in m³/s since the last sample; give the residual in m."""
        if self.level is None:
            self.level = measured
        self.level += (inflow - outflow) * seconds / self.area
        residual = measured - self.level
        self.same = self.same + 1 if measured == self.last else 0
        self.last = measured
        score = residual / self.deviation
        if self.alarm:
            self.fitting = self.fitting + 1 if abs(score) < FITS and self.same < 3 else 0
            self.alarm = self.fitting < TRUST
            self.high = self.low = 0.0
        else:
            self.level += self.gain * residual
            self.high = max(0.0, self.high + score - DOUBT)
            self.low = max(0.0, self.low - score - DOUBT)
            self.alarm, self.fitting = max(self.high, self.low) > ALARM, 0
        return residual

    @property
    def stuck(self):
        """Tell whether the sensor shows one and the same number: noise alone would move it."""
        return self.same >= 2
