"""Alerts delivered to real receivers, and through the whole service: raised, followed live, acknowledged, ruled."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiomqtt
import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from realtime.outputs import Alert, Severity
from realtime.service.alerts import outbox, things
from realtime.service.alerts.book import Book
from realtime.service.alerts.brokers import Brokers
from realtime.service.alerts.mail import Mails
from realtime.service.alerts.models import Delivery, DeliveryKind
from realtime.service.alerts.reach import Reach
from realtime.service.alerts.sending import Sender
from realtime.service.alerts.webhooks import ID, SIGNATURE, Webhooks, sign
from realtime.service.standalone import OWNER
from realtime.wire import Out
from tests.support import brokers
from tests.support.certificates import make_pair
from tests.support.nats import free_port
from tests.support.realtime import Standalone, standalone
from twinhub.settings.realtime_delivery import Delivery as Settings
from twinhub.settings.realtime_delivery import Mail

SECRET = b"known to two"


class Hook:
    """A webhook's receiver: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")  # type: ignore[str-bytes-safe]
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def open_reach() -> Reach:
    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    return Reach(Settings(open_networks=["127.0.0.0/8"]).open_networks, lookup)  # type: ignore[arg-type]


def alert(position: int, text: str = "It is hot.") -> list[Out]:
    one = Alert(
        output_id=f"{position}.0.1", model="Boiler", instance="k1", time_s=float(position), key=f"hot{position}",
        severity=Severity.CRITICAL, text=text, details=b'{"t": 101}',
    )  # fmt: skip
    return [Out(0, position, [one])]


class Desk:
    """A book with one delivery, and a sender with real ways out."""

    def __init__(self, folder: Path, delivery: Delivery, secret: bytes = SECRET, *, mails: Mails | None = None) -> None:
        self.now_s = time.time()
        self.book = Book("anna", folder / "anna.sqlite", now=lambda: self.now_s)
        self.delivery = delivery
        with self.book.database.transaction() as connection:
            things.put(connection, delivery, secret)
        self._mails = mails or Mails(Mail())

    def empty(self, reach: Reach | None = None) -> int:
        async def go() -> int:
            webhooks = Webhooks(reach or open_reach())
            ways: Any = {DeliveryKind.WEBHOOK: webhooks, DeliveryKind.MQTT: Brokers(reach or open_reach())}
            try:
                return await Sender(ways, self._mails, now=lambda: self.now_s).empty(self.book)
            finally:
                await webhooks.close()

        return asyncio.run(go())

    def result(self) -> str:
        with self.book.database.reading() as connection:
            return outbox.with_results(connection, things.every(connection, Delivery))[0].result


@contextlib.contextmanager
def desk(folder: Path, delivery: Delivery, *given: Any, **more: Any) -> Iterator[Desk]:
    made = Desk(folder, delivery, *given, **more)
    try:
        yield made
    finally:
        made.book.close()


def webhook(hook: Hook) -> Delivery:
    return Delivery(
        id="d1", name="desk", kind=DeliveryKind.WEBHOOK, url=f"http://alerts.example.org:{hook.port}/in?x=1"
    )


def test_a_webhook_is_signed_and_carries_the_alert_s_id(tmp_path: Path, hook: Hook) -> None:
    """A receiver can tell that it comes from us, when it was sent, and whether it has had it before."""
    with desk(tmp_path, webhook(hook)) as one:
        one.book.take("Boiler", alert(1))
        assert one.empty() == 1
        headers, body = hook.got[0]
        stamp, signature = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
        assert hmac.compare_digest(
            signature, hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        )
        assert signature == sign(SECRET, stamp, body)
        assert abs(time.time() - int(stamp)) < 60
        assert headers["Host"] == f"alerts.example.org:{hook.port}"
        sent = json.loads(body)
        assert sent["id"] == headers[ID] == "1-d1"
        assert (sent["what"], sent["owner"], sent["alert"]["details"]) == ("raised", "anna", {"t": 101})
        assert SECRET not in body


def test_a_webhook_that_fails_is_tried_again_and_a_redirect_is_no_success(tmp_path: Path, hook: Hook) -> None:
    """A receiver that restarts gets its alert; one that redirects leads nowhere."""
    with desk(tmp_path, webhook(hook)) as one:
        one.book.take("Boiler", alert(1))
        for status in (503, 302):
            hook.status = status
            assert one.empty() == 0
            assert str(status) in one.result()
            one.now_s += 60
        hook.status = 204
        assert one.empty() == 1
        assert [headers[ID] for headers, _ in hook.got] == ["1-d1"] * 3
        assert one.result() == "alerts.example.org answered 204"


