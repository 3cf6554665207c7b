"""The physical incubator's stand-in: box, heater, lid and sensors, seen from outside through messages only.

It publishes what the sensors measure and does what the controller says. Its own truth goes to
plant.csv, for people who want to know how good the twin is.
"""

import csv
import math
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import twin  # first: it tells Python where the assets are

# isort: split
import numpy as np
import thermal
from messages import Messages


def lid_is_open(at):
    return 60 * twin.PARAMETERS["lid_opens"] <= at < 60 * twin.PARAMETERS["lid_closes"]


def room_temperature(at):
    return twin.PARAMETERS["room"] + twin.PARAMETERS["room_swing"] * math.sin(2 * math.pi * at / 7200)


def wait_for_answers(arriving, at):
    """Wait until controller and twin have dealt with the sample of a time; give the heater's state, or None to stop.

    A real incubator would not wait. This one does, so that time can run as fast as messages go.
    """
    heater, twin_is_ready = None, False
    while heater is None or not twin_is_ready:
        key, content = next(arriving)
        if key == "operator.stop":
            return None
        if content["time"] == at:
            heater = content["on"] if key == "controller.heater" else heater
            twin_is_ready = twin_is_ready or key == "twin.ready"
    return heater


def main():
    values, step = twin.PARAMETERS, twin.PARAMETERS["step"]
    closed = thermal.box_from(values)
    lid = {False: closed, True: closed.with_(G_box=values["lid_factor"] * closed.G_box)}
    advance = {is_open: thermal.over_one_step(thermal.four_parameter(box), step) for is_open, box in lid.items()}
    noise = np.random.default_rng(values["seed"])
    state = np.full(2, room_temperature(0))  # T_heater, T_box
    messages = Messages(
        os.environ["INCUBATOR_BROKER"],
        os.environ["INCUBATOR_EXCHANGE"],
        ["controller.heater", "twin.ready", "operator.stop"],
    )
    arriving = iter(messages)
    began = time.monotonic()
    with twin.PLANT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["time", "room", "heater", "box", "on", "lid"])
        for count in range(round(60 * values["duration"] / step) + 1):
            now, room = count * step, room_temperature(count * step)
            if values["speed"]:
                time.sleep(max(0.0, began + now / values["speed"] - time.monotonic()))
            measured = np.array([room, state[1], state[1]]) + noise.normal(0, values["sensor_noise"], 3)
            messages.send(
                "plant.sample", time=now, **dict(zip(("room", "box_1", "box_2"), measured.round(4), strict=True))
            )
            heater = wait_for_answers(arriving, now)
            if heater is None:
                break
            writer.writerow(
                [f"{now:g}", f"{room:.4f}", f"{state[0]:.4f}", f"{state[1]:.4f}", int(heater), int(lid_is_open(now))]
            )
            f, g = advance[lid_is_open(now)]
            state = f @ state + g @ (closed.power * heater, room)
    messages.send("plant.end", time=now)
    messages.close()


main()
