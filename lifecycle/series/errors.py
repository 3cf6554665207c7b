"""Why a file cannot be plotted."""

from __future__ import annotations

from lifecycle.errors import TwinError


class OutputNotFound(TwinError):
    """The twin has written no such file."""

    code = "output_not_found"
    status = 404


class NotATable(TwinError):
    """The file holds no table that can be plotted."""

    code = "not_a_table"
    status = 409


class TableTooLarge(TwinError):
    """The table is larger than what is prepared for plots."""

    code = "table_too_large"
    status = 409


class ColumnNotFound(TwinError):
    """The table has no such column."""

    code = "column_not_found"
    status = 404


class ColumnNotNumeric(TwinError):
    """The column holds words, which cannot be plotted."""

    code = "column_not_numeric"
    status = 409
