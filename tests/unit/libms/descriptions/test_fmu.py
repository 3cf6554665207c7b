"""FMUs read against what fmpy reads, as pythonfmu makes them, and as somebody would make them to hurt."""

import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fmpy import read_model_description
from hypothesis import given, settings
from hypothesis import strategies as st

from libms.descriptions.fmi import MOST_VARIABLES
from libms.descriptions.fmi_values import Experiment, FmuVariable
from libms.descriptions.fmu import Fmu, read_fmu
from libms.descriptions.values import DescriptionUnreadable

OpenBytes = Callable[[bytes], AbstractContextManager[int]]

SLAVE = """
from pythonfmu import Boolean, Fmi2Causality, Fmi2Slave, Fmi2Variability, Integer, Real, String

DISCRETE = Fmi2Variability.discrete

class Oscillator(Fmi2Slave):
    author = "A. Engineer"
    description = "Mass on a spring"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.m, self.force, self.x, self.n, self.on, self.label = 1.5, 0.0, 0.0, 3, True, "a <b>"
        self.register_variable(Real("m", causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        self.register_variable(Real("force", causality=Fmi2Causality.input, description="Pull in N"))
        self.register_variable(Real("x", causality=Fmi2Causality.output))
        self.register_variable(Integer("n", causality=Fmi2Causality.output, variability=DISCRETE))
        self.register_variable(Boolean("on", causality=Fmi2Causality.output, variability=DISCRETE))
        self.register_variable(String("label", causality=Fmi2Causality.output, variability=DISCRETE))

    def do_step(self, current_time, step_size):
        return True
"""

FMI1 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<fmiModelDescription fmiVersion="1.0" modelName="Tank" modelIdentifier="tank" guid="{1}" author="Jürgen"
    numberOfContinuousStates="0" numberOfEventIndicators="0">
  <TypeDefinitions><Type name="Level"><RealType unit="m"/></Type></TypeDefinitions>
  <DefaultExperiment startTime="0" stopTime="10" tolerance="1e-4"/>
  <ModelVariables>
    <ScalarVariable name="h" valueReference="1" description="Level"><Real declaredType="Level" start="2"/></ScalarVariable>
    <ScalarVariable name="k" valueReference="2" variability="parameter" causality="none"><Real start="1"/></ScalarVariable>
  </ModelVariables>
</fmiModelDescription>
"""
FMI2 = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="Plant" guid="{2}" generationTool="Tool 1">
  <ModelExchange modelIdentifier="plant"/>
  <CoSimulation modelIdentifier="plant"/>
  <UnitDefinitions><Unit name="K"/></UnitDefinitions>
  <TypeDefinitions><SimpleType name="Temp"><Real unit="K"/></SimpleType></TypeDefinitions>
  <DefaultExperiment stopTime="5" stepSize="INF"/>
  <ModelVariables>
    <ScalarVariable name="T" valueReference="0"><Real declaredType="Temp"/></ScalarVariable>
    <ScalarVariable name="n" valueReference="4294967295" causality="output" variability="discrete"><Integer start="7"/></ScalarVariable>
    <ScalarVariable name="on" valueReference="1" causality="output"><Boolean/></ScalarVariable>
  </ModelVariables>
  <ModelStructure/>
</fmiModelDescription>
"""
FMI3 = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="3.0" modelName="Matrix" instantiationToken="{3}">
  <ScheduledExecution modelIdentifier="matrix"/>
  <UnitDefinitions><Unit name="N"/></UnitDefinitions>
  <TypeDefinitions><Float64Type name="Force" unit="N"/></TypeDefinitions>
  <ModelVariables>
    <UInt64 name="rows" valueReference="1" causality="structuralParameter" start="2"/>
    <Float64 name="A" valueReference="2" causality="parameter" declaredType="Force" start="1 2 3 4 5 6">
      <Dimension valueReference="1"/><Dimension start="3"/>
      <Alias name="B" description="same"/>
    </Float64>
    <Int32 name="i" valueReference="3" causality="input" start="1"/>
    <Float32 name="t" valueReference="4"/>
    <String name="s" valueReference="5" causality="output"><Dimension start="2"/><Start value="a"/><Start value="b"/></String>
    <Clock name="c" valueReference="6" causality="input" intervalVariability="triggered"/>
  </ModelVariables>
  <ModelStructure/>
