"""Run again with exactly what a run had, and tell which outputs differ."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle.errors import BadRequest
from lifecycle.models import Phase, Run, RunState
from lifecycle.places import SET_ASIDE, Places
from lifecycle.records import new_id
from lifecycle.runs import Runs
from lifecycle.state.comparing import Difference, differences, environment_of, results_of
from lifecycle.state.errors import CannotReplay, ContentMissing
from lifecycle.state.filewise import FileComparison, Verdict, compare_files
from lifecycle.state.finding import find_content
from lifecycle.state.holding import hold_phases, hold_state
from lifecycle.state.isolating import (
    Contents,
    build_outputs,
    build_tree,
    find_contents,
    names_its_place,
    refuse_changed_inputs,
)
from lifecycle.state.manifests import Manifest, write_json
from lifecycle.state.recording import read_inputs, read_outputs
from lifecycle.state.recovery import recover
from lifecycle.state.setting_aside import place_beside, put_back, set_aside
from lifecycle.state.swapping import clear
from lifecycle.state.trees import Kind
from lifecycle.state.words import shown

TOLERANCE: Final = 1e-9
MAKES_OUTPUTS: Final = frozenset({Phase.CREATE, Phase.EXECUTE})
"""Phases that need no outputs of earlier runs."""

KEPT_TREES: Final = 5
NOTES: Final = "replay.json"


@dataclass
class Started:
    """A replay under way. Whoever started it calls `finish_replay` when its run has ended."""

    run: Run
    original: Run
    in_place: str | None
    """The input that names the workspace, so that the run could not have a tree of its own."""
    notes: list[str]
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)


@dataclass(frozen=True)
class Replay:
    """A run and its repetition, compared."""

    run: Run
    original: Run
    tolerance: float
    files: list[FileComparison]
    environment: list[Difference]
    """What is not as it was: Python, packages, machine."""
    notes: list[str]

    @property
    def agrees(self) -> bool:
        """Tell whether it ended as the original did and wrote the same."""
        ends = [(run.state, run.exit_code) for run in (self.run, self.original)]
        return ends[0] == ends[1] and all(file.agrees for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {
            "run": self.run.as_json(),
            "original": self.original.as_json(),
            "agrees": self.agrees,
            "tolerance": self.tolerance,
            "files": [file.as_json() for file in self.files],
            "environment": [each.as_json() for each in self.environment],
            "notes": self.notes,
        }


def start_replay(places: Places, runs: Runs, run_id: str) -> Started:
    """Prepare what a run had and start it again.

    In a tree of its own; or in place, outputs set aside, where a program names the
    workspace by its absolute path. Raises RunNotFound, CannotReplay, ContentMissing, Busy,
    TooLarge and what Runs.start raises.
    """
    recover(places)
    original = runs.get(run_id)
    if original.state is RunState.RUNNING:
        raise CannotReplay(f"The run {run_id} goes on.", "Wait until it has ended.")
    manifest = read_inputs(places, run_id)
    if not manifest.files:
        raise CannotReplay(f"The inputs of {run_id} were not recorded: {' '.join(manifest.notes)}", "Run it again.")
    contents, notes = find_contents(places, manifest, reads_outputs=original.phase not in MAKES_OUTPUTS)
    place = names_its_place(places, manifest, contents)
    folder = places.runs.parent / "replays" / new_id(datetime.now(UTC))
    _forget_old_trees(folder.parent, runs)
    if place is None:
        build_tree(places, manifest, contents, folder / "workspace")
        run = _start(runs, original, folder / "workspace", folder / "workspace" / _outputs(original, manifest))
        started = Started(run, original, None, notes)
    else:
        notes.append(f"in place, as {shown(place)} names {places.workspace}")
        held, run = _start_in_place(places, runs, original, (manifest, contents, folder / "outputs"))
        started = Started(run, original, place, notes, held)
    with contextlib.suppress(OSError):
        write_json(runs.folder(started.run.id) / NOTES, {"notes": notes}, durable=False)
    return started


def finish_replay(places: Places, runs: Runs, started: Started) -> None:
    """Wait for the run's end and put what was set aside back; safe to call again."""
    with started.held:
        while runs.wait(started.run.id, timeout_s=3600).state is RunState.RUNNING:
            pass
        if started.in_place is not None:
            put_back(places.snapshots / started.original.twin / SET_ASIDE)


