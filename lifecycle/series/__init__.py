"""CSV outputs as plots: columns are read once, kept compactly, and shown thinned out without losing a peak.

`describe` and `read_series` answer; `bytes_to_read` tells beforehand how much of
the file is new, so that a server can give large ones to a process of its own:
`python -m lifecycle.series FILE CACHE`.
"""

from lifecycle.series.build import bytes_to_read, refresh
from lifecycle.series.errors import ColumnNotFound, ColumnNotNumeric, NotATable, OutputNotFound, TableTooLarge
from lifecycle.series.window import DEFAULT_POINTS, Window, describe, known_table, read_series

__all__ = [
    "DEFAULT_POINTS",
    "ColumnNotFound",
    "ColumnNotNumeric",
    "NotATable",
    "OutputNotFound",
    "TableTooLarge",
    "Window",
    "bytes_to_read",
    "describe",
    "known_table",
    "read_series",
    "refresh",
]
