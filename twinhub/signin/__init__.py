"""Sign-in through the hub for ASGI services: browsers by OAuth, programs by token.

    client = HubClient(hub_url)
    app = SignIn(app, client=client, sessions=Sessions(secret), open_paths=("/app/static/",))

Inside, `current_user(request)` is the person; nobody gets that far without being known.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from twinhub.signin.user import User, current_user

if TYPE_CHECKING:
    from twinhub.signin.client import HubClient
    from twinhub.signin.middleware import SignIn
    from twinhub.signin.oauth import OAuthClient, oauth_routes
    from twinhub.signin.sessions import Sessions, session_cookie

_HOMES: Final = {
    "HubClient": "client",
    "SignIn": "middleware",
    "OAuthClient": "oauth",
    "oauth_routes": "oauth",
    "Sessions": "sessions",
    "session_cookie": "sessions",
}
__all__ = ["HubClient", "OAuthClient", "Sessions", "SignIn", "User", "current_user", "oauth_routes", "session_cookie"]


def __getattr__(name: str) -> Any:
    """Import what signs in when it is asked for: a library that runs by itself needs none of its 10 MB."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"twinhub.signin.{_HOMES[name]}"), name)
