"""uvicorn's HTTP protocol with our bounds: how long heads and bodies may take, how long a head may be, how many may connect.
How much is read of what is sent ahead, and how long nobody may read an answer, is pacing.py's; the fast lane's part is flights.py.

What is refused here never reaches the application; it is answered as error.list too. Answers stay in the order of the
requests: a bad request behind good ones is refused when those have been answered.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..errors import HeadTooLarge, ParameterInvalid, RequestTimeout, TrackrecordError, Unavailable
from . import errors
from .bodies import Room
from .flights import Flying, Lane
from .heads import NO_TRAILER, origin_form, unclear
from .pacing import LINGERING_MAX

log = logging.getLogger("trackrecord.http")

UNTIL_THE_END = 1 << 62  # a length that no answer has: it is as long as its connection lasts

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

    fast = lane

    class Bounded(Flying):
        lane = fast
        _timer: asyncio.TimerHandle | None = None  # runs while a head or the rest of a body is awaited
        _in_head = False  # a head has begun and not ended
        _in_body = False  # the same of a body
        _heads = 0  # begun so far
        _head_bytes = 0  # received of a head that has not ended, without those of the read it began in
        _spans = False  # the head began in an earlier read, some of whose bytes are in no count
        _received = 0  # _head_bytes with those of the read that is being parsed
        _idle = 0  # bytes received since the last of a body: heads of chunks and trailers
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
            if last and not (self._in_head or self._in_body) and self.take_again(piece):
                return
            self.took = None
            heads, self._received = self._heads, self._head_bytes + len(piece)
            self._idle += len(piece)
            try:
                self._parse(piece)
                if last and self.direct is not None:  # it has not come whole
                    self.leave_lane()
            except httptools.HttpParserError:
                if self.direct is not None:
                    self.leave_lane()
                self.refuse(self._fault or ParameterInvalid("this is not a valid HTTP request", field="request"))
                return
            if last and self._heads == heads + 1 and len(piece) < header_max_bytes:
                self.learn(piece)
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
            self.sent, version = dict(self.headers), self.parser.get_http_version()
            plain = len(self.sent) == len(self.headers) and version == "1.1" and b"transfer-encoding" not in self.sent
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
            if self.url == b"/events" and self.lane is not None and self.is_free() and self.parser.get_method() == b"POST":
                self.direct = bytearray()
            else:
                self.go_ordinary()

        def go_ordinary(self) -> None:
            self.url = origin_form(self.url)
            if self.expect_100_continue and self.parser.get_http_version() == "1.0":
                self.expect_100_continue = False  # it knows no such answer (RFC 9110, 10.1.1)
            super().on_headers_complete()
            if self.cycle.scope["http_version"] == "1.0":
                self.cycle.send = _without_chunks(self.cycle)  # type: ignore[method-assign, assignment]

        def on_body(self, body: bytes) -> None:
            self._idle = 0
            if self.direct is None:
                super().on_body(body)
            else:
                self.direct += body

        def on_message_complete(self) -> None:
            if self._plain is None:
                self._stop_timer()
                self._in_body = False
                if self.direct is not None:
                    if self.take(bytes(self.direct)):
                        return
                    self.leave_lane()
                super().on_message_complete()

        def on_response_complete(self) -> None:
            refusal, last = self._refusal, not self.pipeline
            super().on_response_complete()
            if refusal is not None and last and not self.transport.is_closing():
                self._answer(refusal)

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
