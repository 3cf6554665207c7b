"""What there is of images: sizes, build times, what is under way."""

from __future__ import annotations

from dataclasses import dataclass

import docker
import docker.errors

from twinhub.images import Variant, image_name
from twinhub.operate.image.building import due_variants, wanted_variants
from twinhub.operate.image.records import read_record, somebody_builds
from twinhub.places import Places


@dataclass(frozen=True)
class ImageRow:
    """One variant."""

    variant: str
    image: str
    state: str
    """ready, outdated (an older one is used meanwhile), building, failed, missing, unwanted."""
    size_mb: int | None
    build_s: float | None
    note: str


def list_images(places: Places) -> list[ImageRow]:
    """Give all variants; raises DockerException where no engine answers."""
    due, wanted, building = due_variants(places), wanted_variants(places), somebody_builds(places)
    return [
        _row(places, variant, due=variant in due, wanted=variant in wanted, building=building) for variant in Variant
    ]


def _row(places: Places, variant: Variant, *, due: bool, wanted: bool, building: bool) -> ImageRow:
    name, record = image_name(places.settings.name, variant), read_record(places, variant)
    size_mb = _size_mb(name)
    state, note = "ready", ""
    if building and record.state == "building":
        state, note = "building", record.doing
    elif due and record.state == "failed":
        state, note = "failed", record.doing
    elif size_mb is None:
        state = "missing" if wanted else "unwanted"
        note = "'twinhub up' builds it" if wanted else "no profile uses it"
    elif due:
        state, note = "outdated", "used until 'twinhub up' has built the next one"
    return ImageRow(str(variant), name, state, size_mb, record.took_s, note)


def _size_mb(name: str) -> int | None:
    client = docker.from_env(timeout=60)
    try:
        return int(client.images.get(name).attrs["Size"]) // 1_000_000
    except docker.errors.ImageNotFound:
        return None
    finally:
        client.close()
