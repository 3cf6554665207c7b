"""What a twin needs is looked at where it really is: files, programs, sockets."""

import http.server
import json
import os
import shlex
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from time import monotonic

import pytest

from lifecycle.descriptor import Service
from lifecycle.errors import TwinNotFound
from lifecycle.explore import Finding, Found, explore_twin
from lifecycle.explore.network import explore_services, read_target
from lifecycle.explore.programs import explore_program, explore_tool
from lifecycle.places import Places


def about(places: Places, subject: str, name: str = "t") -> list[Finding]:
    return [finding for finding in explore_twin(places, name).findings if finding.subject == subject]


def one(places: Places, subject: str) -> Finding:
    [finding] = about(places, subject)
    return finding


def write(places: Places, path: str, content: str = "x") -> Path:
    file = places.workspace / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def test_a_twin_with_all_that_it_needs_is_ok(places: Places, make_twin) -> None:
    """People look at the last line: is everything there, or not."""
    write(places, "models/tank/tank.py")
    make_twin("t", execute="true", descriptor="uses: {models: [tank]}")
    report = explore_twin(places, "t")
    assert report.ok
    assert report.as_json()["ok"] is True
    assert {finding.subject for finding in report.findings} == {"twin.yaml", "phase execute", "models/tank"}


def test_a_bare_twin_needs_no_descriptor(places: Places, make_twin) -> None:
    """Twins written elsewhere have none."""
    make_twin("t", execute="true")
    assert explore_twin(places, "t").ok


def test_a_twin_that_is_not_there_is_refused(places: Places) -> None:
    """A mistyped name is no empty report."""
    with pytest.raises(TwinNotFound):
        explore_twin(places, "t")


def test_mistakes_in_the_descriptor_are_findings_and_the_rest_is_looked_at(places: Places, make_twin) -> None:
    """One slip must not hide that a model is missing."""
    make_twin("t", execute="true", descriptor="parameters: {a: {type: int}}\nuses: {models: [gone]}\ntitel: x")
    report = explore_twin(places, "t")
    levels = {finding.subject: finding.level for finding in report.findings}
    assert levels["twin.yaml:1:24"] is Found.MISSING
    assert levels["twin.yaml:3:1"] is Found.WARNING
    assert levels["models/gone"] is Found.MISSING
    assert not report.ok


def test_a_missing_asset_names_the_one_that_was_meant(places: Places, make_twin) -> None:
    """The remedy is the name to write."""
    write(places, "models/water-tank/a")
    write(places, "common/models/valve@1.1.fmu")
    make_twin("t", execute="", descriptor="uses: {models: [water-tnk, common/models/valve.fmu@1.2]}")
    assert "'water-tank'" in one(places, "models/water-tnk").fix
    assert "valve@1.1.fmu" in one(places, "common/models/valve.fmu@1.2").fix


def publish(places: Places, **files: str) -> Path:
    """Write a version as the library does: the folder, and its record."""
    folder = places.workspace / "common/models/valve@1.2"
    for name, text in files.items():
        write(places, f"common/models/valve@1.2/{name}", text)
    listed = [{"path": n, "size": len(t), "sha256": sha256(t.encode()).hexdigest()} for n, t in files.items()]
    record = {"path": "common/models/valve@1.2", "version": "1.2", "by": "ada", "files": listed}
    write(places, "common/models/.published/valve@1.2.json", json.dumps(record))
    return folder


USES_VALVE = "uses: {models: [common/models/valve@1.2]}"


