"""Deliveries: nothing reaches what it must not, nothing is lost while a receiver is away, and no device writes headers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from realtime.outputs import Severity
from realtime.service.alerts import brokers, outbox, things, webhooks
from realtime.service.alerts.book import Book
from realtime.service.alerts.errors import AlertRefused, PlaceClosed
from realtime.service.alerts.feed import Feed, events
from realtime.service.alerts.mail import check_recipients, write
from realtime.service.alerts.models import Delivery, DeliveryKind, Matter, MatterState, Notice, Raised
from realtime.service.alerts.reach import Reach, is_of_this_machine
from realtime.service.alerts.sending import Sender
from realtime.service.alerts.webhooks import NotDelivered, Webhooks
from realtime.service.errors import Busy
from twinhub.settings.realtime_delivery import Delivery as Settings
from twinhub.settings.realtime_delivery import Mail


def reach_of(*addresses: str, open_networks: Sequence[str] = ()) -> Reach:
    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return Reach(Settings(open_networks=list(open_networks)).open_networks, lookup)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104 - refused
        "10.1.2.3",
        "172.17.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::7f00:1",
        "64:ff9b:1::7f00:1",
        "::ffff:0:7f00:1",
        "192.88.99.1",
        "ff02::1",
    ],
)
def test_what_only_this_machine_can_reach_is_closed(address: str) -> None:
    """An owner's webhook must not read the platform's services, its network or a cloud's metadata."""
    with pytest.raises(PlaceClosed, match="not a public address"):
        asyncio.run(reach_of(address).address_of("example.org", 443))


def test_one_closed_address_of_a_name_closes_it() -> None:
    """Which of several addresses is used must not be luck, nor change between looking and connecting."""
    with pytest.raises(PlaceClosed):
        asyncio.run(reach_of("93.184.216.34", "127.0.0.1").address_of("example.org", 443))
    assert asyncio.run(reach_of("93.184.216.34").address_of("example.org", 443)) == "93.184.216.34"


def test_the_machines_own_public_address_is_closed() -> None:
    """What listens there trusts its own machine, and the setting says that it is closed."""

    async def lookup(host: str, port: int) -> list[str]:
        return ["93.184.216.34"]

    own = Reach([], lookup, lambda address: str(address) == "93.184.216.34")
    with pytest.raises(PlaceClosed, match="not a public address"):
        asyncio.run(own.address_of("example.org", 443))
    assert is_of_this_machine(ip_address("127.0.0.1"))
    assert not is_of_this_machine(ip_address("192.0.2.1"))


def test_a_receiver_that_says_a_little_now_and_then_is_not_waited_for() -> None:
    """Each of its bytes would otherwise give it another fifteen seconds of a connection that others want."""

    ended = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            for _number in range(600):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            ended.set()
        finally:
            writer.close()

    async def go() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sending = Webhooks(reach_of("127.0.0.1", open_networks=["127.0.0.0/8"]), timeout_s=0.3)
        delivery = Delivery(id="d", name="n", kind=DeliveryKind.WEBHOOK, url=f"http://x.org:{port}/")
        async with asyncio.timeout(10):
            with pytest.raises(NotDelivered, match="no answer"):
                await sending.send(delivery, b"s", notice())
        await sending.close()
        await asyncio.wait_for(ended.wait(), 10)
        server.close()

    asyncio.run(go())


def test_a_person_follows_alerts_for_a_while_and_not_too_often_at_once() -> None:
    """A stream must not outlive the account that it was opened with."""

    async def go() -> None:
        feed = Feed()
        streams = [events(feed, "anna", "ben") for _ in range(30)]
        for one in streams:
            await anext(one)
        with pytest.raises(Busy):
            feed.check("ben")
        feed.check("anna")
        for one in streams:
            await one.aclose()  # type: ignore[attr-defined]
        feed.check("ben")
        assert [one async for one in events(feed, "anna", "ben", longest_s=0.0)] == [b"retry: 2000\n\n"]

    asyncio.run(go())


def test_the_operator_can_open_a_network() -> None:
    """A plant's own broker is often on a private network."""
    reach = reach_of("192.168.7.5", open_networks=["192.168.7.0/24"])
    assert asyncio.run(reach.address_of("broker", 1883)) == "192.168.7.5"
    with pytest.raises(PlaceClosed):
        asyncio.run(reach_of("192.168.8.5", open_networks=["192.168.7.0/24"]).address_of("broker", 1883))


@pytest.mark.parametrize(
    "url", ["ftp://x.org/", "file:///etc/passwd", "https://", "https://user:secret@x.org/", "no", "http://[::1"]
)
def test_addresses_of_webhooks_are_read_strictly(url: str) -> None:
    """What is no web address is refused when it is typed in, not at three in the morning."""
    with pytest.raises(AlertRefused):
        webhooks.read_url(url)


