"""A gas sensor: warns, and shuts a valve, when the air is bad for long or very bad at once.

Limits: 50 ppm is bad; more than 15 minutes above it, or one reading of 200 ppm, is dangerous.
"""

from typing import Annotated, Final

from realtime import Context, Message, Severity, Twin, on_message, unit

BAD_PPM: Final = 50.0
SPIKE_PPM: Final = 200.0
LONGEST_BAD_S: Final = 15 * 60.0
WARNING: Final = "Warning: dangerous air quality."


class Reading(Message):
    """What the sensor measured."""

    ppm: float


class Acknowledged(Message):
    """Somebody has been there and says that all is well."""


class GasSensor(Twin):
    """One sensor in one room."""

    ppm: Annotated[float, unit("ppm")] = 0.0
    exceeded: bool = False
    since_s: Annotated[float | None, unit("s since 1970")] = None
    events: int = 0
    """Periods with bad air."""
    alarm: bool = False
    """On until somebody acknowledges it."""

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        """Follow the air, reading by reading."""
        self.ppm = message.ppm
        if message.ppm <= BAD_PPM:
            self.exceeded, self.since_s = False, None
            return
        if self.since_s is None:
            self.exceeded, self.since_s = True, context.time_s
            self.events += 1
        if message.ppm >= SPIKE_PPM or context.time_s - self.since_s > LONGEST_BAD_S:
            self.alarm = True
            details = {"ppm": message.ppm, "bad_for_s": context.time_s - self.since_s}
            context.raise_alert("air", WARNING, severity=Severity.CRITICAL, details=details)
            context.reply({"command": "shut off"})

    @on_message(Acknowledged)
    def acknowledge(self, message: Acknowledged, context: Context) -> None:
        """Switch the alarm off; bad air that goes on switches it on again."""
        self.alarm = False
        context.log_event("alarm acknowledged")
