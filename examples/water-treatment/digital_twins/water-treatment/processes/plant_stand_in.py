"""The plant's stand-in: an OPC UA server with tanks, membrane, sensors and the plant's own controls behind it.

Controls act every second on what the sensors show; a sample of all sensors is published every
period. The raw tank's level sensor fails as the parameters say. Truth goes to plant.csv.
"""

import asyncio
import csv
import math
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import twin  # first: it tells Python where the assets are
import twin_processes

# isort: split
import numpy as np
import opcua
import plant
from asyncua import ua
from controls import Controls

VALUES = twin.PARAMETERS
LEVEL_NOISE, PRESSURE_NOISE, FLOW_NOISE = 0.003, 150.0, 0.01  # m, Pa, share
COLUMNS = ["time", "raw", "clean", "irreversible", "cake", "chlorine", "spilt", "dry", "anomaly"]


class LevelSensor:
    """The raw tank's level sensor, which may stick or drift."""

    def __init__(self, noise):
        self.noise, self.shown = noise, None

    def failing(self, now):
        return VALUES["anomaly"] != "none" and 60 * VALUES["anomaly_begins"] <= now < 60 * VALUES["anomaly_ends"]

    def read(self, now, level):
        if self.failing(now) and VALUES["anomaly"] == "stuck":
            return self.shown
        self.shown = level + self.noise.normal(0, LEVEL_NOISE)
        if self.failing(now):
            self.shown -= VALUES["drift"] / plant.HOUR * (now - 60 * VALUES["anomaly_begins"])
        return self.shown


class Plant:
    """Process, sensors and controls, second by second."""

    def __init__(self):
        self.sizes, self.state = plant.Sizes(), plant.State()
        self.noise = np.random.default_rng(VALUES["seed"])
        self.level_sensor = LevelSensor(self.noise)
        self.mean_demand = VALUES["demand"] / plant.HOUR
        self.controls = Controls(self.sizes, self.mean_demand, 1000 * VALUES["pressure_limit"], VALUES["chlorine"])
        self.flow, self.dose, self.totals, self.seconds = self.mean_demand, 0.0, {}, 0

    def celsius(self, now):
        return 18 + 2 * math.sin(2 * math.pi * now / (24 * plant.HOUR))

    def second(self, now, level_to_use):
        """Let one second go by; level_to_use stands in for the raw tank's sensor if it is not None."""
        self.shown = self.level_sensor.read(now, self.state.raw)
        self.pressure = plant.pressure(self.sizes, self.state, self.flow, self.celsius(now))
        sensed = {
            "raw": self.shown if level_to_use is None else level_to_use,
            "clean": self.state.clean + self.noise.normal(0, LEVEL_NOISE),
            "pressure": self.pressure + self.noise.normal(0, PRESSURE_NOISE),
            "chlorine": self.state.chlorine,
        }
        commands, backwash_ended = self.controls.commands(now, sensed)
        if backwash_ended:
            plant.backwashed(self.sizes, self.state)
        self.flow, self.dose = commands["flow"], commands["dose"]
        plant.advance(self.sizes, self.state, commands, plant.demand_at(now, self.mean_demand), 1.0)
        for name, flow in self.state.actual.items():
            self.totals[name] = self.totals.get(name, 0.0) + flow
        self.seconds += 1

    def sample(self, now):
        """Give what the sensors show: levels and pressure as they are, flows as means since the last sample."""

        def flow(name):
            mean = self.totals.get(name, 0.0) / max(1, self.seconds)
            return plant.HOUR * mean * (1 + self.noise.normal(0, FLOW_NOISE))

        shown = {
            "Raw.Level": self.shown,
            "Clean.Level": self.state.clean + self.noise.normal(0, LEVEL_NOISE),
            "Raw.Inflow": flow("pumped"), "Filter.Flow": flow("filtered"),
            "Filter.Backwash": flow("washed"), "Clean.Outflow": flow("used"),
            "Filter.Pressure": (self.pressure + self.noise.normal(0, PRESSURE_NOISE)) / 1000,
            "Filter.Temperature": self.celsius(now) + self.noise.normal(0, 0.05),
            "Clean.Chlorine": self.state.chlorine + self.noise.normal(0, 0.01),
            "Dosing.Dose": self.dose,
        }  # fmt: skip
        self.totals, self.seconds = {}, 0
        return {name: float(value) for name, value in shown.items()}

    def truth(self, now):
        state = self.state
        return [
            f"{now:g}",
            f"{state.raw:.4f}",
            f"{state.clean:.4f}",
            f"{state.irreversible:.6g}",
            f"{state.cake:.6g}",
            f"{state.chlorine:.4f}",
            f"{state.spilt:.4f}",
            f"{state.dry:g}",
            int(self.level_sensor.failing(now)),
        ]


async def wait_for_the_twin(nodes, now, patience_s=30):
    """Wait until the twin has dealt with a sample; tell whether to go on.

    A real plant would not wait. This one does, so that time can run as fast as messages go.
    """
    deadline = time.monotonic() + patience_s
    while await nodes["Twin.SeenTime"].read_value() != now:
        if await nodes["Twin.Stop"].read_value():
            return False
        if time.monotonic() > deadline:
            sys.exit(f"The twin did not answer for {patience_s} s.")
        await asyncio.sleep(0.001)
    return not await nodes["Twin.Stop"].read_value()


async def operate(server, nodes):
    """Run the plant for the whole duration."""

    async def publish(name, value):
        await server.write_attribute_value(nodes[name].nodeid, ua.DataValue(ua.Variant(value, ua.VariantType.Double)))

    own, period, began = Plant(), round(VALUES["period"]), time.monotonic()
    level_to_use = None
    with twin.PLANT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for now in range(round(60 * VALUES["duration"]) + 1):
            own.second(now, level_to_use)
            if now % period:
                continue
            if VALUES["speed"]:
                await asyncio.sleep(max(0.0, began + now / VALUES["speed"] - time.monotonic()))
            writer.writerow(own.truth(now))
            for name, value in own.sample(now).items():
                await publish(name, value)
            await publish(opcua.CLOCK, float(now))
            if not await wait_for_the_twin(nodes, now):
                break
            given = await nodes["Twin.UseLevel"].read_value()
            level_to_use = await nodes["Twin.Level"].read_value() if given else None
    await publish(opcua.CLOCK, opcua.OVER)
    await wait_for_the_twin(nodes, opcua.OVER)
    deadline = time.monotonic() + 5
    while server.bserver.clients and time.monotonic() < deadline:  # noqa: ASYNC110 - the library has no event for it
        await asyncio.sleep(0.01)  # who is connected may still say goodbye


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def main():
    port = VALUES["port"] or free_port()
    server, nodes = await opcua.server(twin.CERTIFICATES, port)
    async with server:
        part = twin.ENDPOINT.with_suffix(".part")
        part.write_text(f"opc.tcp://127.0.0.1:{port}/water-treatment", encoding="utf-8")
        part.replace(twin.ENDPOINT)
        try:
            await operate(server, nodes)
        finally:
            twin.ENDPOINT.unlink(missing_ok=True)


twin_processes.stop_on_sigterm()
asyncio.run(main())
