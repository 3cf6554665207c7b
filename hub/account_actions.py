"""What an administrator does to accounts, from the page and from the command alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.roles import assign_default_roles

from hub import access, account_list, accounts, identities, invitations, removal, service_accounts
from hub.groups import ensure_groups, read_groups
from hub.sessions import REVOKED, end_sessions
from hub.tables import Identity
from twinhub.errors import Forbidden

Form = Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """What happened, in words; and what is shown this once."""

    words: str
    secret: str = ""
    """A token or a link; never logged."""
    undo: str = ""
    """Whose removal one click takes back."""


class Actions:
    """Bound to one request of an administrator, or of the operator's command."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._db = handler.db
        self._authenticator = handler.authenticator
        self._by: str = handler.current_user.name

    async def perform(self, action: str, form: Form) -> Done:
        """Do it, and log who did what to whom; raises PublicError."""
        act = ACTIONS.get(action)
        if act is None:
            raise accounts.AccountError(
                f"'{accounts.short(action)}' is not an action.", "Use the buttons of this page."
            )
        done = await act(self, form)
        self._handler.log.info("%s: %s %s", self._by, action, accounts.short(form.get("username", "")))
        return done

    # --- coming in ----------------------------------------------------------------

    async def add(self, form: Form) -> Done:
        """Make an account that may sign in at once."""
        name = form.get("username", "")
        shortest = self._authenticator.minimum_password_length
        accounts.create(self._db, name, form.get("password", ""), shortest=shortest, admitted=True)
        user = orm.User(name=name, admin=bool(form.get("admin")))
        self._db.add(user)
        assign_default_roles(self._db, entity=user)
        self._db.commit()
        return Done(f"{name} can sign in now.")

    async def admit(self, form: Form) -> Done:
        """Let somebody in who asks for it."""
        name = form.get("username", "")
        identity = self._identity(name)
        if identity is not None and accounts.find(self._db, name) is None:
            identity.admitted = True
            self._db.commit()
        else:
            accounts.admit(self._db, name)
        return Done(f"{name} can sign in now.")

    async def refuse(self, form: Form) -> Done:
        """Delete a request; the person may ask again."""
        name = form.get("username", "")
        identity = self._identity(name)
        if identity is not None and not identity.admitted:
            self._db.delete(identity)
            self._db.commit()
        else:
            accounts.refuse(self._db, name)
        return Done(f"The request of {name} is gone.")

    async def link(self, form: Form) -> Done:
        """Say which person at the provider an account belongs to."""
        provider = self._authenticator.provider
        if provider is None:
            raise accounts.AccountError("People sign in here with local accounts only.", "See accounts.sign_in.")
        identities.link(self._db, form.get("username", ""), provider.issuer_name(), form.get("subject", ""))
        return Done(f"'{accounts.short(form.get('subject', ''))}' signs in as {form.get('username', '')} from now on.")

    async def invite(self, form: Form) -> Done:
        """Make a link for one or more people."""
        wish = invitations.Wish(
            hours=_number(form, "hours", 72),
            uses=_number(form, "uses", 1),
            admin=bool(form.get("admin")),
            groups=read_groups(form.get("groups", "")),
            note=form.get("note", "").strip(),
        )
        token = invitations.invite(self._db, wish, by=self._by)
        # Behind '#': browsers keep that to themselves, so it stands in no log.
        link = f"{self._authenticator.origin}{invitations.INVITE_PATH}#{token}"
        return Done("Send this link to whom you invite. It is shown only now.", link)

    async def uninvite(self, form: Form) -> Done:
        """Take an invitation back."""
        invitations.revoke(self._db, _number(form, "invitation", 0))
        return Done("The invitation is taken back.")

    # --- while they are here ------------------------------------------------------

    async def password(self, form: Form) -> Done:
        """Give a new password; every session of the person ends."""
        name = form.get("username", "")
        shortest = self._authenticator.minimum_password_length
        accounts.change_password(self._db, name, form.get("password", ""), shortest=shortest)
        user = orm.User.find(self._db, name)
        if user is not None:
            end_sessions(self._db, user)
        return Done(f"{name} has a new password and is signed out everywhere.")

    async def promote(self, form: Form) -> Done:
        """Make somebody an administrator."""
        self._set_admin(self._user(form), True)
        return Done(f"{form['username']} is an administrator now.")

    async def demote(self, form: Form) -> Done:
        """Make an administrator an ordinary user."""
        user = self._user(form)
        self._keep_an_admin(user)
        self._set_admin(user, False)
        return Done(f"{user.name} is no administrator any more.")

    async def groups(self, form: Form) -> Done:
        """Set somebody's groups."""
        user = self._user(form)
        user.groups = ensure_groups(self._db, read_groups(form.get("groups", "")))
        self._db.info[REVOKED] = True
        self._db.commit()
        return Done(f"{user.name} is in: {', '.join(group.name for group in user.groups) or 'no group'}.")

    async def start(self, form: Form) -> Done:
        """Start somebody's workspace."""
        user = self._handler.find_user(self._user(form).name)
        await self._handler.spawn_single_user(user, "")
        return Done(f"The workspace of {user.name} is starting.")

    async def stop(self, form: Form) -> Done:
        """Stop somebody's workspaces."""
        user = self._user(form)
        await self._stop_all(user)
        return Done(f"The workspace of {user.name} is stopped.")

    async def sign_out(self, form: Form) -> Done:
        """End somebody's sessions."""
        user = self._user(form)
        end_sessions(self._db, user)
        return Done(f"{user.name} is signed out everywhere.")

    # --- leaving ------------------------------------------------------------------

    async def remove(self, form: Form) -> Done:
        """Remove an account: nobody signs in with it, containers go, files stay."""
        user = self._user(form)
        if user.name == self._by:
            raise accounts.AccountError("You cannot remove yourself.", "Ask another administrator.")
        self._keep_an_admin(user)
        found = self._handler.find_user(user.name)
        _ensure_settled(found)
        # First, so that nobody starts one workspace while another one stops.
        self._authenticator.delete_user(found)
        for token in access.program_tokens(self._db, user):
            self._db.delete(token)
        end_sessions(self._db, user)
        await self._stop_all(user)
        if any(spawner.active for spawner in found.spawners.values()):
            raise accounts.AccountError(
                f"Nobody can sign in as {user.name} any more, but a workspace has not stopped.",
                f"Type on the server in a moment: twinhub user remove {user.name}",
            )
        await found.delete_spawners()
        name = found.name
        self._handler.users.delete(found)
        self._db.info[REVOKED] = True
        self._db.commit()
        return Done(f"The account {name} is removed; its files are kept.", undo=name)

    async def restore(self, form: Form) -> Done:
        """Bring a removed account back."""
        user = removal.restore(self._db, form.get("username", ""))
        return Done(f"The account {user.name} is back, with its files.")

    async def forget(self, form: Form) -> Done:
        """Free the name of a removed account whose files the command has deleted; nobody else deletes them."""
        if not isinstance(self._handler.current_user, orm.Service):
            raise Forbidden(
                "Only the server's own command frees a name.", "Type on the server: twinhub user purge NAME"
            )
        removal.forget(self._db, form.get("username", ""))
        return Done(f"The name {form['username']} is free.")

    # --- programs -----------------------------------------------------------------

    async def service_add(self, form: Form) -> Done:
        """Make an account for a program."""
        name = form.get("username", "")
        return Done(
            f"{name} is made. Its token is shown only now.",
            service_accounts.add(self._db, name, _wish(form), by=self._by),
        )

    async def service_remove(self, form: Form) -> Done:
        """Remove a program's account, never a person's."""
        service_accounts.get(self._db, form.get("username", ""))
        return await self.remove(form)

    async def service_token(self, form: Form) -> Done:
        """Replace a program's tokens by a new one."""
        name = form.get("username", "")
        token = service_accounts.rotate(self._db, name, _wish(form))
        return Done(f"{name} has a new token; those before have stopped working. It is shown only now.", token)

    # ------------------------------------------------------------------------------

    def _user(self, form: Form) -> orm.User:
        """Give the hub's user of an account, made when it has never signed in."""
        name = form.get("username", "")
        user = orm.User.find(self._db, name)
        if user is not None:
            return user
        identity = self._identity(name)
        if identity is None or not identity.admitted:
            accounts.get(self._db, name)
        return self._handler.user_from_username(name).orm_user

    def _identity(self, name: str) -> Any | None:
        return self._db.query(Identity).filter_by(name=name).first()

    def _keep_an_admin(self, user: orm.User) -> None:
        if user.admin and account_list.count_admins(self._db) <= 1:
            raise accounts.AccountError(
                f"{user.name} is the last administrator.", "Make somebody else an administrator first."
            )

    def _set_admin(self, user: orm.User, admin: bool) -> None:
        user.admin = admin
        assign_default_roles(self._db, entity=user)
        self._db.info[REVOKED] = True
        self._db.commit()

    async def _stop_all(self, user: orm.User) -> None:
        found = self._handler.find_user(user.name)
        for name, spawner in list(found.spawners.items()):
            _ensure_settled(found)
            if spawner.active:
                await self._handler.stop_single_user(found, name)


