"""What a container is made of."""

from dataclasses import replace
from typing import Any

import pytest

from hub.plan import Making, plan_container
from twinhub.profiles import find_profile
from twinhub.settings import parse_settings

SETTINGS = parse_settings("workspaces: {memory: 1G, processes: 300, profiles: {large: {memory: 8G}, twin: {}}}")
MAKING = Making(
    installation="tw",
    owner="ada",
    server="",
    profile=find_profile(SETTINGS, "standard"),
    image_id="sha256:" + "a" * 64,
    network="tw",
    binds={"/data/files/ada": {"bind": "/workspace", "mode": "rw"}},
    environment={"NB_USER": "ada", "JUPYTERHUB_API_TOKEN": "one"},
    sudo=True,
    user_id=59000,
)


def test_limits_hold_from_outside() -> None:
    """A fork bomb and a leak are one person's trouble, not everybody's."""
    host = plan_container(MAKING).host_config
    assert host["pids_limit"] == 300
    assert host["memswap_limit"] == "1G"  # memory and swap together: no swap beside the memory
    assert host["oom_score_adj"] > 0


def test_with_sudo_only_what_apt_needs_is_left() -> None:
    """Root in one's own container must not be root anywhere else."""
    host = plan_container(MAKING).host_config
    assert host["cap_drop"] == ["ALL"]
    assert not {"SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "MKNOD", "DAC_READ_SEARCH"} & set(host["cap_add"])
    assert not {"privileged", "devices", "pid_mode", "userns_mode"} & set(host)


def test_without_sudo_nothing_is_left_and_nothing_can_be_gained() -> None:
    """What an operator who sets sudo: false relies on."""
    plan = plan_container(replace(MAKING, sudo=False))
    assert plan.host_config["cap_drop"] == ["ALL"]
    assert "cap_add" not in plan.host_config
    assert plan.host_config["security_opt"] == ["no-new-privileges:true"]
    assert plan.host_config["read_only"] is True
    assert all("nosuid" in options and "nodev" in options for options in plan.host_config["tmpfs"].values())
    assert plan.create_options["user"] == "59000:59000"


@pytest.mark.parametrize(
    "change",
    [
        {"profile": find_profile(SETTINGS, "large")},
        {"profile": find_profile(SETTINGS, "twin")},
        {"image_id": "sha256:" + "b" * 64},
        {"binds": {"/data/files/ada": {"bind": "/workspace", "mode": "ro"}}},
        {"environment": {"NB_USER": "ada", "https_proxy": "http://new:3128"}},
        {"network": "other"},
        {"sudo": False},
    ],
)
def test_what_only_a_new_container_can_change_makes_a_new_one(change: dict[str, Any]) -> None:
    """Otherwise an operator lowers a limit or moves a proxy, and old containers keep the old one for ever."""
    assert plan_container(replace(MAKING, **change)).digest != plan_container(MAKING).digest


def test_a_new_token_alone_keeps_the_container() -> None:
    """Each start has one; what was installed with apt must survive stop and start."""
    other = replace(MAKING, environment={**MAKING.environment, "JUPYTERHUB_API_TOKEN": "two"})
    assert plan_container(other).digest == plan_container(MAKING).digest


def test_labels_tell_whose_container_it_is() -> None:
    """The watch, the gate and the clean-up find workspaces by them."""
    labels = plan_container(replace(MAKING, server="big")).create_options["labels"]
    assert labels["twinhub.installation"] == "tw"
    assert (labels["twinhub.owner"], labels["twinhub.server"]) == ("ada", "big")
    assert (labels["twinhub.profile"], labels["twinhub.variant"]) == ("standard", "full")