def test_a_webhook_reaches_nothing_of_this_machine(tmp_path: Path, hook: Hook) -> None:
    """The receiver is there, and is not asked."""
    with desk(
        tmp_path, Delivery(id="d1", name="desk", kind=DeliveryKind.WEBHOOK, url=f"http://localhost:{hook.port}/")
    ) as one:
        one.book.take("Boiler", alert(1))
        assert one.empty(Reach()) == 0
        assert "not a public address" in one.result()
        assert hook.got == []


def test_a_broker_acknowledges_and_only_with_the_right_password(tmp_path: Path) -> None:
    """Alerts reach whoever subscribes at a real broker; a wrong password is told to the owner."""
    with brokers.running(brokers.mosquitto(tmp_path)) as broker:
        asyncio.run(_subscribe_and_deliver(tmp_path, broker.port))


async def _subscribe_and_deliver(folder: Path, port: int) -> None:
    delivery = Delivery(
        id="d1",
        name="b",
        kind=DeliveryKind.MQTT,
        url=f"mqtt://broker.example.org:{port}",
        topic="plant/alerts",
        user="plant",
    )
    async with aiomqtt.Client("127.0.0.1", port, username="plant", password="secret") as client:
        await client.subscribe("plant/#", qos=1)
        with desk(folder, delivery, b"secret") as one:
            one.book.take("Boiler", alert(1))
            assert await asyncio.to_thread(one.empty) == 1
            async with asyncio.timeout(10):
                message = await anext(aiter(client.messages))
            assert str(message.topic) == "plant/alerts"
            assert json.loads(message.payload)["alert"]["instance"] == "k1"  # type: ignore[arg-type]
            with one.book.database.transaction() as connection:
                things.put(connection, delivery, b"wrong")
            one.book.take("Boiler", alert(2))
            assert await asyncio.to_thread(one.empty) == 0
            assert "did not take it" in one.result()
            assert "wrong" not in one.result()


class Mailbox:
    """Keeps what a real SMTP server took."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name there
        self.got.append(envelope)
        return "250 kept"


def test_mail_goes_over_tls_with_a_password_and_a_storm_becomes_a_digest(tmp_path: Path) -> None:
    """What a device says stays text, and a hundred alerts are two mails."""
    certificate, key = make_pair(tmp_path, ["localhost"])
    box = Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True, auth_required=True,
        authenticator=lambda *given: AuthResult(success=given[-1].password == b"mailpw", handled=False),
    )  # fmt: skip
    controller.start()
    try:
        settings = Mail(
            host="localhost", port=controller.port, user="twinhub", sender="twinhub@example.org", per_minute=6
        )
        trusted = ssl.create_default_context(cafile=str(certificate))
        delivery = Delivery(id="d1", name="desk", kind=DeliveryKind.MAIL, to=["a@example.org", "b@example.org"])
        with desk(tmp_path, delivery, mails=Mails(settings, "mailpw", context=trusted)) as one:
            one.book.take("Boiler", alert(1, "hot\r\nBcc: eve@example.org\r\n\r\nbody \u2603"))
            assert one.empty() == 1
            for position in range(2, 102):
                one.book.take("Boiler", alert(position))
            assert one.empty() == 100
            first, digest = box.got
            assert first.rcpt_tos == ["a@example.org", "b@example.org"]
            read = email.message_from_bytes(first.content, policy=email.policy.default)
            assert read["Bcc"] is None
            assert "Boiler k1: hot Bcc: eve@example.org" in str(read["Subject"])
            assert "☃" in read.get_content()  # type: ignore[attr-defined]
            assert str(email.message_from_bytes(digest.content, policy=email.policy.default)["Subject"]).startswith(
                "100 alerts"
            )
        with desk(tmp_path / "2", delivery, mails=Mails(settings, "wrong", context=trusted)) as one:
            one.book.take("Boiler", alert(1))
            assert one.empty() == 0
            assert "mail server did not take it" in one.result()
    finally:
        controller.stop()


# --- the whole service ----------------------------------------------------------------------

MODEL = """
from realtime import Context, Message, Twin, on_message

class Reading(Message):
    t: float

class Boiler(Twin):
    t: float = 0.0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.t = message.t
        context.log_event("read", t=message.t)
        if message.t > 100:
            context.raise_alert("hot", f"{message.t} C", severity="critical", details={"t": message.t})
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("service")) as running:
        running.deploy({"model.py": MODEL}, entry="model.py")
        yield running


@pytest.fixture
def http(service: Standalone) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{service.url}/realtime/{OWNER}", timeout=30) as client:
        yield client


