"""Files that are not what they should be: JSON, archives, descriptions, binaries."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cosim.fmus import Plant, description

from cosim import FmuRefused, read_multimodel  # isort: skip
from cosim.fmu_files import find_fmu, open_fmu  # isort: skip
from cosim.json_files import FileRefused  # isort: skip

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"fmus": {},\n  "x" 1}', ["line 2, column 7"]),
        ('{"a": 1, "a": 2}', ["'a' stands twice"]),
        ('{"a": NaN}', ["NaN"]),
        ('{"a": 1e999}', ["too large"]),
        ('{"a": ' + "9" * 5_000 + "}", ["model.json"]),
        ("[" * 100_000, ["nested"]),
        ("[]", ["no JSON object"]),
        ("", ["line 1, column 1"]),
        ("\xff", ["UTF-8"]),
    ],
)
def test_json_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path, text: str, words: list[str]) -> None:
    """A missing comma in 300 lines is found by its line."""
    file = tmp_path / "model.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(FileRefused) as refused:
        read_multimodel(file)
    for word in words:
        assert word in str(refused.value)


def test_a_time_file_beside_the_model_is_found(two: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Twins of that world come as cosim.json and time.json."""
    content = two()
    del content["endTime"]
    (tmp_path / "cosim.json").write_text("\ufeff" + json.dumps(content))
    (tmp_path / "time.json").write_text('{"startTime": 1, "endTime": 5, "logVariables": {"{a}.p": ["y"]}}')
    for model in (
        read_multimodel(tmp_path / "cosim.json"),
        read_multimodel(tmp_path / "cosim.json", tmp_path / "time.json"),
    ):
        assert (model.start, model.end) == (1.0, 5.0)
        assert [str(address) for address in model.logged] == ["{a}.p.y"]


@pytest.mark.parametrize(
    "shape", ["A.fmu", "./A.fmu", "{folder}/A.fmu", "file://{folder}/A.fmu", "file:///{folder}/A.fmu"]
)
def test_an_fmu_is_found_by_path_and_by_file_address(fmu: Make, tmp_path: Path, shape: str) -> None:
    """All of these stand in files of that world."""
    made = fmu("A.fmu")
    assert find_fmu(shape.format(folder=tmp_path), [tmp_path]) == made


def test_an_address_with_encoded_signs_is_decoded(fmu: Make, tmp_path: Path) -> None:
    """A folder called 'digital twins' is %20 in an address."""
    made = fmu("my tank.fmu")
    assert find_fmu(f"file://{tmp_path}/my%20tank.fmu", [tmp_path]) == made


def test_a_missing_fmu_names_where_it_was_sought_and_its_neighbour(fmu: Make, tmp_path: Path) -> None:
    """Tank.fmu for tank.fmu is the usual mistake."""
    fmu("Tank.fmu")
    with pytest.raises(FmuRefused) as refused:
        find_fmu("tank.fmu", [tmp_path])
    assert "Did you mean 'Tank.fmu'?" in refused.value.fix
    with pytest.raises(FmuRefused, match="is not a file"):
        find_fmu("https://example.org/Tank.fmu", [tmp_path])


def test_a_folder_is_an_fmu_too(fmu: Make, tmp_path: Path) -> None:
    """Unpacked FMUs are kept under version control."""
    with zipfile.ZipFile(fmu()) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert open_fmu(tmp_path / "unpacked").identifier == "Plant"


def bad_description(text: str) -> dict[str, Any]:
    return {"instead": text.encode()}


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><fmiModelDescription fmiVersion="2.0">&b;</fmiModelDescription>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><fmiModelDescription fmiVersion="2.0">&a;</fmiModelDescription>'


