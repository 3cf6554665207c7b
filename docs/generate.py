"""`python docs/generate.py`: write the pages that code knows best; a test keeps them true."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import click

import hub
import libms
import lifecycle
import realtime
import twinhub
import web
from lifecycle.cli import main as twin
from lifecycle.errors import TwinError
from realtime.cli import main as realtime_command
from realtime.errors import RealtimeError
from twinhub.errors import PublicError
from twinhub.operate.cli import main as twinhub_command
from twinhub.settings import example

DOCS = Path(__file__).parent
WIDTH = 100


def pages() -> dict[str, str]:
    """Give every generated page by its path below docs/."""
    return {
        "operate/configuration.md": _configuration(),
        "operate/commands.md": _commands("twinhub", twinhub_command, "For whoever runs the server."),
        "use/twin-command.md": _commands("twin", twin, "In every workspace's terminal."),
        "use/realtime-command.md": _commands(
            "realtime", realtime_command, "In every workspace's terminal; elsewhere with a token."
        ),
        "use/errors.md": _errors(),
    }


def _configuration() -> str:
    return (
        "# Configuration\n\nOne file: `twinhub.yaml` in the data folder. After a change: `twinhub up`, which checks the "
        "file before\nit touches anything and restarts just what the change concerns. Unknown keys are refused.\n\n"
        "Changing what a container is made of (`memory`, `cpus`, `processes`, `common`) gives each person a fresh\n"
        "container at the next start of their workspace; what they installed with apt is installed again in the background, all files stay.\n\n"
        f"```yaml\n{example()}```\n"
    )


def _commands(name: str, command: click.Command, words: str) -> str:
    parts = [f"# The command `{name}`", words]
    for path, found in _walk(name, command):
        if not found.hidden:
            context = click.Context(found, info_name=path, max_content_width=WIDTH, terminal_width=WIDTH)
            parts.append(f"## {path}\n\n```text\n{found.get_help(context)}\n```")
    return "\n\n".join(parts) + "\n"


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _walk(f"{path} {name}", inner)


def _errors() -> str:
    for room in (twinhub, hub, libms, lifecycle, realtime, web):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            # Entry points run at import, and lifecycle.server needs Jupyter Server, which only workspaces have.
            if not module.name.startswith("lifecycle.server") and not module.name.endswith(("__main__", "_config")):
                importlib.import_module(module.name)
    rows = sorted({(kind.code, kind.status, (kind.__doc__ or "").split("\n")[0]) for kind in _kinds()})
    table = "\n".join(f"| `{code}` | {status} | {words} |" for code, status, words in rows)
    return (
        "# Errors\n\nEvery refusal has a stable code, says what is wrong and what to do about it, and looks the same "
        'everywhere:\n\n```json\n{"error": {"code": "exists", "what": "\'ada/data/a.csv\' exists already.", '
        '"fix": "Choose another name, or delete it first."}}\n```\n\n'
        "GraphQL carries it in `errors[].extensions.reason`; commands print one line. What is no refusal but a bug of "
        "ours\nhas the code `internal` and a reference number, under which the log holds the details.\n\n"
        f"| code | HTTP | meaning |\n| --- | --- | --- |\n{table}\n"
    )


Kind = type[PublicError] | type[TwinError] | type[RealtimeError]


def _kinds() -> Iterator[Kind]:
    waiting: list[Kind] = [PublicError, TwinError, RealtimeError]
    while waiting:
        kind = waiting.pop()
        inner = kind.__subclasses__()
        waiting.extend(inner)
        if kind not in (PublicError, TwinError, RealtimeError):
            yield kind


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(name)
