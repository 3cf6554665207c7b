"""The crew's stand-in: three firefighters and their sets, who breathe, report, and turn back when the alarm sounds.

Each second every set publishes its pressure and whether its alarm sounds; what happens to a
firefighter is told once, by radio: in, there, back, out.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import time

import twin  # first: it tells Python where the assets are

# isort: split
import air
import numpy as np
from mqtt_messages import Messages

REACTION = 5.0  # s from the alarm until somebody turns back
VALUES = twin.PARAMETERS


def goes_wrong(fault):
    return VALUES["fault"] in (fault, "all")


class Firefighter:
    """One firefighter and the set on the back."""

    def __init__(self, name, plan, noise):
        self.name, self.noise = name, noise
        self.cylinder = air.Cylinder(VALUES["volume"], VALUES["start"])
        self.enters, self.way = 60 * plan["delay"], 60 * plan["way_in"]
        self.status = "waiting"
        self.work_ends = []  # what is done until when, in s
        ends = self.enters + self.way
        for exertion, minutes in plan["then"]:
            ends += 60 * minutes
            self.work_ends.append((ends, exertion))
        self.alarm_since = None  # s, when the set began to sound
        self.alarm_due = None
        self.is_out_at = None
        self.leak = VALUES["leak"] if name == "anna" and goes_wrong("leak") else 0.0
        self.late = VALUES["late"] if name == "bilal" and goes_wrong("late alarm") else 0.0
        self.heeds_after = REACTION + (VALUES["deaf"] if name == "chris" and goes_wrong("deaf") else 0.0)

    def alarm(self, now):
        """Take the twin's alarm; a healthy set sounds at once."""
        if self.alarm_due is None:
            self.alarm_due = now + self.late

    def exertion(self, now):
        if self.status != "there":
            return "walk"
        return next((exertion for ends, exertion in self.work_ends if now < ends), "rest")

    def second(self, now):
        """Live through one second; give a word for the radio if there is something to say."""
        if self.alarm_since is None and self.alarm_due is not None and now >= self.alarm_due:
            self.alarm_since = now
        said = self.next_status(now)
        if said:
            self.status = said
        if self.status in ("in", "there", "back"):
            litres = air.CONSUMPTION[self.exertion(now)] * VALUES["exertion"] / 60 * self.noise.normal(1, 0.1)
            litres += self.leak / 60 if now >= 60 * VALUES["leak_begins"] else 0.0
            self.cylinder.breathe(litres)
        return said

    def next_status(self, now):
        turns = self.alarm_since is not None and now >= self.alarm_since + self.heeds_after
        if self.status == "waiting" and now >= self.enters:
            return "in"
        if self.status in ("in", "there") and (turns or now >= self.work_ends[-1][0]):
            self.is_out_at = now + min(self.way, now - self.enters)
            return "back"
        if self.status == "in" and now >= self.enters + self.way:
            return "there"
        if self.status == "back" and now >= self.is_out_at:
            return "out"
        return None


def wait_for_the_twin(arriving, crew, now):
    """Hand alarms on until the twin has dealt with this second; tell whether to go on.

    Real firefighters do not wait for a computer. These do, so that time can run as fast as messages go.
    """
    for topic, content in arriving:
        if topic == "operator/stop":
            return False
        if topic.endswith("/alarm"):
            crew[topic.split("/")[1]].alarm(content["time"])
        elif content["time"] == now:
            return True
    return False


def main():
    noise = np.random.default_rng(VALUES["seed"])
    crew = {name: Firefighter(name, plan, noise) for name, plan in twin.crew().items()}
    with Messages(os.environ["TWIN_BROKER"], os.environ["TWIN_TOPIC"], ["twin/#", "operator/#"]) as messages:
        arriving, began = iter(messages), time.monotonic()
        for now in range(round(60 * VALUES["duration"]) + 1):
            if VALUES["speed"]:
                time.sleep(max(0.0, began + now / VALUES["speed"] - time.monotonic()))
            for one in crew.values():
                said = one.second(now)
                if said:
                    messages.send(f"crew/{one.name}/radio", time=now, says=said)
                pressure = one.cylinder.pressure + noise.normal(0, VALUES["sensor_noise"])
                messages.send(
                    f"crew/{one.name}/air",
                    time=now,
                    pressure=round(max(0.0, pressure), 2),
                    alarm=one.alarm_since is not None,
                )
            messages.send("crew/clock", time=now)
            if not wait_for_the_twin(arriving, crew, now) or all(one.status == "out" for one in crew.values()):
                break
        messages.send("crew/end", time=now)


main()
