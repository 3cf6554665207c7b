"""A topic of a Kafka cluster: read by a group of the connector's name, whose offsets move when messages are on disk here.

Exactly once: an offset is the position by which a repeat is told. So who deletes a
topic and makes it anew, which makes its offsets begin anew, gives the connector
another name too.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from realtime.service.connectors.access import read_access
from realtime.service.connectors.connector import BATCH, Batch, PeerTrouble, Promise
from realtime.service.connectors.mapping import Taken
from twinhub.settings.connectors import Connector

LOOK_MS: Final = 1000
LONGEST_FETCH_BYTES: Final = 1024 * 1024


class Kafka:
    """One topic."""

    separator = "."
    promise = Promise.ONCE

    def __init__(self, name: str, settings: Connector, secrets: Path) -> None:
        self._group, self._settings, self._secrets = f"twinhub-{name}", settings, secrets

    async def batches(self) -> AsyncGenerator[Batch]:
        """Read the partitions that the group gives to us."""
        consumer = self._consumer()
        try:
            await consumer.start()
            if self._settings.source not in await consumer.topics():
                raise PeerTrouble(f"There is no topic '{self._settings.source}' at {self._settings.url}.")
            yield Batch()
            while True:
                found = await consumer.getmany(timeout_ms=LOOK_MS, max_records=BATCH)
                for partition, records in found.items():
                    commit = partial(_commit, consumer, partition, records[-1].offset + 1)
                    yield Batch([_taken(one) for one in records], commit, f"{partition.topic}/{partition.partition}")
        except (KafkaError, OSError) as error:
            raise PeerTrouble(f"{self._settings.url}: {type(error).__name__}: {error}") from error
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await consumer.stop()

    def _consumer(self) -> Any:
        access = read_access(self._settings, self._secrets)
        protocol = "SASL_" if access.user else ""
        return AIOKafkaConsumer(
            self._settings.source,
            bootstrap_servers=access.addresses,
            group_id=self._group,
            client_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LONGEST_FETCH_BYTES,
            isolation_level="read_committed",
            security_protocol=protocol + ("SSL" if access.context else "PLAINTEXT"),
            ssl_context=access.context,
            sasl_plain_username=access.user,
            sasl_plain_password=access.password,
        )


async def _commit(consumer: Any, partition: TopicPartition, offset: int) -> None:
    try:
        await consumer.commit({partition: offset})
    except KafkaError as error:
        raise PeerTrouble(f"The offset {offset} could not be committed: {type(error).__name__}: {error}") from error


def _taken(record: Any) -> Taken:
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    return Taken(record.topic, record.value or b"", record.offset, record.key, headers)
