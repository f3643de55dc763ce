"""uvicorn's HTTP protocol with our bounds: how long heads and bodies may take, how long a head may be, how many may connect.
How much is read of what is sent ahead, and how long nobody may read an answer, is pacing.py's.

What is refused here never reaches the application; it is answered as error.list too. Answers stay in the order of the
requests: a bad request behind good ones is refused when those have been answered.
"""

import asyncio
import inspect
import logging
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..errors import HeadTooLarge, ParameterInvalid, RequestTimeout, TrackrecordError, Unavailable
from ..journal.commit import Kept
from . import errors
from .bodies import Headers, Room
from .heads import NO_TRAILER, Known, known, origin_form, unclear
from .pacing import LINGERING_MAX, Paced

log = logging.getLogger("trackrecord.http")

LESSONS = 3  # heads of a connection that are learned, as a client's heads are the same again and again, or always others
UNTIL_THE_END = 1 << 62  # a length that no answer has: it is as long as its connection lasts

# What the fast lane uses of uvicorn's insides. Where one of them is gone, events go by ASGI as everything else does.
CYCLE = [
    "scope",
    "transport",
    "flow",
    "logger",
    "access_logger",
    "access_log",
    "default_headers",
    "message_event",
    "expect_100_continue",
    "keep_alive",
    "on_response",
]
PARTS = ["on_headers_complete", "on_body", "on_message_complete", "on_response_complete", "_start_asgi_task", "connection_lost", "shutdown"]


def lane_fits(protocol: Any = HttpToolsProtocol, cycle: Any = RequestResponseCycle) -> bool:
    """Whether this uvicorn is as the fast lane knows it; says so in the log where it is not."""
    missing = [name for name in PARTS if not callable(getattr(protocol, name, None))]
    missing += sorted(set(CYCLE) ^ (inspect.signature(cycle).parameters.keys()))
    if missing:
        log.warning("this uvicorn is not as the fast lane knows it (%s): events take the ordinary way", ", ".join(missing))
    return not missing


class _Unheard:
    """An event that nobody waits for."""

    def set(self) -> None:
        pass


class _Flight:
    """Stands where uvicorn keeps the request that is being answered, while an event of the fast lane is on its way to the disk."""

    __slots__ = ("disconnected", "headers", "keep_alive", "request_id", "response_complete", "scope")

    message_event = _Unheard()
    response_started = False

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        self.request_id = ""
        self.headers: Headers = []
        self.keep_alive = True  # until uvicorn is told to end
        self.disconnected = self.response_complete = False


class Lane(Protocol):
    """What the fast lane is to the protocol: see App."""

    def taken(self, sent: dict[bytes, bytes], body: bytes, kept: Kept) -> tuple[str, Headers] | None: ...

    def refused(self, error: TrackrecordError, request_id: str, headers: Headers) -> Any: ...


# What hears of every request refused here: the error, the request id, and what is known of method, target and client address.
Refused = Callable[[TrackrecordError, str, str, str, str | None], None]


