"""POST /events has two ways, beneath ASGI and by it: the same requests, the same bytes in answer, the same record."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from trackrecord.http.flights import lane_fits
from trackrecord.testing import TrackrecordServer

from .client import Api, Connection, request
from .test_bad_input import NOW, ROWS, TOKEN

ID = "63a0979a5eeebeaf28dd56ba"
PEOPLE = (
    {"id": ID, "role": "user", "external_id": "u1", "email": "u1@example.com", "created_at": NOW, "updated_at": NOW},
    {"id": ID[::-1], "role": "lead", "email": "lead@example.com", "created_at": NOW, "updated_at": NOW},
)
VARIES = re.compile(rb"(date|x-request-id): [^\r]*|\"request_id\":\"[^\"]*\"")


class Lanes(NamedTuple):
    """The same server twice."""

    fast: TrackrecordServer
    plain: TrackrecordServer

    def exchange(self, sent: bytes) -> list[bytes]:
        """All that either answers until it closes, without what is never the same twice. Both are told that no more will come."""
        return [exchange(server, sent) for server in self]

    def direct(self) -> int:
        return int(self.fast.server.app.lane.direct)


def exchange(server: TrackrecordServer, sent: bytes) -> bytes:
    with Connection(server.url) as connection:
        connection.send(sent)
        connection.send(request("GET", "/admins", "Connection: close", token=TOKEN))  # answered last
        return VARIES.sub(b"", connection.closed())


def lanes(**settings: Any) -> Iterator[Lanes]:
    with TrackrecordServer(token=TOKEN, **settings) as fast, TrackrecordServer(token=TOKEN, fast_lane=False, **settings) as plain:
        for server in (fast, plain):
            server.clock.freeze(NOW)
            made = Api(server).post("/-/api/import/contacts", b"\n".join(json.dumps(each).encode() for each in PEOPLE))
            assert made.json["new"] == len(PEOPLE), made
            # So that the names and the people of what follows are in memory, where the lane looks for them.
            for whose in ({"user_id": "u1"}, {"email": "u1@example.com"}, {"id": ID}, {"id": ID[::-1]}):
                assert Api(server).submit(event_name="known", created_at=1, **whose).status == 202
        yield Lanes(fast, plain)


@pytest.fixture(scope="module")
def both() -> Iterator[Lanes]:
    yield from lanes()


def post(body: Any, *headers: str, target: str = "/events", token: str | None = TOKEN) -> bytes:
    return request("POST", target, *headers, body=body if isinstance(body, bytes) else json.dumps(body).encode(), token=token)


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"event_name": "known", "created_at": 1_600_000_000 + number, "user_id": "u1", **more}


# What the lane takes.
DIRECT = {
    "by user_id": post(event(1)),
    "by id": post({**event(2), "id": ID}),
    "by email": post({"event_name": "known", "created_at": 3, "email": "U1@example.com"}),
    "of a lead": post({"event_name": "known", "created_at": 4, "id": ID[::-1]}),
    "again": post(event(1)),
    "metadata": post(event(5, metadata={"a": 1, "b": {"url": "x", "value": "y"}, "c": None, **{str(n): n for n in range(12)}})),
    "no created_at": post({"event_name": "known", "user_id": "u1"}),
    "a version": post(event(6), "Intercom-Version: 2.11"),
    "another version": post(event(7), "intercom-version: Unstable"),
    "keep-alive": post(event(8), "Connection: Keep-Alive"),
    "a type": post(event(9), "Content-Type: application/json; charset=utf-8"),
    "as curl sends it": post(event(10), "Content-Type: application/x-www-form-urlencoded"),
    "chunks": request("POST", "/events", "Transfer-Encoding: chunked", token=TOKEN)
    + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (b'{"user_id":"u1","event_name":"known",', b'"created_at":11}', b"")),
}
# What it leaves.
LEFT = {
    "a new name": post({**event(20), "event_name": "new"}),
    "nobody": post({**event(21), "user_id": "nobody"}),
    "a query": post(event(22), target="/events?x=1"),
    "a slash": post(event(23), target="/events/"),
    "a whole address": post(event(24), target="http://example.com/events"),
    "HTTP 1.0": post(event(25)).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "the last one": post(event(26), "Connection: close"),
    "expected": post(event(27), "Expect: 100-continue"),
    "a form": post(b"a=1", "Content-Type: application/x-www-form-urlencoded"),
    "gzip that is none": post(event(28), "Content-Encoding: gzip"),
    "an upgrade": post(event(29), "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: x"),
    "two hosts": post(event(30), "Host: other"),
    "no token": post(event(31), token=None),
    "a bad token": post(event(32), token="nobody-gave-this-out"),
    "a bad version": post(event(33), "Intercom-Version: latest"),
    "nothing": post(b""),
}
TO_EVENTS = [row for row in ROWS if row.sent.startswith(b"POST /events ") and b"{bomb}" not in row.sent]


@pytest.mark.parametrize("name", DIRECT)
def test_what_is_plain_goes_beneath_asgi_and_is_answered_the_same(both: Lanes, name: str):
    before = both.direct()
    for _ in range(20):  # a token is looked up again once a second, and the request that comes then goes by ASGI
        fast, plain = both.exchange(DIRECT[name])
        assert fast == plain
        assert fast.startswith(b"HTTP/1.1 202 Accepted\r\n")
        if both.direct() == before + 1:
            return
    raise AssertionError("it never went beneath ASGI")


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_plain_goes_by_asgi_and_is_answered_the_same(both: Lanes, name: str):
    before = both.direct()
    fast, plain = both.exchange(LEFT[name])
    assert fast == plain
    assert both.direct() == before


@pytest.mark.parametrize("row", TO_EVENTS, ids=lambda row: row.name)
def test_a_bad_request_is_answered_the_same(both: Lanes, row: Any):
    assert len(TO_EVENTS) > 80
    before = both.direct()
    fast, plain = both.exchange(row.sent)
    assert fast == plain
    assert both.direct() == before


def test_many_requests_at_once_are_answered_in_their_order_and_the_same(both: Lanes):
    pieces = [*DIRECT.values(), request("GET", "/admins", token=TOKEN), *[row.sent for row in TO_EVENTS if row.answer[0] in (404, 422)]]
    pieces = [piece for number in range(3) for piece in pieces[number:] + pieces[:number]]
    fast, plain = both.exchange(b"".join(pieces))
    assert fast == plain
    assert fast.count(b"HTTP/1.1 ") == len(pieces) + 1


@pytest.mark.parametrize("cut", [1, 20, 100, 200, 250])
def test_a_request_that_comes_in_two_pieces_is_answered_the_same(both: Lanes, cut: int):
    sent = post(event(40 + cut))
    answers = []
    for server in both:
        with Connection(server.url) as connection:
            connection.send_in_two(sent, cut)
            answer = connection.answer()
            answers.append((answer.status, [pair for pair in answer.headers if pair[0] not in ("date", "x-request-id")], answer.body))
    assert answers[0] == answers[1]


# What comes on a connection whose POSTs have had the same head before, so that it is not parsed any more.
AGAIN = {
    "the same": post(event(60)),
    "a longer body": post(event(61, metadata={"plan": "x" * 200})),
    "a body of another width": post(event(62, metadata={"plan": "x" * 1_200})),
    "a body past one read": post(event(63, metadata={"plan": "x" * 5_000})),
    "a bad body": post(b"{"),
    "a body that is refused": post({"event_name": "known", "user_id": "nobody"}),
    "a form": post(b"event_name=known&user_id=u1"),
    "another token": post(event(64), token="nobody-gave-this-out"),
    "another header": post(event(65), "Intercom-Version: 2.11"),
    "a header spelled otherwise": post(event(66)).replace(b"Host:", b"host:", 1),
    "HTTP 1.0": post(event(67)).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "two": post(event(68)) + post(event(69)),
    "more than it says": post(event(70)) + b"{}",
    "a length that is too small": re.sub(rb"(Content-Length: )\d+", rb"\g<1>20", post(event(71))),
    "a length that is too great": re.sub(
        rb"(Content-Length: )(\d+)", lambda found: found[1] + b"%d" % (int(found[2]) + 9), post(event(72))
    ),
    "a length with a zero before": re.sub(rb"(Content-Length: )(\d+)", rb"\g<1>0\2", post(event(73))),
    "a length with a sign": re.sub(rb"(Content-Length: )(\d+)", rb"\g<1>+\2", post(event(74))),
    "two lengths in one": re.sub(rb"(Content-Length: )(\d+)", rb"\g<1>\2, \2", post(event(75))),
    "no length": re.sub(rb"Content-Length: \d+\r\n", b"", post(event(76))),
    "an end of the head within the length": re.sub(rb"(Content-Length: \d+)\r\n", rb"\1\r\n\r\n", post(event(77))),
    "a bare line end": re.sub(rb"(Content-Length: \d+)\r\n", rb"\1\n", post(event(78))),
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_follows_heads_that_were_the_same_is_answered_the_same(both: Lanes, name: str):
    answers = []
    for server in both:
        with Connection(server.url) as connection:
            before = server.server.app.again
            for number in range(12):  # a token is looked up again once a second, and the request that comes then goes by ASGI
                connection.send(post(event(80 + number % 3)))
                assert connection.answer().status == 202
            assert (server.server.app.again > before) == (server is both.fast)
            last = request("GET", "/admins", "Connection: close", token=TOKEN)
            connection.send_in_two(AGAIN[name] + last, len(AGAIN[name]))
            answers.append(VARIES.sub(b"", connection.closed()))
    assert answers[0] == answers[1]
    assert answers[0].startswith(b"HTTP/1.1 ")


def test_a_head_that_is_known_is_of_whom_it_names_whoever_asked_in_between(both: Lanes):
    other = "the-token-of-a-reader"
    for server in both:
        server.server.directory.tokens.create(1, "reader", frozenset({"read_events"}), now=NOW, secret=other)
        with Connection(server.url) as connection:
            found = []
            for _ in range(3):
                for sent in (
                    post(event(90)),
                    post(event(90), token=other),
                    request("GET", "/events?user_id=u1", token=other),
                    post(event(91)),
                ):
                    connection.send(sent)
                    found.append(connection.answer().status)
        assert found == [202, 403, 200, 202] * 3


def test_a_known_head_behind_a_request_that_waits_is_answered_in_its_turn(both: Lanes):
    for server in both:
        with Connection(server.url) as connection:
            for number in range(3):
                connection.send(post(event(100 + number)))
                assert connection.answer().status == 202
            slow = request("GET", "/events?user_id=u1&per_page=150", token=TOKEN)
            for _ in range(20):
                connection.send(slow)
                connection.send(post(event(110)))
                assert [connection.answer().status, connection.answer().status] == [200, 202]


def test_the_record_is_the_same(both: Lanes):
    both.exchange(b"".join(DIRECT.values()))
    found = [Api(server).get("/-/api/export/events?user_id=u1").body for server in both]
    assert found[0] == found[1]
    assert len(found[0].splitlines()) > 10


def test_calls_past_a_limit_are_answered_the_same():
    for both in lanes(rate_limit_per_minute=60):
        for server in both:
            server.clock.advance(10)
        fast, plain = both.exchange(b"".join(post(event(number)) for number in range(15)))
        assert fast == plain
        assert (fast.count(b"HTTP/1.1 202"), fast.count(b"HTTP/1.1 429")) == (10, 6)


def test_a_token_without_the_scope_is_refused_by_both():
    for both in lanes():
        answers = []
        for server in both:
            directory = server.server.directory
            secret = "a-secret-of-both"
            directory.tokens.create(1, "reader", frozenset({"read_events"}), now=NOW, secret=secret)
            answers.append(exchange(server, post(event(1), token=secret)))
        assert answers[0] == answers[1]
        assert answers[0].startswith(b"HTTP/1.1 403")


def test_with_a_request_log_of_all_every_event_goes_by_asgi():
    for both in lanes(request_log="all"):
        fast, plain = both.exchange(post(event(1)))
        assert (fast == plain, both.direct()) == (True, 0)


def test_a_uvicorn_that_is_not_known_is_noticed(caplog: pytest.LogCaptureFixture):
    assert lane_fits()

    class Cycle:
        def __init__(self, scope: Any, other: Any) -> None: ...

    class Unknown:
        on_body = HttpToolsProtocol.on_body

    assert not lane_fits(cycle=Cycle)
    assert not lane_fits(protocol=Unknown, cycle=RequestResponseCycle)
    assert len(caplog.messages) == 2
    assert "events take the ordinary way" in caplog.messages[0]
