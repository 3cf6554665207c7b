"""The scheduler as a program: hears where the arms are, sends their next moves, takes speed limits from the twin."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import twin  # first: it tells Python where the assets are

# isort: split
import numpy as np
from mqtt_messages import Messages
from scheduler import Scheduler


def main():
    scheduler = Scheduler(twin.LAYOUT, twin.arms(), twin.PARAMETERS["believe_plan"])
    angles = {}
    with Messages(os.environ["TWIN_BROKER"], os.environ["TWIN_TOPIC"], ["arms/#", "twin/limit"]) as messages:
        messages.send("scheduler/ready")
        for topic, content in messages:
            what = topic.split("/")[1]
            if what == "end":
                break
            if what == "limit":
                scheduler.limit(content["arm"], content["joint"], content["speed"])
            elif what == "clock":
                for name, move in scheduler.next_moves(content["time"], angles).items():
                    messages.send(f"scheduler/move/{name}", **move)
                messages.send("scheduler/clock", time=content["time"], delivered=scheduler.delivered)
            else:
                angles[what] = np.array(content["angles"])


main()
