"""People in groups of 20 to 55 who meet each other, seldom somebody of another group, and are tested."""

import random
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from model import Contact, Department, Join, Person, Place, Tested

from realtime import Clock, Message, Simulation

DEPARTMENTS, PLACES = tuple(Department), tuple(Place)
SMALLEST, LARGEST = 20, 55


@lru_cache(8)
def groups(people: int) -> tuple[int, ...]:
    """Give the number with which each group begins; the last one is that of all people."""
    chance, begins = random.Random(people), [0]  # noqa: S311 - for a model of people, not for secrets
    while people - begins[-1] > LARGEST:
        left = people - begins[-1]
        # What is left must still make a group.
        begins.append(begins[-1] + chance.randint(SMALLEST, min(LARGEST, left - SMALLEST)))
    return (*begins, people)


class Worker(Simulation):
    """One person; meets somebody each hour or so."""

    model = Person
    every_s: float = 3600.0
    elsewhere: float = 0.02
    """The share of meetings with somebody of another group."""
    positive_per_day: float = 0.0001
    tested_positive_s: float = -1.0
    """When the first person is tested positive, after the start; never where it is below 0."""
    began_s: float = 0.0
    first: int = 0
    last: int = 0

    @classmethod
    def name_of(cls, number: int) -> str:
        """Name a person."""
        return f"person-{number}"

    def start(self, clock: Clock) -> Iterator[Message]:
        """Join."""
        begins = groups(clock.count)
        group = bisect_right(begins, clock.number) - 1
        self.first, self.last, self.began_s = begins[group], begins[group + 1] - 1, clock.time_s
        clock.again_in(max(0.001, self.every_s * clock.random.random()))
        place = PLACES[group % len(PLACES)]
        yield Join(department=DEPARTMENTS[clock.number % len(DEPARTMENTS)], place=place, group=f"{place}-{group}")

    def step(self, clock: Clock) -> Iterator[Message]:
        """Meet somebody; perhaps learn the result of a test."""
        chance = clock.random
        clock.again_in(self.every_s * chance.uniform(0.5, 1.5))
        away = chance.random() < self.elsewhere
        other = chance.randrange(clock.count) if away else chance.randint(self.first, self.last)
        if other != clock.number:
            yield Contact(other=self.name_of(other))
        patient = clock.number == 0 and 0 <= self.tested_positive_s <= clock.time_s - self.began_s
        if patient or chance.random() < self.positive_per_day * self.every_s / 86_400:
            self.tested_positive_s = -1.0
            yield Tested(positive=True)
