"""How connections are kept, shared and ended: many requests on one, slow ones, broken ones, and those that end too early."""

import json
import select
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, request, until

PATIENCE_S = 0.3  # of the server that waits for slow clients; the shorter, the shorter these tests
NOT_HTTP = (400, "parameter_invalid", "this is not a valid HTTP request", "request")
BODY_LATE = (408, "request_timeout", "the body did not arrive within 0.3 s", "body")
HEAD_LATE = (408, "request_timeout", "the request's head did not arrive within 0.3 s", "headers")
CREATED_AT = 1_671_028_894


@pytest.fixture(scope="module")
def hasty() -> Iterator[Api]:
    """A server that waits PATIENCE_S for heads and bodies."""
    with TrackrecordServer(body_timeout_s=PATIENCE_S) as server:
        yield Api(server)


def submission(api: Api, contact: Any, created_at: int, *headers: str) -> bytes:
    body = json.dumps({"event_name": "clicked", "created_at": created_at, "id": contact["id"]}).encode()
    return request("POST", "/events", *headers, body=body, token=api.token)


def times(api: Api, contact: Any) -> list[int]:
    return [event["created_at"] for event in api.events(contact)]


def test_one_connection_serves_one_request_after_another(api: Api):
    contact = api.contact()
    with Connection(api.url) as connection:
        for created_at in range(CREATED_AT, CREATED_AT + 5):
            connection.send(submission(api, contact, created_at))
            assert connection.answer().status == 202
        connection.send(request("GET", "/nothing", token=api.token))
        assert connection.answer().error == (404, "not_found", "Resource Not Found", "path")
        connection.send(request("GET", "/me", token=api.token))
        assert connection.answer().status == 200
    assert times(api, contact) == list(range(CREATED_AT + 4, CREATED_AT - 1, -1))


def test_requests_sent_without_waiting_are_answered_in_their_order(api: Api):
    contact = api.contact()
    with Connection(api.url) as connection:
        connection.send(
            submission(api, contact, CREATED_AT)
            + request("GET", f"/contacts/{contact['id']}", token=api.token)
            + request("GET", "/me")
            + submission(api, contact, CREATED_AT + 1)
        )
        assert [connection.answer().status for _ in range(4)] == [202, 200, 401, 202]
    assert times(api, contact) == [CREATED_AT + 1, CREATED_AT]


def test_large_requests_sent_without_waiting_are_no_large_heads(api: Api):
    contact = api.contact()
    body = json.dumps({"event_name": "clicked", "created_at": CREATED_AT, "id": contact["id"]}).encode() + b" " * 1000
    sent = request("POST", "/events", body=body, token=api.token) * 300
    assert len(sent) > 300_000  # several times the longest head
    with Connection(api.url) as connection:
        connection.send(sent)
        assert {connection.answer().status for _ in range(300)} == {202}


def test_a_bad_request_behind_good_ones_is_refused_after_their_answers(api: Api):
    contact = api.contact()
    with Connection(api.url) as connection:
        connection.send(submission(api, contact, CREATED_AT) + submission(api, contact, CREATED_AT + 1) + b"garbage\r\n\r\n")
        assert [connection.answer().status, connection.answer().status] == [202, 202]
        assert connection.answer().error == NOT_HTTP
        assert connection.closed() == b""
    assert times(api, contact) == [CREATED_AT + 1, CREATED_AT]


def test_a_broken_body_behind_a_good_request_is_refused_after_its_answer(api: Api):
    contact = api.contact()
    broken = request("POST", "/events", "Transfer-Encoding: chunked", token=api.token) + b"xyz\r\n"
    with Connection(api.url) as connection:
        connection.send(submission(api, contact, CREATED_AT) + broken)
        assert connection.answer().status == 202
        assert connection.answer().error == NOT_HTTP
        assert connection.closed() == b""
    assert times(api, contact) == [CREATED_AT]


def test_a_body_that_breaks_after_its_answer_ends_the_connection_without_another(api: Api):
    with Connection(api.url) as connection:
        connection.send(request("POST", "/events", "Transfer-Encoding: chunked"))
        assert connection.answer().status == 401
        connection.send(b"xyz\r\n")
        assert connection.closed() == b""


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (lambda token: request("POST", "/events", "Content-Length: 10", token=token), BODY_LATE),
        (lambda token: request("POST", "/events", "Content-Length: 10", token=token) + b'{"', BODY_LATE),
        (lambda token: request("POST", "/events", "Transfer-Encoding: chunked", token=token) + b"9\r\n{", BODY_LATE),
        (lambda token: request("POST", "/contacts", "Content-Length: 10", token=token), BODY_LATE),
        (lambda token: b"GET /me HTTP/1.1\r\nHost: wi", HEAD_LATE),
        (lambda token: b"GET /me HTTP/1.1\r\nHost: wire.test\r\n", HEAD_LATE),
        (lambda token: b"GET /events\r\n", HEAD_LATE),
    ],
    ids=["no body", "half a body", "half a chunk", "no body of a contact", "half a header", "half a head", "HTTP/0.9, half"],
)
def test_a_request_that_does_not_go_on_is_refused_in_time(hasty: Api, sent: Callable[[str | None], bytes], answer: tuple[Any, ...]):
    with Connection(hasty.url) as connection:
        connection.send(sent(hasty.token))
        refusal = connection.answer()
        assert (refusal.error, refusal.header("connection")) == (answer, "close")
        assert connection.closed() == b""


