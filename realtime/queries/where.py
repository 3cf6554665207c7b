"""Conditions that people write, as in SQL behind WHERE: read, checked against the fields, and only then made into polars.

    temperature_c > :limit AND region IN ('NW', 'SW') AND NOT name LIKE 'test%'

No text of a person ever reaches an engine. sqlglot reads it; what it read is looked
at node by node, and each kind of node that is known here becomes an expression;
everything else is refused. An unknown value (NULL) is neither true nor false, as in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from sqlglot import exp

from realtime.queries.fields import Field, Fields, Kind
from realtime.queries.parsing import MOST_PARAMETERS, parse, position, refused
from realtime.queries.terms import (
    Build,
    Term,
    arithmetic,
    as_kind,
    comparison,
    constant,
    like,
    listed,
)

MOST_LISTED: Final = 1000
"""Values behind one IN."""
DEEPEST_TERM: Final = 100
"""Calculations within each other; chains of AND and OR do not count."""
_COMPARED: Final[Mapping[type, str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_CALCULATED: Final[Mapping[type, str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_KNOWN: Final = "Known: = <> < <= > >=, AND, OR, NOT, IN, BETWEEN, LIKE, ILIKE, IS NULL, + - * / %, abs, round, lower, upper, length, coalesce."
Parameters = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Condition:
    """What must hold, checked; `build` makes the expression over a scope."""

    fields: tuple[Field, ...]
    """Those that it needs."""
    build: Build


def read_where(text: str, fields: Fields, parameters: Parameters = ()) -> Condition | None:
    """Read a condition, None where there is none; raises QueryRefused, which says where and what."""
    if not text.strip():
        return None
    if len(parameters) > MOST_PARAMETERS:
        raise refused(f"There are {len(parameters)} parameters", f"Give at most {MOST_PARAMETERS}.")
    reader = _Reader(fields, parameters)
    try:
        term = reader.truth(parse(text))
    except RecursionError as error:
        raise refused("The condition is nested too deeply", "Write it in a simpler way.") from error
    return Condition(tuple(fields[name] for name in sorted(term.fields)), term.build)


class _Reader:
    """Go through what sqlglot read."""

    def __init__(self, fields: Fields, parameters: Parameters) -> None:
        self._fields = fields
        self._parameters = parameters
        self._asked = 0
        """Question marks that were met."""
        self._depth = 0

    def truth(self, node: exp.Expression) -> Term:
        """Read what is true or false."""
        term = self.term(node)
        if term.kind is not Kind.BOOLEAN:
            raise refused(
                f"{_shown(node)} is {_called(term)}, where something true or false is needed{position(node)}",
                "Compare it with something, such as: temperature_c > 100.",
            )
        return term

    def term(self, node: exp.Expression) -> Term:
        """Read anything; what is not known here is refused."""
        read = _READERS.get(type(node))
        if read is None:
            raise refused(f"{_shown(node)} is not possible in a condition{position(node)}", _KNOWN)
        self._depth += 1
        if self._depth > DEEPEST_TERM:
            raise refused(f"The condition is nested too deeply{position(node)}", "Write it in a simpler way.")
        found = read(self, node)
        self._depth -= 1
        return found

    # --- values -----------------------------------------------------------------------------

    def _column(self, node: exp.Column) -> Term:
        name = ".".join(part.name for part in node.parts)
        return Term.of_field(self._fields.find(name, position(node)))

    def _dot(self, node: exp.Expression) -> Term:
        parts: list[str] = []
        inner: Any = node
        while isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
            parts.append(inner.expression.name)
            inner = inner.this
        if not isinstance(inner, exp.Column):
            raise refused(f"{_shown(node)} is not possible in a condition{position(node)}", _KNOWN)
        name = ".".join([part.name for part in inner.parts] + parts[::-1])
        return Term.of_field(self._fields.find(name, position(inner)))

    def _literal(self, node: exp.Expression) -> Term:
        if node.is_string:
            return constant(node.this)
        text = str(node.this)
        try:
            return constant(int(text) if text.isdecimal() else float(text))
        except ValueError as error:
            raise refused(f"'{text[:50]}' is no number{position(node)}", "Write it as 12.5 or 1e3.") from error

    def _boolean(self, node: exp.Expression) -> Term:
        return constant(bool(node.this))

    def _null(self, node: exp.Expression) -> Term:
        raise refused(f"Nothing is equal to NULL{position(node)}", "Write: field IS NULL, or field IS NOT NULL.")

    def _parameter(self, node: exp.Expression) -> Term:
        return constant(self._given(node))

    def _given(self, node: exp.Expression) -> Any:
        name = node.name
        if name in {"", "?"}:
            if isinstance(self._parameters, Mapping):
                raise refused("A '?' takes its value from a list", "Give parameters as a list, or write :name.")
            self._asked += 1
            if self._asked > len(self._parameters):
                raise refused(f"There is no value for '?' number {self._asked}", "Give one for each in 'parameters'.")
            return self._parameters[self._asked - 1]
        if not isinstance(self._parameters, Mapping) or name not in self._parameters:
            known = ", ".join(map(str, self._parameters)) if isinstance(self._parameters, Mapping) else ""
            raise refused(
                f"There is no value for ':{name[:50]}'", f"Given in 'parameters': {known[:200] or 'nothing'}."
            )
        return self._parameters[name]

    def _cast(self, node: exp.Cast) -> Term:
        """`DATE '2026-01-31'` is the text itself; nothing else is turned into something else."""
        kind = node.to.this.name if isinstance(node.to, exp.DataType) else ""
        if isinstance(node.this, exp.Literal) and node.this.is_string and kind.startswith(("DATE", "TIMESTAMP")):
            return self._literal(node.this)
        raise refused(f"Values cannot be turned into other types{position(node)}", "Leave the type out.")

    # --- what is true or false ----------------------------------------------------------------

    def _compared(self, node: exp.Expression) -> Term:
        return comparison(_COMPARED[type(node)], self.term(node.this), self.term(node.expression), position(node))

    def _between(self, node: exp.Expression) -> Term:
        if {name for name, value in node.args.items() if value} - {"this", "low", "high"}:
            raise refused(f"This kind of BETWEEN is not possible{position(node)}", "Write: x BETWEEN 1 AND 2.")
        value, where = self.term(node.this), position(node)
        low = comparison(">=", value, self.term(node.args["low"]), where)
        high = comparison("<=", value, self.term(node.args["high"]), where)
        return Term.made(Kind.BOOLEAN, (low, high), lambda one, other: one & other)

    def _in(self, node: exp.Expression) -> Term:
        given = node.args.get("expressions") or []
        inner = node.args.get("field")
        if isinstance(inner, exp.Placeholder):
            values = self._given(inner)
            if not isinstance(values, list):
                raise refused(
                    f"The parameter behind IN is no list{position(node)}", "Give a list, or write IN (:a, :b)."
                )
            terms = [constant(one) for one in values]
        elif node.args.get("query") or node.args.get("unnest") or inner is not None or not given:
            raise refused(f"IN takes values only{position(node)}", "Write: region IN ('NW', 'SW').")
        else:
            terms = [term for one in given for term in self._listed(one)]
        if len(terms) > MOST_LISTED:
            raise refused(f"IN has {len(terms)} values", f"Give at most {MOST_LISTED}.")
        return listed(self.term(node.this), terms, position(node))

    def _listed(self, node: exp.Expression) -> list[Term]:
        if isinstance(node, exp.Placeholder):
            value = self._given(node)
            return [constant(one) for one in value] if isinstance(value, list) else [constant(value)]
        return [self.term(node)]

    def _like(self, node: exp.Expression) -> Term:
        return like(
            self.term(node.this), self.term(node.expression), fold=isinstance(node, exp.ILike), where=position(node)
        )

    def _is(self, node: exp.Expression) -> Term:
        other = node.expression
        if isinstance(other, exp.Null):
            return Term.made(Kind.BOOLEAN, (self.term(node.this),), lambda one: one.is_null())
        if isinstance(other, exp.Boolean):
            wanted, value = bool(other.this), self.truth(node.this)
            return Term.made(Kind.BOOLEAN, (value,), lambda one: one.eq_missing(pl.lit(wanted)))
        raise refused(f"IS is for NULL, TRUE and FALSE{position(node)}", "Compare with = otherwise.")

    def _not(self, node: exp.Expression) -> Term:
        return Term.made(Kind.BOOLEAN, (self.truth(node.this),), lambda one: ~one)

    def _joined(self, node: exp.Expression) -> Term:
        """Read a chain of AND, or of OR, without going down once for each of its links."""
        kind, found, waiting = type(node), list[exp.Expression](), [node]
        while waiting:
            one = waiting.pop()
            if type(one) is kind:
                waiting += [one.expression, one.this]
            else:
                found.append(one)
        terms = tuple(self.truth(one) for one in found)
        whole = pl.all_horizontal if kind is exp.And else pl.any_horizontal
        return Term.made(Kind.BOOLEAN, terms, whole)

    # --- calculations -------------------------------------------------------------------------

    def _inner(self, node: exp.Expression) -> Term:
        return self.term(node.this)

    def _calculated(self, node: exp.Expression) -> Term:
        return arithmetic(_CALCULATED[type(node)], self.term(node.this), self.term(node.expression), position(node))

    def _negative(self, node: exp.Expression) -> Term:
        term = self.term(node.this)
        if term.constant and term.kind.numeric:
            return constant(-term.value)
        return self._number(node, term, lambda one: -one)

    def _abs(self, node: exp.Expression) -> Term:
        return self._number(node, self.term(node.this), lambda one: one.abs())

    def _round(self, node: exp.Expression) -> Term:
        digits = node.args.get("decimals")
        places = 0
        if digits is not None:
            if not (isinstance(digits, exp.Literal) and not digits.is_string and digits.this in set("0123456789")):
                raise refused(f"round takes 0 to 9 digits{position(node)}", "Write: round(x, 2).")
            places = int(digits.this)
        if {name for name, value in node.args.items() if value} - {"this", "decimals"}:
            raise refused(f"round takes a number and digits{position(node)}", "Write: round(x, 2).")
        return self._number(node, self.term(node.this), lambda one: one.round(places, mode="half_away_from_zero"))

    def _number(self, node: exp.Expression, term: Term, make: Callable[[pl.Expr], pl.Expr]) -> Term:
        if not term.kind.numeric:
            raise refused(f"{_shown(node)} needs a number, not {_called(term)}{position(node)}", "Give it a number.")
        return Term.made(Kind.NUMBER, (as_kind(term, Kind.NUMBER),), make)

    def _text(self, node: exp.Expression) -> Term:
        term = self.term(node.this)
        if term.kind is not Kind.TEXT:
            raise refused(f"{_shown(node)} needs a text, not {_called(term)}{position(node)}", "Give it a text.")
        if isinstance(node, exp.Length):
            return Term.made(Kind.INTEGER, (term,), lambda one: one.str.len_chars().cast(pl.Int64))
        if isinstance(node, exp.Lower):
            return Term.made(Kind.TEXT, (term,), lambda one: one.str.to_lowercase())
        return Term.made(Kind.TEXT, (term,), lambda one: one.str.to_uppercase())

    def _coalesce(self, node: exp.Expression) -> Term:
        terms = [self.term(one) for one in (node.this, *node.expressions)]
        kinds = {one.kind for one in terms}
        if kinds == {Kind.INTEGER, Kind.NUMBER}:
            terms, kinds = [as_kind(one, Kind.NUMBER) for one in terms], {Kind.NUMBER}
        if len(kinds) != 1:
            raise refused(f"The parts of coalesce are of several types{position(node)}", "Give values of one type.")
        return Term.made(kinds.pop(), tuple(terms), pl.coalesce)


def _shown(node: exp.Expression) -> str:
    name = type(node).__name__
    if isinstance(node, exp.Anonymous):
        return f"The function '{node.name[:50]}'"
    return f"'{name.upper()}'"


def _called(term: Term) -> str:
    names = {
        Kind.TEXT: "a text",
        Kind.TIME: "a time",
        Kind.DATE: "a date",
        Kind.BOOLEAN: "true or false",
    }
    return names.get(term.kind, "a number")


_READERS: Final[Mapping[type, Callable[[_Reader, Any], Term]]] = {
    exp.Column: _Reader._column,
    exp.Dot: _Reader._dot,
    exp.Literal: _Reader._literal,
    exp.Boolean: _Reader._boolean,
    exp.Null: _Reader._null,
    exp.Placeholder: _Reader._parameter,
    exp.Cast: _Reader._cast,
    exp.Paren: _Reader._inner,
    exp.And: _Reader._joined,
    exp.Or: _Reader._joined,
    exp.Not: _Reader._not,
    exp.In: _Reader._in,
    exp.Between: _Reader._between,
    exp.Like: _Reader._like,
    exp.ILike: _Reader._like,
    exp.Is: _Reader._is,
    exp.Neg: _Reader._negative,
    exp.Abs: _Reader._abs,
    exp.Round: _Reader._round,
    exp.Length: _Reader._text,
    exp.Lower: _Reader._text,
    exp.Upper: _Reader._text,
    exp.Coalesce: _Reader._coalesce,
    **dict.fromkeys(_COMPARED, _Reader._compared),
    **dict.fromkeys(_CALCULATED, _Reader._calculated),
}
