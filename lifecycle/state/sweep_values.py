"""Which values a sweep goes through: ranges with exact decimal steps, lists, and their product."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any, Final

from lifecycle.descriptor import Descriptor, Parameter, ParameterType, values_of
from lifecycle.models import Value
from lifecycle.state.errors import SweepRefused
from lifecycle.state.words import shown

MOST_RUNS: Final = 10_000
LONGEST: Final = 60
DIGITS: Final = 60
EXAMPLE: Final = "Write for example: --set k=1:10:1 or --set c=0.1,0.2"


def read_points(descriptor: Descriptor, given: Mapping[str, Any]) -> list[dict[str, Value]]:
    """Give the parameters of each run, every value checked; the last name varies fastest.

    Raises SweepRefused, ParameterRefused.
    """
    if not given:
        raise SweepRefused("A sweep needs values to go through.", EXAMPLE)
    texts = {name: _texts(name, text, descriptor.parameters.get(name)) for name, text in given.items()}
    count = math.prod(map(len, texts.values()))
    if count > MOST_RUNS:
        sizes = " x ".join(str(len(each)) for each in texts.values())
        raise SweepRefused(f"{sizes} values are {count} runs; at most {MOST_RUNS} are allowed.", "Take larger steps.")
    # Unknown names, and parameters without a default, are refused here.
    values_of(descriptor, {name: each[0] for name, each in texts.items()})
    values = {name: [descriptor.parameters[name].read(text) for text in each] for name, each in texts.items()}
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def _texts(name: str, given: Any, parameter: Parameter | None) -> list[Any]:
    """Give the values as they are written, each once."""
    if isinstance(given, (list, tuple)):
        parts = [*given]
    elif isinstance(given, str):
        text = parameter is not None and parameter.type is ParameterType.STRING
        parts = [part for piece in given.split(",") for part in _range(name, piece.strip(), text=text)]
    else:
        parts = [given]
    if not parts or any(part == "" for part in parts):
        raise SweepRefused(f"The values of {shown(name)!r} are incomplete: {shown(str(given))[:80]!r}.", EXAMPLE)
    if len(parts) > MOST_RUNS:
        raise SweepRefused(f"{shown(name)!r} has {len(parts)} values; at most {MOST_RUNS} runs are allowed.", EXAMPLE)
    try:
        return list(dict.fromkeys(parts))
    except TypeError as error:
        raise SweepRefused(f"The values of {shown(name)!r} are no plain values.", EXAMPLE) from error


def _range(name: str, piece: str, *, text: bool) -> list[str]:
    """Give START:STOP or START:STOP:STEP value by value, STOP included; anything else as it is."""
    parts = piece.split(":")
    if text or len(parts) == 1:
        return [piece]
    try:
        if len(parts) > 3 or max(map(len, parts)) > LONGEST:
            raise InvalidOperation
        with localcontext(prec=DIGITS):
            start, stop, step = (Decimal(part) for part in (*parts, "1")[:3])
            return _steps(name, piece, start, stop, step)
    except ArithmeticError as error:
        raise SweepRefused(f"{shown(piece)[:80]!r} is no range for {shown(name)!r}.", EXAMPLE) from error


def _steps(name: str, piece: str, start: Decimal, stop: Decimal, step: Decimal) -> list[str]:
    if not step or not all(number.is_finite() for number in (start, stop, step)):
        raise SweepRefused(f"The range {shown(piece)!r} of {shown(name)!r} never ends.", EXAMPLE)
    count = (stop - start) / step
    if count < 0:
        raise SweepRefused(f"The range {shown(piece)!r} of {shown(name)!r} goes the other way.", "Turn its step round.")
    if count >= MOST_RUNS:
        raise SweepRefused(f"The range {shown(piece)!r} of {shown(name)!r} has too many values.", "Take larger steps.")
    return [_plain(start + number * step) for number in range(int(count) + 1)]


def _plain(number: Decimal) -> str:
    """Write a number as people do; one with many zeros keeps its exponent."""
    text = format(number, "f")
    return text if len(text) <= LONGEST else str(number)
