"""Requests that no honest client sends, as the bytes that go over the wire.

    for attack in attacks(target, secrets):
        answer = send(target, attack)

They are made here and not by a client library, which would refuse to send most of them.
"""

from tests.support.hostile import protocols
from tests.support.hostile.attack import Attack, Secrets, Target
from tests.support.hostile.everything import attacks
from tests.support.hostile.sending import Answer, send_all

__all__ = ["Answer", "Attack", "Secrets", "Target", "attacks", "protocols", "send_all"]
