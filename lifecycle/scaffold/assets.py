"""Twins made from nothing and from assets: which programs and files they begin with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lifecycle.descriptor.editing import spell
from lifecycle.descriptor.problems import shown
from lifecycle.descriptor.uses import CATEGORIES, COMMON, path_fault
from lifecycle.errors import TwinError
from lifecycle.explore.files import walk
from lifecycle.explore.fmu import Fmu, FmuUnreadable, read_fmu
from lifecycle.places import Places
from lifecycle.scaffold import texts
from lifecycle.scaffold.connections import as_text, make_skeleton
from lifecycle.scaffold.placing import TextFile

MOST_ASSETS: Final = 100
MOST_FMUS: Final = 50
USUAL_PROGRAMS: Final = ("main.py", "__main__.py", "run.py", "simulate.py")


class AssetRefused(TwinError):
    """A twin cannot be made from this asset."""

    code = "asset_refused"


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that the new twin is to use."""

    category: str
    path: str
    """CATEGORY/… or common/CATEGORY/…"""
    place: Path

    @property
    def use(self) -> str:
        """How twin.yaml names it."""
        return self.path if self.path.startswith(f"{COMMON}/") else self.path.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new twin begins with."""

    execute: str
    about: str
    parameters: str = ""
    cosimulation: str = ""
    results: tuple[str, ...] = ("outputs.csv", "plot.png")
    notes: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    """More files: name and text."""


def find_asset(places: Places, written: str) -> Asset:
    """Find an asset by its path, /workspace in front or not; raises AssetRefused."""
    path = written.removeprefix(f"{places.workspace}/").removeprefix("/workspace/").rstrip("/")
    names = path.split("/")
    category = names[1] if names[0] == COMMON and len(names) > 1 else names[0]
    fix = f"Give a path such as models/NAME or {COMMON}/data/NAME; the Library page shows them."
    if (fault := path_fault(path)) is not None:
        raise AssetRefused(f"The path {shown(written)} {fault}.", fix)
    if category not in CATEGORIES or len(names) < (3 if names[0] == COMMON else 2):
        raise AssetRefused(f"{shown(written)} is no asset among {', '.join(CATEGORIES)}.", fix)
    if any(name.startswith(".") for name in names):
        raise AssetRefused(f"{shown(written)} is hidden, and no asset.", fix)
    place = places.workspace / path
    if not os.path.exists(place):  # noqa: PTH110 - pathlib raises where a folder is closed
        raise AssetRefused(f"The asset {shown(written)} is not there: {place}.", fix)
    return Asset(category, path, place)


def plan_files(places: Places, name: str, assets: Sequence[Asset], title: str) -> tuple[dict[str, TextFile], list[str]]:
    """Give the files of a new twin, and what its owner should know."""
    draft = _draft(places, name, assets)
    outputs = f"data/{name}"
    word = name if name.replace("-", "").replace("_", "").replace(".", "").isalnum() else f"'{name}'"
    more = "".join(f"\n{note}\n" for note in draft.notes)
    clean = "".join(f"{result!r}, " for result in draft.results)
    files = {
        "twin.yaml": TextFile(_descriptor(title, draft, assets)),
        "README.md": TextFile(
            texts.README.format(title=title, about=draft.about, name=word, outputs=outputs, more=more)
        ),
        "lifecycle/execute": TextFile(draft.execute, program=True),
        "lifecycle/analyze": TextFile(texts.ANALYZE, program=True),
        "lifecycle/clean": TextFile(texts.CLEAN.format(names=clean), program=True),
        **{extra: TextFile(text) for extra, text in draft.extra},
    }
    return files, [*draft.notes]


def _descriptor(title: str, draft: Draft, assets: Sequence[Asset]) -> str:
    lines = [f"title: {spell(title)}\n", f"description: {spell(draft.about)}\n"]
    by_category = {category: [one.use for one in assets if one.category == category] for category in CATEGORIES}
    if assets:
        lines.append("uses:\n")
    for category, uses in by_category.items():
        if uses:
            lines.append(f"  {category}:\n" + "".join(f"    - {spell(use)}\n" for use in uses))
    return "".join(lines) + draft.parameters + draft.cosimulation


def _draft(places: Places, name: str, assets: Sequence[Asset]) -> Draft:
    fmus = [read_asset_fmu(file, one) for one, file in _files(assets, ("models",), ".fmu")]
    if fmus:
        return _from_fmus(fmus, places.twins / name)
    programs = [one for one in assets if one.category in ("models", "functions") and _program(one) is not None]
    if programs:
        return _from_program(places, programs[0])
    tables = [file for _, file in _files(assets, ("data",), ".csv")]
    if tables:
        return _from_table(places, tables[0])
    about = "A cup of coffee that cools down, as a beginning: replace the model in lifecycle/execute by your own."
    return Draft(texts.COOLING, about, texts.COOLING_PARAMETERS)


def _files(assets: Sequence[Asset], categories: Sequence[str], suffix: str) -> Iterator[tuple[Asset, Path]]:
    seen: set[Path] = set()
    for one in assets:
        for file in walk(one.place) if one.category in categories else ():
            if file.suffix.lower() == suffix and file.is_file() and file not in seen:
                seen.add(file)
                yield one, file


def read_asset_fmu(file: Path, asset: Asset) -> Fmu:
    """Read an FMU that can be co-simulated; raises AssetRefused."""
    try:
        fmu = read_fmu(file)
    except FmuUnreadable as error:
        raise AssetRefused(f"{file.name} of {asset.path} cannot be used: {error.what}", error.fix) from error
    if "CoSimulation" not in fmu.kinds or fmu.version.startswith("1."):
        kind = "FMI 1.0" if fmu.version.startswith("1.") else "model exchange only"
        raise AssetRefused(f"{file.name} is of {kind}.", "Export it for co-simulation with FMI 2.0 or 3.0.")
    return fmu


def _from_fmus(fmus: Sequence[Fmu], folder: Path) -> Draft:
    if len(fmus) > MOST_FMUS:
        raise AssetRefused(f"There are {len(fmus)} FMUs.", f"Name at most {MOST_FMUS}.")
    skeleton = make_skeleton(fmus, folder)
    notes = []
    if skeleton.connected:
        listed = _listed(skeleton.connected)
        notes.append(f"Connected, as names, types and units match and no other output has that name:\n\n{listed}")
    if skeleton.open_inputs:
        listed = _listed(skeleton.open_inputs)
        notes.append(
            f"Not connected; these inputs keep their start values until cosim.json says otherwise:\n\n{listed}"
        )
    names = ", ".join(fmu.file.name for fmu in fmus)
    return Draft(
        texts.COSIMULATE,
        f"Co-simulates {names}; cosim.json says how they are connected.",
        skeleton.parameters,
        "cosimulation: {model: cosim.json}\n",
        ("outputs.csv", "cosim.json", "plot.png"),
        tuple(notes),
        (("cosim.json", as_text(skeleton.model)),),
    )


def _listed(names: Sequence[str]) -> str:
    """List names that an FMU's author chose, as code in Markdown."""
    return "\n".join("    " + "".join(sign if sign.isprintable() else "?" for sign in name) for name in names)


