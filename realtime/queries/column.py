"""One column of the mirror: values of one field, as numbers side by side."""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from realtime.queries.fields import Field, Kind, plain_value
from realtime.queries.times import EPOCH, microseconds

LONGEST_TEXT: Final = 1000
"""Characters of a text that its column has."""
_DTYPES: Final = {Kind.NUMBER: np.float64, Kind.TEXT: np.uint32}
Values = NDArray[Any]


class Dictionary(dict[Any, int]):
    """Texts of a column, each once; columns hold their numbers. 0 is no text."""

    def __init__(self) -> None:
        super().__init__({None: 0})
        self.texts: list[str | None] = [None]
        self._series = pl.Series("text", [None], dtype=pl.String)

    def __missing__(self, value: Any) -> int:
        plain = plain_value(value)
        if not isinstance(plain, str):
            plain = str(plain)
        text = str.__str__(plain)[:LONGEST_TEXT].encode(errors="replace").decode()
        number = self.get(text)
        if number is None:
            number = self[text] = len(self.texts)
            self.texts.append(text)
        if len(value if isinstance(value, str) else "") <= LONGEST_TEXT:
            self[value] = number
        return number

    def series(self) -> pl.Series:
        """Give the texts by number."""
        if (have := len(self._series)) < len(self.texts):
            self._series = pl.concat([self._series, pl.Series("text", self.texts[have:], dtype=pl.String)])
        return self._series


class Column:
    """Values of one field, of all rows."""

    def __init__(self, about: Field, capacity: int) -> None:
        self.about = about
        self.dictionary = Dictionary() if about.kind is Kind.TEXT else None
        self._values: Values = np.zeros(capacity, _DTYPES.get(about.kind, np.int64))
        self._empty: NDArray[np.bool_] | None = None
        self._get = attrgetter(about.path)
        self.used_at = 0.0
        self.upto = 0
        """Where in the mirror's journal it stands."""
        self.count = 0
        """So many rows have been read."""

    @property
    def bytes(self) -> int:
        """How much memory it takes, about."""
        texts = sum(map(len, filter(None, self.dictionary.texts))) * 2 if self.dictionary else 0
        return self._values.nbytes + (0 if self._empty is None else self._empty.nbytes) + texts

    def grow(self, capacity: int) -> None:
        """Make room for rows."""
        if capacity > len(self._values):
            self._values = np.concatenate([self._values, np.zeros(capacity - len(self._values), self._values.dtype)])
            if self._empty is not None:
                self._empty = np.concatenate([self._empty, np.zeros(capacity - len(self._empty), np.bool_)])

    def write(self, rows: slice | NDArray[np.int64], twins: list[Any]) -> None:
        """Read the field of some instances into their rows."""
        try:
            values, empty = self._quickly(twins)
        except Exception:  # handlers may have set anything, whose own methods may fail in any way
            values, empty = self._carefully(twins)
        self._values[rows] = values
        if empty is not None and self._empty is None:
            self._empty = np.zeros(len(self._values), np.bool_)
        if self._empty is not None:
            self._empty[rows] = False if empty is None else empty

    def _quickly(self, twins: list[Any]) -> tuple[Values, Values | None]:
        """Read values that are what the field says; raises where one is not, or is missing in a type that has no empty value."""
        kind, got = self.about.kind, map(self._get, twins)
        if self.dictionary is not None:
            return np.fromiter(map(self.dictionary.__getitem__, got), np.uint32, len(twins)), None
        if kind is Kind.NUMBER:
            return np.array(list(got), np.float64), None
        if self.about.counted:
            return np.fromiter(map(len, got), np.int64, len(twins)), None
        if kind in {Kind.INTEGER, Kind.BOOLEAN}:
            values = np.array(list(got))
            if values.dtype.kind in "ib":
                return values, None
        raise TypeError

    def _carefully(self, twins: list[Any]) -> tuple[Values, Values | None]:
        """Read one by one; what is not of the field's type, as handlers may set anything, is empty."""
        read: list[Any] = [self._one(twin) for twin in twins]
        if self.dictionary is not None:
            return np.array([one or 0 for one in read], dtype=np.uint32), None
        if self.about.kind is Kind.NUMBER:
            return np.array([np.nan if one is None else one for one in read], np.float64), None
        empty: list[bool] = [one is None for one in read]
        return np.array([one or 0 for one in read], np.int64), np.array(empty)

    def _one(self, twin: Any) -> Any:
        try:
            value = plain_value(self._get(twin))
            if value is None:
                return None
            return self.dictionary[value] if self.dictionary is not None else _number(self.about, value)
        except Exception:  # as above
            return None

    def has_empty(self, count: int) -> bool:
        """Tell whether one of the first rows of a column of texts has none."""
        return not bool(self._values[:count].all())

    def series(self, count: int) -> pl.Series:
        """Give the first rows, without copying them: valid until the next write."""
        values = self._values[:count]
        if self.about.kind is Kind.NUMBER:
            return pl.Series(self.about.name, values, nan_to_null=True)
        found = pl.Series(self.about.name, values)
        if self._empty is not None:
            found = found.set(pl.Series(self._empty[:count]), None)
        return found.cast(pl.Boolean) if self.about.kind is Kind.BOOLEAN else found


def _number(about: Field, value: Any) -> Any:
    """Give what a column holds for a value: moments in microseconds and days since 1970."""
    if about.counted:
        return len(value)
    if about.kind is Kind.NUMBER:
        return value.total_seconds() if isinstance(value, timedelta) else float(value)
    if about.kind is Kind.TIME:
        return microseconds(value)
    if about.kind is Kind.DATE:
        return date.toordinal(value) - EPOCH.toordinal()
    whole = int(value)
    return whole if whole == value and -(2**63) <= whole < 2**63 else None


class Ids:
    """Names of all instances, which only become more."""

    def __init__(self) -> None:
        self.used_at = 0.0
        self.pieces: list[pl.Series] = []
        self.count = 0

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return int(sum(one.estimated_size() for one in self.pieces))

    def add(self, names: list[str]) -> None:
        """Take more."""
        clean = [one if one.isascii() else one.encode(errors="replace").decode() for one in names]
        self.pieces.append(pl.Series("id", clean, dtype=pl.String))
        self.count += len(names)

    def series(self) -> pl.Series:
        """Give all."""
        if len(self.pieces) != 1:
            none = pl.Series("id", [], dtype=pl.String)
            self.pieces = [pl.concat([none, *self.pieces], rechunk=True)]
        return self.pieces[0]
