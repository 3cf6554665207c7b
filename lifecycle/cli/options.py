"""Options and arguments that several commands share."""

from __future__ import annotations

import click

from lifecycle.cli.completing import complete_parameter, complete_phase, complete_run, complete_twin, complete_which

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")

set_option = click.option(
    "--set",
    "settings",
    metavar="PARAMETER=VALUE",
    multiple=True,
    shell_complete=complete_parameter,
    help="Give a parameter of twin.yaml another value; may be repeated.",
)

twin_argument = click.argument("name", shell_complete=complete_twin)
optional_twin_argument = click.argument("name", required=False, shell_complete=complete_twin)
phase_argument = click.argument("phase", shell_complete=complete_phase)
optional_phase_argument = click.argument("phase", required=False, shell_complete=complete_phase)
run_argument = click.argument("run_id", metavar="RUN", shell_complete=complete_run)
which_argument = click.argument("which", metavar="TWIN|RUN", shell_complete=complete_which)
