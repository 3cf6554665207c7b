"""Twins: which there are, what they are made of, their pictures."""

from __future__ import annotations

import asyncio
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lifecycle.descriptor import DESCRIPTOR, Descriptor, DescriptorInvalid, Problem, check_text, read_reading
from lifecycle.errors import BadRequest, TwinNotFound
from lifecycle.models import Twin
from lifecycle.places import Places
from lifecycle.server.composition import compose
from lifecycle.server.operations import Answer, Call, Operation, Reply, World
from lifecycle.server.schemas import TEXT, answered, ref, sent, some
from lifecycle.twins import find_twin, list_twins

LARGEST_PICTURE_BYTES: Final = 8 * 1024 * 1024
PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
SAFE: Final = {
    # A picture may be an SVG with scripts in it: opened by itself it must not run as one of our pages.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


async def list_all(call: Call) -> Any:
    """`GET twins/`."""

    def look() -> list[dict[str, Any]]:
        return [in_short(call.world, twin) for twin in list_twins(call.world.places)]

    return {"twins": await asyncio.to_thread(look)}


async def show(call: Call) -> Any:
    """`GET twins/T`."""
    return await asyncio.to_thread(lambda: in_full(call.world, find_twin(call.world.places, call.twin)))


async def picture(call: Call) -> Reply:
    """`GET twins/T/picture`."""

    def look() -> Reply:
        twin = find_twin(call.world.places, call.twin)
        descriptor, _ = describe(twin)
        file = picture_of(call.world.places, twin, descriptor)
        if file is None:
            raise TwinNotFound(
                f"The twin {twin.name!r} has no picture.", "Name one in twin.yaml, as in picture: tank.png"
            )
        return picture_reply(file)

    return await asyncio.to_thread(look)


async def composition(call: Call) -> Any:
    """`GET twins/T/composition`."""

    def look() -> Any:
        twin = find_twin(call.world.places, call.twin)
        return compose(call.world.places, twin, describe(twin)[0])

    return await asyncio.to_thread(look)


async def check(call: Call) -> Any:
    """`POST twins/check`."""
    problems = await asyncio.to_thread(check_text, call.body["text"])
    return {"problems": [problem.as_json() for problem in problems]}


# --- how they look ------------------------------------------------------------------


def describe(twin: Twin) -> tuple[Descriptor, list[Problem]]:
    """Give what can be read of a twin's descriptor, and what is wrong with it."""
    try:
        status = (twin.path / DESCRIPTOR).stat()
    except OSError:
        return Descriptor(), []
    descriptor, problems = _described(
        twin.path, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    )
    return descriptor, [*problems]


@lru_cache(512)
def _described(folder: Path, _: tuple[int, ...]) -> tuple[Descriptor, tuple[Problem, ...]]:
    """Read a descriptor once for each state of its file: pages ask for all twins again and again."""
    try:
        reading = read_reading(folder)
    except DescriptorInvalid as error:
        return Descriptor(), error.problems
    return (reading.descriptor, tuple(reading.problems)) if reading is not None else (Descriptor(), ())


def in_short(world: World, twin: Twin) -> dict[str, Any]:
    """Give a twin as lists show it."""
    descriptor, problems = describe(twin)
    return _shown(world, twin, descriptor, problems)


def in_full(world: World, twin: Twin) -> dict[str, Any]:
    """Give a twin with all that its descriptor says."""
    descriptor, problems = describe(twin)
    return {
        **_shown(world, twin, descriptor, problems),
        "parameters": [parameter.as_json() for parameter in descriptor.parameters.values()],
        "uses": [use.as_json(world.places) for use in descriptor.uses],
        "phase_settings": {str(phase): settings.as_json() for phase, settings in descriptor.phases.items()},
        "services": [service.as_json() for service in descriptor.services],
        "ports": [port.as_json() for port in descriptor.ports],
        "cosimulation": descriptor.cosimulation.as_json() if descriptor.cosimulation else None,
    }


def _shown(world: World, twin: Twin, descriptor: Descriptor, problems: list[Problem]) -> dict[str, Any]:
    latest = world.runs.latest(twin.name, 1)
    return {
        "name": twin.name,
        "path": str(twin.path),
        "title": descriptor.title or twin.name,
        "description": descriptor.description,
        "picture": picture_of(world.places, twin, descriptor) is not None,
        "phases": [str(phase) for phase in twin.phases],
        "running": [run.as_json() for run in world.runs.running(twin.name)],
        "last_run": latest[0].as_json() if latest else None,
        "problems": [problem.as_json() for problem in problems],
    }


def picture_of(places: Places, twin: Twin, descriptor: Descriptor) -> Path | None:
    """Give a twin's picture: a file of the twin's own, or nothing."""
    if descriptor.picture is None:
        return None
    file = twin.path / descriptor.picture
    try:
        inside = file.resolve().is_relative_to(places.workspace.resolve())
        return file if inside and file.is_file() and mimetypes.guess_type(file.name)[0] in PICTURES else None
    except (OSError, ValueError, RuntimeError):
        return None


def picture_reply(file: Path) -> Reply:
    """Give a picture's bytes; raises BadRequest for one that is too large."""
    with file.open("rb") as stream:
        data = stream.read(LARGEST_PICTURE_BYTES + 1)
    if len(data) > LARGEST_PICTURE_BYTES:
        raise BadRequest(
            f"The picture {file.name} is larger than {LARGEST_PICTURE_BYTES // 1024**2} MiB.", "Make it smaller."
        )
    return Reply(data, media=mimetypes.guess_type(file.name)[0] or "image/png", headers=SAFE)


PICTURE: Final = Answer({"type": "string", "format": "binary"}, description="The picture.", media=PICTURES)

OPERATIONS: Final = (
    Operation("GET", "/", "listTwins", "All twins, with what runs and what ran last",
              list_all, Answer(answered({"twins": some(ref("Twin"))}))),
    Operation("GET", "/{twin}", "getTwin", "One twin with all that its descriptor says", show, Answer(ref("TwinInFull"))),
    Operation("GET", "/{twin}/picture", "getTwinPicture", "A twin's picture", picture, PICTURE),
    Operation("GET", "/{twin}/composition", "getComposition", "What a twin is made of, as nodes and links",
              composition, Answer(ref("Composition"))),
    Operation("POST", "/check", "checkDescriptor", "Name everything that is wrong with a twin.yaml",
              check, Answer(answered({"problems": some(ref("Problem"))})),
              body=sent({"text": {**TEXT, "maxLength": 256 * 1024}}, ("text",)), largest_body_bytes=4 * 1024 * 1024),
)  # fmt: skip
