"""What a twin says about itself, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lifecycle.descriptor.parameters import Parameter, read_values
from lifecycle.descriptor.problems import Problem
from lifecycle.descriptor.uses import Use
from lifecycle.models import Phase, Value

DEFAULT_PORTS: Final = {
    "amqp": 5672, "amqps": 5671, "mqtt": 1883, "mqtts": 8883, "opcua": 4840, "http": 80, "https": 443, "ws": 80,
    "wss": 443, "nats": 4222, "redis": 6379, "postgresql": 5432, "influxdb": 8086, "mongodb": 27017, "tcp": 0,
}  # fmt: skip
"""Kinds of services, and where each listens when an address names no port."""


@dataclass(frozen=True, slots=True)
class PhaseSettings:
    """What a descriptor adds to a phase's program."""

    arguments: tuple[str, ...] = ()
    time_limit_s: float | None = None
    memory_limit_bytes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {
            "arguments": [*self.arguments],
            "time_limit_s": self.time_limit_s,
            "memory_limit_bytes": self.memory_limit_bytes,
        }


@dataclass(frozen=True, slots=True)
class Service:
    """Something that the twin needs to reach."""

    name: str
    type: str = "tcp"
    address: str = ""
    """HOST, HOST:PORT or a URL; empty when the descriptor does not say."""
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"name": self.name, "type": self.type, "address": self.address, "description": self.description}


@dataclass(frozen=True, slots=True)
class Port:
    """Something that the twin serves."""

    name: str
    port: int
    protocol: str = "tcp"
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"name": self.name, "port": self.port, "protocol": self.protocol, "description": self.description}


@dataclass(frozen=True, slots=True)
class Cosimulation:
    """Files in the twin's folder that describe a co-simulation."""

    model: str = "cosim.json"
    time: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"model": self.model, "time": self.time}


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A twin's descriptor; an empty one stands for a twin that has none."""

    title: str = ""
    description: str = ""
    picture: str | None = None
    """Below the twin's folder."""
    uses: tuple[Use, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    phases: Mapping[Phase, PhaseSettings] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    ports: tuple[Port, ...] = ()
    cosimulation: Cosimulation | None = None
    warnings: tuple[Problem, ...] = ()
    """What works, and probably not as meant."""

    def settings(self, phase: Phase) -> PhaseSettings:
        """Give a phase's settings; the usual ones where nothing is said."""
        return self.phases.get(phase, PhaseSettings())


def values_of(descriptor: Descriptor, given: Mapping[str, Any]) -> dict[str, Value]:
    """Give every parameter's value, defaults filled in; raises ParameterRefused."""
    return read_values(descriptor.parameters, given)
