"""Sign-in at a provider: what oauthenticator leaves open, and our rules of who gets which account."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.gitlab import GitLabOAuthenticator
from oauthenticator.oauth2 import OAuthenticator
from tornado.httpclient import HTTPClientError
from traitlets import List, Unicode

from hub import id_token, identities
from hub.id_token import Expected, ProviderUnreachable

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
DISCOVERY_SECONDS: Final = 3600.0
MOST_GROUPS: Final = 500
EVERYBODY: Final = "*"
LOCAL: Final = ("localhost", "127.0.0.1")


def nonce_of(state_id: str) -> str:
    """Give the nonce of a sign-in; its state is random and bound to the browser, so this is too."""
    return hashlib.sha256(f"nonce {state_id}".encode()).hexdigest()


def clean_groups(claim: object) -> set[str]:
    """Read a claim of groups, leaving out what cannot be a group's name."""
    if isinstance(claim, str):
        claim = [claim]
    if not isinstance(claim, Iterable):
        return set()
    names = [name for name in claim if isinstance(name, str) and 0 < len(name) <= 255 and name.isprintable()]
    return set(names[:MOST_GROUPS])


def _inside(claims: dict[str, Any], path: str) -> object:
    """Read a claim; dots lead into claims that hold others, as `realm_access.roles`.

    Unless there is a claim of the whole name, as `https://id.example/groups`.
    """
    if path in claims:
        return claims[path]
    found: object = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def is_safe(address: str) -> bool:
    """Tell whether nobody on the way can read what is sent there: it is encrypted, or stays on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL))


class AtProvider(OAuthenticator):
    """What all providers share: accounts by the provider's own identifier, groups and admins from its groups."""

    sign_in_groups: Any = List(Unicode(), config=True, help="Groups whose members may sign in; '*' is everybody.")

    async def prepare(self, *, anew: bool = False) -> None:
        """Learn what must be known of the provider; raises ProviderUnreachable.

        `anew`: before somebody is sent there, so that a provider that is down is
        said in words of ours instead of the browser's.
        """

    def issuer_name(self) -> str:
        """Name the provider in the table of identities."""
        return str(self.authorize_url.partition("/login/oauth/")[0].partition("/oauth/")[0])

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Give a name that only passes through: update_auth_model sets the account's own."""
        return "at-provider"

    def subject_of(self, person: dict[str, Any]) -> str:
        """Give the provider's lasting identifier of a person."""
        return str(person.get("id") or "")

    def claim_of(self, person: dict[str, Any]) -> str:
        """Give what the provider calls a person."""
        return str(person.get(self.username_claim) or "")

    def end_session_url(self, auth_state: dict[str, Any] | None, back: str) -> str | None:
        """Give the address that signs a person out at the provider, where it has one."""
        return None

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Find the person's account, and let in whom the groups allow; raises SignInRefused."""
        person = auth_model["auth_state"][self.user_auth_state_key]
        groups = await self.get_user_groups(auth_model["auth_state"])
        is_admin = bool(groups & set(self.admin_groups))
        welcome = is_admin or bool(groups & set(self.sign_in_groups)) or EVERYBODY in self.sign_in_groups
        if self.sign_in_groups and not welcome:
            raise identities.SignInRefused(
                f"{self.login_service} knows you, but you are in none of the groups that may sign in here.",
                f"Ask to be added to one of: {', '.join(self.sign_in_groups)}; then sign in again.",
            )
        identity = identities.identify(
            self.db, self.issuer_name(), self.subject_of(person), self.claim_of(person), admitted=welcome
        )
        if not identity.admitted:
            raise identities.SignInRefused(
                f"Your account '{identity.name}' waits for an administrator to admit it.",
                "Ask them, then sign in again.",
            )
        # All that is kept of the provider's answer is what signing out there needs.
        kept = {self.user_auth_state_key: {"groups": sorted(groups)}}
        if auth_model["auth_state"].get("id_token"):
            kept["id_token"] = auth_model["auth_state"]["id_token"]
        return {"name": identity.name, "admin": None, "auth_state": kept}

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """Read the groups that update_auth_model has kept, or the provider's answer."""
        return clean_groups(auth_state[self.user_auth_state_key].get("groups"))

    async def check_allowed(self, username: str, auth_model: dict[str, Any]) -> bool:
        """Let pass whom update_auth_model let pass."""
        return True