def _program(asset: Asset) -> Path | None:
    """Give the Python program that an asset is or clearly has; raises AssetRefused when it has several."""
    if asset.place.is_file():
        return asset.place if asset.place.suffix == ".py" else None
    files = [file for file in sorted(asset.place.iterdir()) if file.suffix == ".py" and file.is_file()]
    usual = [file for name in USUAL_PROGRAMS for file in files if file.name == name]
    if usual or len(files) <= 1:
        found = usual or files
        return found[0] if found else None
    listed = ", ".join(file.name for file in files[:8])
    raise AssetRefused(
        f"{asset.path} holds several Python files: {listed}.",
        f"Name the one to run, such as {asset.path}/{files[0].name}.",
    )


def _from_program(places: Places, asset: Asset) -> Draft:
    file = _program(asset)
    path = file.relative_to(places.workspace).as_posix() if file else asset.path
    note = "The program finds its parameters with this_twin.parameters() once twin.yaml names some."
    return Draft(texts.RUN_PROGRAM.format(asset=path), f"Runs {path}.", notes=(note,))


def _from_table(places: Places, file: Path) -> Draft:
    path = file.relative_to(places.workspace).as_posix()
    note = "lifecycle/execute passes the rows on as they are: put your own model there."
    return Draft(texts.COPY_DATA.format(asset=path), f"Looks at the rows of {path}.", notes=(note,))
