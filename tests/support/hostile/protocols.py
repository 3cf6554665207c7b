"""Bad use of what stands on top of HTTP: WebSockets, GraphQL, resumable uploads, OAuth, the hub's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.support.hostile.attack import Attack, Target, request

UPGRADE: Final = "Upgrade: websocket\r\nConnection: Upgrade"
KEY: Final = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"

UPGRADES: Final = (
    (UPGRADE, b""), (f"{UPGRADE}\r\nSec-WebSocket-Version: 13", b""), (f"{UPGRADE}\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13", b""),
    (f"{UPGRADE}\r\nSec-WebSocket-Key: \xff\r\nSec-WebSocket-Version: 13", b""),
    (f"{UPGRADE}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 99", b""),
    (f"{UPGRADE}\r\n{KEY}", b""), (f"{UPGRADE}\r\n{KEY}\r\nOrigin: https://evil.example", b""), (f"{UPGRADE}\r\n{KEY}\r\nOrigin: \xff", b""),
    (f"{UPGRADE}\r\n{KEY}\r\nOrigin: http://[", b""), (f"{UPGRADE}\r\n{KEY}\r\nSec-WebSocket-Protocol: \xff, ,", b""),
    (f"{UPGRADE}\r\n{KEY}\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99", b""),
    (f"{UPGRADE}\r\n{KEY}\r\nSec-WebSocket-Extensions: ;;;\xff", b""), (f"{UPGRADE}\r\n{KEY}", b"\xff\xff\xff\xff" * 10),
    (f"{UPGRADE}\r\n{KEY}", b"\x81\x05hello"), (f"{UPGRADE}\r\n{KEY}", b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"),
    (f"{UPGRADE}\r\n{KEY}", b"\x81\x82\x00\x00\x00\x00\xff\xfe"), (f"{UPGRADE}\r\n{KEY}", b"\x88\x81\x00\x00\x00\x00\x01"),
    (f"{UPGRADE}\r\n{KEY}", b"\x89\xfe\x10\x00\x00\x00\x00\x00" + b"p" * 4096), ("Upgrade: websocket, h2c\r\nConnection: x, upgrade", b""),
    (f"Upgrade: \xff\r\nConnection: Upgrade\r\n{KEY}", b""),
)  # fmt: skip

GRAPHQL: Final[tuple[Any, ...]] = (
    {}, [], None, 1, "x", {"query": None}, {"query": 1}, {"query": []}, {"query": {}}, {"query": ""}, {"query": "{"}, {"query": "}"},
    {"query": "\u0000"}, {"query": "{ \ud800 }"}, {"query": "{ nothing }"}, {"query": "{ viewer }"}, {"query": "{ viewer { name { x } } }"},
    {"query": "{" * 3000}, {"query": "{ a " * 500 + "}" * 500}, {"query": "{ " + "viewer { name } " * 500 + "}"},
    {"query": "{ " + " ".join(f"a{n}: viewer {{ name }}" for n in range(500)) + " }"}, {"query": "fragment A on Query { ...A } { ...A }"},
    {"query": "fragment A on Query { ...B } fragment B on Query { ...A } { ...A }"}, {"query": "{ ...Missing }"}, {"query": "query A { viewer { name } } query B { viewer { name } }"},
    {"query": "{ viewer { name } }", "operationName": "None"}, {"query": "{ viewer { name } }", "operationName": 7}, {"query": "{ viewer { name } }", "variables": "x"},
    {"query": "{ viewer { name } }", "variables": [1]}, {"query": "query A($a: String!) { asset(path: $a) { path } }"},
    {"query": "query A($a: String!) { asset(path: $a) { path } }", "variables": {"a": 1}}, {"query": "query A($a: String!) { asset(path: $a) { path } }", "variables": {"a": "\u0000"}},
    {"query": "query A($a: String!) { asset(path: $a) { path } }", "variables": {"a": "../../etc/passwd"}},
    {"query": "query A($a: String!) { asset(path: $a) { path } }", "variables": {"a": "\ud800"}}, {"query": "query A($a: String!) { asset(path: $a) { path } }", "variables": {"a": "a" * 100_000}},
    {"query": 'query { listDirectory(path: "../..") { repository { tree { blobs { edges { node { name } } } } } } }'},
    {"query": 'query { listDirectory(path: "marie", first: -1) { repository { tree { totalCount } } } }'},
    {"query": 'query { listDirectory(path: "marie", first: 99999999999999999999) { repository { tree { totalCount } } } }'},
    {"query": 'query { listDirectory(path: "marie", after: "\\u0000") { repository { tree { totalCount } } } }'},
    {"query": 'query { readFile(path: "") { repository { blobs { nodes { rawBlob } } } } }'}, {"query": 'query { readFile(path: "marie/\\u0000") { repository { blobs { nodes { rawBlob } } } } }'},
    {"query": '{ assets(text: "%_\'\\"*()^:-", first: 5) { nodes { path } } }'}, {"query": '{ assets(text: "NEAR(a b, 9999999999)", first: 5) { nodes { path } } }'},
    {"query": '{ assets(first: 101) { nodes { path } } }'}, {"query": '{ assets(first: 5, after: "zzz") { nodes { path } } }'}, {"query": '{ assets(first: 5, after: "/////w==") { nodes { path } } }'},
    {"query": '{ compare(old: "marie", new: "\\u0000") { summary } }'}, {"query": '{ audit(first: 5, after: "-9999999999999999999999") { nodes { time } } }'},
    {"query": 'mutation { delete(path: "..") { id } }'}, {"query": 'mutation { delete(path: "") { id } }'}, {"query": 'mutation { restore(id: "../../x") { path } }'},
    {"query": 'mutation { erase(id: "\\u0000") }'}, {"query": 'mutation { move(path: "marie/data", target: "marie/data/x") { path } }'}, {"query": 'mutation { makeFolder(path: "marie/\\ud83d") { path } }'},
    {"query": 'mutation { writeText(path: "marie/data", text: "x") { path } }'}, {"query": 'mutation { publish(path: "marie", version: "../..") { path } }'},
    {"query": "subscription { viewer { name } }"}, {"query": "{ __schema { types { name fields { type { ofType { ofType { ofType { name } } } } } } } }"}, {"query": "{ __type(name: 1) { name } }"},
    {"query": "{ viewer @skip(if: 1) { name } }"}, {"query": "{ viewer @nothing { name } }"}, {"query": '"""' * 99}, {"query": "# " + "c" * 200_000}, [{"query": "{ viewer { name } }"}] * 50,
    {"query": "{ viewer { name } }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}},
)  # fmt: skip

