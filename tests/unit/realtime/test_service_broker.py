"""The broker's configuration: each owner for themselves, everything on disk before it counts."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from realtime.service.accounts import AccountsFile
from realtime.service.broker import accounts_text, ensure_synced, server_text
from realtime.service.config import ServiceConfig
from realtime.service.errors import BrokerAway, BrokerUnsafe
from realtime.service.labels import account_of, broker_password, broker_user
from realtime.service.spaces import limits_of
from tests.support.nats import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


HOSTILE = ["../etc", 'x" } accounts { ', "a b", "ÄÖ", "a.b", "*", ">", "$SYS", "a\nb", "x" * 200]


def config(folder: Path) -> ServiceConfig:
    """Give one of a server on loopback."""
    return ServiceConfig(folder=folder, secret="s3cret", servers=("nats://127.0.0.1:4222",))


def test_names_at_the_broker_are_plain_and_never_the_same_for_two_owners() -> None:
    """An owner who could choose a name that is another's account would read all that other one's devices send."""
    owners = [*HOSTILE, "alice", "Alice", "n0-alice", "service", "worker-alice"]
    names = [account_of(owner) for owner in owners]

    assert len(set(names)) == len(owners)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    users = {broker_user(owner, role) for owner in owners for role in ("service", "worker", "program")}
    assert len(users) == 3 * len(owners)


def test_passwords_differ_by_owner_and_by_role() -> None:
    """A worker, which runs people's code, must not come in as the service."""
    found = {
        broker_password(secret, owner, role)
        for secret in ("one", "two")
        for owner in ("alice", "bob")
        for role in ("service", "worker", "program")
    }

    assert len(found) == 12


def test_no_owner_s_name_gets_into_the_configuration_as_it_is(tmp_path: Path) -> None:
    """Names are chosen by people, and the file decides who may do what."""
    text = accounts_text(config(tmp_path), dict.fromkeys(HOSTILE, ""))

    for name in HOSTILE[:5]:
        assert name not in text.replace('"', "")
    assert text.count("jetstream") == len(HOSTILE)


def test_programs_may_send_and_listen_and_nothing_else(tmp_path: Path) -> None:
    """A script of the owner's cannot write frames by hand or read states past the service."""
    line = next(one for one in accounts_text(config(tmp_path), {"alice": ""}).splitlines() if "program-alice" in one)

    assert 'publish: ["batch.*"]' in line
    assert "$JS" not in line


def test_workers_cannot_take_away_what_devices_sent(tmp_path: Path) -> None:
    """A model's code is anybody's; what was acknowledged must outlive it."""
    line = next(one for one in accounts_text(config(tmp_path), {"alice": ""}).splitlines() if "worker-alice" in one)

    for subject in ("$JS.API.STREAM.DELETE.IN", "$JS.API.STREAM.PURGE.IN", "$KV.credentials.>", "$KV.models.>"):
        assert json.dumps(subject) in line
    for subject in ("$JS.API.STREAM.UPDATE.KV_leases", "$JS.API.STREAM.DELETE.KV_workers"):
        assert json.dumps(subject) in line


def test_one_account_cannot_take_all_connections(tmp_path: Path) -> None:
    """The server is everybody's."""
    text = accounts_text(config(tmp_path), {"alice": "", "bob": ""})

    assert text.count("limits: { max_connections: 200, max_subscriptions: 20000 }") == 2


def test_the_server_syncs_before_it_acknowledges(tmp_path: Path) -> None:
    """The one line without which acknowledged messages are lost with the power."""
    assert "sync_interval: always" in server_text(config(tmp_path))


async def test_secrets_are_for_one_account_only(tmp_path: Path) -> None:
    """The file has everybody's passwords."""
    given = config(tmp_path)
    given.broker_folder.mkdir()
    accounts = AccountsFile(given)

    await accounts.ensure("alice")

    file = given.broker_folder / "accounts.conf"
    assert file.stat().st_mode & 0o077 == 0
    assert AccountsFile(given).owners() == ["alice"]
    await accounts.remove("alice")
    assert "alice" not in file.read_text()


async def test_who_comes_back_after_being_erased_has_other_passwords(tmp_path: Path) -> None:
    """A workspace of the one before, or whoever read its environment, would listen to the devices of the next."""
    given = config(tmp_path)
    accounts = AccountsFile(given)

    await accounts.ensure("alice")
    before = accounts.generation("alice")
    assert AccountsFile(given).generation("alice") == before != ""
    assert broker_password("s", "alice", "worker", before) in accounts_text(
        dataclasses.replace(given, secret="s"), {"alice": before}
    )
    await accounts.remove("alice")
    await accounts.ensure("alice")

    assert accounts.generation("alice") != before
    found = {broker_password("s", "alice", role, one) for role in ("worker", "program") for one in ("", before)}
    assert len(found) == 4


async def test_owners_of_a_platform_without_generations_keep_their_accounts(tmp_path: Path) -> None:
    """An update must not shut out workers that run."""
    (tmp_path / "owners.json").write_text('["alice"]')
    assert AccountsFile(config(tmp_path)).owners() == ["alice"]
    assert AccountsFile(config(tmp_path)).generation("alice") == ""


async def test_a_broker_that_cannot_be_asked_is_not_trusted(tmp_path: Path) -> None:
    """Silence is no proof that messages are on disk."""
    with pytest.raises(BrokerUnsafe):
        await ensure_synced(config(tmp_path))
    away = dataclasses.replace(config(tmp_path), monitors=(f"http://127.0.0.1:{free_port()}",))
    with pytest.raises(BrokerAway):
        await ensure_synced(away)


async def test_whoever_relaxes_durability_says_so(tmp_path: Path) -> None:
    """Only the setting that names it skips the question."""
    await ensure_synced(dataclasses.replace(config(tmp_path), relaxed_durability=True))


def test_the_streams_leave_room_for_states(tmp_path: Path) -> None:
    """Were messages allowed to fill everything, no snapshot could be written, and nothing ever be taken out."""
    limits = limits_of(config(tmp_path))

    taken = limits.in_bytes + limits.out_bytes + limits.dead_bytes + limits.changes_bytes
    assert taken < 0.8 * config(tmp_path).owner_limit_bytes
