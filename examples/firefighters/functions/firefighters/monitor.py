"""A runtime monitor for properties in time: past-time metric temporal logic over samples.

    formula   meaning at a sample                                        at the time t in s of that sample
    p         the signal p is true; `p < 3`, `p >= q` compare signals and numbers
    not f     f does not hold
    f and g, f or g, f -> g
    previous f           f held at the sample before; false at the first one
    once[a, b] f         f held at some sample between t - b and t - a
    historically[a, b] f f held at every sample between t - b and t - a (also when there is none)
    f since[a, b] g      g held at some sample between t - b and t - a, and f at every sample after it

Without bounds [0, inf] is meant. `->` binds weakest and to the right, then or, and, since, and
the words before a formula strongest. Only what is past is looked at, so each property is decided
at each sample, at once. R. Koymans: Specifying Real-Time Properties with Metric Temporal Logic,
1990; the way of keeping only what later samples may need follows K. Havelund, G. Roșu:
Synthesizing Monitors for Safety Properties, 2002.
"""

import math
import operator
import re
from collections import deque

COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
TEMPORAL = ("once", "historically")
WORDS = {"not", "and", "or", "since", "previous", *TEMPORAL}
TOKEN = re.compile(r"\s*(->|<=|>=|==|!=|[<>()\[\],]|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


class FormulaError(ValueError):
    """The text is no formula; the message says where."""


class Monitor:
    """Decides one formula, sample by sample, with memory for no more than its bounds need."""

    def __init__(self, text):
        self.text = text
        self._decide = _Parser(text).formula()
        self._last = -math.inf

    def step(self, time, signals):
        """Tell whether the formula holds at a new sample; times in s must increase."""
        if time <= self._last:
            raise ValueError(f"the sample at {time} s comes after the one at {self._last} s")
        self._last = time
        return self._decide(time, signals)


def once(a, b, inner):
    """Keep the times at which the formula held; drop those too old to matter."""
    held = deque()

    def decide(time, signals):
        if inner(time, signals):
            held.append(time)
        while held and time - held[0] > b:
            held.popleft()
        if b == math.inf and len(held) > 1:  # the first time is all that matters, for ever
            first = held[0]
            held.clear()
            held.append(first)
        return bool(held) and time - held[0] >= a

    return decide


def historically(a, b, inner):
    """Say that its opposite did not hold once."""
    opposite = once(a, b, lambda time, signals: not inner(time, signals))
    return lambda time, signals: not opposite(time, signals)


def since(a, b, left, right):
    """Keep the times at which the right formula held and after which the left one always has."""
    held = deque()

    def decide(time, signals):
        still, begins = left(time, signals), right(time, signals)
        if not still:
            held.clear()
        if begins:
            held.append(time)
        while held and time - held[0] > b:
            held.popleft()
        if b == math.inf and len(held) > 1:
            first = held[0]
            held.clear()
            held.append(first)
        return bool(held) and time - held[0] >= a

    return decide


def previous(inner):
    last = [False]

    def decide(time, signals):
        answer = last[0]
        last[0] = inner(time, signals)
        return answer

    return decide


def both(join, left, right):
    """Decide two formulas and join the answers; both must see every sample, so there is no short cut."""

    def decide(time, signals):
        one, other = left(time, signals), right(time, signals)
        return join(one, other)

    return decide


class _Parser:
    """Recursive descent; each method gives a function (time, signals) -> bool."""

    def __init__(self, text):
        self.text, self.tokens, at = text, [], 0
        text = text.rstrip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise FormulaError(f"{self.text!r}: cannot read {text[at:].strip()[:12]!r}")
            self.tokens.append(match.group(1))
            at = match.end()
        self.tokens.append("")  # the end
        self.at = 0

    def formula(self):
        read = self.implies()
        if self.next:
            self.fail("the end")
        return read

    @property
    def next(self):
        return self.tokens[self.at]

    def take(self, *wanted):
        """Move on when the next word is one of these, and give it."""
        if self.next and self.next in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def fail(self, wanted):
        raise FormulaError(f"{self.text!r}: {wanted} is expected where {self.next or 'the end'!r} stands")

    def need(self, word):
        if not self.take(word):
            self.fail(repr(word))

    def implies(self):
        left = self.either()
        if self.take("->"):
            return both(lambda one, other: not one or other, left, self.implies())
        return left

    def either(self):
        read = self.all_of()
        while self.take("or"):
            read = both(operator.or_, read, self.all_of())
        return read

    def all_of(self):
        read = self.in_time()
        while self.take("and"):
            read = both(operator.and_, read, self.in_time())
        return read

    def in_time(self):
        read = self.single()
        while self.take("since"):
            bounds = self.bounds()
            read = since(*bounds, read, self.single())
        return read

    def single(self):
        if self.take("not"):
            inner = self.single()
            return lambda time, signals: not inner(time, signals)
        if self.take("previous"):
            return previous(self.single())
        word = self.take(*TEMPORAL)
        if word:
            bounds = self.bounds()
            return (once if word == "once" else historically)(*bounds, self.single())
        if self.take("("):
            inner = self.implies()
            self.need(")")
            return inner
        return self.comparison()

    def bounds(self):
        if not self.take("["):
            return 0.0, math.inf
        a = self.number()
        self.need(",")
        b = math.inf if self.take("inf") else self.number()
        self.need("]")
        if a > b:
            raise FormulaError(f"{self.text!r}: the bounds [{a:g}, {b:g}] are the wrong way round")
        return a, b

    def number(self):
        if not self.next[:1].isdigit():
            self.fail("a number")
        self.at += 1
        return float(self.tokens[self.at - 1])

    def comparison(self):
        left = self.term()
        sign = self.take(*COMPARISONS)
        if not sign:
            return lambda time, signals: bool(left(signals))
        right, compare = self.term(), COMPARISONS[sign]
        return lambda time, signals: compare(left(signals), right(signals))

    def term(self):
        if self.next[:1].isdigit():
            value = self.number()
            return lambda signals: value
        name = self.next
        if not name.isidentifier() or name in WORDS:
            self.fail("a signal or a number")
        self.at += 1
        return operator.itemgetter(name)
