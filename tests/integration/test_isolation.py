"""Attacks from inside a real workspace, as root in its container."""

import socket
import subprocess
import threading
from collections.abc import Iterator

import docker
import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from twinhub.operate.firewall import check_firewall
from twinhub.operate.firewall_rules import chain_names
from twinhub.operate.network import Bridge, find_bridge

CONNECT = "timeout 4 bash -c '</dev/tcp/{host}/{port}'"


@pytest.fixture
def bridge(installation: Installation) -> Bridge:
    if not installation.places.settings.installed_by_root:
        pytest.skip("only root can set rules for the network")
    return find_bridge(installation.places)


@pytest.fixture
def listening() -> Iterator[int]:
    """A service of this machine that its owner left open on all addresses."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that is the mistake
        stopped = threading.Event()

        def accept() -> None:
            while not stopped.is_set():
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)


def reaches(inside: Shell, person: Person, host: str, port: int) -> bool:
    """Try as root in the container, which is the most that anybody has."""
    done = inside(person, CONNECT.format(host=host, port=port), root=True, check=False)
    assert done.returncode != 127, done.stderr
    return done.returncode == 0


def addresses_of_the_machine() -> list[str]:
    said = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    found = [line.split()[3].partition("/")[0] for line in said.splitlines()]
    return [address for address in found if not address.startswith("127.")]


def test_no_port_of_the_machine_is_open_at_any_of_its_addresses(
    marie: Person, inside: Shell, bridge: Bridge, listening: int
) -> None:
    """Databases and consoles that listen on all addresses are meant for the machine's own network."""
    addresses = addresses_of_the_machine()
    assert bridge.address in addresses
    for address in addresses:
        socket.create_connection((address, listening), timeout=5).close()  # it is there for others
        assert not reaches(inside, marie, address, listening), address


def test_the_hubs_api_is_reached_and_its_pages_are_not(
    marie: Person, inside: Shell, bridge: Bridge, installation: Installation
) -> None:
    """A program in a workspace would guess passwords there, past the gateway's limits."""
    base = f"http://{bridge.address}:{installation.places.hub_port}"

    def status(path: str) -> str:
        fetch = f"curl -s -m 5 --path-as-is -o /dev/null -w '%{{http_code}}' '{base}{path}'"
        return inside(marie, fetch, check=False).stdout

    assert status("/hub/api/") == "200"
    for path in (
        "/hub/login",
        "/hub/home",
        "/",
        "/hub/api/../login",
        "/hub/api/%2e%2e/login",
        "//hub/login",
        "/app/library",
    ):
        assert status(path) in ("400", "404"), path


@pytest.mark.parametrize("host", ["169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200", "10.0.0.1"])
def test_metadata_and_private_networks_are_refused_at_once(
    marie: Person, inside: Shell, bridge: Bridge, host: str
) -> None:
    """A cloud's metadata hands out the machine's own credentials to whoever asks."""
    done = inside(marie, f"curl -s -m 4 http://{host}/", root=True, check=False)
    assert done.returncode == 7, done  # refused; 28 would be a packet that went out and found nobody


def test_the_internet_and_names_are_reached(marie: Person, inside: Shell, bridge: Bridge) -> None:
    """Or nobody installs anything."""
    assert inside(marie, "curl -s -m 20 -o /dev/null -w '%{http_code}' https://pypi.org/simple/six/").stdout == "200"


def test_the_engines_socket_is_nowhere_inside(marie: Person, inside: Shell) -> None:
    """Who has it is root on the machine."""
    found = inside(
        marie, "find / -xdev -type s -name '*docker*' 2>/dev/null; ls /var/run/docker.sock", root=True, check=False
    )
    assert "docker.sock" not in found.stdout


def test_rules_that_somebody_flushed_are_set_again(
    marie: Person, inside: Shell, bridge: Bridge, installation: Installation, listening: int
) -> None:
    """A restart of the machine's own firewall must not open it to workspaces for good."""
    chain = chain_names(installation.places.settings.name)[0]
    subprocess.run(["iptables", "-w", "5", "-F", chain], check=True)
    try:
        assert check_firewall(installation.places)
        assert "firewall" in installation.twinhub("doctor", check=False).stdout
        wait_until(lambda: not check_firewall(installation.places), 60, "the return of the rules")
    finally:
        installation.twinhub("up")
    assert not reaches(inside, marie, bridge.address, listening)


def test_rules_above_ours_do_not_stay_there(bridge: Bridge, installation: Installation) -> None:
    """A rule that lets everything in would make ours worth nothing."""
    open_all = ["-i", bridge.interface, "-m", "comment", "--comment", "twinhub-test", "-j", "ACCEPT"]
    subprocess.run(["iptables", "-w", "5", "-I", "INPUT", "1", *open_all], check=True)
    try:
        wait_until(lambda: not check_firewall(installation.places), 60, "our rules' return to the top")
        assert check_firewall(installation.places) == []
    finally:
        subprocess.run(["iptables", "-w", "5", "-D", "INPUT", *open_all], check=True)