</fmiModelDescription>
"""


def packed(
    xml: str | bytes, *others: str, name: str = "modelDescription.xml", method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for other in others:
            archive.writestr(other, b"")
        archive.writestr(name, xml)
    return target.getvalue()


def read(open_bytes: OpenBytes, content: bytes) -> Fmu:
    with open_bytes(content) as descriptor:
        return read_fmu(descriptor)


def refusal(open_bytes: OpenBytes, content: bytes) -> str:
    with pytest.raises(DescriptionUnreadable) as refused:
        read(open_bytes, content)
    assert refused.value.fix
    return refused.value.what


def described(body: str, version: str = "2.0") -> bytes:
    return packed(f'<fmiModelDescription fmiVersion="{version}" modelName="m">{body}</fmiModelDescription>')


def test_an_fmu_of_pythonfmu_is_read_as_fmpy_reads_it(open_bytes: OpenBytes, tmp_path: Path) -> None:
    """What the page shows must be what a simulation then finds."""
    script = tmp_path / "oscillator.py"
    script.write_text(SLAVE)
    subprocess.run(
        [sys.executable, "-m", "pythonfmu", "build", "-f", script, "-d", tmp_path], check=True, capture_output=True
    )
    file = tmp_path / "Oscillator.fmu"
    fmu, reference = read(open_bytes, file.read_bytes()), read_model_description(file)
    assert (fmu.fmi_version, fmu.kinds, fmu.author) == ("2.0", ("CoSimulation",), "A. Engineer")
    assert (fmu.token, fmu.generation_tool) == (reference.guid, reference.generationTool)
    assert "linux64" in fmu.platforms
    expected = [
        (v.name, v.causality, v.variability, v.type, v.start, v.valueReference) for v in reference.modelVariables
    ]
    assert [(v.name, v.causality, v.variability, v.type, v.start, v.value_reference) for v in fmu.variables] == expected
    assert [v.description for v in fmu.variables if v.name == "force"] == ["Pull in N"]


@pytest.mark.parametrize("xml", [FMI1.encode("latin-1"), FMI2.encode(), FMI3.encode()], ids=["1.0", "2.0", "3.0"])
def test_every_version_is_read_as_fmpy_reads_it(open_bytes: OpenBytes, xml: bytes) -> None:
    """Names, types, units and start values do not depend on who reads them."""
    content = packed(xml)
    fmu, reference = read(open_bytes, content), read_model_description(io.BytesIO(content), validate=False)
    own = {v.name: (v.type, v.start, v.value_reference, v.description) for v in fmu.variables}
    theirs = {v.name: (v.type, v.start, v.valueReference, v.description) for v in reference.modelVariables}
    assert own | {"s": None} == theirs | {"s": None}  # of a list of texts, fmpy gives the first
    units = {v.name: v.unit or (v.declaredType.unit if v.declaredType else None) for v in reference.modelVariables}
    assert {v.name: v.unit for v in fmu.variables} == units
    assert (fmu.model_name, fmu.token) == (reference.modelName, reference.guid)


def test_fmi_1_speaks_its_own_words(open_bytes: OpenBytes) -> None:
    """Old models are still in use; without an implementation they are for model exchange."""
    fmu = read(open_bytes, packed(FMI1.encode("latin-1"), "binaries/win32/tank.dll", "sources/tank.c"))
    assert (fmu.kinds, fmu.author, fmu.platforms, fmu.has_sources) == (("ModelExchange",), "Jürgen", ("win32",), True)
    assert fmu.default_experiment == Experiment(0.0, 10.0, 1e-4, None)
    assert fmu.variables[0] == FmuVariable("h", "internal", "continuous", "Real", "m", "2", "Level", 1)
    assert (fmu.variables[1].causality, fmu.variables[1].variability) == ("none", "parameter")
    tool = FMI1.replace(
        "</ModelVariables>", "</ModelVariables><Implementation><CoSimulation_StandAlone/></Implementation>"
    )
    assert read(open_bytes, packed(tool.encode("latin-1"))).kinds == ("CoSimulation",)


def test_fmi_2_defaults_are_those_of_the_standard(open_bytes: OpenBytes) -> None:
    """Only a Real can be continuous; infinity is no step that an answer can carry."""
    fmu = read(open_bytes, packed(FMI2))
    assert fmu.kinds == ("CoSimulation", "ModelExchange")
    assert fmu.default_experiment == Experiment(stop=5.0)
    assert fmu.variables[0] == FmuVariable("T", "local", "continuous", "Real", "K", None, None, 0)
    assert fmu.variables[1].value_reference == 4294967295
    assert (fmu.variables[2].variability, fmu.variables[2].start) == ("discrete", None)


def test_fmi_3_has_types_arrays_and_aliases(open_bytes: OpenBytes) -> None:
    """An array's size may be another variable's value."""
    fmu = read(open_bytes, packed(FMI3, "binaries/x86_64-linux/matrix.so"))
    by_name = {variable.name: variable for variable in fmu.variables}
    assert (fmu.kinds, fmu.platforms) == (("ScheduledExecution",), ("x86_64-linux",))
    assert by_name["A"] == FmuVariable(
        "A", "parameter", "fixed", "Float64", "N", "1 2 3 4 5 6", None, 2, dimensions=("rows", "3")
    )
    assert (by_name["B"].value_reference, by_name["B"].description) == (2, "same")
    assert (by_name["i"].variability, by_name["t"].variability) == ("discrete", "continuous")
    assert (by_name["s"].start, by_name["c"].type, fmu.variable_count) == ("a, b", "Clock", 7)


def test_very_many_variables_are_counted_and_cut(open_bytes: OpenBytes) -> None:
    """A car has a hundred thousand; a page does not."""
    one = '<ScalarVariable name="v{0}" valueReference="{0}"><Real/></ScalarVariable>'
    many = "".join(one.format(number) for number in range(MOST_VARIABLES + 5))
    fmu = read(open_bytes, described(f"<ModelVariables>{many}</ModelVariables>"))
    assert (len(fmu.variables), fmu.variable_count, fmu.truncated) == (MOST_VARIABLES, MOST_VARIABLES + 5, True)


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><fmiModelDescription fmiVersion="2.0"/>', "document type"),
        ('<!DOCTYPE a SYSTEM "http://localhost/x"><fmiModelDescription fmiVersion="2.0"/>', "document type"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type"),
        ("<a/>", "starts with 'a'"),
        ('<fmiModelDescription fmiVersion="9"/>', "version '9'"),
        ('<fmiModelDescription fmiVersion="2.0">', "not well-formed"),
        ("", "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "encoding"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "encoding|starts with"),
        ('<fmiModelDescription fmiVersion="2.0">' + "<a>" * 1000, "deeper"),
        ('<fmiModelDescription fmiVersion="2.0">' + "<a/>" * 1_100_000, "too many"),
        ('<fmiModelDescription fmiVersion="2.0">' + "".join(f"<a{n}/>" for n in range(6000)), "too many"),
        ('<fmiModelDescription fmiVersion="2.0" a="' + "x" * 3_000_000, "more than 1 MB"),
        (" " * (21 << 20), "larger than 20 MB"),
    ],
    ids=range(14),
)
def test_a_hostile_description_is_refused_with_words(open_bytes: OpenBytes, xml: str, words: str) -> None:
    """A model must not read the server's files, call its network or fill its memory."""
    began = time.monotonic()
    what = refusal(open_bytes, packed(xml))
    assert any(word in what for word in words.split("|")), what
    assert time.monotonic() - began < 5


