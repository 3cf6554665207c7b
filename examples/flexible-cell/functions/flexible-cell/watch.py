"""The twin's eye on one arm: do its joints follow as healthy joints would?"""

from collections import deque

import motion
import numpy as np

LARGE = 0.02  # rad; encoder noise is a twentieth of it
LASTING = 3  # samples
SPEED_SAMPLES = 11  # enough for the noise of two encoder readings not to count
FORGETTING = 0.05  # of the residual at each sample: a limit known to 2 % must not add up to a large residual
CAUSE = 1.3  # times as fast as it got a joint has to be asked to move before its speed counts as its limit
CAUTION = 0.9  # of the speed that a slow joint was seen to reach


class Watch:
    """Runs a healthy arm's model beside the real one and compares.

    A joint that is LASTING samples far from its model is slow. From then on the twin believes
    what it sees. The first whole move that asks more of the joint than it gives tells how fast it is.
    """

    def __init__(self, move, speed_limits, step):
        self.move, self.next, self.step = move, None, step
        self.healthy = np.array(speed_limits, dtype=float)
        self.model = np.array(move["to"], dtype=float)
        self.last = deque(maxlen=SPEED_SAMPLES)
        self.far = np.zeros(2, dtype=int)
        self.slow = None  # the joint that is being looked at
        self.fastest = None  # rad/s, of that joint in a move that was seen from its start

    def begin(self, move):
        """Take a new move; it counts from the first sample after its start."""
        self.next = move

    def sample(self, time, angles):
        """Compare measured angles with the model; give the tracking error, the residual and what was found.

        Found is None, ("slow", joint, residual in rad) or ("limit", joint, speed in rad/s).
        """
        found = None
        if self.next and time > self.next["start"]:
            found = self._move_is_over()
            self.move, self.next = self.next, None
        self.model = motion.follow(self.model, self.move, time - self.step, self.step, self.healthy)
        residual = angles - self.model
        self.model = self.model + FORGETTING * residual
        error = angles - motion.planned(self.move, time)
        self.last.append(angles)
        if self.slow is None:
            found = found or self._look(residual)
        else:
            self._learn(angles)
        return error, residual, found

    def _look(self, residual):
        self.far = np.where(np.abs(residual) > LARGE, self.far + 1, 0)
        if self.far.max() < LASTING:
            return None
        self.slow, self.fastest = int(np.argmax(np.abs(residual))), None
        return "slow", self.slow, float(residual[self.slow])

    def _learn(self, angles):
        self.model = np.array(angles)
        if self.fastest is not None and len(self.last) == SPEED_SAMPLES:
            way = abs(self.last[-1][self.slow] - self.last[0][self.slow])
            self.fastest = max(self.fastest, way / (SPEED_SAMPLES - 1) / self.step)

    def _move_is_over(self):
        """Tell the slow joint's limit, if the move that is over showed it."""
        if self.slow is None:
            return None
        way = abs(self.move["to"][self.slow] - self.move["from"][self.slow])
        asked = motion.PEAK * way / self.move["duration"]
        if self.fastest is None or asked < CAUSE * self.fastest:
            self.fastest = 0.0  # from here on a move is seen whole
            return None
        found = "limit", self.slow, CAUTION * self.fastest
        self.healthy[self.slow] = self.fastest  # its health is now to be as fast as that
        self.slow, self.far = None, np.zeros(2, dtype=int)
        return found
