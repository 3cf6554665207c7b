"""The operator's command against a running platform."""

import json

import pytest

from tests.integration.test_refusals import refused
from tests.support.installation import ROOT, Installation
from tests.support.people import Person
from twinhub.settings import parse_settings


def test_doctor_finds_nothing_on_a_platform_that_is_well(installation: Installation) -> None:
    """Each of the things it checks is named, so that a person knows what was looked at."""
    findings = json.loads(installation.twinhub("doctor", "--json").stdout)
    assert all(finding["ok"] for finding in findings if finding["section"] == "health")
    names = {finding["name"] for finding in findings}
    assert {"engine", "disk", "image", "certificates", "secrets", "hub", "gateway", "libms", "web"} <= names


def test_doctor_names_what_is_wrong_and_the_remedy(installation: Installation) -> None:
    """A secret that others can read is an open door."""
    secret = installation.places.secrets / "operator"
    secret.chmod(0o644)
    try:
        done = installation.twinhub("doctor", check=False)
    finally:
        secret.chmod(0o600)
    assert done.returncode == 1
    assert f"chmod 600 {secret}" in done.stdout


def test_status_and_logs_show_every_part(installation: Installation) -> None:
    """Where operators look first."""
    content = json.loads(installation.twinhub("status", "--json").stdout)
    assert {process["name"] for process in content["processes"]} >= {"gateway", "hub", "libms", "web", "watch"}
    assert all(process["well"] for process in content["processes"])
    assert {process["name"] for process in content["processes"] if process["state"] != "RUNNING"} <= {"image"}
    assert "hub" in installation.twinhub("logs").stdout.split()
    assert "JupyterHub" in installation.twinhub("logs", "hub", "-n", "200").stdout
    refused(installation.twinhub("logs", "nosuch", check=False), "nosuch", "hub")


def test_no_secret_stands_in_a_log_or_on_a_command_line(installation: Installation, marie: Person) -> None:
    """Logs are copied into tickets, command lines are seen by everybody on the machine."""
    secrets = [file.read_text().strip() for file in installation.places.secrets.iterdir()]
    secrets += [marie.token, marie.password]
    logs = "".join(file.read_text(errors="replace") for file in installation.places.log.iterdir() if file.is_file())
    lines = installation.twinhub("status").stdout
    assert not [secret for secret in secrets if len(secret) > 8 and (secret in logs or secret in lines)]


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("user", "add", "marie", "--password-stdin"), "long enough 1\n", "marie"),
        (("user", "add", "root/..", "--password-stdin"), "long enough 1\n", "root/.."),
        (("user", "add", "paul", "--password-stdin"), "short\n", "10"),
        (("user", "remove", "nosuch", "--yes"), "", "nosuch"),
        (("user", "password", "nosuch", "--password-stdin"), "long enough 1\n", "nosuch"),
    ],
)
def test_accounts_that_cannot_be_are_refused_in_one_line(
    installation: Installation, marie: Person, words: tuple[str, ...], given: str, said: str
) -> None:
    """And the account that is there keeps its password."""
    refused(installation.twinhub(*words, given=given, check=False), said)
    assert marie.ask("GET", "/hub/api/user").status_code == 200


def test_the_example_configuration_is_one(installation: Installation) -> None:
    """What it prints can be used as it stands."""
    parse_settings(installation.twinhub("config", "example").stdout)


def test_what_examples_share_is_installed_with_each(installation: Installation) -> None:
    """A new twin from an example needs its functions, which other examples have too."""
    examples = next((installation.data_dir / "app").glob("*/src/examples"))
    shared = [link.relative_to(ROOT / "examples") for link in (ROOT / "examples").rglob("*") if link.is_symlink()]
    assert shared
    assert [link for link in shared if not (examples / link).exists()] == []
