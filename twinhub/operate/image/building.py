"""Build a variant unless one with the same inputs is there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import docker.errors

from twinhub.images import Variant, image_name
from twinhub.operate.image.base import ensure_base
from twinhub.operate.image.command import Progress, run
from twinhub.operate.image.context import build_context, digest
from twinhub.operate.image.errors import ImageNotBuilt
from twinhub.operate.image.records import BuildRecord, build_turn, change_record, now, read_record, write_record
from twinhub.operate.volumes import ensure_server_volume
from twinhub.places import Places
from twinhub.profiles import all_profiles

INPUTS_LABEL: Final = "twinhub.inputs"
LONGEST_PAUSE_S: Final = 3600
BACKGROUND_SHARES: Final = "256"
"""A quarter of what others get, so that people who work already notice little of a build."""


@dataclass(frozen=True)
class ImageResult:
    """What came of it."""

    image_id: str
    built: bool
    size_mb: int
    took_s: float = 0.0


@dataclass(frozen=True)
class BuildOrder:
    """What is to be built."""

    places: Places
    variant: Variant
    inputs: str
    """The digest that the image is labelled with."""
    background: bool


def wanted_variants(places: Places) -> tuple[Variant, ...]:
    """Give the variants that workspaces are made from; `minimal` always, as it stands in for the others."""
    chosen = {Variant(profile.image) for profile in all_profiles(places.settings)}
    return tuple(variant for variant in Variant if variant is Variant.MINIMAL or variant in chosen)


def inputs_of(places: Places, variant: Variant) -> str:
    """Give the digest of all that the variant is made from now."""
    with build_context(places) as context:
        return digest(context, variant, places.settings.workspace_user_id)


def due_variants(places: Places) -> tuple[Variant, ...]:
    """Give the wanted variants whose image is missing or made from something else."""
    inputs = {}
    with build_context(places) as context:
        for variant in wanted_variants(places):
            inputs[variant] = digest(context, variant, places.settings.workspace_user_id)
    client = docker.from_env(timeout=60)
    try:
        return tuple(variant for variant in inputs if _find(client, places, variant, inputs[variant]) is None)
    finally:
        client.close()


def ensure_image(places: Places, variant: Variant, report: Progress, *, background: bool = False) -> ImageResult:
    """Build the image unless one with the same inputs is there; raises ImageNotBuilt."""
    client = docker.from_env(timeout=60)
    try:
        with build_context(places) as context:
            inputs = digest(context, variant, places.settings.workspace_user_id)
            found = _find(client, places, variant, inputs)
            if found is None:
                with build_turn(places):
                    order = BuildOrder(places, variant, inputs, background)
                    # Whoever had the turn before may have built just this.
                    found = _find(client, places, variant, inputs) or _build(client, order, context, report)
            ensure_server_volume(places, found.image_id)
            return found
    finally:
        client.close()


def build_rest(places: Places, report: Progress, pause: Callable[[float], None] = time.sleep) -> None:
    """Build every wanted variant that is due; after a failure try again, ever less often, until all are there."""
    wait_s = 30.0
    while True:
        try:
            for variant in due_variants(places):
                result = ensure_image(places, variant, report, background=True)
                report(f"{variant} is built: {result.size_mb} MB in {result.took_s:.0f} s")
            return
        except Exception as error:
            # Whatever it was, supervisord would start this again at once, and again.
            report(f"{getattr(error, 'what', repr(error))} The next try comes in {wait_s:.0f} s.")
            pause(wait_s)
            wait_s = min(2 * wait_s, LONGEST_PAUSE_S)


def _find(client: docker.DockerClient, places: Places, variant: Variant, inputs: str) -> ImageResult | None:
    try:
        image = client.images.get(image_name(places.settings.name, variant))
    except docker.errors.ImageNotFound:
        return None
    if image.labels.get(INPUTS_LABEL) != inputs:
        return None
    return ImageResult(str(image.id), False, int(image.attrs["Size"]) // 1_000_000)


def _build(client: docker.DockerClient, order: BuildOrder, context: Path, report: Progress) -> ImageResult:
    """Build, keeping the record of it up to date; raises ImageNotBuilt."""
    places, variant = order.places, order.variant

    def tell(words: str) -> None:
        change_record(places, variant, doing=words)
        report(words)

    before = read_record(places, variant)
    write_record(places, variant, BuildRecord("building", "getting ready", now(), before.took_s))
    started = time.monotonic()
    try:
        base = ensure_base(client, places.settings.name, tell)
        command = [*build_command(order, base), str(context)]
        run(command, tell, "the workspace image could not be built", builder_environment())
        result = _find(client, places, variant, order.inputs)
        if result is None:
            name = image_name(places.settings.name, variant)
            raise ImageNotBuilt(f"The image {name} was built and is not there.", "Look at 'docker images'.")
    except BaseException as error:
        change_record(places, variant, state="failed", doing=str(getattr(error, "what", error)) or "interrupted")
        raise
    took_s = time.monotonic() - started
    change_record(places, variant, state="ready", doing="", took_s=round(took_s, 1))
    return ImageResult(result.image_id, True, result.size_mb, took_s)


def build_command(order: BuildOrder, base: str) -> list[str]:
    """Give the engine's command, all but the folder at its end."""
    settings = order.places.settings
    arguments = {"BASE": base, "WORKSPACE_UID": str(settings.workspace_user_id)}
    arguments |= {key: os.environ[key] for key in ("http_proxy", "https_proxy", "no_proxy") if os.environ.get(key)}
    command = ["docker", "build", "--target", str(order.variant), "--tag", image_name(settings.name, order.variant)]
    command += ["--label", f"{INPUTS_LABEL}={order.inputs}"]
    if order.background and not client_has_buildkit():
        command += ["--cpu-shares", BACKGROUND_SHARES]
    for key, value in arguments.items():
        command += ["--build-arg", f"{key}={value}"]
    return command


def builder_environment() -> dict[str, str]:
    """Ask for BuildKit, which builds stages side by side, where the client has it; the classic builder is everywhere."""
    return {"DOCKER_BUILDKIT": "1" if client_has_buildkit() else "0", "BUILDKIT_PROGRESS": "plain"}


def client_has_buildkit() -> bool:
    """Tell whether the client can use BuildKit: by a plugin, or built in as before version 23."""
    if os.environ.get("DOCKER_BUILDKIT") == "0":
        return False
    plugin = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return True
    asked = ["docker", "version", "--format", "{{.Client.Version}}"]
    version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    major = version.partition(".")[0]
    return major.isdecimal() and 18 < int(major) < 23