def test_a_slow_request_behind_a_good_one_is_refused_after_its_answer(hasty: Api):
    contact = hasty.contact()
    with Connection(hasty.url) as connection:
        connection.send(submission(hasty, contact, CREATED_AT) + b"POST /events HTTP/1.1\r\n")
        assert connection.answer().status == 202
        assert connection.answer().error == HEAD_LATE
        assert connection.closed() == b""


@pytest.mark.parametrize("token", [None, "the server's"])
def test_who_was_answered_before_sending_the_body_cannot_keep_the_connection_open_with_it(hasty: Api, token: str | None):
    sent = request("POST", "/nothing", "Content-Length: 100", token=hasty.token if token else None)
    with Connection(hasty.url) as connection:
        connection.send(sent + b"{")
        assert connection.answer().status == 404
        connection.send(b" ")
        assert connection.closed() == b""


def test_who_connects_and_says_nothing_is_let_go_without_an_answer(hasty: Api):
    with Connection(hasty.url) as connection:
        assert connection.closed() == b""


@pytest.mark.parametrize(
    "sent",
    [
        lambda token, body: request("POST", "/events", f"Content-Length: {len(body) + 1}", token=token) + body,
        lambda token, body: request("POST", "/events", "Transfer-Encoding: chunked", token=token) + b"%x\r\n" % len(body) + body + b"\r\n",
        lambda token, body: request("POST", "/events", "Transfer-Encoding: chunked", token=token) + b"7fffffff\r\n" + body,
        lambda token, body: request("POST", "/events", f"Content-Length: {len(body)}", token=token)[:-2],
    ],
    ids=["longer than sent", "no last chunk", "a chunk of 2 GiB", "half a head"],
)
def test_a_client_that_leaves_in_the_middle_has_sent_nothing(api: Api, sent: Callable[[str | None, bytes], bytes]):
    contact = api.contact()
    body = json.dumps({"event_name": "clicked", "created_at": CREATED_AT, "id": contact["id"]}).encode()
    head = api.server.server.journal.head
    with Connection(api.url) as connection:
        connection.send(sent(api.token, body))
        connection.end()
        assert connection.closed() == b""
    assert (api.events(contact), api.server.server.journal.head) == ([], head)


def test_a_client_that_leaves_without_reading_its_answer_has_sent_its_event(api: Api):
    contact = api.contact()
    with Connection(api.url) as connection:
        connection.send(submission(api, contact, CREATED_AT))
    until(lambda: times(api, contact) == [CREATED_AT])


