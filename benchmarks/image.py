"""`python -m benchmarks.image --data-dir DIR`: sizes of the workspace images, and how long a build takes.

Builds with the engine's cache as it is, so a second run tells what an edit of
our own files costs: it changes one of them in a copy of the build context. What
a build from nothing takes is what `twinhub image list` says after an installation.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import docker

from twinhub.images import Variant, image_name
from twinhub.operate.image import list_images
from twinhub.operate.image.base import ensure_base
from twinhub.operate.image.building import BuildOrder, build_command, builder_environment
from twinhub.operate.image.context import build_context
from twinhub.places import Places, read_places


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    places = read_places(parser.parse_args().data_dir)
    for row in list_images(places):
        took = f"{row.build_s:.0f} s" if row.build_s else "-"
        print(f"{row.variant:<8} {row.state:<8} {row.size_mb or 0:>6} MB   last build {took}")
    for variant in Variant:
        print(f"{variant:<8} an edit of our own files {_edited(places, variant):8.1f} s")


def _edited(places: Places, variant: Variant) -> float:
    with build_context(places) as context, tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "context"
        shutil.copytree(context, changed)
        (changed / "own" / "profile.sh").write_text(f"# {time.time()}\n")
        base = ensure_base(docker.from_env(), places.settings.name, print)
        order = BuildOrder(places, variant, "benchmark", background=False)
        command = build_command(order, base)
        name = f"{image_name(places.settings.name, variant)}-benchmark"
        command[command.index("--tag") + 1] = name
        started = time.monotonic()
        subprocess.run(
            [*command, str(changed)], env={**os.environ, **builder_environment()}, check=True, capture_output=True
        )
        took = time.monotonic() - started
        subprocess.run(["docker", "rmi", name], check=True, capture_output=True)
    return took


if __name__ == "__main__":
    main()
