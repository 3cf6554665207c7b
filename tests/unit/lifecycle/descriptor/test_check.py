"""Every mistake in a descriptor is named where it stands; the schema and the reader are of one mind."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lifecycle.descriptor import SCHEMA, Level, check_text
from lifecycle.descriptor.models import values_of
from lifecycle.descriptor.problems import ParameterRefused
from lifecycle.descriptor.reading import KEYS, read_text
from lifecycle.descriptor.yaml_marks import plain_value, read_yaml

ROOT = Path(__file__).parents[4]
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("title: [a]", (1, 8), "'title' is no text"),
        ("- a", (1, 1), "does not hold names"),
        ("a: b: c", (1, 5), "':' is too many"),
        ("title: x\n\tdescription: y", (2, 1), "tab"),
        ("title: 'x", (1, 8), "quotation mark"),
        ("uses: {models: [a", (1, 16), "bracket or brace"),
        ("title: x\ntitle: y", (2, 1), "second time; the first is in line 1"),
        ("title: *x", (1, 8), "reference"),
        ("title: !!python/name:os.system x", (1, 8), "tag"),
        ("title: x\n---\ntitle: y", (2, 1), "second document"),
        ("title: a\x07", (1, 9), "U+0007"),
        ("uses: {models: [../../etc/passwd]}", (1, 17), "'..'"),
        ("uses: {models: [/etc/passwd]}", (1, 17), "not relative"),
        ("uses: {models: [common/data/x]}", (1, 17), "common/models/NAME"),
        ("uses: {models: [{version: 1}]}", (1, 17), "without a path"),
        ("uses: {models: [{path: a@1, version: 2}]}", (1, 38), "stands in the path already"),
        ("parameters: {a: {type: int}}", (1, 24), "no type"),
        ("parameters: {a: {default: 1}}", (1, 17), "has no type"),
        ("parameters: {a: {type: real, default: 6, range: [0, 5]}}", (1, 39), "from 0 to 5"),
        ("parameters: {a: {type: real, default: '6'}}", (1, 39), "real number"),
        ("parameters: {a: {type: real, default: .nan}}", (1, 39), "real number"),
        ("parameters: {a: {type: integer, default: 1:30}}", (1, 42), "integer"),
        ("parameters: {a: {type: integer, default: 010}}", (1, 42), "integer"),
        (f"parameters: {{a: {{type: integer, default: {'9' * 5000}}}}}", (1, 42), "integer"),
        ("parameters: {a: {type: string, default: 2026-01-01}}", (1, 41), "a date"),
        ("parameters: {a: {type: string, choices: [on, off]}}", (1, 42), "something else"),
        ("parameters: {a: {type: real, choices: [b]}}", (1, 39), "Choices do not go"),
        ("parameters: {a: {type: string, range: [0, 1]}}", (1, 39), "range does not go"),
        ("parameters: {a: {type: real, range: [5, 0]}}", (1, 37), "above its end"),
        ("parameters: {a: {type: real, defualt: 5}}", (1, 30), "means nothing"),
        ("parameters: {on: {type: real}}", (1, 14), "something else than a word"),
        ("parameters: {a b: {type: real}}", (1, 14), "no name for a parameter"),
        ("phases: {exectue: {}}", (1, 10), "means nothing"),
        ("phases: {execute: {time_limit: 10 m}}", (1, 32), "no unit here"),
        ("phases: {execute: {memory_limit: 2 GIB}}", (1, 34), "Did you mean '2 GiB'"),
        ("phases: {execute: {time_limit: 0}}", (1, 32), "no time between"),
        ("phases: {execute: {arguments: --fast}}", (1, 31), "no list"),
        ("services: {b: {address: 'amqp://me:secret@host'}}", (1, 25), "name or password"),
        ("ports: {d: {port: 0}}", (1, 19), "between 1 and 65535"),
        ("cosimulation: {model: ../cosim.json}", (1, 23), "'..'"),
    ],
)
def test_a_mistake_is_named_where_it_stands(text: str, place: tuple[int, int], words: str) -> None:
    """An editor puts the mark there, and people mend what they can see."""
    problem = next(problem for problem in check_text(text) if problem.level is Level.ERROR)
    assert (problem.line, problem.column) == place
    assert words in problem.what + problem.fix
    assert problem.fix


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("titel: x", (1, 1), "Did you mean 'title'"),
        ("uses: {model: [x]}", (1, 8), "Did you mean 'models'"),
        ("parameters: {k: {type: real}, K: {type: real}}", (1, 31), "TWIN_PARAMETER_K"),
        ("parameters: {k: {type: real, default: 1e-3}}", (1, 39), "Write 0.001"),
        ("services: {b: {type: ampq}}", (1, 22), "Did you mean 'amqp'"),
    ],
)
def test_what_is_only_doubtful_is_a_warning_and_the_twin_still_runs(
    text: str, place: tuple[int, int], words: str
) -> None:
    """Descriptors of later versions hold keys that this one does not know."""
    [problem] = check_text(text)
    assert (problem.level, problem.line, problem.column) == (Level.WARNING, *place)
    assert words in problem.what + problem.fix
    assert not read_text(text).errors


def test_all_mistakes_are_named_at_once() -> None:
    """Mending one after another by trial is what the check is to spare."""
    text = "parameters:\n  a: {type: int}\n  b: {type: real, default: x}\nports: {d: {}}\ntitel: x\n"
    assert [(problem.line, problem.path) for problem in check_text(text)] == [
        (2, "parameters.a.type"),
        (3, "parameters.b.default"),
        (4, "ports.d.port"),
        (5, "titel"),
    ]


def test_the_published_schema_is_sound_and_holds_every_key() -> None:
    """Editors complete from it."""
    Draft202012Validator.check_schema(VALIDATOR.schema)
    assert (*VALIDATOR.schema["properties"],) == KEYS
    assert VALIDATOR.schema["$id"] == "https://twinhub.dev/schemas/twin.json"


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("examples/*/digital_twins/*/twin.yaml")), ids=lambda file: file.parent.name
)
def test_the_examples_are_without_a_fault(file: Path) -> None:
    """They are what people copy from."""
    assert check_text(file.read_text()) == []


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(
        ["10 min", "2 GiB", "5 x", "common/models/a@1", "a/../b", "real", "on", "2026-01-01", "", "1e3", "~"]
    ),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what fits, sometimes anything."""
    return st.one_of(
        st.fixed_dictionaries({}, optional={key: st.one_of(good, anything) for key, good in keys.items()}), anything
    )


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
numbers = st.one_of(st.integers(-9, 9), st.floats(-9, 9))
names = st.sampled_from(["a", "b.c", "k", "K", "on", "1", "", "x y"])
parameter = some(
    type=st.sampled_from(["real", "integer", "boolean", "string"]),
    default=st.one_of(numbers, st.booleans(), words),
    range=st.lists(st.one_of(numbers, st.none()), min_size=2, max_size=2),
    choices=st.lists(words, max_size=3),
    unit=words,
    description=words,
    x=words,
)
phase = some(
    arguments=st.lists(words),
    time_limit=st.sampled_from([1, 0.5, "10 min", "1 d", -1]),
    memory_limit=st.sampled_from([1, "2 GiB", "2GiB", 0.1, "x"]),
)
use = st.one_of(words, some(path=words, version=st.sampled_from(["1", 1.1, "x y"])))
descriptors = some(
    title=words,
    picture=words,
    uses=some(models=st.lists(use, max_size=3), data=st.lists(use, max_size=2)),
    parameters=st.dictionaries(names, parameter, max_size=3),
    phases=st.dictionaries(st.sampled_from(["execute", "analyse", "analyze", "go"]), phase, max_size=2),
    services=st.dictionaries(names, some(type=words, address=words), max_size=2),
    ports=st.dictionaries(names, some(port=st.integers(-1, 70000), protocol=words), max_size=2),
    cosimulation=some(model=words, time=words),
)


