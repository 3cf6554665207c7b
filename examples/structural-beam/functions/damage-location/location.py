"""Where a beam has lost stiffness, and how much, from how its natural frequencies have changed.

A loss in one place lowers each frequency by another part, according to how much
the mode bends there: P. Cawley, R. D. Adams, The location of defects in structures
from measurements of natural frequencies, Journal of Strain Analysis 14(2), 1979.
"""

from dataclasses import dataclass

import numpy as np
from beam import modes
from scipy.stats import f

LOSSES = np.linspace(0.02, 0.8, 40)


@dataclass(frozen=True)
class Damage:
    """The most likely damage."""

    element: int
    position: float
    """Middle of the element, in m from the clamp."""
    loss: float
    """Lost part of the element's stiffness, 0 to 1."""
    significance: float
    """How far the measured changes are beyond chance: their mean square over its 99.9 % bound (F-distribution)."""

    @property
    def detected(self):
        return self.significance > 1


def predicted_changes(beam, count):
    """Relative change of each frequency for a loss in each element: shape (elements, losses, modes)."""
    healthy, _ = modes(beam, count)
    table = np.empty((beam.elements, len(LOSSES), count))
    for element in range(beam.elements):
        for number, lost in enumerate(LOSSES):
            loss = np.zeros(beam.elements)
            loss[element] = lost
            table[element, number] = modes(beam, count, loss)[0] / healthy - 1
    return table


def locate(beam, changes, deviations, degrees):
    """Give the most likely damage, and each element's likelihood relative to the best one.

    changes: measured relative change of each frequency since the beam was healthy.
    deviations: standard deviation of each of these figures, estimated with so many degrees of freedom.
    """
    weighted = (predicted_changes(beam, len(changes)) - changes) / deviations
    misfit = (weighted**2).sum(axis=2)
    element, number = np.unravel_index(misfit.argmin(), misfit.shape)
    likelihood = np.exp(-(misfit.min(axis=1) - misfit.min()) / 2)
    damage = Damage(
        int(element),
        (element + 0.5) * beam.element_length,
        float(LOSSES[number]),
        float(((changes / deviations) ** 2).mean() / f.ppf(0.999, len(changes), degrees)),
    )
    return damage, likelihood
