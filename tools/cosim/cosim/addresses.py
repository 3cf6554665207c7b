"""Names of variables in a multi-model: `{fmu}.instance.variable`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from cosim.errors import CosimError

_VARIABLE: Final = re.compile(r"(\{[^{}]+\})\.([^.]+)\.(.+)", re.DOTALL)
_INSTANCE: Final = re.compile(r"(\{[^{}]+\})\.([^.]+)", re.DOTALL)


class InstanceName(NamedTuple):
    """One instance of one FMU."""

    fmu: str
    """As in the file, braces included: `{tank}`."""
    instance: str

    def __str__(self) -> str:
        return f"{self.fmu}.{self.instance}"


class Address(NamedTuple):
    """One variable of one instance."""

    owner: InstanceName
    variable: str
    """May itself contain dots and brackets."""

    def __str__(self) -> str:
        return f"{self.owner}.{self.variable}"


class AddressRefused(CosimError):
    """A name is not of the form that a multi-model has."""

    code = "address_refused"


def read_address(text: str) -> Address:
    """Take `{fmu}.instance.variable` apart; raise AddressRefused when it is something else."""
    found = _VARIABLE.fullmatch(text)
    if found is None:
        raise AddressRefused(f"{text!r} is no name of a variable.", "Write it as '{fmu}.instance.variable'.")
    return Address(InstanceName(found[1], found[2]), found[3])


def read_instance(text: str) -> InstanceName:
    """Take `{fmu}.instance` apart; raise AddressRefused when it is something else."""
    found = _INSTANCE.fullmatch(text)
    if found is None:
        raise AddressRefused(f"{text!r} is no name of an instance.", "Write it as '{fmu}.instance'.")
    return InstanceName(found[1], found[2])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that a person most likely meant."""
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    if name.lower() in lowered:
        return lowered[name.lower()]
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str], listed: int = 12) -> str:
    """Say which known name is nearest, or which there are."""
    names = list(known)
    candidate = nearest(name, names)
    if candidate is not None:
        return f"Did you mean '{candidate}'?"
    if not names:
        return "There are none."
    shown = ", ".join(names[:listed]) + (f" and {len(names) - listed} more" if len(names) > listed else "")
    return f"There are: {shown}."
