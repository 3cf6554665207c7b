"""Compare two runs: what went in, what came out, what they cost."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from lifecycle.models import Run
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.series.errors import NotATable
from lifecycle.state.errors import ContentMissing
from lifecycle.state.finding import find_content
from lifecycle.state.manifests import Entry, Manifest
from lifecycle.state.recording import read_inputs, read_outputs
from lifecycle.state.store import store_of
from lifecycle.state.tables import is_table, open_table
from lifecycle.state.trees import Kind

LARGEST_TABLE_BYTES: Final = 256 << 20
FIGURES: Final = ("state", "exit_code", "duration_s", "cpu_s", "peak_memory_bytes", "git_commit", "outputs_changed")


@dataclass(frozen=True)
class Difference:
    """One thing that two runs do not share."""

    name: str
    one: Any
    other: Any

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)


@dataclass(frozen=True)
class ColumnComparison:
    """How far a column of numbers differs from that of the other run."""

    name: str
    largest_difference: float
    rms: float
    """Root mean square of the differences."""
    at: float | None
    """Where the largest difference is, in the first column's values."""


@dataclass(frozen=True)
class OutputComparison:
    """How an output differs."""

    path: str
    """Below the folder for results."""
    verdict: str
    """equal, different, only in one, only in the other."""
    columns: tuple[ColumnComparison, ...] = ()
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)


@dataclass(frozen=True)
class RunComparison:
    """Two runs, side by side."""

    one: Run
    other: Run
    parameters: list[Difference]
    inputs: list[Difference]
    """Files with different contents, or with unknown ones, by their checksums' beginnings; None where there is none."""
    environment: list[Difference]
    figures: list[Difference]
    outputs: list[OutputComparison]
    notes: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Tell whether what went in or came out differs; durations always do."""
        outputs = any(output.verdict != "equal" for output in self.outputs)
        return bool(self.parameters or self.inputs or self.environment) or outputs

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        values = {"runs": [self.one.as_json(), self.other.as_json()], "differs": self.differs, "notes": self.notes}
        for name in ("parameters", "inputs", "environment", "figures", "outputs"):
            values[name] = [each.as_json() for each in getattr(self, name)]
        return values


def compare_runs(places: Places, runs: Runs, one_id: str, other_id: str) -> RunComparison:
    """Compare two runs as recorded; reads contents of tables. Raises RunNotFound."""
    one, other = runs.get(one_id), runs.get(other_id)
    notes: list[str] = []
    inputs = [_recorded(read_inputs, places, run, notes) for run in (one, other)]
    outputs = [_recorded(read_outputs, places, run, notes) for run in (one, other)]
    return RunComparison(
        one,
        other,
        differences(one.parameters, other.parameters),
        [*differences(*(_checksums(manifest) for manifest in inputs)), *_not_known(inputs[0], inputs[1])],
        differences(*(environment_of(places, manifest) for manifest in inputs)),
        differences(*({name: getattr(run, name) for name in FIGURES} for run in (one, other))),
        _compare_outputs(places, outputs[0], outputs[1]),
        notes,
    )


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Difference]:
    """Give what is not the same in two mappings, a missing value as None."""
    names = [*one, *(name for name in other if name not in one)]
    return [Difference(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)]


def _recorded(read: Any, places: Places, run: Run, notes: list[str]) -> Manifest:
    try:
        manifest: Manifest = read(places, run.id)
    except ContentMissing as error:
        notes.append(error.what)
        return Manifest()
    notes.extend(f"{run.id}: {note}" for note in manifest.notes)
    return manifest


def _checksums(manifest: Manifest) -> dict[str, str | None]:
    """Give what identifies each input, without the outputs of earlier runs."""
    outputs = f"{manifest.facts.get('outputs', '')}/"
    files = {path: entry for path, entry in manifest.files.items() if not path.startswith(outputs)}
    return {path: _essence(entry) for path, entry in files.items() if entry.kind is not Kind.FOLDER}


def _essence(entry: Entry) -> str | None:
    return f"link to {entry.link}" if entry.link is not None else (entry.sha256 or entry.problem or "")[:12] or None


def _not_known(one: Manifest, other: Manifest) -> Iterator[Difference]:
    """Name the inputs of which no checksum tells whether they were the same: that is no agreement."""
    for path, entry in one.files.items():
        if path in other.files and _is_unknown(entry) and _is_unknown(other.files[path]):
            yield Difference(path, entry.problem, other.files[path].problem)


def _is_unknown(entry: Entry) -> bool:
    return entry.kind is Kind.FILE and entry.sha256 is None


def environment_of(places: Places, manifest: Manifest) -> dict[str, Any]:
    """Give what a run's programs ran in, each package by its name where the list of them is still kept."""
    facts: dict[str, Any] = manifest.facts.get("environment", {})
    environment = {name: value for name, value in facts.items() if name not in ("environments", "packages")}
    packages = str(facts.get("packages") or "")
    try:
        listed = b"".join(store_of(places).read(packages)).decode() if packages else ""
    except ContentMissing:
        return environment | {"packages": f"a list that is not kept ({packages[:12]})"}
    pairs = (line.rsplit("-", 1) for line in listed.splitlines() if "-" in line)
    return environment | {f"package {name}": version for name, version in pairs}


