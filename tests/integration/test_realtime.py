"""Real-time twins of an installed platform: models run in their owner's container, and nothing of it is anybody else's."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import nats
import pytest
from nats.aio.client import Client

from tests.support.installation import Installation, wait_until
from tests.support.people import Person, make_person

MODEL = '''
import os
import socket

from realtime import Context, Message, Twin, on_message


class Say(Message):
    text: str


class Echo(Twin):
    """Answers with where it runs."""

    heard: int = 0
    last: str = ""

    @on_message(Say)
    def hear(self, message: Say, context: Context) -> None:
        self.heard += 1
        self.last = message.text
        context.reply({"heard": self.heard, "on": socket.gethostname(), "as": os.getuid()})
'''
STARTS_S = 120
COMES_BACK_S = 60


class Owner:
    """Somebody with a model."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.container = f"{person.container}.SERVER.realtime"

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.person.ask(method, f"/realtime/{self.person.name}{path}", **options)

    def deploy(self) -> dict[str, Any]:
        token = {"Authorization": f"token {self.person.token}"}
        url = f"{self.person.installation.url}/realtime/{self.person.name}/models"
        body = {"files": {"echo.py": MODEL}, "entry": "echo.py"}
        answer = httpx2.post(url, json=body, headers=token, timeout=STARTS_S + 30, trust_env=False)
        assert answer.status_code == 201, answer.text
        wait_until(lambda: self.state() == "running", COMES_BACK_S, "the model", pause_s=0.5)
        deployed: dict[str, Any] = answer.json()
        return deployed

    def state(self) -> str:
        return str(self.ask("GET", "/models/Echo").json()["state"])

    def say(self, instance: str, text: str) -> dict[str, Any]:
        """Send, wait for the reply, give it."""
        answer = self.ask("POST", f"/models/Echo/instances/{instance}/messages?wait_s=20", json={"text": text})
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()["replies"][0]["content"]
        return reply

    def heard(self, instance: str) -> int:
        answer = self.ask("GET", f"/models/Echo/instances/{instance}")
        return int(answer.json()["state"]["heard"]) if answer.status_code == 200 else 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the workspace `realtime`, as its owner."""
        uid = str(self.person.installation.places.settings.workspace_user_id)
        words = ["docker", "exec", "--user", f"{uid}:{uid}", "--env", f"HOME=/home/{self.person.name}", self.container]
        return subprocess.run([*words, *command], capture_output=True, text=True, check=False, timeout=60)

    def way(self) -> dict[str, Any]:
        """Give what the workspace is told about the broker, asked from within it."""
        script = 'curl -s -H "Authorization: token $JUPYTERHUB_API_TOKEN" ${JUPYTERHUB_API_URL%/hub/api}/realtime/worker-access'
        found: dict[str, Any] = json.loads(self.run("bash", "-c", script).stdout)
        return found


@pytest.fixture(scope="module")
def ada(installation: Installation) -> Iterator[Owner]:
    """Whose model runs."""
    yield from _owner(installation, "realada")


@pytest.fixture(scope="module")
def bob(installation: Installation) -> Iterator[Owner]:
    """Somebody else, with a model of the same name."""
    yield from _owner(installation, "realbob")


def _owner(installation: Installation, name: str) -> Iterator[Owner]:
    person = make_person(installation, name)
    owner = Owner(person)
    try:
        owner.deploy()
        yield owner
    finally:
        person.http.close()
        installation.twinhub("user", "remove", name, "--yes")
        installation.twinhub("user", "purge", name, "--yes")


def test_a_model_runs_in_its_owners_container(ada: Owner) -> None:
    """Code of anybody's in the service would hold everybody's messages in its hands."""
    reply = ada.say("one", "hello")
    assert reply["heard"] == 1
    assert reply["on"] == "workspace"
    assert reply["as"] == ada.person.installation.places.settings.workspace_user_id
    assert ada.heard("one") == 1


def test_killed_workers_and_hosts_come_back_with_every_state(ada: Owner) -> None:
    """Whatever is killed, no message that was accepted is lost, and none counts twice."""
    before = ada.heard("two")
    for number, victim in enumerate(("realtime.worker", "realtime.host", "realtime")):
        kill = ("pkill", "-9", "-f", f"python3 -m {victim}")
        # The one before may be on its way back.
        wait_until(lambda kill=kill: ada.run(*kill).returncode == 0, COMES_BACK_S, victim)
        # Accepted while nobody handles it.
        answer = ada.ask("POST", "/models/Echo/instances/two/messages", json={"text": f"{number}"})
        assert answer.json()["accepted"] == 1
    wait_until(lambda: ada.heard("two") == before + 3, COMES_BACK_S, "the state", pause_s=0.5)
    assert ada.say("two", "again")["heard"] == before + 4


def test_a_workspace_that_ends_is_started_again_for_its_models(ada: Owner) -> None:
    """Devices do not know that a container was removed, or a machine restarted."""
    before = ada.heard("three")
    subprocess.run(["docker", "kill", ada.container], capture_output=True, check=True)
    assert ada.ask("POST", "/models/Echo/instances/three/messages", json={"text": "x"}).json()["accepted"] == 1
    wait_until(lambda: ada.heard("three") == before + 1, STARTS_S, "the workspace", pause_s=1)


def test_nobody_sees_or_reaches_somebody_elses_twins(ada: Owner, bob: Owner) -> None:
    """A device's data is its owner's, to a token, to a name that is guessed, to another's model of the same name."""
    ada.say("secret", "ada's")
    for method, path in (
        ("GET", "/models"),
        ("GET", "/models/Echo/instances"),
        ("GET", "/models/Echo/instances/secret"),
        ("POST", "/models/Echo/instances/secret/messages"),
        ("DELETE", "/models/Echo"),
        ("GET", "/alerts"),
        ("GET", "/host"),
        ("DELETE", ""),
    ):
        answer = bob.person.ask(
            method, f"/realtime/{ada.person.name}{path}", **({"json": {}} if method == "POST" else {})
        )
        assert answer.status_code == 403, (method, path, answer.text)
    assert bob.heard("secret") == 0
    assert "secret" not in bob.ask("GET", "/models/Echo/instances").text


