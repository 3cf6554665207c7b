"""The real-time service with a real broker, host and worker: what is acknowledged is kept, what is hostile is refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from realtime.frames import decode_frame, decode_group
from realtime.service.standalone import OWNER
from tests.support.realtime import Standalone, standalone

MODEL = """
from realtime import Context, Message, Twin, on_message

class Reading(Message):
    ppm: float

class Sensor(Twin):
    count: int = 0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        if message.ppm < 0:
            raise ValueError("less than nothing")
        self.count += 1
        context.reply({"count": self.count, "ppm": message.ppm})
"""

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Run one with a model deployed."""
    with standalone(tmp_path_factory.mktemp("service")) as running:
        running.deploy({"model.py": MODEL}, entry="model.py")
        yield running


@pytest.fixture
def http(service: Standalone) -> Iterator[httpx2.Client]:
    """Give a client at the owner's models."""
    with httpx2.Client(base_url=f"{service.url}/realtime/{OWNER}/models/", timeout=30) as client:
        yield client


def until(condition: Callable[[], Any], within_s: float = 15.0) -> Any:
    """Wait until something is so, and give it."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


# --- sending ------------------------------------------------------------------------------


def test_a_device_gets_the_model_s_answer_to_its_own_message(http: httpx2.Client) -> None:
    """A device that asks what to do must not be told what another one should do."""
    first = http.post("Sensor/instances/oven 1/messages?wait_s=10", json={"ppm": 5.5}).json()
    second = http.post("Sensor/instances/oven%2F2/messages?wait_s=10", json={"ppm": 7}).json()
    third = http.post("Sensor/instances/oven 1/messages?wait_s=10", json={"ppm": 9}).json()

    assert [one["content"] for one in first["replies"]] == [{"count": 1, "ppm": 5.5}]
    assert [one["content"] for one in second["replies"]] == [{"count": 1, "ppm": 7.0}]
    assert second["replies"][0]["instance"] == "oven/2"
    assert [one["content"] for one in third["replies"]] == [{"count": 2, "ppm": 9.0}]


def test_lists_and_lines_are_counted_and_their_errors_numbered(http: httpx2.Client) -> None:
    """A gateway learns which of its readings were not taken."""
    given = [{"id": f"b{number}", "message": {"ppm": number}} for number in range(5000)]
    assert http.post("Sensor/messages", json=given).json() == {"accepted": 5000, "refused": 0, "errors": []}

    def lines() -> Iterator[bytes]:
        for number in range(5000):
            yield json.dumps({"id": f"b{number}", "message": {"ppm": 1}}).encode() + b"\n"
            if number % 1000 == 500:
                yield b"this is no JSON\n"

    answer = http.post("Sensor/messages", content=lines(), headers={"content-type": "application/x-ndjson"}).json()

    assert (answer["accepted"], answer["refused"]) == (5000, 5)
    assert [one["line"] for one in answer["errors"]] == [502, 1503, 2504, 3505, 4506]
    until(lambda: http.get("Sensor").json()["messages"] >= 10_000)


async def test_a_feed_acknowledges_in_order_and_pushes_replies(service: Standalone) -> None:
    """A gateway forgets what was acknowledged, so nothing may be acknowledged that is not kept."""
    address = f"{service.url.replace('http', 'ws', 1)}/realtime/{OWNER}/models/Sensor"
    async with (
        connect(f"{address}/feed", proxy=None) as all_,
        connect(f"{address}/instances/w1/feed", proxy=None) as own,
    ):
        await own.send('{"ppm": 3}')
        await all_.send('[{"id": "w2", "message": {"ppm": 4}}, {"id": "w3", "message": {"ppm": 5}}]')
        await all_.send('{"id": "", "message": {}}')
        await all_.send("[]")
        seen = await _told(all_, lambda said: said["ack"] == 3 and {"w1", "w2", "w3"} <= set(said["replies"]))
        mine = await _told(own, lambda said: said["ack"] == 1 and said["replies"])

    assert seen["errors"] == [2]
    assert set(mine["replies"]) == {"w1"}


async def _told(socket: ClientConnection, enough: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Read what a feed says until it is enough."""
    said: dict[str, Any] = {"ack": 0, "replies": Counter(), "errors": []}
    async with asyncio.timeout(15):
        while not enough(said):
            word = json.loads(await socket.recv())
            said["ack"] = word.get("ack", said["ack"])
            said["replies"].update(one["instance"] for one in word.get("replies", ()))
            said["errors"] += [word["frame"]] if "error" in word else []
    return said


