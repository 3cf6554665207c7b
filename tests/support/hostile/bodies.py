"""Bad bodies: broken framing, JSON, forms and multipart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.support.hostile.attack import Attack, Secrets, Target, raw, request

JSON: Final = (
    b"{", b"}", b"[", b"null", b"true", b"0", b'""', b"[]", b"{}", b"[null]", b"[1]", b'["a"]', b"[[]]", b"{\"a\":}", b"{'a': 1}",
    b'{"a": 1}{"b": 2}', b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a": -0}',
    b"[" * 5000, b"[" * 900 + b"]" * 900, b'{"a":' * 900 + b"1" + b"}" * 900, b'"\xff\xfe"', b'"\\ud800"', b'"\\u0000"', b'{"\\ud800": "\\udfff"}',
    b"\xef\xbb\xbf{}", "{}".encode("utf-16"), "{}".encode("utf-32"), b"\x00", b"{}\x00", b'{"a": "\x00"}', b'{"a": 1, "a": 2}', b"{" + b" " * 9000,
    b'{"__proto__": {"x": 1}}', b'{"name": {"$ne": null}}', b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    b"!!python/object/apply:os.system ['id']", b"\x1f\x8b\x08\x00garbage", b"\x80\x04\x95", b"a" * 100_000,
)  # fmt: skip

FORMS: Final = (
    b"=", b"&", b"&&&&", b"a", b"%", b"%zz=%zz", b"%ff=%ff", b"a=%00", b"a=\xff", b"username=&password=", b"username=%00&password=%00",
    b"username=" + b"a" * 20_000 + b"&password=b", b"username=a&password=" + b"b" * 20_000, b"username=a&username=b&password=c&password=d",
    b"username[]=a&password[x]=b", b"username=%ff%fe&password=%ff", b"username=%ED%A0%80&password=x", b"username=../../etc&password=x",
    b"username=a%0d%0aX:%20y&password=x", b"username=%F0%9F%92%A5&password=%F0%9F%92%A5", b"username=ADMIN&password=x", b"a=1&" * 3000,
)  # fmt: skip

MULTIPART: Final = (
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"--\r\n\r\n--"), ("multipart/form-data; boundary=b", b""),
    ("multipart/form-data; boundary=b", b"--b\r\n"), ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n--b--"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"; filename="../../x"\r\n\r\nx\r\n--b--'),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--b--'),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: nonsense\r\n\r\nx\r\n--b--"),
    ("multipart/form-data; boundary=" + "b" * 5000, b"--" + b"b" * 5000), ("multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 1500 + b"--b--"),
    ("multipart/form-data; boundary=\xff", b"--\xff\r\n\r\nx"), ('multipart/form-data; boundary="', b"x"),
)  # fmt: skip

FRAMING: Final = (
    ("Content-Length: 5", b""), ("Content-Length: 100", b"{}"), ("Content-Length: 1", b"{}more"), ("Content-Length: -1", b"{}"),
    ("Content-Length: abc", b"{}"), ("Content-Length: 0x10", b"{}"), ("Content-Length: +2", b"{}"), ("Content-Length: 2, 2", b"{}"),
    ("Content-Length: 99999999999999999999999", b"{}"), ("Content-Length: 2\r\nContent-Length: 3", b"{}x"),
    ("Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"), ("Transfer-Encoding: chunked\r\nContent-Length: 2", b"2\r\n{}\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", b""), ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n"), ("Transfer-Encoding: chunked", b"2\r\n{}"),
    ("Transfer-Encoding: chunked", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"), ("Transfer-Encoding: chunked", b"-2\r\n{}\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked", b"2;ext=\xff\r\n{}\r\n0\r\n\r\n"), ("Transfer-Encoding: chunked", b"2\n{}\n0\n\n"),
    ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\nTrailer: \xff\r\n\r\n"), ("Transfer-Encoding: xchunked", b"2\r\n{}\r\n0\r\n\r\n"),
    ("Transfer-Encoding: chunked, identity", b"0\r\n\r\n"), ("Transfer-Encoding: identity", b"{}"), ("Transfer-Encoding:\x0bchunked", b"0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow", b"0\r\n\r\n"), ("Transfer-Encoding : chunked", b"0\r\n\r\n"),
    ("Transfer-Encoding: gzip, chunked", b"2\r\n\x1f\x8b\r\n0\r\n\r\n"),
    ("Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\nGET /hub/admin HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("Content-Encoding: gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03broken"), ("Content-Encoding: \xff", b"{}"),
    ("Expect: 100-continue\r\nContent-Length: 100", b""),
)  # fmt: skip


def bodies(target: Target, secrets: Secrets) -> Iterator[Attack]:
    """Vary what comes after the headers, and how long it is said to be."""
    for number, body in enumerate(JSON):
        path = target.paths[number % len(target.paths)]
        method = ("POST", "PATCH", "PUT", "DELETE")[number % 4]
        yield request(
            target,
            f"{method} {path} HTTP/1.1",
            "Content-Type: application/json",
            body=body,
            kind=f"{method} json {body[:24]!r}",
        )
    for number, body in enumerate(FORMS):
        path = target.paths[number % len(target.paths)]
        form = "Content-Type: application/x-www-form-urlencoded"
        yield request(target, f"POST {path} HTTP/1.1", form, body=body, kind=f"form {body[:24]!r}")
    for number, (media_type, body) in enumerate(MULTIPART):
        path = target.paths[number % len(target.paths)]
        yield request(
            target, f"POST {path} HTTP/1.1", f"Content-Type: {media_type}", body=body, kind=f"multipart {body[:24]!r}"
        )
    for number, (header, body) in enumerate(FRAMING):
        path = target.paths[number % len(target.paths)]
        yield request(
            target,
            f"POST {path} HTTP/1.1",
            "Content-Type: application/json",
            header,
            body=body,
            kind=f"framing {header[:40]!r}",
            ends=True,
        )
    yield from _secrets(target, secrets)
    yield raw("body that never comes", f"POST {target.paths[0]} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{")


def _secrets(target: Target, secrets: Secrets) -> Iterator[Attack]:
    """Send passwords and tokens in bodies, broken in ways that a careless server would log whole."""
    form = "Content-Type: application/x-www-form-urlencoded"
    for path in target.paths:
        body = f"username=nobody&password={secrets.word('formpassword')}&_xsrf={secrets.word('formxsrf')}"
        yield request(target, f"POST {path} HTTP/1.1", form, body=body.encode(), kind="secret in form")
        body = f"username={secrets.word('typedintoname')}&password=%ff"
        yield request(target, f"POST {path} HTTP/1.1", form, body=body.encode(), kind="secret in form")
        body = f'{{"token": "{secrets.word("json")}", "password": ["{secrets.word("jsonlist")}"]'
        yield request(
            target, f"POST {path} HTTP/1.1", "Content-Type: application/json", body=body.encode(), kind="secret in json"
        )
