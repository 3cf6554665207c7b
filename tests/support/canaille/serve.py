"""Run Canaille, a real provider of OpenID Connect, with the people of a JSON file: python serve.py FILE.

Run by the Python of Canaille's own environment. The file is read again when it
changes, so a test can move somebody to another group while Canaille runs.
"""

import json
import sys
from pathlib import Path
from secrets import token_hex

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey

WISHES = Path(sys.argv[1])


def configuration(wishes: dict) -> dict:
    # A new key at each start, as providers change theirs.
    key = RSAKey.generate_key(2048, {"kid": token_hex(4), "use": "sig", "alg": "RS256"}, auto_kid=False)
    return {
        "SECRET_KEY": "only for tests",
        "SERVER_NAME": f"localhost:{wishes['port']}",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"NAME": "Institute", "JAVASCRIPT": False, "HTMX": False, "CAPTCHA_ENABLED": False, "SMTP": None},
        "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{WISHES.with_name('canaille.sqlite')}"},
        "CANAILLE_OIDC": {
            "ACTIVE_JWKS": [key.as_dict(private=True)],
            "TRUSTED_DOMAINS": ["localhost"],
            "USERINFO_MAPPING": {"SUB": "id-of-{{ user.user_name }}", "PREFERRED_USERNAME": "{{ user.user_name }}"},
        },
    }


def ensure_people(wishes: dict) -> None:
    for name, person in wishes["people"].items():
        user = Backend.instance.get(models.User, user_name=name)
        if user is None:
            user = models.User(
                user_name=name, family_name=name, formatted_name=name, emails=[f"{name}@institute.example"]
            )
            user.password = person["password"]
        Backend.instance.save(user)
    for name in wishes["groups"]:
        members = [Backend.instance.get(models.User, user_name=who) for who in wishes["groups"][name]]
        group = Backend.instance.get(models.Group, display_name=name) or models.Group(display_name=name)
        group.members = members
        Backend.instance.save(group)


def ensure_client(wishes: dict) -> None:
    client = Backend.instance.get(models.Client, client_id="twinhub")
    if client is None:
        client = models.Client(client_id="twinhub")
        Backend.instance.save(client)  # its own audience must know its id
    Backend.instance.update(
        client,
        audience=[client],
        client_secret=wishes["secret"],
        client_name="Twinhub",
        client_uri="http://localhost",
        redirect_uris=[wishes["redirect_uri"]],
        post_logout_redirect_uris=[wishes["back_uri"]],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_post",
    )
    Backend.instance.save(client)


def main() -> None:
    wishes = json.loads(WISHES.read_text())
    app = create_app(configuration(wishes))
    read_at = 0

    @app.before_request
    def read_wishes() -> None:
        nonlocal read_at
        latest = WISHES.stat().st_mtime_ns
        if latest != read_at:
            read_at = latest
            now = json.loads(WISHES.read_text())
            ensure_people(now)
            ensure_client(now)

    app.run(host="127.0.0.1", port=wishes["port"], threaded=True, use_reloader=False)


main()
