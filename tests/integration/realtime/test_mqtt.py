"""Devices that speak MQTT 3.1.1 and 5, by a client library that is not ours, with a real broker behind."""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from realtime.service.mqtt import packets
from realtime.service.mqtt.packets import MQTT_3, MQTT_5, Publish
from realtime.service.mqtt.part import Mqtt
from realtime.service.mqtt.proxied import SIGNATURE
from realtime.service.mqtt.shared import MqttSettings
from tests.support.devices import MODEL, OWNER, Stand, running_stand, wait_until

BOTH = pytest.mark.parametrize("protocol", [paho.MQTTv311, paho.MQTTv5], ids=["3.1.1", "5"])


PAHO_AFTER_REFUSAL = 0x92
"""paho goes on with QoS 2 after a refusal, and reports the answer to that: packet id not found."""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A broker and the listener, shared: each test has devices of its own."""
    with running_stand(tmp_path_factory.mktemp("stand")) as made:
        yield made


class Client:
    """A device: paho's client, and what it has heard."""

    def __init__(
        self, stand: Stand, instance: str, protocol: int = paho.MQTTv5, *, key: str | None = None, client_id: str = ""
    ):
        self.topic = f"{OWNER}/{MODEL}/{instance}"
        self.heard: list[paho.MQTTMessage] = []
        self.acknowledged: dict[int, int] = {}
        self.granted: list[int] = []
        self.connected: list[int] = []
        self.ended: list[int] = []
        self.paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=client_id or instance,
            protocol=protocol,
            reconnect_on_failure=False,
        )
        self.paho.username_pw_set(self.topic, stand.key(instance) if key is None else key)
        self.paho.on_message = lambda _, __, message: self.heard.append(message)
        self.paho.on_publish = lambda _, __, mid, reason, ___: self.acknowledged.update({mid: reason.value})
        self.paho.on_connect = lambda _, __, ___, reason, ____: self.connected.append(reason.value)
        self.paho.on_disconnect = lambda _, __, ___, reason, ____: self.ended.append(reason.value)
        self.paho.on_subscribe = lambda _, __, ___, reasons, ____: self.granted.extend(one.value for one in reasons)
        self.port = stand.port

    def __enter__(self) -> "Client":
        self.paho.connect("127.0.0.1", self.port, keepalive=30)
        self.paho.loop_start()
        wait_until(lambda: self.connected or self.ended)
        return self

    def __exit__(self, *_: object) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def publish(self, content: bytes, qos: int, topic: str = "") -> int:
        """Send a message, wait until it is acknowledged, and give the reason's code."""
        info = self.paho.publish(topic or self.topic, content, qos)
        wait_until(lambda: info.mid in self.acknowledged)
        return self.acknowledged[info.mid]


@BOTH
@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_acknowledged_is_on_disk_in_order_and_once(stand: Stand, protocol: int, qos: int) -> None:
    """The device deletes what is acknowledged."""
    name = f"kept-{protocol}-{qos}"
    with Client(stand, name, protocol) as device:
        sent = [device.paho.publish(device.topic, b"%d" % number, qos) for number in range(200)]
        wait_until(lambda: len(device.acknowledged) == len(sent))
        assert stand.kept(name) == [b"%d" % number for number in range(200)]


@BOTH
def test_messages_of_qos_0_arrive_even_when_the_device_leaves_at_once(stand: Stand, protocol: int) -> None:
    """Battery devices wake up, send and go."""
    name = f"quick-{protocol}"
    with Client(stand, name, protocol) as device:
        for number in range(100):
            device.paho.publish(device.topic, b"%d" % number, 0)
    wait_until(lambda: len(stand.kept(name)) == 100)
    assert stand.kept(name) == [b"%d" % number for number in range(100)]