def compare_replay(places: Places, runs: Runs, run_id: str, *, tolerance: float = TOLERANCE) -> Replay:
    """Compare a replay that has ended with its original. Raises RunNotFound, BadRequest, ContentMissing."""
    run = runs.get(run_id)
    if run.replay_of is None:
        raise BadRequest(f"The run {run_id} repeats no other.", f"Repeat it: twin replay {run_id}")
    if not 0 <= tolerance < float("inf"):
        raise BadRequest(f"The tolerance {tolerance} is not allowed.", "Give a number from 0 on, such as 1e-9.")
    original = runs.get(run.replay_of)
    manifests = read_outputs(places, original.id), read_outputs(places, run.id)
    return Replay(
        run,
        original,
        tolerance,
        _compare_files(places, manifests, tolerance),
        _compare_environments(places, original, run),
        [*_read_notes(runs.folder(run_id)), *manifests[0].notes, *manifests[1].notes],
    )


# --- starting -----------------------------------------------------------------------


def _start(runs: Runs, original: Run, workspace: Path | None, outputs: Path | None) -> Run:
    return runs.start(
        original.twin,
        original.phase,
        parameters=original.parameters,
        arguments=original.arguments,
        workspace=workspace,
        outputs=outputs,
        replay_of=original.id,
        exclusive=workspace is None,
    )


def _outputs(original: Run, manifest: Manifest) -> str:
    outputs = str(manifest.facts.get("outputs", ""))
    return outputs if outputs and not outputs.startswith(("/", ".")) else f"data/{original.twin}"


def _start_in_place(
    places: Places, runs: Runs, original: Run, recorded: tuple[Manifest, Contents, Path]
) -> tuple[contextlib.ExitStack, Run]:
    manifest, contents, result = recorded
    refuse_changed_inputs(places, manifest)
    with contextlib.ExitStack() as held:
        held.enter_context(hold_state(places, original.twin))
        with hold_phases(places, original.twin, "nothing is repeated in place"):
            outputs = places.workspace / _outputs(original, manifest)
            prepared = place_beside(outputs, "replaying")
            clear(prepared)
            build_outputs(manifest, contents, prepared)
            note = places.snapshots / original.twin / SET_ASIDE
            try:
                set_aside(note, outputs, prepared, result)
            except OSError as error:
                put_back(note)
                raise CannotReplay(
                    f"{outputs} cannot be set aside: {error.strerror}.", "Put a folder there."
                ) from error
        try:
            run = _start(runs, original, None, outputs)
        except BaseException:
            put_back(note)
            raise
        return held.pop_all(), run


def _read_notes(folder: Path) -> list[str]:
    try:
        return [str(note) for note in json.loads((folder / NOTES).read_bytes())["notes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _forget_old_trees(folder: Path, runs: Runs) -> None:
    """Remove the trees of all but the latest replays; what they wrote is in their runs' records."""
    try:
        trees = sorted((entry for entry in folder.iterdir() if entry.is_dir()), reverse=True)
    except FileNotFoundError:
        return
    used = {run.outputs for run in runs.running()}
    for tree in trees[KEPT_TREES - 1 :]:
        if not any(Path(outputs).is_relative_to(tree) for outputs in used):
            clear(tree)


# --- comparing ----------------------------------------------------------------------


def _compare_files(places: Places, manifests: tuple[Manifest, Manifest], tolerance: float) -> list[FileComparison]:
    before, after = (results_of(manifest) for manifest in manifests)
    found = []
    for path in sorted({*before, *after}):
        if path not in after or path not in before:
            found.append(FileComparison(path, Verdict.MISSING if path in before else Verdict.NEW))
        elif before[path].sha256 is not None and before[path].sha256 == after[path].sha256:
            found.append(FileComparison(path, Verdict.EQUAL))
        else:
            found.append(_compare_contents(places, manifests, path, tolerance))
    return found


def _compare_contents(
    places: Places, manifests: tuple[Manifest, Manifest], path: str, tolerance: float
) -> FileComparison:
    entries = [results_of(manifest)[path] for manifest in manifests]
    if any(entry.kind is not Kind.FILE for entry in entries):
        same = (entries[0].kind, entries[0].link) == (entries[1].kind, entries[1].link)
        return FileComparison(path, Verdict.EQUAL if same else Verdict.DIFFERENT)
    files = [find_content(places, manifest, f"{manifest.facts['outputs']}/{path}") for manifest in manifests]
    if files[0] is None or files[1] is None:
        return FileComparison(path, Verdict.UNKNOWN, where="a content is known by its checksum only")
    own = (_own_paths(manifest) for manifest in manifests)
    return compare_files(path, files[0], files[1], tolerance=tolerance, own_paths=[*zip(*own, strict=True)])


def _own_paths(manifest: Manifest) -> list[str]:
    """Give the folders by which a run's programs may name their place: for results, and the workspace."""
    workspace = str(manifest.facts.get("workspace", ""))
    return [str(Path(workspace, str(manifest.facts.get("outputs", "")))), workspace]


def _compare_environments(places: Places, original: Run, run: Run) -> list[Difference]:
    try:
        before, after = (environment_of(places, read_inputs(places, each.id)) for each in (original, run))
    except ContentMissing:
        return []
    return differences(before, after)
