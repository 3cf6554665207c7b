"""One device's socket: what is written when, who waits, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, cast

from realtime.errors import RealtimeError
from realtime.outputs import Reply
from realtime.service.mqtt.packets import Publish
from realtime.service.mqtt.properties import Reason
from realtime.service.mqtt.proxied import MalformedProxy, ProxyHeader
from realtime.service.mqtt.session import IN_FLIGHT, Device, Phase, Session
from realtime.service.mqtt.shared import Shared

SIGN_IN_S: Final = 10.0
"""From the connection to being signed in."""
WAITING_BYTES: Final = 256 * 1024
"""When so much of one connection waits for the disk, the socket is not read: the device has to wait too."""
STUCK_S: Final = 60.0
"""So long a device may leave unread what is written to it."""
LOOK_S: Final = 15.0
GOODBYE_S: Final = 2.0

log = logging.getLogger("realtime.mqtt")


class Connection(asyncio.Protocol):
    """A session, and the socket, time and tasks around it."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.session = Session()
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._since_s = self._loop.time()
        self._keepalive_s = 0.0
        self._proxy = ProxyHeader() if shared.settings.proxied else None
        self._address = ""
        self._stranger = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._signing: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None
        self._replying: asyncio.Task[None] | None = None
        self._listening = ExitStack()
        self._room = asyncio.Event()
        self._waiting_bytes = 0
        self._stuck_since_s: float | None = None
        self._read = True

    # --- what asyncio calls -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place among the connections, where there is one."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        shared = self.shared
        if len(shared.open) >= shared.settings.connections or (
            self._proxy is None and shared.failures.too_many(self._address)
        ):
            self._transport.abort()
            return
        if self._proxy is None and not self._enter():
            self._transport.abort()
            return
        shared.open.add(self)
        self._timer = self._loop.call_later(SIGN_IN_S, self._look)

    def data_received(self, data: bytes) -> None:
        """Handle what came, all of it in one go."""
        self._heard_s = self._loop.time()
        if self._proxy is not None:
            data = self._without_header(self._proxy, data)
        self._waiting_bytes += len(data)
        self.session.receive(data)
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place away; a connection that broke leaves its will."""
        session, shared = self.session, self.shared
        shared.open.discard(self)
        self._known()
        for one in (self._timer, self._signing, self._replying):
            if one is not None:
                one.cancel()
        self._listening.close()
        self._replying, session.reply_qos = None, None
        session.phase = Phase.ENDED
        device, will = session.device, session.will
        if device is None:
            return
        shared.register.leave(device.topic, session.client_id, self)
        shared.of_owner[device.owner] -= 1
        if not shared.of_owner[device.owner]:
            del shared.of_owner[device.owner]
        if will is not None and not shared.stopping:
            shared.spawn(self._last_will(device, will.payload))

    def pause_writing(self) -> None:
        """The device does not read; so nothing more is read from it, which would need answers."""
        self._stuck_since_s = self._loop.time()
        self._pace()

    def resume_writing(self) -> None:
        """The device reads again."""
        self._stuck_since_s = None
        self._room.set()
        self._pace()

    # --- going on ---------------------------------------------------------------------------

    def _without_header(self, proxy: ProxyHeader, data: bytes) -> bytes:
        try:
            rest = proxy.receive(data)
        except MalformedProxy as error:
            log.warning("what came from %s is not a gateway's: %s", self._address, error)
            self.abort()
            return b""
        if rest is None:
            return b""
        self._proxy, self._address = None, proxy.address or self._address
        if self.shared.failures.too_many(self._address) or not self._enter():
            self.abort()
            return b""
        return rest

    def _enter(self) -> bool:
        """Count as a stranger of this address; tell whether there is room for one more."""
        strangers = self.shared.strangers
        if strangers[self._address] >= self.shared.settings.strangers:
            return False
        strangers[self._address] += 1
        self._stranger = True
        return True

    def _known(self) -> None:
        """Be no stranger any more."""
        if self._stranger:
            self._stranger = False
            self.shared.strangers[self._address] -= 1
            if not self.shared.strangers[self._address]:
                del self.shared.strangers[self._address]

    def _go_on(self) -> None:
        """Do what the session asks for now."""
        session = self.session
        if session.waiting and self._storing is None:
            self._storing = self.shared.spawn(self._store())
        elif not session.waiting:
            self._waiting_bytes = 0
        if session.phase is Phase.SIGNING_IN and self._signing is None:
            self._signing = self.shared.spawn(self._sign_in())
        if (session.reply_qos is None) != (self._replying is None):
            self._switch_replies()
        if session.may_reply:
            self._room.set()
        self._write()
        if session.phase is Phase.ENDED:
            self._close()
        else:
            self._pace()

    def _write(self) -> None:
        out = self.session.out
        if out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(bytes(out))
        out.clear()

    def _pace(self) -> None:
        """Read from the socket, or leave it until there is room."""
        session, transport = self.session, self._transport
        read = (
            self._stuck_since_s is None
            and session.phase is not Phase.SIGNING_IN
            and self._waiting_bytes < WAITING_BYTES
            and len(session.waiting) < IN_FLIGHT
        )
        if read == self._read or transport is None or transport.is_closing():
            return
        self._read = read
        if read:
            self._heard_s = self._loop.time()  # what it says meanwhile was not heard
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _look(self) -> None:
        """See whether the device is late, now and then."""
        now, session = self._loop.time(), self.session
        if session.phase is Phase.ENDED:
            return
        if session.phase in (Phase.NEW, Phase.SIGNING_IN):
            self.leave(Reason.NOT_AUTHORIZED, "not signed in within 10 s")
            return
        if self._stuck_since_s is not None and now - self._stuck_since_s > STUCK_S:
            self.abort()
            return
        if self._keepalive_s and self._read and now - self._heard_s > self._keepalive_s:
            self.leave(Reason.KEEP_ALIVE, f"nothing heard for {self._keepalive_s:g} s")
            return
        late_s = self._heard_s + self._keepalive_s - now if self._keepalive_s and self._read else LOOK_S
        self._timer = self._loop.call_later(max(0.05, min(LOOK_S, late_s + 0.01)), self._look)

    def leave(self, reason: Reason, what: str) -> None:
        """Say goodbye and close."""
        self.session.end(reason, what)
        self._write()
        self._close()

    def _close(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            # Who does not read the goodbye does not keep its place.
            self._loop.call_later(GOODBYE_S, transport.abort)

    def abort(self) -> None:
        """Close at once."""
        self.session.phase = Phase.ENDED
        if self._transport is not None:
            self._transport.abort()

    # --- signing in -------------------------------------------------------------------------

    async def _sign_in(self) -> None:
        session, shared = self.session, self.shared
        connect = session.connect
        if connect is None:
            return
        try:
            key = (connect.password or b"").decode()
            device = await shared.deeds.authenticate(connect.user or "", key)
        except UnicodeDecodeError:
            device = None
        except RealtimeError as error:
            self.leave(Reason.UNAVAILABLE, str(error))
            return
        if session.phase is not Phase.SIGNING_IN or self._transport is None or self._transport.is_closing():
            return
        if device is None:
            shared.failures.note(self._address)
            shared.counts.refused += 1
            self.leave(Reason.CREDENTIALS, "user name and key do not fit")
            return
        if shared.of_owner[device.owner] >= shared.settings.connections_per_owner:
            self.leave(Reason.QUOTA, "the owner has too many connections")
            return
        session.welcome(device)
        self._known()
        shared.of_owner[device.owner] += 1
        self._keepalive_s = connect.keepalive_s * 1.5
        room, before = shared.register.enter(device.topic, session.client_id, self)
        if before is not None:
            before.leave(Reason.TAKEN_OVER, "the same client id has connected again")
        if not room:
            session.end(Reason.QUOTA, "the device has too many connections with other client ids")
        self._go_on()
        self._look_again()

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._look()

    # --- storing ----------------------------------------------------------------------------

    async def _store(self) -> None:
        """Hand what has come to the disk, chunk after chunk, and acknowledge it."""
        session = self.session
        try:
            while session.waiting and session.device is not None:
                batch = session.take()
                self._waiting_bytes = 0
                self._pace()
                await self._store_batch(batch)
                self._write()
        finally:
            self._storing = None
        self._go_on()

    async def _store_batch(self, batch: Sequence[Publish]) -> None:
        session, counts = self.session, self.shared.counts
        device = session.device
        if device is None:
            return
        try:
            await self.shared.deeds.take(device, [packet.payload for packet in batch])
        except RealtimeError as error:
            if error.status in (413, 422) and len(batch) > 1:  # one of them; the others are good
                for packet in batch:
                    await self._store_batch([packet])
                return
            counts.lost += sum(not packet.qos for packet in batch)
            session.failed(batch, _reason(error), str(error))
            return
        counts.received += len(batch)
        session.stored(batch)

    async def _last_will(self, device: Device, payload: bytes) -> None:
        """Keep it as a message of the device's, behind those that it has sent."""
        if self._storing is not None:
            await asyncio.wait({self._storing})
        with contextlib.suppress(RealtimeError):
            await self.shared.deeds.take(device, [payload])
            self.shared.counts.received += 1

    # --- replies ----------------------------------------------------------------------------

    def _switch_replies(self) -> None:
        """Begin to listen for replies, before the device is told that it is subscribed, or stop."""
        device = self.session.device
        if self._replying is not None:
            self._replying.cancel()
            self._replying = None
            self._listening.close()
        elif device is not None:
            queue = self._listening.enter_context(self.shared.deeds.listen(device))
            self._replying = self.shared.spawn(self._reply(queue))

    async def _reply(self, queue: asyncio.Queue[Reply]) -> None:
        session = self.session
        while True:
            reply = await queue.get()
            while not session.may_reply or self._stuck_since_s is not None:
                self._room.clear()
                await self._room.wait()
            if session.reply(reply.content, reply.output_id):
                self.shared.counts.replies += 1
            self._write()


def _reason(error: RealtimeError) -> Reason:
    """Give MQTT 5's word for what hinders a message."""
    if error.status in (507, 413):
        return Reason.QUOTA
    return Reason.IMPLEMENTATION if error.status < 500 else Reason.UNSPECIFIED
