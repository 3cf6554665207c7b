"""Guessing passwords gets slow."""

from hub.attempts import MOST_NAMES, Attempts


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
        attempts.record_failure("alice")
        assert attempts.remaining_s("alice") == 0
    attempts.record_failure("alice")
    assert attempts.remaining_s("alice") == 60
    assert attempts.remaining_s("bob") == 0
    clock.now += 60
    assert attempts.remaining_s("alice") == 0
    attempts.record_failure("alice")
    assert attempts.remaining_s("alice") == 60


def test_the_right_password_forgets_the_wrong_ones() -> None:
    """Yesterday's slips must not lock anybody out today."""
    attempts = Attempts(limit=2, wait_s=60, clock=Clock())
    attempts.record_failure("alice")
    attempts.record_success("alice")
    attempts.record_failure("alice")
    assert attempts.remaining_s("alice") == 0


def test_made_up_names_do_not_fill_the_memory() -> None:
    """Someone who tries a million names must not bring the hub down."""
    attempts = Attempts(limit=2, wait_s=60, clock=Clock())
    for number in range(MOST_NAMES + 10):
        attempts.record_failure(f"name{number}")
    assert len(attempts._failures) == MOST_NAMES
