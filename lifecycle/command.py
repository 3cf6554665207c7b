"""The command `twin`, from its first word on.

A plain `twin run NAME PHASE [--set p=v …]` stands in scripts and loops, and importing the
library for command lines would be a good part of what it costs. It goes past it;
everything else is that library's.
"""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

MORE_THAN_A_PROGRAM: Final = ("explore", "save", "evolve", "terminate")
"""Phases that are commands of their own, which run the twin's program as a part of what they do."""


def main() -> None:
    """Run what was typed."""
    words = sys.argv[1:]
    if _is_plain(words) and "_TWIN_COMPLETE" not in os.environ:
        leave(_run(words[1], words[2], words[4::2]))
    from lifecycle.cli import main as all_commands  # noqa: PLC0415 - this is what the plain case does without

    all_commands(prog_name="twin")


def _is_plain(words: list[str]) -> bool:
    """Tell whether it is `run NAME PHASE`, at most followed by `--set PARAMETER=VALUE` once or more."""
    options, values = words[3::2], words[4::2]
    return (
        len(words) >= 3
        and words[0] == "run"
        and words[2] not in MORE_THAN_A_PROGRAM
        and len(options) == len(values)
        and all(option == "--set" for option in options)
        and not any(word.startswith("-") for word in (*words[1:3], *values))
    )


def _run(name: str, phase: str, settings: list[str]) -> int:
    from lifecycle.errors import TwinError  # noqa: PLC0415
    from lifecycle.following import end_words, exit_code, follow  # noqa: PLC0415
    from lifecycle.places import read_places  # noqa: PLC0415
    from lifecycle.prepared import read_settings  # noqa: PLC0415
    from lifecycle.runs import Runs  # noqa: PLC0415

    try:
        runs = Runs(read_places(), forks=True)
        run = follow(
            runs, runs.start(name, phase, parameters=read_settings(settings)), stop_on_interrupt=True, show=True
        )
    except TwinError as error:
        print(f"twin: {error.what} {error.fix}".rstrip(), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return 1  # whoever read the output has gone; the run goes on
    except KeyboardInterrupt:
        return 130
    print(end_words(run, colour=sys.stderr.isatty()), file=sys.stderr)
    return exit_code(run)


def leave(code: int) -> NoReturn:
    """End here: everything is written, and taking an interpreter apart takes longer than a short run."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
