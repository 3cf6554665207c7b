"""How a joint is told to move, and how it follows.

Planned are minimum-jerk movements: T. Flash, N. Hogan: The Coordination of Arm Movements, 1985:

    q(t) = q0 + (q1 - q0) (10 s^3 - 15 s^4 + 6 s^5)     s = t / duration

Speed and acceleration are zero at both ends; the highest speed is 1.875 |q1 - q0| / duration.
"""

import numpy as np

PEAK = 1.875
GAIN = 20.0  # 1/s, of every joint's position controller: it lags behind by speed / GAIN
SHORTEST = 0.2  # s


def duration(start, end, speed_limits):
    """Give the time in s in which no joint has to be faster than its limit in rad/s."""
    return max(SHORTEST, float(np.max(PEAK * np.abs(np.subtract(end, start)) / speed_limits)))


def planned(move, time):
    """Give the angles at a time of a move: {start, duration, from, to}; before and after it the arm stands."""
    s = min(1.0, max(0.0, (time - move["start"]) / move["duration"]))
    start, end = np.array(move["from"]), np.array(move["to"])
    return start + (end - start) * (10 * s**3 - 15 * s**4 + 6 * s**5)


def follow(angles, move, time, step, speed_limits):
    """Give the angles one step in s later, of joints that follow a move: q' = GAIN (planned - q), as fast as they can."""
    parts = 5  # of a step, each by the midpoint rule: the error is far below what the encoders see
    h = step / parts
    for part in range(parts):
        now = time + part * h
        half = angles + np.clip(GAIN * (planned(move, now) - angles), -speed_limits, speed_limits) * h / 2
        angles = angles + np.clip(GAIN * (planned(move, now + h / 2) - half), -speed_limits, speed_limits) * h
    return angles
