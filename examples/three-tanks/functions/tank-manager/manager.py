"""The manager of a plant: it composes a multi-model of tanks, and keeps their levels by their pumps."""

from dataclasses import dataclass, field


@dataclass
class TankTwin:
    """One tank as the manager sees it: an instance of the same FMU as all others."""

    name: str
    pipe: float = 0.0
    """Opening of the pipe from the tank before, in m^2, flow coefficient included; 0 is no pipe."""
    drain: float = 0.0
    """Opening of the drain, likewise."""
    setpoint: float | None = None
    """Level in m that the manager keeps, where the tank has a pump."""
    integral: float = field(default=0.0, repr=False)

    def variable(self, name):
        return f"{{tank}}.{self.name}.{name}"


class Manager:
    """Composes tanks in a row into one plant, and steers it."""

    def __init__(self, tanks, *, capacity, gain=0.004, reset_time=60.0):
        """capacity: of each pump in m^3/s. gain: pump in m^3/s for each m that is missing. reset_time: in s."""
        self.tanks, self.capacity, self.gain, self.reset_time = tanks, capacity, gain, reset_time
        self._time = 0.0

    def multimodel(self, fmu, step):
        """Give the co-simulation of all tanks: each takes its neighbour's level and gives it its own flow back."""
        connections = {}
        for before, tank in zip(self.tanks, self.tanks[1:]):
            connections.setdefault(before.variable("level"), []).append(tank.variable("upstream_level"))
            connections.setdefault(tank.variable("flow_in"), []).append(before.variable("flow_out"))
        return {
            "fmus": {"{tank}": fmu},
            "connections": connections,
            "parameters": {
                tank.variable(name): getattr(tank, name) for tank in self.tanks for name in ("pipe", "drain")
            },
            "logVariables": {f"{{tank}}.{tank.name}": ["level", "pump"] for tank in self.tanks},
            "algorithm": {"type": "fixed-step", "size": step},
        }

    def steer(self, run):
        """Set the pumps by the levels (proportional-integral control); called at every exchange of the co-simulation."""
        passed, self._time = run.time - self._time, run.time
        for tank in self.tanks:
            if tank.setpoint is not None:
                run[tank.variable("pump")] = self._wanted(tank, run[tank.variable("level")], passed)

    def _wanted(self, tank, level, passed):
        missing = tank.setpoint - level
        wanted = self.gain * missing + tank.integral
        # The integral rests while the pump is at its limit, or it would overshoot later.
        if 0 < wanted < self.capacity:
            tank.integral += self.gain * missing * passed / self.reset_time
        return min(self.capacity, max(0.0, wanted))

    def volume(self, run, area):
        """Water in the whole plant, in m^3: what only the plant's twin can tell."""
        return area * sum(run[tank.variable("level")] for tank in self.tanks)