TUS: Final = (
    ("POST", ""), ("POST", "Upload-Length: -1"), ("POST", "Upload-Length: abc"), ("POST", "Upload-Length: 99999999999999999999999999"), ("POST", "Upload-Length: 1e3"),
    ("POST", "Upload-Length: \xff"), ("POST", "Upload-Length: 5\r\nUpload-Metadata: \xff"), ("POST", "Upload-Length: 5\r\nUpload-Metadata: filename !!!"),
    ("POST", "Upload-Length: 5\r\nUpload-Metadata: path Li4vLi4vZXRjL3Bhc3N3ZA=="), ("POST", "Upload-Length: 5\r\nUpload-Metadata: path bWFyaWUvZGF0YS8AeA=="),
    ("POST", "Upload-Length: 5\r\nUpload-Metadata: path //8="), ("POST", "Upload-Length: 5\r\nUpload-Metadata: path,path,path"), ("POST", "Upload-Length: 5\r\nUpload-Metadata: " + "a YQ==," * 900),
    ("POST", "Upload-Defer-Length: 2"), ("POST", "Upload-Defer-Length: 1\r\nUpload-Length: 5"), ("POST", "Upload-Concat: nonsense"), ("POST", "Upload-Concat: final;"),
    ("POST", "Upload-Concat: final;/lib/uploads/../../x /lib/uploads/%00"), ("POST", "Upload-Concat: final;http://evil.example/a"), ("POST", "Upload-Concat: partial\r\nUpload-Length: -5"),
    ("HEAD", ""), ("PATCH", "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream"), ("PATCH", "Upload-Offset: -1\r\nContent-Type: application/offset+octet-stream"),
    ("PATCH", "Upload-Offset: abc\r\nContent-Type: text/plain"), ("PATCH", "Upload-Offset: 0\r\nUpload-Checksum: md99 x\r\nContent-Type: application/offset+octet-stream"),
    ("PATCH", "Upload-Offset: 0\r\nUpload-Checksum: sha1 \xff\r\nContent-Type: application/offset+octet-stream"), ("DELETE", ""), ("PUT", ""), ("OPTIONS", ""),
)  # fmt: skip

OAUTH: Final = (
    "", "?client_id=", "?client_id=x", "?client_id=%00", "?client_id=%ff", "?client_id=service-twinhub-web", "?client_id=service-twinhub-web&response_type=nonsense",
    "?client_id=service-twinhub-web&response_type=code&redirect_uri=https://evil.example/", "?client_id=service-twinhub-web&response_type=code&redirect_uri=%00",
    "?client_id=service-twinhub-web&response_type=code&scope=admin%00", "?client_id=service-twinhub-web&response_type=code&scope=" + "x+" * 900,
    "?client_id=service-twinhub-web&response_type=code&state=" + "s" * 6000, "?client_id=service-twinhub-web&response_type=code&response_type=token",
    "?client_id=service-twinhub-web&response_type=code&code_challenge=x&code_challenge_method=y", "?client_id=jupyterhub-user-marie&response_type=code",
    "?client_id=jupyterhub-user-../x&response_type=code", "?response_type=code&client_id[]=x", "?client_id=service-twinhub-web&request=eyJ", "?client_id=service-twinhub-web&response_type=code&prompt=%ff",
)  # fmt: skip

