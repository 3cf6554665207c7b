"""Which folders and files a run reads: the twin's own, the assets it names, and what its links lead to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lifecycle.places import Places
from lifecycle.state.manifests import Manifest
from lifecycle.state.trees import Kind, Picture, look, look_at_file


def look_at_inputs(
    places: Places, twin_folder: Path, uses: Sequence[Path], outputs: Path
) -> tuple[list[Picture], Manifest]:
    """Take the pictures of all inputs, the outputs as they are now at last, and begin their manifest."""
    pictures = [look_at(place) for place in (twin_folder, *uses)]
    pictures.extend([look_at(target) for target in _linked_to(places, pictures)])
    manifest = Manifest()
    manifest.facts = {
        "twin_folder": name_in_workspace(places, os.path.realpath(twin_folder)),
        # os.path, unlike pathlib, has an answer for what lies in folders that are closed to us.
        "missing": [name_in_workspace(places, str(use)) for use in uses if not os.path.exists(use)],  # noqa: PTH110
        "outputs": name_in_workspace(places, os.path.realpath(outputs)),
    }
    pictures.append(look(outputs))
    inside = [picture for picture in pictures if is_inside(places, picture.folder)]
    for picture in pictures:
        if picture not in inside and picture.seen:
            manifest.notes.append(f"{picture.folder} lies outside the workspace and was not recorded")
    manifest.facts["roots"] = [name_in_workspace(places, picture.root) for picture in inside]
    return inside, manifest


def name_in_workspace(places: Places, path: str) -> str:
    """Give a path below the workspace as manifests name it; one elsewhere stays as it is."""
    workspace = os.path.realpath(places.workspace)
    return path.removeprefix(workspace + "/") if path != workspace else "."


def is_inside(places: Places, path: str) -> bool:
    """Tell whether a real path lies in the workspace."""
    return path.startswith(os.path.realpath(places.workspace) + "/")


def look_at(place: Path) -> Picture:
    """Look at a folder's tree, or at one file."""
    return look_at_file(place) if os.path.isfile(place) else look(place)  # noqa: PTH113 - folders may be closed to us


def _linked_to(places: Places, pictures: Sequence[Picture]) -> Iterator[Path]:
    """Give what links lead to elsewhere in the workspace; programs read it through them."""
    known = [picture.root for picture in pictures]
    for picture in pictures:
        for path, seen in picture.seen.items():
            if seen.kind is not Kind.LINK:
                continue
            target = os.path.realpath(os.path.join(picture.folder, path))  # noqa: PTH118 - bytes in the name survive
            inner = any(f"{target}/".startswith(f"{folder}/") for folder in known)
            outer = any(f"{folder}/".startswith(f"{target}/") for folder in known)
            if is_inside(places, target) and not inner and not outer and os.path.exists(target):  # noqa: PTH110
                known.append(target)
                yield Path(target)
