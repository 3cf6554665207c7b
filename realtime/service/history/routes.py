"""History of an instance over HTTP: points for plots, or the rows themselves; as JSON or CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import polars as pl
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from realtime.service import addresses  # registers the kind 'instance'
from realtime.service.access import space_of
from realtime.service.history.contract import MOST_ROWS, HistoryKind, Question
from realtime.service.history.errors import HistoryRefused
from realtime.service.history.plots import Plot, check_fields, flatten, guess_fields, plot
from realtime.service.history.service import History

PATH: Final = "/realtime/{owner}/models/{model}/instances/{instance:instance}/history"
INSTANCE: Final = addresses.InstanceConvertor
POINTS: Final = 500
MOST_POINTS: Final = 5000
MOST_LISTED: Final = 50_000
HOUR_S: Final = 3600.0
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class HistoryRoutes:
    """GET …/history."""

    def __init__(self, history: History) -> None:
        self._history = history

    def routes(self) -> list[Route]:
        """Give the routes; they stand before those of instances, whose ids may have slashes."""
        return [Route(PATH, self.get, methods=["GET"])]

    async def get(self, request: Request) -> Response:
        """Answer with points, or with rows where `limit` is given."""
        space = await space_of(request)
        await space.model(request.path_params["model"])
        given = request.query_params
        question = read_question(request, space.label, time.time())
        fields = [name for name in given.get("fields", "").split(",") if name]
        check_fields(fields)
        as_csv = given.get("format", "json") == "csv"
        listed = "limit" in given
        points = _whole(given.get("points", str(POINTS)), "points", MOST_POINTS)
        rows, more = await self._history.read(question)
        head = {
            "kind": question.kind,
            "from_s": question.from_us / 1_000_000,
            "to_s": question.to_us / 1_000_000,
            "truncated": more,
        }
        if listed:
            return await asyncio.to_thread(_list, rows, head, fields, as_csv=as_csv)
        return await asyncio.to_thread(_plot, rows, head, (fields, points), as_csv=as_csv)


def read_question(request: Request, owner: str, now_s: float) -> Question:
    """Read what is asked for; without times it is the last hour."""
    given = request.query_params
    try:
        kind = HistoryKind(given.get("kind", HistoryKind.TELEMETRY))
    except ValueError as error:
        raise HistoryRefused(
            f"There is no history of the kind '{given['kind'][:40]}'.", "There are: telemetry, states."
        ) from error
    end = _time(given.get("to") or given.get("to_s"), now_s, "to")
    start = _time(given.get("from") or given.get("from_s"), end - HOUR_S, "from")
    if start > end:
        raise HistoryRefused("'from' is after 'to'.", "Exchange them.")
    return Question(
        owner=owner,
        kind=kind,
        model=request.path_params["model"],
        instance=request.path_params["instance"],
        from_us=int(start * 1_000_000),
        to_us=int(end * 1_000_000),
        most=_whole(given.get("limit", str(MOST_ROWS)), "limit", MOST_LISTED) if "limit" in given else MOST_ROWS,
    )


def _time(text: str | None, default: float, name: str) -> float:
    if text is None:
        return default
    try:
        try:
            found = float(text)
        except ValueError:
            at = datetime.fromisoformat(text)
            found = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        if not 0 <= found < 253_402_300_800:
            raise ValueError("it is not between 1970 and 9999")
    except (ValueError, OverflowError) as error:
        raise HistoryRefused(
            f"'{name}' is '{text[:60]}', which is no time.",
            "Give seconds since 1970, or a date such as 2026-05-01T12:00:00Z.",
        ) from error
    return found


def _whole(text: str, name: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise HistoryRefused(f"'{name}' is '{text[:40]}'.", f"Give a whole number from 1 to {most}.")
    return int(text)


def _plot(rows: pl.DataFrame, head: dict[str, Any], wanted: tuple[list[str], int], *, as_csv: bool) -> Response:
    fields = wanted[0] or guess_fields(rows)
    made = plot(rows, fields, wanted[1])
    if as_csv:
        return _csv(
            ["time_s", *(f"{name}{kind}" for name in fields for kind in ("", "_min", "_max"))], _lines(made, fields)
        )
    return _json({**head, **msgspec.to_builtins(made)})


def _lines(made: Plot, fields: list[str]) -> list[list[Any]]:
    columns = [column[name] for name in fields for column in (made.fields, made.low, made.high)]
    return [[at, *(column[place] for column in columns)] for place, at in enumerate(made.times)]


def _list(rows: pl.DataFrame, head: dict[str, Any], fields: list[str], *, as_csv: bool) -> Response:
    listed = [(at / 1_000_000, _content(text)) for at, text in rows.iter_rows()]
    if not as_csv:
        return _json({**head, "rows": [{"time_s": at, "content": _only(content, fields)} for at, content in listed]})
    flat = [(at, dict(flatten(content))) for at, content in listed]
    names = fields or list(dict.fromkeys(name for _, values in flat for name in values))
    return _csv(["time_s", *names], [[at, *(values.get(name) for name in names)] for at, values in flat])


def _content(text: str) -> Any:
    try:
        return msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        return text


def _only(content: Any, fields: list[str]) -> Any:
    if not fields:
        return content
    values = dict(flatten(content))
    return {name: values[name] for name in fields if name in values}


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json", headers={"Cache-Control": "no-store"})


def _csv(names: list[str], lines: list[list[Any]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(name) for name in names])
    writer.writerows([[_cell(value) for value in line] for line in lines])
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="history.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from running what a device has sent."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
