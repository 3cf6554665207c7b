"""Whoever may create any container is root on the machine, so every field of the body counts."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.engine_gate.body import Capability, check_create, read_object
from hub.engine_gate.errors import GateRefused
from hub.engine_gate.rules import Rules
from hub.plan import CAPABILITIES, Making, plan_container
from twinhub.profiles import find_profile
from twinhub.settings import Settings

NAME = "tw-workspace-alice"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    for folder in ("files/alice", "files/common", "files/bob", "homes/alice", "homes/alice.SERVER.gpu"):
        (tmp_path / folder).mkdir(parents=True)
    return Rules("tw", "tw", tmp_path / "files", tmp_path / "homes")


def body(rules: Rules, *, sudo: bool = True) -> dict[str, Any]:
    """Give what the Docker SDK sends for a workspace of alice's."""
    client = docker.APIClient(base_url="unix:///nowhere", version="1.41")
    binds = {
        str(rules.files / "alice"): {"bind": "/workspace", "mode": "rw"},
        str(rules.files / "common"): {"bind": "/workspace/common", "mode": "ro"},
        str(rules.homes / "alice"): {"bind": "/home/alice", "mode": "rw"},
    }
    making = Making(
        installation="tw",
        owner="alice",
        server="",
        profile=find_profile(Settings(), "standard"),
        image_id="sha256:0123456789abcdef",
        network="tw",
        binds=binds,
        environment={"NB_USER": "alice", "JUPYTERHUB_API_TOKEN": "secret-token"},
        sudo=sudo,
        user_id=59000,
    )
    plan = plan_container(making)
    host = client.create_host_config(
        auto_remove=False,
        binds=binds,
        links={},
        mem_limit=making.profile.memory,
        cpu_period=100_000,
        cpu_quota=200_000,
        network_mode="tw",
        **plan.host_config,
    )
    whole = client.create_container_config(
        image="tw-workspace:latest",
        environment=making.environment,
        volumes=["/workspace", "/workspace/common", "/home/alice"],
        command=[],
        ports={"8888/tcp": None},
        host_config=host,
        **plan.create_options,
    )
    return dict(json.loads(json.dumps({name: value for name, value in whole.items() if value is not None})))


def refusal(rules: Rules, change: Change, name: str = NAME) -> str:
    """Change a good body and give the words it is refused with."""
    content = copy.deepcopy(body(rules))
    change(content)
    with pytest.raises(GateRefused) as caught:
        check_create(content, name, rules)
    return caught.value.what


@pytest.mark.parametrize("sudo", [True, False])
def test_what_the_hub_sends_for_a_workspace_passes_unchanged(rules: Rules, sudo: bool) -> None:
    """Otherwise nobody works."""
    content = body(rules, sudo=sudo)
    passed = check_create(content, NAME, rules)
    kept = {name: value for name, value in content.items() if value not in ("", [], {})}
    kept["HostConfig"] = {name: value for name, value in kept["HostConfig"].items() if value not in ("", [], {})}
    kept["ExposedPorts"] = {"8888/tcp": {}}
    defaults = {"Tty", "AttachStdout", "AttachStderr"}
    assert {name: value for name, value in passed.items() if name not in defaults - kept.keys()} == kept


def test_the_hub_asks_for_no_more_than_the_gate_would_give() -> None:
    """The two lists are kept apart on purpose; a hub that asks for more would start nothing."""
    assert set(CAPABILITIES) <= set(Capability.__args__)  # type: ignore[attr-defined]


