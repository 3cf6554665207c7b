"""`python -m lifecycle.series FILE CACHE`: read a table's new rows into its column cache.

A process of its own, so that a server stays free meanwhile. A refusal goes to
standard output as JSON, with exit code 2.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from lifecycle.errors import TwinError
from lifecycle.series.build import refresh
from lifecycle.series.errors import NotATable


def main() -> None:
    """Refresh one table."""
    gc.disable()  # nothing here makes cycles, and looking for them among millions of cells takes half the time
    try:
        table = refresh(Path(sys.argv[1]), Path(sys.argv[2]))
    except (TwinError, OSError) as error:
        refusal = error if isinstance(error, TwinError) else _unreadable(error)
        print(json.dumps({"kind": type(refusal).__name__, **refusal.as_json()}))
        sys.exit(2)
    print(json.dumps({"rows": table.rows}))


def _unreadable(error: OSError) -> NotATable:
    return NotATable(f"The file cannot be read: {error.strerror}.", "Look whether it is still there.")


if __name__ == "__main__":
    main()
