"""The parts of an FMU's description as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the model's author suggests to simulate; seconds, and a relative tolerance."""

    start: float | None = None
    stop: float | None = None
    tolerance: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True)
class FmuVariable:
    """One variable in the words of its own FMI version."""

    name: str
    causality: str
    variability: str
    type: str
    """Real, Integer, Boolean, String, Enumeration; in FMI 3 Float64, Int32, Clock, …"""
    unit: str | None
    """Its own, or that of its declared type."""
    start: str | None
    """As written; arrays have several values, strings of an array are joined by commas."""
    description: str | None
    value_reference: int | None
    dimensions: tuple[str, ...] = ()
    """FMI 3 arrays: sizes, or the names of the structural parameters that hold them."""
