"""Clients that send ahead, that do not read, and that still send when they are refused: each harms itself, and is told why."""

import gzip
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from trackrecord.testing import TrackrecordServer

from .client import DEADLINE_S, Answer, Api, Connection, request, until

AHEAD = 5_000
LIVES = request("GET", "/-/health?check=live")
MIB = 1 << 20


def test_of_requests_sent_far_ahead_every_one_is_answered_in_its_turn(api: Api):
    sent = b"".join(request("GET", f"/nothing-{n}", token=api.token) for n in range(AHEAD))
    with Connection(api.url) as connection:
        sender = threading.Thread(target=connection.send, args=(sent,))
        sender.start()
        answers = [connection.answer().status for _ in range(AHEAD)]
        sender.join()
    assert Counter(answers) == {404: AHEAD}


def test_events_sent_far_ahead_are_all_kept_and_others_are_served_between(api: Api):
    contact = api.contact()
    bodies = (
        json.dumps({"event_name": f"ahead-{n % 3}", "created_at": 1_671_000_000 + n, "id": contact["id"]}).encode() for n in range(600)
    )
    sent = b"".join(request("POST", "/events", body=body + b" " * 500, token=api.token) for body in bodies)
    with Connection(api.url) as ahead, Connection(api.url) as other:
        sender = threading.Thread(target=ahead.send, args=(sent,))
        sender.start()
        other.send(LIVES)
        assert other.answer().status == 200
        assert {ahead.answer().status for _ in range(600)} == {202}
        sender.join()
    summary = api.get(f"/events?type=user&intercom_user_id={contact['id']}&summary=true").json
    assert [item["count"] for item in summary["events"]] == [200, 200, 200]


def served(server: TrackrecordServer) -> Answer | None:
    """The answer to one more client, unless it is refused as one too many."""
    with Connection(server.url) as again:
        again.send(LIVES)
        answer = again.answer()
        return answer if answer.status == 200 else None


@pytest.mark.parametrize(
    "sent",
    [
        lambda: request("GET", "/-/openapi.json") * 60,
        lambda: request("GET", "/-/openapi.json") * 60 + request("GET", "/-/openapi.json", "Connection: close"),
        lambda: request("GET", "/-/openapi.json") * 20 + b"garbage\r\n\r\n",
    ],
    ids=["pages", "pages, the last one before the end", "pages and nonsense"],
)
def test_who_never_reads_its_answers_is_let_go(sent: Callable[[], bytes]):
    with TrackrecordServer(connections_max=1, answer_timeout_s=0.3) as server, Connection(server.url) as deaf:
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sender = threading.Thread(target=deaf.send, args=(sent(),))
        sender.start()
        assert until(lambda: served(server)).status == 200
        sender.join()


class Pieces:
    """A body that is sent piece by piece, by a client that gives up where the connection is reset."""

    def __init__(self, mib: int) -> None:
        self._pieces = [b" " * (MIB // 4)] * (mib * 4)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def posted(server: TrackrecordServer, mib: int, headers: dict[str, str]) -> tuple[int, str | None, Any]:
    """(status, Retry-After, error) as Python's own client reads them, which sends everything before it reads."""
    client = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=DEADLINE_S)
    headers = {"Authorization": f"Bearer {server.token}", **headers}
    client.request("POST", "/events", Pieces(mib), headers, encode_chunked="Transfer-Encoding" in headers)
    answer = client.getresponse()
    told = json.loads(answer.read())
    client.close()
    return answer.status, answer.getheader("retry-after"), told["errors"][0]["code"]


def test_who_is_one_too_many_is_told_so_also_while_it_sends():
    with TrackrecordServer(connections_max=1) as server, Connection(server.url) as first:
        first.send(LIVES)
        assert first.answer().status == 200
        assert posted(server, 4, {"Content-Length": str(4 * MIB)}) == (503, "1", "service_unavailable")


@pytest.mark.parametrize("fast_lane", [True, False])
@pytest.mark.parametrize("headers", [{"Content-Length": str(16 * MIB)}, {"Transfer-Encoding": "chunked"}], ids=["declared", "in chunks"])
def test_a_huge_body_is_refused_and_who_sends_it_can_read_why(fast_lane: bool, headers: dict[str, str]):
    with TrackrecordServer(fast_lane=fast_lane) as server:
        assert posted(server, 16, headers) == (413, None, "client_error")


def bulk(size: int) -> bytes:
    item = b'{"method":"post","data":{"event_name":"e","created_at":1,"user_id":"u","metadata":{"text":"%b"}}}' % (b"x" * 900_000)
    return b'{"items":[' + b",".join([item] * (size // len(item))) + b"]}"


def test_what_a_compressed_body_unfolds_to_counts_among_the_bodies():
    with TrackrecordServer(bodies_max_mb=8) as server, Connection(server.url) as one, Connection(server.url) as other:
        large = request("POST", "/bulk/events", body=bulk(7 * MIB), token=server.token)
        packed = request("POST", "/bulk/events", "Content-Encoding: gzip", body=gzip.compress(bulk(4 * MIB)), token=server.token)
        one.send(large[:-1])
        until(lambda: server.server.app.room.left < 2 * MIB)
        other.send(packed)
        answer = other.answer()
        assert (answer.error[:2], answer.header("retry-after")) == ((503, "service_unavailable"), "2")
        one.send(large[-1:])
        assert one.answer().status == 202
        other.send(packed)
        assert other.answer().status == 202
        assert until(lambda: server.server.app.room.left == 8 * MIB)
