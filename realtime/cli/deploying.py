"""`realtime deploy`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from realtime.cli import client_of
from realtime.cli.client import Client
from realtime.cli.options import json_option, print_json
from realtime.errors import ModelRefused

LARGEST_BYTES: Final = 16 * 1024 * 1024
LEFT_OUT: Final = frozenset({"__pycache__", "node_modules", "venv"})


@click.command("deploy")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--model", "name", default="", help="Name of the class, where the file has more than one model.")
@click.option("--entry", default="", help="The file with the model, where PATH is a folder; model.py if left out.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME=FILE",
    help="Slow data that the model reads with context.table(NAME): a .json or .csv file. It is kept with the version.",
)
@click.option("--replace-dashboard", is_flag=True, help="Replace the dashboard that has the folder's name already.")
@click.option("--note", default="", help="What is new, in a few words.")
@json_option
@click.pass_context
def deploy(ctx: click.Context, /, path: Path, **options: Any) -> None:
    """Deploy the model in PATH, a Python file or a folder of them, as a new version.

    It is checked in your workspace `realtime` first, which starts for it. Instances
    that are there go on with the new version, with the state they have. A file
    dashboard.json in the folder becomes a dashboard of its name.

    \b
    Examples:
      realtime deploy wind_turbine.py --note 'limit is 90 degrees'
      realtime deploy wind_farm/ --entry turbine.py --table sites=sites.csv
    """
    files, entry = read_files(path, options["entry"])
    body = {
        "files": files,
        "entry": entry,
        "model": options["name"],
        "note": options["note"],
        "tables": dict(read_table(word) for word in options["tables"]),
    }
    found = client_of(ctx).ask("POST", "models", body=body)
    words = _ensure_dashboard(client_of(ctx), path, replace=options["replace_dashboard"])
    if options["as_json"]:
        print_json(found)
    else:
        click.echo(f"{found['name']} runs from now on in version {found['version']}.{words}")


def _ensure_dashboard(client: Client, path: Path, *, replace: bool) -> str:
    """Keep a folder's dashboard, unless there is one of its name; say what was done."""
    file = path / "dashboard.json"
    if not file.is_file():
        return ""
    name = path.resolve().name
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{file} cannot be read: {error}.", "Mend it, or take it away.") from None
    if not replace and name in {one["name"] for one in client.ask("GET", "dashboards")["dashboards"]}:
        return f" The dashboard '{name}' stays as it is; --replace-dashboard replaces it."
    client.ask("PUT", f"dashboards/{quote(name, safe='')}", body=content)
    return f" Its dashboard is '{name}', on the Real-time page."


def read_files(path: Path, entry: str) -> tuple[dict[str, str], str]:
    """Give a model's files by their relative paths, and the one that has the model; raises ModelRefused."""
    if path.is_file():
        return {path.name: _text(path)}, path.name
    found = [file for file in sorted(path.rglob("*.py")) if not _left_out(file.relative_to(path))]
    files = {file.relative_to(path).as_posix(): _text(file) for file in found}
    wanted = entry or ("model.py" if "model.py" in files or len(files) != 1 else next(iter(files)))
    if wanted not in files:
        raise ModelRefused(f"{path} has no file '{wanted}'.", f"Name the model's file with --entry: {_some(files)}.")
    if sum(map(len, files.values())) > LARGEST_BYTES:
        raise ModelRefused(f"The Python files in {path} are more than 16 MB.", "Deploy the model's own folder only.")
    return files, wanted


def _left_out(relative: Path) -> bool:
    return any(part in LEFT_OUT or part.startswith(".") for part in relative.parts)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{file} cannot be read: {error}.", "A model is Python text in UTF-8.") from None


def _some(files: dict[str, str]) -> str:
    return ", ".join([*files][:5]) or "there is no .py file"


def read_table(word: str) -> tuple[str, Any]:
    """Read NAME=FILE; raises ModelRefused."""
    name, _, where = word.partition("=")
    file = Path(where)
    if not name or not where:
        raise ModelRefused(f"'{word}' is no table.", "Write --table NAME=FILE.json or NAME=FILE.csv.")
    try:
        if file.suffix.lower() == ".csv":
            with file.open(encoding="utf-8-sig", newline="") as stream:
                return name, [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(stream)]
        return name, json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, csv.Error) as error:
        raise ModelRefused(
            f"The table in {file} cannot be read: {error}.", "Use JSON, or CSV with a first line of names."
        ) from None


def _value(text: Any) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except (TypeError, ValueError):
            continue
    return text
