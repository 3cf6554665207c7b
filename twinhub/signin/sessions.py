"""The browser's session: a token of the hub, encrypted in a cookie, and the XSRF token bound to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from twinhub.names import SESSION_COOKIE, SESSION_PATHS
from twinhub.settings import Gateway

SESSION_SECONDS: Final = 14 * 24 * 3600
"""As long as JupyterHub's own OAuth tokens live by default."""


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())


@dataclass(frozen=True)
class SessionCookie:
    """How the session's cookie is named, and where browsers send it."""

    prefix: str = ""
    paths: tuple[str, ...] = SESSION_PATHS

    @property
    def name(self) -> str:
        """Its name."""
        return self.prefix + SESSION_COOKIE

    @property
    def passes(self) -> bool:
        """Whether workspaces are on the same host, so that the gateway must know whose browser asks for one."""
        return not self.prefix


def session_cookie(gateway: Gateway) -> SessionCookie:
    """Give the cookie that fits an installation.

    Where workspaces have hosts of their own, a page there could plant a cookie for
    ours; browsers keep it from those named __Host-, which want the path `/`. Where
    they have none, that path would hand them the cookie, so it is set for each
    path of ours, and of the servers mounted there that need a sign-in.
    """
    if gateway.subdomains:
        return SessionCookie("__Host-", ("/",))
    mounted = (service.path for service in gateway.services.values() if service.sign_in)
    return SessionCookie("", (*SESSION_PATHS, *mounted))


class Sessions:
    """Seal and open session cookies; every service with the same secret opens the same cookie."""

    def __init__(self, secret: str, cookie: SessionCookie | None = None) -> None:
        self.cookie = cookie or SessionCookie()
        self._fernet = Fernet(base64.urlsafe_b64encode(_derive(secret, b"twinhub session cookie")))
        self._passes = Fernet(base64.urlsafe_b64encode(_derive(secret, b"twinhub workspace cookie")))
        self._xsrf_key = _derive(secret, b"twinhub xsrf")

    def seal(self, text: str) -> str:
        """Encrypt and sign a text, with the time."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str, *, max_age_s: int = SESSION_SECONDS) -> str | None:
        """Decrypt, or None for anything forged, damaged or too old.

        One from the future is ours as well: the clock was wrong then, or was put
        back since. Fernet's own `ttl` would refuse it and sign everybody out.
        """
        return _open(self._fernet, sealed, max_age_s)

    def seal_pass(self, name: str, token: str) -> str:
        """Make the cookie that tells the gateway whose browser this is; of no use as a session."""
        return self._passes.encrypt(f"{name} {token}".encode()).decode("ascii")

    def open_pass(self, sealed: str) -> tuple[str, str] | None:
        """Give name and token, or None for anything forged, damaged or too old."""
        text = _open(self._passes, sealed, SESSION_SECONDS)
        name, _, token = (text or "").partition(" ")
        return (name, token) if token else None

    def xsrf_token(self, cookie: str) -> str:
        """Give the token that a page must send back with every write made under this session."""
        return hmac.new(self._xsrf_key, cookie.encode(), hashlib.sha256).hexdigest()

    def xsrf_matches(self, cookie: str, presented: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.xsrf_token(cookie).encode(), presented.encode())


def _open(sealing: Fernet, sealed: str, max_age_s: int) -> str | None:
    token = sealed.encode()
    try:
        text = sealing.decrypt(token).decode()
        age_s = time.time() - sealing.extract_timestamp(token)
    except (InvalidToken, UnicodeError):
        return None
    return text if age_s <= max_age_s else None
