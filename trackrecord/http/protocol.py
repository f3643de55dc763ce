"""uvicorn's HTTP protocol with our bounds: how long a head may be, how long it may take, how many may connect; errors as error.list."""

import asyncio
import uuid
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..errors import ParameterInvalid, RequestError, RequestTimeout, TrackrecordError, Unavailable
from . import errors


class HeadTooLarge(RequestError):
    status, code = 431, "client_error"


_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large", 503: b"Service Unavailable"}


def protocol(*, header_max_bytes: int, header_timeout_s: float, connections_max: int) -> type[HttpToolsProtocol]:
    """The protocol class for uvicorn's `http` setting, with its bounds."""

    class Protocol(HttpToolsProtocol):
        _head_bytes = 0
        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections_max:
                self._refuse(Unavailable(f"{connections_max} connections are open already; connect again later"))
            else:
                self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_arrived()
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._head_timer is None:
                self._await_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._head_timer is None:
                self._head_bytes = 0
                return
            self._head_bytes += len(data)
            if self._head_bytes > header_max_bytes and not self.transport.is_closing():
                self._refuse(HeadTooLarge(f"the request line and headers must be at most {header_max_bytes} bytes"))

        def on_headers_complete(self) -> None:
            self._head_arrived()
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self._refuse(ParameterInvalid("this is not a valid HTTP request"))

        def _await_head(self) -> None:
            self._head_timer = self.loop.call_later(header_timeout_s, self._head_late)

        def _head_arrived(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _head_late(self) -> None:
            self._head_timer = None
            if not self._head_bytes:
                self.transport.close()  # connected and said nothing: there is no request to answer
            elif not self.transport.is_closing():
                self._refuse(RequestTimeout(f"the request's head did not arrive within {header_timeout_s:g} s"))

        def _refuse(self, error: TrackrecordError) -> None:
            """Answer below the application, and close."""
            self._head_arrived()
            request_id = str(uuid.uuid4())
            content = errors.body(error, request_id)
            lines = [
                b"HTTP/1.1 %d %s" % (error.status, _REASONS[error.status]),
                b"content-type: application/json; charset=utf-8",
                b"content-length: %d" % len(content),
                b"x-request-id: " + request_id.encode(),
                b"connection: close",
            ]
            if error.retry_after_s is not None:
                lines.append(b"retry-after: %d" % error.retry_after_s)
            self.transport.write(b"\r\n".join([*lines, b"", content]))
            self.transport.close()

    return Protocol
