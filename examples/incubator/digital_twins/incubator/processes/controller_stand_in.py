"""The incubator's own controller's stand-in: answers each sample with the heater's state, takes new settings from the twin."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import twin  # first: it tells Python where the assets are

# isort: split
from controller import Controller
from messages import Messages


def main():
    controller = Controller(**twin.controller_settings())
    messages = Messages(os.environ["INCUBATOR_BROKER"], os.environ["INCUBATOR_EXCHANGE"], ["plant.*", "twin.settings"])
    messages.send("controller.ready")
    for key, content in messages:
        if key == "plant.end":
            break
        if key == "twin.settings":
            controller.heating_time = content["heating_time"]
        else:
            box = (content["box_1"] + content["box_2"]) / 2
            messages.send("controller.heater", time=content["time"], on=controller.heater_on(content["time"], box))
    messages.close()


main()