VALUES: Final[tuple[Any, ...]] = (
    None,
    1,
    -1,
    2**70,
    1.5,
    "",
    "\u0000",
    "\ud800",
    "../x",
    "a" * 5000,
    "é",
    [],
    ["\u0000"],
    [None],
    {},
    {"a": {}},
    True,
)


def upgrades(target: Target, paths: tuple[str, ...]) -> Iterator[Attack]:
    """Ask for WebSockets in every wrong way."""
    for path in paths:
        for header, after in UPGRADES:
            made = request(target, f"GET {path} HTTP/1.1", header, kind=f"upgrade {path} {header[-30:]!r}")
            yield Attack(made.kind, made.data.replace(b"Connection: close\r\n", b"") + after, stays=True)


def graphql(target: Target) -> Iterator[Attack]:
    """Ask the library in every wrong way."""
    for query in GRAPHQL:
        body = json.dumps(query).encode()
        yield request(
            target, "POST /lib HTTP/1.1", "Content-Type: application/json", body=body, kind=f"graphql {body[:60]!r}"
        )
    for query in (
        "query=%00",
        "query={",
        "query=%7Bviewer%7Bname%7D%7D&variables=x",
        "query=mutation%7Bdelete(path:%22marie%22)%7Bid%7D%7D",
    ):
        yield request(target, f"GET /lib?{query} HTTP/1.1", kind=f"graphql by GET {query[:30]}")


def uploads(target: Target) -> Iterator[Attack]:
    """Begin and continue uploads in every wrong way."""
    for method, header in TUS:
        path = "/lib/uploads" if method == "POST" else "/lib/uploads/0123456789abcdef"
        for version in ("Tus-Resumable: 1.0.0", "Tus-Resumable: 9.9"):
            headers = [one for one in (version, header) if one]
            yield request(
                target, f"{method} {path} HTTP/1.1", *headers, body=b"hello", kind=f"tus {method} {header[:40]!r}"
            )


def oauth(target: Target) -> Iterator[Attack]:
    """Ask for codes and tokens in every wrong way."""
    for query in OAUTH:
        yield request(target, f"GET /hub/api/oauth2/authorize{query} HTTP/1.1", kind=f"authorize {query[:60]}")
        form = "Content-Type: application/x-www-form-urlencoded"
        body = query.removeprefix("?").encode() + b"&grant_type=authorization_code&code=x"
        yield request(target, "POST /hub/api/oauth2/token HTTP/1.1", form, body=body, kind=f"token {query[:60]}")
        yield request(target, f"GET /app/signin/callback{query} HTTP/1.1", kind=f"callback {query[:60]}")


def hub_api(target: Target, idle: str) -> Iterator[Attack]:
    """Send the hub's API values of every wrong type, where it wants names, lists and numbers.

    `idle` is somebody whose workspace does not run, and who need not survive this.
    """
    for value in VALUES:
        for method, path, body in (
            ("POST", "/users", {"usernames": value}),
            ("POST", "/users", {"usernames": [value], "admin": value}),
            ("PATCH", f"/users/{idle}", {"name": value, "admin": value}),
            ("POST", "/users/marie/tokens", {"note": value, "expires_in": value, "roles": value, "scopes": value}),
            ("POST", "/users/marie/tokens", {"expires_in": value}),
            ("POST", "/users/marie/tokens", {"scopes": [value]}),
            ("POST", "/users/marie/activity", {"last_activity": value, "servers": value}),
            ("POST", "/users/marie/activity", {"servers": {"": value}}),
            ("POST", "/users/marie/server", value),
            ("POST", "/users/marie/server", {"profile": value, "fresh": value, "image": value}),
            ("DELETE", f"/users/{idle}/server", {"remove": value, "now": value}),
            ("POST", "/groups/g/users", {"users": value}),
            ("PUT", "/groups/g/properties", value),
            ("PATCH", "/proxy", {"ip": value, "port": value}),
            ("POST", "/shares/marie/", {"user": value, "scopes": value}),
            ("POST", "/share-codes/marie/", {"expires_in": value}),
            ("POST", "/services", {"name": value}),
            ("POST", "/authorizations/token/x", {"x": value}),
        ):
            if path == "/proxy" and isinstance(value, (int, str)):
                continue  # an administrator may really send the hub to another proxy
            encoded = json.dumps(body).encode()
            line = f"{method} /hub/api{path} HTTP/1.1"
            yield request(
                target, line, "Content-Type: application/json", body=encoded, kind=f"{method} {path} {encoded[:60]!r}"
            )
