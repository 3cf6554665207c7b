"""FMUs for tests, compiled here from plant.c: real binaries that reject, crash and end as they are told."""

import subprocess
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import fmpy

SOURCE = Path(__file__).with_name("plant.c")
HEADERS = Path(fmpy.__file__).parent / "c-code"
REALS = ("u", "x", "y", "k", "gain", "x0", "limit", "reject_at", "largest", "crash_at", "end_at", "crash_free")
STARTS = {"k": 1, "limit": 0.5, "reject_at": 1e30, "largest": 1e30, "crash_at": 1e30, "end_at": 1e30}
CAUSALITY = {"u": "input", "x": "output", "y": "output"}


@dataclass
class Plant:
    """What of a plant's FMU differs from the ordinary."""

    version: int = 2
    name: str = "Plant"
    binary: str | None = None
    platform: str | None = None
    kind: str = "CoSimulation"
    abilities: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    more_xml: str = ""
    instead: bytes | None = None
    """The whole description, where it is something else."""
    members: dict[str, bytes] = field(default_factory=dict)


def compile_plant(folder: Path, version: int) -> Path:
    """Compile the plant for one version of the standard."""
    library = folder / f"plant{version}.so"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = ["gcc", "-shared", "-fPIC", "-O2", *warnings, f"-DFMI={version}", f"-I{HEADERS}", str(SOURCE), "-lm"]
    subprocess.run([*command, "-o", str(library)], check=True, timeout=120)
    return library


def write_fmu(file: Path, library: Path, plant: Plant) -> Path:
    """Pack an FMU."""
    platform = plant.platform or (fmpy.platform if plant.version == 2 else fmpy.platform_tuple)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("modelDescription.xml", plant.instead or description(plant))
        archive.write(library, f"binaries/{platform}/{plant.binary or plant.name}.so")
        for name, content in plant.members.items():
            archive.writestr(name, content)
    return file


def description(plant: Plant) -> str:
    """Write the plant's description."""
    two = plant.version == 2
    state = "canGetAndSetFMUstate" if two else "canGetAndSetFMUState"
    able = {"canHandleVariableCommunicationStepSize": "true", state: "true", **plant.abilities}
    if plant.kind != "CoSimulation":
        able.pop("canHandleVariableCommunicationStepSize")
    abilities = " ".join(f'{key}="{value}"' for key, value in able.items())
    token = "guid" if two else "instantiationToken"
    units = "".join(f'<Unit name="{unit}">{base(unit)}</Unit>' for unit in dict.fromkeys(plant.units.values()))
    clock = '<Float64 name="time" valueReference="900" causality="independent" variability="continuous"/>'
    variables = [*(real(plant, name, place) for place, name in enumerate(REALS)), *others(two), "" if two else clock]
    outputs = [2, 3, 13, 15, 17] if two else [1, 2, 100, 200, 300]
    known = (
        "<Outputs>" + "".join(f'<Unknown index="{place}"/>' for place in outputs) + "</Outputs>"
        if two
        else "".join(f'<Output valueReference="{place}"/>' for place in outputs)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<fmiModelDescription fmiVersion="{"2.0" if two else "3.0"}"'
        f' modelName="{plant.name}" {token}="{{plant}}">'
        f'<{plant.kind} modelIdentifier="{plant.name}" {abilities}/>'
        + (f"<UnitDefinitions>{units}</UnitDefinitions>" if units else "")
        + f"<ModelVariables>{''.join(variables)}{plant.more_xml}</ModelVariables>"
        f"<ModelStructure>{known}</ModelStructure></fmiModelDescription>"
    )


def base(unit: str) -> str:
    return {"m": '<BaseUnit m="1"/>', "mm": '<BaseUnit m="1" factor="0.001"/>', "kg": '<BaseUnit kg="1"/>'}.get(
        unit, ""
    )


def real(plant: Plant, name: str, reference: int) -> str:
    causality = CAUSALITY.get(name, "parameter")
    variability = "tunable" if causality == "parameter" and name != "x0" else "fixed" if name == "x0" else "continuous"
    start = "" if causality == "output" else f' start="{STARTS.get(name, 0)}"'
    unit = f' unit="{plant.units[name]}"' if name in plant.units else ""
    head = f'name="{name}" valueReference="{reference}" causality="{causality}" variability="{variability}"'
    if plant.version == 2:
        return f"<ScalarVariable {head}><Real{start}{unit}/></ScalarVariable>"
    return f"<Float64 {head}{start}{unit}/>"


def others(two: bool) -> list[str]:
    whole = "Integer" if two else "Int32"
    listed = [
        ("count", 100, whole, "output", ""),
        ("n", 101, whole, "input", "0"),
        ("above", 200, "Boolean", "output", ""),
        ("flag", 201, "Boolean", "input", "false"),
        ("label", 300, "String", "output", ""),
        ("text", 301, "String", "input", "nothing"),
    ]
    found = []
    for name, reference, kind, causality, start in listed:
        head = f'name="{name}" valueReference="{reference}" causality="{causality}" variability="discrete"'
        if two:
            begin = f' start="{start}"' if start else ""
            found.append(f"<ScalarVariable {head}><{kind}{begin}/></ScalarVariable>")
        elif kind == "String":
            begin = f'<Start value="{start}"/>' if start else ""
            found.append(f"<String {head}>{begin}</String>")
        else:
            begin = f' start="{start}"' if start else ""
            found.append(f"<{kind} {head}{begin}/>")
    return found