def _ensure_settled(user: Any) -> None:
    for spawner in user.spawners.values():
        if spawner.pending:
            raise accounts.AccountError(
                f"The workspace of {user.name} is {'starting' if spawner.pending == 'spawn' else 'stopping'}.",
                "Try again in a moment.",
            )


def _number(form: Form, key: str, default: int) -> int:
    text = form.get(key, "") or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise accounts.AccountError(f"'{accounts.short(text)}' is no number.", "Use digits.")
    return int(text)


def _wish(form: Form) -> access.Wish:
    return access.read_wish(form.get("access"), _number(form, "hours", 24 * 90), form.get("note") or "service account")


ACTIONS: Final[dict[str, Callable[[Actions, Form], Awaitable[Done]]]] = {
    "add": Actions.add,
    "admit": Actions.admit,
    "refuse": Actions.refuse,
    "link": Actions.link,
    "invite": Actions.invite,
    "uninvite": Actions.uninvite,
    "password": Actions.password,
    "promote": Actions.promote,
    "demote": Actions.demote,
    "groups": Actions.groups,
    "start": Actions.start,
    "stop": Actions.stop,
    "sign-out": Actions.sign_out,
    "remove": Actions.remove,
    "restore": Actions.restore,
    "forget": Actions.forget,
    "service-add": Actions.service_add,
    "service-remove": Actions.service_remove,
    "service-token": Actions.service_token,
}
