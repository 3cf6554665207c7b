"""Where people sign in besides local accounts, as the settings have it."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.provider import AtGitHub, AtGitLab, AtProvider, OpenIdConnect
from twinhub.places import Places
from twinhub.secrets import read_secret

CLASSES: Final[dict[str, type[AtProvider]]] = {"oidc": OpenIdConnect, "gitlab": AtGitLab, "github": AtGitHub}
WORDS: Final = {
    "oidc": "Sign in with your organisation",
    "gitlab": "Sign in with GitLab",
    "github": "Sign in with GitHub",
}
CALLBACK_PATH: Final = "/hub/oauth_callback"


def configure_provider(c: Any, places: Places) -> None:
    """Configure one of oauthenticator's classes beside the local accounts; nothing for 'local'."""
    accounts = places.settings.accounts
    kind = CLASSES.get(accounts.sign_in)
    if kind is None:
        return
    c.AccountAuthenticator.provider_class = kind
    # What sign-out at the provider needs is kept encrypted, with a key that is made of the hub's own.
    c.AccountAuthenticator.enable_auth_state = True
    c.CryptKeeper.keys = [_key(read_secret(places.secrets / "hub-cookie"))]
    chosen = c[kind.__name__]
    chosen.enable_auth_state = True
    chosen.manage_groups = True
    chosen.allow_all = True  # update_auth_model refuses whom the settings do not let in
    chosen.client_id = accounts.provider_client_id
    chosen.client_secret = read_secret(places.secrets / accounts.provider_secret)
    chosen.login_service = accounts.provider_button or WORDS[accounts.sign_in]
    chosen.sign_in_groups = accounts.allowed_groups
    chosen.admin_groups = set(accounts.admin_groups)
    chosen.http_request_kwargs = {"connect_timeout": 5.0, "request_timeout": 10.0}
    if places.settings.ca_bundle is not None:
        chosen.http_request_kwargs["ca_certs"] = str(places.settings.ca_bundle)
    if places.settings.domain:
        chosen.oauth_callback_url = places.origin + CALLBACK_PATH
    _configure_kind(chosen, places)


def _configure_kind(chosen: Any, places: Places) -> None:
    accounts = places.settings.accounts
    if accounts.sign_in == "oidc":
        chosen.issuer = accounts.provider_url
        chosen.scope = accounts.provider_scopes
        chosen.username_claim = accounts.username_claim
        chosen.groups_claim = accounts.groups_claim
    elif accounts.sign_in == "gitlab":
        chosen.gitlab_url = (accounts.provider_url or "https://gitlab.com").rstrip("/")
        chosen.scope = ["openid", "read_user"]
        chosen.username_claim = "username"
    else:
        chosen.github_url = (accounts.provider_url or "https://github.com").rstrip("/")
        chosen.scope = ["read:org"]
        chosen.username_claim = "login"


def _key(secret: str) -> str:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"twinhub auth state").derive(secret.encode()).hex()
