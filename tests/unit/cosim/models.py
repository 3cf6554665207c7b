"""Models of two plants, and what became of simulating them."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOL = Path(__file__).parents[3] / "tools" / "cosim"
if str(TOOL) not in sys.path:
    sys.path.insert(0, str(TOOL))

from cosim import KeptResults, Multimodel, simulate  # noqa: E402

LINKS = {"{a}.p.x": ["{b}.q.u"], "{b}.q.x": ["{a}.p.u"]}
PARAMETERS = {"{a}.p.x0": 1.0, "{b}.q.k": 2.0}


def table(content: dict[str, Any], **options: Any) -> KeptResults:
    """Simulate and give the rows."""
    results = KeptResults()
    simulate(Multimodel.of(content), results=results, **options)
    return results


def column(results: KeptResults, name: str) -> list[Any]:
    place = results.columns.index(name)
    return [row[place] for row in results.table]


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def answer(self) -> dict[str, Any]:
        return json.loads(self.out)  # type: ignore[no-any-return]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOOL)}
