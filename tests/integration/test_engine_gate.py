"""The gate before the real engine: attacked as somebody who has taken over the hub's account."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person

Ask = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def ask(installation: Installation) -> Ask:
    """Send the gate a request of any shape, as bytes; give the status and what was said."""
    path = str(installation.places.engine_gate_socket)

    def send(first: str, *headers: str, body: bytes = b"") -> tuple[int, str]:
        head = "\r\n".join((f"{first} HTTP/1.1", "Host: gate", "Connection: close", *headers, "", ""))
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(path)
            connection.sendall(head.encode("latin-1") + body)
            said = b""
            while part := connection.recv(65536):
                said += part
        return int(said.split()[1]), said.decode(errors="replace")

    return send


@pytest.fixture(scope="module")
def good(marie: Person) -> dict[str, Any]:
    """The body of a workspace as the hub makes them, told by one that is there."""
    about = docker.from_env().containers.get(marie.container).attrs
    host = about["HostConfig"]
    known = ("Binds", "NetworkMode", "Memory", "MemorySwap", "PidsLimit", "CpuQuota", "CpuPeriod", "IpcMode", "CapAdd")
    return {
        "Image": about["Config"]["Image"],
        "Labels": {name: value for name, value in about["Config"]["Labels"].items() if name != "twinhub.inputs"},
        "HostConfig": {
            **{name: host[name] for name in known},
            "Mounts": [{**host["Mounts"][0], "ReadOnly": True}],
            "CapDrop": ["ALL"],
            "LogConfig": host["LogConfig"],
        },
    }


def create(ask: Ask, person: Person, body: dict[str, Any] | bytes) -> tuple[int, str]:
    """Ask for another container of somebody's."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    name = f"{person.container}.SERVER.attack"
    return ask(f"POST /v1.41/containers/create?name={name}", f"Content-Length: {len(content)}", body=content)


def test_the_way_of_the_hub_is_open(ask: Ask, marie: Person, good: dict[str, Any]) -> None:
    """Or the refusals below would prove nothing: this body passes, and the container is this installation's own."""
    client = docker.from_env()
    home = Path(good["HostConfig"]["Binds"][-1].split(":")[0])
    named = home.with_name(f"{marie.name}.SERVER.attack")
    assert ask(f"POST /twinhub/owners/{marie.name}/attack", "Content-Length: 0")[0] == 200
    binds = [bind.replace(f"{home}:", f"{named}:") for bind in good["HostConfig"]["Binds"]]
    body = {**good, "HostConfig": {**good["HostConfig"], "Binds": binds}}
    try:
        status, said = create(ask, marie, body)
        assert status == 201, said
        made = client.containers.get(f"{marie.container}.SERVER.attack").attrs["HostConfig"]
        assert not made["Privileged"]
        assert ask(f"DELETE /v1.41/containers/{marie.container}.SERVER.attack")[0] == 204
    finally:
        named.rmdir()
    with pytest.raises(docker.errors.NotFound):
        client.containers.get(f"{marie.container}.SERVER.attack")


ESCAPES: dict[str, dict[str, Any]] = {
    "privileged": {"Privileged": True},
    "privileged, spelt as Go reads it too": {"privileged": True},
    "the host's root": {"Binds": ["/:/workspace:rw"]},
    "the engine's socket": {"Binds": ["/var/run/docker.sock:/workspace:rw"]},
    "another's processes": {"PidMode": "host"},
    "the host's network": {"NetworkMode": "host"},
    "a capability": {"CapAdd": ["SYS_ADMIN"]},
    "no seccomp": {"SecurityOpt": ["seccomp=unconfined"]},
    "a device": {"Devices": [{"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/kmsg", "CgroupPermissions": "rwm"}]},
    "a kernel setting": {"Sysctls": {"net.ipv4.ip_forward": "1"}},
}


@pytest.mark.parametrize("change", ESCAPES.values(), ids=ESCAPES.keys())
def test_no_container_with_more_than_a_workspace_has_is_made(
    ask: Ask, marie: Person, good: dict[str, Any], change: dict[str, Any]
) -> None:
    """A hub that somebody has taken over would be root on the machine."""
    status, said = create(ask, marie, {**good, "HostConfig": {**good["HostConfig"], **change}})
    assert status == 403, said
    assert "engine gate refuses" in said


