"""Messages of brokers elsewhere - Mosquitto, RabbitMQ, NATS, Tansu for Kafka - on their way into a model's stream."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import msgspec
import nats
import paho.mqtt.client as paho
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from nats.js.api import RetentionPolicy

from realtime import Context, Message, Twin, on_message
from realtime.frames import decode_frame, decode_group
from realtime.model import read_model
from realtime.outputs import DeadLetter
from realtime.partition import Partition
from realtime.service.connectors.connector import Batch, Connector
from realtime.service.connectors.kafka import Kafka
from realtime.service.connectors.mapping import Taken
from realtime.service.connectors.nats_peer import Nats
from realtime.service.connectors.part import make_peer
from realtime.wire import ModelRecord
from tests.support import brokers
from tests.support.devices import OWNER, Stand, running_stand, wait_until
from twinhub.settings.connectors import Connector as Settings


class Reading(Message):
    """What a machine reports."""

    n: int


class Machine(Twin):
    """Counts what it is told."""

    count: int = 0
    total: int = 0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.count += 1
        self.total += message.n


class Plant:
    """A stand, and connectors that are started and stopped there."""

    def __init__(self, stand: Stand, secrets: Path) -> None:
        self.stand, self.secrets = stand, secrets

    def model(self, name: str, *, enabled: bool = True) -> None:
        """Deploy a model, or switch it."""
        self.stand.call(self.stand.space.save_model(ModelRecord(name=name, version=1, enabled=enabled)))

    @contextlib.contextmanager
    def connector(self, settings: Settings, *, peer: Any = None, name: str = "plant") -> Iterator[Connector]:
        """Run a connector for the block, and end it as a crash of the service does: in the middle of whatever it does."""
        stand = self.stand
        peer = peer or make_peer(name, settings, self.secrets)

        async def start() -> tuple[Connector, "asyncio.Task[None]"]:
            made = Connector(name, settings, peer, spaces=stand.spaces, intake=stand.intake)
            return made, asyncio.create_task(made.run())

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        connector, task = stand.call(start())
        try:
            yield connector
        finally:
            stand.call(end())

    def states(self, model: str) -> dict[str, Machine]:
        """Give what a worker's code makes of the stream."""
        return self.stand.call(self._states(model))

    async def _states(self, model: str) -> dict[str, Machine]:
        js = self.stand.space.js
        partitions = [Partition(read_model(Machine), number=number) for number in range(16)]
        end = (await js.stream_info("IN")).state.last_seq
        for sequence in range(1, end + 1):
            message = await js.get_msg("IN", sequence)
            if message.subject == f"in.{model}":
                frame = decode_frame(message.data or b"")
                for number, raw in frame.groups:
                    await partitions[number].apply(frame.time_s, [decode_group(raw)], sequence)
        return {name: twin for one in partitions for name, twin in zip(one.names, one.twins, strict=True)}  # type: ignore[misc]

    def dead(self, model: str) -> list[DeadLetter]:
        """Give a model's dead letters."""

        async def read() -> list[DeadLetter]:
            js = self.stand.space.js
            state = (await js.stream_info("DEAD", subjects_filter=f"dead.{model}")).state
            found = [await js.get_msg("DEAD", number) for number in range(1, state.last_seq + 1)]
            return [
                msgspec.json.decode(one.data or b"", type=DeadLetter) for one in found if one.subject == f"dead.{model}"
            ]

        return self.stand.call(read())

    def counts(self, model: str) -> dict[str, int]:
        """Give how many messages each instance was told."""
        return {name: twin.count for name, twin in self.states(model).items()}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Our own side, shared by all tests; each has a model of its own."""
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "plant").write_text("secret\n")
    (secrets / "plant").chmod(0o600)
    with running_stand(tmp_path_factory.mktemp("stand")) as stand:
        yield Plant(stand, secrets)


def payload(number: int) -> bytes:
    """Make a message."""
    return b'{"n":%d}' % number


# --- MQTT ----------------------------------------------------------------------------------------

IN_FLIGHT_THERE = 20
"""So many messages mosquitto sends before they are acknowledged."""


@contextlib.contextmanager
def mqtt_sender(port: int) -> Iterator[Callable[[str, bytes], None]]:
    """Give something that publishes with QoS 1 and waits for the broker."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("plant", "secret")
    client.connect("127.0.0.1", port)
    client.loop_start()

    def send(topic: str, content: bytes) -> None:
        client.publish(topic, content, 1).wait_for_publish(10)

    yield send
    client.disconnect()
    client.loop_stop()


