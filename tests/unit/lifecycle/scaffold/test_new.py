"""New twins run as they are made; nothing that was there is touched."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import yaml
from click.testing import CliRunner
from scipy.linalg import expm

from lifecycle.cli import main
from lifecycle.descriptor import check_text, read_descriptor
from lifecycle.errors import BadRequest, TwinError
from lifecycle.explore import explore_twin
from lifecycle.models import Phase
from lifecycle.places import Places
from lifecycle.scaffold import (
    AssetRefused,
    AssetsDiffer,
    ExampleNotFound,
    NameRefused,
    NotMade,
    TwinExists,
    list_examples,
    new_twin,
)

ROOT = Path(__file__).parents[4]
MODELS = ROOT / "examples/mass-spring-damper/models/mass-spring-damper"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs find Python, this_twin and cosim as in a workspace; examples are those of a folder of the test's own."""
    examples = tmp_path / "examples"
    monkeypatch.setenv("TWINHUB_EXAMPLES", str(examples))
    monkeypatch.setenv("TWINHUB_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("TWINHUB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'workspace-image/this_twin'}:{ROOT / 'tools/cosim'}")
    return examples


def run(places: Places, name: str, phase: str) -> str:
    """Run a phase's program as somebody would by hand."""
    done = subprocess.run([f"lifecycle/{phase}"], cwd=places.twins / name, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(places: Places, name: str) -> list[dict[str, str]]:
    with (places.outputs(name) / "outputs.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_twin_from_nothing_runs_analyses_and_cleans(places: Places) -> None:
    """The first thing that a new user makes must work, and be right: half of the heat is gone after tau ln 2."""
    twin = new_twin(places, "cup", title='My "cup": hot')
    assert twin.title == 'My "cup": hot'
    assert check_text((twin.path / "twin.yaml").read_text()) == []
    assert explore_twin(places, "cup").ok
    assert "100.0 %" in run(places, "cup", "execute")
    found = rows(places, "cup")
    assert float(found[0]["temperature"]) == 80
    assert float(found[-1]["temperature"]) == pytest.approx(20 + 60 * 2.718281828 ** (-3600 / 600))
    assert "temperature: from" in run(places, "cup", "analyze")
    assert (places.outputs("cup") / "plot.png").read_bytes().startswith(b"\x89PNG")
    run(places, "cup", "clean")
    assert not list(places.outputs("cup").iterdir())


@pytest.fixture
def fmus(places: Places) -> Path:
    """Two real FMUs that fit together, made from the example's sources."""
    folder = places.workspace / "models" / "masses"
    shutil.copytree(MODELS, folder)
    names = ["oscillator.py"]
    for source in ("mass1.py", "mass2.py"):
        command = [sys.executable, "-m", "pythonfmu", "build", "-f", source, "-d", ".", *names]
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def test_fmus_are_connected_where_there_can_be_no_doubt_and_run(places: Places, fmus: Path) -> None:
    """Two masses: x1 and v1 one way, the force back; the result is that of the example."""
    twin = new_twin(places, "masses-2", assets=["models/masses/Mass1.fmu", "models/masses/Mass2.fmu"])
    model = json.loads((twin.path / "cosim.json").read_text())
    assert model["connections"] == {
        "{Mass2}.Mass2.fk": ["{Mass1}.Mass1.fk"],
        "{Mass1}.Mass1.x1": ["{Mass2}.Mass2.x1"],
        "{Mass1}.Mass1.v1": ["{Mass2}.Mass2.v1"],
    }
    assert model["logVariables"] == {"{Mass1}.Mass1": ["x1", "v1"], "{Mass2}.Mass2": ["x2", "v2", "fk"]}
    assert read_descriptor(twin.path).parameters["Mass1.m1"].default == 1.0
    run(places, "masses-2", "execute")
    found = rows(places, "masses-2")
    assert len(found) == 1001
    coupled = numpy.array([[0, 1, 0, 0], [-2, -2, 1, 1], [0, 0, 0, 1], [1, 1, -2, -2]])  # x1, v1, x2, v2; all values 1
    exact = expm(coupled * float(found[200]["time"])) @ [1, 0, 0, 0]
    names = ("{Mass1}.Mass1.x1", "{Mass1}.Mass1.v1", "{Mass2}.Mass2.x2", "{Mass2}.Mass2.v2")
    assert [float(found[200][name]) for name in names] == pytest.approx(exact, abs=5e-3)


def test_parameters_of_a_run_reach_the_fmus(places: Places, fmus: Path, tmp_path: Path) -> None:
    """A form whose fields change nothing would be worse than none."""
    new_twin(places, "masses-2", assets=["models/masses"])
    run(places, "masses-2", "execute")
    before = rows(places, "masses-2")[-1]
    descriptor = places.twins / "masses-2" / "twin.yaml"
    descriptor.write_text(
        descriptor.read_text().replace("Mass1.m1: {type: real, default: 1.0}", "Mass1.m1: {type: real, default: 5.0}")
    )
    run(places, "masses-2", "execute")
    assert rows(places, "masses-2")[-1] != before


def test_a_python_program_is_run_where_its_outputs_belong(places: Places) -> None:
    """It may ask this_twin for its facts, though it stands elsewhere."""
    program = places.workspace / "functions" / "my tool" / "count.py"
    program.parent.mkdir(parents=True)
    (program.parent / "beside.py").write_text("WORD = 'beside'\n")
    program.write_text("import beside, this_twin\nopen('out.txt', 'w').write(beside.WORD + this_twin.outputs().name)\n")
    new_twin(places, "t", assets=["functions/my tool/count.py"])
    assert explore_twin(places, "t").ok
    run(places, "t", "execute")
    assert (places.outputs("t") / "out.txt").read_text() == "besidet"


def test_a_table_is_used_and_read(places: Places) -> None:
    """Data measured elsewhere is where many twins begin."""
    table = places.workspace / "common" / "data" / "weather@1.csv"
    table.parent.mkdir(parents=True)
    table.write_text("time,wind\n0,3\n1,5\n")
    twin = new_twin(places, "t", assets=["common/data/weather@1.csv"])
    assert yaml.safe_load((twin.path / "twin.yaml").read_text())["uses"] == {"data": ["common/data/weather@1.csv"]}
    run(places, "t", "execute")
    assert rows(places, "t")[1] == {"time": "1", "wind": "5"}
    assert "wind: from 3 to 5, mean 4" in run(places, "t", "analyze")


@pytest.mark.parametrize(
    "text",
    [
        "when;p;open\n2026-01-01 00:00;1,5;true\n2026-01-01 00:01;2,5;false\n",
        "when,p,open\nfirst,1.5,True\nsecond,2.5,False\n",
    ],
)
def test_tables_of_other_countries_and_without_an_axis_are_analyzed(places: Places, text: str) -> None:
    """A decimal comma, times, names: the figures are the same."""
    table = places.workspace / "data" / "measured.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(text)
    new_twin(places, "t", assets=["data/measured.csv"])
    run(places, "t", "execute")
    said = run(places, "t", "analyze")
    assert "p: from 1.5 to 2.5, mean 2" in said
    assert "open: from 0 to 1, mean 0.5" in said


@pytest.mark.parametrize(
    ("asset", "words"),
    [
        ("models/gone", "not there"),
        ("models", "no asset"),
        ("../etc/passwd", "'..'"),
        ("/etc/passwd", "not relative"),
        ("digital_twins/t", "no asset"),
        ("common/models", "no asset"),
        ("models/.hidden", "hidden"),
        ("models/bad.fmu", "no sound zip"),
        ("models/many", "several Python files: a.py, b.py"),
    ],
)
def test_what_is_no_asset_is_refused_and_nothing_is_made(places: Places, asset: str, words: str) -> None:
    """Paths come over the network."""
    (places.workspace / "models" / "many").mkdir(parents=True)
    (places.workspace / "models" / "bad.fmu").write_text("no zip")
    for name in ("a.py", "b.py"):
        (places.workspace / "models" / "many" / name).touch()
    with pytest.raises(AssetRefused) as refused:
        new_twin(places, "t", assets=[asset])
    assert words in refused.value.what
    assert refused.value.fix
    assert not list(places.twins.iterdir())


def test_a_twin_may_not_write_its_results_into_the_data_that_it_reads(places: Places) -> None:
    """`clean` would take them away."""
    (places.workspace / "data" / "tank").mkdir(parents=True)
    (places.workspace / "data" / "tank" / "a.csv").write_text("a\n1\n")
    with pytest.raises(NameRefused, match="data/tank"):
        new_twin(places, "tank", assets=["data/tank"])


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".x", "-x", " x", "x ", "a/b", "../x", "a\0b", "a\nb", "x" * 256, "runs", "openapi.json", "\ud800"],
)
def test_a_name_that_cannot_be_one_is_refused(places: Places, name: str) -> None:
    """Names become folders, addresses and words of commands."""
    with pytest.raises(NameRefused):
        new_twin(places, name)
    assert not list(places.twins.iterdir())


