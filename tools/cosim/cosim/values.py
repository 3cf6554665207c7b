"""Values of an instance's variables, read and written many at a time through arrays that are made once."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

REAL: Final = frozenset({"Real", "Float32", "Float64"})
WHOLE: Final = frozenset({"Integer", "Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"})
SUPPORTED: Final = REAL | WHOLE | {"Enumeration", "Boolean", "String"}

_CALLS_2: Final = {
    "Real": ("Real", ctypes.c_double),
    "Integer": ("Integer", ctypes.c_int),
    "Enumeration": ("Integer", ctypes.c_int),
    "Boolean": ("Boolean", ctypes.c_int),
    "String": ("String", ctypes.c_char_p),
}
_CALLS_3: Final = {
    "Float32": ("Float32", ctypes.c_float),
    "Float64": ("Float64", ctypes.c_double),
    "Int8": ("Int8", ctypes.c_int8),
    "UInt8": ("UInt8", ctypes.c_uint8),
    "Int16": ("Int16", ctypes.c_int16),
    "UInt16": ("UInt16", ctypes.c_uint16),
    "Int32": ("Int32", ctypes.c_int32),
    "UInt32": ("UInt32", ctypes.c_uint32),
    "Int64": ("Int64", ctypes.c_int64),
    "UInt64": ("UInt64", ctypes.c_uint64),
    "Enumeration": ("Int64", ctypes.c_int64),
    "Boolean": ("Boolean", ctypes.c_bool),
    "String": ("String", ctypes.c_char_p),
}

Refused = Callable[[str, int, Sequence[str]], Exception]
"""Makes the exception for a refused call of its name, status and the variables."""


class Group:
    """Variables of one instance that are read or written by one call."""

    __slots__ = ("_get", "_odd", "_refused", "_set", "call", "names", "values")

    def __init__(self, library: Any, component: int, version: int, variables: Sequence[Any], refused: Refused) -> None:
        """Take variables of one kind, as FMPy describes them, of an instance of a loaded library."""
        ctype: Any
        self.call, ctype = (_CALLS_2 if version == 2 else _CALLS_3)[variables[0].type]
        self.names = [variable.name for variable in variables]
        count = len(variables)
        self.values: Any = (ctype * count)()
        references = (ctypes.c_uint * count)(*(variable.valueReference for variable in variables))
        arguments: list[Any] = [ctypes.c_void_p(component), references, ctypes.c_size_t(count), self.values]
        if version == 3:
            arguments.append(ctypes.c_size_t(count))
        # Item access gives a function of our own, without the argument types that FMPy sets on its one: faster.
        self._get = partial(library[f"fmi{version}Get{self.call}"], *arguments)
        self._set = partial(library[f"fmi{version}Set{self.call}"], *arguments)
        self._refused = refused
        self._odd = self.call == "String" or (ctype is ctypes.c_int and self.call == "Boolean")

    def read(self) -> None:
        """Fetch all values."""
        status = self._get()
        if status > 1:
            raise self._refused(f"Get{self.call}", status, self.names)
        if self._odd:
            self._make_even()

    def _make_even(self) -> None:
        """Leave no text that is none, and no truth but 0 and 1: other FMUs would get them."""
        if self.call == "String":
            self.values[:] = [value or b"" for value in self.values]
        else:
            self.values[:] = [int(value != 0) for value in self.values]

    def write(self) -> None:
        """Set all values."""
        status = self._set()
        if status > 1:
            raise self._refused(f"Set{self.call}", status, self.names)

    def get(self, index: int) -> float | int | bool | str:
        """Give one value as Python has it."""
        value = self.values[index]
        if self.call == "Boolean":
            return bool(value)
        if self.call == "String":
            return (value or b"").decode(errors="replace")
        return value  # type: ignore[no-any-return]

    def put(self, index: int, value: float | int | bool | str) -> None:
        """Take one value; raise TypeError or ValueError when it is of another kind."""
        self.values[index] = as_stored(value, self.call)


def as_stored(value: float | int | bool | str, call: str) -> Any:
    """Turn a value into what an array for that call takes; raise TypeError or ValueError when it does not fit."""
    if call == "String":
        if not isinstance(value, str):
            raise TypeError("a text is needed")
        return value.encode()
    if isinstance(value, str):
        raise TypeError("a text does not fit")
    if call == "Boolean":
        if value not in (0, 1):
            raise ValueError("true or false is needed")
        return bool(value)
    if call in REAL:
        return float(value)
    if value != int(value):
        raise ValueError("a whole number is needed")
    low, high = _range_of(call)
    if not low <= value <= high:
        raise ValueError(f"it must lie within {low} to {high}")
    return int(value)


def _range_of(call: str) -> tuple[int, int]:
    bits = bits_of(call)
    return (0, 2**bits - 1) if call.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def bits_of(whole: str) -> int:
    """Give the size of a whole type, such as 16 of UInt16."""
    return int("".join(filter(str.isdigit, whole)) or 32)


def grouped(variables: Iterable[Any], version: int) -> list[list[Any]]:
    """Sort variables into lists that one call can serve, each variable once."""
    calls = _CALLS_2 if version == 2 else _CALLS_3
    groups: dict[str, dict[str, Any]] = {}
    for variable in variables:
        groups.setdefault(calls[variable.type][0], {})[variable.name] = variable
    return [list(group.values()) for group in groups.values()]
