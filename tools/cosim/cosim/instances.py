"""One running instance of an FMU, over FMPy."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from fmpy.fmi1 import FMICallException
from fmpy.fmi2 import fmi2LastSuccessfulTime, fmi2Terminated

from cosim.addresses import InstanceName
from cosim.crumbs import Crumbs, Phase
from cosim.errors import FmuFailed, FmuRefused, ValueRefused
from cosim.fmu_files import FmuFile, forget_modules_of_others, python_modules
from cosim.loading import FMU2Tolerant, FMU3Tolerant, missing_libraries
from cosim.logs import FmuLog, callback_3, callbacks_2
from cosim.values import Group, as_stored, grouped

STATUS: Final = ("ok", "warning", "discard", "error", "fatal", "pending")
ERROR: Final = 3
FATAL: Final = 4


class Ended(Exception):
    """An FMU, or the program, asked for the simulation to end, which is its right."""


class Instance:
    """An instance from loading to freeing; every refusal names it, the time and what it logged."""

    def __init__(self, name: InstanceName, fmu: FmuFile, folder: Path, *, number: int, crumbs: Crumbs) -> None:
        """Take an FMU that is unpacked in a folder."""
        self.name = name
        self.fmu = fmu
        self.number = number
        self.time = math.nan
        self.log = FmuLog(str(name))
        self._folder = folder
        self._crumbs = crumbs
        self._began = False
        self._worst = 0
        self._single: dict[str, Group] = {}
        self._alive = False
        crumbs.name(number, str(name))

    @property
    def can_save(self) -> bool:
        """Whether its state can be kept and brought back."""
        return bool(self.fmu.description.coSimulation.canGetAndSetFMUstate)

    def load(self, *, logging_on: bool, goes_back: bool, unpacked: Path) -> None:
        """Load the binary and make the instance; say whether steps will be taken back."""
        self._at(Phase.LOAD)
        forget_modules_of_others(self._folder, unpacked)
        kind = FMU2Tolerant if self.fmu.version == 2 else FMU3Tolerant
        try:
            self._slave = kind(
                guid=self.fmu.description.guid,
                unzipDirectory=str(self._folder),
                modelIdentifier=self.fmu.identifier,
                instanceName=self.name.instance,
            )
        except Exception as error:
            raise self._not_loaded(error) from error
        # Those made by pythonfmu tell of exceptions only then, and log nothing else that their author did not want.
        asked = logging_on or bool(python_modules(self._folder))
        try:
            if self.fmu.version == 2:
                self._slave.instantiate(callbacks=callbacks_2(self.log, self.number), loggingOn=asked)
            else:
                self._slave.instantiate(logMessage=callback_3(self.log), loggingOn=asked)
        except Exception as error:
            raise self.failed("Instantiate", 3, hint=self._python_hint()) from error
        self._alive = True
        self.log.printed = logging_on
        self._step = self._bound_step(goes_back)

    def initialise(self, start: float, stop: float, values: Mapping[str, Any]) -> None:
        """Set start values and enter initialisation mode."""
        self._at(Phase.INITIALISE)
        self.time = start
        if self.fmu.version == 2:
            self._called("setupExperiment", startTime=start, stopTime=stop)
        self.set(values)
        if self.fmu.version == 2:
            self._called("enterInitializationMode")
        else:
            self._called("enterInitializationMode", startTime=start, stopTime=stop)

    def begin(self) -> None:
        """Leave initialisation mode."""
        self._at(Phase.INITIALISE)
        self._called("exitInitializationMode")
        self._began = True

    def step(self, time: float, size: float) -> None:
        """Advance by a step, in s; raise FmuFailed when it is refused and Ended when the FMU wants to end."""
        self._crumbs.at.instance = self.number
        self._crumbs.at.phase = Phase.STEP
        self.time = time
        self._step(time, size)

    def _bound_step(self, goes_back: bool) -> Any:
        library, component = self._slave.dll, ctypes.c_void_p(self._slave.component)
        if self.fmu.version == 2:
            call = library["fmi2DoStep"]
            call.argtypes = (ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_int)

            def step_2(time: float, size: float) -> None:
                status = call(component, time, size, not goes_back)
                if status > 1:
                    raise self._rejected(status, size)

            return step_2
        call = library["fmi3DoStep"]
        call.argtypes = (ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_bool, *[ctypes.c_void_p] * 4)
        event, terminate, early, last = ctypes.c_bool(), ctypes.c_bool(), ctypes.c_bool(), ctypes.c_double()
        flags = [ctypes.byref(flag) for flag in (event, terminate, early, last)]

        def step_3(time: float, size: float) -> None:
            status = call(component, time, size, not goes_back, *flags)
            if status > 1:
                raise self._rejected(status, size)
            if terminate.value:
                raise Ended(self._wish(time + size))
            if early.value:
                raise self.failed("DoStep", 2, hint=f"It stopped early, at t = {last.value:.6g} s, unasked. ")

        return step_3

    def _wish(self, time: float) -> str:
        return f"{self.name} ended the simulation at t = {time:.6g} s."

    def _rejected(self, status: int, size: float) -> Exception:
        """Tell a wish to end from a step that was refused."""
        reached = ""
        if status == 2 and self.fmu.version == 2:
            with suppress(FMICallException):
                if self._slave.getBooleanStatus(fmi2Terminated):
                    return Ended(self._wish(self.time))
            with suppress(FMICallException):
                reached = f"It came as far as t = {self._slave.getRealStatus(fmi2LastSuccessfulTime):.6g} s. "
        return self.failed("DoStep", status, hint=reached, step=size)

    def groups(self, variables: Iterable[Any]) -> list[Group]:
        """Make groups for variables of this instance."""
        found = grouped(variables, self.fmu.version)
        library, component = self._slave.dll, self._slave.component
        try:
            return [Group(library, component, self.fmu.version, group, self._refused) for group in found]
        except AttributeError as error:
            raise FmuRefused(
                f"The binary of {self.name} lacks a function: {error}.", "Export the FMU again."
            ) from error

    def set(self, values: Mapping[str, Any]) -> None:
        """Set variables by name."""
        found = (
            [self._group_of(*values)] if len(values) == 1 else self.groups(self.fmu.variables[name] for name in values)
        )
        for group in found:
            for index, name in enumerate(group.names):
                try:
                    group.put(index, values[name])
                except (TypeError, ValueError, OverflowError) as error:
                    raise ValueRefused(
                        f"{self.name}.{name} cannot become {values[name]!r}: {error}.", "Give it a value of its type."
                    ) from error
            group.write()

    def get(self, name: str) -> float | int | bool | str:
        """Read one variable."""
        group = self._group_of(name)
        group.read()
        return group.get(0)

    def _group_of(self, name: str) -> Group:
        """Give a group of one variable, the same every time."""
        if name not in self._single:
            (self._single[name],) = self.groups([self.fmu.variables[name]])
        return self._single[name]

    def save(self) -> Any:
        """Keep the state; give it to restore() and forget()."""
        return self._called("getFMUState")

    def restore(self, state: Any) -> None:
        self._called("setFMUState", state)

    def forget(self, state: Any) -> None:
        self._called("freeFMUState", state)

    def close(self) -> None:
        """End and free it, whatever state it is in; never raises."""
        if not self._alive:
            return
        self._alive = False
        self._at(Phase.END)
        # The standard allows freeing only after an error, and nothing at all after a fatal one.
        if self._began and self._worst < ERROR:
            with suppress(Exception):
                self._slave.terminate()
        if self._worst < FATAL:
            with suppress(Exception):
                self._slave.freeInstance()

    def _at(self, phase: Phase) -> None:
        self._crumbs.at.instance = self.number
        self._crumbs.at.phase = phase

    def _called(self, function: str, *arguments: Any, **named: Any) -> Any:
        try:
            return getattr(self._slave, function)(*arguments, **named)
        except FMICallException as error:
            raise self.failed(error.function.removeprefix("fmi2").removeprefix("fmi3"), error.status) from error

    def _refused(self, function: str, status: int, names: Sequence[str]) -> Exception:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return self.failed(function, status, hint=f"The variables were: {shown}. ")

    def failed(self, function: str, status: int, *, hint: str = "", step: float | None = None) -> FmuFailed:
        """Describe a refused call."""
        self._worst = max(self._worst, status)
        when = "" if math.isnan(self.time) else f" at t = {self.time:.6g} s"
        what = f"{self.name} refused {function}{when} (status: {STATUS[status] if status < 6 else status})."
        if step is not None:
            what = f"{self.name} refused a step of {step:.6g} s{when} (status: {STATUS[status] if status < 6 else status})."
        logged = self.log.last()
        said = f"It logged: “{logged}”." if logged else 'It logged nothing; "loggingOn": true may make it say more.'
        return FmuFailed(what, f"{hint}{said}")

    def _not_loaded(self, error: Exception) -> FmuRefused:
        """Say why a binary cannot be loaded: most often a library that it needs is not there."""
        name, _ = self.fmu.binary()
        text = str(error).replace(str(self._folder), "")
        missing = missing_libraries(self._folder / name)
        if missing:
            hint = f"Install what it needs and this machine lacks: {', '.join(missing)} (`apt-file search` finds packages)."
        elif "invalid ELF" in text or "wrong ELF" in text:
            hint = "It is made for another processor or is damaged; export the FMU again."
        else:
            hint = self._python_hint() or "Export the FMU again for this system."
        return FmuRefused(f"The binary of {self.name} ({self.fmu.path.name}) cannot be loaded: {text.strip()}", hint)

    def _python_hint(self) -> str:
        if not (self._folder / "resources" / "slavemodule.txt").is_file():
            return ""
        wanted = self._folder / "resources" / "requirements.txt"
        if wanted.is_file():
            packages = " ".join(re.findall(r"^[A-Za-z0-9][^\s;#]*", wanted.read_text(errors="replace"), re.MULTILINE))
            return f"It is written in Python and asks for packages: pip install {packages}. "
        return "It is written in Python: perhaps it imports a package that is not installed here. "


def starts(values: Mapping[str, Any], variables: Mapping[str, Any], version: int) -> list[str]:
    """Name the values that do not fit their variables' types."""
    wrong = []
    for group in grouped((variables[name] for name in values), version):
        for variable in group:
            try:
                as_stored(values[variable.name], _call_of(variable, version))
            except (TypeError, ValueError, OverflowError):
                wrong.append(variable.name)
    return wrong


def _call_of(variable: Any, version: int) -> str:
    if variable.type == "Enumeration":
        return "Integer" if version == 2 else "Int64"
    return str(variable.type)