def test_a_twin_that_is_there_is_never_overwritten(places: Places) -> None:
    """Not even an empty folder, or a link that leads nowhere."""
    (places.twins / "a").mkdir()
    (places.twins / "b").symlink_to("nowhere")
    for name in ("a", "b"):
        with pytest.raises(TwinExists, match="already"):
            new_twin(places, name)


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        ("data/table", '""" + print("pwned") + """.csv'),
        ("data/table", "a\\\\N\n.csv"),
        ("models/m", '"""\nprint("pwned")#.py'),
    ],
)
def test_a_name_that_a_stranger_chose_is_no_program(places: Places, asset: str, name: str) -> None:
    """Tables are shared; what a table is called must not run when its rows are read."""
    file = places.workspace / asset / name
    file.parent.mkdir(parents=True)
    file.write_text("" if name.endswith(".py") else "a,b\n1,2\n")
    new_twin(places, "t", assets=[asset])
    assert "pwned\n" not in run(places, "t", "execute").replace(name, "")


@pytest.fixture
def example(surroundings: Path) -> Path:
    """A small example with a model, a tool, and a README that names its twin."""
    folder = surroundings / "pump"
    for path, text in {
        "digital_twins/pump/lifecycle/execute": "#!/bin/sh\ncat ../../models/pump/curve.txt\n",
        "digital_twins/pump/lifecycle/__pycache__/x.pyc": "",
        "digital_twins/pump/twin.yaml": "# mine\ntitle: Pump\ndescription: It pumps.\nuses: {models: [pump]}\n",
        "digital_twins/pump/README.md": "![It](it.png) `twin run pump execute` in digital_twins/pump; data/pump; models/pump",
        "digital_twins/pump/it.png": "png",
        "models/pump/curve.txt": "curve\n",
        "tools/wrench/wrench": "#!/bin/sh\n",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    return folder


def test_a_twin_from_an_example_has_its_own_name_and_the_examples_assets(places: Places, example: Path) -> None:
    """Two people's pumps in one workspace, and both run."""
    twin = new_twin(places, "my-pump", example="pump", title="Mine: 2")
    assert (twin.title, twin.phases) == ("Mine: 2", (Phase.EXECUTE,))
    assert (twin.path / "twin.yaml").read_text().startswith("# mine\n")
    assert run(places, "my-pump", "execute") == "curve\n"
    readme = (twin.path / "README.md").read_text()
    assert "`twin run my-pump execute` in digital_twins/my-pump; data/my-pump; models/pump" in readme
    assert os.access(places.workspace / "tools/wrench/wrench", os.X_OK)
    assert not (twin.path / "lifecycle/__pycache__").exists()
    again = new_twin(places, "pump", example="pump")
    assert again.title == "Pump"


def test_assets_that_are_the_same_are_left_and_those_that_lack_files_get_them(places: Places, example: Path) -> None:
    """A model that was built here keeps what was built."""
    model = places.workspace / "models" / "pump"
    model.mkdir(parents=True)
    (model / "built.fmu").write_text("built")
    new_twin(places, "a", example="pump")
    assert everything(model) == {"built.fmu": b"built", "curve.txt": b"curve\n"}
    before = (model / "curve.txt").stat()
    new_twin(places, "b", example="pump")
    assert (model / "curve.txt").stat().st_ino == before.st_ino


def test_an_asset_that_differs_is_left_and_nothing_is_made(places: Places, example: Path) -> None:
    """Somebody's own model must never be lost to an example."""
    (places.workspace / "models" / "pump").mkdir(parents=True)
    (places.workspace / "models" / "pump" / "curve.txt").write_text("my own\n")
    before = everything(places.workspace)
    with pytest.raises(AssetsDiffer, match=r"curve\.txt") as refused:
        new_twin(places, "a", example="pump")
    assert "mv " in refused.value.fix
    assert everything(places.workspace) == before


def test_when_something_fails_nothing_is_left_behind(places: Places, example: Path) -> None:
    """Half a twin looks like a whole one, and does not run. A folder that may not be written fails even for root."""
    (places.workspace / "tools").write_text("a file where a folder should be")
    before = everything(places.workspace)
    with pytest.raises(NotMade):
        new_twin(places, "a", example="pump")
    assert everything(places.workspace) == before
    assert not list(places.twins.iterdir())


def test_examples_are_listed_with_what_people_choose_by(places: Places, example: Path) -> None:
    """The page's gallery shows them."""
    (example.parent / "no example").mkdir()
    [found] = list_examples(places)
    assert found.as_json() == {
        "name": "pump",
        "title": "Pump",
        "description": "It pumps.",
        "picture": True,
        "phases": ["execute"],
        "there": False,
    }
    assert found.picture == example / "digital_twins/pump/it.png"
    new_twin(places, "pump", example="pump")
    assert list_examples(places)[0].there


def test_an_unknown_example_names_the_one_that_was_meant(places: Places, example: Path) -> None:
    """The remedy is in the message; so is it without any examples."""
    with pytest.raises(ExampleNotFound, match="'pump'"):
        new_twin(places, "a", example="pumpp")
    with pytest.raises(TwinError):
        new_twin(places, "a", example="../../x")


def test_bad_requests_are_refused_in_words(places: Places, example: Path) -> None:
    """They come from programs, too."""
    with pytest.raises(BadRequest, match="not both"):
        new_twin(places, "a", example="pump", assets=["models/x"])
    with pytest.raises(BadRequest, match="title"):
        new_twin(places, "a", title="a\nb")


def test_every_example_of_the_platform_becomes_a_twin_that_explores_well(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them together in one workspace: what they share must be the same."""
    monkeypatch.setenv("TWINHUB_EXAMPLES", str(ROOT / "examples"))
    (places.workspace / "common" / "tools").mkdir(parents=True)
    (places.workspace / "common" / "tools" / "cosim").symlink_to(ROOT / "tools" / "cosim")
    found = list_examples(places)
    assert [example.name for example in found] == sorted(
        folder.parent.name for folder in (ROOT / "examples").glob("*/digital_twins")
    )
    for example in found:
        twin = new_twin(places, f"my-{example.name}", example=example.name)
        missing = [
            finding
            for finding in explore_twin(places, twin.name).findings
            if finding.level == "missing" and not finding.subject.startswith(("service", "port", "co-simulation"))
        ]
        assert missing == []
        assert example.title
        assert example.picture is not None


def test_the_command_makes_twins_tells_what_it_made_and_how_to_undo_it(places: Places, example: Path) -> None:
    """A dry run makes nothing, and says the same."""
    command = CliRunner()
    dry = command.invoke(main, ["new", "a", "--from", "pump", "--dry-run"])
    assert not list(places.twins.iterdir())
    done = command.invoke(main, ["new", "a", "--from", "pump"])
    assert done.exit_code == 0
    made = [str(places.workspace / path) for path in ("models/pump", "tools/wrench", "digital_twins/a")]
    assert all(path in dry.output and path in done.output for path in made)
    assert f"rm -r {' '.join(made)}" in done.output
    again = command.invoke(main, ["new", "b", "--from", "pump", "--json"])
    assert json.loads(again.output)["kept"] == made[:2]
    refused = command.invoke(main, ["new", "a"])
    assert (refused.exit_code, refused.output) == (
        2,
        "twin: There is a twin 'a' already. Choose another name; nothing is overwritten.\n",
    )


def test_the_commands_examples_check_and_explore_speak_to_people_and_programs(places: Places, example: Path) -> None:
    """Exit codes are what scripts go by."""
    command = CliRunner()
    assert "pump  Pump" in command.invoke(main, ["examples"]).output
    assert json.loads(command.invoke(main, ["examples", "--json"]).output)[0]["name"] == "pump"
    new_twin(places, "a", example="pump")
    assert command.invoke(main, ["check", "a"]).exit_code == 0
    explored = command.invoke(main, ["explore", "a"])
    assert (explored.exit_code, explored.output.splitlines()[-1]) == (
        0,
        "a: all 3 things looked at are as they should be.",
    )
    (places.twins / "a" / "twin.yaml").write_text("parameters: {a: {type: int}}")
    checked = command.invoke(main, ["check", "a"])
    assert checked.exit_code == 1
    assert f"{places.twins / 'a' / 'twin.yaml'}:1:24: error: 'int' is no type." in checked.output
    assert json.loads(command.invoke(main, ["check", "a", "--json"]).output)["problems"][0]["column"] == 24
    assert command.invoke(main, ["explore", "a", "--json"]).exit_code == 1
    assert command.invoke(main, ["check"]).exit_code == 2
    assert json.loads(command.invoke(main, ["check", "--schema"]).output)["$id"].endswith("twin.json")


def test_a_twins_own_explore_follows_with_its_parameters_and_its_exit_code(places: Places, make_twin) -> None:
    """Only its author knows how to ask the plant whether it is there."""
    make_twin(
        "own", explore='echo "level $TWIN_PARAMETER_LEVEL"; exit 3', descriptor="parameters: {level: {type: real}}"
    )
    command = CliRunner()
    done = command.invoke(main, ["explore", "own", "--set", "level=2", "--json"])
    assert done.exit_code == 3
    assert json.loads(done.output)["run"]["parameters"] == {"level": 2.0}
    make_twin("bare", execute="true")
    assert command.invoke(main, ["explore", "bare", "--set", "level=2"]).exit_code == 2