def test_archives_that_are_not_as_they_should_be_are_refused_with_words(open_bytes: OpenBytes) -> None:
    """The sentence says what to do about it."""
    assert "no modelDescription.xml" in refusal(open_bytes, packed("", name="other.xml"))
    assert "unusual way" in refusal(open_bytes, packed(FMI2, method=zipfile.ZIP_BZIP2))
    assert "not a sound zip" in refusal(open_bytes, b"")
    assert "not a sound zip" in refusal(open_bytes, b"MZ" * 1000)
    encrypted = bytearray(packed(FMI2))
    directory = encrypted.rfind(b"PK\x01\x02")
    encrypted[directory + 8] |= 1
    assert "encrypted" in refusal(open_bytes, bytes(encrypted))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = packed(FMI2, "modelDescription.xml")
    assert "twice" in refusal(open_bytes, twice)


def test_sizes_in_the_archive_are_not_believed(open_bytes: OpenBytes) -> None:
    """A bomb says that it is small."""
    bomb = bytearray(packed(b" " * (64 << 20)))
    assert len(bomb) < 100_000
    assert "larger than 20 MB" in refusal(open_bytes, bytes(bomb))
    directory = bomb.rfind(b"PK\x01\x02")
    bomb[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    assert refusal(open_bytes, bytes(bomb))
    flipped = bytearray(packed(FMI2, method=zipfile.ZIP_STORED))
    flipped[flipped.find(b"Plant")] ^= 1
    assert "not a sound zip" in refusal(open_bytes, bytes(flipped))


def test_a_million_entries_are_refused_before_they_are_listed(open_bytes: OpenBytes) -> None:
    """Listing them would take a gigabyte."""
    entry = b"PK\x01\x02" + b"\0" * 42
    count = 600_000
    end = b"PK\x05\x06" + b"\0" * 4 + b"\xff\xff\xff\xff" + (count * len(entry)).to_bytes(4, "little") + b"\0" * 6
    assert "too many files" in refusal(open_bytes, entry * count + end)


def test_platforms_are_bounded_and_showable(open_bytes: OpenBytes) -> None:
    """Names in an archive are a stranger's words."""
    names = [f"binaries/p{number}/a.so" for number in range(500)]
    fmu = read(open_bytes, packed(FMI2, "binaries/../../etc/x", "binaries/a\x1b[31m/b", "binaries/readme.txt", *names))
    assert fmu.platforms[:3] == ("..", "a[31m", "p0")
    assert len(fmu.platforms) == 64
    assert not fmu.has_sources


@settings(max_examples=200, deadline=2000)
@given(
    st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8), st.binary()
)
def test_no_bytes_make_reading_fail(
    open_bytes: OpenBytes, noise: bytes, changes: list[tuple[int, int]], xml: bytes
) -> None:
    """A damaged upload gets a sentence, not a traceback."""
    damaged = bytearray(packed(FMI3, "binaries/linux64/a.so"))
    for place, value in changes:
        damaged[place % len(damaged)] = value
    cut = changes[0][0] % len(damaged) if changes else 0
    for content in (
        noise,
        bytes(damaged),
        bytes(damaged[cut:]),
        bytes(damaged[:cut]),
        noise + bytes(damaged),
        packed(xml),
    ):
        try:
            read(open_bytes, content)
        except DescriptionUnreadable:
            continue
