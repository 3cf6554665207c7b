"""The plant's own controls (its PLC): level, flow, dose and backwash, from what the sensors say."""


class Controls:
    """Two-position control of the raw tank, proportional control of the clean one, backwash at a limit of pressure."""

    def __init__(self, sizes, mean_demand, pressure_limit, wanted_chlorine):
        self.sizes, self.mean_demand = sizes, mean_demand
        self.pressure_limit = pressure_limit  # Pa
        self.wanted_chlorine = wanted_chlorine  # mg/l
        self.pump, self.washing_until = False, None

    def commands(self, time, sensed):
        """Give the commands for now; sensed: raw, clean [m], pressure [Pa], chlorine [mg/l]. And whether a backwash has ended."""
        if sensed["raw"] < 0.5:
            self.pump = True
        elif sensed["raw"] > 0.8:
            self.pump = False
        ended = self.washing_until is not None and time >= self.washing_until
        if ended:
            self.washing_until = None
        elif self.washing_until is None and sensed["pressure"] > self.pressure_limit:
            self.washing_until = time + self.sizes.backwash_time
        washing = self.washing_until is not None
        wanted = self.mean_demand + 2.0 / 3600 * (0.8 - sensed["clean"])
        dose = max(0.0, 1.3 * self.wanted_chlorine + 3 * (self.wanted_chlorine - sensed["chlorine"]))
        return {
            "pump": self.pump,
            "flow": 0.0 if washing else min(1.4 * self.mean_demand, max(0.6 * self.mean_demand, wanted)),
            "backwash": self.sizes.backwash if washing else 0.0,
            "dose": dose,
        }, ended
