"""What a twin has written: its files, and tables among them as plots."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any, Final

from lifecycle import series
from lifecycle.errors import BadRequest, TwinError
from lifecycle.places import Places
from lifecycle.server.operations import Answer, Call, Operation, Query
from lifecycle.server.schemas import COUNT, FLAG, NUMBER, TEXT, answered, or_null, some
from lifecycle.twins import find_twin

MOST_FILES: Final = 5000
BY_A_PROCESS_BYTES: Final = 1024 * 1024
"""Larger pieces are read by a process of its own, so that the server stays free meanwhile."""

LONGEST_PREPARATION_S: Final = 300.0
KINDS: Final = {
    "csv": (".csv", ".tsv"),
    "image": (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"),
    "notebook": (".ipynb",),
    "text": (".txt", ".log", ".md", ".json", ".yaml", ".yml", ".xml", ".html", ".py", ".toml", ".ini"),
}

_AT_ONCE = asyncio.Semaphore(2)


async def list_outputs(call: Call) -> Any:
    """`GET twins/T/outputs`."""

    def look() -> Any:
        twin = find_twin(call.world.places, call.twin)
        files = list_files(call.world.places.outputs(twin.name))
        return {"files": files[:MOST_FILES], "more": len(files) > MOST_FILES}

    return await asyncio.to_thread(look)


async def plot(call: Call) -> Any:
    """`GET twins/T/outputs/PATH/series`."""
    file = await asyncio.to_thread(_find, call.world.places, call.twin, call.path["file"])
    cache = cache_of(call.world.places)
    await _prepare(file, cache)
    return await asyncio.to_thread(_read, file, cache, call)


async def _prepare(file: Path, cache: Path) -> None:
    """Bring the column cache up to date, in a process where that takes long."""
    size = await asyncio.to_thread(series.bytes_to_read, file, cache)
    if not size:
        return
    if size <= BY_A_PROCESS_BYTES:
        await asyncio.to_thread(series.refresh, file, cache)
        return
    async with _AT_ONCE:
        words = ("-I", "-m", "lifecycle.series", str(file), str(cache))
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        try:
            told, _ = await asyncio.wait_for(process.communicate(), LONGEST_PREPARATION_S)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise series.TableTooLarge(f"{file.name} takes too long to read.", "Plot it in a notebook.") from error
    if process.returncode != 0:
        raise _refusal(told)


def _refusal(told: bytes) -> TwinError:
    """Give the refusal that the process told."""
    kinds = {kind.code: kind for kind in (series.NotATable, series.TableTooLarge)}
    try:
        error = json.loads(told)["error"]
        return kinds[error["code"]](error["what"], error["fix"])
    except (ValueError, KeyError, TypeError):
        return series.NotATable("The file could not be read.", "Look at it in a terminal, or plot it in a notebook.")


def _read(file: Path, cache: Path, call: Call) -> Any:
    table = series.known_table(file, cache)
    if table is None:
        raise series.NotATable("The file changed while it was read.", "Try again.")
    asked = call.query.get("columns")
    x = call.query.get("x")
    if asked is None:
        return series.describe(table, cache, x)
    names = asked.split(",")
    if asked in table.dialect.names:
        names = [asked]  # a name with a comma in it
    window = series.Window(tuple(names), x, call.query.get("from"), call.query.get("to"), points=call.query["points"])
    return series.read_series(table, cache, window)


def cache_of(places: Places) -> Path:
    """Give where the columns of tables are kept."""
    return places.runs.parent / "cache" / "series"


# --- files ------------------------------------------------------------------------------


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Give the files below a folder, the visible ones, by path; one more than MOST_FILES at most."""
    found: list[dict[str, Any]] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place, name)
            try:
                status = file.stat()
            except OSError:
                continue
            if name.startswith(".") or not stat.S_ISREG(status.st_mode):
                continue
            path = file.relative_to(folder).as_posix()
            found.append(
                {
                    "path": path.encode(errors="surrogateescape").decode(errors="replace"),
                    "size_bytes": status.st_size,
                    "modified_s": round(status.st_mtime, 3),
                    "kind": _kind(name),
                }
            )
            if len(found) > MOST_FILES:
                return found
    return found


def _kind(name: str) -> str:
    ending = Path(name).suffix.lower()
    return next((kind for kind, endings in KINDS.items() if ending in endings), "other")


def _find(places: Places, twin_name: str, path: str) -> Path:
    """Give a twin's output; raises TwinNotFound, OutputNotFound, BadRequest for a path that leads elsewhere."""
    folder = places.outputs(find_twin(places, twin_name).name)
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise BadRequest("The path leads elsewhere.", "Use one that GET outputs lists.")
    file = folder / path
    try:
        inside = file.resolve().is_relative_to(places.workspace.resolve())
        there = inside and file.is_file()
    except (OSError, RuntimeError):
        there = False
    if not there:
        raise series.OutputNotFound(f"The twin {twin_name!r} has no output {path[:100]!r}.", "GET outputs lists all.")
    return file


OUTPUT: Final = answered(
    {"path": TEXT, "size_bytes": COUNT, "modified_s": NUMBER, "kind": {"type": "string", "enum": [*KINDS, "other"]}}
)
COLUMN: Final = answered({"name": TEXT, "kind": {"type": "string", "enum": ["number", "time", "text"]}})
SERIES: Final = answered(
    {
        "columns": some(COLUMN),
        "rows_total": COUNT,
        "x_column": or_null(TEXT),
        "x_range": or_null({"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}),
        "rows": COUNT,
        "x": some(NUMBER),
        "series": {"type": "object", "additionalProperties": answered({"values": some(or_null(NUMBER))})},
    },
    optional=("rows", "x", "series"),
)
WINDOW: Final = (
    Query("x", {"type": "string", "minLength": 1}, "The column along the axis, where it ascends. Without it: the first, or 'time'."),
    Query("columns", {"type": "string", "minLength": 1}, "Names of columns with commas between. Without them: names, rows and range."),
    Query("from", {"type": "number"}, "Where the window begins along the axis: a time in seconds since 1970, a row's number where no column ascends."),
    Query("to", {"type": "number"}, "Where the window ends."),
    Query("points", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": series.DEFAULT_POINTS},
          "Buckets to divide the window into. Each gives its lowest and its highest value in order."),
)  # fmt: skip

OPERATIONS: Final = (
    Operation("GET", "/{twin}/outputs", "listOutputs", "The files a twin has written, hidden ones left out",
              list_outputs, Answer(answered({"files": some(OUTPUT), "more": FLAG}))),
    Operation("GET", "/{twin}/outputs/{file}/series", "getSeries", "Columns of a table, thinned out for a plot",
              plot, Answer(SERIES), (409,), WINDOW,
              description="Peaks are never lost: where a bucket has more rows than two, its lowest and highest value "
              "stand at the x of its first and last row. Missing values and infinities are null."),
)  # fmt: skip
