"""Values for parameters, as people type them and programs send them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.descriptor import Descriptor, Parameter, ParameterRefused, ParameterType, values_of

LEVEL = Parameter("level", ParameterType.REAL, "m", 1.0, 0, 5)
COUNT = Parameter("count", ParameterType.INTEGER, "", 3, 1, None)
FAST = Parameter("fast", ParameterType.BOOLEAN, "", False)
MODE = Parameter("mode", ParameterType.STRING, "", "calm", choices=("calm", "wild"))
RATIO = Parameter("ratio", ParameterType.REAL, "1", None)


@pytest.mark.parametrize(
    ("parameter", "written", "value"),
    [
        (LEVEL, "2", 2.0),
        (LEVEL, " 2.5 m", 2.5),
        (LEVEL, "1e-3m", 0.001),
        (LEVEL, 5, 5.0),
        (COUNT, "7", 7),
        (COUNT, 7.0, 7),
        (FAST, "yes", True),
        (FAST, "0", False),
        (FAST, True, True),
        (MODE, "wild", "wild"),
        (RATIO, "1", 1.0),
    ],
)
def test_a_value_is_read_with_its_type(parameter: Parameter, written: object, value: object) -> None:
    """A text from a command line and a number from a form must mean the same."""
    found = parameter.read(written)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("parameter", "written"),
    [
        (LEVEL, "5.1"),
        (LEVEL, "-1"),
        (LEVEL, "120 cm"),
        (LEVEL, "nan"),
        (LEVEL, math.inf),
        (LEVEL, True),
        (LEVEL, None),
        (LEVEL, [1]),
        (LEVEL, "1_0"),
        (LEVEL, "٣"),
        (LEVEL, 10**400),
        (COUNT, "1.5"),
        (COUNT, 0),
        (COUNT, "9" * 5000),
        (COUNT, 2**63),
        (FAST, "maybe"),
        (FAST, 1),
        (MODE, "mad"),
        (MODE, 3),
        (Parameter("s", ParameterType.STRING), "a\0b"),
        (Parameter("s", ParameterType.STRING), "\ud800"),
        (Parameter("s", ParameterType.STRING), "x" * 10_001),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name_with_what_is(parameter: Parameter, written: object) -> None:
    """Values come over the network; whoever mistyped one must see at once what may be given."""
    with pytest.raises(ParameterRefused) as refused:
        parameter.read(written)
    assert f"'{parameter.name}'" in refused.value.what
    assert parameter.allowed in refused.value.what
    assert len(str(refused.value)) < 500


def test_an_unknown_parameter_names_the_one_that_was_meant() -> None:
    """A slip in a sweep of 1,000 runs must not vary nothing."""
    with pytest.raises(ParameterRefused, match=r"no parameter 'levle'.*'level'"):
        values_of(Descriptor(parameters={"level": LEVEL}), {"levle": 1})


def test_a_parameter_without_a_default_has_to_be_given() -> None:
    """A program must never get a value that nobody chose."""
    with pytest.raises(ParameterRefused, match="--set ratio="):
        values_of(Descriptor(parameters={"ratio": RATIO}), {})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_survives_being_written_and_read(number: float) -> None:
    """Numbers travel as text through command lines; a digit lost is another experiment."""
    assert RATIO.read(repr(number)) == number


@given(st.one_of(st.text(max_size=80), st.integers(), st.floats(), st.none(), st.binary()))
def test_whatever_is_given_is_read_within_its_limits_or_refused(anything: object) -> None:
    """No value from outside may end in a traceback or slip past a range."""
    for parameter in (LEVEL, COUNT, FAST, MODE, RATIO):
        try:
            value = parameter.read(anything)
        except ParameterRefused:
            continue
        assert parameter is not LEVEL or 0 <= value <= 5
        assert parameter is not COUNT or value >= 1
        assert parameter is not MODE or value in MODE.choices
