"""A person's workspaces: their own and those they gave a name, each a container that is kept between stops."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, ClassVar, Final

from tornado import web
from traitlets import Bool, Int, List, Unicode

from hub import failures
from hub.accounts import AccountMissing
from hub.container import EngineContainer
from hub.ends import explain_end, forget_end, read_end, record_end
from hub.failures import CannotStart, Failure
from hub.image import find_image
from hub.plan import Making, Plan, plan_container
from hub.steps import Steps, Turns
from hub.tables import RemovedAccount
from hub.wishes import Wish, WishRefused, read_form, read_wish
from twinhub.errors import PublicError
from twinhub.names import (
    INSTALLATION_LABEL,
    PLAN_LABEL,
    PROFILE_LABEL,
    SERVER_PATTERN,
    container_name,
    workspace_name,
)
from twinhub.profiles import Profile, choose_profile, find_profile
from twinhub.settings.workspaces import STANDARD

STARTS_AT_ONCE: Final = max(4, 2 * (os.cpu_count() or 1))
"""A server's start is two seconds of one core; more at once than cores only make each slower."""

LOOK_PERIOD_S: Final = 1.0
"""How often the engine is asked whether a container that starts is still alive; each question takes the processor from
what it asks about."""

ACTIVITY_INTERVAL_S: Final = 30
"""A running twin must be known to the hub long before the shortest idle time, a minute, ends."""


