"""What the runner writes down about a run: inputs before the program changes them, outputs and the end after it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from lifecycle.index import Index
from lifecycle.launch import Order
from lifecycle.models import Phase, Run
from lifecycle.places import Places
from lifecycle.pruning import prune_after
from lifecycle.records import RECORD, RESERVE, forget_running, promise_record, write_record
from lifecycle.state.recording import look, record_inputs, record_outputs

HEAD_START_S: Final = 0.03
"""How long the program waits for its inputs to be read; what takes longer is read beside it."""

MAKES_RESULTS: Final = frozenset({Phase.CREATE, Phase.EXECUTE, Phase.SAVE, Phase.ANALYZE, Phase.EVOLVE})


class Recorder:
    """The record of one run."""

    def __init__(self, order: Order, run: Run) -> None:
        self._order = order
        self._folder = Path(order.folder)
        self._places = Places(Path(order.workspace), Path(order.runs))
        self._outputs = Path(run.outputs)
        self._ended = threading.Event()
        if run.phase in MAKES_RESULTS:
            with suppress(OSError):  # the program says it better
                self._outputs.mkdir(parents=True, exist_ok=True)
        self._before = look(self._outputs)
        self._inputs = threading.Thread(target=self._record_inputs, daemon=True)

    def begin(self) -> None:
        """Read the inputs, or begin to."""
        self._inputs.start()
        self._inputs.join(HEAD_START_S)

    def _record_inputs(self) -> None:
        uses = [Path(use) for use in self._order.uses]
        record_inputs(self._places, Path(self._order.twin_folder), uses, self._folder, stop=self._ended)

    def finish(self, run: Run, log_bytes: int) -> None:
        """Record the outputs and then the end."""
        run = replace(run, log_bytes=log_bytes)
        # Reading large outputs takes time; a workspace that is killed meanwhile still knows how the program ended.
        promise_record(self._folder, run)
        self._ended.set()
        self._inputs.join()
        changed = record_outputs(self._places, self._outputs, self._folder, self._before)
        run = replace(run, outputs_changed=changed)
        if self._order.lock >= 0:
            # Before the record says so: whoever sees that the run has ended may start the next one at once.
            os.close(self._order.lock)
        write_record(self._folder, run)
        written_ns = (self._folder / RECORD).stat().st_mtime_ns
        Index(self._places.runs).add([(run, written_ns)])
        forget_running(self._places.runs, run.id)
        (self._folder / RESERVE).unlink(missing_ok=True)
        prune_after(self._places, run)
