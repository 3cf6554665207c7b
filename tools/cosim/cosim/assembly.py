"""The instances of a model: unpacked, loaded, and all freed in the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cosim.addresses import InstanceName
from cosim.algorithms import VariableStep
from cosim.crumbs import Crumbs
from cosim.faults import Value
from cosim.fmu_files import FmuFile, forget_paths
from cosim.instances import Instance
from cosim.multimodel import Multimodel


class Assembly:
    """Makes instances; FMUs that several instances share are unpacked once."""

    def __init__(self, model: Multimodel, crumbs: Crumbs, folder: Path | None) -> None:
        """Take the folder to unpack into, or None for a temporary one of our own."""
        self._model = model
        self._crumbs = crumbs
        self._own_folder = folder is None
        self._unpacked = folder or Path(tempfile.mkdtemp(prefix="cosim-"))
        self._folders: dict[Path, Path] = {}
        self.instances: dict[InstanceName, Instance] = {}

    def make(self, name: InstanceName, fmu: FmuFile, number: int) -> Instance:
        """Load an instance; raise FmuRefused or FmuFailed."""
        if fmu.path not in self._folders:
            folder = self._unpacked / str(len(self._folders))
            folder.mkdir(parents=True)
            fmu.unpack(folder)
            self._folders[fmu.path] = folder
        instance = Instance(name, fmu, self._folders[fmu.path], number=number, crumbs=self._crumbs)
        goes_back = isinstance(self._model.algorithm, VariableStep) and instance.can_save
        instance.load(logging_on=self._model.logging_on, goes_back=goes_back, unpacked=self._unpacked)
        return instance

    def make_all(self, fmus: Mapping[str, FmuFile]) -> None:
        """Load every instance of the model."""
        for number, name in enumerate(self._model.instances()):
            self.instances[name] = self.make(name, fmus[name.fmu], number)

    def initialise(self, start: float, stop: float) -> None:
        """Set the model's parameters and bring every instance to initialisation mode."""
        values: dict[InstanceName, dict[str, Value]] = {name: {} for name in self.instances}
        for address, value in self._model.parameters.items():
            values[address.owner][address.variable] = value
        for name, instance in self.instances.items():
            instance.initialise(start, stop, values[name])

    def begin(self) -> None:
        """Let every instance leave initialisation mode."""
        for instance in self.instances.values():
            instance.begin()

    def close(self) -> None:
        """End and free every FMU and remove what was unpacked; never raises."""
        for instance in self.instances.values():
            instance.close()
        forget_paths(self._unpacked)
        if self._own_folder:
            shutil.rmtree(self._unpacked, ignore_errors=True)