def wait_for(condition: Any, within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return found


def alerts(http: httpx2.Client, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get("/alerts", params=given).json()["alerts"]
    return found


def test_an_alert_of_a_model_is_seen_live_and_acknowledged(http: httpx2.Client) -> None:
    """From a device's message to a person's decision, through every part."""
    with http.stream("GET", "/alerts/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        assert http.post("/models/Boiler/instances/k1/messages", json={"t": 120}).status_code < 300
        data = next(line for line in lines if line.startswith("data: "))
        seen = json.loads(data.removeprefix("data: "))
        assert (seen["what"], seen["alert"]["text"], seen["alert"]["severity"]) == ("raised", "120.0 C", "critical")
        number = seen["alert"]["id"]
        answer = http.post(f"/alerts/{number}/acknowledge", json={"note": "On my way."}).json()
        assert (answer["changed"][0]["state"], answer["changed"][0]["by"]) == ("acknowledged", OWNER)
        data = next(line for line in lines if line.startswith("data: "))
        assert json.loads(data.removeprefix("data: "))["what"] == "acknowledged"
    assert [one["note"] for one in alerts(http, state="acknowledged", instance="k1")] == ["On my way."]
    assert http.post("/alerts/acknowledge", json={"ids": [number, 999]}).status_code == 404
    assert http.get("/alerts", params={"state": "odd"}).status_code == 422


def test_a_rule_raises_and_resolves_by_the_state_of_instances(http: httpx2.Client) -> None:
    """A limit that somebody sets on the page works without a new version of the model."""
    assert (
        http.post("/rules", json={"name": "x", "model": "Boiler", "where": "nothing > 1", "text": "x"}).status_code
        == 422
    )
    rule = {"name": "warm", "model": "Boiler", "where": "t > 50 AND t < 100", "text": "{instance} has {t} C"}
    made = http.post("/rules", json=rule)
    assert made.status_code == 201, made.text
    http.post("/models/Boiler/instances/k2/messages", json={"t": 60})
    raised = wait_for(lambda: alerts(http, instance="k2"))
    assert (raised[0]["text"], raised[0]["rule"]) == ("k2 has 60 C", made.json()["id"])
    http.post("/models/Boiler/instances/k2/messages", json={"t": 10})
    wait_for(lambda: not alerts(http, instance="k2"))
    name = made.json()["id"]
    assert http.delete(f"/rules/{name}").status_code == 200
    assert http.get("/rules").json()["rules"] == []
    assert http.post(f"/rules/{name}/restore").status_code == 200
    assert [one["name"] for one in http.get("/rules").json()["rules"]] == ["warm"]
    http.delete(f"/rules/{name}")


def test_deliveries_and_silences_are_kept_and_secrets_are_shown_once(http: httpx2.Client) -> None:
    """Whoever reads the list cannot sign in our name, and a test says what is wrong in words."""
    made = http.post("/deliveries", json={"name": "desk", "kind": "webhook", "url": "http://127.0.0.1:9/"}).json()
    assert len(made["secret"]) > 30
    listed = http.get("/deliveries").text
    assert made["id"] in listed
    assert made["secret"] not in listed
    answer = http.post(f"/deliveries/{made['id']}/test")
    assert answer.status_code == 422
    assert "not a public address" in answer.json()["error"]["what"]
    assert (
        "secret"
        not in http.put(
            f"/deliveries/{made['id']}", json={"name": "d", "kind": "webhook", "url": "http://127.0.0.1:9/"}
        ).json()
    )
    assert http.post("/deliveries", json={"name": "m", "kind": "mail", "to": ["a@b\r\nX: y"]}).status_code == 422
    assert http.post("/silences", json={"instance": "k3", "seconds": 60, "reason": "test"}).status_code == 201
    http.post("/models/Boiler/instances/k3/messages", json={"t": 130})
    assert wait_for(lambda: alerts(http, instance="k3"))[0]["silenced"] is True
    assert wait_for(lambda: http.get("/deliveries").json()["deliveries"])[0]["waiting"] == 0
    assert http.delete(f"/deliveries/{made['id']}").status_code == 200


def test_another_owners_alerts_are_out_of_reach(http: httpx2.Client, service: Standalone) -> None:
    """One person's plant is nobody else's business."""
    for path in ("alerts", "rules", "silences", "deliveries", "alerts/stream"):
        assert httpx2.get(f"{service.url}/realtime/somebody/{path}", timeout=10).status_code in {403, 404}


def test_the_last_events_of_an_instance_are_on_its_page(http: httpx2.Client) -> None:
    """What a model logged is found where one looks at the instance."""
    http.post("/models/Boiler/instances/k4/messages", json={"t": 7})
    shown = wait_for(lambda: http.get("/models/Boiler/instances/k4").json().get("events"))
    assert (shown[0]["text"], shown[0]["details"]) == ("read", {"t": 7.0})
