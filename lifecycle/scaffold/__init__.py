"""New twins: from an example, from assets, from nothing. Each appears whole or not at all; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecycle.descriptor import DESCRIPTOR, load_text
from lifecycle.descriptor.editing import set_title
from lifecycle.descriptor.problems import shown
from lifecycle.errors import BadRequest
from lifecycle.models import Twin
from lifecycle.places import Places
from lifecycle.scaffold.assets import MOST_ASSETS, AssetRefused, find_asset, plan_files
from lifecycle.scaffold.examples import (
    AssetsDiffer,
    Example,
    ExampleNotFound,
    find_example,
    list_examples,
    plan_assets,
    renamed_texts,
)
from lifecycle.scaffold.naming import NameRefused, TwinExists, check_name
from lifecycle.scaffold.placing import NotMade, Piece, Placing, TextFile
from lifecycle.twins import find_twin

LONGEST_TITLE = 200

__all__ = [
    "AssetRefused",
    "AssetsDiffer",
    "Example",
    "ExampleNotFound",
    "NameRefused",
    "NotMade",
    "Plan",
    "TwinExists",
    "find_example",
    "list_examples",
    "make_twin",
    "new_twin",
    "plan_twin",
]


@dataclass(frozen=True, slots=True)
class Plan:
    """What making a twin adds to the workspace."""

    name: str
    pieces: tuple[Piece, ...]
    """Assets first, the twin's own folder last."""
    kept: tuple[Path, ...] = ()
    """Assets that were there already, and are the same."""
    notes: tuple[str, ...] = ()

    @property
    def made(self) -> tuple[Path, ...]:
        """The files and folders that appear."""
        return tuple(piece.target for piece in self.pieces)

    def as_json(self) -> dict[str, Any]:
        """Give what programs see."""
        return {
            "name": self.name,
            "made": [str(place) for place in self.made],
            "kept": [str(place) for place in self.kept],
            "notes": [*self.notes],
        }


def new_twin(
    places: Places, name: str, *, example: str | None = None, assets: Sequence[str] = (), title: str | None = None
) -> Twin:
    """Make a twin and give it.

    Raises NameRefused, TwinExists, ExampleNotFound, AssetsDiffer, AssetRefused, NotMade.
    """
    return make_twin(places, plan_twin(places, name, example=example, assets=assets, title=title))


def plan_twin(
    places: Places, name: str, *, example: str | None = None, assets: Sequence[str] = (), title: str | None = None
) -> Plan:
    """Say what would be made, and make nothing; raises what `new_twin` raises."""
    try:
        return _plan(places, name, example=example, assets=assets, title=title)
    except OSError as error:
        what = f"{error.filename or 'An asset'} cannot be read: {error.strerror}."
        raise NotMade(what, "Give yourself the right to read it: chmod -R u+rX.") from error


def _plan(places: Places, name: str, *, example: str | None, assets: Sequence[str], title: str | None) -> Plan:
    check_name(places, name)
    if title is not None and (len(title) > LONGEST_TITLE or not title.isprintable()):
        raise BadRequest(
            f"The title {shown(title)} is too long, or holds line ends.", "Use up to 200 signs, in one line."
        )
    if example is not None and assets:
        raise BadRequest("A twin begins with an example or with assets, not both.", "Name the one or the other.")
    if example is not None:
        return _plan_from_example(places, name, find_example(places, example), title)
    if len(assets) > MOST_ASSETS:
        raise BadRequest(
            f"{len(assets)} assets are too many.", f"Name at most {MOST_ASSETS}, or a folder that holds them."
        )
    found = [find_asset(places, asset) for asset in dict.fromkeys(assets)]
    for asset in found:
        if asset.place == places.outputs(name) or places.outputs(name) in asset.place.parents:
            what = f"The results of a twin {shown(name)} go to data/{name}, which is the data that it uses."
            raise NameRefused(what, "Choose another name for the twin.")
    files, notes = plan_files(places, name, found, title or name)
    return Plan(name, (Piece(places.twins / name, texts=files),), notes=tuple(notes))


def _plan_from_example(places: Places, name: str, example: Example, title: str | None) -> Plan:
    planned = list(plan_assets(places, example))
    texts = renamed_texts(example, name)
    file = example.twin / DESCRIPTOR
    if title:
        text = load_text(file) if file.is_file() else ""
        texts[DESCRIPTOR] = TextFile(set_title(text, title))
    return Plan(
        name,
        (*(piece for piece, _ in planned if piece is not None), Piece(places.twins / name, example.twin, texts)),
        tuple(target for piece, target in planned if piece is None),
    )


def make_twin(places: Places, plan: Plan) -> Twin:
    """Carry a plan out: all of it, or nothing. Raises NotMade."""
    with Placing() as placing:
        for piece in plan.pieces:
            placing.prepare(piece)
        placing.commit()
    return find_twin(places, plan.name)