def protocol(
    *,
    header_max_bytes: int,
    timeout_s: float,
    answer_timeout_s: float,
    connections_max: int,
    version: str,
    refused: Refused,
    room: Room,
    lane: Lane | None = None,
) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn's `http` setting, with its bounds. A body has `timeout_s` again, whoever reads it.

    `version` is what answers of its own carry as Intercom-Version. What waits unparsed or unanswered has its place in `room`.
    """

    class Bounded(Paced):
        _direct: bytearray | None = None  # the body so far of a request that the fast lane may take; None while there is none
        _timer: asyncio.TimerHandle | None = None  # runs while a head or the rest of a body is awaited
        _in_head = False  # a head has begun and not ended
        _in_body = False  # the same of a body
        _heads = 0  # begun so far
        _head_bytes = 0  # received of a head that has not ended, without those of the read it began in
        _spans = False  # the head began in an earlier read, some of whose bytes are in no count
        _received = 0  # _head_bytes with those of the read that is being parsed
        _idle = 0  # bytes received since the last of a body: heads of chunks and trailers
        _sent: dict[bytes, bytes]  # the headers of the head that ended last
        _took: bytes | None = None  # the body of the request that the lane has taken of the piece that is read
        _again: tuple[Known, Any, dict[bytes, bytes]] | None = None  # a head that came with one, its scope, its headers
        _lessons = LESSONS
        _plain: bytes | None = None  # the head of a request that asked to upgrade, without that
        _fault: TrackrecordError | None = None  # why on_headers_complete raised
        _stops = False  # the server does, and what is being answered was asked by one who does not know that
        _refusal: TrackrecordError | None = None  # with which the connection ends, once the requests before it are answered

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections_max:
                self._in_head = len(self.connections) <= connections_max + LINGERING_MAX  # most begin with one at once
                self.refuse(Unavailable(f"{connections_max} connections are open already; connect again later"))
            else:
                self._start_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        @property
        def deaf(self) -> bool:
            return self._refusal is not None or super().deaf

        def comes(self) -> bool:
            return self._in_head or self._in_body or self._refusal is not None or self._stops

        def shutdown(self) -> None:
            self._stops = self.cycle is not None and not self.cycle.response_complete
            super().shutdown()

        def read_piece(self, piece: bytes | memoryview, *, last: bool) -> None:
            if self._again is not None and last and self._take_again(piece):
                return
            self._took = None
            heads, self._received = self._heads, self._head_bytes + len(piece)
            self._idle += len(piece)
            try:
                self._parse(piece)
                if last and self._direct is not None:  # it has not come whole
                    self._leave_lane()
            except httptools.HttpParserError:
                if self._direct is not None:
                    self._leave_lane()
                self.refuse(self._fault or ParameterInvalid("this is not a valid HTTP request", field="request"))
                return
            if self._took is not None and last and self._lessons and self._heads == heads + 1 and len(piece) < header_max_bytes:
                self._learn(piece, self._took)
            self._spans = self._in_head
            if self._in_head:
                self._head_bytes = self._received if self._heads == heads else 0
                if self._head_bytes > header_max_bytes:
                    self.refuse(_head_too_large())
                    return
            elif self._in_body and self._idle > header_max_bytes:
                self.refuse(HeadTooLarge(f"heads of chunks and trailers must be at most {header_max_bytes} bytes"))
                return
            self.watch(False)

        def watch(self, waits: bool) -> None:
            if waits:
                self._stop_timer()
            elif self._timer is None and (self._in_head or self._in_body) and not self.deaf:
                self._start_timer()

        def _parse(self, data: bytes | memoryview) -> None:
            rest = memoryview(data)
            while True:
                try:
                    self.parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    rest = rest[upgrade.args[0] :]
                    if self._plain is not None:
                        head, self._plain = self._plain, None
                        self.parser = httptools.HttpRequestParser(self)  # one that has seen Connection: close takes nothing more
                        self.parser.feed_data(head)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head = True
            self._heads += 1
            self._head_bytes = 0

        def on_header(self, name: bytes, value: bytes) -> None:
            if self._in_head:
                super().on_header(name, value)
            elif name.lower() in NO_TRAILER:
                self._fault = ParameterInvalid(f"a trailer must not be {name.decode('latin-1')}", field="headers")
                raise self._fault
            # Any other trailer is passed over: nobody who looked at the head has seen what came behind the body.

        def on_headers_complete(self) -> None:
            if (self._received > header_max_bytes or self._spans) and self._head_size() > header_max_bytes:
                self._fault = _head_too_large()
                raise self._fault
            self._sent, version = dict(self.headers), self.parser.get_http_version()
            plain = len(self._sent) == len(self.headers) and version == "1.1" and b"transfer-encoding" not in self._sent
            if not plain or self.url != b"/events" or self.parser.should_upgrade():
                self._fault = unclear(self.parser.get_method(), self.url, version, self.headers)
                if self._fault is not None:
                    raise self._fault
            if self.parser.should_upgrade():
                # Java's client asks every server for HTTP/2 this way. The parser then takes what follows for another protocol,
                # so the body of a POST would be lost: the head is read again without the request to upgrade.
                self._plain = self._head_without_upgrade()
                return
            self._stop_timer()
            self._in_head, self._in_body, self._idle = False, True, 0
            if self.url == b"/events" and lane is not None and self._is_free() and self.parser.get_method() == b"POST":
                self._direct = bytearray()
            else:
                self._go_ordinary()

        def _go_ordinary(self) -> None:
            self.url = origin_form(self.url)
            if self.expect_100_continue and self.parser.get_http_version() == "1.0":
                self.expect_100_continue = False  # it knows no such answer (RFC 9110, 10.1.1)
            super().on_headers_complete()
            if self.cycle.scope["http_version"] == "1.0":
                self.cycle.send = _without_chunks(self.cycle)  # type: ignore[method-assign, assignment]

        def on_body(self, body: bytes) -> None:
            self._idle = 0
            if self._direct is None:
                super().on_body(body)
            else:
                self._direct += body

        def on_message_complete(self) -> None:
            if self._plain is None:
                self._stop_timer()
                self._in_body = False
                if self._direct is not None:
                    if self._take(bytes(self._direct)):
                        return
                    self._leave_lane()
                super().on_message_complete()

        # The fast lane takes a POST /events that came in one piece while nothing before it waits for its answer. All else, and
        # what the lane leaves, goes the ordinary way, as if there were no lane.

        def _is_free(self) -> bool:
            return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

        def _leave_lane(self) -> None:
            body, self._direct = self._direct, None
            self._go_ordinary()
            if body:
                super().on_body(bytes(body))

        def _take(self, body: bytes) -> bool:
            """Whether the lane has taken the request; then it is on its way to the disk."""
            sent = self._sent
            plain = len(sent) == len(self.headers) and sent.get(b"connection", b"keep-alive").lower() == b"keep-alive"
            if lane is None or not plain or self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
                return False
            if not self._fly(body, self.scope, sent):
                return False
            self._direct, self._took = None, body
            return True

        def _take_again(self, piece: bytes | memoryview) -> bool:
            """Take a request whose head is as before, as the parser would read the same in it. Nothing of one may be under way."""
            if self._in_head or self._in_body or not self._is_free() or self._again is None:
                return False
            head, scope, sent = self._again
            body = head.body(piece)
            return body is not None and self._fly(body, scope, sent)

        def _learn(self, piece: bytes | memoryview, body: bytes) -> None:
            self._lessons -= 1
            head = known(piece, body)
            self._again = (head, self.scope, self._sent) if head is not None else None

        def _fly(self, body: bytes, scope: Any, sent: dict[bytes, bytes]) -> bool:
            flight = _Flight(scope)
            assert lane is not None  # noqa: S101 - asked before
            found = lane.taken(sent, body, partial(self._kept, flight))
            if found is None:
                return False
            flight.request_id, flight.headers = found
            self.cycle = cast(RequestResponseCycle, flight)
            return True

        def _kept(self, flight: _Flight, position: int, error: TrackrecordError | None) -> None:
            """The event is on stable storage, or it is not kept."""
            if flight.disconnected or self.transport.is_closing():
                return
            if error is not None:
                self._refuse_flight(flight, error)
                return
            lines = [b"%b: %b\r\n" % each for each in (*self.server_state.default_headers, *flight.headers)]
            end = b"\r\n" if flight.keep_alive else b"connection: close\r\n\r\n"
            flight.response_complete = True
            self.transport.write(
                b"HTTP/1.1 202 Accepted\r\n%bcontent-length: 0\r\ntrackrecord-receipt: %d\r\n%b" % (b"".join(lines), position, end)
            )
            if not flight.keep_alive:
                self.transport.close()
            self.on_response_complete()

        def on_response_complete(self) -> None:
            refusal, last = self._refusal, not self.pipeline
            super().on_response_complete()
            if refusal is not None and last and not self.transport.is_closing():
                self._answer(refusal)

        def _refuse_flight(self, flight: _Flight, error: TrackrecordError) -> None:
            """Answer the ordinary way, without doing again what the lane has done."""
            cycle = RequestResponseCycle(
                scope=flight.scope | {"method": "POST", "path": "/events", "raw_path": b"/events", "query_string": b""},
                transport=self.transport,
                flow=self.flow,
                logger=self.logger,
                access_logger=self.access_logger,
                access_log=self.access_log,
                default_headers=self.server_state.default_headers,
                message_event=asyncio.Event(),
                expect_100_continue=False,
                keep_alive=flight.keep_alive,
                on_response=self.on_response_complete,
            )
            cycle.more_body = False
            if self.cycle is cast(RequestResponseCycle, flight):
                self.cycle = cycle
            assert lane is not None  # noqa: S101 - it took the request
            self._start_asgi_task(cycle, lane.refused(error, flight.request_id, flight.headers))

        def _head_size(self) -> int:
            return len(self.url) + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)

        def _head_without_upgrade(self) -> bytes:
            start = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
            kept = [b"%s: %s" % (name, value) for name, value in self.headers if name != b"upgrade"]
            return b"\r\n".join([start, *kept, b"", b""])

        def _start_timer(self) -> None:
            self._timer = self.loop.call_later(timeout_s, self._late)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _late(self) -> None:
            self._timer = None
            if self.transport.is_closing():
                return
            if self._in_head or self._in_body:
                what, field = ("request's head", "headers") if self._in_head else ("body", "body")
                self.refuse(RequestTimeout(f"the {what} did not arrive within {timeout_s:g} s", field=field))
            else:
                self.end()  # connected and said nothing: there is no request to answer

        def refuse(self, error: TrackrecordError) -> None:
            """Answer below the application, in its turn, and close."""
            self._stop_timer()
            faulty = self.cycle if self._in_body else None
            if faulty is not None and faulty.response_started:
                self.end()  # answered before its body had come; that never ended well
            elif self.pipeline or (faulty is None and self.cycle is not None and not self.cycle.response_complete):
                if faulty is not None:
                    self.pipeline.popleft()  # it stands last, and those before it are good
                self._refusal = error
            else:
                self._answer(error)

        def _answer(self, error: TrackrecordError) -> None:
            self._refusal = error
            request_id = str(uuid.uuid4())
            content = errors.body(error, request_id)
            target: bytes = getattr(self, "url", b"")  # as far as it was read
            method = self.parser.get_method() if target else b""
            lines = [
                b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode()),
                *(b"%b: %b" % each for each in self.server_state.default_headers),
                b"content-type: application/json; charset=utf-8",
                b"content-length: %d" % len(content),
                b"x-request-id: " + request_id.encode(),
                b"intercom-version: " + version.encode(),
                b"connection: close",
            ]
            if error.retry_after_s is not None:
                lines.append(b"retry-after: %d" % error.retry_after_s)
            self.transport.write(b"\r\n".join([*lines, b"", b"" if method == b"HEAD" else content]))
            self.end()
            refused(
                error, request_id, method.decode("latin-1"), origin_form(target).decode("latin-1"), self.client[0] if self.client else None
            )

    def _without_chunks(cycle: Any) -> Callable[[Any], Awaitable[None]]:
        """HTTP/1.0 knows no chunks: there an answer whose length is not known ends with its connection (RFC 9112, 6.3)."""
        send = cycle.send

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                if not any(name == b"content-length" for name, _ in message["headers"]):
                    cycle.chunked_encoding, cycle.expected_content_length = False, UNTIL_THE_END
            elif cycle.expected_content_length > UNTIL_THE_END // 2 and not message.get("more_body", False):
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        return sending

    def _head_too_large() -> HeadTooLarge:
        return HeadTooLarge(f"the request line and headers must be at most {header_max_bytes} bytes")

    Bounded.room, Bounded.stalled_s = room, answer_timeout_s
    return Bounded
