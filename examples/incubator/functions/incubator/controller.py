"""The incubator's controller: hysteresis around the wanted temperature, heating in bursts.

The heater stores heat and gives it off after it is switched off. So heating goes in bursts of
heating_time s with pauses of heating_gap s between them, until the box is warm enough.
"""


class Controller:
    """COOLING until the box is too cold, then HEATING and WAITING by turns until it is warm enough."""

    def __init__(self, desired, lower_bound, heating_time, heating_gap):
        self.desired = desired  # °C, heating ends here
        self.lower_bound = lower_bound  # K below the desired temperature, heating begins here
        self.heating_time = heating_time  # s
        self.heating_gap = heating_gap  # s
        self.state = "COOLING"
        self.since = 0.0

    def heater_on(self, time, box):
        """Decide at a time in s, from the box temperature in °C, whether the heater is on until the next sample."""
        elapsed = time - self.since
        if self.state != "COOLING" and box >= self.desired:
            self._enter("COOLING", time)
        elif self.state == "COOLING" and box <= self.desired - self.lower_bound:
            self._enter("HEATING", time)
        elif self.state == "HEATING" and elapsed >= self.heating_time:
            self._enter("WAITING", time)
        elif self.state == "WAITING" and elapsed >= self.heating_gap:
            self._enter("HEATING", time)
        return self.state == "HEATING"

    def _enter(self, state, time):
        self.state, self.since = state, time
