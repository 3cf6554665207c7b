"""What was deployed becomes a model again, each version with names of its own, or says what is wrong."""

from __future__ import annotations

import msgspec
import pytest

from realtime.bundles import Loaded, load_bundle, read_bundle
from realtime.describe import describe
from realtime.errors import ModelRefused
from realtime.migration import migrate
from realtime.wire import Bundle

CODE = """
from __future__ import annotations
from typing import Annotated
from limits import LONGEST
from realtime import Context, Message, Twin, on_message, on_timer, unit

class Reading(Message):
    \"\"\"What is measured.\"\"\"
    level_m: Annotated[float, unit("m")]

class Tank(Twin):
    \"\"\"One tank.\"\"\"
    level_m: Annotated[float, unit("m")] = 0.0
    names: list[str] = []

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.level_m = min(message.level_m, LONGEST)

    @on_timer("late")
    def late(self, context: Context) -> None:
        \"\"\"Nothing came.\"\"\"
"""


def load(
    code: str = CODE, *, limits: str = "LONGEST = 9", model: str = "Tank", entry: str = "tank.py", **tables: object
) -> Loaded:
    files = {"tank.py": code.encode(), "limits.py": limits.encode()}
    bundle = Bundle(files=files, entry=entry, model=model, tables=tables)
    return load_bundle(read_bundle(msgspec.msgpack.encode(bundle)), 1)


def test_two_versions_each_have_their_own_files() -> None:
    """A migration needs both at once; one that took the other's limits would be wrong without a word."""
    first, second = load(limits="LONGEST = 9"), load(limits="LONGEST = 5")
    message = first.model.decode(b'{"level_m": 7}')
    levels = []
    for loaded in (first, second):
        twin = loaded.model.kind()
        (handler,) = loaded.model.handlers.values()
        handler.call(twin, message, None)
        levels.append(twin.level_m)  # type: ignore[attr-defined]
    assert levels == [7, 5]


def test_without_a_name_the_only_model_of_the_file_is_meant() -> None:
    """`realtime deploy FILE` needs no second word."""
    assert load(model="").model.name == "Tank"
    with pytest.raises(ModelRefused, match="not one model but: Tank, Other"):
        load(CODE + "\nclass Other(Twin):\n    pass\n", model="")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"code": "import nothing_of_the_kind"}, "cannot be imported: ModuleNotFoundError"),
        ({"code": "raise SystemExit(1)"}, "cannot be imported: SystemExit"),
        ({"model": "Barrel"}, "has no class 'Barrel'"),
        ({"entry": "../tank.py"}, "leads out of what was deployed"),
        ({"entry": "other.py"}, "is not among what was deployed"),
    ],
)
def test_what_cannot_be_loaded_says_why(given: dict[str, str], words: str) -> None:
    """Whoever deploys reads it, and mends it."""
    with pytest.raises(ModelRefused, match=words):
        load(**given)  # type: ignore[arg-type]


def test_rubbish_is_no_bundle() -> None:
    """An object store can be written by other programs."""
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_bundle(b"\xc1rubbish")


def test_a_description_has_fields_messages_and_timers() -> None:
    """Pages and commands show a model that they cannot import."""
    found = describe(load().model)
    assert (found["name"], found["doc"]) == ("Tank", "One tank.")
    assert found["fields"][0] == {
        "name": "level_m",
        "type": {"type": "number"},
        "unit": "m",
        "default": 0.0,
        "enum": None,
    }
    assert [(one["name"], one["doc"], one["schema"]["properties"]["level_m"]["type"]) for one in found["messages"]] == [
        ("Reading", "What is measured.", "number")
    ]
    assert found["timers"] == [{"name": "late", "doc": "Nothing came."}]
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def test_states_migrate_by_their_fields_or_by_the_models_own_words() -> None:
    """A fleet of years must not begin anew with each new field."""
    old = load().model.kind()
    old.level_m = 3.5  # type: ignore[attr-defined]
    newer = load(CODE.replace("names: list[str] = []", "pressure_bar: float = 1.0")).model
    assert msgspec.to_builtins(migrate([old], newer)[0]) == {"level_m": 3.5, "pressure_bar": 1.0}
    own = "    @classmethod\n    def migrate(cls, state):\n        return {'level_mm': int(state['level_m'] * 1000)}\n\n    @on_timer"
    other = load(
        CODE.replace('    level_m: Annotated[float, unit("m")] = 0.0', "    level_mm: int = 0").replace(
            "    @on_timer", own
        )
    ).model
    assert migrate([old], other)[0].level_mm == 3500  # type: ignore[attr-defined]
    with pytest.raises(ModelRefused, match="does not fit the new version"):
        migrate([old], load(CODE.replace('level_m: Annotated[float, unit("m")] = 0.0', "level_m: bool = False")).model)
