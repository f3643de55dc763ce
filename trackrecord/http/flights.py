"""The fast lane's part of the HTTP protocol: events on their way to the disk, beneath ASGI.

It stands between pacing.py, which says what is read, and protocol.py, which parses it and asks here first.
"""

import asyncio
import inspect
import logging
from abc import abstractmethod
from functools import partial
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..errors import TrackrecordError
from ..journal.commit import Kept
from .bodies import Headers
from .heads import Known, known
from .pacing import Paced

log = logging.getLogger("trackrecord.http")

LESSONS = 3  # heads of a connection that are learned, as a client's heads are the same again and again, or always others

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

    again: int  # events taken whose heads were known

    def taken(self, sent: dict[bytes, bytes], body: bytes, kept: Kept) -> tuple[str, Headers] | None: ...

    def refused(self, error: TrackrecordError, request_id: str, headers: Headers) -> Any: ...


class Flying(Paced):
    """Takes a POST /events that came in one piece while nothing before it waits for its answer. All else, and what the lane leaves,
    goes the ordinary way, as if there were no lane."""

    lane: Lane | None
    direct: bytearray | None = None  # the body so far of a request that the fast lane may take; None while there is none
    sent: dict[bytes, bytes]  # the headers of the head that ended last
    took: bytes | None = None  # the body of the request that the lane has taken of the piece that is read
    _again: tuple[Known, Any, dict[bytes, bytes]] | None = None  # a head that came with one, its scope, its headers
    _lessons = LESSONS

    @abstractmethod
    def go_ordinary(self) -> None:
        """Go on as uvicorn does where a head has ended."""

    def is_free(self) -> bool:
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def leave_lane(self) -> None:
        body, self.direct = self.direct, None
        self.go_ordinary()
        if body:
            super().on_body(bytes(body))

    def take(self, body: bytes) -> bool:
        """Whether the lane has taken the request; then it is on its way to the disk."""
        sent = self.sent
        plain = len(sent) == len(self.headers) and sent.get(b"connection", b"keep-alive").lower() == b"keep-alive"
        if self.lane is None or not plain or self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return False
        if not self._fly(body, self.scope, sent):
            return False
        self.direct, self.took = None, body
        return True

    def take_again(self, piece: bytes | memoryview) -> bool:
        """Take a request whose head is as before, as the parser would read the same in it. Nothing of another may have begun."""
        if self._again is None or self.lane is None or not self.is_free():
            return False
        head, scope, sent = self._again
        body = head.body(piece)
        if body is None or not self._fly(body, scope, sent):
            return False
        self.lane.again += 1
        return True

    def learn(self, piece: bytes | memoryview) -> None:
        """Remember the head of the one request that began in this piece, if the lane has taken it."""
        if self.took is not None and self._lessons:
            self._lessons -= 1
            head = known(piece, self.took)
            self._again = (head, self.scope, self.sent) if head is not None else None

    def _fly(self, body: bytes, scope: Any, sent: dict[bytes, bytes]) -> bool:
        flight = _Flight(scope)
        assert self.lane is not None  # noqa: S101 - asked before
        found = self.lane.taken(sent, body, partial(self._kept, flight))
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
        assert self.lane is not None  # noqa: S101 - it took the request
        self._start_asgi_task(cycle, self.lane.refused(error, flight.request_id, flight.headers))
