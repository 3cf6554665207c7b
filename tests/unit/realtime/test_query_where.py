"""Conditions give what plain Python gives, and nothing but conditions is ever read."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.errors import QueryRefused
from realtime.queries import questions as wire
from realtime.queries.fields import Kind, read_fields
from realtime.queries.merging import merge_rows
from realtime.queries.where import read_where
from tests.unit.realtime.query_fleet import Device, bodies, refusal, some_fleet

FLEET, TOLD = some_fleet()
FIELDS = read_fields(Device)
Row = dict[str, Any]
Truth = tuple[str, Callable[[Row], bool | None]]


def matching(where: str, parameters: Any = None, *, workers: int = 1) -> set[str]:
    question = wire.Listing(where=where, parameters=parameters or {}, limit=1000, fields=[])
    rows = bodies(question, wire.Rows, FLEET, workers=workers)
    return {one["id"] for one in merge_rows(question, rows)["instances"]}


def by_python(holds: Callable[[Row], bool | None]) -> set[str]:
    return {name for name, row in TOLD.items() if holds(row) is True}


# --- against plain Python --------------------------------------------------------------------


def _compared(sign: str) -> Callable[[Any, Any], bool | None]:
    calls: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b,
        "<>": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    return lambda a, b: None if a is None or b is None else calls[sign](a, b)


def _calculated(sign: str, a: float | None, b: float | None) -> float | None:
    if a is None or b is None or (sign in "/%" and b == 0):
        return None
    found = {"+": a + b, "-": a - b, "*": a * b}.get(sign)
    if found is None:
        found = a / b if sign == "/" else math.copysign(1, a) * (abs(a) % abs(b)) if a else 0.0
    return found if math.isfinite(found) else None


quarters = st.integers(-200, 200).map(lambda n: n / 4)
numbers = st.recursive(
    st.one_of(
        st.sampled_from(
            [("level", lambda r: r["level"]), ("count", lambda r: r["count"]), ("place.floor", lambda r: r["floor"])]
        ),
        quarters.map(lambda n: (f"({n})", lambda r: n)),
        st.integers(-9, 9).map(lambda n: (f"({n})", lambda r: n)),
    ),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/%"), inner, inner).map(
            lambda t: (f"({t[1][0]} {t[0]} {t[2][0]})", lambda r: _calculated(t[0], t[1][1](r), t[2][1](r)))
        ),
        inner.map(lambda t: (f"abs({t[0]})", lambda r: None if (v := t[1](r)) is None else abs(v))),
        st.tuples(inner, inner).map(
            lambda t: (f"coalesce({t[0][0]}, {t[1][0]})", lambda r: t[1][1](r) if t[0][1](r) is None else t[0][1](r))
        ),
    ),
    max_leaves=4,
)
texts = st.one_of(
    st.just(("label", lambda r: r["label"])),
    st.just(("region", lambda r: r["region"].value)),
    st.just(("upper(label)", lambda r: r["label"] and r["label"].upper())),
    st.just(("coalesce(label, 'none')", lambda r: r["label"] or "none")),
)
signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
words = st.sampled_from(["NW", "SE", "name 1", "name 10", "NAME 3", "none", "", "é", "it''s"])


def _like(pattern: str, value: str | None, fold: bool) -> bool | None:
    if value is None:
        return None
    parts = [".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern]
    return re.fullmatch("".join(parts), value, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None


def _both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _not(a: bool | None) -> bool | None:
    return None if a is None else not a


patterns = st.text("name% _1NS", max_size=6)
leaves: st.SearchStrategy[Truth] = st.one_of(
    st.tuples(numbers, signs, numbers).map(
        lambda t: (f"{t[0][0]} {t[1]} {t[2][0]}", lambda r: _compared(t[1])(t[0][1](r), t[2][1](r)))
    ),
    st.tuples(texts, signs, words).map(
        lambda t: (f"{t[0][0]} {t[1]} '{t[2]}'", lambda r: _compared(t[1])(t[0][1](r), t[2].replace("''", "'")))
    ),
    st.tuples(texts, signs, texts).map(
        lambda t: (f"{t[0][0]} {t[1]} {t[2][0]}", lambda r: _compared(t[1])(t[0][1](r), t[2][1](r)))
    ),
    st.tuples(texts, patterns, st.booleans()).map(
        lambda t: (f"{t[0][0]} {'I' if t[2] else ''}LIKE '{t[1]}'", lambda r: _like(t[1], t[0][1](r), t[2]))
    ),
    st.tuples(st.one_of(numbers, texts), st.booleans()).map(
        lambda t: (f"{t[0][0]} IS {'NOT ' if t[1] else ''}NULL", lambda r: (t[0][1](r) is None) != t[1])
    ),
    st.tuples(numbers, st.lists(quarters, min_size=1, max_size=4)).map(
        lambda t: (
            f"{t[0][0]} IN ({', '.join(map(str, t[1]))})",
            lambda r: None if (v := t[0][1](r)) is None else v in t[1],
        )
    ),
    st.tuples(numbers, quarters, quarters).map(
        lambda t: (
            f"{t[0][0]} BETWEEN {t[1]} AND {t[2]}",
            lambda r: None if (v := t[0][1](r)) is None else t[1] <= v <= t[2],
        )
    ),
    st.just(("ok", lambda r: r["ok"])),
    st.just(("ok = FALSE", lambda r: not r["ok"])),
    st.just(("day >= '2026-01-15'", lambda r: None if r["day"] is None else r["day"].day >= 15)),
    st.just(("at < '2026-01-01T12:30:00Z'", lambda r: (r["at"].hour, r["at"].minute) < (12, 30))),
    st.just(("length(label) > 6", lambda r: None if r["label"] is None else len(r["label"]) > 6)),
    st.just(("history.count = 1", lambda r: True)),
)
conditions: st.SearchStrategy[Truth] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]} AND {t[1][0]})", lambda r: _both(t[0][1](r), t[1][1](r)))),
        st.tuples(inner, inner).map(
            lambda t: (f"({t[0][0]} OR {t[1][0]})", lambda r: _not(_both(_not(t[0][1](r)), _not(t[1][1](r)))))
        ),
        inner.map(lambda t: (f"NOT ({t[0]})", lambda r: _not(t[1](r)))),
        inner.map(lambda t: (f"({t[0]}) IS TRUE", lambda r: t[1](r) is True)),
    ),
    max_leaves=5,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conditions)
def test_a_condition_chooses_the_instances_that_plain_python_chooses(condition: Truth) -> None:
    """Somebody who looks for hot turbines must get exactly those, whatever is unknown of others."""
    where, holds = condition
    assert matching(where) == by_python(holds), where


def test_parameters_are_values_and_never_text_of_the_condition() -> None:
    """A program may pass on what its users type."""
    assert matching("label = :name", {"name": "name 3' OR 1 = 1 --"}) == set()
    assert matching("label = ? AND level > ?", ["name 3", 0]) == by_python(
        lambda r: r["label"] == "name 3" and r["level"] is not None and r["level"] > 0
    )
    assert matching("region IN :some", {"some": ["NW", "SE"]}) == by_python(lambda r: r["region"] in {"NW", "SE"})


def test_names_in_quotes_and_of_nested_fields_are_fields() -> None:
    """A field may be called as a word of SQL is."""
    assert matching('"count" > 3 AND "place"."floor" = 2') == by_python(lambda r: r["count"] > 3 and r["floor"] == 2)


def test_several_workers_together_choose_what_one_does() -> None:
    """Where partitions are shared nothing is counted twice or left out."""
    assert matching("level > 0 OR label LIKE '%1'", workers=3) == matching("level > 0 OR label LIKE '%1'")


# --- what is refused -------------------------------------------------------------------------

ATTACKS = [
    "level > (SELECT 1)",
    "level IN (SELECT level FROM other)",
    "EXISTS (SELECT 1)",
    "1 = 1; DROP TABLE device",
    "1 = 1 UNION SELECT 1",
    "level > 1 -- and more",
    "level > 1 /* hidden */",
    "read_text('/etc/passwd') = 'x'",
    "pg_sleep(10) IS NULL",
    "getenv('HOME') = 'x'",
    "level::text LIKE '1%'",
    "CAST(level AS VARCHAR) = '1'",
    "label ~ '(a+)+$'",
    "regexp_matches(label, '(a+)+$')",
    "label SIMILAR TO 'a'",
    "label LIKE 'a!%' ESCAPE '!'",
    "CASE WHEN ok THEN ok END",
    "level = (x -> x + 1)",
    "level > [1, 2][1]",
    "COPY device TO '/tmp/x'",
    "level > RANDOM()",
    "ROW_NUMBER() OVER () = 1",
    "label || 'a' = 'b'",
    "list_sum(history) > 1",
    "{'a': 1} IS NULL",
    "level = INTERVAL 1 DAY",
    "*",
    "device.*",
    "label LIKE label",
    "x" * 4001,
    "'" + "a" * 100,
    '"level',
    "level >",
    "AND",
    "level > 1e999",
    "level = NULL",
    "\x00",
    "level > 1 level",
    "round(level, 2, 3) = 1",
    "round(level, count) = 1",
    "level > :missing",
    "level > ?",
    "level > $1",
    "lambda x: x",
    "level BETWEEN SYMMETRIC 1 AND 2",
    "GROUPING(level) = 1",
    "level > ALL (VALUES (1))",
    "level = ANY([1])",
    "@level > 1 AND $$x$$ = label AND unnest(label) = 'x'",
]


@pytest.mark.parametrize("where", ATTACKS, ids=range(len(ATTACKS)))
def test_what_is_no_plain_condition_is_refused_in_words(where: str) -> None:
    """People of one model must not get at files, other tables or the machine's time."""
    with pytest.raises(QueryRefused) as refused:
        read_where(where, FIELDS)
    assert refused.value.what.endswith(".")
    assert refused.value.fix


