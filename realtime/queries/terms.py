"""Parts of a condition with their types, and the polars expressions they become."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

import polars as pl

from realtime.queries.fields import Field, Kind
from realtime.queries.parsing import refused
from realtime.queries.times import microseconds

LONGEST_PATTERN: Final = 200
_SAFE: Final = re.compile(r"[A-Za-z0-9 _]")
_SWAPPED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Scope(Protocol):
    """What a condition is evaluated over: the rows, or the texts of one column."""

    def column(self, field: Field) -> pl.Expr:
        """Give a field's values; times and dates in microseconds."""

    def settled(self, found: pl.Expr) -> pl.Expr:
        """Calculate something now, so that using it twice does not calculate it twice, and four times above that."""

    def by_text(self, field: Field, build: Build) -> pl.Expr | None:
        """Give something that depends on nothing but one field of texts; None: evaluate it for each row."""


Build = Callable[[Scope], pl.Expr]


@dataclass(frozen=True)
class Term:
    """A part of a condition."""

    kind: Kind
    build: Build
    fields: frozenset[str] = frozenset()
    text: Field | None = None
    """The one field of texts that it depends on, and on nothing else."""
    value: Any = None
    """Of a constant."""

    @property
    def constant(self) -> bool:
        """Whether a person wrote it, and it is the same for all rows."""
        return self.value is not None

    @staticmethod
    def of_field(field: Field) -> Term:
        """Make the term that is a field."""
        text = field if field.kind is Kind.TEXT and field.path else None
        return Term(field.kind, lambda scope: scope.column(field), frozenset({field.name}), text)

    @staticmethod
    def made(kind: Kind, parts: Sequence[Term], make: Callable[..., pl.Expr]) -> Term:
        """Make a term of others; what depends on one column of texts only is evaluated once for each text."""
        fields = frozenset().union(*(one.fields for one in parts))
        texts = {one.text for one in parts if not one.constant}
        text = texts.pop() if len(texts) == 1 else None

        def build(scope: Scope) -> pl.Expr:
            return make(*(one.build(scope) for one in parts))

        if text is None or kind is not Kind.BOOLEAN:
            return Term(kind, build, fields, text)
        field = text

        def build_by_text(scope: Scope) -> pl.Expr:
            found = scope.by_text(field, build)
            return build(scope) if found is None else found

        return Term(kind, build_by_text, fields, text)


def constant(value: Any) -> Term:
    """Make the term that is a value, of the text or of the parameters."""
    if isinstance(value, bool):
        return Term(Kind.BOOLEAN, lambda _: pl.lit(value), value=value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value) if abs(value) < 10**300 else math.inf
    if isinstance(value, int):
        return Term(Kind.INTEGER, lambda _: pl.lit(value, dtype=pl.Int64), value=value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise refused("A number is larger than can be counted with", "Give one below 1e308.")
        return Term(Kind.NUMBER, lambda _: pl.lit(value, dtype=pl.Float64), value=value)
    if isinstance(value, str):
        clean = value.encode(errors="replace").decode()
        return Term(Kind.TEXT, lambda _: pl.lit(clean, dtype=pl.String), value=clean)
    shown = "NULL" if value is None else type(value).__name__
    raise refused(f"A value is {shown}", "Give numbers, texts, true or false; ask for what is missing with IS NULL.")


def as_kind(term: Term, kind: Kind) -> Term:
    """Make a whole number into one with a fraction where that is needed."""
    if kind is not Kind.NUMBER or term.kind is not Kind.INTEGER:
        return term
    build = term.build
    return Term(kind, lambda scope: build(scope).cast(pl.Float64), term.fields, value=term.value)


def comparison(sign: str, left: Term, right: Term, where: str) -> Term:
    """Compare two terms of types that fit."""
    left, right = _matched(left, right, where)
    if left.constant and not right.constant:
        left, right, sign = right, left, _SWAPPED[sign]
    if left.kind is Kind.BOOLEAN and sign not in {"=", "<>"}:
        raise refused(f"True and false have no order{where}", "Compare with = or <>.")
    made: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
        "=": lambda one, other: one == other,
        "<>": lambda one, other: one != other,
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    return Term.made(Kind.BOOLEAN, (left, right), made[sign])


def listed(term: Term, among: Sequence[Term], where: str) -> Term:
    """Make the term that says whether one is among values."""
    if not all(one.constant for one in among):
        raise refused(f"IN takes values only{where}", "Write: region IN ('NW', 'SW').")
    if not among:
        return Term.made(Kind.BOOLEAN, (term,), lambda one: one.is_null() & pl.lit(None, dtype=pl.Boolean))
    pairs = [_matched(term, one, where) for one in among]
    if len({pair[0].kind for pair in pairs}) > 1:
        pairs = [(as_kind(one, Kind.NUMBER), as_kind(other, Kind.NUMBER)) for one, other in pairs]
    kind, values = pairs[0][0].kind, [other.value for _, other in pairs]
    dtype = _dtype(kind)
    series = pl.Series([float(one) for one in values] if kind is Kind.NUMBER else values, dtype=dtype)
    return Term.made(Kind.BOOLEAN, (pairs[0][0],), lambda one: one.is_in(series.implode()))


def _dtype(kind: Kind) -> pl.DataType:
    if kind is Kind.TEXT:
        return pl.String()
    if kind is Kind.BOOLEAN:
        return pl.Boolean()
    return pl.Float64() if kind is Kind.NUMBER else pl.Int64()


def arithmetic(sign: str, left: Term, right: Term, where: str) -> Term:
    """Calculate, always with fractions, so that nothing overflows in silence; what cannot be is unknown."""
    for one in (left, right):
        if not one.kind.numeric:
            raise refused(f"'{sign}' needs numbers on both sides{where}", "Calculate with fields that are numbers.")
    made: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
        "+": lambda one, other: one + other,
        "-": lambda one, other: one - other,
        "*": lambda one, other: one * other,
        "/": lambda one, other: pl.when(other != 0).then(one / other),
        "%": lambda one, other: pl.when(other != 0).then(one.sign() * (one.abs() % other.abs())),
    }
    calculate = made[sign]
    parts = (as_kind(left, Kind.NUMBER), as_kind(right, Kind.NUMBER))
    term = Term.made(Kind.NUMBER, parts, calculate)
    return replace(term, build=lambda scope: scope.settled(_known(scope.settled(term.build(scope)))))