@pytest.mark.parametrize("apart", [False, True], ids=["in one piece", "the body later"])
def test_a_client_that_asks_for_http_2_is_served_in_http_1(api: Api, apart: bool):
    # java.net.http.HttpClient asks so with every first request to a plain address, its bodies included.
    contact = api.contact()
    sent = submission(api, contact, CREATED_AT, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
    cut = sent.index(b"{") if apart else len(sent)
    with Connection(api.url) as connection:
        for piece in filter(None, (sent[:cut], sent[cut:])):
            connection.send(piece)
        assert connection.answer().status == 202
        connection.send(submission(api, contact, CREATED_AT + 1))
        assert connection.answer().status == 202
    assert times(api, contact) == [CREATED_AT + 1, CREATED_AT]


def test_chunks_make_one_body(api: Api):
    contact = api.contact()
    body = json.dumps({"event_name": "clicked", "created_at": CREATED_AT, "id": contact["id"]}).encode()
    chunks = b"".join(b"%x;name=value\r\n%s\r\n" % (1, bytes([byte])) for byte in body) + b"0\r\nTrailer: x\r\n\r\n"
    with Connection(api.url) as connection:
        connection.send(request("POST", "/events", "Transfer-Encoding: chunked", token=api.token) + chunks)
        assert connection.answer().status == 202
    assert times(api, contact) == [CREATED_AT]


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(api: Api):
    contact = api.contact()
    sent = submission(api, contact, CREATED_AT, "Expect: 100-continue")
    head, body = sent.split(b"\r\n\r\n")
    with Connection(api.url) as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
        connection.send(body)
        assert connection.answer().status == 202


def test_a_client_without_a_token_is_not_told_to_send_its_body(api: Api):
    with Connection(api.url) as connection:
        connection.send(request("POST", "/events", "Expect: 100-continue", "Content-Length: 100000"))
        assert connection.until(b"\r\n\r\n").startswith(b"HTTP/1.1 401 Unauthorized\r\n")


def test_http_1_0_is_answered_and_closed(api: Api):
    with Connection(api.url) as connection:
        connection.send(request("GET", "/me", token=api.token).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = connection.answer()
        assert (answer.status, answer.header("connection"), answer.json["type"]) == (200, "close", "admin")
        assert connection.closed() == b""


@pytest.mark.parametrize("target", ["/me", "/events?user_id=nobody&type=user", "/-/health", "/-/docs", "/-/openapi.json", "/nothing"])
def test_head_has_the_headers_of_get_and_no_body(api: Api, target: str):
    changing = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}
    until(lambda: api.get("/-/health").status == 200)  # a server says for a moment that it is starting
    with Connection(api.url) as connection:
        answers = []
        for method in ("GET", "HEAD"):
            connection.send(request(method, target, token=api.token))
            answers.append(connection.answer(head=method == "HEAD"))
        connection.send(request("GET", "/nothing"))
        assert connection.answer().status == 404  # so no body stood in between
    got, headed = answers
    assert (headed.status, headed.body) == (got.status, b"")
    assert [pair for pair in headed.headers if pair[0] not in changing] == [pair for pair in got.headers if pair[0] not in changing]


def test_a_method_the_path_does_not_have_is_not_found_and_told_which_it_has(api: Api):
    allowed = {
        "/events": "GET, HEAD, POST",
        "/events/summaries": "POST",
        "/contacts": "GET, HEAD, POST",
        "/contacts/abc": "DELETE, GET, HEAD, PUT",
        "/me": "GET, HEAD",
        "/-/health": "GET, HEAD",
    }
    found = {}
    for target in allowed:
        answer = api.send("PATCH", target, body={})
        assert answer.error == (404, "not_found", "Resource Not Found", "method")
        found[target] = answer.header("allow")
    assert found == allowed
    old = api.send("PATCH", "/contacts", "Intercom-Version: 1.4", body={})
    assert old.header("allow") == "GET, HEAD, POST, PUT"  # PUT is how API 1.x changes a lead


def test_past_the_most_connections_a_client_is_told_to_come_again():
    with TrackrecordServer(connections_max=2) as server, Connection(server.url) as first, Connection(server.url) as second:
        for kept in (first, second):
            kept.send(request("GET", "/-/health?check=live"))
            assert kept.answer().status == 200
        with Connection(server.url) as third:
            answer = third.answer()
            assert answer.error == (503, "service_unavailable", "2 connections are open already; connect again later", None)
            assert (answer.header("retry-after"), answer.header("connection")) == ("1", "close")
        first.socket.close()

        def served() -> Answer | None:
            with Connection(server.url) as again:
                again.send(request("GET", "/-/health?check=live"))
                answer = again.answer()
                return answer if answer.status == 200 else None

        assert until(served).status == 200


@pytest.mark.parametrize("cut", [1, 50_000, 60_000, 64_000, 66_000, 99_000])
def test_a_head_is_too_large_however_the_network_cuts_it(server: TrackrecordServer, cut: int):
    sent = request("GET", "/me", f"Authorization: Bearer {'x' * 100_000}")
    with Connection(server.url) as connection:
        connection.send_in_two(sent, cut)
        assert connection.answer().status == 431


def test_bodies_that_are_on_their_way_have_a_bound_together():
    item = b'{"method":"post","data":{"event_name":"e","created_at":1,"user_id":"u","metadata":{"text":"%b"}}}' % (b"x" * 900_000)
    body = b'{"items":[' + b",".join([item] * 7) + b"]}"
    head = b"POST /bulk/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nAuthorization: Bearer " % len(body)
    with TrackrecordServer(bodies_max_mb=8) as server, Connection(server.url) as one, Connection(server.url) as other:
        for each in (one, other):
            each.send(head + server.token.encode() + b"\r\n\r\n" + body[:-1])
        ready, _, _ = select.select([one.socket, other.socket], [], [], 10)
        refused = one if one.socket in ready else other
        kept = other if refused is one else one
        answer = refused.answer()
        assert answer.error[:2] == (503, "service_unavailable")
        assert answer.header("retry-after") == "2"
        kept.send(body[-1:])
        assert kept.answer().status == 202
        kept.send(head + server.token.encode() + b"\r\n\r\n" + body)  # there is room again
        assert kept.answer().status == 202


NOT_SERVED = (
    ("GET", "/widget"),
    *(("GET", f"/{noun}") for noun in ("subscriptions", "conversations", "articles", "tickets", "counts", "teams")),
    *(("POST", path) for path in ("/subscriptions", "/messages", "/export/content/data", "/contacts/bulk", "/contacts/merge/preview")),
    ("GET", "/contacts/activities"),
    ("OPTIONS", "/events"),
)


@pytest.mark.parametrize(("method", "path"), NOT_SERVED)
@pytest.mark.parametrize("version", ["1.4", "2.14", "Preview"])
def test_what_is_not_served_is_an_unknown_path(api: Api, method: str, path: str, version: str):
    answer = api.send(method, path, f"Intercom-Version: {version}", body={} if method == "POST" else None)
    assert answer.error[:2] == (404, "not_found")