@pytest.mark.parametrize(
    "where",
    [
        "(" * 2000 + "ok" + ")" * 2000,
        "NOT " * 1000 + "ok",
        "- " * 1999 + "1 = 1",
        "NOT ok = " * 400 + "ok",
        "x -> " * 700 + "ok",
        "ok = " * 700 + "ok",
        "1" + " + 1" * 900 + " = level",
        "CASE WHEN " * 300 + "ok",
        "[" * 1500,
        "a." * 1900 + "b = 1",
        "abs(" * 900 + "level" + ")" * 900 + " = 1",
        "coalesce(" * 400,
        "ok IS TRUE" + " IS TRUE" * 400,
        "level IN (" + ",".join(["1"] * 1500) + ")",
        "label LIKE '" + "%a" * 1900 + "'",
        "INTERVAL " * 400 + "1",
        "ok::" * 800 + "int",
        "(" * 40 + "ok" + " IS TRUE)" * 40,
    ],
    ids=range(18),
)
def test_what_is_built_to_take_long_is_refused_at_once(where: str) -> None:
    """A worker must not stop handling messages because somebody nests a thousand parentheses."""
    began = time.process_time()
    with pytest.raises(QueryRefused):
        read_where(where, FIELDS)
    assert time.process_time() - began < 10


