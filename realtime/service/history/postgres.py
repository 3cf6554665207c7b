"""History in PostgreSQL, and in TimescaleDB where that extension is there."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import polars as pl
import psycopg

from realtime.service.history.contract import READ_SCHEMA, Batch, HistoryKind, Place, Question
from realtime.service.history.errors import StoreAway

TABLES: Final = """
CREATE TABLE IF NOT EXISTS twinhub_history (
    time timestamptz NOT NULL, owner text NOT NULL, kind text NOT NULL, model text NOT NULL, instance text NOT NULL,
    place bigint NOT NULL, content jsonb, raw text);
CREATE INDEX IF NOT EXISTS twinhub_history_of_instance ON twinhub_history (owner, kind, model, instance, time);
CREATE TABLE IF NOT EXISTS twinhub_history_places (
    owner text, kind text, place jsonb NOT NULL, PRIMARY KEY (owner, kind));
"""
COPY: Final = "COPY twinhub_history (time, owner, kind, model, instance, place, content, raw) FROM STDIN"
YIELD_EVERY: Final = 500
CONNECT_S: Final = 10
KEEP_PLACE: Final = """
INSERT INTO twinhub_history_places VALUES (%s, %s, %s) ON CONFLICT (owner, kind) DO UPDATE SET place = excluded.place
"""
READ: Final = """
SELECT (extract(epoch FROM time) * 1000000)::bigint, coalesce(content::text, raw) FROM twinhub_history
WHERE owner = %s AND kind = %s AND model = %s AND instance = %s AND time BETWEEN %s AND %s
ORDER BY time DESC, place DESC LIMIT %s
"""

log = logging.getLogger("realtime.history")


class Postgres:
    """Rows and the place go in one transaction."""

    def __init__(self, url: str, *, user: str | None, password: str | None, keep_days: float) -> None:
        self._url = url
        self._login: dict[str, Any] = {name: value for name, value in (("user", user), ("password", password)) if value}
        self._keep_days = keep_days
        self._prepared = False
        self._preparing = asyncio.Lock()

    async def place(self, owner: str, kind: HistoryKind, epoch: int) -> Place:
        async with await self._connect() as connection:
            cursor = await connection.execute(
                "SELECT place::text FROM twinhub_history_places WHERE owner = %s AND kind = %s", (owner, kind)
            )
            row = await cursor.fetchone()
        kept = msgspec.json.decode(row[0], type=Place) if row else None
        return kept if kept is not None and kept.epoch == epoch else Place(epoch=epoch)

    async def write(self, batch: Batch) -> None:
        try:
            async with await self._connect() as connection:
                async with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                    for model, frame in batch.models.items():
                        await _copy(copy, batch, model, frame)
                await connection.execute(
                    KEEP_PLACE, (batch.owner, batch.kind, msgspec.json.encode(batch.place).decode())
                )
        except psycopg.Error as error:
            raise _away(error) from error

    async def read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        try:
            async with await self._connect() as connection:
                cursor = await connection.execute(
                    READ,
                    (
                        question.owner,
                        question.kind,
                        question.model,
                        _text(question.instance),
                        _at(question.from_us),
                        _at(question.to_us),
                        question.most + 1,
                    ),
                )
                rows = await cursor.fetchall()
        except psycopg.Error as error:
            raise _away(error) from error
        columns = {"time_us": [row[0] for row in rows], "content": [row[1] for row in rows]}
        return pl.DataFrame(columns, schema=READ_SCHEMA)[: question.most].reverse(), len(rows) > question.most

    async def forget(self, owner: str, model: str | None = None) -> None:
        if model is not None:
            await self._run("DELETE FROM twinhub_history WHERE owner = %s AND model = %s", (owner, model))
            return
        await self._run("DELETE FROM twinhub_history WHERE owner = %s", (owner,))
        await self._run("DELETE FROM twinhub_history_places WHERE owner = %s", (owner,))

    async def tidy(self) -> None:
        """Let go of what is older than is kept."""
        await self._run(
            "DELETE FROM twinhub_history WHERE time < now() - make_interval(secs => %s)", (self._keep_days * 86_400,)
        )

    async def close(self) -> None:
        """There is nothing open between calls."""

    async def _run(self, statement: Any, values: tuple[Any, ...]) -> None:
        try:
            async with await self._connect() as connection:
                await connection.execute(statement, values)
        except psycopg.Error as error:
            raise _away(error) from error

    async def _connect(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        try:
            connection = await psycopg.AsyncConnection.connect(self._url, connect_timeout=CONNECT_S, **self._login)
        except psycopg.Error as error:
            raise _away(error) from error
        if not self._prepared:
            async with self._preparing:
                await self._prepare(connection)
                self._prepared = True
        return connection

    @staticmethod
    async def _prepare(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        """Make the tables, a hypertable where TimescaleDB is installed."""
        try:
            await connection.execute(TABLES)
            cursor = await connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")
            if await cursor.fetchone():
                await connection.execute(
                    "SELECT create_hypertable('twinhub_history', 'time', if_not_exists => TRUE, migrate_data => TRUE)"
                )
            await connection.commit()
        except psycopg.Error as error:
            await connection.close()
            raise _away(error) from error


async def _copy(copy: psycopg.AsyncCopy, batch: Batch, model: str, frame: pl.DataFrame) -> None:
    for number, (instance, time_us, content) in enumerate(frame.iter_rows()):
        fits = _json(content)
        raw = None if fits is not None else _text(content)
        await copy.write_row(
            (_at(time_us), batch.owner, batch.kind, model, _text(instance), batch.first + number, fits, raw)
        )
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)  # other messages wait


def _json(content: str) -> str | None:
    """Give what the column takes: JSON without the character 0, its numbers no larger than a float; None for anything else."""
    try:
        text = msgspec.json.encode(msgspec.json.decode(content.encode())).decode()
    except (msgspec.DecodeError, RecursionError):
        return None
    return None if "\\u0000" in text else text


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _at(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)


def _away(error: Exception) -> StoreAway:
    # The first line only: what follows may quote a row.
    return StoreAway(
        f"PostgreSQL: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}",
        "Check 'realtime.history'.",
    )
