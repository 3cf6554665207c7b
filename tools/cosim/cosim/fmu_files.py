"""FMU files: found, read with care, unpacked; what is inside is not run here."""

from __future__ import annotations

import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import fmpy

from cosim.addresses import did_you_mean
from cosim.descriptions import LARGEST_BYTES, read_description
from cosim.errors import FmuRefused, Problem

LARGEST_UNPACKED_BYTES: Final = 16 * 1024**3
UNPACKING_FAILS: Final = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError)
PLATFORM_FOLDERS: Final = (fmpy.platform, fmpy.platform_tuple)
"""What FMI 2 and FMI 3 call this machine."""


@dataclass(eq=False)
class FmuFile:
    """One FMU, packed or as a folder."""

    path: Path
    members: Mapping[str, str]
    """Path inside the FMU, always with slashes, by the name that the archive has for it."""
    description: Any
    """As FMPy reads it (fmpy.model_description.ModelDescription)."""
    warnings: list[Problem] = field(default_factory=list)

    @cached_property
    def variables(self) -> dict[str, Any]:
        """Every variable by name."""
        return {variable.name: variable for variable in self.description.modelVariables}

    @property
    def version(self) -> int:
        """FMI's major version."""
        return int(self.description.fmiMajorVersion)

    @property
    def identifier(self) -> str:
        """What the standard says that the binary is named after."""
        return str(self.description.coSimulation.modelIdentifier)

    def platforms(self) -> list[str]:
        """Name the platforms that it has binaries for."""
        parts = (PurePosixPath(name).parts for name in self.members.values())
        return sorted({part[1] for part in parts if len(part) == 3 and part[0] == "binaries"})

    def binary(self) -> tuple[str, bool]:
        """Give the path of this machine's binary inside the FMU and whether it is named as it should be."""
        wanted = self.identifier + fmpy.sharedLibraryExtension
        found = [
            name
            for name in self.members.values()
            if len(parts := PurePosixPath(name).parts) == 3
            and parts[0] == "binaries"
            and parts[1] in PLATFORM_FOLDERS
            and name.endswith(fmpy.sharedLibraryExtension)
        ]
        for name in found:
            if PurePosixPath(name).name == wanted:
                return name, True
        if len(found) == 1:
            return found[0], False
        there = ", ".join(self.platforms()) or "none (sources only)"
        if found:
            raise FmuRefused(
                f"{self.path} has no {wanted} for this machine, but {', '.join(sorted(found))}.",
                "Ask its author to name the binary after the model identifier.",
            )
        raise FmuRefused(
            f"{self.path} has no binary for this machine ({PLATFORM_FOLDERS[0]}); it has binaries for: {there}.",
            "Export it for this platform, or compile it from its sources: `fmpy compile FILE.fmu`.",
        )

    def unpack(self, folder: Path) -> None:
        """Unpack it, refusing members that would lie outside; the binary is then under its standard name."""
        if self.path.is_dir():
            shutil.copytree(self.path, folder, symlinks=True, dirs_exist_ok=True)
        else:
            try:
                self._extract(folder)
            except UNPACKING_FAILS as error:
                raise FmuRefused(f"{self.path} cannot be unpacked: {error}.", "Copy or export it again.") from error
        name, standard = self.binary()
        expected = folder / "binaries" / self._loaded_from / (self.identifier + fmpy.sharedLibraryExtension)
        if not standard or PurePosixPath(name).parts[1] != self._loaded_from:
            expected.parent.mkdir(parents=True, exist_ok=True)
            expected.symlink_to(folder / name)
        (folder / "resources").mkdir(exist_ok=True)

    @property
    def _loaded_from(self) -> str:
        """The platform's folder from which FMPy loads."""
        return str(PLATFORM_FOLDERS[0] if self.version == 2 else PLATFORM_FOLDERS[1])

    def _extract(self, folder: Path) -> None:
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                target = folder / self.members[info.filename]
                if info.is_dir() or info.filename.endswith("\\"):
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                if (info.external_attr >> 16) & stat.S_IXUSR:
                    target.chmod(0o755)


def find_fmu(address: str, folders: Sequence[Path]) -> Path:
    """Find an FMU by its address in a model: a path, absolute or below one of the folders, or a file:// address."""
    text = address
    parts = urlsplit(address)
    if parts.scheme == "file":
        text = unquote(parts.netloc + parts.path if parts.netloc not in {"", "localhost"} else parts.path)
    elif "://" in address:
        raise FmuRefused(f"The FMU's address {address} is not a file.", "Download it and give its path.")
    tried = [folder / text for folder in folders]  # an absolute path stays as it is
    for path in tried:
        if path.exists():
            return path.resolve()
    where = " or ".join(dict.fromkeys(str(path) for path in tried))
    beside = [
        path.name for folder in {path.parent for path in tried} if folder.is_dir() for path in folder.glob("*.fmu")
    ]
    hint = did_you_mean(Path(text).name, sorted(beside)) if beside else "Check the path, or build the FMU first."
    raise FmuRefused(f"There is no FMU {where}.", hint)