@BOTH
@pytest.mark.parametrize("qos", [0, 1])
def test_a_device_hears_what_its_twin_answers(stand: Stand, protocol: int, qos: int) -> None:
    """A shut-off command that does not arrive costs more than a message."""
    name = f"hears-{protocol}-{qos}"
    with Client(stand, name, protocol) as device:
        device.paho.subscribe(device.topic + "/reply", qos)
        wait_until(lambda: device.granted)
        assert device.granted == [qos]
        stand.answer("somebody-else", {"valve": "open"}, f"1.0.{protocol}{qos}")
        stand.answer(name, {"valve": "shut"}, f"2.0.{protocol}{qos}")
        wait_until(lambda: device.heard)
        (message,) = device.heard
        assert (message.topic, message.payload, message.qos) == (device.topic + "/reply", b'{"valve":"shut"}', qos)
        if protocol == paho.MQTTv5:
            assert message.properties.UserProperty == [("id", f"2.0.{protocol}{qos}")]
        device.paho.unsubscribe(device.topic + "/reply")
        assert device.publish(b"1", 1) == 0
        stand.answer(name, {"valve": "open"}, f"3.0.{protocol}{qos}")
        assert device.publish(b"2", 1) == 0
        assert len(device.heard) == 1


def test_another_devices_topics_are_refused_with_reasons_in_mqtt_5(stand: Stand) -> None:
    """One stolen device must not speak for a fleet, nor listen to it."""
    with Client(stand, "nosy") as device:
        assert device.publish(b"x", 1, f"{OWNER}/{MODEL}/victim") == 0x87
        assert device.publish(b"x", 2, f"{OWNER}/Other/nosy") == PAHO_AFTER_REFUSAL
        device.paho.subscribe(f"{OWNER}/{MODEL}/victim/reply", 1)
        device.paho.subscribe("#")
        wait_until(lambda: len(device.granted) == 2)
        assert device.granted == [0x87, 0xA2]
        assert device.publish(b"mine", 1) == 0
        device.paho.publish(f"{OWNER}/{MODEL}/victim", b"x", 0)
        wait_until(lambda: device.ended)
        assert device.ended == [0x87]
    assert stand.kept("victim") == []


def test_another_devices_topics_end_the_connection_in_mqtt_3(stand: Stand) -> None:
    """MQTT 3.1.1 has no words for a refused message."""
    with Client(stand, "nosy3", paho.MQTTv311) as device:
        device.paho.subscribe(f"{OWNER}/{MODEL}/victim/reply", 1)
        wait_until(lambda: device.granted)
        assert device.granted == [0x80]
        device.paho.publish(f"{OWNER}/{MODEL}/victim", b"x", 1)
        wait_until(lambda: device.ended)
    assert stand.kept("victim") == []


@BOTH
def test_a_wrong_key_is_refused_and_so_is_a_right_one_of_another_device(stand: Stand, protocol: int) -> None:
    """Ids of devices are no secret; keys are."""
    other = stand.key("other-device")
    for key in ("", "x" * 43, other):
        with Client(stand, f"wrong-{protocol}", protocol, key=key) as device:
            wait_until(lambda device=device: device.ended)
            assert device.connected in ([], [0x86])


def test_a_key_that_ended_ends_the_connection(stand: Stand) -> None:
    """A stolen device is shut out at once, not when its battery is empty."""
    with Client(stand, "stolen") as device:
        assert device.publish(b"1", 1) == 0
        stand.call(stand.devices.revoke(stand.space, MODEL, ["stolen"]))

        async def disconnect() -> int:
            return stand.mqtt.disconnect(OWNER, MODEL, "stolen")

        assert stand.call(disconnect()) == 1
        wait_until(lambda: device.ended)
        assert device.ended == [0x98]
    with Client(stand, "stolen", key="x" * 43) as device:
        wait_until(lambda: device.ended)


def test_a_message_that_is_too_big_is_named_so(stand: Stand) -> None:
    """A camera that sends pictures to a twin should be told why it is cut off."""
    with Client(stand, "big") as device:
        assert device.publish(bytes(200_000), 1) == 0
        device.paho.publish(device.topic, bytes(300_000), 1)
        wait_until(lambda: device.ended)
        assert device.ended == [0x95]
    with Client(stand, "big3", paho.MQTTv311) as device:
        device.paho.publish(device.topic, bytes(300_000), 1)
        wait_until(lambda: device.ended)
    assert [len(one) for one in stand.kept("big")] == [200_000]


