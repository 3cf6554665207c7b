"""Check what a provider of OpenID Connect says about a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import jwt

from twinhub.errors import PublicError

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair. 'none' is no signature, and HS256 would make the client's secret a signing key."""
LEEWAY_S: Final = 60


class ProviderRefused(PublicError):
    """What the provider sent does not prove who somebody is."""

    code = "provider_refused"
    status = 403


class ProviderUnreachable(PublicError):
    """The provider of sign-in does not answer as it should."""

    code = "provider_unreachable"
    status = 503


@dataclass(frozen=True)
class Expected:
    """What a token must say to be meant for us, for this sign-in."""

    issuer: str
    client_id: str
    nonce: str


def verify(token: str, keys: dict[str, Any], expected: Expected) -> dict[str, Any]:
    """Give the claims of a token of this issuer, for this client and this sign-in; raises ProviderRefused."""
    try:
        key = _key_for(token, keys)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise _refused(f"it is not valid ({_reason(error)})") from error
    if claims.get("nonce") != expected.nonce:
        raise _refused("it belongs to another sign-in")
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != expected.client_id:
        raise _refused("it was made for another client")
    return claims


def has_key(token: str, keys: dict[str, Any]) -> bool:
    """Tell whether the key that signed a token is among these; a provider may have changed its keys."""
    try:
        _key_for(token, keys)
    except jwt.PyJWTError:
        return False
    return True


def _key_for(token: str, keys: dict[str, Any]) -> Any:
    kid = jwt.get_unverified_header(token).get("kid")
    usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
    for key in usable:
        if key.key_id == kid or (kid is None and len(usable) == 1):
            return key
    raise jwt.InvalidKeyError("signed with an unknown key")


def _reason(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"'{error.claim}' is missing"
    words = {
        jwt.ExpiredSignatureError: "it has expired",
        jwt.InvalidAudienceError: "made for another client",
        jwt.InvalidIssuerError: "made by another issuer",
        jwt.InvalidSignatureError: "wrong signature",
    }
    return next((text for kind, text in words.items() if isinstance(error, kind)), type(error).__name__)


def _refused(why: str) -> ProviderRefused:
    return ProviderRefused(
        f"The provider's answer is refused: {why}.", "Sign in again. If it stays so, tell an administrator."
    )
