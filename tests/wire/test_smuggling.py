"""Requests that a proxy in front could read in another way than this server: they are refused, and so is all behind them.

Each is sent to a server with the fast lane and to one without, with a good request behind it: what comes back is the same to the byte.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, Connection, request, until
from .test_bad_input import TOKEN
from .test_lanes import Lanes, lanes

EVENT = b'{"event_name":"known","created_at":1600000000,"user_id":"u1"}'
LENGTH = f"Content-Length: {len(EVENT)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT)
OTHER = request("GET", "/admins", token=TOKEN)  # what one reader takes for a body, and the other for the next request


@pytest.fixture(scope="module")
def both() -> Iterator[Lanes]:
    yield from lanes()


class Sent(NamedTuple):
    name: str
    bytes: bytes


def head(*lines: str, line: str = "POST /events HTTP/1.1", host: str = "Host: wire.test", body: bytes = EVENT) -> bytes:
    """A request of these header lines, beside Host and a good token."""
    return "\r\n".join([line, host, f"Authorization: Bearer {TOKEN}", *lines, "", ""]).encode("latin-1") + body


def chunks(body: bytes) -> bytes:
    return head(CHUNKED, body=body)


def target(text: str) -> bytes:
    return head(LENGTH, line=f"POST {text} HTTP/1.1")


def trailer(*lines: str, good: bool = True) -> bytes:
    sent = head(CHUNKED, body=CHUNKS[:-2] + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
    return sent if good else sent.replace(TOKEN.encode(), b"nobody-gave-this-out", 1)


SIZE = b"%x" % len(EVENT)
REFUSED = (
    # Where a body ends.
    Sent("length, then chunked", head(LENGTH, CHUNKED, body=CHUNKS)),
    Sent("chunked, then length", head(CHUNKED, LENGTH, body=CHUNKS)),
    Sent(
        "chunked, with a request behind the last chunk and in the length", head(CHUNKED, "Content-Length: 200", body=b"0\r\n\r\n" + OTHER)
    ),
    Sent("two lengths", head(LENGTH, "Content-Length: 5")),
    Sent("two equal lengths", head(LENGTH, LENGTH)),
    Sent("a list of lengths", head(f"{LENGTH}, {len(EVENT)}")),
    Sent("a length of nothing", head("Content-Length:", body=b"")),
    Sent("a length of nothing beside a length", head("Content-Length:", LENGTH)),
    Sent("a length with +", head(f"Content-Length: +{len(EVENT)}")),
    Sent("a length with -", head(f"Content-Length: -{len(EVENT)}")),
    Sent("a length in hexadecimal", head(f"Content-Length: {len(EVENT):#x}")),
    Sent("a length with an underscore", head("Content-Length: 6_1")),
    Sent("a length with a blank inside", head("Content-Length: 6 1")),
    Sent("a length with a fraction", head("Content-Length: 61.0")),
    Sent("a length past 64 bits", head(f"Content-Length: {2**64 + len(EVENT)}")),
    Sent("a length with a form feed", head(f"{LENGTH}\x0c")),
    Sent("chunked twice", head(CHUNKED, CHUNKED, body=CHUNKS)),
    Sent("chunked twice in a list", head("Transfer-Encoding: chunked, chunked", body=CHUNKS)),
    Sent("identity, then chunked", head("Transfer-Encoding: identity", CHUNKED, body=CHUNKS)),
    Sent("chunked, then identity", head(CHUNKED, "Transfer-Encoding: identity", body=CHUNKS)),
    Sent("identity", head("Transfer-Encoding: identity", LENGTH)),
    Sent("identity alone", head("Transfer-Encoding: identity", body=b"")),
    Sent("gzip, chunked", head("Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    Sent("chunked, gzip", head("Transfer-Encoding: chunked, gzip", body=CHUNKS)),
    Sent("nothing, chunked", head("Transfer-Encoding: ,chunked", body=CHUNKS)),
    Sent("chunked, nothing", head("Transfer-Encoding: chunked,", body=CHUNKS)),
    Sent("chunked in quotes", head('Transfer-Encoding: "chunked"', body=CHUNKS)),
    Sent("chunked with a parameter", head("Transfer-Encoding: chunked;q=1", body=CHUNKS)),
    Sent("chunked behind a word", head("Transfer-Encoding: x chunked", body=CHUNKS)),
    Sent("xchunked", head("Transfer-Encoding: xchunked", body=CHUNKS)),
    Sent("chunked with a vertical tab", head("Transfer-Encoding: chunked\x0b", body=CHUNKS)),
    Sent("an encoding of nothing", head("Transfer-Encoding:", LENGTH)),
    Sent("chunked on a line of its own", head("Transfer-Encoding:\r\n chunked", body=CHUNKS)),
    Sent("chunked with a blank before the colon", head("Transfer-Encoding : chunked", LENGTH)),
    Sent("a length with a blank before the colon", head("Content-Length : 5", LENGTH)),
    Sent("chunked in HTTP/1.0", head(CHUNKED, line="POST /events HTTP/1.0", body=CHUNKS)),
    Sent("chunked and kept alive in HTTP/1.0", head(CHUNKED, "Connection: keep-alive", line="POST /events HTTP/1.0", body=CHUNKS)),
    Sent("CONNECT with a body", head(f"Content-Length: {len(OTHER)}", line="CONNECT /events HTTP/1.1", body=OTHER)),
    Sent("CONNECT elsewhere", head(line="CONNECT other.example:443 HTTP/1.1", body=OTHER)),
    # Chunks.
    Sent("a chunk size of 0x", chunks(b"0x" + CHUNKS)),
    Sent("a chunk size with +", chunks(b"+" + CHUNKS)),
    Sent("a chunk size with -", chunks(b"-" + CHUNKS)),
    Sent("a chunk size behind a blank", chunks(b" " + CHUNKS)),
    Sent("a chunk size before a blank", chunks(CHUNKS.replace(b"\r\n", b" \r\n", 1))),
    Sent("a chunk size of nothing", chunks(b"\r\n" + CHUNKS)),
    Sent("a chunk size past 64 bits", chunks(b"1" + b"0" * 16 + CHUNKS)),
    Sent("a chunk size that ends in a line feed", chunks(CHUNKS.replace(b"\r\n", b"\n", 1))),
    Sent("a chunk size that ends in a carriage return", chunks(CHUNKS.replace(b"\r\n", b"\r", 1))),
    Sent("a line feed in an extension", chunks(SIZE + b";a\n" + EVENT + b"\r\n0\r\n\r\n")),
    Sent("a carriage return in an extension", chunks(SIZE + b";a\rb\r\n" + EVENT + b"\r\n0\r\n\r\n")),
    Sent("a line break in a quoted extension", chunks(SIZE + b';a="\r\n' + EVENT + b'"\r\n0\r\n\r\n')),
    Sent("a control byte in an extension", chunks(SIZE + b";a=\x01\r\n" + EVENT + b"\r\n0\r\n\r\n")),
    Sent("a chunk without its end", chunks(SIZE + b"\r\n" + EVENT + b"0\r\n\r\n")),
    Sent("a chunk that ends in a line feed", chunks(SIZE + b"\r\n" + EVENT + b"\n0\r\n\r\n")),
    Sent("two more bytes than a chunk says", chunks(SIZE + b"\r\n" + EVENT + b"xx0\r\n\r\n")),
    Sent("chunks that end in line feeds", chunks(CHUNKS.replace(b"\r\n", b"\n"))),
    Sent("a length in a trailer", trailer("Content-Length: 3")),
    Sent("chunked in a trailer", trailer(CHUNKED)),
    Sent("a request to close in a trailer", trailer("X: y", "Connection: close")),
    Sent("a request to upgrade in a trailer", trailer("Connection: Upgrade", "Upgrade: h2c")),
    Sent("a request to upgrade in a trailer, the other way about", trailer("Upgrade: h2c", "Connection: Upgrade")),
    Sent("a proxy's connection in a trailer", trailer("proxy-connection: close")),
    Sent("a folded trailer", trailer("X: a", " b")),
    # Where a line ends, and what stands in it.
    Sent("a line feed for a line break", head(LENGTH).replace(b"\r\nContent", b"\nContent")),
    Sent("a line feed at the end of the head", head(LENGTH).replace(b"\r\n\r\n", b"\r\n\n")),
    Sent("a carriage return in a value", head(LENGTH, "X: a\rTransfer-Encoding: chunked")),
    Sent("a carriage return at the end of a value", head(LENGTH, "X: a\r")),
    Sent("a line feed in a value", head(LENGTH, "X: a\nno colon")),
    Sent("a folded value", head(LENGTH, "X: a", " b")),
    Sent("a value folded with a tab", head(LENGTH, "X: a", "\tb")),
    Sent("a folded first line", head(LENGTH, host=" Host: wire.test")),
    Sent("a NUL in a value", head(LENGTH, "X: a\0b")),
    Sent("a NUL in a name", head(LENGTH, "X\0Y: b")),
    Sent("a control byte in a value", head(LENGTH, "X: a\x01b")),
    Sent("a delete in a value", head(LENGTH, "X: a\x7fb")),
    Sent("a vertical tab in a value", head(LENGTH, "X: a\x0bb")),
    Sent("a control byte in a name", head(LENGTH, "X\x01: b")),
    Sent("latin-1 in a name", head(LENGTH, "X\xff: b")),
    Sent("a blank in a name", head(LENGTH, "X Y: b")),
    Sent("a blank before a colon", head(LENGTH, "X : b")),
    Sent("a tab before a colon", head(LENGTH, "X\t: b")),
    Sent("a name of nothing", head(LENGTH, ": b")),
    Sent("a line without a colon", head(LENGTH, "X")),
    # Request lines.
    Sent("HTTP/0.9", b"GET /admins\r\n\r\n"),
    Sent("HTTP/0.9 with headers", request("GET", "/admins", token=TOKEN).replace(b" HTTP/1.1", b"")),
    Sent("HTTP/2.0 in letters", head(LENGTH, line="POST /events HTTP/2.0")),
    Sent("HTTP/3.0", head(LENGTH, line="POST /events HTTP/3.0")),
    Sent("HTTP/1.10", head(LENGTH, line="POST /events HTTP/1.10")),
    Sent("HTTP/01.1", head(LENGTH, line="POST /events HTTP/01.1")),
    Sent("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
    Sent("tabs in the request line", head(LENGTH, line="POST\t/events\tHTTP/1.1")),
    Sent("a blank behind the request line", head(LENGTH, line="POST /events HTTP/1.1 ")),
    Sent("a blank before the request line", b" " + head(LENGTH)),
    Sent("a method in lower case", head(LENGTH, line="post /events HTTP/1.1")),
    Sent("a method with a control byte", head(LENGTH, line="POST\x01 /events HTTP/1.1")),
    Sent("a target without a slash", target("events")),
    Sent("a target with a fragment", target("/events#x")),
    Sent("a fragment behind a query", target("/events?a=b#/contacts")),
    Sent("a whole address with a fragment", target("http://other.example/events#x")),
    Sent("a fragment in an authority", target("http://other.example#/events")),
    Sent("an address of another kind", target("ftp://other.example/events")),
    Sent("a mail address", target("mailto:u1@example.com")),
    Sent("a back slash for a slash", target("\\events")),
    Sent("a control byte in a target", target("/events\x01")),
    Sent("a delete in a target", target("/events\x7f")),
    Sent("latin-1 in a target", target("/\xe9vents")),
    # Headers that decide, twice.
    Sent("two hosts", head(LENGTH, "Host: other.example")),
    Sent("a host twice", head(LENGTH, "Host: wire.test")),
    Sent("a good token, then a bad one", head(LENGTH, "Authorization: Bearer nobody")),
    Sent("a bad token, then a good one", head(LENGTH, f"Authorization: Bearer {TOKEN}").replace(TOKEN.encode(), b"nobody", 1)),
    Sent("a token twice", head(LENGTH, f"AUTHORIZATION: Bearer {TOKEN}")),
    Sent("two types", head(LENGTH, "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded")),
    Sent("two encodings of the body", head(LENGTH, "Content-Encoding: gzip", "Content-Encoding: identity")),
    Sent("two versions", head(LENGTH, "Intercom-Version: 2.14", "Intercom-Version: 1.0")),
    Sent("two lengths and a request to upgrade", head(LENGTH, "Content-Length: 5", "Connection: Upgrade", "Upgrade: h2c")),
    Sent("two tokens and a request to upgrade", head(LENGTH, "Authorization: x", "Connection: Upgrade", "Upgrade: h2c")),
)


class Read(NamedTuple):
    """A request that has one meaning, however odd, and the statuses of all answers: its own and that of the request behind it."""

    name: str
    bytes: bytes
    statuses: tuple[int, ...]


TAKEN = (
    Read("a length in zeros", head(f"Content-Length: 000{len(EVENT)}"), (202, 200)),
    Read("a length between tabs", head(f"Content-Length:\t{len(EVENT)}\t"), (202, 200)),
    Read("chunked in capitals", head("TRANSFER-ENCODING:\tCHUNKED ", body=CHUNKS), (202, 200)),
    Read("a name with an underscore is another header", head(LENGTH, "Content_Length: 5", "Transfer_Encoding: chunked"), (202, 200)),
    Read("extensions", chunks(SIZE + b';a=b;c="d;e"\r\n' + EVENT + b"\r\n000;f\r\n\r\n"), (202, 200)),
    Read("a chunk size in zeros", chunks(b"0" * 30 + CHUNKS), (202, 200)),
    Read("a token in a trailer opens nothing", trailer(f"Authorization: Bearer {TOKEN}", good=False), (401, 200)),
    Read("a bad token in a trailer shuts nothing", trailer("Authorization: Bearer nobody"), (202, 200)),
    Read("another host in a trailer", trailer("Host: other.example"), (202, 200)),
    Read("a type in a trailer", trailer("Content-Type: application/x-www-form-urlencoded"), (202, 200)),
    Read("an encoding in a trailer", trailer("Content-Encoding: gzip"), (202, 200)),
    Read("a version in a trailer", trailer("Intercom-Version: 99"), (202, 200)),
    Read("an empty line before the request", b"\r\n" + head(LENGTH), (202, 200)),
    Read("many headers", head(LENGTH, *(f"X-{number}: y" for number in range(5000))), (202, 200)),
    Read("a very long name", head(LENGTH, f"{'X' * 60_000}: y"), (202, 200)),
    Read("a name too long", head(LENGTH, f"{'X' * 70_000}: y"), (431,)),
    Read("a whole address", target("http://other.example/events"), (202, 200)),
    Read("a whole address with a name and a password", target("http://a:b@other.example/events"), (202, 200)),
    Read("an address in an address", target("http://other.example/http://wire.test/events"), (404, 200)),
    Read("an asterisk", head(line="GET * HTTP/1.1", body=b""), (404, 200)),
    Read("two slashes", target("//events"), (404, 200)),
    Read("two slashes and a name", target("//other.example/events"), (404, 200)),
    Read("up and down again", target("/x/../events"), (404, 200)),
    Read("encoded dots", target("/x/%2e%2e/events"), (404, 200)),
    Read("a semicolon", target("/events;a=b"), (404, 200)),
    Read("an encoded letter", target("/%65vents"), (202, 200)),
    Read("a letter encoded twice", target("/%2565vents"), (404, 200)),
    Read("an encoded slash", head(line="GET /contacts%2Ffind_by_external_id%2Fu1 HTTP/1.1", body=b""), (404, 200)),
    Read("an encoded slash in small letters", head(line="GET /-%2fhealth HTTP/1.1", body=b""), (404, 200)),
    Read(
        "an encoded slash in a path that takes one later",
        head(line="GET /contacts%2Ffind_by_external_id/u1 HTTP/1.1", body=b""),
        (404, 200),
    ),
    Read("an encoded slash in an id", head(line="GET /contacts/find_by_external_id/u1%2Fx HTTP/1.1", body=b""), (404, 200)),
    Read("HTTP/1.0", head(LENGTH, line="POST /events HTTP/1.0"), (202,)),
    Read("HTTP/1.0, kept alive", head(LENGTH, "Connection: keep-alive", line="POST /events HTTP/1.0"), (202,)),
    Read("HTTP/1.0 that expects", head(LENGTH, "Expect: 100-continue", line="POST /events HTTP/1.0"), (202,)),
    Read("what is expected twice", head(LENGTH, "Expect: 100-continue", "Expect: 100-continue"), (100, 202, 200)),
    Read("what nobody can expect", head(LENGTH, "Expect: 200-ok"), (202, 200)),
    Read("headers named in Connection count all the same", head(LENGTH, "Connection: authorization, content-length"), (202, 200)),
    Read("Connection: close, keep-alive", head(LENGTH, "Connection: close, keep-alive"), (202,)),
    Read("Connection twice", head(LENGTH, "Connection: keep-alive", "Connection: close"), (202,)),
    Read("Proxy-Connection", head(LENGTH, "Proxy-Connection: close"), (202,)),
    Read("a request for WebSocket", head(LENGTH, "Connection: Upgrade", "Upgrade: websocket"), (202, 200)),
    Read("chunks and a request for HTTP/2", head(CHUNKED, "Connection: Upgrade", "Upgrade: h2c", body=CHUNKS), (202, 200)),
    Read("an upgrade that Connection does not name", head(LENGTH, "Upgrade: h2c"), (202, 200)),
    Read("no host", head(LENGTH, host="X: y"), (202, 200)),
    Read("a host that is none", head(LENGTH, host='Host: a b, "><script>'), (202, 200)),
    Read("another method in a header", head(LENGTH, "X-HTTP-Method-Override: DELETE"), (202, 200)),
    Read("forwarded headers", head(LENGTH, "X-Forwarded-For: ::1", "X-Forwarded-Host: a b", "X-Original-URL: /contacts"), (202, 200)),
    Read("a body nobody asked for", head(LENGTH, line="GET /admins HTTP/1.1"), (200, 200)),
    Read("chunks nobody asked for", head(CHUNKED, line="GET /admins HTTP/1.1", body=CHUNKS), (200, 200)),
)


def statuses(received: bytes) -> tuple[int, ...]:
    return tuple(map(int, re.findall(rb"HTTP/1\.1 (\d{3}) ", received)))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_what_two_could_read_differently_is_refused_with_all_behind_it(both: Lanes, row: Sent):
    heads = [server.server.journal.head for server in both]
    fast, plain = both.exchange(row.bytes)
    assert fast == plain
    assert statuses(fast) == (400,)
    assert b"\r\nconnection: close\r\n\r\n" in fast
    assert b'"errors":[{"code":"parameter_invalid","message":"' in fast
    assert [server.server.journal.head for server in both] == heads


def test_a_head_that_is_refused_of_who_asks_for_a_head_alone_has_no_body_in_answer(both: Lanes):
    for received in both.exchange(head("Host: other.example", line="HEAD /me HTTP/1.1", body=b"")):
        assert statuses(received) == (400,)
        assert received.endswith(b"\r\nconnection: close\r\n\r\n")


@pytest.mark.parametrize("row", TAKEN, ids=lambda row: row.name)
def test_what_is_odd_and_has_one_meaning_is_answered_by_it_and_the_next_request_too(both: Lanes, row: Read):
    fast, plain = both.exchange(row.bytes)
    assert fast == plain
    assert statuses(fast) == row.statuses


def test_the_tables_name_each_request_once():
    names = [row.name for row in (*REFUSED, *TAKEN)]
    assert len(set(names)) == len(names) > 140


@pytest.mark.parametrize("lines", [["X: " + "y" * 40_000] * 4, [f"X-{number}: y" for number in range(20_000)]], ids=["long", "many"])
@pytest.mark.parametrize("token", [TOKEN, None])
def test_trailers_are_bounded_as_heads_are(both: Lanes, lines: list[str], token: str | None):
    sent = request("POST", "/events", CHUNKED, token=token) + CHUNKS[:-2]
    for server in both:
        with Connection(server.url) as connection:
            connection.send_in_two(sent + "\r\n".join(lines).encode(), len(sent))
            received = connection.closed()
        assert statuses(received) == ((431,) if token else (401,))


def test_nothing_of_a_request_can_break_into_the_head_of_its_answer(both: Lanes):
    split = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a"
    targets = [
        f"/contacts/{split}",
        f"/-/api/event-names/{split}",
        f"/contacts/find_by_external_id/{split}",
        f"/{split}",
        f"/events?user_id={split}",
    ]
    for server in both:
        api = Api(server)
        for answer in (
            *(api.get(each) for each in targets),
            *(api.get("/admins", f"Intercom-Version: {text}") for text in ("2.14%0d%0aSet-Cookie: a", "Preview\x85Set-Cookie: a")),
            api.post("/events", {"event_name": "a\r\nSet-Cookie: b", "user_id": "u1\r\nSet-Cookie: b"}),
            api.get("/-/api/export/events", "Origin: a", "X-Request-Id: a"),
        ):
            assert not any("cookie" in name or "ookie" in value for name, value in answer.headers)
            assert json.dumps(answer.header("x-request-id")) != '"a"'


def test_who_a_trusted_proxy_speaks_for_is_not_changed_by_trailers():
    with TrackrecordServer(token=TOKEN, trusted_proxies="127.0.0.1") as server:
        api = Api(server)
        refused = request("POST", "/contacts", CHUNKED, "X-Forwarded-For: 192.0.2.1", token=TOKEN)
        with Connection(server.url) as connection:
            connection.send(refused + b"1\r\n{\r\n0\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n")
            request_id = connection.answer().header("x-request-id")
        found = until(lambda: api.get(f"/-/api/requests?request_id={request_id}").json["data"])
        assert [each["client"] for each in found] == ["192.0.2.1"]
