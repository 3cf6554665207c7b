"""Who may connect, and how often."""

import socket

import pytest

from realtime.service.mqtt.limits import ADDRESSES, FAILURES, FAILURES_S, OF_A_DEVICE, Failures, Register
from realtime.service.mqtt.proxied import SIGNATURE, MalformedProxy, ProxyHeader


def test_an_address_that_guesses_waits_and_others_do_not() -> None:
    """Keys are long, but a guesser costs a look at the disk each time."""
    now = [0.0]
    failures = Failures(lambda: now[0])
    for _ in range(FAILURES):
        assert not failures.too_many("10.0.0.1")
        failures.note("10.0.0.1")
    assert failures.too_many("10.0.0.1")
    assert not failures.too_many("10.0.0.2")
    now[0] = FAILURES_S + 1
    assert not failures.too_many("10.0.0.1")


def test_many_addresses_take_little_memory() -> None:
    """Whoever has a /64 of IPv6 has more addresses than we have bytes."""
    failures = Failures(lambda: 0.0)
    for number in range(ADDRESSES + 100):
        failures.note(str(number))
    assert len(failures._found) == ADDRESSES


def test_a_client_that_comes_again_takes_its_own_place() -> None:
    """A device whose connection broke silently must not be kept out by its own ghost."""
    register: Register[str] = Register()
    assert register.enter("a/M/1", "c", "old") == (True, None)
    assert register.enter("a/M/1", "c", "new") == (True, "old")
    register.leave("a/M/1", "c", "old")
    assert register.of("a/M/1") == ["new"]
    assert register.enter("a/M/2", "c", "other") == (True, None)
    assert sorted(register.of("a/M/")) == ["new", "other"]
    for number in range(OF_A_DEVICE):
        register.enter("a/M/1", f"c{number}", "more")
    assert register.enter("a/M/1", "one more", "x") == (False, None)


@pytest.mark.parametrize(("family", "address"), [(0x11, "192.0.2.7"), (0x21, "2001:db8::7")], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("pieces", [1, 100])
def test_the_gateway_tells_who_has_connected(family: int, address: str, pieces: int) -> None:
    """Without it one guesser would close the door for all devices, as they all come from the gateway."""
    packed = socket.inet_pton(socket.AF_INET if family == 0x11 else socket.AF_INET6, address)
    body = packed * 2 + b"\0\1\0\2" + b"extra"
    data = SIGNATURE + bytes((0x21, family)) + len(body).to_bytes(2, "big") + body + b"rest"
    header, rest = ProxyHeader(), None
    for start in range(0, len(data), pieces):
        piece = data[start : start + pieces]
        rest = header.receive(piece) if rest is None else rest + piece
    assert (header.address, rest) == (address, b"rest")


@pytest.mark.parametrize("data", [b"GET /", SIGNATURE + b"\x11\x11\x00\x00", SIGNATURE + b"\x21\x11\xff\xff"])
def test_what_does_not_come_from_a_gateway_is_refused(data: bytes) -> None:
    """Another program on the machine could say any address."""
    with pytest.raises(MalformedProxy):
        ProxyHeader().receive(data)
