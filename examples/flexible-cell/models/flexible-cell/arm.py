"""A planar arm with two links: where its hand is, which joint angles bring it somewhere, how near two arms are.

The kinematics are those of any textbook, for instance J. J. Craig: Introduction to Robotics, 1986, chapters 3 and 4.
Angles in rad, the second one from the first link; lengths in m.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Arm:
    base: tuple
    lengths: tuple
    elbow: str  # "left" or "right" of the line from the base to the hand

    def points(self, angles):
        """Give base, elbow and hand."""
        first, second = angles
        base = np.asarray(self.base, dtype=float)
        elbow = base + self.lengths[0] * np.array([np.cos(first), np.sin(first)])
        return base, elbow, elbow + self.lengths[1] * np.array([np.cos(first + second), np.sin(first + second)])

    def hand(self, angles):
        return self.points(angles)[2]

    def angles(self, place):
        """Give the joint angles that bring the hand to a place; raise ValueError when it is out of reach."""
        x, y = np.asarray(place, dtype=float) - self.base
        one, two = self.lengths
        cosine = (x * x + y * y - one * one - two * two) / (2 * one * two)
        if not -1 <= cosine <= 1:
            raise ValueError(f"{place} is out of reach of the arm at {self.base}")
        second = np.arccos(cosine) * (-1 if self.elbow == "left" else 1)
        first = np.arctan2(y, x) - np.arctan2(two * np.sin(second), one + two * np.cos(second))
        # Between -90 and 270 degrees: all work is above the bases, and no arm shall turn the long way round.
        return np.array([(first + np.pi / 2) % (2 * np.pi) - np.pi / 2, second])


def distance_of_segments(p, q, r, s):
    """Give the shortest distance between the segments from p to q and from r to s in the plane."""
    if _cross(p, q, r, s):
        return 0.0
    return min(_to_segment(p, r, s), _to_segment(q, r, s), _to_segment(r, p, q), _to_segment(s, p, q))


def clearance(one, its_angles, other, others_angles, radius):
    """Give the room in m between two arms whose links are round with this radius; negative when they collide."""
    links = [list(pairwise(points)) for points in (one.points(its_angles), other.points(others_angles))]
    return min(distance_of_segments(*mine, *yours) for mine in links[0] for yours in links[1]) - 2 * radius


def _to_segment(point, start, end):
    along = end - start
    length = along @ along
    share = 0.0 if length == 0 else min(1.0, max(0.0, (point - start) @ along / length))
    return float(np.hypot(*(point - start - share * along)))


def _side(a, b, c):
    return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _cross(p, q, r, s):
    return _side(p, q, r) * _side(p, q, s) < 0 and _side(r, s, p) * _side(r, s, q) < 0