ESCAPES: dict[str, Change] = {
    "privileged": lambda b: b["HostConfig"].update(Privileged=True),
    "privileged in other letters": lambda b: b["HostConfig"].update(privileged=True),
    "a second HostConfig in other letters": lambda b: b.update(hostConfig={"Privileged": True}),
    "the host's processes": lambda b: b["HostConfig"].update(PidMode="host"),
    "another container's processes": lambda b: b["HostConfig"].update(PidMode="container:x"),
    "the host's network": lambda b: b["HostConfig"].update(NetworkMode="host"),
    "another network": lambda b: b["HostConfig"].update(NetworkMode="bridge"),
    "a second network": lambda b: b.update(NetworkingConfig={"EndpointsConfig": {"bridge": {}}}),
    "the host's IPC": lambda b: b["HostConfig"].update(IpcMode="host"),
    "the host's user ids": lambda b: b["HostConfig"].update(UsernsMode="host"),
    "the host's control groups": lambda b: b["HostConfig"].update(CgroupnsMode="host"),
    "a control group's parent": lambda b: b["HostConfig"].update(CgroupParent="/"),
    "the host's name": lambda b: b["HostConfig"].update(UTSMode="host"),
    "a device": lambda b: b["HostConfig"].update(Devices=[{"PathOnHost": "/dev/vda"}]),
    "rules for devices": lambda b: b["HostConfig"].update(DeviceCgroupRules=["a *:* rwm"]),
    "a device by its driver": lambda b: b["HostConfig"].update(DeviceRequests=[{"Driver": "nvidia"}]),
    "all capabilities": lambda b: b["HostConfig"].update(CapAdd=["ALL"]),
    "one more capability": lambda b: b["HostConfig"]["CapAdd"].append("SYS_ADMIN"),
    "capabilities not dropped": lambda b: b["HostConfig"].pop("CapDrop"),
    "no seccomp": lambda b: b["HostConfig"].update(SecurityOpt=["seccomp=unconfined"]),
    "no AppArmor": lambda b: b["HostConfig"].update(SecurityOpt=["apparmor=unconfined"]),
    "paths of /proc unmasked": lambda b: b["HostConfig"].update(MaskedPaths=[]),
    "writable paths of /proc": lambda b: b["HostConfig"].update(ReadonlyPaths=[]),
    "a kernel setting": lambda b: b["HostConfig"].update(Sysctls={"kernel.core_pattern": "|x"}),
    "another runtime": lambda b: b["HostConfig"].update(Runtime="other"),
    "others' volumes": lambda b: b["HostConfig"].update(VolumesFrom=["tw-workspace-bob"]),
    "a volume's driver": lambda b: b["HostConfig"].update(VolumeDriver="x"),
    "a volume that is a host's folder": lambda b: b["HostConfig"]["Mounts"][0].update(
        VolumeOptions={"DriverConfig": {"Options": {"type": "none", "o": "bind", "device": "/"}}}
    ),
    "a bind as a mount": lambda b: b["HostConfig"]["Mounts"][0].update(Type="bind", Source="/"),
    "the server volume writable": lambda b: b["HostConfig"]["Mounts"][0].update(ReadOnly=False),
    "another installation's volume": lambda b: b["HostConfig"]["Mounts"][0].update(Source="ux-server-" + "0" * 16),
    "a published port": lambda b: b["HostConfig"].update(PortBindings={"8888/tcp": [{"HostPort": "80"}]}),
    "names in /etc/hosts": lambda b: b["HostConfig"].update(ExtraHosts=["pypi.org:1.2.3.4"]),
    "a restart policy": lambda b: b["HostConfig"].update(RestartPolicy={"Name": "always"}),
    "no memory limit": lambda b: b["HostConfig"].pop("Memory"),
    "swap without end": lambda b: b["HostConfig"].update(MemorySwap=-1),
    "no limit of processes": lambda b: b["HostConfig"].update(PidsLimit=-1),
    "no limit of processors": lambda b: b["HostConfig"].pop("CpuQuota"),
    "not to be ended for memory": lambda b: b["HostConfig"].update(OomKillDisable=True),
    "the kernel's favour": lambda b: b["HostConfig"].update(OomScoreAdj=-1000),
    "a tmpfs over /proc": lambda b: b["HostConfig"].update(Tmpfs={"/proc": ""}),
    "a tmpfs by way of ..": lambda b: b["HostConfig"].update(Tmpfs={"/tmp/../proc": ""}),  # noqa: S108
    "a foreign image": lambda b: b.update(Image="debian:bookworm"),
    "another installation's image": lambda b: b.update(Image="ux-workspace:latest"),
    "an image elsewhere": lambda b: b.update(Image="evil.example/tw-workspace:latest"),
    "another command": lambda b: b.update(Cmd=["sh"]),
    "another entry point": lambda b: b.update(Entrypoint=["sh"]),
    "a foreign label": lambda b: b["Labels"].update({"com.docker.swarm.task": "x"}),
    "another owner's label": lambda b: b["Labels"].update({"twinhub.owner": "bob"}),
    "another installation's label": lambda b: b["Labels"].update({"twinhub.installation": "ux"}),
    "a logging driver": lambda b: b["HostConfig"].update(LogConfig={"Type": "syslog", "Config": {}}),
    "a log without end": lambda b: b["HostConfig"]["LogConfig"]["Config"].pop("max-size"),
    "a field of tomorrow": lambda b: b["HostConfig"].update(Tomorrow=True),
    "a text for a truth": lambda b: b["HostConfig"].update(Privileged="true"),
}


