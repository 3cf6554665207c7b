"""The API of the DTaaS runner microservice, for programs written for it.

At `runner/TWIN` a command's name is a phase of that twin. At `runner/` it is
TWIN/PHASE, or a bare phase where there is one twin only. What the microservice
answers is answered here: `{"status": "success"}` when the program has ended
well, `{"status": "invalid command"}` otherwise, and commands are remembered
from the workspace's start on.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from lifecycle.errors import TwinError, TwinNotFound
from lifecycle.logs import read_part
from lifecycle.models import RunState
from lifecycle.server.commands import Command
from lifecycle.server.operations import Answer, Call, Operation, Reply, World
from lifecycle.server.schemas import TEXT, answered, ref, some
from lifecycle.server.slowly import slowly
from lifecycle.twins import find_twin, list_twins

LONGEST_NAME: Final = 512
LOGS_BYTES: Final = 1024 * 1024
"""The end of a command's output that is shown."""

VALIDATION_FAILED: Final = {"message": "Validation Failed", "error": "Bad Request", "statusCode": 400}


async def execute(call: Call) -> Any:
    """`POST runner/` and `POST runner/TWIN`: run a command to its end."""
    name = call.body.get("name") if isinstance(call.body, dict) else None
    if not isinstance(name, str):
        return Reply(VALIDATION_FAILED, 400)
    command = Command(name[:LONGEST_NAME])
    twin = call.path.get("twin", "")
    await _known(call)
    call.world.commands.at(twin).append(command)
    try:
        twin_name, phase = await asyncio.to_thread(_address, call.world, twin, name)
        run = await slowly(call.world, call.world.runs.start, twin_name, phase)
    except TwinError as error:
        return Reply({"status": "invalid command", "reason": str(error)}, 400)
    command.run_id = run.id
    state = await call.world.watches.end_of(run.id)
    command.valid = state is RunState.SUCCEEDED
    if command.valid:
        return {"status": "success"}
    return Reply({"status": "invalid command", "reason": f"The run {run.id} is {state}."}, 400)


async def status(call: Call) -> Any:
    """`GET runner/` and `GET runner/TWIN`: the command that was sent last."""
    await _known(call)
    sent = call.world.commands.at(call.path.get("twin", ""))
    if not sent:
        return {"name": "none", "status": "invalid", "logs": {"stdout": "", "stderr": ""}}
    last = sent[-1]
    output = await asyncio.to_thread(_output, call.world, last.run_id)
    return {
        "name": last.name,
        "status": "valid" if last.valid else "invalid",
        "logs": {"stdout": output, "stderr": ""},
    }


async def history(call: Call) -> Any:
    """`GET runner/history` and `GET runner/TWIN/history`."""
    await _known(call)
    return [{"name": command.name} for command in call.world.commands.at(call.path.get("twin", ""))]


def refuse(_: TwinError) -> Reply:
    """Answer a body that is no JSON as the microservice does."""
    return Reply(VALIDATION_FAILED, 400)


async def _known(call: Call) -> None:
    """Let no address be made up: raises TwinNotFound."""
    if "twin" in call.path:
        await asyncio.to_thread(find_twin, call.world.places, call.twin)


def _address(world: World, twin: str, name: str) -> tuple[str, str]:
    """Give the twin and the phase that a command's name stands for."""
    if twin:
        return twin, name
    first, slash, phase = name.rpartition("/")
    if slash:
        return first, phase
    there = list_twins(world.places)
    if len(there) != 1:
        raise TwinNotFound(f"{name!r} names no twin, and there are {len(there)}.", "Send TWIN/PHASE.")
    return there[0].name, name


def _output(world: World, run_id: str | None) -> str:
    if run_id is None:
        return ""
    try:
        log = world.runs.log(run_id)
        part = read_part(log, max(0, log.stat().st_size - LOGS_BYTES), LOGS_BYTES)
    except (TwinError, OSError):
        return ""
    return (part.note + part.data).decode("utf-8", "replace")


COMMAND: Final = {
    "type": "object",
    "properties": {"name": {"type": "string", "description": "PHASE, or TWIN/PHASE at runner/."}},
    "required": ["name"],
}
DONE: Final = Answer(answered({"status": {"const": "success"}}), description="The program ended well.")
REFUSED: Final = {
    "anyOf": [
        answered({"status": {"const": "invalid command"}, "reason": TEXT}, optional=("reason",)),
        answered({"message": TEXT, "error": TEXT, "statusCode": {"const": 400}}),
        ref("Error"),
    ]
}
LAST: Final = Answer(
    answered(
        {"name": TEXT, "status": {"enum": ["valid", "invalid"]}, "logs": answered({"stdout": TEXT, "stderr": TEXT})}
    )
)
ALL: Final = Answer(some(answered({"name": TEXT})))
WORDS: Final = "As the DTaaS runner microservice; the answer comes when the program has ended."

OPERATIONS: Final = (
    Operation("POST", "/runner/", "runCommand", "Run TWIN/PHASE", execute, DONE, body=COMMAND,
              description=WORDS, refusal_schema=REFUSED, refuse=refuse),
    Operation("GET", "/runner/", "getLastCommand", "The command that was sent last", status, LAST),
    Operation("GET", "/runner/history", "listCommands", "All commands, oldest first", history, ALL),
    Operation("POST", "/runner/{twin}", "runCommandOfTwin", "Run a phase of a twin", execute, DONE, body=COMMAND,
              description=WORDS, refusal_schema=REFUSED, refuse=refuse),
    Operation("GET", "/runner/{twin}", "getLastCommandOfTwin", "The command that was sent last", status, LAST),
    Operation("GET", "/runner/{twin}/history", "listCommandsOfTwin", "All commands, oldest first", history, ALL),
)  # fmt: skip