def test_mqtt_messages_wait_there_until_they_are_on_disk_here(plant: Plant, tmp_path: Path) -> None:
    """A model that is switched off, or a service that restarts, must not cost messages."""
    plant.model("Lathe", enabled=False)
    with brokers.running(brokers.mosquitto(tmp_path)) as broker, mqtt_sender(broker.port) as send:
        settings = Settings(
            kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}", user="plant", password_file="plant",
            owner=OWNER, model="Lathe", source="factory/+/+", instance="topic:3",
        )  # fmt: skip
        with plant.connector(settings) as connector:
            wait_until(lambda: connector.state.connected)
            send("factory/hall/l1", payload(1))
            wait_until(lambda: "switched off" in connector.state.trouble)
        send("factory/hall/l2", payload(2))  # while nobody is there
        plant.model("Lathe")
        with plant.connector(settings) as connector:
            wait_until(lambda: plant.counts("Lathe") == {"l1": 1, "l2": 1})
            send("factory/hall/" + "x" * 300, payload(3))
            for number in range(50):
                send("factory/hall/l1", payload(number))
            wait_until(lambda: connector.state.acknowledged == 53)
            assert (connector.state.connected, connector.state.trouble, connector.state.put_aside) == (True, "", 1)
        with plant.connector(settings) as connector:
            send("factory/hall/l3", payload(4))
            wait_until(lambda: "l3" in plant.counts("Lathe"))
    counts = plant.counts("Lathe")
    # At least once: of the last acknowledgements, mosquitto may see the new connection before it has read them.
    assert 51 <= counts.pop("l1") <= 51 + IN_FLIGHT_THERE
    assert counts == {"l2": 1, "l3": 1}
    (letter,) = plant.dead("Lathe")
    assert "cannot map" in letter.reason
    assert letter.content == payload(3)


def test_a_wrong_password_is_said_and_tried_again(plant: Plant, tmp_path: Path) -> None:
    """The page must name what to repair, and nobody wants to restart anything after that."""
    plant.model("Saw")
    with brokers.running(brokers.mosquitto(tmp_path)) as broker:
        settings = Settings(
            kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}", user="plant", password_file="other",
            owner=OWNER, model="Saw", source="a/+",
        )  # fmt: skip
        with plant.connector(settings) as connector:
            wait_until(lambda: "other cannot be read" in connector.state.trouble)
            (plant.secrets / "other").write_text("wrong\n")
            (plant.secrets / "other").chmod(0o600)
            wait_until(lambda: "refused the connection" in connector.state.trouble)
            (plant.secrets / "other").write_text("secret\n")
            wait_until(lambda: connector.state.connected)
            assert "secret" not in str(connector.state)


# --- AMQP ----------------------------------------------------------------------------------------