def results_of(manifest: Manifest) -> dict[str, Entry]:
    """Give the files of a manifest of outputs by their path below the folder for results."""
    files = manifest.below(str(manifest.facts.get("outputs", "")))
    return {path: entry for path, entry in files.items() if entry.kind is not Kind.FOLDER}


# --- tables -----------------------------------------------------------------------


def _compare_outputs(places: Places, one: Manifest, other: Manifest) -> list[OutputComparison]:
    mine, theirs = results_of(one), results_of(other)
    found = []
    for path in sorted({*mine, *theirs}):
        if path not in mine or path not in theirs:
            found.append(OutputComparison(path, "only in one" if path in mine else "only in the other"))
        elif _is_unknown(mine[path]) or _is_unknown(theirs[path]):
            why = mine[path].problem or theirs[path].problem or "it was not read"
            found.append(OutputComparison(path, "different", note=f"perhaps not: {why}"))
        elif _essence(mine[path]) == _essence(theirs[path]):
            found.append(OutputComparison(path, "equal"))
        else:
            files = [find_content(places, m, f"{m.facts['outputs']}/{path}") for m in (one, other)]
            found.append(_compare_output(path, files[0], files[1]))
    return found


def _compare_output(path: str, one: Path | None, other: Path | None) -> OutputComparison:
    if not is_table(path):
        return OutputComparison(path, "different")
    if one is None or other is None:
        return OutputComparison(path, "different", note="a content is known by its checksum only")
    if max(one.stat().st_size, other.stat().st_size) > LARGEST_TABLE_BYTES:
        return OutputComparison(path, "different", note="too large to compare by columns")
    try:
        return _compare_columns(path, read_columns(one), read_columns(other))
    except NotATable as error:
        return OutputComparison(path, "different", note=error.what)


def read_columns(file: Path) -> dict[str, array[float]]:
    """Read all columns of a table as numbers, NaN where there is none. Raises NotATable."""
    with open_table(file) as table:
        columns = [array("d") for _ in table.names]
        for _, row in table.rows:
            for column, cell in zip(columns, row, strict=False):
                number = table.number(cell)
                column.append(math.nan if number is None else number)
            for column in columns[len(row) :]:
                column.append(math.nan)
        return dict(zip(table.names, columns, strict=True))


def _compare_columns(path: str, one: dict[str, array[float]], other: dict[str, array[float]]) -> OutputComparison:
    shared = [name for name in one if name in other and any(map(math.isfinite, one[name]))]
    if not shared:
        return OutputComparison(path, "different", note="no column of numbers is in both")
    axis, axis_there = one[shared[0]], other[shared[0]]
    note = ""
    if axis != axis_there:
        if not (_rises(axis) and _rises(axis_there)):
            rows = len(axis), len(axis_there)
            note = f"rows are compared in order: {rows[0]} and {rows[1]}"
        else:
            note = f"the other run's values are interpolated at this one's {shared[0]}"
            other = {name: _interpolate(axis, axis_there, other[name]) for name in shared}
    columns = [_compare_column(name, one[name], other[name], axis) for name in shared]
    return OutputComparison(path, "different", tuple(column for column in columns if column is not None), note)


def _compare_column(name: str, one: array[float], other: array[float], axis: array[float]) -> ColumnComparison | None:
    largest, at, squares, count = 0.0, None, 0.0, 0
    for x, a, b in zip(axis, one, other, strict=False):
        difference = abs(a - b)
        if math.isfinite(difference):
            squares, count = squares + difference * difference, count + 1
            if difference > largest:
                largest, at = difference, x
    return ColumnComparison(name, largest, math.sqrt(squares / count), at) if count else None


def _rises(values: array[float]) -> bool:
    return all(map(float.__lt__, values, values[1:]))


def _interpolate(at: array[float], axis: array[float], values: array[float]) -> array[float]:
    found = array("d")
    for x in at:
        place = bisect_left(axis, x)
        if place < len(axis) and axis[place] == x:
            found.append(values[place])
        elif 0 < place < len(axis):
            share = (x - axis[place - 1]) / (axis[place] - axis[place - 1])
            found.append(values[place - 1] + share * (values[place] - values[place - 1]))
        else:
            found.append(math.nan)
    return found
