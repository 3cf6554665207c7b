"""The text of a condition becomes a tree, with limits on what it may cost."""

from __future__ import annotations

from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from realtime.errors import QueryRefused

DIALECT: Final = "duckdb"
LONGEST: Final = 4000
"""Characters of a condition."""
MOST_TOKENS: Final = 2500
DEEPEST: Final = 30
"""Parentheses within each other, and signs or NOTs in a row."""
MOST_PARAMETERS: Final = 1000
_PREFIXES: Final = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.PARAMETER}
_OPENING: Final = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING: Final = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}


def parse(text: str) -> exp.Expression:
    """Read one condition; raises QueryRefused."""
    if len(text) > LONGEST:
        raise refused(
            f"The condition has {len(text)} characters", f"Write at most {LONGEST}; give values as parameters."
        )
    try:
        _look_over(sqlglot.tokenize(text, read=DIALECT))
        found: Any = sqlglot.parse_one(text, read=DIALECT)
    except RecursionError as error:
        raise refused("The condition is nested too deeply", "Write it in a simpler way.") from error
    except TokenError as error:
        raise refused("The condition has a text or a name that does not end", "Close it with ' or \".") from error
    except SqlglotError as error:
        raise refused(
            f"The condition cannot be read{_place(error)}", "Write it as: temperature_c > 100 AND region = 'NW'."
        ) from error
    if not isinstance(found, exp.Expression):
        raise refused("The condition cannot be read", "Write it as: temperature_c > 100 AND region = 'NW'.")
    return found


def _look_over(tokens: list[Token]) -> None:
    """Refuse what would take long to read, and what has no place in a condition, before it is read."""
    if len(tokens) > MOST_TOKENS:
        raise refused(f"The condition has {len(tokens)} words and signs", f"Write at most {MOST_TOKENS}.")
    depth = row = 0
    for token in tokens:
        if token.comments or token.token_type in {TokenType.SEMICOLON, TokenType.HINT}:
            raise refused(
                f"Comments and ';' have no place in a condition, at character {token.start + 1}", "Leave them out."
            )
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        row = row + 1 if token.token_type in _PREFIXES else 0
        if depth > DEEPEST or row > DEEPEST:
            raise refused(
                f"The condition is nested too deeply, at character {token.start + 1}", "Write it in a simpler way."
            )


def _place(error: SqlglotError) -> str:
    for one in getattr(error, "errors", None) or ():
        if one.get("highlight"):
            return f" at '{str(one['highlight'])[:50]}', line {one['line']}, character {one['col']}"
    return ""


def position(node: exp.Expression) -> str:
    """Say where something stands, as ' at character 12'; '' where it is not known."""
    starts = [one.meta["start"] for one in node.walk() if "start" in one.meta]
    return f" at character {min(starts) + 1}" if starts else ""


def refused(what: str, fix: str = "") -> QueryRefused:
    """Make the error for a condition."""
    return QueryRefused(f"{what}.", fix)
