"""Answers that are sent as they are made: chunks, back-pressure, clients that hang up, and faults before and after the first byte."""

import asyncio
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import uvicorn

from trackrecord.errors import Unavailable
from trackrecord.http.app import App
from trackrecord.http.call import Answer, Asked
from trackrecord.http.protocol import protocol
from trackrecord.http.routes import Route
from trackrecord.server import opened
from trackrecord.settings import load

from .client import Connection, request, until

PIECE = b"0123456789abcdef" * 4096  # 64 KiB
GROWING = (100, 150, 200)  # pieces, each more than the system's buffers hold
LINES = ((b"content-type", b"application/x-ndjson"),)


class Source:
    """What is streamed, and how far it got."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0

    async def pieces(self, count: int, *, size: int = len(PIECE), fault_at: int = -1) -> AsyncIterator[bytes]:
        try:
            for number in range(count):
                if number == fault_at:
                    raise RuntimeError("the source broke")
                self.made += 1
                yield PIECE[:size]
                await asyncio.sleep(0)
        finally:
            self.closed += 1


class Streaming:
    """A server with paths of these tests beside none of its own."""

    def __init__(self, answer_timeout_s: float = 60) -> None:
        self.answer_timeout_s = answer_timeout_s
        self.source = Source()
        self.url = ""
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "Streaming":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _few(self, asked: Asked) -> Answer:
        return Answer(self.source.pieces(3, size=int(asked.param("size") or 10)), headers=LINES)

    async def _many(self, asked: Asked) -> Answer:
        return Answer(self.source.pieces(100_000), headers=LINES)

    async def _growing(self, asked: Asked) -> Answer:
        return Answer(self._larger_each_time(), headers=LINES)

    async def _larger_each_time(self) -> AsyncIterator[bytes]:
        for times in GROWING:
            yield PIECE * times

    async def _none(self, asked: Asked) -> Answer:
        return Answer(self.source.pieces(0))

    async def _broken(self, asked: Asked) -> Answer:
        return Answer(self.source.pieces(3, fault_at=int(asked.param("at") or 0)), headers=LINES)

    async def _not_now(self, asked: Asked) -> Answer:
        return Answer(self._refuses())

    async def _refuses(self) -> AsyncIterator[bytes]:
        raise Unavailable("not just now")
        yield b""

    async def _serve(self) -> None:
        handlers = {
            "few": self._few,
            "many": self._many,
            "growing": self._growing,
            "none": self._none,
            "broken": self._broken,
            "not-now": self._not_now,
        }
        routes = [Route("GET", f"/{name}", handler, "", "", open=True) for name, handler in handlers.items()]
        async with opened(load({"ephemeral": True}, environ={})) as services:
            self.services = services
            app = App(services, routes)
            bounds = protocol(
                header_max_bytes=65536,
                timeout_s=5,
                connections_max=50,
                version="2.14",
                refused=app.refused_below,
                room=app.room,
                answer_timeout_s=self.answer_timeout_s,
            )
            config = uvicorn.Config(app, port=0, http=bounds, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            self._ready.set()
            await asyncio.get_running_loop().run_in_executor(None, self._stop.wait)
            server.should_exit = True
            await serving


@pytest.fixture
def streaming() -> Iterator[Streaming]:
    with Streaming() as server:
        yield server


def head_of(connection: Connection) -> tuple[int, dict[str, str]]:
    lines = connection.until(b"\r\n\r\n").decode().split("\r\n")
    return int(lines[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


def chunks_of(connection: Connection) -> list[bytes]:
    found = []
    while True:
        size = int(connection.until(b"\r\n"), 16)
        chunk = connection._exactly(size + 2)
        if not size:
            return found
        found.append(chunk[:-2])


def test_pieces_arrive_as_chunks_and_the_connection_goes_on(streaming: Streaming):
    with Connection(streaming.url) as connection:
        for _ in range(2):
            connection.send(request("GET", "/few"))
            status, headers = head_of(connection)
            assert (status, headers["content-type"], headers["transfer-encoding"]) == (200, "application/x-ndjson", "chunked")
            assert "content-length" not in headers
            assert chunks_of(connection) == [PIECE[:10]] * 3
        connection.send(request("GET", "/none"))
        assert (head_of(connection)[1]["content-type"], chunks_of(connection)) == ("application/json; charset=utf-8", [])
    assert streaming.source.closed == 3


def test_who_asks_for_gzip_gets_one_stream_of_it(streaming: Streaming):
    with Connection(streaming.url) as connection:
        for size in (10, 65536):  # compressed beside the loop from some size on
            connection.send(request("GET", f"/few?size={size}", "Accept-Encoding: gzip"))
            _, headers = head_of(connection)
            assert (headers["content-encoding"], headers["vary"]) == ("gzip", "accept-encoding")
            assert gzip.decompress(b"".join(chunks_of(connection))) == PIECE[:size] * 3


def test_head_has_the_headers_and_makes_no_piece(streaming: Streaming):
    with Connection(streaming.url) as connection:
        connection.send(request("HEAD", "/many") + request("GET", "/few"))
        assert head_of(connection)[1]["content-type"] == "application/x-ndjson"
        assert head_of(connection)[0] == 200
        assert chunks_of(connection) == [PIECE[:10]] * 3
    assert streaming.source.made == 3


def test_a_client_of_http_1_0_reads_until_the_connection_ends(streaming: Streaming):
    with Connection(streaming.url) as connection:
        connection.send(b"GET /few HTTP/1.0\r\n\r\n")
        _, headers = head_of(connection)
        assert (headers.get("transfer-encoding"), headers["connection"]) == (None, "close")
        assert connection.closed() == PIECE[:10] * 3


def test_no_more_is_made_than_the_client_takes(streaming: Streaming):
    with Connection(streaming.url) as connection:
        connection.send(request("GET", "/many"))
        head_of(connection)
        connection.socket.recv(1)
        steady = until(lambda: stands_still(streaming.source))
        assert steady < 1_000  # of 100,000: what fits into the buffers on the way
        for _ in range(200):
            connection.socket.recv(1 << 18)
        until(lambda: streaming.source.made > steady)
    assert streaming.source.made < 5_000


def stands_still(source: Source) -> int:
    """How much was made, once nothing more is for a while."""
    made = source.made
    threading.Event().wait(0.3)
    return made if made == source.made else 0


def test_when_the_client_hangs_up_the_source_is_closed(streaming: Streaming):
    with Connection(streaming.url) as connection:
        connection.send(request("GET", "/many"))
        head_of(connection)
    until(lambda: streaming.source.closed == 1)
    assert streaming.source.made < 100_000


def test_a_fault_before_the_first_piece_is_answered_as_any_other(streaming: Streaming):
    with Connection(streaming.url) as connection:
        connection.send(request("GET", "/broken?at=0"))
        answer = connection.answer()
        assert answer.error[:2] == (500, "server_error")
        connection.send(request("GET", "/not-now"))
        answer = connection.answer()
        assert (answer.error, answer.header("retry-after")) == ((503, "service_unavailable", "not just now", None), "1")


def test_a_fault_after_the_first_piece_ends_the_connection_without_an_end(streaming: Streaming, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR, "trackrecord.http"), Connection(streaming.url) as connection:
        connection.send(request("GET", "/broken?at=2"))
        status, headers = head_of(connection)
        left = connection.closed()
    assert (status, left.count(PIECE), left.endswith(b"0\r\n\r\n")) == (200, 2, False)
    assert "the source broke" in caplog.text
    kept = found(streaming, headers["x-request-id"])
    assert (kept["status"], kept["code"], kept["cause"].strip().splitlines()[-1]) == (500, "server_error", "RuntimeError: the source broke")


def found(streaming: Streaming, request_id: str) -> dict[str, Any]:
    """What the request log has of a request."""
    from trackrecord.rules.requests import Wanted

    ((_, entry),) = until(lambda: streaming.services.requests.search(Wanted(request_id=request_id), limit=2).entries)
    return dict(json.loads(json.dumps(entry._asdict())))


def test_a_slow_client_is_no_deaf_one_however_much_waits_for_it():
    with Streaming(answer_timeout_s=0.8) as server, Connection(server.url) as slow:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        slow.send(request("GET", "/growing"))
        slow.until(b"\r\n\r\n")
        for times in GROWING:
            assert int(slow.until(b"\r\n"), 16) == len(PIECE) * times
            for _ in range(times):
                assert slow._exactly(len(PIECE)) == PIECE
                time.sleep(0.008)  # so that the last pieces take twice as long as who takes nothing may
            assert slow.until(b"\r\n") == b""
        assert slow.until(b"\r\n") == b"0"
