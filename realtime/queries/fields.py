"""Which columns a model's state has: what of it can be filtered, sorted, grouped and counted."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import inspect

from realtime.errors import QueryRefused

DEEPEST: Final = 4
"""So many structs within each other have columns."""
SHOWN: Final = 30
"""So many fields are named in an error."""


class Kind(StrEnum):
    """What a column holds; NONE: the field has no column."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    DATE = "date"
    NONE = "none"

    @property
    def numeric(self) -> bool:
        """Whether it can be calculated with."""
        return self in {Kind.NUMBER, Kind.INTEGER}

    @property
    def temporal(self) -> bool:
        """Whether it is a moment or a day."""
        return self in {Kind.TIME, Kind.DATE}


@dataclass(frozen=True)
class Field:
    """One column: how it is named in questions, and where its values stand."""

    name: str
    kind: Kind
    path: str = ""
    """Of attributes, from the state on, with points between."""
    counted: bool = False
    """The column is the length of what stands there."""
    nullable: bool = False
    unit: str = ""
    choices: tuple[str | int, ...] = ()
    why: str = ""
    """Why it has no column."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages show."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "nullable": self.nullable,
            "unit": self.unit,
            "choices": list(self.choices) or None,
            "why": self.why,
        }


ID: Final = Field("id", Kind.TEXT)
PARTITION: Final = Field("partition", Kind.INTEGER)
_SIMPLE: Final[Mapping[type, Kind]] = {
    inspect.FloatType: Kind.NUMBER,
    inspect.DecimalType: Kind.NUMBER,
    inspect.TimeDeltaType: Kind.NUMBER,
    inspect.IntType: Kind.INTEGER,
    inspect.BoolType: Kind.BOOLEAN,
    inspect.StrType: Kind.TEXT,
    inspect.UUIDType: Kind.TEXT,
    inspect.DateTimeType: Kind.TIME,
    inspect.DateType: Kind.DATE,
}
_COUNTED: Final = (
    inspect.ListType,
    inspect.DictType,
    inspect.SetType,
    inspect.FrozenSetType,
    inspect.VarTupleType,
    inspect.CollectionType,
)


class Fields(dict[str, Field]):
    """The columns of a model by name."""

    def find(self, name: str, where: str = "") -> Field:
        """Give a field that has a column; raises QueryRefused, which names near ones."""
        found = self.get(name)
        if found is None:
            raise QueryRefused(f"There is no field '{name[:100]}'{where}.", self._known(name))
        if found.kind is Kind.NONE:
            raise QueryRefused(f"The field '{name}' cannot be asked for{where}: {found.why}.", self._known(name))
        return found

    def _known(self, name: str) -> str:
        usable = [one.name for one in self.values() if one.kind is not Kind.NONE]
        by_lower = {one.lower(): one for one in usable}
        near = [by_lower[one] for one in get_close_matches(name.lower(), by_lower, 1, 0.6)]
        shown = ", ".join(usable[:SHOWN]) + (", …" if len(usable) > SHOWN else "")
        return (f"Did you mean '{near[0]}'? " if near else "") + f"Fields: {shown}."


def read_fields(kind: type) -> Fields:
    """Read the columns of a class of states."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - models are structs
    found = {one.name: one for one in (ID, PARTITION, *_within(info.fields, "", False, 1))}
    return Fields(found)


def _within(fields: tuple[Any, ...], before: str, nullable: bool, depth: int) -> Iterator[Field]:
    for one in fields:
        path = f"{before}{one.name}"
        kind, unit, optional = _plain(one.type)
        yield from _columns(path, kind, unit, nullable or optional, depth)


def _plain(found: inspect.Type) -> tuple[inspect.Type, str, bool]:
    """Look through annotations and `| None`."""
    unit, optional = "", False
    while True:
        if isinstance(found, inspect.Metadata):
            unit = str((found.extra or {}).get("unit", "")) or unit
            found = found.type
        elif isinstance(found, inspect.UnionType):
            rest = [one for one in found.types if not isinstance(one, inspect.NoneType)]
            optional = optional or len(rest) < len(found.types)
            if len(rest) != 1:
                both = {type(one) for one in rest} == {inspect.IntType, inspect.FloatType}
                return (inspect.FloatType() if both else found), unit, optional
            found = rest[0]
        else:
            return found, unit, optional


def _columns(path: str, found: inspect.Type, unit: str, nullable: bool, depth: int) -> Iterator[Field]:
    if isinstance(found, inspect.StructType | inspect.DataclassType):
        if depth < DEEPEST:
            yield from _within(found.fields, f"{path}.", nullable, depth + 1)
        else:
            yield Field(path, Kind.NONE, why=f"it is more than {DEEPEST} structs deep")
    elif isinstance(found, _COUNTED):
        why = f"it holds many values; its length is '{path}.count'"
        yield Field(path, Kind.NONE, why=why)
        yield Field(f"{path}.count", Kind.INTEGER, path, counted=True, nullable=nullable)
    elif isinstance(found, inspect.EnumType):
        yield _choice(path, tuple(one.value for one in found.cls), nullable)
    elif isinstance(found, inspect.LiteralType):
        yield _choice(path, tuple(found.values), nullable)
    elif type(found) in _SIMPLE:
        yield Field(path, _SIMPLE[type(found)], path, nullable=nullable, unit=unit)
    else:
        shown = type(found).__name__.removesuffix("Type").lower()
        yield Field(path, Kind.NONE, why=f"its type ({shown}) is no number, text, date, choice, list or struct")


def _choice(path: str, values: tuple[Any, ...], nullable: bool) -> Field:
    if all(isinstance(one, str) for one in values):
        return Field(path, Kind.TEXT, path, nullable=nullable, choices=values)
    if all(isinstance(one, int) for one in values):
        return Field(path, Kind.INTEGER, path, nullable=nullable, choices=values)
    return Field(path, Kind.NONE, why="its choices are of several types")


def plain_value(value: Any) -> Any:
    """Look through an enum to what it stands for."""
    return value.value if isinstance(value, enum.Enum) else value


def builtin(value: Any) -> Any:
    """Give a value as JSON can hold it."""
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)