@pytest.mark.parametrize(
    "url", ["http://x.org", "mqtt://", "mqtt://u:p@x.org", "mqtt://x.org/path", "mqtt://x.org:99999"]
)
def test_addresses_of_brokers_are_read_strictly(url: str) -> None:
    """The same for brokers."""
    with pytest.raises(AlertRefused):
        brokers.read_url(url)


def notice(text: str = "It is hot.", **matter: Any) -> Notice:
    given = {
        "id": 1, "model": "Boiler", "instance": "k1", "key": "hot", "state": MatterState.OPEN, "severity": Severity.WARNING,
        "text": text, "details": {}, "first_s": 0.0, "last_s": 0.0, "count": 1, **matter,
    }  # fmt: skip
    return Notice(id="1-d", what="raised", owner="anna", matter=Matter(**given))


def test_no_device_writes_a_header_of_a_mail() -> None:
    """A text with line breaks must stay a text: no second recipient, no second mail."""
    nasty = "hot\r\nBcc: all@example.org\r\n\r\n<script>\u2028x\x00"
    delivery = Delivery(id="d", name="desk\r\nX: y", kind=DeliveryKind.MAIL, to=["a@example.org"])
    message = write("twinhub@example.org", delivery, [notice(nasty, instance="k\r\nTo: b@example.org", key="k\nk")])
    assert sorted(message.keys()) == sorted(
        [
            "From",
            "To",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Subject",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        ]
    )
    raw = message.as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc" not in head
    assert raw.count(b"\r\nTo:") == 1
    assert message["To"] == "a@example.org"


@pytest.mark.parametrize(
    "address", ["a", "a@b\r\nX: y", "a b@c.org", "a@c.org,b@c.org", "<a@c.org>", '"x"@c.org', "a@", "@c.org"]
)
def test_recipients_are_plain_addresses(address: str) -> None:
    """One address is one address."""
    with pytest.raises(AlertRefused):
        check_recipients([address], Mail())


def test_the_operator_can_keep_mail_to_their_own_domains() -> None:
    """A platform with open accounts must not become a sender of spam."""
    check_recipients(["a@Example.org"], Mail(domains=["example.org"]))
    with pytest.raises(AlertRefused, match=r"evil\.org"):
        check_recipients(["a@evil.org"], Mail(domains=["example.org"]))


# --- the outbox -----------------------------------------------------------------------------


class Receiver:
    """Takes notices, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.mails: list[int] = []
        self.away = False

    async def send(self, delivery: Delivery, *given: Any) -> str:
        if self.away:
            raise NotDelivered("x.org answered 503")
        if isinstance(given[-1], list):
            self.mails.append(len(given[-1]))
            self.taken += [one.id for one in given[-1]]
        else:
            self.taken.append(given[-1].id)
        return "taken"


class Bench:
    """A book with one delivery, a receiver, and a clock."""

    def __init__(self, folder: Path, kind: DeliveryKind = DeliveryKind.WEBHOOK) -> None:
        self.now_s, self.receiver = 1000.0, Receiver()
        self.book = Book("anna", folder / "anna.sqlite", now=lambda: self.now_s)
        self.put(Delivery(id="d1", name="desk", kind=kind))
        self.sender = Sender({kind: self.receiver}, self.receiver, mails_per_minute=3, now=lambda: self.now_s)

    def put(self, delivery: Delivery) -> None:
        with self.book.database.transaction() as connection:
            things.put(connection, delivery, b"secret")

    def raise_some(self, *keys: str) -> None:
        self.book.raise_all(
            [
                Raised(
                    model="Boiler",
                    instance="k1",
                    key=key,
                    severity=Severity.WARNING,
                    text="t",
                    details=b"{}",
                    time_s=1.0,
                )
                for key in keys
            ]
        )

    def empty(self, after_s: float = 0.0) -> int:
        self.now_s += after_s
        return asyncio.run(self.sender.empty(self.book))

    def shown(self) -> Delivery:
        with self.book.database.reading() as connection:
            return outbox.with_results(connection, things.every(connection, Delivery))[0]


@pytest.fixture(params=[DeliveryKind.WEBHOOK])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = Bench(tmp_path, request.param)
    yield made
    made.book.close()


def test_a_receiver_that_is_away_gets_everything_later_with_the_same_ids(bench: Bench) -> None:
    """A pager that restarts must neither miss an alert nor be told two numbers for one."""
    bench.receiver.away = True
    bench.raise_some("a", "b")
    assert bench.empty() == 0
    assert (bench.shown().waiting, bench.shown().result_ok) == (2, False)
    assert bench.empty(after_s=1) == 0
    bench.receiver.away = False
    assert bench.empty(after_s=5) == 2
    assert bench.receiver.taken == ["1-d1", "2-d1"]
    assert (bench.shown().waiting, bench.shown().result) == (0, "taken")


def test_tries_become_rare_and_end_after_a_day(bench: Bench) -> None:
    """A receiver that is gone for good is not asked for ever, and its owner can see why nothing came."""
    bench.receiver.away = True
    bench.raise_some("a")
    tries = 0
    while bench.shown().waiting:
        bench.empty()
        with bench.book.database.reading() as connection:
            due = connection.execute("SELECT min(next_s) FROM outbox").fetchone()[0]
        tries += 1
        bench.now_s = max(due or 0.0, bench.now_s)
    assert 20 < tries < 50
    assert "Given up: 1" in bench.shown().result
    assert 86_400 <= bench.now_s - 1000.0 < 86_400 + 7200


def test_what_was_waiting_survives_a_restart(bench: Bench, tmp_path: Path) -> None:
    """The outbox is on disk with the alert."""
    bench.raise_some("a")
    bench.book.close()
    again = Bench(tmp_path)
    assert again.empty() == 1
    again.book.close()


def test_a_delivery_that_is_switched_off_is_told_nothing_of_then(bench: Bench) -> None:
    """Switching it on again must not pour out a week's alerts."""
    bench.raise_some("a")
    bench.put(Delivery(id="d1", name="desk", kind=DeliveryKind.WEBHOOK, enabled=False))
    assert bench.empty() == 0
    assert bench.shown().waiting == 0


def test_many_mails_become_a_digest(tmp_path: Path) -> None:
    """A storm of alerts must not become a storm of mails."""
    bench = Bench(tmp_path, DeliveryKind.MAIL)
    bench.raise_some("a", "b")
    assert bench.empty() == 2
    bench.raise_some(*(f"k{n}" for n in range(50)))
    assert bench.empty() == 50
    bench.raise_some("x", "y")
    assert bench.empty(after_s=1) == 0, "the minute's mails are used up"
    assert bench.empty(after_s=60) == 2
    assert bench.receiver.mails == [1, 1, 50, 1, 1]
    bench.book.close()


def test_an_owners_mails_count_together_and_tests_among_them(tmp_path: Path) -> None:
    """Five hundred deliveries of one owner must not be five hundred times as many mails, nor the button for tests a way around."""
    bench = Bench(tmp_path, DeliveryKind.MAIL)
    bench.put(Delivery(id="d2", name="other", kind=DeliveryKind.MAIL))
    bench.raise_some("a")
    assert bench.empty() == 2
    assert asyncio.run(bench.sender.test(bench.book, "d1", notice())) == "taken"
    with pytest.raises(AlertRefused, match="3 mails"):
        asyncio.run(bench.sender.test(bench.book, "d1", notice()))
    bench.raise_some("b")
    assert bench.empty() == 0
    assert bench.empty(after_s=60) == 2
    bench.book.close()


def test_one_test_is_on_its_way_at_a_time(tmp_path: Path) -> None:
    """Whoever presses the button a thousand times takes all connections."""
    bench = Bench(tmp_path)

    async def go() -> None:
        began, release = asyncio.Event(), asyncio.Event()

        async def slow(delivery: Delivery, secret: bytes, one: Notice) -> str:
            began.set()
            await release.wait()
            return "taken"

        bench.receiver.send = slow  # type: ignore[method-assign]
        first = asyncio.create_task(bench.sender.test(bench.book, "d1", notice()))
        await asyncio.wait_for(began.wait(), 5)
        with pytest.raises(AlertRefused, match="on its way"):
            await bench.sender.test(bench.book, "d1", notice())
        release.set()
        assert await first == "taken"

    asyncio.run(go())
    bench.book.close()


def test_a_receiver_that_hangs_is_asked_once_and_holds_up_nobody(tmp_path: Path) -> None:
    """The outbox is looked at each second, and an answer may take fifteen."""
    bench = Bench(tmp_path)

    async def go() -> None:
        release = asyncio.Event()
        both = asyncio.Event()
        asked: list[str] = []

        async def slow(delivery: Delivery, secret: bytes, one: Notice) -> str:
            asked.append(delivery.id)
            if len(asked) == 2:
                both.set()
            if delivery.id == "d1":
                await release.wait()
            return "taken"

        bench.receiver.send = slow  # type: ignore[method-assign]
        bench.put(Delivery(id="d2", name="other", kind=DeliveryKind.WEBHOOK))
        bench.raise_some("a")
        first = asyncio.create_task(bench.sender.empty(bench.book))
        await asyncio.wait_for(both.wait(), 5)
        bench.raise_some("b")
        assert await bench.sender.empty(bench.book) == 1
        assert asked.count("d1") == 1
        release.set()
        assert await first == 2

    asyncio.run(go())
    bench.book.close()