async def test_programs_send_by_nats_and_cannot_do_more(service: Standalone) -> None:
    """A script with the owner's password for programs must not reach past the service's checks."""
    broker = await nats.connect(
        service.servers, user=service.program_user, password=service.program_password, error_cb=_quiet
    )
    try:
        good = await broker.request("batch.Sensor", b'[{"id": "n", "message": {"ppm": 1}}]', timeout=5)
        bad = await broker.request("batch.Sensor", b'[{"id": "n"}]', timeout=5)
        missing = await broker.request("batch.Nothing", b"[]", timeout=5)
        with pytest.raises(nats.errors.TimeoutError):
            await broker.request("$JS.API.STREAM.PURGE.IN", b"", timeout=0.5)
    finally:
        await broker.close()

    assert json.loads(good.data) == {"accepted": 1}
    assert json.loads(bad.data)["error"]["code"] == "message_refused"
    assert json.loads(missing.data)["error"]["code"] == "model_missing"


async def _quiet(_: Exception) -> None:
    """Expect the refusal that the test is about."""


# --- who may what ---------------------------------------------------------------------------


def test_a_device_s_key_is_good_for_that_device_until_it_is_renewed(http: httpx2.Client) -> None:
    """A key that is pulled out of one device must not open another's, and can be made worthless."""
    first = http.post("Sensor/credentials", json={"instance": "d1"}).json()["key"]
    as_device = {"authorization": f"Device {first}"}

    def status(instance: str, headers: dict[str, str]) -> int:
        answer = http.post(f"Sensor/instances/{instance}/messages", json={"ppm": 1}, headers=headers)
        return int(answer.status_code)

    assert status("d1", as_device) == 200
    assert status("d2", as_device) == 401
    assert http.post("Sensor/messages", json=[{"id": "d1", "message": {}}], headers=as_device).status_code == 401
    assert http.get("Sensor", headers=as_device).status_code == 401
    assert http.get("Sensor/credentials", headers=as_device).status_code == 401
    second = http.post("Sensor/credentials", json={"instances": ["d1"]}).json()["credentials"][0]["key"]
    assert status("d1", as_device) == 401
    assert status("d1", {"authorization": f"Device {second}"}) == 200
    listed = http.get("Sensor/credentials").json()["credentials"]
    assert [one["instance"] for one in listed].count("d1") == 1
    assert second not in http.get("Sensor/credentials").text
    assert http.delete("Sensor/credentials", params={"instance": "d1"}).status_code == 200
    assert status("d1", {"authorization": f"Device {second}"}) == 401


@pytest.mark.parametrize("key", ["x", "x" * 43, "x" * 100_000, "é" * 43, "Zm9v"])
def test_keys_that_are_none_are_refused_alike(http: httpx2.Client, key: str) -> None:
    """Whoever guesses learns nothing, and nothing breaks."""
    header = {"authorization": f"Device {key}".encode()}

    try:
        answer = http.post("Sensor/instances/d9/messages", json={"ppm": 1}, headers=header)
    except httpx2.HTTPError:
        assert len(key) > 10_000  # such a header never gets as far as us
        return
    assert answer.status_code in (400, 401, 431)


def test_other_owners_twins_are_out_of_reach(service: Standalone, http: httpx2.Client) -> None:
    """Each owner's devices are that owner's business."""
    for owner in ("you", "..", "%2e%2e", "ME", "me%00", "*"):
        answer = httpx2.get(f"{service.url}/realtime/{owner}/models", timeout=10)
        assert answer.status_code in (403, 404), (owner, answer.text)
    assert http.post("Sensor/messages", json=[], headers={"host": "evil.example"}).status_code == 403
    assert http.get("Sensor", headers={"sec-fetch-site": "cross-site"}).status_code == 403


async def test_a_feed_of_another_owner_or_site_is_closed(service: Standalone) -> None:
    """A browser sends WebSockets for any page that asks."""
    base = f"{service.url.replace('http', 'ws', 1)}/realtime"
    for address, headers in ((f"{base}/you/models/Sensor/feed", {}), (f"{base}/{OWNER}/models/Nothing/feed", {})):
        async with connect(address, proxy=None, additional_headers=headers) as socket:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            assert socket.close_code in (4403, 4404)
    with pytest.raises(InvalidHandshake):
        await connect(
            f"{base}/{OWNER}/models/Sensor/feed", proxy=None, additional_headers={"sec-fetch-site": "cross-site"}
        )


