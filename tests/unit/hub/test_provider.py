"""Sign-in at a provider: what the settings become, and what its claims may hold."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from hub.configure_provider import configure_provider
from hub.id_token import ProviderUnreachable
from hub.provider import AtGitHub, AtGitLab, OpenIdConnect, clean_groups, is_safe
from twinhub.places import Places
from twinhub.secrets import write_secret
from twinhub.settings import SettingsError, parse_settings


def configured(folder: Path, text: str) -> Config:
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("hub-cookie", "sign-in"):
        write_secret(secrets / name, name * 4)
    config = Config()
    configure_provider(config, Places(folder, parse_settings(text)))
    return config


def test_local_accounts_need_no_provider(tmp_path: Path) -> None:
    """The trial."""
    assert configured(tmp_path, "") == {}


def test_gitlab_is_asked_for_no_more_than_who_somebody_is(tmp_path: Path) -> None:
    """A stolen token of the hub must not read repositories."""
    config = configured(
        tmp_path,
        "accounts: {sign_in: gitlab, provider_url: 'https://git.example', provider_client_id: id, allowed_groups: [a/b]}",
    )
    made = AtGitLab(config=config)
    assert made.authorize_url == "https://git.example/oauth/authorize"
    assert made.token_url == "https://git.example/oauth/token"
    assert made.userdata_url == "https://git.example/api/v4/user"
    assert (made.scope, made.sign_in_groups, made.client_secret) == (["openid", "read_user"], ["a/b"], "sign-in" * 4)
    assert made.issuer_name() == "https://git.example"


def test_github_is_the_public_one_unless_another_is_named(tmp_path: Path) -> None:
    """An enterprise's own server has its API elsewhere; oauthenticator knows where."""
    made = AtGitHub(config=configured(tmp_path, "accounts: {sign_in: github, provider_client_id: id}"))
    assert made.authorize_url == "https://github.com/login/oauth/authorize"
    assert made.github_api == "https://api.github.com"
    assert (made.scope, made.issuer_name(), made.enable_pkce) == (["read:org"], "https://github.com", True)


def test_a_domain_fixes_where_the_provider_sends_people_back(tmp_path: Path) -> None:
    """The Host header that somebody sends must not decide it."""
    text = (
        "domain: twins.example\naccounts: {sign_in: oidc, provider_url: 'https://id.example', provider_client_id: id,"
        " admin_groups: [bosses]}"
    )
    made = OpenIdConnect(config=configured(tmp_path, text))
    assert made.oauth_callback_url.endswith("/hub/oauth_callback")
    assert "twins.example" in made.oauth_callback_url
    assert made.admin_groups == {"bosses"}


@pytest.mark.parametrize(
    ("accounts", "word"),
    [
        ("{sign_in: oidc, provider_client_id: id}", "provider_url"),
        ("{sign_in: github}", "provider_client_id"),
        ("{sign_in: ldap}", "oidc"),
        ("{sign_in: oidc, provider_url: 'http://id.example', provider_client_id: id}", "provider_url"),
        ("{sign_in: oidc, provider_url: 'https://user:pw@id.example', provider_client_id: id}", "provider_url"),
        ("{provider_secret: ../hub-cookie}", "provider_secret"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(accounts: str, word: str) -> None:
    """Before anything starts, and never over plain http."""
    with pytest.raises(SettingsError, match=word):
        parse_settings(f"accounts: {accounts}")


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["a", "b"], {"a", "b"}),
        ("a", {"a"}),
        (None, set()),
        (7, set()),
        (["a", 7, "", "x" * 256, "a\nb", {"name": "c"}], {"a"}),
        ({"a": 1}, {"a"}),
    ],
)
def test_a_claim_of_groups_is_read_whatever_it_holds(claim: object, groups: set[str]) -> None:
    """A provider's slip must not end in an error page, or in a group of a strange name."""
    assert clean_groups(claim) == groups


@pytest.mark.parametrize(
    ("claim", "person"),
    [
        ("https://x.example/groups", {"https://x.example/groups": ["a"], "groups": ["b"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}),
        ("roles", {"roles": ["a"]}),
        ("missing.roles", {"groups": ["a"]}),
    ],
)
def test_groups_are_found_by_the_claims_whole_name_or_inside_of_others(claim: str, person: dict[str, Any]) -> None:
    """Some providers name claims by addresses, whose dots lead nowhere."""
    made = OpenIdConnect(groups_claim=claim)
    assert asyncio.run(made.get_user_groups({made.user_auth_state_key: person})) == {"a"}


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://id.example/keys", True),
        ("http://localhost:8080/keys", True),
        ("http://127.0.0.1/keys", True),
        ("http://localhost.evil.example/keys", False),
        ("http://127.0.0.1.evil.example/keys", False),
        ("http://localhost@evil.example/keys", False),
        ("https://", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_addresses_nobody_can_read_along_are_safe(address: str, safe: bool) -> None:
    """A host whose name begins like this machine's is another one."""
    assert is_safe(address) is safe


class Discovered(OpenIdConnect):
    """A provider that names where it tells who somebody is."""

    async def httpfetch(self, url: str, **_: Any) -> dict[str, Any]:
        here = "https://id.example"
        ends = {f"{end}_endpoint": f"{here}/{end}" for end in ("authorization", "token")}
        return {"issuer": here, "jwks_uri": here, **ends, "userinfo_endpoint": self.userdata_url}


def test_a_provider_that_would_be_asked_in_the_clear_is_refused() -> None:
    """The access token is sent to that address too."""
    made = Discovered(issuer="https://id.example", userdata_url="http://id.example/me")
    with pytest.raises(ProviderUnreachable, match="userinfo_endpoint"):
        asyncio.run(made.prepare())
    for fine in ("https://id.example/me", ""):
        asyncio.run(Discovered(issuer="https://id.example", userdata_url=fine).prepare())
