"""What people send about alerts, read and checked."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request

from realtime.outputs import Severity
from realtime.service.alerts import brokers, webhooks
from realtime.service.alerts.errors import AlertRefused
from realtime.service.alerts.mail import check_recipients
from realtime.service.alerts.matters import LONGEST_KEY, LONGEST_TEXT, Filter
from realtime.service.alerts.models import Delivery, DeliveryKind, MatterState, Rule, Silence
from realtime.service.alerts.things import new_id
from realtime.wire import LONGEST_INSTANCE, MODEL_NAME
from twinhub.settings.realtime_delivery import Mail

LARGEST_BODY: Final = 64 * 1024
LONGEST_SILENCE_S: Final = 365 * 86_400.0
MOST_AT_ONCE: Final = 1000
Kind = TypeVar("Kind")


class DecisionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST …/acknowledge and …/resolve."""

    note: str = ""
    ids: list[int] = []
    """Where the address names none."""


class RuleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST and PUT of a rule."""

    name: str
    model: str
    where: str
    text: str
    key: str = ""
    """'' is the rule's name."""
    severity: Severity = Severity.WARNING
    for_s: float = 0.0
    enabled: bool = True


class SilenceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST of a silence: until a time, or for so many seconds."""

    until_s: float | None = None
    seconds: float | None = None
    reason: str = ""
    model: str = "*"
    instance: str = "*"
    key: str = "*"


class DeliveryBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST and PUT of a delivery."""

    name: str
    kind: DeliveryKind
    url: str = ""
    topic: str = ""
    user: str = ""
    password: str = ""
    """MQTT only; it is never given back."""
    to: list[str] = []
    severity: Severity = Severity.NOTE
    model: str = "*"
    resolved: bool = False
    enabled: bool = True


async def read_body(request: Request, kind: type[Kind]) -> Kind:
    """Read a request's JSON; raises AlertRefused, with the field's name."""
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise AlertRefused(f"More than {LARGEST_BODY} bytes were sent.", "Send less.")
        parts.append(part)
    try:
        return msgspec.json.decode(b"".join(parts) or b"{}", type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise AlertRefused(
            f"The request does not fit: {str(error)[:300]}.", "Correct the field that is named."
        ) from error


def read_filter(request: Request) -> Filter:
    """Read which alerts are asked for."""
    given = request.query_params
    state = given.get("state", "live")
    if state not in {"live", "all", *MatterState}:
        raise AlertRefused(
            f"'{state[:40]}' is no state of alerts.", "There are: live, open, acknowledged, resolved, all."
        )
    try:
        severity = Severity(given.get("severity", Severity.NOTE))
        offset, limit = int(given.get("offset", 0)), int(given.get("limit", 100))
    except ValueError as error:
        raise AlertRefused(
            f"The question does not fit: {error}.",
            "severity is note, warning or critical; offset and limit are numbers.",
        ) from error
    if not (0 <= offset <= 1_000_000 and 1 <= limit <= MOST_AT_ONCE):
        raise AlertRefused(
            f"offset {offset}, limit {limit} is no page.", f"limit goes from 1 to {MOST_AT_ONCE}, offset from 0."
        )
    return Filter(
        state="" if state == "all" else state,
        severity=severity,
        model=given.get("model", ""),
        instance=given.get("instance", ""),
        offset=offset,
        limit=limit,
    )


def make_rule(body: RuleBody, name: str | None = None) -> Rule:
    """Check a rule; whether its WHERE fits is for the workers to say."""
    _length("name", body.name, 100, least=1)
    _length("where", body.where, 4000, least=1)
    _length("text", body.text, LONGEST_TEXT, least=1)
    _length("key", body.key, LONGEST_KEY)
    if MODEL_NAME.fullmatch(body.model) is None:
        raise AlertRefused(f"'{body.model[:80]}' is no name of a model.", "Give the name of the class.")
    if not 0 <= body.for_s <= 30 * 86_400:
        raise AlertRefused(f"for_s is {body.for_s}.", "Give 0 to 2592000 seconds (30 days).")
    values = {field: getattr(body, field) for field in RuleBody.__struct_fields__} | {"key": body.key or body.name}
    return Rule(id=name or new_id(), **values)


def make_silence(body: SilenceBody, by: str, *, now_s: float | None = None) -> Silence:
    """Check a silence: it has an end."""
    now_s = time.time() if now_s is None else now_s
    until_s = body.until_s if body.until_s is not None else now_s + (body.seconds or 0.0)
    if not now_s < until_s <= now_s + LONGEST_SILENCE_S:
        raise AlertRefused(
            "A silence ends some time, within a year from now.", "Give 'seconds', or 'until_s' in seconds since 1970."
        )
    for field in ("model", "instance", "key"):
        _length(field, getattr(body, field), LONGEST_INSTANCE, least=1)
    _length("reason", body.reason, 500)
    return Silence(
        id=new_id(), until_s=until_s, reason=body.reason, by=by, model=body.model, instance=body.instance, key=body.key
    )


def make_delivery(body: DeliveryBody, mail: Mail, name: str | None = None) -> Delivery:
    """Check a delivery; where its name leads is looked at each time that it is used."""
    _length("name", body.name, 100, least=1)
    _length("model", body.model, 100, least=1)
    match body.kind:
        case DeliveryKind.WEBHOOK:
            webhooks.read_url(body.url)
        case DeliveryKind.MQTT:
            brokers.read_url(body.url)
            _length("topic", body.topic, 500, least=1)
            _length("user", body.user, 200)
            _length("password", body.password, 1000)
            if any(character in body.topic for character in "+#\0"):
                raise AlertRefused(f"'{body.topic[:100]}' is no topic to publish to.", "Leave out + and #.")
        case DeliveryKind.MAIL:
            check_recipients(body.to, mail)
    values: dict[str, Any] = {
        field: getattr(body, field) for field in DeliveryBody.__struct_fields__ if field != "password"
    }
    return Delivery(id=name or new_id(), **values)


def make_secret(body: DeliveryBody, *, new: bool) -> bytes | None:
    """Give the secret to keep; None leaves the one that there is."""
    if body.kind is DeliveryKind.MQTT:
        return body.password.encode() if body.password or new else None
    return secrets.token_urlsafe(32).encode() if body.kind is DeliveryKind.WEBHOOK and new else None


def _length(field: str, value: str, most: int, *, least: int = 0) -> None:
    if not least <= len(value) <= most:
        raise AlertRefused(f"'{field}' has {len(value)} characters.", f"Give {least} to {most}.")
