"""The hub's database, brought to the form that the installed JupyterHub wants."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places

CHECK: Final = """
import sys
from sqlalchemy import create_engine
from jupyterhub import orm
try:
    orm.check_db_revision(create_engine(sys.argv[1]))
except orm.DatabaseSchemaMismatch:
    sys.exit(3)
"""
MIGRATE: Final = "import sys; from jupyterhub import dbutil; dbutil.upgrade(sys.argv[1])"
ANOTHER_FORM: Final = 3


class DatabaseNotMigrated(PublicError):
    """The hub's database could not be brought to the form that this version wants."""

    code = "database_not_migrated"
    status = 500


def ensure_current(places: Places, report: Report) -> bool:
    """Migrate the hub's database where this version wants another form; tell whether that was needed."""
    file = places.hub / "jupyterhub.sqlite"
    if not file.exists() or _run(CHECK, file).returncode != ANOTHER_FORM:
        return False
    supervisor = Supervisor(places)
    with report.step("Migrating the hub's database"):
        if supervisor.running() and any(state.name == "hub" for state in supervisor.states()):
            supervisor.stop("hub")
        done = _run(MIGRATE, file)
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).split())[-400:]
        raise DatabaseNotMigrated(
            f"The hub's database could not be migrated: {last}", "The version before still fits it."
        )
    return True


def revision(places: Places) -> str:
    """Name the form that the database has now; '' where there is none yet."""
    file = places.hub / "jupyterhub.sqlite"
    if not file.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        return f"unreadable: {error}"
    return str(row[0]) if row else ""


def _run(program: str, file: Path) -> subprocess.CompletedProcess[str]:
    # A process of its own: JupyterHub calls `alembic` by its name, which is beside our interpreter.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-c", program, f"sqlite:///{file}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