def test_a_second_reading_of_the_body_finds_nothing(ask: Ask, marie: Person, good: dict[str, Any]) -> None:
    """The engine takes the last of two keys, and keys in any letters."""
    text = json.dumps(good)
    assert create(ask, marie, text[:-1].encode() + b', "HostConfig": {"Privileged": true}}')[0] == 403
    assert create(ask, marie, text[:-1].encode() + b', "hostconfig": {"Privileged": true}}')[0] == 403


def test_a_link_in_the_place_of_a_folder_is_not_mounted(
    ask: Ask, marie: Person, good: dict[str, Any], installation: Installation
) -> None:
    """The library's account could put one there, and the engine would follow it as root."""
    link = installation.places.files / "eve"
    link.symlink_to("/etc")
    try:
        body = {**good, "Labels": {**good["Labels"], "twinhub.owner": "eve"}}
        body["HostConfig"] = {**good["HostConfig"], "Binds": [f"{link}:/workspace:rw"]}
        content = json.dumps(body).encode()
        name = f"{installation.places.settings.name}-workspace-eve"
        status, said = ask(
            f"POST /v1.41/containers/create?name={name}", f"Content-Length: {len(content)}", body=content
        )
        assert status == 403, said
        assert "is not a folder" in said
    finally:
        link.unlink()


ELSEWHERE = (
    "GET /v1.41/containers/json?all=1",
    "GET /v1.41/info",
    "GET /v1.41/images/json",
    "POST /v1.41/images/create?fromImage=debian",
    "POST /v1.41/build",
    "POST /v1.41/swarm/init",
    "POST /v1.41/plugins/pull?remote=x",
    "POST /v1.41/volumes/create",
    "POST /v1.41/networks/create",
    "POST /v1.41/commit?container=x",
    "GET /v1.41/events",
    "POST /session",
    "GET /v1.41/../info",
    "GET /v1.41/%69nfo",
    "GET http://gate/v1.41/info",
    "OPTIONS /v1.41/info",
)


@pytest.mark.parametrize("first", ELSEWHERE)
def test_nothing_else_of_the_engine_can_be_reached(ask: Ask, first: str) -> None:
    """Each is a way to the host, or tells of others."""
    assert ask(first, "Content-Length: 0")[0] in (400, 403, 404)


@pytest.mark.parametrize("action", ["json", "logs?stdout=1", "stats?stream=0"])
def test_containers_of_others_are_not_shown(ask: Ask, action: str) -> None:
    """Another installation, or anything else on the same engine."""
    client = docker.from_env()
    image = next(image for image in client.images.list() if image.tags)
    other = client.containers.create(image.tags[0], labels={"twinhub.installation": "somebody-elses"})
    try:
        for name in (other.name, other.id, other.id[:12]):
            status, said = ask(f"GET /v1.41/containers/{name}/{action}")
            assert status == 403, said
        assert ask(f"DELETE /v1.41/containers/{other.id}?force=1")[0] == 403
        assert ask(f"POST /v1.41/containers/{other.id}/start", "Content-Length: 0")[0] == 403
    finally:
        other.remove(force=True)


@pytest.mark.parametrize("task", ["exec", "attach?stream=1", "update", "rename?name=x", "archive?path=/"])
def test_a_workspace_cannot_be_entered_from_outside(ask: Ask, marie: Person, task: str) -> None:
    """The hub starts and stops containers; it has no business inside."""
    assert ask(f"POST /v1.41/containers/{marie.container}/{task}", "Content-Length: 2", body=b"{}")[0] == 403


