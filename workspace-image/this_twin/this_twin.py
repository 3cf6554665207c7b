"""What a phase's program in Python wants to know about its twin, in a run as in a bare `lifecycle/execute`.

A run hands these facts over in variables (TWIN_…) and a JSON file; typed by hand,
the program finds the same ones by where it stands: WORKSPACE/digital_twins/NAME/lifecycle/PHASE.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

CATEGORIES = ("data", "models", "functions", "tools")


def folder() -> Path:
    """Give the twin's own folder."""
    given = os.environ.get("TWIN_FOLDER")
    return Path(given) if given else Path(sys.argv[0]).resolve().parents[1]


def workspace() -> Path:
    """Give the folder that holds data, models, functions, tools, digital_twins and common."""
    given = os.environ.get("TWIN_WORKSPACE")
    return Path(given) if given else folder().parents[1]


def outputs() -> Path:
    """Give the folder for results, and make it: WORKSPACE/data/NAME."""
    given = os.environ.get("TWIN_OUTPUTS")
    made = Path(given) if given else workspace() / "data" / folder().name
    made.mkdir(parents=True, exist_ok=True)
    return made


def parameters() -> dict[str, Any]:
    """Give every parameter's value: what the run was started with, else the defaults in twin.yaml."""
    given = os.environ.get("TWIN_PARAMETERS")
    if given:
        values: dict[str, Any] = json.loads(Path(given).read_text(encoding="utf-8"))
        return values
    import yaml  # noqa: PLC0415 - in a run nothing is parsed, so nothing need be imported

    described = yaml.safe_load((folder() / "twin.yaml").read_text(encoding="utf-8")).get("parameters") or {}
    return {name: about.get("default") for name, about in described.items()}


def asset(path: str) -> Path:
    """Give the place of an asset such as `models/spring`, `common/data/weather.csv` or `models/spring@1.2`.

    Raises FileNotFoundError, naming what is missing.
    """
    found = workspace() / path
    if path.partition("/")[0] not in (*CATEGORIES, "common", "digital_twins"):
        raise FileNotFoundError(f"{path!r} is no asset path; it begins with common/ or one of {', '.join(CATEGORIES)}")
    if not found.exists():
        raise FileNotFoundError(f"the asset {path!r} is not there: {found}")
    return found


def read_table(name: str, written_by: str = "execute") -> dict[str, list[float]]:
    """Give the columns of a CSV file among the outputs as numbers; true and false count as 1 and 0.

    Ends the program, naming the phase that writes the file, where it is not there yet.
    """
    file = outputs() / name
    if not file.exists():
        sys.exit(f"There are no results yet. Run the phase {written_by} first; it writes {file}.")
    with file.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    words = {"true": 1.0, "false": 0.0}
    return {
        column: [words[text] if text in words else float(text) for text in texts]
        for column, texts in zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True)
    }


def progress(fraction: float, words: str = "") -> None:
    """Print how far the program is, between 0 and 1; the page draws a bar from it."""
    print(f"{100 * min(1.0, max(0.0, fraction)):5.1f} % {words}".rstrip(), flush=True)