def test_what_is_nested_as_deep_as_may_be_is_read_once() -> None:
    """Each part is looked at once, or thirty parentheses would take a billion looks."""
    began = time.process_time()
    assert matching("(" * 28 + "ok" + " IS TRUE)" * 28) == by_python(lambda r: r["ok"])
    assert matching("level" + " / count * 1.5 - count" * 30 + " > 0 OR ok") >= by_python(lambda r: r["ok"])
    assert matching("1" + " + 1" * 50 + " = 51") == set(TOLD)
    assert matching("abs(1)" + " + abs(1)" * 50 + " = 51") == set(TOLD)
    assert matching("length(label) * 2 / 2" + " + 0" * 50 + " = 6") == by_python(lambda r: len(r["label"] or "") == 6)
    assert matching("(" * 28 + "ok = :a" + ")" * 28, {"a": True}) == by_python(lambda r: r["ok"])
    assert time.process_time() - began < 10


def test_a_long_chain_of_or_is_fine() -> None:
    """Programs write lists of devices that way."""
    where = " OR ".join(f"id = 'd{n}'" for n in range(200))
    assert matching(where) == set(TOLD)


@settings(max_examples=150, deadline=None)
@given(st.text("abcdl evel<>=()'\"%-+*/.,;:?&|!~[]{}0129 SELECTNOTANDORINIS", max_size=60))
def test_any_text_is_read_or_refused_and_never_breaks(where: str) -> None:
    """An error page with a traceback helps nobody but attackers."""
    try:
        read_where(where, FIELDS)
    except QueryRefused as refused:
        assert refused.what  # noqa: PT017 - some texts are conditions


@pytest.mark.parametrize(
    "pattern", ["%" * 100, "_%" * 50, "%a%b%c%d%e%f%g%h%", "(a+)+$%", "[a-z]%", "\\d%", "a{1000}%"]
)
def test_patterns_cost_no_more_than_reading_the_texts(pattern: str) -> None:
    """A pattern is no regular expression, so none can be built that never ends."""
    began = time.process_time()
    assert matching("label ILIKE :pattern", {"pattern": pattern}) == by_python(
        lambda r: _like(pattern, r["label"], True)
    )
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("levl > 3", ["'levl'", "at character 1", "Did you mean 'level'?", "count"]),
        ("ok AND LEVEL > 3", ["'LEVEL'", "at character 8", "Did you mean 'level'?"]),
        ("history > 3", ["'history'", "history.count"]),
        ("level > 'high'", ["'level'", "'high'"]),
        ("label > 3", ["'label'", "3"]),
        ("day > 'soon'", ["'soon'", "2026-01-31"]),
        ("level AND ok", ["a number", "true or false"]),
        ("level = NULL", ["IS NULL"]),
        ("level > :low", [":low", "parameters"]),
        ("label LIKE 3", ["LIKE"]),
        ("ok > TRUE", ["= or <>"]),
    ],
)
def test_a_refusal_names_the_field_the_place_and_what_to_do(where: str, words: list[str]) -> None:
    """People mend a condition by what they are told."""
    answer = refusal(wire.Listing(where=where))
    for word in words:
        assert word in answer.what + " " + answer.fix


def test_fields_have_the_kinds_that_their_types_say() -> None:
    """The query builder offers what can be asked."""
    kinds = {one.name: one.kind for one in FIELDS.values()}
    assert kinds == {
        "id": Kind.TEXT,
        "partition": Kind.INTEGER,
        "level": Kind.NUMBER,
        "count": Kind.INTEGER,
        "region": Kind.TEXT,
        "label": Kind.TEXT,
        "ok": Kind.BOOLEAN,
        "place.floor": Kind.INTEGER,
        "place.longitude": Kind.NUMBER,
        "day": Kind.DATE,
        "at": Kind.TIME,
        "history": Kind.NONE,
        "history.count": Kind.INTEGER,
    }
    assert FIELDS["level"].unit == "m"
    assert FIELDS["region"].choices == ("NW", "SE", "MN")
    assert FIELDS["level"].nullable
