"""A class that could not run is refused when it is deployed, in words."""

from typing import Annotated

import pytest

from realtime import Context, Message, Mock, Twin, on_message, on_timer, unit
from realtime.errors import ModelRefused
from realtime.model import read_model


class Ping(Message):
    """Anything."""

    value: int = 0


class Base(Twin):
    """Handles pings."""

    count: Annotated[int, unit("1")] = 0

    @on_message(Ping)
    def count_up(self, message: Ping, context: Context) -> None:
        self.count += 1

    @on_timer("tick")
    def tick(self, context: Context) -> None:
        self.count += 100


class Derived(Base):
    """Counts otherwise, and knows more."""

    last: int = 0

    @on_message(Ping)
    def count_up(self, message: Ping, context: Context) -> None:
        super().count_up(message, context)
        self.last = message.value
        context.start_timer("tick", 5)


def test_a_model_inherits_fields_handlers_and_timers() -> None:
    """A special turbine is a turbine."""
    mock = Mock(Derived)
    mock.send("a", {"value": 7})
    mock.advance(6)
    assert (mock.state("a").count, mock.state("a").last) == (101, 7)
    assert read_model(Derived).fields["count"].name == "count"


def broken(name: str) -> type:
    class NoDefault(Twin):
        count: int

        @on_message(Ping)
        def read(self, message: Ping, context: Context) -> None: ...

    class Taken(Twin):
        partition: int = 0

        @on_message(Ping)
        def read(self, message: Ping, context: Context) -> None: ...

    class Unkept(Twin):
        lock: type | complex = 0j

        @on_message(Ping)
        def read(self, message: Ping, context: Context) -> None: ...

    class Deaf(Twin):
        count: int = 0

    class Twice(Twin):
        @on_message(Ping)
        def one(self, message: Ping, context: Context) -> None: ...

        @on_message(Ping)
        def two(self, message: Ping, context: Context) -> None: ...

    class Short(Twin):
        @on_message(Ping)
        def read(self, message: Ping) -> None: ...

    class Foreign(Twin):
        @on_message(int)  # type: ignore[arg-type]
        def read(self, message: int, context: Context) -> None: ...

    return {one.__name__: one for one in (NoDefault, Taken, Unkept, Deaf, Twice, Short, Foreign)}[name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NoDefault", "'count' of the model 'NoDefault' has no default"),
        ("Taken", "'partition' of the model 'Taken' has a name that is taken"),
        ("Unkept", "cannot be kept"),
        ("Deaf", "handles no message"),
        ("Twice", "'one' and 'two' are both there for 'Ping'"),
        ("Short", "takes 2 parameters"),
        ("Foreign", "no kind of message"),
    ],
)
def test_what_is_wrong_is_named(name: str, words: str) -> None:
    """At deployment, not at the first message in the night."""
    with pytest.raises(ModelRefused) as refused:
        read_model(broken(name))
    assert words in refused.value.what
    assert refused.value.fix


@pytest.mark.parametrize("kind", [Twin, int, Ping, "Base"])
def test_only_subclasses_of_twin_are_models(kind: type) -> None:
    """Whatever a file holds beside them."""
    with pytest.raises(ModelRefused, match="no model"):
        read_model(kind)