@pytest.mark.parametrize(
    ("different", "words"),
    [
        (bad_description(BOMB), "document type"),
        (bad_description(OUTSIDE), "document type"),
        (bad_description("<fmiModelDescription"), "no XML"),
        (bad_description("<other/>"), "does not describe"),
        (bad_description(description(Plant()).replace('"2.0"', '"1.0"')), "FMI 1.0"),
        (bad_description(description(Plant()).replace('"2.0"', '"4.0"')), "FMI 4.0"),
        (
            bad_description(description(Plant()).replace('valueReference="3"', 'valueReference="three"')),
            "cannot be understood",
        ),
        ({"kind": "ModelExchange"}, "model exchange only"),
        ({"platform": "win64"}, "it has binaries for: win64"),
        ({"members": {"../evil": b"x"}}, "outside"),
        ({"members": {"/evil": b"x"}}, "outside"),
        ({"members": {"..\\evil": b"x"}}, "outside"),
        ({"members": {"C:/evil": b"x"}}, "outside"),
        ({"binary": "one", "members": {"binaries/linux64/two.so": b"x"}}, "binaries/linux64/one.so"),
        (bad_description(description(Plant(name="../../../evil"))), "no name"),
    ],
)
def test_what_is_no_fmu_for_here_is_refused_in_words(fmu: Make, different: dict[str, Any], words: str) -> None:
    """Files come from anywhere, and not all of them mean well."""
    with pytest.raises(FmuRefused) as refused:
        open_fmu(fmu(**different))
    assert words in refused.value.what
    assert refused.value.fix


@pytest.mark.parametrize("trap", ["packed", "pipe", "device"])
def test_an_fmu_without_end_is_refused_before_it_is_read(tmp_path: Path, trap: str) -> None:
    """`explore` looks at FMUs of strangers: a few kilobytes, or a link, filled the workspace's memory."""
    file = tmp_path / "x.fmu"
    if trap == "pipe":
        os.mkfifo(file)
    elif trap == "device":
        file.symlink_to("/dev/zero")
    else:
        packed = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        with packed as archive, archive.open("modelDescription.xml", "w") as description:
            for _ in range(65):
                description.write(bytes(1024 * 1024))
    with pytest.raises(FmuRefused, match="more than 64 MiB" if trap == "packed" else "pipe or device"):
        open_fmu(file)


def test_a_slightly_invalid_description_gives_a_warning_only(fmu: Make) -> None:
    """Many tools of that world export what the schema does not allow."""
    odd = description(Plant()).replace('modelName="Plant"', 'modelName="Plant" colour="blue"')
    found = open_fmu(fmu(**bad_description(odd)))
    assert "colour" in found.warnings[0].what
    assert found.variables["x"].causality == "output"


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + b"\0" * 40])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """A text called .fmu is a mistake that happens."""
    file = tmp_path / "x.fmu"
    file.write_bytes(content)
    with pytest.raises(FmuRefused, match="is no FMU"):
        open_fmu(file)


def test_an_archive_without_a_description_and_a_broken_one_are_refused(fmu: Make, tmp_path: Path) -> None:
    """A zip is not yet an FMU, and half a download is not one either."""
    with zipfile.ZipFile(tmp_path / "x.fmu", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FmuRefused, match=r"no modelDescription\.xml"):
        open_fmu(tmp_path / "x.fmu")
    whole = bytearray(fmu().read_bytes())
    whole[60:90] = b"\0" * 30
    (tmp_path / "y.fmu").write_bytes(whole)
    with pytest.raises(FmuRefused):
        open_fmu(tmp_path / "y.fmu")


@pytest.mark.parametrize("version", [2, 3])
def test_a_binary_named_after_the_file_is_taken(fmu: Make, cosim: Callable[..., Any], version: int) -> None:
    """FMUs renamed by hand or by tools run elsewhere, so they run here."""
    renamed = fmu("Renamed.fmu", version=version, binary="Renamed")
    model = {
        "fmus": {"{a}": str(renamed)},
        "logVariables": {"{a}.p": ["x"]},
        "algorithm": {"type": "fixed-step", "size": 0.1},
        "endTime": 1,
    }
    done = cosim("run", model)
    assert done.code == 0, done.err
    assert "Renamed.so, not Plant.so; it is taken" in done.err