class OpenIdConnect(AtProvider, GenericOAuthenticator):
    """Any provider of OpenID Connect, found by its issuer's address."""

    issuer = Unicode(config=True, help="The issuer's address.")
    groups_claim = Unicode("groups", config=True, help="The claim that lists a person's groups.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._discovered: dict[str, Any] = {}
        self._discovered_at = 0.0
        self._keys: dict[str, Any] = {}

    def issuer_name(self) -> str:
        return str(self.issuer)

    async def prepare(self, *, anew: bool = False) -> None:
        if self._discovered and not anew and time.monotonic() - self._discovered_at < DISCOVERY_SECONDS:
            return
        found = await self._fetch(self.issuer.rstrip("/") + DISCOVERY_PATH)
        if found.get("issuer") != self.issuer:
            raise ProviderUnreachable(
                f"The provider at {self.issuer} says that it is '{str(found.get('issuer'))[:200]}'.",
                "An administrator sets accounts.provider_url to exactly the issuer's address.",
            )
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        for key in (*needed, "userinfo_endpoint") if found.get("userinfo_endpoint") else needed:
            if not is_safe(str(found.get(key, ""))):
                raise self._unreachable(f"names no usable {key}")
        self.authorize_url = found["authorization_endpoint"]
        self.token_url = found["token_endpoint"]
        self.userdata_url = found.get("userinfo_endpoint") or ""
        self._keys = self._keys or await self._fetch(found["jwks_uri"])
        self._discovered, self._discovered_at = found, time.monotonic()

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Give the verified claims of the token, completed by those of the provider's userinfo."""
        token = str(token_info.get("id_token") or "")
        if not id_token.has_key(token, self._keys):
            self._keys = await self._fetch(self._discovered["jwks_uri"])
        expected = Expected(self.issuer, self.client_id, token_info["expected_nonce"])
        claims = id_token.verify(token, self._keys, expected)
        if not self.userdata_url:
            return claims
        more: dict[str, Any] = await super().token_to_user(token_info)
        if more.get("sub") != claims["sub"]:
            raise id_token.ProviderRefused("The provider's two answers are about two persons.", "Sign in again.")
        return {**more, **claims}

    async def get_token_info(self, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Exchange the code; what came from the browser decides which nonce the token must hold."""
        info: dict[str, Any] = await super().get_token_info(handler, params)
        return {**info, "expected_nonce": handler.expected_nonce()}

    def subject_of(self, person: dict[str, Any]) -> str:
        return str(person.get("sub") or "")

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        person = auth_state[self.user_auth_state_key]
        return clean_groups(_inside(person, self.groups_claim) or person.get("groups"))

    def end_session_url(self, auth_state: dict[str, Any] | None, back: str) -> str | None:
        address = self._discovered.get("end_session_endpoint")
        if not address or not auth_state:
            return None
        query = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        if auth_state.get("id_token"):
            query["id_token_hint"] = auth_state["id_token"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    async def _fetch(self, url: str) -> dict[str, Any]:
        try:
            found = await self.httpfetch(url, method="GET", validate_cert=self.validate_server_cert)
        except (HTTPClientError, OSError, ValueError) as error:
            raise self._unreachable("does not answer") from error
        if not isinstance(found, dict):
            raise self._unreachable("sends something else than JSON")
        return found

    def _unreachable(self, why: str) -> ProviderUnreachable:
        return ProviderUnreachable(
            f"The provider of sign-in at {self.issuer} {why}.",
            "Try again in some minutes. Whoever has a password here can sign in below.",
        )


class AtGitLab(AtProvider, GitLabOAuthenticator):
    """GitLab; groups are full paths, as `institute/turbines`."""

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        state = auth_model["auth_state"]
        headers = self.build_userdata_request_headers(state["access_token"], state["token_response"]["token_type"])
        more = await self.httpfetch(f"{self.gitlab_url}/oauth/userinfo", method="GET", headers=headers)
        state[self.user_auth_state_key]["groups"] = (more or {}).get("groups")
        return await super().update_auth_model(auth_model)


class AtGitHub(AtProvider, GitHubOAuthenticator):
    """GitHub; groups are organisations, as `institute`, and their teams, as `institute:turbines`."""

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        state = auth_model["auth_state"]
        access = (state["access_token"], state["token_response"]["token_type"])
        teams = await self._paginated_fetch(f"{self.github_api}/user/teams?per_page=100", *access)
        organisations = await self._paginated_fetch(f"{self.github_api}/user/orgs?per_page=100", *access)
        state[self.user_auth_state_key]["groups"] = [
            *(found["login"] for found in organisations),
            *(f"{team['organization']['login']}:{team['slug']}" for team in teams),
        ]
        return await super().update_auth_model(auth_model)
