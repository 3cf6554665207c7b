"""A model in a test, with no server: the very code that handles messages in the service.

mock = Mock(GasSensor)
mock.send("kitchen", Reading(ppm=60), at_s=0)
mock.advance(15 * 60 + 1)
assert mock.alerts("kitchen")
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

import msgspec

from realtime.context import encode
from realtime.errors import MessageRefused
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.outputs import Alert, DeadLetter, Event, Output, Reply, Send
from realtime.partition import Partition
from realtime.twin import Message, Twin

Kind = TypeVar("Kind", bound=Output)


class Mock:
    """Models that send to each other, a clock that only the test moves, and everything that came of it."""

    def __init__(self, *models: type[Twin], tables: Mapping[str, Any] | None = None, start_s: float = 0.0) -> None:
        self._partitions = {kind.__name__: Partition(read_model(kind), tables) for kind in models}
        self._waits = any(
            handler.waits
            for one in self._partitions.values()
            for handler in (*one.model.handlers.values(), *one.model.timers.values())
        )
        self._first = models[0].__name__
        self._position = 0
        self.time_s = start_s
        self.outputs: list[Output] = []

    def send(
        self,
        instance: str,
        *messages: Message | Mapping[str, Any] | bytes,
        at_s: float | None = None,
        model: type[Twin] | None = None,
    ) -> list[Output]:
        """Have messages arrive together, as objects, dicts or bytes; give what came of them, of other twins too.

        Time goes on to `at_s` first, so timers that are due by then run before.
        """
        if at_s is not None:
            self._go_to(at_s)
        items = tuple(Item(instance, one if isinstance(one, bytes) else encode(one)) for one in messages)
        return self._apply(model.__name__ if model else self._first, items)

    def send_all(
        self,
        messages: Iterable[tuple[str, Message | Mapping[str, Any] | bytes]],
        *,
        at_s: float | None = None,
        model: type[Twin] | str | None = None,
    ) -> list[Output]:
        """Have messages of many instances arrive together, each with its instance's id; give what came of them."""
        if at_s is not None:
            self._go_to(at_s)
        items = tuple(Item(name, one if isinstance(one, bytes) else encode(one)) for name, one in messages)
        name = model if isinstance(model, str) else model.__name__ if model else self._first
        return self._apply(self._known(name), items)

    def begin_with(self, states: Mapping[str, Twin], model: type[Twin] | None = None) -> None:
        """Let instances begin with states of another run, which stay as they are; those that there were are gone."""
        name = model.__name__ if model else self._first
        self._partitions[name].restore(list(states), [deepcopy(state) for state in states.values()])

    def states(self, model: type[Twin] | None = None) -> dict[str, Any]:
        """Give all states by their instances."""
        partition = self._partitions[model.__name__ if model else self._first]
        return dict(zip(partition.names, partition.twins, strict=True))

    def advance(self, seconds: float) -> list[Output]:
        """Let time pass; give what timers brought about."""
        return self._go_to(self.time_s + seconds)

    def state(self, instance: str, model: type[Twin] | None = None) -> Any:
        """Give the state of an instance; raises KeyError where no message has made it yet."""
        return self._partitions[model.__name__ if model else self._first].get(instance)

    def instances(self, model: type[Twin] | None = None) -> list[str]:
        """Name all instances, in the order of their first messages."""
        return list(self._partitions[model.__name__ if model else self._first].names)

    def replies(self, instance: str | None = None) -> list[Any]:
        """Give what went back to a device, or to all, decoded."""
        return [msgspec.json.decode(one.content) for one in self._of(Reply, instance)]

    def alerts(self, instance: str | None = None) -> list[Alert]:
        """Give the alerts of an instance, or of all."""
        return self._of(Alert, instance)

    def events(self, instance: str | None = None) -> list[Event]:
        """Give the lines of an instance's log, or of all."""
        return self._of(Event, instance)

    def dead_letters(self, instance: str | None = None) -> list[DeadLetter]:
        """Give messages that were refused, or whose handler failed."""
        return self._of(DeadLetter, instance)

    def _of(self, kind: type[Kind], instance: str | None) -> list[Kind]:
        return [one for one in self.outputs if isinstance(one, kind) and instance in (None, one.instance)]

    def _go_to(self, at_s: float) -> list[Output]:
        found: list[Output] = []
        # One timer's moment after the other, as what one of them sends may start another before the next is due.
        while due := [
            at for one in self._partitions.values() if (at := one.timers.next_s()) is not None and at <= at_s
        ]:
            self.time_s = max(self.time_s, min(due))
            for name in self._partitions:
                found += self._apply(name, ())
        self.time_s = max(self.time_s, at_s)
        return found

    def _apply(self, model: str, items: tuple[Item, ...]) -> list[Output]:
        waiting = deque([(model, items)])
        found: list[Output] = []
        while waiting:
            name, arrived = waiting.popleft()
            self._position += 1
            partition = self._partitions[name]
            outputs = self._end(partition.apply(self.time_s, (Group(arrived),), self._position))
            found += outputs
            for one in outputs:
                if isinstance(one, Send):
                    waiting.append((self._known(one.to_model), (Item(one.to_instance, bytes(one.content)),)))
        self.outputs += found
        return found

    def _end(self, applied: Coroutine[Any, Any, list[Output]]) -> list[Output]:
        if self._waits:
            return asyncio.run(applied)
        # Nothing in it waits, so it ends at once: a loop for each message would take longer than the message.
        try:
            applied.send(None)
        except StopIteration as ended:
            found: list[Output] = ended.value
            return found
        raise RuntimeError("a handler that is not asynchronous waited")

    def _known(self, model: str) -> str:
        if model not in self._partitions:
            raise MessageRefused(
                f"A message was sent to the model '{model}', which this mock does not have.",
                f"Give it to Mock(…) too; it has: {', '.join(self._partitions)}.",
            )
        return model
