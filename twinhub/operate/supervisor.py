"""Run the platform's processes under supervisord, which brings back any that dies.

supervisord is used everywhere. Where systemd runs, one unit of ours keeps
supervisord itself alive and starts it at boot; see systemd.py.
"""

from __future__ import annotations

import configparser
import io
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from supervisor.xmlrpc import SupervisorTransport

from twinhub.errors import PublicError
from twinhub.operate.programs import ONCE, Program
from twinhub.places import Places

MARK: Final = "TWINHUB_PART_OF"
"""Environment variable by which processes of an installation are recognised, whoever their parent is."""

LONGEST_STOP_S: Final = 60.0
"""supervisord kills what has not ended after its own time, which is shorter for each."""

LONGEST_SOCKET_PATH: Final = 100
"""Linux ends a socket's address after 107 bytes; supervisord adds its process id while it starts."""


class SupervisorUnreachable(PublicError):
    """supervisord does not run or does not answer."""

    code = "supervisor"
    status = 500


@dataclass(frozen=True)
class ProcessState:
    """What supervisord knows of one process."""

    name: str
    state: str
    pid: int
    up_s: int
    well: bool
    """It runs, or has nothing left to do."""

    @property
    def word(self) -> str:
        """Say the state in one word."""
        return "finished" if self.well and self.state != "RUNNING" else self.state.lower()


class Supervisor:
    """Speak with the supervisord of one installation."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._socket = places.run / "supervisor.sock"
        self._config = places.run / "supervisord.conf"
        self._pid_file = places.run / "supervisord.pid"

    # --- supervisord itself -----------------------------------------------------

    @property
    def command(self) -> list[str]:
        """The command line that runs supervisord in the foreground."""
        return [sys.executable, "-m", "twinhub.operate.supervising", "-n", "-c", str(self._config)]

    def running(self) -> bool:
        """Tell whether supervisord answers."""
        try:
            self._call("getState")
        except SupervisorUnreachable:
            return False
        return True

    def ensure_running(self, programs: Iterable[Program]) -> None:
        """Start supervisord unless it runs; end what an earlier one left behind first."""
        if self.running():
            return
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise SupervisorUnreachable(
                f"The address of the socket {self._socket} is too long for Linux.", "Choose a shorter --data-dir."
            )
        self.end_orphans()
        self.write(programs)
        with (self._places.log / "supervisord.out").open("ab") as out:
            subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
                env=_clean_environment(),
            )
        self.wait_until_running()

    def wait_until_running(self, timeout_s: float = 15.0) -> None:
        """Return when supervisord answers; raises SupervisorUnreachable."""
        deadline = time.monotonic() + timeout_s
        while not self.running():
            if time.monotonic() > deadline:
                raise SupervisorUnreachable(
                    "supervisord did not start.", f"Its own words are in {self._places.log / 'supervisord.out'}."
                )
            time.sleep(0.1)

    def shut_down(self) -> None:
        """Stop every process and supervisord; return when nothing of it is left."""
        if self.running():
            pid = self.pid()
            self._call("shutdown")
            _wait_for_end([pid], timeout_s=60)
        self.end_orphans()

    def end_orphans(self) -> None:
        """End processes whose supervisord was killed: nobody would restart them, and they hold the ports."""
        pids = self.orphans()
        for sign, patience_s in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            for pid in pids:
                _signal(pid, sign)
            pids = _wait_for_end(pids, timeout_s=patience_s)

    def orphans(self) -> list[int]:
        """Give the processes of this installation, as found by their environment."""
        return [pid for pid in _marked(self._places) if pid != os.getpid()]

    # --- the programs -------------------------------------------------------------

    def write(self, programs: Iterable[Program]) -> None:
        """Write supervisord's configuration."""
        text = render(self._places, programs)
        part = self._config.with_suffix(".part")
        part.write_text(text)
        part.chmod(0o600)
        part.rename(self._config)

    def apply(self, programs: Iterable[Program]) -> list[str]:
        """Make the running processes those given; name what was started, restarted or stopped."""
        programs = list(programs)
        self.write(programs)
        added, changed, removed = self._call("reloadConfig")[0]
        self._end_groups([*removed, *changed])
        for name in (*added, *changed):
            self._call("addProcessGroup", name)
        idle = {program.name for program in programs if program.once and not program.due}
        for state in self.states():
            if state.state in ("STOPPED", "EXITED", "FATAL") and state.name not in idle:
                self._call("startProcess", state.name, False)
                added.append(state.name)
        return [*added, *changed, *removed]

    def _end_groups(self, names: list[str]) -> None:
        """Stop processes, all at once as each takes a second or more to be noticed, and forget them."""
        for name in names:
            self._call("stopProcessGroup", name, False)
        deadline = time.monotonic() + LONGEST_STOP_S
        while any(state.pid for state in self.states() if state.name in names):
            if time.monotonic() > deadline:
                break  # removing it says which one
            time.sleep(0.05)
        for name in names:
            self._call("removeProcessGroup", name)

    def restart(self, name: str) -> None:
        """Stop and start one process."""
        self._call("stopProcess", name)
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one process, where it runs."""
        if self.running() and any(state.name == name and state.pid for state in self.states()):
            self._call("stopProcess", name)

    def pid(self) -> int:
        """Give supervisord's own process id."""
        return int(self._call("getPID"))

    def states(self) -> list[ProcessState]:
        """Give every process with its state."""
        return [
            ProcessState(
                row["name"],
                row["statename"],
                row["pid"],
                row["now"] - row["start"] if row["statename"] == "RUNNING" else 0,
                row["statename"] == "RUNNING" or (row["name"] in ONCE and _has_ended_well(row)),
            )
            for row in self._call("getAllProcessInfo")
        ]

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return cast(Any, getattr(proxy.supervisor, method)(*arguments))
        except xmlrpc.client.Fault as error:
            raise SupervisorUnreachable(
                f"supervisord refused '{method}': {error.faultString}.", "'twinhub logs supervisord' tells more."
            ) from error
        except (OSError, xmlrpc.client.Error) as error:
            raise SupervisorUnreachable("The platform does not run.", "Start it with 'twinhub up'.") from error
        finally:
            transport.close()