def test_amqp_messages_go_back_into_the_queue_until_they_are_on_disk_here(
    plant: Plant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The queue is the only place that has them until then."""
    plant.model("Press", enabled=False)
    with brokers.running_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        settings = Settings(
            kind="amqp", url=f"amqp://127.0.0.1:{broker.port}", user="plant", password_file="plant",
            owner=OWNER, model="Press", source="readings", instance="header:machine", message="field:data",
        )  # fmt: skip
        with plant.connector(settings) as connector:
            wait_until(lambda: "no queue 'readings'" in connector.state.trouble)
        asyncio.run(_fill_queue(broker.port, [("p1", 1), ("p2", 2), ("", 3), ("p1", 4)]))
        with plant.connector(settings) as connector:
            wait_until(lambda: "switched off" in connector.state.trouble)
        assert asyncio.run(_queue_length(broker.port)) == 4
        plant.model("Press")
        with plant.connector(settings) as connector:
            wait_until(lambda: connector.state.accepted == 3)
            asyncio.run(_fill_queue(broker.port, [("p3", number) for number in range(2500)]))
            wait_until(lambda: connector.state.accepted == 2503)
        assert asyncio.run(_queue_length(broker.port)) == 0
    assert plant.counts("Press") == {"p1": 2, "p2": 1, "p3": 2500}
    assert len(plant.dead("Press")) == 1


@contextlib.asynccontextmanager
async def _queue(port: int) -> AsyncIterator[tuple[Any, Any]]:
    async with await aio_pika.connect(f"amqp://plant:secret@127.0.0.1:{port}/") as connection:
        channel = await connection.channel(publisher_confirms=False)
        yield channel, await channel.declare_queue("readings", durable=True)


async def _fill_queue(port: int, given: list[tuple[str, int]]) -> None:
    async with _queue(port) as (channel, _):
        for machine, number in given:
            headers = {"machine": machine} if machine else {}
            body = b'{"data":%s,"more":1}' % payload(number)
            await channel.default_exchange.publish(aio_pika.Message(body, headers=headers), "readings")


async def _queue_length(port: int) -> int:
    async with _queue(port) as (_, queue):
        return int(queue.declaration_result.message_count)


# --- NATS ----------------------------------------------------------------------------------------


class Forgetful(Nats):
    """The connection of which breaks each time when messages are on disk here and not yet acknowledged there."""

    async def batches(self) -> Any:
        async with contextlib.aclosing(super().batches()) as found:
            async for batch in found:
                yield Batch(batch.messages, _broken, batch.source)


async def _broken() -> None:
    raise ConnectionResetError("broken on purpose")


@pytest.mark.parametrize("retention", [RetentionPolicy.LIMITS, RetentionPolicy.WORK_QUEUE])
def test_a_streams_messages_change_a_state_once_whatever_breaks(
    plant: Plant, tmp_path: Path, retention: RetentionPolicy
) -> None:
    """Kill -9 of the source, a connector that ends before it acknowledges: nothing is lost, nothing counted twice."""
    model = f"Drill{retention.value}"
    plant.model(model)
    with brokers.running(brokers.nats(tmp_path)) as broker:
        settings = Settings(
            kind="nats", url=f"nats://127.0.0.1:{broker.port}", owner=OWNER, model=model,
            source="drills.*", stream="DRILLS", instance="topic:2",
        )  # fmt: skip
        asyncio.run(_publish(broker.port, 0, 300, retention))
        with plant.connector(settings, peer=Forgetful("plant", settings, plant.secrets)) as connector:
            wait_until(lambda: connector.state.reconnects >= 2)
        assert connector.state.accepted >= 600
        with plant.connector(settings) as connector:
            wait_until(lambda: connector.state.accepted >= 300)
            broker.end(signal.SIGKILL)
            wait_until(lambda: not connector.state.connected)
            broker.start()
            asyncio.run(_publish(broker.port, 300, 700, retention))
            wait_until(lambda: sum(plant.counts(model).values()) == 700)
            assert connector.state.promise == "exactly once"
    assert {name: twin.total for name, twin in plant.states(model).items()} == _totals(700)
    assert set(plant.counts(model).values()) == {100}


async def _publish(port: int, first: int, last: int, retention: RetentionPolicy) -> None:
    nc = await nats.connect(f"nats://127.0.0.1:{port}")
    js = nc.jetstream()
    await js.add_stream(name="DRILLS", subjects=["drills.*"], retention=retention)
    for number in range(first, last):
        await js.publish(f"drills.d{number % 7}", payload(number))
    await nc.close()


def _totals(count: int) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for number in range(count):
        totals[f"d{number % 7}"] += number
    return dict(totals)


def test_subjects_without_a_stream_come_as_they_pass(plant: Plant, tmp_path: Path) -> None:
    """Who chooses this is told on the page that it is at most once."""
    plant.model("Fan")
    with brokers.running(brokers.nats(tmp_path)) as broker:
        settings = Settings(
            kind="nats", url=f"nats://127.0.0.1:{broker.port}", owner=OWNER, model="Fan", source="fans.>", instance="field:id",
            message="field:reading",
        )  # fmt: skip
        with plant.connector(settings) as connector:
            wait_until(lambda: connector.state.connected)

            async def publish() -> None:
                nc = await nats.connect(f"nats://127.0.0.1:{broker.port}")
                for number in range(2000):
                    await nc.publish("fans.a.b", b'{"id":%d,"reading":%s}' % (number % 3, payload(number)))
                await nc.publish("fans.a.b", b'{"id":[],"reading":{}}')
                await nc.close()

            asyncio.run(publish())
            wait_until(lambda: connector.state.accepted == 2000)
            wait_until(lambda: connector.state.put_aside == 1)
            assert connector.state.promise == "at most once"
    assert plant.counts("Fan") == {"0": 667, "1": 667, "2": 666}


# --- Kafka ---------------------------------------------------------------------------------------


def test_kafka_records_change_a_state_once_even_when_offsets_are_lost(plant: Plant, tmp_path: Path) -> None:
    """A connector that ends between the disk and the commit reads again what it has read."""
    plant.model("Mill")
    with brokers.running(brokers.tansu(tmp_path)) as broker:
        settings = Settings(
            kind="kafka",
            url=f"kafka://127.0.0.1:{broker.port}",
            owner=OWNER,
            model="Mill",
            source="mills",
            instance="key",
        )
        asyncio.run(_produce(broker.port, 0, 700, topic=True))
        with plant.connector(settings) as connector:
            wait_until(lambda: connector.state.accepted == 700)
            wait_until(lambda: connector.state.put_aside == 1)
            asyncio.run(_produce(broker.port, 700, 1400))
            wait_until(lambda: connector.state.accepted == 1400)
        # A group of another name knows no offsets, as if none had ever been committed.
        with plant.connector(settings, peer=Kafka("anew", settings, plant.secrets)) as connector:
            wait_until(lambda: connector.state.accepted == 1400)
    assert plant.counts("Mill") == {f"m{number}": 200 for number in range(7)}


async def _produce(port: int, first: int, last: int, *, topic: bool = False) -> None:
    where = f"127.0.0.1:{port}"
    if topic:
        admin = AIOKafkaAdminClient(bootstrap_servers=where)
        await admin.start()
        await admin.create_topics([NewTopic("mills", 3, 1)])
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=where)
    await producer.start()
    if topic:
        await producer.send_and_wait("mills", payload(0))  # without a key, so of no machine
    for number in range(first, last):
        await producer.send("mills", payload(number), key=b"m%d" % (number % 7))
    await producer.flush()
    await producer.stop()


def test_a_message_is_never_given_away_before_it_is_kept(plant: Plant) -> None:
    """The order of the two is the whole promise, so it is held for a peer of any kind."""
    plant.model("Kiln", enabled=False)
    said: list[str] = []

    class Elsewhere:
        separator = "."
        promise = "at least once"

        async def batches(self) -> Any:
            async def acknowledge() -> None:
                said.append("acknowledged")

            yield Batch([Taken("k.k1", payload(1))], acknowledge)
            await asyncio.Event().wait()

    settings = Settings(kind="nats", url="nats://127.0.0.1", owner=OWNER, model="Kiln", source="k.>")
    with plant.connector(settings, peer=Elsewhere()) as connector:
        wait_until(lambda: connector.state.trouble)
        assert said == []
        plant.model("Kiln")
        wait_until(lambda: said)
        assert plant.counts("Kiln") == {"k1": 1}