KERNEL = {
    "restart the machine": "echo b > /proc/sysrq-trigger",
    "read the kernel's memory": "head -c 1 /proc/kcore | grep -q .",
    "run a program at every crash": "echo '|/workspace/x' > /proc/sys/kernel/core_pattern",
    "run a program as a helper of the kernel": "echo /workspace/x > /proc/sys/kernel/modprobe",
    "leave the limits of its group": "mkdir /sys/fs/cgroup/memory/out || "
    "{ grep -q '^cgroup2 /sys/fs/cgroup ' /proc/mounts && mkdir /sys/fs/cgroup/out; }",
    "be told of the end of a group": "echo /workspace/x > /sys/fs/cgroup/memory/release_agent",
    "mount a group of control": "mkdir -p /tmp/c; mount -t cgroup -o memory c /tmp/c",
    "mount something": "mount -t tmpfs none /mnt",
    "make a device": "mknod /tmp/disk b 254 0",
    "a world of its own with all rights": "unshare --user --map-root-user --mount true",
    "another name space": "nsenter --target 1 --mount --uts true && nsenter -t 1 -U true",
    "load a module": """python3 -c 'import ctypes, os, sys
number = {"x86_64": 175, "aarch64": 105}[os.uname().machine]
ctypes.CDLL(None, use_errno=True).syscall(number, b"", 0, b"")
sys.exit(ctypes.get_errno() == 1)  # whoever may is told that this is no module'
""",
    "read the kernel's log": "dmesg",
    "change the clock": "date -s 2000-01-01",
    "change its address": """python3 -c 'import fcntl, socket, struct
address = socket.inet_aton("172.31.255.9")
fcntl.ioctl(socket.socket(), 0x8916, struct.pack("16sH2s4s8s", b"eth0", socket.AF_INET, b"", address, b""))'
""",
    "trace the processes of the machine": "ls /proc/1/root/ && test -e /proc/1/root/var/lib/docker",
}


@pytest.mark.parametrize("script", KERNEL.values(), ids=KERNEL.keys())
def test_root_in_a_workspace_is_not_root_of_the_machine(marie: Person, inside: Shell, script: str) -> None:
    """People are root in their container to install software, and for nothing else."""
    done = inside(marie, f"({script})", root=True, check=False)
    assert done.returncode != 0, done.stdout
    assert "not found" not in done.stderr, "a program that is missing proves nothing"


@pytest.mark.parametrize("kind", ["AF_PACKET, socket.SOCK_RAW, 768", "AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP"])
def test_nobody_can_write_packets_by_hand(marie: Person, inside: Shell, kind: str) -> None:
    """With raw sockets one workspace answers for another's address, or for the gateway's."""
    done = inside(marie, f"python3 -c 'import socket; socket.socket(socket.{kind})'", root=True, check=False)
    assert "PermissionError" in done.stderr, done


def test_no_neighbour_on_the_bridge_answers(
    marie: Person, pierre: Person, inside: Shell, installation: Installation
) -> None:
    """Not at the server's port, not at one that the neighbour opened."""
    pierre.start_workspace()
    networks = docker.from_env().containers.get(pierre.container).attrs["NetworkSettings"]["Networks"]
    address = networks[installation.places.settings.name]["IPAddress"]
    inside(pierre, "nohup python3 -m http.server 7000 --bind 0.0.0.0 >/dev/null 2>&1 & sleep 0")
    for port in (8888, 7000):
        wait_until(lambda port=port: reaches(inside, pierre, address, port), 20, f"something at {port}")
        assert not reaches(inside, marie, address, port), port
    pierre.stop_workspace()


def test_others_folders_are_not_there_at_all(marie: Person, pierre: Person, inside: Shell) -> None:
    """Not hidden: not mounted."""
    mounts = inside(marie, "cat /proc/self/mountinfo", root=True).stdout
    assert f"/{pierre.name}" not in mounts
    assert inside(marie, "ls /home", root=True).stdout.split() == [marie.name]


def test_a_link_out_of_the_workspace_leads_the_library_nowhere(
    marie: Person, pierre: Person, inside: Shell, installation: Installation
) -> None:
    """The library reads everybody's files, so a link is the first thing to try."""
    files = installation.places.files
    inside(
        marie,
        f"ln -sfn {files}/{pierre.name} /workspace/data/way; ln -sfn /etc/passwd /workspace/data/passwd; "
        f"ln -sfn {installation.places.secrets}/session /workspace/data/session",
        root=True,
    )
    try:
        for path in ("passwd", "session", "way/models", "way/data"):
            answer = marie.ask("GET", f"/lib/files/{marie.name}/data/{path}")
            assert answer.status_code in (400, 403, 404, 409), (path, answer.status_code)
            assert "root:" not in answer.text
        put = marie.ask("PUT", f"/lib/files/{marie.name}/data/way/data/planted.txt", content=b"x")
        assert put.status_code >= 400
        assert not (files / pierre.name / "data" / "planted.txt").exists()
    finally:
        inside(marie, "rm -f /workspace/data/way /workspace/data/passwd /workspace/data/session", root=True)


def test_a_fork_bomb_ends_in_its_own_workspace(marie: Person, inside: Shell) -> None:
    """The machine and its neighbours must not notice."""
    bomb = "setsid dash -c 'while :; do sleep 300 & done' 2>&1; ps -e | grep -c sleep; pkill -x sleep; true"
    said = inside(marie, bomb, check=False).stdout
    assert "Cannot fork" in said, said
    assert int(said.split()[-1]) <= docker.from_env().containers.get(marie.container).attrs["HostConfig"]["PidsLimit"]
    assert marie.ask("GET", f"/user/{marie.name}/api/status").status_code == 200


def test_twice_the_memory_ends_the_program_and_not_the_workspace(marie: Person, inside: Shell) -> None:
    """One greedy notebook must cost its owner that notebook, and nobody else anything."""
    limit = docker.from_env().containers.get(marie.container).attrs["HostConfig"]["Memory"]
    greedy = f"hold = bytearray({2 * limit}); [hold.__setitem__(at, 1) for at in range(0, len(hold), 4096)]"
    assert inside(marie, f"python3 -c '{greedy}'", check=False).returncode in (1, 137)
    assert marie.ask("GET", f"/user/{marie.name}/api/status").status_code == 200
