"""Finite-element model of a cantilever: Euler-Bernoulli beam, clamped at x = 0, free at x = length.

Two unknowns per node, deflection w in m and slope dw/dx. Element matrices with
cubic shape functions and consistent mass: J. S. Przemieniecki, Theory of Matrix
Structural Analysis, McGraw-Hill 1968, chapters 5 and 11.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

CANTILEVER_ROOTS = (1.875104, 4.694091, 7.854757, 10.995541, 14.137168)
"""Solutions of cos(x) cosh(x) = -1, by which tests compare with the continuous beam."""


@dataclass(frozen=True)
class Beam:
    """A rectangular cantilever; lengths in m, Young's modulus in Pa, density in kg/m^3."""

    length: float
    width: float
    height: float
    young: float
    density: float
    elements: int = 20

    @property
    def element_length(self):
        return self.length / self.elements

    @property
    def area(self):
        """Cross-section in m^2."""
        return self.width * self.height

    @property
    def bending_stiffness(self):
        """E I in N m^2."""
        return self.young * self.width * self.height**3 / 12


def element_stiffness(ei, h):
    """Stiffness of one element of length h, for (w1, slope1, w2, slope2)."""
    return (
        ei
        / h**3
        * np.array(
            [
                [12, 6 * h, -12, 6 * h],
                [6 * h, 4 * h**2, -6 * h, 2 * h**2],
                [-12, -6 * h, 12, -6 * h],
                [6 * h, 2 * h**2, -6 * h, 4 * h**2],
            ]
        )
    )


def element_mass(mass_per_length, h):
    """Consistent mass of one element of length h."""
    return (
        mass_per_length
        * h
        / 420
        * np.array(
            [
                [156, 22 * h, 54, -13 * h],
                [22 * h, 4 * h**2, 13 * h, -3 * h**2],
                [54, 13 * h, 156, -22 * h],
                [-13 * h, -3 * h**2, -22 * h, 4 * h**2],
            ]
        )
    )


def assemble(beam, loss=None):
    """Give stiffness and mass of the clamped beam; `loss` is the lost part of each element's stiffness, 0 to 1."""
    kept = 1 - (np.zeros(beam.elements) if loss is None else np.asarray(loss))
    size = 2 * (beam.elements + 1)
    stiffness, mass = np.zeros((size, size)), np.zeros((size, size))
    for element in range(beam.elements):
        place = slice(2 * element, 2 * element + 4)
        stiffness[place, place] += kept[element] * element_stiffness(beam.bending_stiffness, beam.element_length)
        mass[place, place] += element_mass(beam.density * beam.area, beam.element_length)
    return stiffness[2:, 2:], mass[2:, 2:]  # the first node is clamped


def modes(beam, count, loss=None):
    """Give the lowest natural frequencies in Hz and the mode shapes, normalised to unit modal mass, as columns."""
    stiffness, mass = assemble(beam, loss)
    squared, shapes = eigh(stiffness, mass, subset_by_index=[0, count - 1])
    return np.sqrt(squared) / (2 * np.pi), shapes


def deflections(beam, shapes, positions):
    """Give rows of mode shapes at positions in m, which have to be nodes: one row per position."""
    nodes = np.rint(np.asarray(positions) / beam.element_length).astype(int)
    return shapes[2 * (nodes - 1)]
