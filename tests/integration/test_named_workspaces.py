"""Named workspaces: a second container and home of one's own, the same files, and removal that can be undone."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person, make_person


@pytest.fixture(scope="module")
def nora(installation: Installation) -> Iterator[Person]:
    """Somebody with a named workspace that runs."""
    person = make_person(installation, "nora")
    person.start_workspace(server="big")
    yield person
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


def run(container: str, script: str) -> str:
    done = subprocess.run(
        ["docker", "exec", "--user", "59000:59000", container, "bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def containers(person: Person) -> set[str]:
    """Name all containers that carry the person's label."""
    command = ["docker", "ps", "--all", "--format", "{{.Names}}", "--filter", f"label=twinhub.owner={person.name}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split() if name.startswith(person.container)}


def test_a_named_workspace_has_its_own_home_and_the_same_files(nora: Person, installation: Installation) -> None:
    """Two workspaces that shared a home would overwrite each other's runs."""
    container = f"{nora.container}.SERVER.big"
    run(container, "echo mine > /home/nora/note; echo shared > /workspace/data/from-big")
    assert (installation.places.homes / "nora.SERVER.big/note").read_text() == "mine\n"
    assert not (installation.places.homes / "nora/note").exists()
    assert (installation.places.files / "nora/data/from-big").read_text() == "shared\n"
    assert nora.ask("GET", "/user/nora/big/api/status").status_code == 200
    assert nora.ask("GET", "/user/nora/big/twins/").status_code == 200


def test_what_a_named_workspace_may_be_called_is_checked(nora: Person) -> None:
    """Its name becomes a container, a folder and an address."""
    for name in ("..", "a.b", "A", "-a", "x" * 22, "%2e%2e%2fmarie", "a%00b", "ä"):
        nora.ask("POST", f"/hub/api/users/nora/servers/{name}", json={})
        nora.ask("GET", f"/hub/api/users/nora/servers/{name}/progress")
        nora.ask("DELETE", f"/hub/api/users/nora/servers/{name}", json={"remove": True})
    assert containers(nora) == {f"{nora.container}.SERVER.big"}
    assert set(nora.ask("GET", "/hub/api/users/nora?include_stopped_servers").json()["servers"]) <= {"", "big"}


def test_one_may_not_have_more_than_the_operator_allows(nora: Person) -> None:
    """Each holds memory and disk."""
    made = [nora.ask("PUT", f"/hub/api/users/nora/servers/more{number}", json={}) for number in range(3)]
    assert [answer.status_code for answer in made] == [201, 201, 400]
    assert "maximum of 3" in made[2].json()["message"]
    for number in range(2):
        nora.ask("DELETE", f"/hub/api/users/nora/servers/more{number}", json={"remove": True})


def test_a_named_workspace_keeps_its_name(nora: Person) -> None:
    """Its home would stay behind under the old one."""
    nora.ask("PUT", "/hub/api/users/nora/servers/idle", json={})
    answer = nora.ask("PATCH", "/hub/api/users/nora/servers/idle", json={"name": "other"})
    assert answer.status_code == 400
    assert "keeps its name" in answer.json()["message"]
    nora.ask("DELETE", "/hub/api/users/nora/servers/idle", json={"remove": True})


def test_the_address_of_one_that_does_not_run_says_so_while_another_runs(nora: Person) -> None:
    """The person's own workspace has all addresses below their name, and knows nothing of the others."""
    nora.start_workspace()
    nora.stop_workspace("big")
    page = nora.http.get("/user/nora/big/lab", follow_redirects=True, headers={"Accept": "text/html"})
    assert page.url.path == "/hub/user/nora/big/lab"
    assert "Your workspace &#39;big&#39;" in page.text
    assert nora.ask("GET", "/user/nora/api/status").status_code == 200
    nora.start_workspace(server="big")
    assert nora.ask("GET", "/user/nora/big/api/status").json()["started"]
    nora.stop_workspace()


def test_a_removed_workspace_is_back_under_its_name(nora: Person, installation: Installation) -> None:
    """Somebody always removes the wrong one."""
    home = installation.places.homes / "nora.SERVER.big"
    nora.ask("DELETE", "/hub/api/users/nora/servers/big", json={"remove": True})
    wait_until(lambda: f"{nora.container}.SERVER.big" not in containers(nora), 60, "the removal of the container")
    wait_until(lambda: not home.exists(), 10, "the removal of the home")
    assert (installation.places.files / "nora/data/from-big").exists()
    nora.start_workspace(server="big")
    assert (home / "note").read_text() == "mine\n"


def test_an_account_takes_all_its_containers_along_and_leaves_its_files(installation: Installation) -> None:
    """What is left of people who went must not fill the server; what they made may be needed."""
    person = make_person(installation, "otto")
    person.start_workspace(server="side")
    assert containers(person)
    installation.twinhub("user", "remove", "otto", "--yes")
    person.http.close()
    wait_until(lambda: not containers(person), 30, "the removal of the containers")
    assert (installation.places.files / "otto/data").is_dir()
