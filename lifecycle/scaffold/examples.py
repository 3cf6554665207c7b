"""The examples that come with the platform, and twins made from them."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecycle.descriptor import DescriptorInvalid, read_reading
from lifecycle.descriptor.problems import did_you_mean, shown
from lifecycle.descriptor.uses import CATEGORIES
from lifecycle.errors import TwinError
from lifecycle.explore.files import walk
from lifecycle.models import Phase
from lifecycle.places import Places
from lifecycle.scaffold.placing import Piece, TextFile
from lifecycle.twins import find_twin

USUAL_FOLDER: Final = "/opt/twinhub/examples"
LARGEST_README_BYTES: Final = 256 * 1024

_PICTURE: Final = re.compile(r"!\[[^\]]*\]\(([\w.-]+\.(?:png|jpe?g|svg|webp|gif))\)")


class ExampleNotFound(TwinError):
    """There is no example of this name."""

    code = "example_not_found"
    status = 404


class AssetsDiffer(TwinError):
    """The workspace has an asset of the same name and other content; it was left as it is."""

    code = "assets_differ"
    status = 409


@dataclass(frozen=True, slots=True)
class Example:
    """A twin that people may begin with."""

    name: str
    folder: Path
    twin: Path
    """Its twin's folder."""
    title: str
    description: str
    picture: Path | None
    phases: tuple[Phase, ...]
    there: bool
    """Whether the workspace has a twin of this name."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "picture": self.picture is not None,
            "phases": [*self.phases],
            "there": self.there,
        }


def examples_folder() -> Path:
    """Say where the examples are; TWINHUB_EXAMPLES replaces the usual folder."""
    return Path(os.environ.get("TWINHUB_EXAMPLES", USUAL_FOLDER))


def list_examples(places: Places) -> list[Example]:
    """Give all examples by name; none where the folder is missing."""
    folder = examples_folder()
    if not folder.is_dir():
        return []
    found = (_read_example(places, entry) for entry in sorted(folder.iterdir()) if not entry.name.startswith("."))
    return [example for example in found if example is not None]


def find_example(places: Places, name: str) -> Example:
    """Give one example; raises ExampleNotFound."""
    examples = {example.name: example for example in list_examples(places)}
    if name not in examples:
        raise ExampleNotFound(f"There is no example {shown(name)}.", did_you_mean(name, [*examples]))
    return examples[name]


def _read_example(places: Places, folder: Path) -> Example | None:
    twins = folder / "digital_twins"
    if not twins.is_dir():
        return None
    names = sorted(entry.name for entry in twins.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        return None
    name = folder.name if folder.name in names else names[0]
    # The example's folder has the layout of a workspace.
    twin = find_twin(Places(folder, places.runs), name)
    title, description, picture = _described(twin.path)
    there = (places.twins / folder.name).exists()
    picture = picture or _first_picture(twin.path)
    return Example(folder.name, folder, twin.path, title or folder.name, description, picture, twin.phases, there)


def _described(twin: Path) -> tuple[str, str, Path | None]:
    try:
        reading = read_reading(twin)
    except DescriptorInvalid:
        return "", "", None
    if reading is None:
        return "", "", None
    found = reading.descriptor
    picture = twin / found.picture if found.picture else None
    return found.title, found.description, picture if picture is not None and picture.is_file() else None


def _first_picture(twin: Path) -> Path | None:
    """Give the picture that the README shows first."""
    file = twin / "README.md"
    if not file.is_file() or file.stat().st_size > LARGEST_README_BYTES:
        return None
    for found in _PICTURE.finditer(file.read_text(encoding="utf-8", errors="replace")):
        if (twin / found[1]).is_file():
            return twin / found[1]
    return None


def plan_assets(places: Places, example: Example) -> Iterator[tuple[Piece | None, Path]]:
    """Give, for each asset of an example, what has to be added, if anything, and where it is or will be.

    Raises AssetsDiffer where the workspace has something else under that name.
    """
    for category in CATEGORIES:
        folder = example.folder / category
        for source in sorted(folder.iterdir()) if folder.is_dir() else ():
            if source.name.startswith("."):
                continue
            target = places.workspace / category / source.name
            if not os.path.lexists(target):
                yield Piece(target, source), target
                continue
            additions = list(_missing_files(source, target))
            for piece in additions:
                yield piece, piece.target
            if not additions:
                yield None, target


def _missing_files(source: Path, target: Path) -> Iterator[Piece]:
    """Give those files of an asset that the workspace lacks; those it has are the same, or AssetsDiffer is raised."""
    for file in walk(source):
        if "__pycache__" in file.parts:
            continue
        place = target / file.relative_to(source) if file != source else target
        if not os.path.lexists(place) and not any(upper.is_file() for upper in place.parents):
            yield Piece(place, file)
        elif not place.is_file() or not filecmp.cmp(file, place, shallow=False):
            raise AssetsDiffer(
                f"{place} is not that of the example, so the example would not run as it should; it was left as it is.",
                f"Rename yours (mv '{target}' '{target}-mine') and try again, or copy your own twin that uses it.",
            )


def renamed_texts(example: Example, name: str) -> dict[str, TextFile]:
    """Give the README with the new twin's name in its commands."""
    file = example.twin / "README.md"
    if name == example.name or not file.is_file() or file.stat().st_size > LARGEST_README_BYTES:
        return {}
    text = file.read_text(encoding="utf-8", errors="replace")
    old = re.escape(example.twin.name)
    has_data = (example.folder / "data" / example.twin.name).exists()
    places = "digital_twins" if has_data else "digital_twins|data"
    text = re.sub(rf"(?<![\w-])({places})/{old}(?![\w.-])", lambda found: f"{found[1]}/{name}", text)
    word = name if re.fullmatch(r"[\w.-]+", name) else f"'{name}'"
    text = re.sub(rf"(?<![\w-])(twin [a-z]+) {old}(?![\w.-])", lambda found: f"{found[1]} {word}", text)
    return {"README.md": TextFile(text)}