def _known(found: pl.Expr) -> pl.Expr:
    return pl.when(found.is_finite()).then(found)


def like(term: Term, pattern: Term, *, fold: bool, where: str) -> Term:
    """Compare with a pattern: % is any characters, _ is one."""
    if term.kind is not Kind.TEXT or not isinstance(pattern.value, str):
        raise refused(f"LIKE needs a text and a pattern{where}", "Write: name LIKE 'test%'.")
    text: str = pattern.value
    if len(text) > LONGEST_PATTERN:
        raise refused(f"The pattern has {len(text)} characters{where}", f"Write at most {LONGEST_PATTERN}.")
    plain = text.strip("%")
    if fold or "%" in plain or "_" in plain:
        return Term.made(Kind.BOOLEAN, (term,), lambda one: one.str.contains(_regex(text, fold), strict=True))
    before, after = text.startswith("%"), text.endswith("%")
    if before and after:
        return Term.made(Kind.BOOLEAN, (term,), lambda one: one.str.contains(plain, literal=True))
    if before:
        return Term.made(Kind.BOOLEAN, (term,), lambda one: one.str.ends_with(plain))
    if after:
        return Term.made(Kind.BOOLEAN, (term,), lambda one: one.str.starts_with(plain))
    return Term.made(Kind.BOOLEAN, (term,), lambda one: one == plain)


def _regex(text: str, fold: bool) -> str:
    """Make an expression of polars' own kind, which takes a time that grows with the text's length only."""
    parts = [".*" if one == "%" else "." if one == "_" else _escaped(one) for one in re.sub("%+", "%", text)]
    return f"(?s{'i' if fold else ''})^{''.join(parts)}$"


def _escaped(character: str) -> str:
    return character if _SAFE.match(character) else f"\\x{{{ord(character):x}}}"


def _matched(left: Term, right: Term, where: str) -> tuple[Term, Term]:
    """Bring two sides to one type; raises QueryRefused where they cannot be compared."""
    if left.kind.numeric and right.kind.numeric:
        if left.kind is not right.kind:
            return as_kind(left, Kind.NUMBER), as_kind(right, Kind.NUMBER)
        return left, right
    if left.kind.temporal and right.kind is Kind.TEXT and right.constant:
        return left, _moment(right.value, where)
    if right.kind.temporal and left.kind is Kind.TEXT and left.constant:
        return _moment(left.value, where), right
    if left.kind is right.kind or (left.kind.temporal and right.kind.temporal):
        return left, right
    raise refused(
        f"{_about(left)} cannot be compared with {_about(right)}{where}",
        "Texts stand in single quotes; numbers, TRUE and FALSE without.",
    )


def _moment(text: str, where: str) -> Term:
    try:
        value = microseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise refused(
            f"'{text[:50]}' is no date or time{where}", "Write it as 2026-01-31 or 2026-01-31T12:00:00Z."
        ) from error
    return Term(Kind.TIME, lambda _: pl.lit(value, dtype=pl.Int64), value=value)


def _about(term: Term) -> str:
    if term.constant:
        return f"the value {str(term.value)[:50]!r}" if term.kind is Kind.TEXT else f"the value {term.value}"
    named = f" '{min(term.fields)}'" if len(term.fields) == 1 else ""
    return f"the {term.kind.value}{named}"
