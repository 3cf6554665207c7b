"""Sign-in through the hub for ASGI services: browsers by OAuth, programs by token.

    client = HubClient(hub_url)
    app = SignIn(app, client=client, sessions=Sessions(secret), open_paths=("/app/static/",))

Inside, `current_user(request)` is the person; nobody gets that far without being known.
"""

from twinhub.signin.client import HubClient
from twinhub.signin.middleware import SignIn, current_user
from twinhub.signin.oauth import OAuthClient, oauth_routes
from twinhub.signin.sessions import Sessions
from twinhub.signin.user import User

__all__ = ["HubClient", "OAuthClient", "Sessions", "SignIn", "User", "current_user", "oauth_routes"]