class Workspace(EngineContainer):
    """A person's container: their folder at /workspace, a home, one Jupyter server.

    The container is stopped, not removed, so that what its owner installed with
    apt survives. It carries a digest of everything it was made from; when that
    changes (image, profile, mounts, variables), the next start makes a new one.
    """

    turns: ClassVar[Turns | None] = None

    answer_timeout_s = Int(120, config=True, help="Seconds a container may take until its server answers.")
    common_read_only = Bool(False, config=True, help="Whether /workspace/common is mounted read-only.")
    installation = Unicode("twinhub", config=True, help="Prefix of container and volume names.")
    proxy_variables: Any = List(config=True, help="NAME=value pairs of the installing shell's proxy settings.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._steps = Steps()
        self._start_failed = False
        self._profile = find_profile(self.places.settings, STANDARD)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps of the start that is under way, from its first."""
        async for step in self._steps.follow():
            yield step

    # --- what the container is made of ----------------------------------------

    def _object_name_default(self) -> str:
        return container_name(self.installation, self.user.name, self.name)

    @property
    def volume_binds(self) -> dict[str, dict[str, str]]:
        """Mounts: the person's folder, `common` and this workspace's own home."""
        owner = self.user.name
        return {
            str(self.places.files / owner): {"bind": "/workspace", "mode": "rw"},
            str(self.places.files / "common"): {
                "bind": "/workspace/common",
                "mode": "rw" if self._may_write_common() else "ro",
            },
            str(self.places.homes / workspace_name(owner, self.name)): {"bind": f"/home/{owner}", "mode": "rw"},
        }

    def _groups(self) -> set[str]:
        return {group.name for group in self.user.groups}

    def _may_write_common(self) -> bool:
        """Decide as the library does (libms.access), so that a workspace is no way around it."""
        group = self.places.settings.library.common_writers
        if self.common_read_only:
            return False
        return group is None or self.user.admin or group in self._groups()

    def get_env(self) -> dict[str, str]:
        """Add what the workspace's start script needs to the hub's variables."""
        env: dict[str, str] = super().get_env()
        env["NB_USER"] = self.user.name
        env["JUPYTERHUB_ACTIVITY_INTERVAL"] = str(ACTIVITY_INTERVAL_S)
        env.update(pair.split("=", 1) for pair in self.proxy_variables)
        return env

    async def get_command(self) -> list[str]:
        """Leave the command to the image, which becomes the owner before it starts the server."""
        return []

    async def _plan(self) -> Plan:
        self.image, image = await find_image(self.docker, self.installation, self._profile.image)
        settings = self.places.settings
        return plan_container(
            Making(
                installation=self.installation,
                owner=self.user.name,
                server=self.name,
                profile=self._profile,
                image_id=image["Id"],
                network=self.network_name,
                binds=self.volume_binds,
                environment=self.get_env(),
                sudo=settings.workspaces.sudo,
                user_id=settings.workspace_user_id,
            )
        )

    # --- what its owner wishes for --------------------------------------------

    @staticmethod
    def apply_user_options(_: Workspace, options: Any) -> None:
        """Do nothing: start() reads the options, and refuses in words."""

    def options_from_form(self, form: dict[str, Any]) -> dict[str, Any]:
        """Read a start by an address or a form, which start() checks like every other."""
        return read_form(form)

    def _take_wish(self) -> Wish:
        """Read the options of this start; a refused one must not stick to the starts that follow."""
        given: Any = self.user_options
        self._remember({})
        if self.name and not re.fullmatch(SERVER_PATTERN, self.name):
            raise WishRefused(
                f"'{self.name}' cannot be the name of a workspace.",
                "Remove it, and choose one of at most 21 small letters, digits and hyphens that starts with a letter.",
            )
        wish = read_wish(given)
        if wish.profile is not None:
            choose_profile(self.places.settings, wish.profile, self._groups(), admin=self.user.admin)
            # A wish for a fresh container is for this start alone.
            self._remember({"profile": wish.profile})
        return wish

    def _remember(self, options: dict[str, Any]) -> None:
        """Keep options for the next start; written at once, as the hub undoes what a request leaves unwritten."""
        self.user_options: dict[str, Any] = options
        self.orm_spawner.user_options = options
        self.user.db.commit()

    def _decide_profile(self, wish: Wish, container: dict[str, Any] | None) -> Profile:
        """Give the profile that was wished for, otherwise the one of the last start while it is still allowed."""
        settings = self.places.settings
        last = _labels(container).get(PROFILE_LABEL) or STANDARD
        try:
            return choose_profile(settings, wish.profile or last, self._groups(), admin=self.user.admin)
        except PublicError:
            if wish.profile is not None:
                raise
        self._steps.tell(8, f"The profile '{last}' is not yours any more; starting with the standard one")
        return find_profile(settings, STANDARD)

    # --- life -------------------------------------------------------------------

    async def start(self) -> tuple[str, int]:
        """Bring the workspace up; raises SpawnException in words a person can act on."""
        self._steps.begin()
        self._start_failed = False
        try:
            self._ensure_account()
            wish = self._take_wish()
        except PublicError as error:
            raise failures.explain_refusal(error).exception() from error
        async with self._turns().turn(self._steps):
            try:
                return await self._bring_up(wish)
            except PublicError as error:
                raise failures.explain_refusal(error).exception() from error
            except CannotStart as error:
                raise self._failed_start(error.failure).exception() from error
            except failures.ENGINE_ERRORS as error:
                self.log.warning("Workspace of %s did not start: %s", self.user.name, error)
                raise self._failed_start(failures.explain_engine_error(error, self.image)).exception() from error

    def _ensure_account(self) -> None:
        """Refuse while an account is being removed: what starts for its real-time twins would hold up the removal."""
        if self.user.db.get(RemovedAccount, self.user.name) is not None:
            raise AccountMissing(f"The account '{self.user.name}' was removed.", "Restore it first.")

    @classmethod
    def _turns(cls) -> Turns:
        if Workspace.turns is None:
            Workspace.turns = Turns(STARTS_AT_ONCE)
        return Workspace.turns

    def _failed_start(self, failure: Failure) -> Failure:
        self._start_failed = True
        self._record(failure)
        return failure

    async def stop(self, now: bool = False) -> None:
        """Stop the container; raises SpawnException in words where the engine does not do it.

        After a start that failed the hub makes sure that nothing is left. An engine
        that is silent then has said so already; the next start takes up what there is.
        """
        try:
            await super().stop(now=now)
        except failures.ENGINE_ERRORS as error:
            self.log.warning("%s did not stop: %s", self._log_name, error)
            if not self._start_failed:
                raise failures.explain_engine_error(error, self.image).exception() from error

    async def _bring_up(self, wish: Wish) -> tuple[str, int]:
        self._steps.tell(5, "Preparing your folders")
        if await self.docker("ensure_owner", self.user.name, self.name):
            self._steps.tell(8, "The home of the workspace that you had removed is back")
        await self._ensure_outdated_is_gone(wish)
        self._steps.tell(30, "Starting the container")
        ip, port = await super().start()
        self._steps.tell(60, "Container started, waiting for its Jupyter server")
        await self._wait_until_listening(ip, port)
        self._steps.tell(90, "Jupyter server answers, opening the way to it")
        forget_end(self.places, self.user.name, self.name)
        return ip, port

    async def _ensure_outdated_is_gone(self, wish: Wish) -> None:
        """Decide what the container must be, and remove the one of the last start when it is another."""
        container = await self.get_object()
        if container is not None and _labels(container).get(INSTALLATION_LABEL) != self.installation:
            raise CannotStart(failures.ANOTHER_INSTALLATION)
        self._profile = self._decide_profile(wish, container)
        self.mem_limit = self._profile.memory
        self.cpu_limit = self._profile.cpus
        plan = await self._plan()
        self.extra_host_config = plan.host_config
        self.extra_create_kwargs = plan.create_options
        if container is None:
            self._steps.tell(15, "Creating your container")
            return
        why = self._reason_to_renew(wish, container, plan)
        if why is None:
            self._steps.tell(15, "Found your container")
            return
        self._steps.tell(15, f"Making a fresh container: {why}. Your files, home and pip packages stay")
        if container["State"]["Running"]:
            await self.stop_object()
        await self.remove_object()

    def _reason_to_renew(self, wish: Wish, container: dict[str, Any], plan: Plan) -> str | None:
        if wish.fresh:
            return "you asked for it"
        if container["State"].get("Dead") or container["State"].get("Status") in ("dead", "removing"):
            return "the old one is broken"
        labels = _labels(container)
        if labels.get(PROFILE_LABEL, STANDARD) != self._profile.name:
            return f"its profile is now '{self._profile.name}'"
        if labels.get(PLAN_LABEL) != plan.digest:
            return "the platform's image, limits or settings have changed"
        return None

    async def _wait_until_listening(self, ip: str, port: int) -> None:
        """Return when the server takes connections; raise as soon as its container has ended."""
        now = asyncio.get_running_loop().time
        deadline, look_at = now() + self.answer_timeout_s, now() + LOOK_PERIOD_S
        while now() < deadline:
            with suppress(OSError, TimeoutError):
                _, writer = await asyncio.wait_for(asyncio.open_connection(ip, port), timeout=2)
                writer.close()
                return
            if now() >= look_at:
                container = await self.get_object()
                if container is None or not container["State"]["Running"]:
                    raise CannotStart(await self._explain(container))
                look_at = now() + LOOK_PERIOD_S
            await asyncio.sleep(0.1)
        await self.stop()
        raise CannotStart(failures.NEVER_ANSWERED)

    async def poll(self) -> int | None:
        """Give None while the container runs, otherwise its exit status.

        An engine that is silent says nothing about a container: what ran before
        is taken to run still, so that a restart of the engine or a machine that
        stalls never makes the hub forget people's workspaces.
        """
        believed = self.orm_spawner.server is not None
        try:
            container = await self.get_object()
            if container is not None and container["State"]["Running"]:
                return None
            if believed and not self._stop_pending and not self._start_pending:
                await self._note_end(container)
        except failures.ENGINE_ERRORS as error:
            self.log.warning("The engine does not say whether %s runs: %s", self._log_name, error)
            return None if believed else 0
        return int(container["State"].get("ExitCode") or 0) if container else 0

    async def _note_end(self, container: dict[str, Any] | None) -> None:
        """Write down why the workspace ended; whoever ended it on purpose has said so before."""
        if read_end(self.places, self.user.name, self.name) is None:
            failure = await self._explain(container)
            self.log.warning("%s ended: %s", self._log_name, failure.reason)
            self._record(failure)

    async def _explain(self, container: dict[str, Any] | None) -> Failure:
        if container is None:
            return explain_end(None, "", self._profile.memory)
        name = _labels(container).get(PROFILE_LABEL) or STANDARD
        with suppress(PublicError):
            self._profile = find_profile(self.places.settings, name)
        return explain_end(container["State"], await self.last_words(container), self._profile.memory)

    def _record(self, failure: Failure) -> None:
        with suppress(OSError):  # a full disk must not hide the failure itself
            record_end(
                self.places, self.user.name, self.name, reason=failure.reason, what=failure.what, fix=failure.fix
            )

    async def rename(self, old_name: str, new_name: str) -> None:
        """Refuse: container, home and address of a workspace carry its name."""
        raise web.HTTPError(400, "A workspace keeps its name. Make another one; your files are in both.")

    async def delete_forever(self) -> None:
        """Remove the container; the home of a named workspace is put aside, from where the same name brings it back.

        The hub calls this when somebody removes a named workspace, and for each
        workspace of a removed account, whose files and homes stay: what is put
        aside is deleted after some days, and an account is kept until it is purged.
        """
        await self.remove_object()
        if self.name and self.user.db.get(RemovedAccount, self.user.name) is None:
            await self.docker("put_home_aside", self.user.name, self.name)
        forget_end(self.places, self.user.name, self.name)


def _labels(container: dict[str, Any] | None) -> dict[str, str]:
    return dict((container or {}).get("Config", {}).get("Labels") or {})
