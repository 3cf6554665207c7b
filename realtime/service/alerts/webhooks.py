"""Deliveries to webhooks: one signed POST for each alert."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from typing import Any, Final

import httpx2
import msgspec

from realtime.service.alerts.errors import AlertRefused, PlaceClosed
from realtime.service.alerts.models import Delivery, Notice
from realtime.service.alerts.reach import Reach

TIMEOUT_S: Final = 15.0
"""For all of a delivery, however slowly the receiver says a little."""
MOST_CONNECTIONS: Final = 500
"""An owner has a few of them; see Sender."""
ID: Final = "X-Twinhub-Alert"
SIGNATURE: Final = "X-Twinhub-Signature"


class NotDelivered(Exception):
    """A try that failed; the words are for the owner."""


class Webhooks:
    """Posts notices."""

    def __init__(self, reach: Reach, *, verify: Any = True, timeout_s: float = TIMEOUT_S) -> None:
        self._reach = reach
        self._timeout_s = timeout_s
        # Neither proxies nor passwords of this machine's environment belong to owners' addresses.
        self._client = httpx2.AsyncClient(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            verify=verify,
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=0),
        )

    async def send(self, delivery: Delivery, secret: bytes, notice: Notice) -> str:
        """Post one notice; give the answer in words. Raises NotDelivered."""
        url = read_url(delivery.url)
        body = encode(notice)
        stamp = str(int(time.time()))
        headers = {
            "Host": url.netloc.decode(),
            "Content-Type": "application/json",
            "User-Agent": "twinhub",
            ID: notice.id,
            SIGNATURE: f"t={stamp},v1={sign(secret, stamp, body)}",
        }
        try:
            async with asyncio.timeout(self._timeout_s):
                address = await self._reach.address_of(url.host, url.port or (443 if url.scheme == "https" else 80))
                request = self._client.build_request(
                    "POST",
                    url.copy_with(host=address),
                    headers=headers,
                    content=body,
                    extensions={"sni_hostname": url.host},
                )
                answer = await self._client.send(request, stream=True)
                await answer.aclose()  # what it says is nobody's business: an owner could read foreign pages by it
        except PlaceClosed as error:
            raise NotDelivered(str(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise NotDelivered(f"{type(error).__name__}: no answer from {url.host}") from error
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(
                f"{url.host} answered {answer.status_code}; it must be 200 to 299, redirects are not followed"
            )
        return f"{url.host} answered {answer.status_code}"

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()


def sign(secret: bytes, stamp: str, body: bytes) -> str:
    """Sign a body with the time at which it was sent, so that neither can be changed nor sent again much later."""
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def encode(notice: Notice) -> bytes:
    """Give what webhooks and brokers receive."""
    return msgspec.json.encode({"id": notice.id, "what": notice.what, "owner": notice.owner, "alert": notice.matter})


def read_url(text: str) -> httpx2.URL:
    """Read a webhook's address; raises AlertRefused."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise AlertRefused(f"'{text[:200]}' is no address.", "Give one such as https://example.org/alerts.") from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or len(text) > 2000:
        raise AlertRefused(
            f"'{text[:200]}' is no address for a webhook.",
            "Give one that starts with https:// or http://, without a password in it.",
        )
    return url
