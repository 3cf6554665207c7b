"""The cell's scheduler: which arm goes where next, so that parts get from the feeder to the tray and no arm meets the other."""

import motion
import numpy as np

NEAR = 0.02  # rad; an arm has arrived when every joint is that near
FIRST = {"a": ["feeder", "wait_a"], "b": ["wait_b"]}


class Scheduler:
    """Gives an arm its next move whenever it has finished the last one and the way is free.

    Arm a repeats feeder, wait, exchange; arm b repeats wait, exchange, tray. A hand goes into the
    exchange only when there is something to do and the other hand is outside the zone.
    """

    def __init__(self, layout, arms, believe_plan):
        self.arms, self.layout = arms, layout
        self.believe_plan = believe_plan  # take the other hand to be where it was told to be, not where it is
        self.speed_limits = {name: np.array(layout["arms"][name]["speed_limits"]) for name in arms}
        self.moves = {name: stand(arms[name].angles(layout["places"][f"wait_{name}"])) for name in arms}
        self.at = dict.fromkeys(arms, "wait")
        self.exchange_holds = False
        self.delivered = 0

    def limit(self, arm, joint, speed):
        """Take a lower speed limit in rad/s for one joint, from the next move on."""
        self.speed_limits[arm][joint] = speed

    def next_moves(self, time, angles):
        """Give the moves that begin now, by arm; angles are the measured ones."""
        begun = {}
        for name in self.arms:
            move = self.moves[name]
            if time < move["start"] + move["duration"] or np.abs(angles[name] - move["to"]).max() > NEAR:
                continue
            self._arrive(name)
            place = self._next_place(name, time, angles)
            if place:
                begun[name] = self.moves[name] = self._move(name, place, time)
        return begun

    def _arrive(self, name):
        """Do what is done where the arm has just arrived."""
        place = self.moves[name].get("place")
        if place is None or self.at[name] == place:
            return
        self.at[name] = place
        if place == "exchange":
            self.exchange_holds = name == "a"
        if place == "tray":
            self.delivered += 1

    def _next_place(self, name, time, angles):
        at = self.at[name]
        if name == "a":
            if at == "feeder":
                return "wait_a"
            if at == "exchange":
                return "feeder"
            carries = at == "wait_a"
            return (
                "exchange"
                if carries and not self.exchange_holds and self._free("b", time, angles)
                else None
                if carries
                else "feeder"
            )
        if at == "exchange":
            return "tray"
        if at == "tray":
            return "wait_b"
        return "exchange" if self.exchange_holds and self._free("a", time, angles) else None

    def _free(self, other, time, angles):
        """Tell whether the other hand is outside the zone and is not on its way in."""
        if self.moves[other].get("place") == "exchange":
            return False
        where = motion.planned(self.moves[other], time) if self.believe_plan else angles[other]
        hand = self.arms[other].hand(where)
        return float(np.hypot(*(hand - self.layout["places"]["exchange"]))) > self.layout["zone_radius"]

    def _move(self, name, place, time):
        start = np.array(self.moves[name]["to"])
        end = self.arms[name].angles(self.layout["places"][place])
        seconds = motion.duration(start, end, self.speed_limits[name])
        return {"start": time, "duration": seconds, "from": start.tolist(), "to": end.tolist(), "place": place}


def stand(angles):
    """Give the move of an arm that stands still."""
    return {"start": 0.0, "duration": 1e-9, "from": list(map(float, angles)), "to": list(map(float, angles))}
