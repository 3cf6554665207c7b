"""What a twin is made of, as a picture shows it: assets, the FMUs in them, their links, services, ports, outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lifecycle.descriptor import Descriptor, Use
from lifecycle.models import Twin
from lifecycle.places import Places
from lifecycle.server.outputs import list_files

KINDS: Final = {"data": "data", "models": "model", "functions": "function", "tools": "tool"}
MOST_FMUS: Final = 100
MOST_LOOKED_AT: Final = 5000
MOST_CONNECTIONS: Final = 1000
MOST_OUTPUTS: Final = 12
LARGEST_MODEL_BYTES: Final = 1024 * 1024
TWIN: Final = "twin"


@dataclass
class Picture:
    """Nodes by id and the links between them, as they are found."""

    places: Places
    twin: Twin
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[dict[str, str]] = field(default_factory=list)
    owners: dict[Path, str] = field(default_factory=dict)
    """Nodes of assets by their place."""
    fmus: dict[Path, str] = field(default_factory=dict)
    """Nodes that stand for FMUs, by their file."""

    def add(self, node: str, kind: str, label: str, *, there: bool = True, path: str | None = None) -> str:
        """Add a node, once; give its id."""
        made = {"id": node, "kind": kind, "label": label, "there": there}
        self.nodes.setdefault(node, made if path is None else {**made, "path": path})
        return node

    def link(self, begin: str, end: str, label: str = "") -> None:
        """Add a link, once."""
        edge = {"from": begin, "to": end} | ({"label": label} if label else {})
        if edge not in self.edges:
            self.edges.append(edge)


def compose(places: Places, twin: Twin, descriptor: Descriptor) -> dict[str, Any]:
    """Give a twin's nodes and edges; what a descriptor names and the disk does not have is there: false."""
    picture = Picture(places, twin)
    picture.add(TWIN, "twin", descriptor.title or twin.name, path=f"digital_twins/{twin.name}")
    for use in descriptor.uses:
        _add_use(picture, use)
    _add_fmus(picture)
    _add_cosimulation(picture, descriptor)
    for service in descriptor.services:
        label = f"{service.name} ({service.type})"
        picture.link(picture.add(f"service:{service.name}", "service", label, path=service.address), TWIN)
    for port in descriptor.ports:
        label = f"{port.name} ({port.protocol} {port.port})"
        picture.link(TWIN, picture.add(f"port:{port.name}", "port", label))
    _add_outputs(picture)
    return {"nodes": [*picture.nodes.values()], "edges": picture.edges}


def _add_use(picture: Picture, use: Use) -> None:
    place = use.place(picture.places)
    path = place.relative_to(picture.places.workspace).as_posix()
    label = use.path if use.version is None else f"{use.path} @ {use.version}"
    node = picture.add(path, KINDS[use.category], label, there=place.exists(), path=path)
    picture.link(node, TWIN)
    picture.owners[place] = node


def _add_fmus(picture: Picture) -> None:
    """Add the FMUs in used folders."""
    for place, owner in picture.owners.items():
        if place.suffix == ".fmu":
            picture.fmus[place.resolve()] = owner
        for file in _fmus_below(place):
            if len(picture.fmus) >= MOST_FMUS:
                return
            path = file.relative_to(picture.places.workspace).as_posix()
            node = picture.add(f"fmu:{path}", "fmu", file.name, path=path)
            picture.fmus[file.resolve()] = node
            picture.link(owner, node)


def _fmus_below(place: Path) -> Iterator[Path]:
    looked_at = 0
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            looked_at += 1
            if looked_at > MOST_LOOKED_AT:
                return
            if name.endswith(".fmu"):
                yield Path(folder, name)


# --- co-simulation --------------------------------------------------------------------


