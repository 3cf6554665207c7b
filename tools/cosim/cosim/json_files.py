"""JSON files as people write them: errors with line and column, nothing dropped silently."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from cosim.errors import CosimError

LARGEST_BYTES: Final = 64 * 1024 * 1024


class FileRefused(CosimError):
    """A file of the model cannot be read."""

    code = "file_refused"


def read_json_object(file: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object; raise FileRefused naming line and column."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise FileRefused(f"{file} is larger than {LARGEST_BYTES // 1024**2} MiB.", "Is it the right file?")
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise FileRefused(f"There is no file {file}.", "Check the path and where you stand.") from error
    except OSError as error:
        raise FileRefused(f"{file} cannot be read: {error.strerror}.", "Give the path of a JSON file.") from error
    except UnicodeDecodeError as error:
        raise FileRefused(f"{file} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from error
    return _parse(text, file)


def _parse(text: str, file: Path) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        what = f"{file}, line {error.lineno}, column {error.colno}: {error.msg}."
        raise FileRefused(what, "Mend the JSON there; often a comma is missing or too many.") from error
    except RecursionError as error:
        raise FileRefused(f"{file} is nested too deeply.", "Is it the right file?") from error
    except ValueError as error:
        raise FileRefused(f"{file}: {error}", "Mend it there.") from error
    if not isinstance(found, dict):
        raise FileRefused(f"{file} holds no JSON object.", "It begins with '{' and ends with '}'.")
    return found


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key '{key}' stands twice in one object, so one of them would be lost.")
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large.")
    return number