def open_fmu(path: Path) -> FmuFile:
    """Read what an FMU says about itself; raise FmuRefused when it cannot be co-simulated here."""
    if not path.is_dir() and not path.is_file():
        raise FmuRefused(f"{path} is a pipe or device, and no FMU.", "Give a file made by an FMI export.")
    members = _members_of_folder(path) if path.is_dir() else _members_of_archive(path)
    if "modelDescription.xml" not in members.values():
        raise FmuRefused(f"{path} is no FMU: it has no modelDescription.xml.", "Give a file made by an FMI export.")
    description, warnings = read_description(path, _description_bytes(path, members))
    fmu = FmuFile(path, members, description, warnings)
    if description.coSimulation is None:
        raise FmuRefused(
            f"{path} is for model exchange only, which needs a solver from outside.", "Export it for co-simulation."
        )
    if PurePosixPath(fmu.identifier).name != fmu.identifier or not fmu.identifier.isprintable():
        raise FmuRefused(
            f"{path} has the model identifier {fmu.identifier[:80]!r}, which is no name.", "Do not use this file."
        )
    name, standard = fmu.binary()
    if not standard:
        fmu.warnings.append(
            Problem(
                f"{path.name}: its binary is {name}, not {fmu.identifier}{fmpy.sharedLibraryExtension}; it is taken.",
                "Nothing to do here; other tools may refuse it.",
                "warning",
            )
        )
    return fmu


def _members_of_folder(path: Path) -> dict[str, str]:
    files = (file for file in path.rglob("*") if file.is_file())
    return {name: name for name in (file.relative_to(path).as_posix() for file in files)}


def _members_of_archive(path: Path) -> dict[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise FmuRefused(f"{path} is no FMU: it is no readable zip archive ({error}).", "Export it again.") from error
    if sum(info.file_size for info in infos) > LARGEST_UNPACKED_BYTES:
        raise FmuRefused(f"{path} unpacks to more than {LARGEST_UNPACKED_BYTES // 1024**3} GiB.", "Is it an FMU?")
    members = {}
    for info in infos:
        name = info.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if (
            name.startswith("/")
            or ".." in parts
            or (parts and ":" in parts[0])
            or stat.S_ISLNK(info.external_attr >> 16)
        ):
            raise FmuRefused(f"{path} holds {info.filename!r}, which would lie outside of it.", "Do not use this file.")
        members[info.filename] = name
    return members


def _description_bytes(path: Path, members: Mapping[str, str]) -> bytes:
    """Give the description, one byte more than may be read at most: a megabyte can be packed into a kilobyte."""
    if path.is_dir():
        with (path / "modelDescription.xml").open("rb") as stream:
            return stream.read(LARGEST_BYTES + 1)
    inside = next(name for name, plain in members.items() if plain == "modelDescription.xml")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(inside) as source:
            return source.read(LARGEST_BYTES + 1)
    except UNPACKING_FAILS as error:
        raise FmuRefused(f"{path} cannot be unpacked: {error}.", "Copy or export it again.") from error


def python_modules(folder: Path) -> dict[str, Path]:
    """Name the Python modules that an unpacked FMU written in Python brings along."""
    resources = folder / "resources"
    if not (resources / "slavemodule.txt").is_file():
        return {}
    return {file.stem: file for file in resources.glob("*.py")}


_unpacked_once: set[Path] = set()
"""Every folder that FMUs were unpacked into in this process."""


def forget_modules_of_others(folder: Path, unpacked: Path) -> None:
    """Let an FMU written in Python import its own modules, not another FMU's of the same name.

    All of them share this process's interpreter and its table of modules, in which
    those of FMUs that ran earlier stand, too.
    """
    _unpacked_once.add(unpacked)
    for name, file in python_modules(folder).items():
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded and Path(loaded) != file and any(Path(loaded).is_relative_to(root) for root in _unpacked_once):
            del sys.modules[name]


def forget_paths(unpacked: Path) -> None:
    """Take out of Python's search path what FMUs written in Python have put there."""
    sys.path[:] = [entry for entry in sys.path if not Path(entry).is_relative_to(unpacked)]