# --- what is hostile ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "statuses"),
    [
        ("Sensor/messages", b"[" * 1_000_000, {422}),
        ("Sensor/messages", b'[{"id": "a", "message": ' + b'{"a":' * 60_000 + b"1" + b"}" * 60_000 + b"}]", {422}),
        ("Sensor/messages", b"\xff\xfe\x00", {422}),
        ("Sensor/messages", b"[" + b'{"id": "a", "message": {}},' * 700_000 + b"]", {413, 422}),
        ("Sensor/messages", b'[{"id": "\\u0000", "message": {}}]', {422}),
        ("Sensor/instances/a/messages", b"{" + b" " * 300_000 + b"}", {413}),
        ("Sensor/instances/a/messages", b"[1]", {422}),
        ("Sensor/instances/" + "x" * 201 + "/messages", b"{}", {422}),
        ("Sensor/instances/a%0Ab/messages", b"{}", {422}),
        ("Sensor/instances/a/messages?wait_s=nan", b"{}", {400}),
        ("Sensor/instances/a/messages?wait_s=1e9", b"{}", {400}),
        ("No Such/messages", b"[]", {404}),
        ("$JS.API/messages", b"[]", {404}),
        ("Sensor.*/instances/a/messages", b"{}", {404}),
        ("Sensor/rollback", b'{"version": -1}', {404}),
        ("Sensor/rollback", b'{"version": "1; drop"}', {400}),
        ("Sensor/credentials", b'{"instances": []}', {400}),
        ("Sensor/dead-letters/retry", b'{"positions": ["x"]}', {400}),
    ],
)
def test_what_is_hostile_is_refused_in_words(http: httpx2.Client, path: str, body: bytes, statuses: set[int]) -> None:
    """No traceback, no reference number: these are things that anybody can send at any time."""
    answer = http.post(path, content=body)

    assert answer.status_code in statuses, answer.text[:300]
    error = answer.json()["error"]
    assert error["what"]
    assert error["fix"]
    assert error["code"] != "internal"


def test_a_model_s_own_error_is_what_the_deployer_reads(http: httpx2.Client) -> None:
    """Whoever wrote the model can mend it only when they see what is wrong."""
    for code, words in (("import nothing_here", "nothing_here"), ("x = 1", "model.py")):
        answer = http.post(f"{http.base_url}".rstrip("/"), json={"files": {"model.py": code}})
        assert answer.status_code == 422, answer.text
        assert words in answer.json()["error"]["what"]


# --- models ---------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_sent_again(http: httpx2.Client) -> None:
    """A reading that a faulty version refused is handled by the next one, and not lost meanwhile."""
    for number in range(3):
        http.post("Sensor/instances/dead/messages", json={"ppm": -1 - number})
    found = until(
        lambda: [one for one in _letters(http) if one["instance"] == "dead"][:3] if len(_letters(http)) >= 3 else None
    )

    assert [json.loads(one["content"])["ppm"] for one in found] == [-3, -2, -1]
    assert "less than nothing" in found[0]["reason"]
    first = http.get("Sensor/dead-letters", params={"limit": 1}).json()
    second = http.get("Sensor/dead-letters", params={"limit": 1, "before": first["next"]}).json()
    assert [one["dead_letters"][0]["position"] for one in (first, second)] == [
        found[0]["position"],
        found[1]["position"],
    ]
    answer = http.post("Sensor/dead-letters/retry", json={"positions": [found[0]["position"]]}).json()
    assert answer == {"sent": 1, "kept": 0}
    until(lambda: _letters(http)[0]["position"] > found[0]["position"])


def _letters(http: httpx2.Client) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = http.get("Sensor/dead-letters").json()["dead_letters"]
    return letters


def test_versions_go_forward_and_back_with_their_states(service: Standalone, http: httpx2.Client) -> None:
    """A bad version is taken back without losing what the instances are."""
    send = "Sensor/instances/version/messages?wait_s=10"
    assert http.post(send, json={"ppm": 1}).json()["replies"][0]["content"]["count"] == 1
    before = http.get("Sensor").json()["version"]
    service.deploy({"model.py": MODEL.replace("+= 1", "+= 100")}, entry="model.py", note="counts too fast")
    assert http.post(send, json={"ppm": 1}).json()["replies"][0]["content"]["count"] == 101
    assert http.post("Sensor/rollback", json={"version": before}).status_code == 200
    assert http.post(send, json={"ppm": 1}).json()["replies"][0]["content"]["count"] == 102
    found = http.get("Sensor").json()
    assert found["version"] == before
    assert found["versions"][0]["note"] == "counts too fast"


