"""A provider's token proves who somebody is only when it is signed, meant for us and for this sign-in."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hub.id_token import Expected, ProviderRefused, has_key, verify

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
KEYS: dict[str, Any] = {"keys": [{**PUBLIC, "kid": "one", "use": "sig", "alg": "RS256"}]}
EXPECTED = Expected("https://id.example", "twinhub", "the-nonce")


def claims(**changed: object) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": EXPECTED.issuer, "aud": "twinhub", "sub": "1", "iat": now, "exp": now + 60, "nonce": "the-nonce"}
    return {key: value for key, value in {**usual, **changed}.items() if value is not None}


def signed(content: dict[str, Any], key: Any = KEY, kid: str = "one", algorithm: str = "RS256") -> str:
    return jwt.encode(content, key, algorithm=algorithm, headers={"kid": kid})


def test_a_right_token_gives_its_claims() -> None:
    """The usual case."""
    assert verify(signed(claims(groups=["a"])), KEYS, EXPECTED)["groups"] == ["a"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aud": "another-client"}, "made for another client"),
        ({"iss": "https://evil.example"}, "made by another issuer"),
        ({"iss": "https://id.example/"}, "made by another issuer"),
        ({"exp": int(time.time()) - 3600}, "expired"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"exp": None}, "is missing"),
        ({"sub": None}, "is missing"),
        ({"iat": int(time.time()) + 3600}, "not valid"),
        ({"aud": ["twinhub", "other"]}, "another client"),
        ({"aud": ["twinhub", "other"], "azp": "other"}, "another client"),
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_refused(changed: dict[str, Any], words: str) -> None:
    """A token that was captured, replayed or made for another site must not sign anybody in here."""
    with pytest.raises(ProviderRefused, match=words):
        verify(signed(claims(**changed)), KEYS, EXPECTED)


def test_a_forged_signature_is_refused() -> None:
    """By another key, by none, and by the public key or the client's secret taken for a shared one."""
    forged = [
        signed(claims(), key=OTHER),
        signed(claims(), kid="two"),
        jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"}),
        jwt.encode(claims(), "the client's secret, long enough for HS256", algorithm="HS256", headers={"kid": "one"}),
        "a.b.c",
        "",
        signed(claims())[:-4],
    ]
    for token in forged:
        with pytest.raises(ProviderRefused):
            verify(token, KEYS, EXPECTED)


def test_a_new_key_of_the_provider_is_noticed() -> None:
    """Providers change their keys; the next sign-in fetches them."""
    assert has_key(signed(claims()), KEYS)
    assert not has_key(signed(claims(), kid="two"), KEYS)
