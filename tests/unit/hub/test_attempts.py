"""Guessing passwords gets slow."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hub import accounts
from hub.account_pages import PasswordHandler
from hub.attempts import MOST_NAMES, Attempts
from hub.authenticator import AccountAuthenticator
from hub.session_api import PasswordNeeded, TokensHandler


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_name_waits_after_the_limit_and_may_try_again_later() -> None:
    """A guesser gets five tries a minute, a forgetful person gets back in."""
    clock = Clock()
    attempts = Attempts(limit=5, wait_s=60, clock=clock)
    for _ in range(4):
        attempts.record_try("alice")
        assert attempts.remaining_s("alice") == 0
    attempts.record_try("alice")
    assert attempts.remaining_s("alice") == 60
    assert attempts.remaining_s("bob") == 0
    clock.now += 60
    assert attempts.remaining_s("alice") == 0
    attempts.record_try("alice")
    assert attempts.remaining_s("alice") == 60


def test_the_right_password_forgets_the_wrong_ones() -> None:
    """Yesterday's slips must not lock anybody out today."""
    attempts = Attempts(limit=2, wait_s=60, clock=Clock())
    attempts.record_try("alice")
    attempts.record_success("alice")
    attempts.record_try("alice")
    assert attempts.remaining_s("alice") == 0


def test_made_up_names_do_not_fill_the_memory() -> None:
    """Someone who tries a million names must not bring the hub down."""
    attempts = Attempts(limit=2, wait_s=60, clock=Clock())
    for number in range(MOST_NAMES + 10):
        attempts.record_try(f"name{number}")
    assert len(attempts._failures) == MOST_NAMES


async def sign_in(hub: Any, password: str) -> str:
    return await AccountAuthenticator._refusal(hub.authenticator, "alice", password)


async def change_password(hub: Any, password: str) -> str:
    hub.get_body_argument = lambda key, *_, **__: password if key == "old_password" else "the next one"
    try:
        await PasswordHandler._change(hub, "alice")
    except accounts.AccountError as error:
        return error.what
    return ""


async def make_token(hub: Any, password: str) -> str:
    try:
        await TokensHandler._ensure_proof(hub, "alice", password)
    except PasswordNeeded as error:
        return error.what
    return ""


@pytest.mark.parametrize("prove", [sign_in, change_password, make_token])
def test_guesses_at_once_are_no_more_than_guesses_in_a_row(
    session: Session, monkeypatch: pytest.MonkeyPatch, prove: Callable[[Any, str], Awaitable[str]]
) -> None:
    """A stolen session could guess the password as fast as the machine can, and make tokens for a year."""
    accounts.create(session, "alice", "the first one", shortest=10, admitted=True)
    looked: list[str] = []
    monkeypatch.setattr(accounts, "password_matches", lambda _, given: looked.append(given) or given != "wrong")
    clock = Clock()
    attempts = Attempts(limit=3, wait_s=60, clock=clock)
    authenticator = SimpleNamespace(attempts=attempts, db=session, minimum_password_length=10)
    hub = SimpleNamespace(authenticator=authenticator, db=session)

    async def burst() -> list[str]:
        return await asyncio.gather(*(prove(hub, "wrong") for _ in range(20)))

    answers = asyncio.run(burst())
    assert looked == ["wrong"] * 3
    assert len([answer for answer in answers if answer.startswith("Too many")]) == 17
    clock.now += 60
    for _ in range(5):
        assert asyncio.run(prove(hub, "the first one")) == ""  # type: ignore[arg-type]