def test_a_model_that_does_not_take_messages_is_said_and_then_taken_again(stand: Stand) -> None:
    """While a model is switched off its devices must keep what they have."""
    record = stand.call(stand.space.model(MODEL))
    with Client(stand, "patient") as device:
        record.enabled = False
        stand.call(stand.space.save_model(record))
        try:
            assert device.publish(b"1", 1) == 0x83
            assert device.publish(b"1", 2) == PAHO_AFTER_REFUSAL
        finally:
            record.enabled = True
            stand.call(stand.space.save_model(record))
        assert device.publish(b"2", 1) == 0
    assert stand.kept("patient") == [b"2"]


def test_the_same_client_takes_over_from_its_ghost(stand: Stand) -> None:
    """After a break of the network the old connection lives for a while, and must not keep the device out."""
    with (
        Client(stand, "ghost") as old,
        Client(stand, "ghost", client_id="ghost", key=stand.call(_key(stand, "ghost"))) as new,
    ):
        wait_until(lambda: old.ended)
        assert old.ended == [0x8E]
        assert new.publish(b"1", 1) == 0


async def _key(stand: Stand, instance: str) -> str:
    listed = dict(await stand.devices.listed(stand.space, MODEL))
    return stand.devices.key_for(OWNER, MODEL, instance, listed[instance].generation)


def test_a_device_that_dies_leaves_its_will_behind_its_messages(stand: Stand) -> None:
    """It is how a twin learns that its device is gone."""
    device = Client(stand, "mortal")
    device.paho.will_set(device.topic, b"dead", 1)
    with device:
        assert device.publish(b"alive", 1) == 0
        device.paho.socket().shutdown(socket.SHUT_RDWR)
        wait_until(lambda: len(stand.kept("mortal")) == 2)
    assert stand.kept("mortal") == [b"alive", b"dead"]


def _raw(stand: Stand, instance: str, keepalive_s: int = 0, level: int = MQTT_3) -> socket.socket:
    """Connect as a device without a library, that does as it likes."""
    name = f"{OWNER}/{MODEL}/{instance}".encode()
    parts = [instance.encode(), name, stand.key(instance).encode()]
    body = (
        b"\0\4MQTT"
        + bytes((level, 0xC2))
        + keepalive_s.to_bytes(2, "big")
        + (b"\0" if level == MQTT_5 else b"")
        + b"".join(len(one).to_bytes(2, "big") + one for one in parts)
    )
    connection = socket.create_connection(("127.0.0.1", stand.port), 10)
    connection.sendall(b"\x10" + bytes((len(body) | 0x80, 1) if len(body) > 127 else (len(body),)) + body)
    assert connection.recv(200)[2:4] == b"\0\0"
    return connection


def test_a_silent_device_is_cut_off_after_one_and_a_half_times_its_keepalive(stand: Stand) -> None:
    """A page that shows a dead device as connected misleads its operator."""
    with _raw(stand, "silent", 1) as connection:
        begin = time.monotonic()
        connection.sendall(b"\xc0\0")
        assert connection.recv(2) == b"\xd0\0"
        assert connection.recv(1) == b""
        assert 1.4 < time.monotonic() - begin < 5


def test_a_device_that_does_not_read_costs_no_memory_and_no_one_else_time(stand: Stand) -> None:
    """It is stopped by its own socket, while others go on."""
    with _raw(stand, "slow", level=MQTT_5) as connection:
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            connection.setsockopt(socket.SOL_SOCKET, buffer, 8192)
        connection.setblocking(False)
        refused = packets.publish(MQTT_5, Publish("x", b"", 1, 1))  # answered with many more bytes than it has
        sent, stalled_since = 0, time.monotonic()
        while time.monotonic() - stalled_since < 0.5 and sent < 20_000_000:
            try:
                sent += connection.send((refused * 1000)[sent % len(refused) :])
                stalled_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.005)
        assert sent < 20_000_000  # the kernel's buffers, and not our memory
        with Client(stand, "beside-slow") as device:
            assert device.publish(b"1", 1) == 0


def test_a_device_that_sends_faster_than_the_disk_waits(stand: Stand) -> None:
    """Messages that wait are bounded for each connection, so a flood is the flooder's own problem."""
    most = 0
    with _raw(stand, "flood") as connection:
        packet = packets.publish(MQTT_3, Publish(f"{OWNER}/{MODEL}/flood", bytes(20_000)))

        def flood() -> None:
            connection.sendall(packet * 1000)

        sender = threading.Thread(target=flood)
        sender.start()
        while sender.is_alive():
            for one in list(stand.mqtt.listener.shared.open):
                most = max(most, sum(len(message.payload) for message in list(one.session.waiting)))  # type: ignore[attr-defined]
            time.sleep(0.002)
        wait_until(lambda: len(stand.kept("flood")) == 1000)
    assert 0 < most < 2_000_000


