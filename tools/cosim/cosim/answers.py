"""What the command says in the end, to people or to programs."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO


def say_refused(
    what: str,
    fix: str,
    *,
    as_json: bool,
    code: str = "refused",
    exit_code: int = 2,
    stream: TextIO | None = None,
    more: dict[str, Any] | None = None,
) -> int:
    """Say what went wrong and what to do; give the exit code."""
    if as_json:
        answer = {"ok": False, "error": {"code": code, "what": what, "fix": fix, **(more or {})}}
        print(json.dumps(answer), file=stream or sys.stdout, flush=True)
    else:
        print(f"cosim: {what}\n  {fix}", file=sys.stderr, flush=True)
    return exit_code


def say_done(answer: dict[str, Any], *, as_json: bool, stream: TextIO | None = None) -> None:
    """Say what came out: output, rows, end, ended_by, warnings."""
    if as_json:
        print(json.dumps({"ok": True, **answer}), file=stream or sys.stdout, flush=True)
        return
    if answer["ended_by"]:
        print(answer["ended_by"], file=stream)
    print(f"{answer['rows']} rows: {answer['output']}", file=stream, flush=True)
