"""The two images: what is in each, that people can begin with the small one, and what operators are told."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation
from tests.support.people import Person, make_person
from twinhub.images import Variant, image_name
from twinhub.tools import tools_of

IN_FULL = (
    "java -version && gcc --version && code-server --version && python -c 'import scipy, pandas, sklearn, onnxruntime'"
)
TWIN = "mass-spring-damper"


def run_in(image: str, script: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", "run", "--rm", "--env", "NB_USER=ada", image, "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_first_twin_lives_its_whole_life_in_the_small_image(installation: Installation) -> None:
    """It is given to everybody, so it must run wherever it is given."""
    image = image_name(installation.places.settings.name, Variant.MINIMAL)
    phases = " && ".join(f"twin run {TWIN} {phase}" for phase in ("create", "execute", "analyze", "evolve", "clean"))
    done = run_in(image, phases)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "damper between the masses" in done.stdout


def test_minimal_is_small_and_full_is_full(installation: Installation) -> None:
    """Somebody who tries the platform waits for the one, engineers work in the other."""
    installation.wait_for_image("full")
    rows = {row["variant"]: row for row in json.loads(installation.twinhub("image", "list", "--json").stdout)}
    assert rows["minimal"]["size_mb"] < min(1300, rows["full"]["size_mb"] / 2)
    assert rows["minimal"]["build_s"] > 0
    full, minimal = (image_name(installation.places.settings.name, variant) for variant in ("full", "minimal"))
    done = run_in(full, IN_FULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run_in(minimal, "command -v code-server java gcc").stdout == ""


@pytest.fixture
def otto(installation: Installation) -> Iterator[Person]:
    person = make_person(installation, "otto")
    yield person
    person.stop_workspace()
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


def test_people_work_in_minimal_until_full_is_there(otto: Person, installation: Installation, inside: Shell) -> None:
    """The platform is ready in the first minute; tools that are still under way are named, not missing."""
    installation.wait_for_image("full")
    full = image_name(installation.places.settings.name, Variant.FULL)
    subprocess.run(["docker", "tag", full, f"{full}-aside"], check=True)
    subprocess.run(["docker", "rmi", "--no-prune", full], check=True, capture_output=True)
    try:
        otto.start_workspace()
        assert inside(otto, "cat /opt/twinhub/variant").stdout.strip() == "minimal"
        for tool in set(tools_of("full")) - set(tools_of("minimal")):
            answer = otto.ask("GET", f"/user/otto/{tool.path}")
            assert (answer.status_code, "in the image <i>full" in answer.text) == (404, True), tool
        assert json.loads(installation.twinhub("image", "list", "--json").stdout)[1]["state"] == "missing"
    finally:
        subprocess.run(["docker", "tag", f"{full}-aside", full], check=True)
        subprocess.run(["docker", "rmi", "--no-prune", f"{full}-aside"], check=True, capture_output=True)
    otto.stop_workspace()
    otto.start_workspace()
    assert inside(otto, "cat /opt/twinhub/variant").stdout.strip() == "full"
