"""Read and check twinhub.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, get_args

import yaml
from pydantic import ValidationError

from twinhub.errors import SettingsError
from twinhub.settings.section import Section
from twinhub.settings.whole import Settings

FILE_NAME: Final = "twinhub.yaml"


def _explain(problem: Any, source: str) -> str:
    """Turn one pydantic complaint into key, value given and what is allowed."""
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{source}: unknown key '{key}'. Allowed here: {', '.join(_allowed_keys(problem['loc'][:-1]))}."
    words = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], dict) and problem["type"] == "value_error":
        return f"{source}: {words}."  # keys that do not go together; the words name them
    return f"{source}: '{key}' is {problem['input']!r}. {words}."


def _allowed_keys(path: tuple[str | int, ...]) -> list[str]:
    """Name the keys of the section at a path, also of one among several that people name themselves."""
    section: Any = Settings
    for part in path:
        if isinstance(section, type) and issubclass(section, Section):
            section = section.model_fields[str(part)].annotation
        else:
            section = get_args(section)[-1]  # dict[name, section]
    return list(section.model_fields)


def parse_settings(text: str, source: str = FILE_NAME) -> Settings:
    """Check the text of a configuration file.

    Raises SettingsError naming the key, the value given and what is allowed.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(
            f"{source} is not YAML: {str(error).replace(chr(10), ' ')}.", "Correct the file."
        ) from error
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise SettingsError(f"{source} holds a {type(raw).__name__}, not keys and values.", "Write 'key: value' lines.")
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        lines = [_explain(problem, source) for problem in error.errors()]
        raise SettingsError(" ".join(lines), f"Correct {source}; 'twinhub config example' shows every key.") from error


def read_settings(file: Path) -> Settings:
    """Read and check a configuration file; a missing one means all defaults."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Check its owner, mode and encoding.") from error
    return parse_settings(text, str(file))
