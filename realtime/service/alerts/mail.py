"""Deliveries by e-mail, through the operator's mail server."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Final

import aiosmtplib

from realtime.service.alerts.errors import AlertRefused
from realtime.service.alerts.models import Delivery, Notice
from realtime.service.alerts.webhooks import NotDelivered
from twinhub.settings.realtime_delivery import Mail

ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*)")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
LONGEST_SUBJECT: Final = 150
IN_FULL: Final = 100
"""So many alerts of a digest stand in it; the rest is counted."""
MOST_RECIPIENTS: Final = 20
TIMEOUT_S: Final = 30.0


class Mails:
    """Sends notices, several in one mail where they come quickly."""

    def __init__(self, settings: Mail, password: str | None = None, *, context: ssl.SSLContext | None = None) -> None:
        self.settings = settings
        self._password = password
        self._context = context

    async def send(self, delivery: Delivery, notices: Sequence[Notice]) -> str:
        """Send one mail about all of them. Raises NotDelivered."""
        settings = self.settings
        if settings.host is None:
            raise NotDelivered("The operator has set up no mail server ('realtime.alerts.mail.host').")
        message = write(settings.sender, delivery, notices)
        try:
            refused, _ = await aiosmtplib.send(
                message,
                hostname=settings.host,
                port=settings.port,
                username=settings.user,
                password=self._password if settings.user else None,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                tls_context=self._context,
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotDelivered(f"The mail server did not take it: {clean(str(error))[:200]}") from error
        if refused:
            return f"sent, but not to {', '.join(refused)}"
        return f"sent to {', '.join(delivery.to)}"


def write(sender: str, delivery: Delivery, notices: Sequence[Notice]) -> EmailMessage:
    """Write the mail: what devices and models say is in its text, and in its subject without anything that ends a line."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(delivery.to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(idstring=notices[0].id, domain=sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message["Subject"] = _subject(notices)
    lines = [_line(notice) for notice in notices[:IN_FULL]]
    if len(notices) > IN_FULL:
        lines.append(f"and {len(notices) - IN_FULL} more; all are in the list of alerts.")
    message.set_content(
        "\n".join(lines) + f"\n\nSent by the delivery '{clean(delivery.name)}' of {notices[0].owner}.\n"
    )
    return message


def _subject(notices: Sequence[Notice]) -> str:
    first = notices[0].matter
    one = f"[{first.severity}] {first.model} {first.instance}: {first.text}"
    text = one if len(notices) == 1 else f"{len(notices)} alerts, the first: {one}"
    return clean(text)[:LONGEST_SUBJECT]


def _line(notice: Notice) -> str:
    matter = notice.matter
    at = datetime.fromtimestamp(matter.last_s, UTC).isoformat(timespec="seconds")
    return clean(
        f"{at} {notice.what} [{matter.severity}] {matter.model} {matter.instance} ({matter.key}): {matter.text}"
    )


def clean(text: str) -> str:
    """Make one line of a text, which no mail program can take for two."""
    return CONTROL.sub(" ", text).encode("utf-8", "replace").decode().strip()


def check_recipients(recipients: Sequence[str], settings: Mail) -> None:
    """Refuse what is no address, or of a domain to which the operator sends nothing."""
    if not 1 <= len(recipients) <= MOST_RECIPIENTS:
        raise AlertRefused(f"{len(recipients)} addresses were given.", f"Give 1 to {MOST_RECIPIENTS}.")
    for address in recipients:
        found = ADDRESS.fullmatch(address)
        if found is None:
            raise AlertRefused(
                f"'{clean(address)[:100]}' is no address for mail.", "Give one such as somebody@example.org."
            )
        if settings.domains and found[1].lower() not in {domain.lower() for domain in settings.domains}:
            raise AlertRefused(f"Alerts are not sent to '{found[1]}'.", f"Allowed here: {', '.join(settings.domains)}.")
