"""A configuration file that documents itself."""

from __future__ import annotations

import textwrap

import yaml
from pydantic.fields import FieldInfo

from twinhub.settings.section import Section
from twinhub.settings.whole import Settings


def example() -> str:
    """Give a configuration file with every key at its default, each with its meaning."""
    lines = ["# Every key of twinhub.yaml with its default. Leave out what you do not change."]
    for name, field in Settings.model_fields.items():
        lines += ["", *_example_lines(name, field, "")]
    return "\n".join(lines) + "\n"


def _example_lines(key: str, field: FieldInfo, indent: str) -> list[str]:
    words = [f"{indent}# {line}" for line in textwrap.wrap(field.description or "", width=100)]
    section = field.annotation
    if isinstance(section, type) and issubclass(section, Section):
        inner = [_example_lines(name, one, f"{indent}  ") for name, one in section.model_fields.items()]
        return [*words, f"{indent}{key}:", *(line for lines in inner for line in lines)]
    default = field.get_default(call_default_factory=True)
    value = (
        yaml.safe_dump(default, default_flow_style=True, width=1000).removesuffix("...\n").strip()
        if default is not None
        else ""
    )
    return [*words, f"{indent}{key}: {value}".rstrip()]
