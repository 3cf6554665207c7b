"""FMUs and their connections, looked at without running anything."""

import json
import os
import platform
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from lifecycle.explore import Found, explore_twin
from lifecycle.explore.fmu import FmuUnreadable, read_fmu
from lifecycle.places import Places

HERE = {"x86_64": "linux64", "aarch64": "aarch64-linux"}[platform.machine()]
XML = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="Tank" guid="g">
  <CoSimulation modelIdentifier="Tank"/>
  <DefaultExperiment stopTime="30" stepSize="0.1"/>
  <ModelVariables>
    <ScalarVariable name="valve" valueReference="0" causality="input"><Boolean start="false"/></ScalarVariable>
    <ScalarVariable name="level" valueReference="1" causality="output"><Real unit="m"/></ScalarVariable>
    <ScalarVariable name="area" valueReference="2" causality="parameter"><Real unit="m2" start="9.3"/></ScalarVariable>
  </ModelVariables>
</fmiModelDescription>"""
XML3 = """<fmiModelDescription fmiVersion="3.0" modelName="Tank" instantiationToken="g">
  <CoSimulation modelIdentifier="Tank"/>
  <ModelVariables><Float64 name="level" valueReference="1" causality="output" unit="m"/></ModelVariables>
</fmiModelDescription>"""


def pack(file: Path, xml: str = XML, *others: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("modelDescription.xml", xml)
        for name in others:
            archive.writestr(name, "")
    return file


def test_an_fmu_tells_its_variables_and_binaries(tmp_path: Path) -> None:
    """Connections are made from these."""
    fmu = read_fmu(pack(tmp_path / "Tank.fmu", XML, f"binaries/{HERE}/Tank.so"))
    assert (fmu.version, fmu.kinds, fmu.binary) == ("2.0", {"CoSimulation": "Tank"}, f"{HERE}/Tank.so")
    assert (fmu.experiment.stop, fmu.experiment.step) == (30, 0.1)
    assert [(one.name, one.causality, one.type, one.unit, one.start) for one in fmu.variables] == [
        ("valve", "input", "Boolean", "", "false"),
        ("level", "output", "Real", "m", None),
        ("area", "parameter", "Real", "m2", "9.3"),
    ]
    [level] = read_fmu(pack(tmp_path / "Tank3.fmu", XML3)).variables
    assert (level.type, level.unit) == ("Float64", "m")


@pytest.mark.parametrize(
    ("xml", "members", "level", "words"),
    [
        (XML, (f"binaries/{HERE}/Tank.so",), Found.OK, "FMI 2.0, 1 inputs, 1 outputs"),
        (XML, (f"binaries/{HERE}/file.so", f"binaries/{HERE}/help.so"), Found.OK, "file.so"),
        (XML, (f"binaries/{HERE}/odd.so",), Found.OK, "odd.so"),
        (XML, ("binaries/win64/Tank.dll",), Found.MISSING, "there are: win64"),
        (XML, ("sources/all.c",), Found.MISSING, "holds sources and no binary"),
        (XML.replace("CoSimulation", "ModelExchange"), (), Found.WARNING, "model exchange only"),
        (XML.replace('fmiVersion="2.0"', 'fmiVersion="1.0"'), (), Found.WARNING, "FMI 1.0"),
        ("<a/>", (), Found.MISSING, "not of FMI"),
        ("<a", (), Found.MISSING, "line 1"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', (), Found.MISSING, "document type"),
        ("<fmiModelDescription fmiVersion='2.0'>" + "<a>" * 100_000, (), Found.MISSING, "nested too deeply"),
        ("<fmiModelDescription x='" + "x" * 3_000_000 + "'/>", (), Found.MISSING, "tag of more than 1 MB"),
        ("<a>" + " " * 21 * 1024**2 + "</a>", (), Found.MISSING, "larger than 20 MB"),
        (XML, ("modelDescription.xml",), Found.MISSING, "more than one"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_each_fmu_of_a_used_model_is_looked_at(
    places: Places, make_twin, xml: str, members: tuple[str, ...], *, level: Found, words: str
) -> None:
    """A binary for another system, or a file made to hurt, is found before a run stumbles over it."""
    pack(places.workspace / "models/tank/file.fmu", xml, *members)
    make_twin("t", execute="", descriptor="uses: {models: [tank]}")
    [finding] = [one for one in explore_twin(places, "t").findings if one.subject.endswith(".fmu")]
    assert finding.level is level
    assert words in finding.what


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + b"\xff" * 18])
def test_a_file_that_is_no_zip_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """Uploads break off."""
    file = tmp_path / "a.fmu"
    file.write_bytes(content)
    with pytest.raises(FmuUnreadable):
        read_fmu(file)


def test_every_cut_of_an_fmu_is_read_or_refused(tmp_path: Path) -> None:
    """No byte of a stranger's archive may end in a traceback."""
    whole = pack(tmp_path / "whole.fmu").read_bytes()
    cut = tmp_path / "cut.fmu"
    for place in range(0, len(whole), 7):
        cut.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(FmuUnreadable):
            read_fmu(cut)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a command named cosim first on the path: a program of its own that answers as told."""

    def put(answer: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "cosim").write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'check --json' ] && cat <<'END'\n{answer}\nEND\n")
        (folder / "cosim").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return put


def findings(places: Places, make_twin, descriptor: str | None = None) -> list[tuple[Found, str]]:
    folder = make_twin("t", execute="", descriptor=descriptor)
    (folder / "cosim.json").write_text("{}")
    report = explore_twin(places, "t")
    return [(one.level, one.what) for one in report.findings if one.subject == "co-simulation"]


def test_what_the_co_simulation_tool_finds_is_passed_on(places: Places, make_twin, tool) -> None:
    """It knows causality, types and units; one report is enough for people."""
    problems = [
        {"what": "no such variable", "fix": "f", "level": "error"},
        {"what": "units", "fix": "f", "level": "warning"},
    ]
    tool(json.dumps({"ok": False, "problems": problems}))
    assert findings(places, make_twin) == [(Found.MISSING, "no such variable"), (Found.WARNING, "units")]


@pytest.mark.parametrize("answer", ["", "Traceback", "[]", '{"ok": true}', '{"problems": 3}', "[" * 100_000])
def test_a_tool_that_says_nothing_sensible_is_no_success(places: Places, make_twin, tool, answer: str) -> None:
    """'Not checked' must never look like 'all is well'."""
    tool(answer)
    [(level, what)] = findings(places, make_twin)
    assert level is Found.WARNING
    assert "were not checked" in what


def test_without_the_tool_it_is_said_that_nothing_was_checked(
    places: Places, make_twin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Workspaces with an image of their own may lack it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    [(_, what)] = findings(places, make_twin)
    assert "no cosim on this machine" in what


def test_a_model_file_that_the_descriptor_names_has_to_be_there(places: Places, make_twin) -> None:
    """The run would end with the same words, after minutes."""
    assert findings(places, make_twin, "cosimulation: {model: other.json}")[0][0] is Found.MISSING
