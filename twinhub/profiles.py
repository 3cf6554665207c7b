"""The workspaces that people may choose among: how large, from which image, for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinhub.errors import PublicError
from twinhub.settings import Settings
from twinhub.settings.workspaces import STANDARD, WorkspaceProfile, Workspaces


class ProfileUnknown(PublicError):
    """No workspace profile has this name."""

    code = "profile_unknown"
    status = 404


class ProfileNotAllowed(PublicError):
    """The workspace profile is for others."""

    code = "profile_not_allowed"
    status = 403


@dataclass(frozen=True)
class Profile:
    """One kind of workspace, every value decided."""

    name: str
    description: str
    memory: str
    cpus: float
    processes: int
    image: str
    """Variant of the image: 'full' or 'minimal'."""
    disk_gb: float | None
    longest_hours: float
    idle_stop_minutes: int
    groups: tuple[str, ...]
    """Who may choose it; empty means everybody."""

    def open_to(self, groups: Iterable[str], *, admin: bool = False) -> bool:
        """Tell whether somebody in these groups may choose it."""
        return admin or not self.groups or not set(self.groups).isdisjoint(groups)


def all_profiles(settings: Settings) -> tuple[Profile, ...]:
    """Give every profile, the standard one first."""
    section = settings.workspaces
    standard = Profile(
        name=STANDARD,
        description="What everybody has",
        memory=section.memory,
        cpus=section.cpus,
        processes=section.processes,
        image=section.image,
        disk_gb=section.disk_gb,
        longest_hours=section.longest_hours,
        idle_stop_minutes=section.idle_stop_minutes,
        groups=(),
    )
    return (standard, *(_profile(name, chosen, section) for name, chosen in section.profiles.items()))


def profiles_for(settings: Settings, groups: Iterable[str], admin: bool = False) -> tuple[Profile, ...]:
    """Give the profiles that somebody in these groups may choose, the standard one first."""
    mine = frozenset(groups)
    return tuple(profile for profile in all_profiles(settings) if profile.open_to(mine, admin=admin))


def find_profile(settings: Settings, name: str) -> Profile:
    """Give the profile of this name; raises ProfileUnknown."""
    profiles = all_profiles(settings)
    for profile in profiles:
        if profile.name == name:
            return profile
    names = ", ".join(profile.name for profile in profiles)
    # Whoever asked may have sent anything; a name of ours is short.
    raise ProfileUnknown(f"There is no workspace profile {name[:40]!r}.", f"Choose one of: {names}.")


def choose_profile(settings: Settings, name: str, groups: Iterable[str], *, admin: bool = False) -> Profile:
    """Give the profile that somebody wishes for, if they may; raises ProfileUnknown and ProfileNotAllowed."""
    mine = frozenset(groups)
    open_ones = profiles_for(settings, mine, admin)
    try:
        profile = find_profile(settings, name)
    except ProfileUnknown as error:
        # Names of profiles for others are nobody else's business.
        names = ", ".join(one.name for one in open_ones)
        raise ProfileUnknown(error.what, f"Choose one of: {names}.") from None
    if profile not in open_ones:
        raise ProfileNotAllowed(
            f"The workspace profile '{name}' is for groups that you are not in.",
            "Choose another profile, or ask an administrator to put you into such a group.",
        )
    return profile


def _profile(name: str, chosen: WorkspaceProfile, section: Workspaces) -> Profile:
    """Fill what a profile leaves out; only the disk can be set to 'no limit', so only there null is a value."""
    return Profile(
        name=name,
        description=chosen.description,
        memory=chosen.memory or section.memory,
        cpus=chosen.cpus or section.cpus,
        processes=chosen.processes or section.processes,
        image=chosen.image or section.image,
        disk_gb=chosen.disk_gb if "disk_gb" in chosen.model_fields_set else section.disk_gb,
        longest_hours=section.longest_hours if chosen.longest_hours is None else chosen.longest_hours,
        idle_stop_minutes=section.idle_stop_minutes if chosen.idle_stop_minutes is None else chosen.idle_stop_minutes,
        groups=chosen.groups,
    )