def test_what_was_acknowledged_survives_a_kill_of_the_broker(stand: Stand) -> None:
    """Kill -9 in the middle of a stream of messages: each acknowledged one is there, once, and the device goes on."""
    device = Client(stand, "survivor")
    device.paho.max_inflight_messages_set(500)
    with device:
        stop = threading.Event()
        sent: dict[int, bytes] = {}

        def send() -> None:
            number = 0
            while not stop.is_set():
                content = b"%d" % number
                sent[device.paho.publish(device.topic, content, 1).mid] = content
                number += 1
                if number - len(device.acknowledged) > 400:
                    time.sleep(0.001)

        sender = threading.Thread(target=send)
        sender.start()
        for _ in range(2):
            before = len(device.acknowledged)
            wait_until(lambda before=before: len(device.acknowledged) > before + 200)
            stand.broker.servers[0].kill()
            stand.broker.servers[0].start()
        before = len(device.acknowledged)
        wait_until(lambda: len(device.acknowledged) > before + 200)
        stop.set()
        sender.join()
        wait_until(lambda: len(device.acknowledged) == len(sent))
        good = [sent[mid] for mid, reason in device.acknowledged.items() if reason == 0]
    kept = stand.kept("survivor")
    assert len(good) > 600
    assert set(good) <= set(kept)
    assert len(kept) == len(set(kept))
    assert kept == sorted(kept, key=int)


def test_an_encrypted_port_takes_devices_and_a_renewed_certificate(stand: Stand, tmp_path: Path) -> None:
    """Keys must not cross a network in the clear where nobody else encrypts."""
    _certificate(tmp_path)
    settings = MqttSettings("127.0.0.1", 0, certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem")
    part = stand.make_mqtt(settings)
    stand.call(part.listener.start())
    try:
        device = Client(stand, "secret")
        device.port = part.listener.port
        device.paho.tls_set(str(tmp_path / "cert.pem"), cert_reqs=ssl.CERT_REQUIRED)
        with device:
            assert device.publish(b"1", 1) == 0
    finally:
        stand.call(part.listener.stop())
    assert stand.kept("secret") == [b"1"]


def _certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = [
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "cert.pem"),
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)


def test_behind_the_gateway_one_guesser_does_not_close_the_door_for_all(stand: Stand) -> None:
    """All connections come from the gateway's address there; the header says whose they are."""
    part: Mqtt = stand.make_mqtt(MqttSettings("127.0.0.1", 0, proxied=True))
    stand.call(part.listener.start())

    def attempt(address: str, key: str) -> bytes:
        header = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton(address) * 2 + b"\0\1\0\2"
        name = f"{OWNER}/{MODEL}/proxied".encode()
        body = b"\0\4MQTT\4\xc2\0\0" + b"".join(len(one).to_bytes(2, "big") + one for one in (b"c", name, key.encode()))
        with socket.create_connection(("127.0.0.1", part.listener.port), 10) as connection:
            connection.sendall(header + b"\x10" + bytes((len(body),)) + body)
            try:
                return connection.recv(4)
            except ConnectionResetError:
                return b""

    try:
        key = stand.key("proxied")
        while attempt("192.0.2.1", "wrong"):
            pass
        assert attempt("192.0.2.1", key) == b""
        assert attempt("192.0.2.2", key) == b"\x20\x02\0\0"
    finally:
        stand.call(part.listener.stop())


def test_a_port_that_another_program_has_is_tried_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service must not end, nor need a restart, because a mosquitto is there."""
    monkeypatch.setattr("realtime.service.mqtt.listener.AGAIN_S", 0.05)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        part = stand.make_mqtt(MqttSettings("127.0.0.1", other.getsockname()[1]))

        async def run() -> "asyncio.Task[None]":
            return asyncio.create_task(part.run())

        task = stand.call(run())
    try:
        wait_until(lambda: part.listener.listening)
    finally:
        stand.loop.call_soon_threadsafe(task.cancel)
        wait_until(task.done)
