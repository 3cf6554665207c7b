"""Defaults are changed where they stand; everything else in the file stays as its author wrote it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.descriptor import DescriptorInvalid, ParameterRefused
from lifecycle.descriptor.editing import DescriptorNotChanged, set_defaults
from lifecycle.descriptor.reading import read_text

TEXT = """\
# my tank
title: "Tank"   # two  spaces
parameters:
  level: { type: real, unit: m, default: 1.0, range: [0, 5] }   # at the start
  mode:
    # how it flows
    type: string
    default: 'calm'   # or wild
    choices: [calm, wild, "very wild"]
  leak: {type: boolean}
  steps:
    type: integer   # of the solver

  empty:
    default:   # to be found out
    type: real
"""


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("level", "2.5", "default: 1.0,", "default: 2.5,"),
        ("level", 1e-7, "default: 1.0,", "default: 1.0e-07,"),
        ("mode", "wild", "default: 'calm'   # or", "default: wild   # or"),
        ("mode", "very wild", "default: 'calm'   # or", 'default: "very wild"   # or'),
        ("leak", "yes", "leak: {type: boolean}", "leak: {type: boolean, default: true}"),
        ("steps", 7, "integer   # of the solver\n", "integer   # of the solver\n    default: 7\n"),
        ("empty", 3, "default:   # to be", "default: 3.0   # to be"),
    ],
)
def test_one_default_changes_and_every_other_sign_stays(name: str, value: Any, old: str, new: str) -> None:
    """Comments are where engineers write down why."""
    assert set_defaults(TEXT, {name: value}) == TEXT.replace(old, new)


def test_several_defaults_change_at_once_and_mean_what_was_said() -> None:
    """Evolving a twin sets what belongs together, or nothing."""
    wanted = {"level": 5.0, "mode": "wild", "leak": False, "steps": 9, "empty": -1.0}
    changed = read_text(set_defaults(TEXT, wanted)).descriptor
    assert {name: changed.parameters[name].default for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parameters:\r\n  a:\r\n    type: real\r\n", "parameters:\r\n  a:\r\n    type: real\r\n    default: 2.0\r\n"),
        ("\ufeffparameters: {a: {type: real}}", "\ufeffparameters: {a: {type: real, default: 2.0}}"),
        ("parameters:\n  a:\n    type: real", "parameters:\n  a:\n    type: real\n    default: 2.0"),
        ('{"parameters": {"a": {"type": "real"}}}', '{"parameters": {"a": {"type": "real", default: 2.0}}}'),
    ],
)
def test_line_ends_byte_order_marks_and_json_are_kept(text: str, expected: str) -> None:
    """The file goes on being edited on the machine that it came from."""
    assert set_defaults(text, {"a": 2}) == expected


def test_what_cannot_be_proved_is_not_changed() -> None:
    """A file that is broken while it is changed would take the twin away."""
    with pytest.raises(DescriptorNotChanged):
        set_defaults("parameters: {a: {type: real, default}}", {"a": 2})


def test_bad_texts_names_and_values_are_refused() -> None:
    """Evolving must say what is wrong before it writes."""
    with pytest.raises(DescriptorInvalid):
        set_defaults("parameters: {a: {}}", {"a": 1})
    with pytest.raises(ParameterRefused, match="'level'"):
        set_defaults(TEXT, {"levle": 1})
    with pytest.raises(ParameterRefused, match="from 0 to 5"):
        set_defaults(TEXT, {"level": 6})


texts = st.text(st.characters(codec="utf-8"), max_size=30).filter(lambda words: "\0" not in words)


@given(real=st.floats(allow_nan=False, allow_infinity=False), text=texts, block=st.booleans(), there=st.booleans())
def test_every_value_can_be_written_and_comes_back(real: float, text: str, block: bool, there: bool) -> None:
    """A text with quotes, line ends or ': ' in it must not break out of its place."""
    old = {"default": "x: # '\"\n"} if there else {}
    if block:
        default = "    default: |\n      x\n      y\n" if there else ""
        source = f"parameters:\n  r:\n    type: real\n  s:\n    type: string\n{default}    description: d\ntitle: t\n"
    else:
        source = json.dumps({"parameters": {"r": {"type": "real"}, "s": {"type": "string", **old}}, "title": "t"})
    changed = read_text(set_defaults(source, {"r": real, "s": text})).descriptor
    assert (changed.parameters["r"].default, changed.parameters["s"].default, changed.title) == (real, text, "t")
