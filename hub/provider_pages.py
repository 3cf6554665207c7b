"""The way to the provider of sign-in and back."""

from __future__ import annotations

from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthLoginHandler, _deserialize_state
from tornado import web
from tornado.httpclient import HTTPClientError

from hub.id_token import ProviderUnreachable
from hub.provider import AtProvider, nonce_of
from hub.sign_in_pages import safe_next, show_sign_in
from twinhub.errors import PublicError

PROVIDER_SAYS: Final = {
    "access_denied": "The sign-in was cancelled at the provider.",
    "login_required": "The provider wants you to sign in there first.",
    "temporarily_unavailable": "The provider is busy.",
    "server_error": "The provider has trouble of its own.",
}


class SignInCancelled(PublicError):
    """The sign-in at the provider did not come to an end."""

    code = "sign_in_cancelled"
    status = 400


class _AtProvider(BaseHandler):
    """The hub's own authenticator is for local accounts; here it is the provider's."""

    @property
    def authenticator(self) -> AtProvider:
        provider = self.settings["authenticator"].provider
        if provider is None:
            raise web.HTTPError(404)
        return provider  # type: ignore[no-any-return]

    async def _show_error(self, error: PublicError) -> None:
        # The page is the local one, whose form stands below the provider's button.
        self.set_status(error.status)
        await show_sign_in(self, self.settings["authenticator"], error=f"{error.what} {error.fix}".strip())


class ProviderLoginHandler(_AtProvider, OAuthLoginHandler):
    """`/hub/oauth_login`: send the browser to the provider."""

    async def get(self) -> None:
        try:
            await self.authenticator.prepare(anew=True)
        except PublicError as error:
            self.log.error("%s", error)
            await self._show_error(error)
            return
        OAuthLoginHandler.get(self)

    def _get_next_url(self) -> str:
        return safe_next(self.get_argument("next", ""))

    def authorize_redirect(self, *args: Any, **kwargs: Any) -> None:
        """Add what oauthenticator leaves out: the nonce, and a fresh sign-in where one is asked for."""
        extra = kwargs["extra_params"]
        extra["nonce"] = nonce_of(_deserialize_state(extra["state"])["state_id"])
        if self.get_argument("fresh", ""):
            extra["prompt"] = "login"
        super().authorize_redirect(*args, **kwargs)


class ProviderCallbackHandler(_AtProvider, OAuthCallbackHandler):
    """`/hub/oauth_callback`: the browser comes back with a code."""

    async def get(self) -> None:
        try:
            self._check()
            await self.authenticator.prepare()
            user = await self._login()
        except PublicError as error:
            self.log.warning("Sign-in at the provider: %s", error)
            await self._show_error(error)
            return
        self._jupyterhub_user = user
        self.redirect(safe_next(_deserialize_state(self.get_state_cookie()).get("next_url", "")))

    def expected_nonce(self) -> str:
        """Give the nonce that belongs to the browser's state."""
        return nonce_of(str(_deserialize_state(self.get_state_cookie()).get("state_id")))

    def _check(self) -> None:
        said = self.get_argument("error", "")
        if said:
            what = PROVIDER_SAYS.get(said, "The provider refused the sign-in.")
            raise SignInCancelled(what, "Try again; if it stays so, ask an administrator.")
        try:
            self.check_arguments()
        except (web.HTTPError, ValueError, AttributeError, TypeError) as error:
            raise SignInCancelled(
                "This sign-in is not the one that this browser began last.", "Begin again with the button."
            ) from error

    async def _login(self) -> Any:
        try:
            user = await self.login_user()
        except (HTTPClientError, OSError, KeyError, ValueError, web.HTTPError) as error:
            raise ProviderUnreachable(
                "The provider did not confirm this sign-in.", "Try again; 'twinhub logs hub' says more."
            ) from error
        if user is None:
            raise SignInCancelled("The provider did not say who you are.", "Try again.")
        return user


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [(r"/oauth_login", ProviderLoginHandler), (r"/oauth_callback", ProviderCallbackHandler)]
