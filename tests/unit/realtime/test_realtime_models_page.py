"""The page about models says what the code does: its Python runs."""

import re
import sys
import types
from pathlib import Path

import click
import pytest

from realtime.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "use" / "realtime-models.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_all_python_of_the_page_runs_from_top_to_bottom() -> None:
    """What people copy has to work; its asserts are what the page promises."""
    blocks = [(TEXT[: one.start()].count("\n") + 1, one[1]) for one in re.finditer(r"```python\n(.*?)```", TEXT, re.S)]
    assert len(blocks) >= 7
    module = types.ModuleType("page")
    sys.modules["page"] = module
    try:
        for line, code in blocks:
            exec(compile("\n" * line + code, str(PAGE), "exec"), vars(module))  # noqa: S102 - it is our own page
    finally:
        del sys.modules["page"]


@pytest.mark.parametrize("line", re.findall(r"^    (realtime .*)$", TEXT, re.M))
def test_commands_of_the_page_are_those_that_there_are(line: str) -> None:
    """An option that was renamed is found here, and not by a reader."""
    words = line.partition("#")[0].split()
    command = main.get_command(click.Context(main), words[1])
    assert command is not None
    known = {flag for option in command.params for flag in option.opts}
    assert {word for word in words[2:] if word.startswith("-")} <= known
