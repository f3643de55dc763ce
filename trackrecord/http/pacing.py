"""How much is read from a connection, what is held of it meanwhile, how long its peer may take nothing of an answer, and how it ends.

uvicorn reads on while requests wait for the answers before theirs, and waits for ever for a peer that does not read. Here a connection
is read as far as it is answered: what a client sends ahead stays with it and in the system's buffers but for one read, which is held
in the room for bodies (bodies.py) and parsed a piece at a time. So what a connection takes does not grow with what is sent.

A connection that is closed while its peer still sends is reset by the system, and the last answer with it. So what may still come is
heard out for a moment and thrown away.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..errors import TrackrecordError, Unavailable
from .bodies import Held, Room

LINGER_S = 2.0  # how long what comes after the last answer is heard out
LINGERING_MAX = 200  # connections past `connections_max` that are; of more, whoever still sends may see a reset in place of the 503
PIECE_BYTES = 2 << 10  # parsed at a time; then those requests of it that wait are answered first
REQUEST_BYTES = 4 << 10  # about what a request takes that is parsed and waits


class _Flow(FlowControl):
    """uvicorn's, which reads on whenever a request is answered or wants its body; not so while requests wait."""

    waits = False

    def resume_reading(self) -> None:
        if not self.waits:
            super().resume_reading()


class _Transport:
    """What uvicorn's parts close and write to. Closed while more may come, it says that nothing follows, and hears the peer out."""

    __slots__ = ("_comes", "_real", "_write", "_written", "abort", "get_write_buffer_size", "lingers", "pause_reading", "resume_reading")

    def __init__(self, real: Any, comes: Callable[[], bool]) -> None:
        self._real = real
        self._comes = comes
        self._written = 0
        self.lingers = False
        self.abort, self.get_write_buffer_size, self._write = real.abort, real.get_write_buffer_size, real.write
        self.pause_reading, self.resume_reading = real.pause_reading, real.resume_reading

    def write(self, data: bytes) -> None:
        self._written += len(data)
        self._write(data)

    @property
    def taken(self) -> int:
        """Bytes that the system has taken for the peer. It takes more only as the peer does."""
        return self._written - int(self.get_write_buffer_size())

    def is_closing(self) -> bool:
        return self.lingers or bool(self._real.is_closing())

    def close(self) -> None:
        if self.is_closing():
            return
        if not self._comes():
            self._real.close()
            return
        self.lingers, self._write = True, _unwritten
        self._real.write_eof()
        self._real.resume_reading()

    def close_now(self) -> None:
        self._real.close()


def _unwritten(data: bytes) -> None:
    """After the last answer nothing is written."""


class Paced(HttpToolsProtocol, ABC):
    """The protocol beneath protocol.py's, which reads pieces and says what becomes of them."""

    room: Room
    stalled_s: float  # how long a peer may take nothing of what is written to it
    flow: _Flow
    transport: Any  # a _Transport, where uvicorn has asyncio's
    _unread: bytes = b""  # came already, and is not parsed: only while requests wait
    _held: Held
    _stall: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _taken = 0  # bytes that had been taken for the peer when it was looked last

    @abstractmethod
    def read_piece(self, piece: bytes | memoryview, *, last: bool) -> None:
        """Parse it; `last` when nothing that has come is behind it."""

    @abstractmethod
    def watch(self, waits: bool) -> None:
        """Whether requests wait, so that nobody is late who is not read."""

    @abstractmethod
    def refuse(self, error: TrackrecordError) -> None:
        """Answer in its turn, and close."""

    @abstractmethod
    def comes(self) -> bool:
        """Whether the peer may still be sending, as far as can be seen."""

    @property
    def deaf(self) -> bool:
        """Whether all that comes is passed over, as the connection ends."""
        return bool(self.transport.lingers)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.transport = _Transport(transport, self.comes)
        self.flow = _Flow(transport)
        self._held = Held(self.room)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._stall, self._lingering):
            if timer is not None:
                timer.cancel()
        self._unread = b""
        self._held.release()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.deaf:
            return
        if self._unread or self.pipeline or len(data) > PIECE_BYTES:
            self._unread += data
            self._read_on()
        else:
            self.read_piece(data, last=True)
            if self.pipeline:
                self._hold()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_end()
        elif self.pipeline:
            self._hold()
        elif self.flow.waits:
            self._read_on()

    def _read_on(self) -> None:
        """Parse what has come, until a request of it has to wait for those before it."""
        if not self.pipeline:
            self.flow.waits = False
            self.flow.resume_reading()
        unread, self._unread, at = memoryview(self._unread), b"", 0
        while at < len(unread) and not (self.pipeline or self.deaf or self.transport.is_closing()):
            piece, at = unread[at : at + PIECE_BYTES], at + PIECE_BYTES
            self.read_piece(piece, last=at >= len(unread))
        if not self.deaf:
            self._unread = bytes(unread[at:])
        self._hold()

    def _hold(self) -> None:
        """Read nothing more while requests wait, and hold room for them and for what came with them."""
        waits = bool(self.pipeline)
        if waits:
            self.flow.waits = True
            self.flow.pause_reading()
        self.watch(waits)
        try:
            self._held.become(len(self._unread) + REQUEST_BYTES * len(self.pipeline))
        except Unavailable as error:
            self._unread = b""
            self._held.release()
            self.refuse(error)

    # Writing. Above a mark the system tells that the peer takes nothing, and what ends a connection looks by itself.

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_end()

    def end(self) -> None:
        """Close once the peer has taken what was written and sends no more, or has done neither for too long."""
        self.transport.close()
        self._watch_end()

    def _watch_end(self) -> None:
        if self.transport.lingers and self._lingering is None:
            self._lingering = self.loop.call_later(LINGER_S, self._heard_out)
        self._watch_writing()

    def _heard_out(self) -> None:
        self.transport.close_now()
        self._watch_writing()

    def _watch_writing(self) -> None:
        if self.transport.get_write_buffer_size() and self._stall is None:
            self._taken = self.transport.taken
            self._stall = self.loop.call_later(self.stalled_s, self._stalled)

    def _stalled(self) -> None:
        self._stall = None
        if self.transport.get_write_buffer_size() and self.transport.taken <= self._taken:
            self.transport.abort()
        else:
            self._watch_writing()
