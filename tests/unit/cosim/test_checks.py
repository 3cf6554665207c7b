"""What is wrong with a model is said before anything runs, with the remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cosim.models import LINKS

from cosim import Multimodel  # isort: skip
from cosim.checks import check_model  # isort: skip
from cosim.errors import ModelRefused, Problem  # isort: skip

Content = Callable[..., dict[str, Any]]


def problems(content: dict[str, Any]) -> list[Problem]:
    try:
        return list(check_model(Multimodel.of(content))[1])
    except ModelRefused as error:
        return list(error.problems)


def only(content: dict[str, Any], level: str = "error") -> str:
    """Give the one problem's words."""
    (problem,) = [found for found in problems(content) if found.level == level]
    return f"{problem.what} {problem.fix}"


def test_a_good_model_has_no_problems(two: Content) -> None:
    """Warnings that always come are read by nobody."""
    assert problems(two()) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"connections": {"{a}.p.X": ["{b}.q.u"]}}, ["{a}.p", "'X'", "Did you mean 'x'?"]),
        ({"connections": {"{a}.p.x": ["{b}.q.uu"]}}, ["{b}.q", "'uu'", "Did you mean 'u'?"]),
        ({"connections": {"{a}.p.u": ["{b}.q.u"]}}, ["{a}.p.u is no output", "input"]),
        ({"connections": {"{a}.p.x": ["{b}.q.k"]}}, ["{b}.q.k is no input", "parameter"]),
        ({"connections": {**LINKS, "{a}.p.y": ["{b}.q.u"]}}, ["connected twice", "{a}.p.x", "{a}.p.y"]),
        ({"connections": {"{a}.p.x": ["{b}.q.n"]}}, ["{a}.p.x is Real and {b}.q.n is Int32", "does not fit"]),
        ({"connections": {"{a}.p.x": ["{b}.q.text"]}}, ["String", "does not fit"]),
        ({"connections": {"{c}.p.x": ["{b}.q.u"]}}, ["{c}", "'fmus' does not have"]),
        ({"connections": {"a.x": ["{b}.q.u"]}}, ["'a.x'", "{fmu}.instance.variable"]),
        ({"parameters": {"{a}.p.kk": 1}}, ["'kk'", "Did you mean 'k'?"]),
        ({"parameters": {"{a}.p.k": "one"}}, ["Real", "'one'"]),
        ({"parameters": {"{a}.p.n": 1.5}}, ["Integer", "1.5"]),
        ({"parameters": {"{a}.p.n": 2**31}}, ["Integer", "2147483648"]),
        ({"parameters": {"{a}.p.flag": 3}}, ["Boolean", "3"]),
        ({"parameters": {"{a}.p.x": 1.0}}, ["{a}.p.x", "calculated"]),
        ({"parameters": {"{a}.p.k": [1]}}, ["{a}.p.k", "[1]"]),
        ({"logVariables": {"{a}.p": ["z"]}}, ["'z'"]),
        ({"logVariables": {"{a}": ["x"]}}, ["'{a}'", "{fmu}.instance"]),
        ({"algorithm": {"type": "fixed-step", "size": 0}}, ["size is 0"]),
        ({"algorithm": {"type": "euler"}}, ["'euler'", "fixed-step"]),
        ({"algorithm": {"type": "var-step", "size": [0.1, 0.01]}}, ["larger"]),
        ({"algorithm": None}, ["algorithm"]),
        ({"endTime": None}, ["endTime"]),
        ({"endTime": -1}, ["before its start"]),
        ({"exchange": "newton"}, ["newton", "jacobi"]),
        ({"modelSwaps": {"p": {}}}, ["modelSwaps", "run.replace"]),
        ({"faultInjectConfigurationPath": "f.xml"}, ["faults"]),
        ({"faults": [{"variable": "{a}.p.x", "from": 2, "to": 1, "value": 0}]}, ["begins at 2"]),
        ({"faults": [{"variable": "{a}.p.x", "from": 2}]}, ["becomes"]),
        ({"faults": [{"variable": "{a}.p.x0", "value": 2}]}, ["{a}.p.x0", "tunable"]),
        ({"faults": [{"variable": "{a}.p.above", "offset": 2}]}, ["Boolean", "'value'"]),
        ({"faults": [{"variable": "{a}.p.x", "vlaue": 2}]}, ["'vlaue'"]),
    ],
)
def test_each_mistake_is_named_with_its_remedy(two: Content, keys: dict[str, Any], words: list[str]) -> None:
    """A person finds the mistake from the message alone."""
    said = only(two(**keys))
    for word in words:
        assert word in said