def test_a_model_that_is_off_or_deleted_takes_nothing_and_comes_back(http: httpx2.Client) -> None:
    """Deleting is a mistake that can be undone for a week."""
    send = "Sensor/instances/off/messages"
    for off, on in (("POST disable", "enable"), ("DELETE ", "restore")):
        method, _, action = off.partition(" ")
        assert http.request(method, f"Sensor/{action}".rstrip("/")).status_code == 200
        refused = http.post(send, json={"ppm": 1})
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "model_disabled"
        assert http.get("Sensor").json()["state"] == "stopped"
        assert http.post(f"Sensor/{on}").status_code == 200
        assert http.post(send, json={"ppm": 1}).status_code == 200
    until(lambda: http.get("Sensor").json()["state"] == "running", 30)


# --- crashes --------------------------------------------------------------------------------


class Senders:
    """Devices that count what they send, and remember what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acknowledged: set[tuple[str, int]] = set()
        self.refusals: Counter[str] = Counter()
        self.longest_s = 0.0

    async def send(self, name: str, ended: asyncio.Event) -> None:
        """Send one after the other until told to end; whatever happens, the next number is next."""
        number = 0
        async with httpx2.AsyncClient(base_url=self.url, timeout=40) as http:
            while not ended.is_set():
                number += 1
                began = time.monotonic()
                try:
                    answer = await http.post(f"instances/{name}/messages", json={"ppm": number})
                except httpx2.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                if answer.status_code == 200:
                    self.acknowledged.add((name, number))
                else:
                    self.refusals[answer.json()["error"]["code"]] += 1
                    await asyncio.sleep(0.05)

    async def until_acknowledged(self, count: int, within_s: float = 40) -> None:
        """Wait until so many more are acknowledged."""
        goal = len(self.acknowledged) + count
        async with asyncio.timeout(within_s):
            while len(self.acknowledged) < goal:  # noqa: ASYNC110 - it is other tasks' doing
                await asyncio.sleep(0.02)


async def kept(folder: Path) -> Counter[tuple[str, int]]:
    """Read the whole stream of frames, and count each message in it."""
    given = dict(line.split("=", 1) for line in (folder / "worker.env").read_text().splitlines())
    broker = await nats.connect(
        given["REALTIME_SERVERS"], user=given["REALTIME_USER"], password=given["REALTIME_PASSWORD"]
    )
    found: Counter[tuple[str, int]] = Counter()
    try:
        js = broker.jetstream()
        last = (await js.stream_info("IN")).state.last_seq
        reading = await js.subscribe("in.Sensor", ordered_consumer=True)
        while True:
            message = await reading.next_msg(timeout=10)
            for _, raw in decode_frame(message.data).groups:
                found.update((item.instance, int(json.loads(item.content)["ppm"])) for item in decode_group(raw).items)
            if message.metadata.sequence.stream >= last:
                return found
    finally:
        await broker.close()


async def test_what_was_acknowledged_outlives_kills_of_broker_and_service(tmp_path: Path) -> None:
    """The promise of the whole: kill -9 at any moment, nothing acknowledged is lost and nothing kept twice."""
    with standalone(tmp_path) as first:
        first.deploy({"model.py": MODEL}, entry="model.py")
        senders = Senders(f"{first.url}/realtime/{OWNER}/models/Sensor/")
        ended = asyncio.Event()
        works = [asyncio.create_task(senders.send(f"k{number}", ended)) for number in range(8)]
        for _ in range(3):
            await senders.until_acknowledged(150)
            os.kill(int((tmp_path / "broker" / "alone.pid").read_text()), signal.SIGKILL)
        await senders.until_acknowledged(150)
        first.process.kill()
        first.process.wait()
        ended.set()
        await asyncio.gather(*works)
        before = set(senders.acknowledged)
    with standalone(tmp_path) as second:
        again = Senders(f"{second.url}/realtime/{OWNER}/models/Sensor/")
        ended = asyncio.Event()
        works = [asyncio.create_task(again.send(f"again{number}", ended)) for number in range(2)]
        await again.until_acknowledged(20)
        ended.set()
        await asyncio.gather(*works)
        found = await kept(tmp_path)

    assert before <= set(found), sorted(before - set(found))[:5]
    assert again.acknowledged <= set(found)
    assert max(found.values()) == 1, [one for one, count in found.items() if count > 1][:5]
    assert set(senders.refusals) <= {"broker_away", "realtime_busy"}