def _has_ended_well(row: dict[str, Any]) -> bool:
    return row["statename"] in ("EXITED", "STOPPED") and row["exitstatus"] == 0


def render(places: Places, programs: Iterable[Program]) -> str:
    """Give supervisord's configuration; it holds no secret."""
    parser = configparser.RawConfigParser()
    parser["unix_http_server"] = {"file": str(places.run / "supervisor.sock"), "chmod": "0600"}
    parser["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    parser["supervisord"] = {
        "logfile": str(places.log / "supervisord.log"),
        "logfile_maxbytes": "10MB",
        "logfile_backups": "3",
        # It would say everything twice, the second time into a file that it never turns over.
        "silent": "true",
        "pidfile": str(places.run / "supervisord.pid"),
        "childlogdir": str(places.log),
        "umask": "022",
        "minfds": "1024",
        **({"user": "root"} if os.getuid() == 0 else {}),
    }
    for program in programs:
        mark = {} if program.holds_workspaces else {MARK: str(places.data_dir)}
        environment = {**program.environment, **mark}
        parser[f"program:{program.name}"] = {
            "command": " ".join(_quote(word) for word in program.command),
            "directory": "/",
            "environment": ",".join(f'{name}="{_escape(value)}"' for name, value in sorted(environment.items())),
            "priority": str(program.priority),
            "autorestart": "unexpected" if program.once else "true",
            "startsecs": "0" if program.once else "1",
            "stopasgroup": "true" if program.once else "false",
            # supervisord waits one second more after every failed start; give up practically never.
            "startretries": "100000",
            "stopwaitsecs": str(program.stop_wait_s),
            "killasgroup": "false" if program.holds_workspaces else "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(places.log / f"{program.name}.log"),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "3",
        }
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _quote(word: str) -> str:
    """Quote for supervisord, which splits like a shell and expands percent signs."""
    escaped = word.replace("%", "%%")
    if any(character in escaped for character in " \t\"'\\;"):
        return "'" + escaped.replace("'", "'\"'\"'") + "'"
    return escaped


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _clean_environment() -> dict[str, str]:
    """Pass on what programs need of the shell's environment, so that none of its secrets ends in a service."""
    keep = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HOME")
    return {name: os.environ[name] for name in keep if name in os.environ}


def _marked(places: Places) -> list[int]:
    """Find processes of this installation by their environment."""
    mark = f"{MARK}={places.data_dir}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # it ended meanwhile, or is another account's
    return found


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _wait_for_end(pids: list[int], *, timeout_s: float) -> list[int]:
    """Wait for processes to end; give those that are still there."""
    deadline = time.monotonic() + timeout_s
    while True:
        pids = [pid for pid in pids if _alive(pid)]
        if not pids or time.monotonic() > deadline:
            return pids
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
