"""History in InfluxDB: line protocol over HTTP, of version 1 (/write) or 2 (/api/v2/write)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
import polars as pl

from realtime.service.history.contract import READ_SCHEMA, Batch, HistoryKind, Place, Question
from realtime.service.history.embedded import keep_place, read_place
from realtime.service.history.errors import StoreAway
from realtime.service.history.plots import flatten

LINES: Final = 5000
TIMEOUT_S: Final = 30.0
MOST_FIELDS: Final = 200
LONGEST_TEXT: Final = 32_000
KEY: Final = re.compile(r"([,= \\])")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
RAW: Final = "_raw"
"""The field of what is no JSON object."""

log = logging.getLogger("realtime.history")


class Influx:
    """Points are made so that writing one twice leaves one: the same series at the same nanosecond.

    So a batch may be written again after a crash, and the place is kept in a file of ours.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        version: int,
        database: str,
        organisation: str = "",
        user: str = "",
        secret: str = "",
    ) -> None:
        self._folder = folder
        headers = {"Authorization": f"Token {f'{user}:{secret}' if user else secret}"} if secret else {}
        self._client = httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        self._database = database
        self._path = "/write" if version == 1 else "/api/v2/write"
        self._params = {"db": database} if version == 1 else {"bucket": database, "org": organisation}

    async def place(self, owner: str, kind: HistoryKind, epoch: int) -> Place:
        kept = await asyncio.to_thread(read_place, self._folder / owner / kind)
        return kept if kept is not None and kept.epoch == epoch else Place(epoch=epoch)

    async def write(self, batch: Batch) -> None:
        for model, frame in batch.models.items():
            for start in range(0, frame.height, LINES):
                body = await asyncio.to_thread(lines, batch, model, frame[start : start + LINES])
                await self._post(body)
        await asyncio.to_thread(keep_place, self._folder / batch.owner / batch.kind, batch.place)

    async def _post(self, body: bytes) -> None:
        answer = await self._ask("POST", self._path, params={**self._params, "precision": "ns"}, content=body)
        if answer.status_code in {400, 413, 422}:
            # It has taken what fits; a field that was a number and is a text now does not, and never will.
            log.warning("InfluxDB left out points: %s", ascii(answer.text[:300]))
        elif answer.status_code >= 300:
            raise StoreAway(
                f"InfluxDB answered {answer.status_code}: {answer.text[:200]!a}", "Check 'realtime.history'."
            )

    async def read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        # Names go as parameters: an instance may be called anything.
        text = (
            f'SELECT * FROM "{question.model}" WHERE "twin_owner" = $owner AND "twin_kind" = $kind '  # noqa: S608 - a model's name is letters and digits
            'AND "twin_instance" = $instance '
            f"AND time >= {question.from_us}000 AND time <= {question.to_us}999 ORDER BY time DESC LIMIT {question.most + 1}"
        )
        values = json.dumps({"owner": question.owner, "kind": question.kind, "instance": tag_value(question.instance)})
        params = {"db": self._database, "q": text, "params": values, "epoch": "u"}
        answer = await self._ask("GET", "/query", params=params)
        if answer.status_code != 200:
            raise StoreAway(f"InfluxDB answered {answer.status_code}.", "Check 'realtime.history'.")
        return await asyncio.to_thread(_rows, answer.json(), question.most)

    async def forget(self, owner: str, model: str | None = None) -> None:
        measurement = f'FROM "{model}" ' if model else ""
        text = f'DROP SERIES {measurement}WHERE "twin_owner" = $owner'
        values = json.dumps({"owner": owner})
        await self._ask("POST", "/query", params={"db": self._database, "q": text, "params": values})
        if model is None:
            await asyncio.to_thread(shutil.rmtree, self._folder / owner, ignore_errors=True)

    async def tidy(self) -> None:
        """How long points are kept is InfluxDB's own setting."""

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, **given: Any) -> httpx2.Response:
        try:
            answer = await self._client.request(method, path, **given)
        except httpx2.HTTPError as error:
            raise StoreAway(
                f"InfluxDB does not answer: {type(error).__name__}.", "Check that it runs, and 'realtime.history'."
            ) from error
        if answer.status_code >= 500 and answer.status_code != 500:
            raise StoreAway(f"InfluxDB answered {answer.status_code}.", "Check that it is well.")
        return answer


def lines(batch: Batch, model: str, frame: pl.DataFrame) -> bytes:
    """Write rows as line protocol.

    Rows of one instance with one time would overwrite each other, so they stand a
    nanosecond apart, in their order.
    """
    found, seen = list[str](), dict[tuple[str, int], int]()
    for instance, time_us, content in frame.iter_rows():
        fields = _fields(content)
        if not fields:
            continue
        place = seen[instance, time_us] = seen.get((instance, time_us), -1) + 1
        tags = f"twin_instance={_escape(tag_value(instance))},twin_kind={batch.kind},twin_owner={_escape(batch.owner)}"
        found.append(f"{_escape(model)},{tags} {fields} {time_us * 1000 + min(place, 999)}")
    return "\n".join(found).encode()


def tag_value(text: str) -> str:
    """Give what stands for an id in a tag, which can hold no line break and no \\ at its end."""
    return CONTROL.sub("?", text).rstrip("\\") or "?"


def _escape(text: str) -> str:
    return KEY.sub(r"\\\1", text)


def _fields(content: str) -> str:
    try:
        decoded = msgspec.json.decode(content.encode())
    except (msgspec.DecodeError, RecursionError):
        decoded = content
    pairs = flatten(decoded)[:MOST_FIELDS] if isinstance(decoded, dict) else [(RAW, content)]
    # 'time' is InfluxDB's own.
    pairs = [("time_" if name == "time" else name, value) for name, value in pairs]
    return ",".join(f"{_escape(tag_value(name))}={_value(value)}" for name, value in pairs if name)


def _value(value: Any) -> str:
    """Write a value; all numbers are floats, as a field keeps the type of its first value for ever."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(float(value))
    text = CONTROL.sub(" ", value[:LONGEST_TEXT]).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _rows(answer: Any, most: int) -> tuple[pl.DataFrame, bool]:
    series = answer.get("results", [{}])[0].get("series") or []
    if not series:
        return pl.DataFrame(schema=READ_SCHEMA), False
    names, values = series[0]["columns"], series[0]["values"]
    tags = {"time", "twin_instance", "twin_kind", "twin_owner"}
    times, contents = list[int](), list[str]()
    for row in values[:most]:
        given = dict(zip(names, row, strict=True))
        times.append(given["time"])
        fields = {name: value for name, value in given.items() if name not in tags and value is not None}
        contents.append(given[RAW] if given.get(RAW) is not None else msgspec.json.encode(nest(fields)).decode())
    return pl.DataFrame({"time_us": times, "content": contents}, schema=READ_SCHEMA).reverse(), len(values) > most


def nest(fields: dict[str, Any]) -> dict[str, Any]:
    """Make an object of fields' paths."""
    whole = dict[str, Any]()
    for path, value in fields.items():
        *parents, name = path.split(".")
        inner: Any = whole
        for parent in parents:
            inner = inner.setdefault(parent, {}) if isinstance(inner, dict) else inner
        if isinstance(inner, dict):
            inner[name] = value
    return whole