@given(descriptors)
def test_what_the_schema_refuses_the_reader_names_in_its_own_words(content: Any) -> None:
    """With two opinions, an editor would praise what a run refuses; and a schema's words help nobody."""
    text = json.dumps(content, ensure_ascii=False)
    reading = read_text(text)
    if not reading.document.problems:
        seen = plain_value(reading.document.root)
        assert VALIDATOR.is_valid(seen) or reading.errors, [*VALIDATOR.iter_errors(seen)]
    assert check_text(text) == [*reading.problems]


@given(descriptors)
def test_what_passes_the_check_is_read_and_gives_values(content: Any) -> None:
    """Whoever was told that all is well must be able to run it."""
    text = json.dumps(content, ensure_ascii=False)
    if any(problem.level is Level.ERROR for problem in check_text(text)):
        return
    reading = read_text(text)
    try:
        values = values_of(reading.descriptor, {})
    except ParameterRefused:
        assert any(one.default is None for one in reading.descriptor.parameters.values())
    else:
        assert values.keys() == reading.descriptor.parameters.keys()


@given(st.one_of(st.text(), st.text("ab:-[]{}*&!|>'\"#, \n\t%@0.", max_size=60)))
def test_no_text_whatever_ends_in_a_traceback(text: str) -> None:
    """The page checks while people type, so most of what it sees is unfinished."""
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for problem in check_text(text):
        assert 1 <= problem.line <= lines + 1
        assert problem.column >= 1
        assert problem.what


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [" + ",".join(["x"] * 9) + "]\n" + "\n".join(f"b{n}: [{','.join(['*a'] * 9)}]" for n in range(40)),
        "[" * 100_000,
        "{a: " * 60_000,
        "- " * 100_000,
        "? " * 100_000,
        "uses: {models: [" + "1," * 120_000 + "]}",
        "uses: {models: [" + "[]," * 40_000 + "]}",
        "parameters: {" + ",".join(f"p{n}: x" for n in range(20_000)) + "}",
        "title: " + "9" * 250_000,
        "title: '" + "x\n" * 100_000,
        "\n".join(f"k{n}: 1" for n in range(25_000)),
    ],
    ids=["aliases", "brackets", "braces", "dashes", "questions", "values", "lists", "names", "digits", "quote", "keys"],
)
def test_a_text_made_to_hurt_is_refused_within_seconds(text: str) -> None:
    """One person's descriptor must not stop the server of a workspace."""
    problems = check_text(text)
    assert problems
    assert len(problems) <= 1000


def test_a_document_keeps_what_was_written() -> None:
    """A version 1.10 must not become 1.1."""
    assert plain_value(read_yaml("a: [1.10, '1', true, ~, 2026-01-01, 0x1F]").root) == {
        "a": [1.1, "1", True, None, "2026-01-01", "0x1F"]
    }