def test_a_request_behind_a_request_is_a_request_of_its_own(ask: Ask, marie: Person) -> None:
    """Two readers that disagree on where a body ends would let the second through unread."""
    hidden = b"GET /v1.41/info HTTP/1.1\r\nHost: engine\r\n\r\n"
    first = f"POST /v1.41/containers/{marie.container}/wait?condition=not-running"
    for headers in (
        (f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Content-Length: 0", f"Content-Length: {len(hidden)}"),
        ("Transfer-Encoding : chunked",),
        (f"Content-Length: {len(hidden)}",),
    ):
        status, said = ask(first, *headers, body=hidden)
        assert status in (400, 403), headers
        assert "ServerVersion" not in said


def test_a_connection_is_not_handed_over(ask: Ask, marie: Person) -> None:
    """After an upgrade nobody reads along any more."""
    status, said = ask("GET /v1.41/version", "Upgrade: tcp", "Content-Length: 0")
    assert status in (400, 403), said


def test_only_the_hubs_account_may_connect(installation: Installation) -> None:
    """The library and the pages read what strangers send; the gateway too."""
    places = installation.places
    if not places.settings.installed_by_root:
        pytest.skip("an installation of somebody who is not root has one account")
    script = f"import socket; socket.socket(socket.AF_UNIX).connect({str(places.engine_gate_socket)!r})"
    for account in (places.settings.workspace_user_id, places.gateway_user_id, 65534):
        done = subprocess.run([sys.executable, "-c", script], user=account, group=account, extra_groups=[], check=False)
        assert done.returncode != 0, account
    done = subprocess.run(
        [sys.executable, "-c", script], user=places.hub_user_id, group=places.hub_user_id, extra_groups=[], check=False
    )
    assert done.returncode == 0


def test_the_hub_is_neither_root_nor_able_to_become_it(installation: Installation) -> None:
    """Its code reads what everybody sends."""
    places = installation.places
    states = json.loads(installation.twinhub("status", "--json").stdout)["processes"]
    pid = next(state["pid"] for state in states if state["name"] == "hub")
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    assert set(facts["Uid"].split()) == {str(places.hub_user_id)}
    assert facts["NoNewPrivs"].strip() == "1"
    assert int(facts["CapEff"], 16) == int(facts["CapInh"], 16) == 0
    assert {file.stat().st_uid for file in places.hub.iterdir()} == {places.hub_user_id}


def test_the_hub_survives_the_gates_death_and_says_so(installation: Installation, marie: Person) -> None:
    """Killing it must hurt nobody who works, and it must come back by itself."""

    def gate() -> int:
        states = json.loads(installation.twinhub("status", "--json", check=False).stdout)["processes"]
        return next((state["pid"] for state in states if state["name"] == "engine-gate"), 0)

    before = gate()
    os.kill(before, signal.SIGKILL)
    assert marie.ask("GET", f"/user/{marie.name}/api/status").status_code == 200
    wait_until(lambda: gate() not in (0, before), 30, "the gate's return")
    assert marie.workspace_ready()


def test_the_gate_costs_a_few_milliseconds(ask: Ask, marie: Person) -> None:
    """A start makes about ten calls; printed, and bounded far above what it takes."""
    direct = docker.APIClient(version="1.41")
    times = {}
    for name, call in {
        "engine": lambda: direct.inspect_container(marie.container),
        "gate": lambda: ask(f"GET /v1.41/containers/{marie.container}/json"),
    }.items():
        taken = []
        for _ in range(20):
            begun = time.monotonic()
            call()
            taken.append(time.monotonic() - begun)
        times[name] = sorted(taken)[10] * 1000
    print(f"inspecting a container: engine {times['engine']:.1f} ms, through the gate {times['gate']:.1f} ms")
    assert times["gate"] - times["engine"] < 250


def test_refusals_stand_in_the_log_without_tokens(installation: Installation, ask: Ask, marie: Person) -> None:
    """An operator sees that somebody tries; nobody finds a token there."""
    body = json.dumps({"Image": "x", "Env": ["JUPYTERHUB_API_TOKEN=aa11bb22cc33"], "Privileged": True}).encode()
    create(ask, marie, body)
    said = installation.twinhub("logs", "engine-gate", "-n", "20").stdout
    assert "engine gate refuses" in said
    assert not re.search("aa11bb22cc33", said)


def test_a_person_who_takes_the_shared_folder_for_themselves_keeps_nobody_from_starting(
    marie: Person, pierre: Person, installation: Installation
) -> None:
    """With sudo in a workspace one may give it to any account; typed by mistake, that must not stop everybody."""
    common = installation.places.files / "common"
    user = installation.places.settings.workspace_user_id
    command = ["docker", "exec", "--user", "0", marie.container, "bash", "-c"]
    pierre.stop_workspace()
    for script in ("chown 59000:59000 /workspace /workspace/common", "chmod 0700 /workspace/common"):
        subprocess.run([*command, script], check=True)
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()
    about = common.stat()
    assert (about.st_uid, about.st_gid, about.st_mode & 0o7777) == (0, user, 0o775)