@pytest.mark.parametrize("change", ESCAPES.values(), ids=ESCAPES.keys())
def test_each_known_way_out_is_refused(rules: Rules, change: Change) -> None:
    """A hub that somebody has taken over must not become root on the machine."""
    assert refusal(rules, change)


BINDS = (
    "/:/workspace:rw",
    "/var/run/docker.sock:/workspace/common:rw",
    "{files}/alice/../bob:/workspace:rw",
    "{files}/bob:/workspace:rw",
    "{files}/alice:/etc:rw",
    "{files}/alice/:/workspace:rw",
    "{files}:/workspace:rw",
    "{files}/alice:/workspace:rw,shared",
    "{files}/alice:/workspace",
    "{files}/gone:/workspace:rw",
    "tw-server-0123456789abcdef:/opt/jupyter:rw",
    "{homes}/alice.SERVER.gpu:/home/alice:rw",
)


@pytest.mark.parametrize("bind", BINDS)
def test_only_ones_own_folders_can_be_mounted(rules: Rules, bind: str) -> None:
    """One wrong path shows somebody else's files, or the whole machine."""
    text = bind.format(files=rules.files, homes=rules.homes)
    assert refusal(rules, lambda b: b["HostConfig"].update(Binds=[text]))


def test_a_link_in_the_place_of_a_folder_is_refused(rules: Rules) -> None:
    """The engine would follow it, as root."""
    (rules.files / "alice").rmdir()
    (rules.files / "alice").symlink_to("/etc")
    assert "not a folder" in refusal(rules, lambda b: None)


@pytest.mark.parametrize(
    "name", ["tw-workspace-bob", "ux-workspace-alice", "alice", "tw-workspace-common", "tw-workspace-alice.SERVER.", ""]
)
def test_a_name_must_stand_for_its_owners_workspace(rules: Rules, name: str) -> None:
    """Binds are checked against the owner that the name tells."""
    assert refusal(rules, lambda b: None, name)


def test_a_named_workspace_has_a_home_of_its_own(rules: Rules) -> None:
    """And the same folder of files."""
    content = body(rules)
    content["HostConfig"]["Binds"][2] = f"{rules.homes}/alice.SERVER.gpu:/home/alice:rw"
    assert check_create(content, "tw-workspace-alice.SERVER.gpu", rules)


def test_a_refusal_names_the_field_and_never_a_token(rules: Rules) -> None:
    """Refusals are logged and shown."""
    words = refusal(rules, lambda b: b.update(Env=["JUPYTERHUB_API_TOKEN=secret-token", 7]))
    assert "Env" in words
    assert "secret-token" not in words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(field=st.text(min_size=1, max_size=30), value=JSON, inside=st.booleans())
def test_no_field_that_nobody_has_thought_about_gets_through(
    rules: Rules, field: str, value: object, inside: bool
) -> None:
    """The engine learns new fields with every version."""
    content = body(rules)
    target = content["HostConfig"] if inside else content
    known = field in target
    target[field] = value
    try:
        passed = check_create(content, NAME, rules)
    except GateRefused:
        return
    assert known or value in (None, "", [], {}) or field in (passed["HostConfig"] if inside else passed)
    assert set(passed["HostConfig"]["Binds"]) <= rules.binds(rules.seat(NAME))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bind=st.text(alphabet="/.:abcemnoilf-rwo%\\\n\0", max_size=60))
def test_no_spelling_of_a_bind_gets_through_but_the_exact_ones(rules: Rules, bind: str) -> None:
    """Paths have many spellings, and the engine cleans them up after the check."""
    assert refusal(rules, lambda b: b["HostConfig"].update(Binds=[f"{rules.files}/alice{bind}x"]))
    assert refusal(rules, lambda b: b["HostConfig"].update(Binds=[bind]))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100_000, b"\xff{}"])
def test_bodies_that_two_readers_read_differently_are_refused(text: bytes) -> None:
    """The first key for the gate, the second for the engine: the oldest trick."""
    with pytest.raises(GateRefused):
        read_object(text)
