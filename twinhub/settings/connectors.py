"""Brokers elsewhere whose messages go to real-time twins here."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from twinhub.settings.section import SECRET_FILE, Section

ConnectorName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
SCHEMES: Final = {
    "mqtt": ("mqtt", "mqtts"),
    "nats": ("nats", "tls"),
    "amqp": ("amqp", "amqps"),
    "kafka": ("kafka", "kafkas"),
}
PLACE: Final = re.compile(r"key|topic:[1-9][0-9]?|header:[^\s:]{1,100}|field:[^\s.]+(\.[^\s.]+){0,7}")
PLACES: Final = "topic:2 (its second part), key, header:NAME, field:device.id"


class Connector(Section):
    """One way from a broker elsewhere to a model; what cannot be given to the model goes to its dead letters."""

    kind: Literal["mqtt", "nats", "amqp", "kafka"] = Field(description="What the broker speaks.")
    url: str = Field(
        description="Its address: mqtt://HOST:1883, nats://HOST:4222, amqp://HOST:5672/VHOST, kafka://HOST:9092,HOST:9092; "
        "encrypted: mqtts, tls, amqps, kafkas. Never with a password.",
    )
    user: str | None = Field(None, description="User there; empty: none.")
    password_file: str | None = Field(
        None, pattern=SECRET_FILE, description="File below secrets/, of mode 0600, with that user's password."
    )
    authority_file: str | None = Field(
        None, description="Certificates, in PEM, that an encrypted broker is checked against; empty: the machine's."
    )
    owner: str = Field(min_length=1, description="User of the hub whose model it is.")
    model: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$", description="The model.")
    source: str = Field(
        min_length=1,
        max_length=1000,
        description="What to read there: a topic with wildcards (mqtt), a subject with wildcards (nats), a queue that is there "
        "(amqp), a topic (kafka).",
    )
    stream: str | None = Field(
        None,
        pattern=r"^[^\s.*>]{1,200}$",
        description="For nats, the JetStream stream that keeps the subject's messages, which come exactly once then. Empty: "
        "messages as they pass; those sent while nobody listens are lost.",
    )
    instance: str = Field(
        "topic:2",
        description=f"Where a message names its instance: {PLACES}. Parts of a topic are counted from 1, between '/' for mqtt, "
        "'.' for others.",
    )
    message: str = Field(
        "payload", description="What is given to the model: payload, or field:NAME of it, which is JSON."
    )

    @field_validator("instance")
    @classmethod
    def _a_place(cls, text: str) -> str:
        if not PLACE.fullmatch(text):
            raise ValueError(f"'{text[:60]}' is no place of an instance's id; allowed: {PLACES}")
        return text

    @field_validator("message")
    @classmethod
    def _a_message(cls, text: str) -> str:
        if text != "payload" and not (text.startswith("field:") and PLACE.fullmatch(text)):
            raise ValueError(f"'{text[:60]}' is no message; allowed: payload, field:NAME")
        return text

    @model_validator(mode="after")
    def _goes_together(self) -> Connector:
        scheme, place, _ = split(self.url)
        if scheme not in SCHEMES[self.kind] or not place:
            allowed = " or ".join(f"{scheme}://HOST:PORT" for scheme in SCHEMES[self.kind])
            raise ValueError(f"url '{_shown(self.url)}' is none of {self.kind}; allowed: {allowed}")
        if "@" in place:
            raise ValueError(f"url '{_shown(self.url)}' names a user; that goes into user and password_file")
        try:
            hosts(self.url, 1)
        except ValueError:
            raise ValueError(f"url '{_shown(self.url)}' names a port that does not exist") from None
        if self.stream is not None and self.kind != "nats":
            raise ValueError(f"stream is for nats; this is {self.kind}")
        if self.password_file is not None and self.user is None:
            raise ValueError("password_file without a user")
        if self.instance == "key" and self.kind != "kafka":
            raise ValueError(f"instance 'key' is for kafka; this is {self.kind}")
        if self.instance.startswith("header:") and self.kind == "mqtt":
            raise ValueError("instance 'header:…' is not for mqtt, which has none")
        return self


def split(url: str) -> tuple[str, str, str]:
    """Give scheme, hosts and path of an address; newer urlsplits refuse several hosts where one is in brackets."""
    scheme, _, rest = url.partition("://")
    place, slash, path = re.split("[?#]", rest, maxsplit=1)[0].partition("/")
    return scheme.lower(), place, slash + path


def hosts(url: str, default_port: int) -> list[tuple[str, int]]:
    """Give the hosts and ports of an address, which may name several between commas; raises ValueError."""
    found = []
    for one in split(url)[1].rpartition("@")[2].split(","):
        parts = urlsplit(f"//{one}")
        found.append((parts.hostname or "localhost", parts.port or default_port))
    return found


def _shown(url: str) -> str:
    """Give an address without what may be a password."""
    return re.sub(r"//[^@/]*@", "//…@", url)[:100]