def test_a_published_version_is_compared_with_its_record(places: Places, make_twin) -> None:
    """Whoever names version 1.2 wants what was published as such."""
    publish(places, a="one", b="two")
    make_twin("t", execute="", descriptor=USES_VALVE)
    assert "published by ada; 2 files, checksums as published" in one(places, "common/models/valve@1.2").what


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "a").write_text("eno"), "a was changed"),
        (lambda folder: (folder / "a").unlink(), "a is gone"),
        (lambda folder: (folder / "c").touch(), "c was added"),
        (lambda folder: ((folder / "a").unlink(), (folder / "a").symlink_to("b")), "a was changed"),
    ],
)
def test_a_version_that_was_changed_is_not_that_version(places: Places, make_twin, change, words: str) -> None:
    """Results that nobody can repeat begin like this."""
    folder = publish(places, a="one", b="one")
    make_twin("t", execute="", descriptor=USES_VALVE)
    change(folder)
    finding = one(places, "common/models/valve@1.2")
    assert finding.level is Found.MISSING
    assert words in finding.what


@pytest.mark.parametrize(
    "record", ["", "[]", '{"path": "common/models/valve@1.2"}', "[" * 100_000, '{"path": "x", "files": 3}']
)
def test_a_record_that_is_none_is_said_so(places: Places, make_twin, record: str) -> None:
    """Anybody who may write to common could have put it there."""
    publish(places, a="one")
    write(places, "common/models/.published/valve@1.2.json", record)
    make_twin("t", execute="", descriptor=USES_VALVE)
    assert one(places, "common/models/valve@1.2").level is Found.WARNING


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"#!/usr/bin/env python3\r\nprint(1)\r\n", 0o755, r"sed -i 's/\r$//'"),
        (b"\xef\xbb\xbf#!/bin/sh\n", 0o755, "byte-order mark"),
        (b"#!/usr/bin/env no-such-language\n", 0o755, "no-such-language"),
        (b"#!/no/such/python\n", 0o755, "/no/such/python"),
        (b"#!python3\n", 0o755, "#!/usr/bin/env python3"),
        (b"print(1)\n", 0o755, "does not name an interpreter"),
        (b"#!\n", 0o755, "no interpreter after"),
        (b"#!" + b"x" * 300, 0o755, "too long"),
        (b"", 0o755, "empty"),
        (b"#!/bin/sh\n", 0o644, "chmod +x"),
    ],
)
def test_a_program_that_cannot_start_says_why_and_how_to_mend_it(
    tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    """'No such file or directory' for a file that is there has cost everybody an hour once."""
    program = tmp_path / "execute"
    program.write_bytes(content)
    program.chmod(mode)
    finding = explore_program(program, "phase execute")
    assert finding.level is Found.MISSING
    assert words in f"{finding.what} {finding.fix}"


@pytest.mark.parametrize(
    "line", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env python3", "#!/usr/bin/env -S A=1 python3 -u"]
)
def test_a_program_that_starts_is_ok(tmp_path: Path, line: str) -> None:
    """No false alarms: all of these do run."""
    program = tmp_path / "execute"
    program.write_text(f"{line}\n")
    program.chmod(0o755)
    assert explore_program(program, "").level is Found.OK


def test_tools_are_programs_packages_or_archives(tmp_path: Path) -> None:
    """A Java archive is started by Java, so that is what must be there."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").touch()
    assert explore_tool(tmp_path / "folder", "").level is Found.WARNING
    shutil.copy("/bin/true", tmp_path / "folder" / "tool")
    assert explore_tool(tmp_path / "folder", "").level is Found.OK
    (tmp_path / "maestro.jar").touch()
    expected = Found.OK if shutil.which("java") else Found.MISSING
    assert explore_tool(tmp_path / "maestro.jar", "").level is expected


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        status = int(self.path.strip("/") or 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def web() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("kind", "path", "level", "words"),
    [
        ("tcp", "", Found.OK, "accepts connections"),
        ("http", "/", Found.OK, "answers 200"),
        ("http", "/302", Found.OK, "answers 302"),
        ("http", "/404", Found.OK, "answers 404"),
        ("http", "/503", Found.MISSING, "answers 503"),
    ],
)
def test_a_service_is_really_asked(web: str, kind: str, path: str, level: Found, words: str) -> None:
    """A redirect is an answer: where it leads to is nobody's address in the descriptor."""
    [finding] = explore_services([Service("s", kind, f"{web}{path}")])
    assert (finding.subject, finding.level) == ("service s", level)
    assert web in finding.what
    assert words in finding.what


def test_services_that_do_not_answer_take_two_seconds_together() -> None:
    """Ten dead brokers must not cost twenty seconds."""
    with closing(socket.socket()) as silent, closing(socket.socket()) as taken:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # accepts and never says a word
        taken.bind(("127.0.0.1", 0))  # does not listen
        quiet = f"127.0.0.1:{silent.getsockname()[1]}"
        refused = f"127.0.0.1:{taken.getsockname()[1]}"
        begun = monotonic()
        found = explore_services([Service(str(n), "http", quiet) for n in range(10)] + [Service("r", "amqp", refused)])
        assert monotonic() - begun < 6  # generous: 11 one after another would be over 20
    assert all(finding.level is Found.MISSING for finding in found)
    assert "no answer within 2 s" in found[0].what
    assert f"{refused} cannot be reached: connection refused" in found[-1].what


@pytest.mark.parametrize(
    ("service", "shown"),
    [
        (Service("b", "amqp", "broker"), "broker:5672"),
        (Service("b", "mqtt", "mqtt://broker:1884/x"), "broker:1884"),
        (Service("b", "opcua", "opc.tcp://plant"), "plant:4840"),
        (Service("b", "tcp", "[::1]:99"), "[::1]:99"),
        (Service("b", "tcp", "broker"), None),
        (Service("b", "http", "host:99999"), None),
        (Service("b", "http", "http://a b/"), None),
        (Service("b", "http", "http://[::1"), None),
        (Service("b", "tcp", "x" * 400 + ":1"), None),
    ],
)
def test_addresses_are_read_as_people_write_them(service: Service, shown: str | None) -> None:
    """And what is none is said to be none."""
    target = read_target(service)
    assert (None if target is None else str(target)) == shown


def test_a_port_that_is_taken_is_missing_unless_the_twin_itself_runs(places: Places, make_twin, runs) -> None:
    """Two dashboards on one port: the second one dies at its start."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        make_twin("t", execute="sleep 60", descriptor=f"ports: {{page: {{port: {number}}}}}")
        assert one(places, "port page").level is Found.MISSING
        runs.start("t", "execute")
        assert one(places, "port page").level is Found.OK


def test_words_from_other_peoples_files_do_not_command_the_terminal(places: Places, make_twin) -> None:
    """A file name may hold escape sequences."""
    publish(places, a="one")
    write(places, "common/models/valve@1.2/\x1b]0;pwned\x07")
    make_twin("t", execute="", descriptor=USES_VALVE)
    assert "\x1b" not in one(places, "common/models/valve@1.2").what


@pytest.mark.parametrize("trap", ["pipe", "device"])
def test_a_record_that_never_ends_holds_up_nobody(places: Places, make_twin, trap: str) -> None:
    """Everybody may write to `common`: a pipe there held up for ever, a link to /dev/zero filled the memory."""
    write(places, "common/data/tank@1.0/a.csv")
    record = places.workspace / "common/data/.published/tank@1.0.json"
    record.parent.mkdir()
    if trap == "pipe":
        os.mkfifo(record)
    else:
        record.symlink_to("/dev/zero")
    make_twin("t", execute="true", descriptor="uses: {data: [common/data/tank@1.0]}")
    assert one(places, "common/data/tank@1.0").level is Found.WARNING


def test_what_is_to_be_typed_runs_nothing_that_a_name_says(tmp_path: Path) -> None:
    """Names of files come from strangers, and people copy the remedy into a terminal."""
    program = tmp_path / "a'; touch pwned; '"
    program.write_text("#!/bin/sh\n")
    fix = explore_program(program, "p").fix
    assert shlex.split(fix.partition(": ")[2]) == ["chmod", "+x", str(program)]
