"""People who meet: when one is tested positive, all whom the infection may have reached are told within seconds.

A contact links two instances. A positive test sends a signal along the contacts, from person to person, a bounded
number of steps; a person who was signalled for a case passes it on only if it came by a shorter way than before,
so it ends wherever contacts go in circles.
"""

from enum import StrEnum
from typing import Final

from realtime import Context, Message, Severity, Twin, on_message

MOST_HOPS: Final = 3
INFECTIOUS_S: Final = 14 * 86_400.0
"""Contacts before that do not count."""
MOST_CONTACTS: Final = 100
MOST_CASES: Final = 20


class Department(StrEnum):
    """What people work in."""

    OFFICE = "office"
    LABORATORY = "laboratory"
    PRODUCTION = "production"
    LOGISTICS = "logistics"
    SALES = "sales"


class Place(StrEnum):
    """Where, by the states of the USA."""

    CA = "CA"
    CO = "CO"
    FL = "FL"
    IL = "IL"
    MA = "MA"
    NY = "NY"
    TX = "TX"
    WA = "WA"


class Join(Message):
    """A person comes under the programme."""

    department: Department
    place: Place
    group: str


class Contact(Message):
    """This person met another one."""

    other: str


class Met(Message):
    """Another one reports that they met; this is not passed on."""

    other: str


class Tested(Message):
    """The result of this person's test."""

    positive: bool


class Signal(Message):
    """Somebody whom this person met, or who met whom this person met, is positive."""

    case: str
    hops: int
    by: str


class Health(StrEnum):
    """What is known."""

    CLEAR = "clear"
    SIGNALLED = "signalled"
    POSITIVE = "positive"


class Person(Twin):
    """One person."""

    department: Department | None = None
    place: Place | None = None
    group: str = ""
    health: Health = Health.CLEAR
    contacts: dict[str, float] = {}  # noqa: RUF012 - msgspec gives each instance its own
    """Who was met, and when last."""
    cases: dict[str, int] = {}  # noqa: RUF012 - likewise
    """Cases that this person was signalled for, and how many steps away they are."""
    alerts: int = 0
    signalled_s: float | None = None

    @on_message(Join)
    def join(self, message: Join, context: Context) -> None:
        """Learn who it is."""
        self.department, self.place, self.group = message.department, message.place, message.group

    @on_message(Contact)
    def meet(self, message: Contact, context: Context) -> None:
        """Remember the other one, and have the other one remember."""
        if message.other != context.instance:
            self._remember(message.other, context)
            context.send(Person, message.other, Met(other=context.instance))

    @on_message(Met)
    def be_met(self, message: Met, context: Context) -> None:
        """Remember the other one."""
        self._remember(message.other, context)

    @on_message(Tested)
    def test(self, message: Tested, context: Context) -> None:
        """Signal all contacts of somebody who is positive; a second test of the same outbreak signals nobody again."""
        if not message.positive:
            if self.health is not Health.CLEAR:
                context.log_event("tested negative")
            self.health = Health.CLEAR
            return
        if self.health is Health.POSITIVE:
            return
        self.health = Health.POSITIVE
        context.raise_alert("positive", f"{context.instance} is positive", severity=Severity.CRITICAL)
        case = f"{context.instance}@{context.time_s:.0f}"
        self._add_case(case, 0)
        self._pass_on(case, 1, context)

    @on_message(Signal)
    def be_signalled(self, message: Signal, context: Context) -> None:
        """Tell this person, once for a case, and pass the signal on."""
        before = self.cases.get(message.case)
        if before is not None and before <= message.hops:
            return
        self._add_case(message.case, message.hops)
        if before is None:
            self._tell(message, context)
        if message.hops < MOST_HOPS:
            self._pass_on(message.case, message.hops + 1, context)

    def _tell(self, message: Signal, context: Context) -> None:
        self.alerts += 1
        self.signalled_s = context.time_s
        if self.health is Health.CLEAR:
            self.health = Health.SIGNALLED
        near = message.hops == 1
        text = "met somebody who is positive" if near else f"is {message.hops} steps away from somebody who is positive"
        context.raise_alert(
            "contact",
            f"{context.instance} {text}",
            severity=Severity.WARNING if near else Severity.NOTE,
            details={"case": message.case, "hops": message.hops},
        )
        context.reply({"advice": "stay at home and have a test" if near else "have a test", "hops": message.hops})

    def _pass_on(self, case: str, hops: int, context: Context) -> None:
        since_s = context.time_s - INFECTIOUS_S
        for other, at_s in self.contacts.items():
            if at_s >= since_s:
                context.send(Person, other, Signal(case=case, hops=hops, by=context.instance))

    def _add_case(self, case: str, hops: int) -> None:
        self.cases[case] = hops
        if len(self.cases) > MOST_CASES:
            del self.cases[next(iter(self.cases))]

    def _remember(self, other: str, context: Context) -> None:
        self.contacts.pop(other, None)  # the latest stands last
        self.contacts[other] = context.time_s
        if len(self.contacts) > MOST_CONTACTS:
            del self.contacts[next(iter(self.contacts))]