def test_all_mistakes_are_told_at_once(two: Content) -> None:
    """One mistake per run makes ten runs of ten mistakes."""
    links = {"{a}.p.X": ["{b}.q.u"], "{a}.p.x": ["{b}.q.v"]}
    assert len(problems(two(connections=links, parameters={"{a}.p.kk": 1}))) == 3


@pytest.mark.parametrize(
    ("first", "second", "level", "word"),
    [
        ("m", "kg", "error", "different quantities"),
        ("m", "mm", "error", "values would be wrong"),
        ("m", "furlong", "warning", "nothing is converted"),
    ],
)
def test_units_that_differ_are_told_with_both(
    fmu: Callable[..., Path], first: str, second: str, level: str, word: str
) -> None:
    """Metres into millimetres is the classic that costs a spacecraft."""
    content = {
        "fmus": {
            "{a}": str(fmu("A.fmu", units={"x": first})),
            "{b}": str(fmu("B.fmu", version=3, units={"u": second})),
        },
        "connections": {"{a}.p.x": ["{b}.q.u"]},
        "algorithm": {"type": "fixed-step", "size": 1},
        "endTime": 1,
    }
    said = only(content, level)
    assert f"is in {first}" in said
    assert f"in {second}" in said
    assert word in said


def test_a_boolean_may_feed_a_number_and_a_whole_number_a_real_one(two: Content) -> None:
    """Valves of that world are booleans in one FMU and numbers in the next."""
    found = problems(
        two(connections={"{a}.p.above": ["{b}.q.u"], "{a}.p.count": ["{b}.q.n"], "{b}.q.count": ["{a}.p.u"]})
    )
    assert [problem.level for problem in found] == ["warning"]
    assert "true is passed on as 1" in found[0].what


def test_keys_without_effect_pass_and_unknown_ones_are_named(two: Content) -> None:
    """Files of other tools are full of keys of theirs; a misspelt one of ours must not pass unseen."""
    found = problems(two(overrideLogLevel="INFO", liveGraphColumns=1, logVariable={}))
    assert [problem.what for problem in found] == ["Nobody reads the key 'logVariable'."]
    assert "'logVariables'" in found[0].fix


def test_arrays_and_binary_variables_are_refused_in_words(fmu: Callable[..., Path]) -> None:
    """Half an array copied would be worse than none."""
    more = (
        '<Float64 name="field" valueReference="800" causality="output"><Dimension start="3"/></Float64>'
        '<Binary name="blob" valueReference="801" causality="output"/>'
    )
    content = {
        "fmus": {"{a}": str(fmu(version=3, more_xml=more))},
        "logVariables": {"{a}.p": ["field", "blob"]},
        "algorithm": {"type": "fixed-step", "size": 1},
        "endTime": 1,
    }
    said = " ".join(problem.what for problem in problems(content) if problem.level == "error")
    assert "{a}.p.field is an array (3)" in said
    assert "{a}.p.blob is of type Binary" in said


def test_instances_of_one_name_and_fmus_that_nobody_uses_are_told(two: Content) -> None:
    """FMUs log by their instance's name, and a forgotten FMU is most often a mistake."""
    content = two(connections={"{a}.p.x": ["{b}.p.u"]}, parameters={})
    assert "both called 'p'" in only(content)
    lonely = two(connections={"{a}.p.x": ["{a}.r.u"]}, parameters={})
    assert "Nothing uses the FMU {b}" in only(lonely, "warning")