def test_no_token_but_the_workspaces_own_gets_a_workers_account(ada: Owner) -> None:
    """A token that leaks from a script must not read the stream of all messages."""
    answer = ada.person.ask("GET", "/realtime/worker-access")
    assert answer.status_code == 403
    assert ada.way()["user"] == f"worker-{ada.person.name}"


def test_a_workers_account_reaches_nothing_of_anybody_else(ada: Owner, bob: Owner) -> None:
    """Models are programs of their owners', who can read the account out of their own processes."""
    mine, theirs = ada.way(), bob.way()
    assert asyncio.run(_refused(mine["servers"], theirs["user"], mine["password"]))

    async def look() -> list[str]:
        connection = await nats.connect(mine["servers"], user=mine["user"], password=mine["password"])
        seen: list[str] = []
        heard = asyncio.Event()

        async def note(message: Any) -> None:
            seen.append(message.subject)
            heard.set()

        await connection.subscribe("reply.>", cb=note)
        await connection.flush()
        await asyncio.to_thread(bob.say, "b", "bob's")
        await asyncio.to_thread(ada.say, "a", "ada's")
        await asyncio.wait_for(heard.wait(), 20)
        stream = await connection.jetstream().stream_info("IN")
        await connection.close()
        assert stream.config.subjects == ["in.*"]
        return seen

    assert asyncio.run(look()) == ["reply.Echo"]


async def _refused(servers: list[str], user: str, password: str) -> bool:
    async def quiet(_: Exception) -> None:
        return None

    client = Client()
    try:
        await client.connect(
            servers, user=user, password=password, allow_reconnect=False, max_reconnect_attempts=0, error_cb=quiet
        )
    except (nats.errors.Error, OSError):
        return True
    finally:
        await client.close()
    return False


def test_workspaces_reach_the_broker_and_not_its_figures(ada: Owner) -> None:
    """The figures name everybody's accounts."""
    places = ada.person.installation.places
    bridge, port = ada.way()["servers"][0].removeprefix("nats://").split(":")
    connect = "exec 3<>/dev/tcp/{}/{}"
    assert ada.run("bash", "-c", connect.format(bridge, port)).returncode == 0
    assert ada.run("timeout", "3", "bash", "-c", connect.format(bridge, places.realtime_broker_monitor_port)).returncode
    assert ada.run("timeout", "3", "bash", "-c", connect.format(bridge, places.realtime_port)).returncode


def test_the_command_works_in_a_workspace_without_any_setting(ada: Owner) -> None:
    """Who has to look for an address and a token first gives up."""
    assert "Echo" in ada.run("realtime", "list").stdout
    sent = ada.run("realtime", "send", "Echo", "cli", '{"text": "hi"}', "--wait", "10")
    assert json.loads(sent.stdout)["heard"] == 1
    refused = ada.run("realtime", "send", "Nothing", "cli", '{"text": "hi"}')
    assert refused.returncode == 2
    assert "There is no model 'Nothing'" in refused.stderr


def test_a_model_that_cannot_run_is_refused_in_words(ada: Owner) -> None:
    """What is wrong must be known before devices send to it, and the one that runs goes on."""
    body = {"files": {"echo.py": MODEL + "\nraise RuntimeError('no licence')\n"}, "entry": "echo.py"}
    answer = ada.ask("POST", "/models", json=body)
    assert answer.status_code == 422
    assert "no licence" in answer.json()["error"]["what"]
    assert ada.say("one", "still")["heard"] >= 1
