"""Descriptors as values: what is written is what a run gets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle.descriptor import Descriptor, DescriptorInvalid, Use, read_descriptor, values_of
from lifecycle.descriptor.models import Cosimulation, PhaseSettings, Port, Service
from lifecycle.models import Phase
from lifecycle.places import Places

ROOT = Path(__file__).parents[4]
WHOLE = """\
title: Water tank          # for people
description: It fills and leaks.
picture: tank.png
uses:
  models: [water-tank, common/models/valve@1.2, {path: common/models/pump, version: 1.10}]
  data:
    - weather.csv
parameters:
  level: {type: real, unit: m, default: 1, range: [0, 5], description: At the start}
  steps: {type: integer, default: 100, range: [1, null]}
  fast: {type: boolean, default: true}
  mode:
    type: string
    choices: [calm, wild]
    default: calm
phases:
  execute: {arguments: [--fast, 3], time_limit: 10 min, memory_limit: 1.5 GiB}
  analyse: {time_limit: 90}
services: {broker: {type: amqp, address: "localhost:5672"}}
ports: {dashboard: {port: 8050, protocol: http, description: Live}}
cosimulation: {model: models/cosim.json, time: time.json}
"""


def read(folder: Path, text: str | bytes) -> Descriptor:
    (folder / "twin.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_descriptor(folder)


def test_everything_that_a_descriptor_may_say_is_read(tmp_path: Path) -> None:
    """The page's form, the runs and the picture of the composition are made from these values."""
    found = read(tmp_path, WHOLE)
    assert (found.title, found.description, found.picture) == ("Water tank", "It fills and leaks.", "tank.png")
    assert found.uses == (
        Use("data", "weather.csv"),
        Use("models", "water-tank"),
        Use("models", "common/models/valve", "1.2"),
        Use("models", "common/models/pump", "1.10"),
    )
    assert found.settings(Phase.EXECUTE) == PhaseSettings(("--fast", "3"), 600.0, 3 * 2**29)
    assert found.settings(Phase.ANALYZE).time_limit_s == 90
    assert found.settings(Phase.CLEAN) == PhaseSettings()
    assert found.services == (Service("broker", "amqp", "localhost:5672"),)
    assert found.ports == (Port("dashboard", 8050, "http", "Live"),)
    assert found.cosimulation == Cosimulation("models/cosim.json", "time.json")
    assert values_of(found, {"level": "2.5 m"}) == {"level": 2.5, "steps": 100, "fast": True, "mode": "calm"}


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "---\n", "title:\nuses:\nparameters:\nphases:\n"])
def test_a_twin_without_a_descriptor_or_with_an_empty_one_has_the_usual_values(
    tmp_path: Path, text: str | None
) -> None:
    """Bare scripts run without one, and people begin with an empty file."""
    assert (read_descriptor(tmp_path) if text is None else read(tmp_path, text)) == Descriptor()


@pytest.mark.parametrize("extra", [b"\xef\xbb\xbf" + WHOLE.encode(), WHOLE.replace("\n", "\r\n").encode()])
def test_a_file_saved_on_windows_says_the_same(tmp_path: Path, extra: bytes) -> None:
    """Editors there write a byte-order mark and CRLF."""
    assert read(tmp_path, extra) == read(tmp_path, WHOLE)


def test_the_first_error_is_named_with_line_and_column_and_how_many_follow(tmp_path: Path) -> None:
    """Whoever starts a run must find the slip without counting brackets."""
    text = "title: T\nparameters:\n  level: {type: real, default: 7, range: [0, 5]}\n  x: {}\n"
    with pytest.raises(DescriptorInvalid, match=r"twin.yaml, line 3, column 32: The default '7' .* 0 to 5.*1 more"):
        read(tmp_path, text)


def test_a_use_is_the_file_or_folder_that_the_library_published(tmp_path: Path) -> None:
    """A version of a file stands before its ending: valve@1.2.fmu."""
    places = Places(tmp_path, tmp_path / "runs")
    published = tmp_path / "common" / "models" / "valve@1.2.fmu"
    published.parent.mkdir(parents=True)
    published.touch()
    use = Use("models", "common/models/valve.fmu", "1.2")
    assert use.place(places) == published
    assert use.as_json(places)["place"] == "common/models/valve@1.2.fmu"
    assert Use("models", "tank").place(places) == tmp_path / "models" / "tank"
    assert Use("models", "models/tank").place(places) == tmp_path / "models" / "tank"
    assert not Use("models", "common/models/valve.fmu", "2").as_json(places)["there"]


def test_reading_for_a_run_imports_no_schema_validator(tmp_path: Path) -> None:
    """`twin run` stands in loops: what it imports is what it costs."""
    (tmp_path / "twin.yaml").write_text(WHOLE)
    code = (
        "import sys, pathlib\nfrom lifecycle.descriptor import read_descriptor\n"
        "read_descriptor(pathlib.Path('nowhere'))\nassert 'yaml' not in sys.modules\n"
        f"read_descriptor(pathlib.Path({str(tmp_path)!r}))\n"
        "heavy = {'jsonschema', 'asyncio', 'tornado', 'difflib', 'http'} & {*sys.modules}\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("place", ["folder", "pipe", "loop"])
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path, place: str) -> None:
    """A pipe without a writer would hold a server's thread for ever."""
    file = tmp_path / "twin.yaml"
    {"folder": file.mkdir, "pipe": lambda: os.mkfifo(file), "loop": lambda: file.symlink_to(file)}[place]()
    with pytest.raises(DescriptorInvalid, match="It is no file"):
        read_descriptor(tmp_path)


@pytest.mark.parametrize(
    ("data", "place"), [(b"title: \xff", (1, 8)), ("title: é\n# ü \udcff".encode("utf-8", "surrogateescape"), (2, 5))]
)
def test_what_is_no_utf_8_is_refused_where_it_stands(tmp_path: Path, data: bytes, place: tuple[int, int]) -> None:
    """Old editors write other encodings; guessing would change names."""
    with pytest.raises(DescriptorInvalid) as refused:
        read(tmp_path, data)
    assert (refused.value.problems[0].line, refused.value.problems[0].column) == place


def test_a_descriptor_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """It is read at each start, by the server too."""
    with pytest.raises(DescriptorInvalid, match="larger than 256 KiB"):
        read(tmp_path, b"#" * 300_000)
