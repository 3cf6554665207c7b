"""A message broker for a twin: the platform's where one is given, else one of the twin's own on loopback.

RabbitMQ (AMQP) and mosquitto (MQTT) come from Debian's packages of these names. What is
started here runs as you, listens on a free port of 127.0.0.1, asks for a password that nobody
else can read, and keeps its files in one folder. It is stopped by `stop`, from any phase.
"""

import contextlib
import fcntl
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

USER = "twin"
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one on PATH insists on root
DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671, "mqtt": 1883, "mqtts": 8883}


def find_or_start(kind, folder, given=""):
    """Give the address of a broker of a kind, "amqp" or "mqtt", and whether it was started just now.

    First choice is the address given (or in AMQP_URL or MQTT_URL), then the one that runs
    already in the folder, then a new one.
    """
    given = given or os.environ.get(f"{kind.upper()}_URL", "")
    if given:
        if not answers(given):
            sys.exit(f"The broker {without_password(given)} does not answer. Start it, or leave its address empty.")
        return given, False
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two phases may get here at the same time
        running = address(folder)
        if running:
            return running, False
        for _ in range(3):  # the free port may be taken by somebody else before the broker has it
            url = _start(kind, folder)
            if url:
                return url, True
            stop(folder)
    sys.exit(f"The broker did not start. Its last words, from {folder / 'broker.log'}:\n{_last_words(folder)}")


def address(folder):
    """Give the address of the broker that runs in a folder; None when there is none."""
    try:
        record = json.loads((folder / "broker.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return record["url"] if record["url"] and all(map(_lives, record["processes"])) and answers(record["url"]) else None


def stop(folder):
    """End the broker that was started in a folder, and tell whether there was one."""
    try:
        processes = json.loads((folder / "broker.json").read_text(encoding="utf-8"))["processes"]
    except (FileNotFoundError, ValueError):
        return False
    living = [process for process in processes if _lives(process)]
    # RabbitMQ before its name server, so that it can sign off.
    for sign, patience_s in ((signal.SIGTERM, 8), (signal.SIGKILL, 2)):
        for process in processes:
            if _lives(process):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process[0], sign)
                _wait_until_gone(process, patience_s)
    (folder / "broker.json").unlink(missing_ok=True)
    return bool(living)


def available(kind):
    """Tell whether this machine has the program of a kind of broker."""
    return Path(RABBITMQ).exists() if kind == "amqp" else _mosquitto() is not None


def answers(url, timeout_s=2):
    """Tell whether something speaks at an address."""
    parts = urlsplit(url)
    try:
        where = (parts.hostname or "localhost", parts.port or DEFAULT_PORTS.get(parts.scheme, 0))
        with socket.create_connection(where, timeout_s) as connection:
            if parts.scheme == "amqp":
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) != b""
            return True
    except OSError:
        return False


def without_password(url):
    """Give an address as it may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or DEFAULT_PORTS.get(parts.scheme)}"


def _start(kind, folder):
    """Start a broker and wait until it answers; None when it ended instead."""
    password, port = secrets.token_urlsafe(18), _free_port()
    url = f"{kind}://{USER}:{password}@127.0.0.1:{port}"
    commands = (_rabbitmq if kind == "amqp" else _mosquitto_commands)(folder, port, password)
    started = []
    record = folder / "broker.json"
    record.touch(mode=0o600)
    with (folder / "broker.log").open("wb") as log:
        for command, environment in commands:
            child = subprocess.Popen(
                [*_fewer_files(), *command],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            # The program that serves comes first in the record, as it is to be stopped first.
            started.insert(0, child)
            processes = [[child.pid, _start_time(child.pid)] for child in started]
            record.write_text(json.dumps({"url": url, "processes": processes}), encoding="utf-8")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and all(child.poll() is None for child in started):
        if answers(url):
            return url
        time.sleep(0.05)
    return None


def _rabbitmq(folder, port, password):
    """Write RabbitMQ's configuration; give the commands of its name server and of itself."""
    if not available("amqp"):
        sys.exit(
            "There is no RabbitMQ here. Install Debian's package rabbitmq-server, or give a broker's address in AMQP_URL."
        )
    names_port, nodes_port = _free_port(), _free_port()
    shutil.rmtree(folder / "rabbitmq", ignore_errors=True)  # a new node knows nothing of the old one's
    home = folder / "rabbitmq"
    home.mkdir(mode=0o700)
    _write_secret(
        home / "rabbitmq.conf",
        [
            f"listeners.tcp.1 = 127.0.0.1:{port}",
            f"default_user = {USER}",
            f"default_pass = {password}",
            "vm_memory_high_watermark.absolute = 256MiB",
            "disk_free_limit.absolute = 64MiB",
        ],
    )
    (home / "enabled_plugins").write_text("[].\n", encoding="utf-8")
    (home / "rabbitmq-env.conf").write_text("", encoding="utf-8")
    common = {
        **os.environ,
        "HOME": str(home),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names_port),
    }
    server = {
        **common,
        "RUNNING_UNDER_SYSTEMD": "true",  # its script then becomes the server instead of staying beside it
        "RABBITMQ_NODENAME": f"twin-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(nodes_port),
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
    }
    return [["epmd", "-port", str(names_port), "-address", "127.0.0.1"], common], [[RABBITMQ], server]


def _mosquitto_commands(folder, port, password):
    """Write mosquitto's configuration; give its command."""
    program = _mosquitto()
    if program is None:
        sys.exit(
            "There is no mosquitto here. Install Debian's package mosquitto, or give a broker's address in MQTT_URL."
        )
    _write_secret(folder / "passwords", [f"{USER}:{password}"])
    subprocess.run(["mosquitto_passwd", "-U", str(folder / "passwords")], check=True)
    _write_secret(
        folder / "mosquitto.conf",
        [
            f"listener {port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            "persistence false",
            "set_tcp_nodelay true",
            "user root",  # started by root, it would become another user, who cannot read the passwords
        ],
    )
    return [([program, "-c", str(folder / "mosquitto.conf")], None)]


def _mosquitto():
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _write_secret(path, lines):
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write("\n".join(lines) + "\n")


def _fewer_files():
    """Give the words before a command that limit its open files.

    Brokers reserve memory for as many as they might open, and in containers that is often a thousand million.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    return ["prlimit", f"--nofile={most}:{most}"]


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _start_time(pid):
    """Give when a process began, in clock ticks; None when it is gone. With the id it names just this process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _lives(process):
    pid, started = process
    return started is not None and _start_time(pid) == started


def _wait_until_gone(process, timeout_s):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if os.waitpid(process[0], os.WNOHANG)[0]:
                return
        except ChildProcessError:  # started by another phase
            if not _lives(process):
                return
        time.sleep(0.02)


def _last_words(folder):
    with contextlib.suppress(FileNotFoundError):
        return (folder / "broker.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    return ""
