"""Three simulated people do what hundreds would, and leave nothing behind."""

import json
import signal
import subprocess

import docker

from tests.support.installation import Installation, wait_until


def traces(installation: Installation) -> list[str]:
    """Name everything that simulated people have left."""
    places = installation.places
    client = docker.from_env()
    prefix = f"{places.settings.name}-workspace-scaletest-"
    found = [one.name for one in client.containers.list(all=True, ignore_removed=True) if one.name.startswith(prefix)]
    client.close()
    found += [entry.name for folder in (places.files, places.homes) for entry in folder.glob("scaletest-*")]
    return found + [
        word for word in installation.twinhub("user", "list").stdout.split() if word.startswith("scaletest-")
    ]


def test_three_people_come_work_and_are_gone(installation: Installation) -> None:
    """An operator wants to know what the machine bears before people find out."""
    done = installation.twinhub("scaletest", "--people", "3", "--per-second", "3", "--stay", "1", "--json", check=False)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["failures"] == {}, done.stderr
    assert {step: row["count"] for step, row in figures["steps"].items() if step != "answer"} == {
        "sign_in": 3,
        "page": 3,
        "workspace": 3,
        "kernel": 3,
    }
    assert figures["sockets"] == {"open": 3, "lost": 0}
    assert set(figures["memory_bytes"]["with everybody"]) == {"hub", "gateway"}
    assert traces(installation) == []


def test_ctrl_c_leaves_nothing_behind(installation: Installation) -> None:
    """A test that takes too long is ended by hand, and must not leave accounts that can sign in."""
    command = [str(installation.command), "--data-dir", str(installation.data_dir), "scaletest", "--people", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until((installation.places.files / "scaletest-0001").exists, 60, "the first workspace's folder")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode != 0
    assert traces(installation) == []


def test_more_people_than_memory_bears_are_refused(installation: Installation) -> None:
    """A test must not take the server down."""
    done = installation.twinhub("scaletest", "--people", "2000", check=False)
    assert done.returncode == 1
    assert "of memory" in done.stderr
