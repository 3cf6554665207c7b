"""The command `cosim`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cosim.answers import say_refused

EPILOG: Final = """\
exit codes:
  0  done
  1  the simulation itself failed, or an FMU crashed; rows up to there are in outputs.partial.csv
  2  refused: the files or the command are wrong, nothing has run; `check` found errors
  130, 143  stopped by Ctrl-C or a request to terminate; rows up to there are in outputs.partial.csv

examples:
  cosim run cosim.json time.json --output /workspace/data/mass-spring-damper
  cosim check cosim.json
  cosim describe Tank.fmu
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; give the exit code."""
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if any(word.startswith("-") for word in rest) or (rest and chosen.work is not _import):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return int(chosen.work(chosen))
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does.
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cosim",
        description="Co-simulate FMI 2 and FMI 3 units described by a multi-model file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="run|check|describe|import")
    run = verbs.add_parser("run", help="simulate and write outputs.csv")
    _takes_a_model(run)
    run.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where outputs.csv goes (here)")
    run.add_argument("--quiet", action="store_true", help="show no progress")
    run.set_defaults(work=_run)
    check = verbs.add_parser("check", help="say what is wrong without running anything")
    _takes_a_model(check)
    check.set_defaults(work=_check)
    describe = verbs.add_parser("describe", help="list an FMU's variables")
    describe.add_argument("fmu", type=Path, metavar="FMU")
    describe.add_argument("--json", action="store_true", help="for programs")
    describe.set_defaults(work=_describe)
    _add_import(verbs)
    return parser


def _takes_a_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="the multi-model file, such as cosim.json")
    parser.add_argument("time", type=Path, metavar="TIME", nargs="?", help="startTime and endTime, if not in the model")
    parser.add_argument("--gauss-seidel", action="store_true", help="pass outputs on within a step, not after it")
    parser.add_argument("--fmus", type=Path, action="append", default=[], metavar="DIR", help="look for FMUs here, too")
    parser.add_argument("--json", action="store_true", help="for programs")


def _add_import(verbs: Any) -> None:
    """Accept the one command line by which scripts of that world simulate."""
    like = verbs.add_parser(
        "import",
        help="`import [OPTIONS] sg1 MODEL TIME -i`, as Maestro's command has it: the same as `run`",
        prefix_chars="-",
    )
    like.add_argument("generator", choices=["sg1"])
    like.add_argument("files", type=Path, nargs="+", metavar="FILE")
    like.add_argument("-output", "--output", type=Path, default=Path(), metavar="DIR")
    like.add_argument("-i", "--interpret", action="store_true", help="simulate; without it there is nothing to do")
    like.add_argument("-fsp", "--fmu-search-path", dest="fmus", type=Path, action="append", default=[])
    like.add_argument("-vi", "--validate-imports", choices=["FMI2", "FMI3"])
    like.add_argument("--dump-intermediate", "-di", "--inline-framework-config", "-if", action="store_true")
    like.set_defaults(work=_import)


def _import(chosen: argparse.Namespace) -> int:
    files = [file for file in chosen.files if file.suffix == ".json"]
    others = [str(file) for file in chosen.files if file.suffix not in {".json", ""}]
    if not chosen.interpret or others or not 1 <= len(files) <= 2:
        what = f"{others[0]} cannot be read." if others else "This command writes no MaBL specification."
        return say_refused(what, "Write `import … sg1 MODEL TIME -i`, or `cosim run MODEL TIME`.", as_json=False)
    chosen.model, chosen.time = (*files, None)[:2]
    chosen.gauss_seidel = chosen.json = chosen.quiet = False
    return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    from cosim.running import run  # noqa: PLC0415 - what a verb does not need is not loaded

    return run(
        chosen.model,
        chosen.time,
        output=chosen.output,
        gauss_seidel=chosen.gauss_seidel,
        search=chosen.fmus,
        quiet=chosen.quiet,
        as_json=chosen.json,
    )


def _check(chosen: argparse.Namespace) -> int:
    from cosim.checks import check_model  # noqa: PLC0415
    from cosim.errors import CosimError, ModelRefused, Problem  # noqa: PLC0415
    from cosim.multimodel import read_multimodel, with_options  # noqa: PLC0415

    try:
        model = with_options(
            read_multimodel(chosen.model, chosen.time), gauss_seidel=chosen.gauss_seidel, search=chosen.fmus
        )
        _, problems = check_model(model)
    except ModelRefused as error:
        problems = list(error.problems)
    except CosimError as error:
        problems = [Problem(error.what, error.fix)]
    ok = all(problem.level != "error" for problem in problems)
    if chosen.json:
        print(json.dumps({"ok": ok, "problems": [problem.as_json() for problem in problems]}))
    else:
        for problem in problems:
            print(f"{problem.level}: {problem.what}\n  {problem.fix}")
        print("The model can be simulated." if ok else "The model cannot be simulated as it is.")
    return 0 if ok else 2


def _describe(chosen: argparse.Namespace) -> int:
    from cosim.describing import describe, table  # noqa: PLC0415
    from cosim.errors import CosimError  # noqa: PLC0415

    try:
        about = describe(chosen.fmu)
    except CosimError as error:
        return say_refused(error.what, error.fix, as_json=chosen.json, code=error.code)
    print(json.dumps(about) if chosen.json else table(about))
    return 0