def _add_cosimulation(picture: Picture, descriptor: Descriptor) -> None:
    """Turn each FMU of a multi-model into its instances, linked as they are connected."""
    name = descriptor.cosimulation.model if descriptor.cosimulation else "cosim.json"
    folders = (picture.twin.path, *picture.owners)
    file = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if file is None:
        return
    model = _read_model(file)
    files = {key: _find(address, file.parent, picture.twin.path) for key, address in _texts(model.get("fmus"))}
    instances: dict[str, str] = {}
    for ends in _connections(model):
        for key, _ in ends:
            if key not in instances:
                instances[key] = _add_instance(picture, key, files)
        (begin, output), (end, taken) = ends
        picture.link(instances[begin], instances[end], f"{output} → {taken}")
    _drop_replaced(picture, instances)


def _add_instance(picture: Picture, key: str, files: dict[str, Path]) -> str:
    """Add "{fmu}.instance"; it takes the place of its FMU's own node."""
    fmu, _, instance = key.partition(".")
    file = files.get(fmu)
    there = file is not None and file.exists()
    node = picture.add(f"instance:{key}", "fmu", f"{instance} {fmu}", there=there, path=_shown(picture.places, file))
    known = picture.fmus.get(file.resolve()) if file is not None else None
    owner = known if known is None or not known.startswith("fmu:") else _owner_of(picture, known)
    picture.link(*((owner, node) if owner is not None else (node, TWIN)))
    return node


def _owner_of(picture: Picture, node: str) -> str | None:
    return next((edge["from"] for edge in picture.edges if edge["to"] == node), None)


def _drop_replaced(picture: Picture, instances: dict[str, str]) -> None:
    shown = {picture.nodes[node].get("path") for node in instances.values()}
    gone = {node for node, made in picture.nodes.items() if node.startswith("fmu:") and made.get("path") in shown}
    picture.nodes = {node: made for node, made in picture.nodes.items() if node not in gone}
    picture.edges = [edge for edge in picture.edges if edge["from"] not in gone and edge["to"] not in gone]


def _read_model(file: Path) -> dict[str, Any]:
    """Read a multi-model as far as it can be; what is wrong with it is told by `explore`."""
    try:
        with file.open("rb") as stream:
            model = json.loads(stream.read(LARGEST_MODEL_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return model if isinstance(model, dict) else {}


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from ((key, text) for key, text in value.items() if isinstance(text, str))


def _connections(model: dict[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Give each connection as two of ("{fmu}.instance", "variable")."""
    listed = model.get("connections")
    found = []
    for begin, ends in listed.items() if isinstance(listed, dict) else ():
        for end in [ends] if isinstance(ends, str) else ends if isinstance(ends, list) else ():
            if isinstance(end, str) and begin.count(".") >= 2 and end.count(".") >= 2:
                found.append((_address(begin), _address(end)))
    return found[:MOST_CONNECTIONS]


def _address(text: str) -> tuple[str, str]:
    fmu, instance, variable = text.split(".", 2)
    return f"{fmu}.{instance}", variable


def _find(address: str, *folders: Path) -> Path:
    parts = urlsplit(address)
    text = unquote(parts.path) if parts.scheme == "file" else address
    candidates = [folder / text for folder in folders]
    return next((place for place in candidates if place.exists()), candidates[0])


def _shown(places: Places, file: Path | None) -> str | None:
    if file is None:
        return None
    return file.resolve().relative_to(places.workspace.resolve()).as_posix() if _inside(places, file) else str(file)


def _inside(places: Places, file: Path) -> bool:
    return file.resolve().is_relative_to(places.workspace.resolve())


def _add_outputs(picture: Picture) -> None:
    twin = picture.twin
    files = list_files(picture.places.outputs(twin.name))
    for file in files[:MOST_OUTPUTS]:
        path = f"data/{twin.name}/{file['path']}"
        picture.link(TWIN, picture.add(f"output:{file['path']}", "output", file["path"], path=path))
    if len(files) > MOST_OUTPUTS:
        rest = f"{len(files) - MOST_OUTPUTS} more files"
        picture.link(TWIN, picture.add("output:", "output", rest, path=f"data/{twin.name}"))
