"""The two arms' stand-in: follows the moves it is sent and publishes what its encoders measure.

One joint becomes slow at some time, as one does whose bearing or drive wears out.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import twin  # first: it tells Python where the assets are

# isort: split
import motion
import numpy as np
from mqtt_messages import Messages
from scheduler import stand

VALUES = twin.PARAMETERS


def speed_limits(name, now):
    """Give how fast, in rad/s, an arm's joints really are."""
    limits = np.array(twin.LAYOUT["arms"][name]["speed_limits"])
    if VALUES["slow_joint"][0] == name and now >= VALUES["slow_from"]:
        limits[int(VALUES["slow_joint"][1]) - 1] = VALUES["slow_speed"]
    return limits


def wait_for_answers(arriving, moves, now):
    """Take moves until scheduler and twin have dealt with this sample; tell whether to go on.

    Real arms do not wait. These do, so that time can run as fast as messages go.
    """
    answered = set()
    while answered != {"scheduler", "twin"}:
        topic, content = next(arriving)
        if topic == "operator/stop":
            return False
        who, what = topic.split("/", 1)
        if what == "clock" and content["time"] == now:
            answered.add(who)
        elif what.startswith("move/"):
            moves[what[-1]] = content
    return True


def main():
    noise, step = np.random.default_rng(VALUES["seed"]), VALUES["step"]
    angles = {name: arm.angles(twin.LAYOUT["places"][f"wait_{name}"]) for name, arm in twin.arms().items()}
    moves = {name: stand(start) for name, start in angles.items()}
    listen_to = ["scheduler/#", "twin/clock", "operator/#"]
    with Messages(os.environ["TWIN_BROKER"], os.environ["TWIN_TOPIC"], listen_to) as messages:
        arriving, began = iter(messages), time.monotonic()
        for count in range(round(VALUES["duration"] / step) + 1):
            now = round(count * step, 6)
            if VALUES["speed"]:
                time.sleep(max(0.0, began + now / VALUES["speed"] - time.monotonic()))
            for name, real in angles.items():
                measured = real + noise.normal(0, VALUES["encoder_noise"], 2)
                messages.send(f"arms/{name}", time=now, angles=measured.round(5).tolist())
            messages.send("arms/clock", time=now)
            if not wait_for_answers(arriving, moves, now):
                break
            angles = {
                name: motion.follow(real, moves[name], now, step, speed_limits(name, now))
                for name, real in angles.items()
            }
        messages.send("arms/end", time=now)


main()
