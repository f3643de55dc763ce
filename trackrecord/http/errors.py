"""The one place that writes error bodies. Source: the contract, 1.6 "Error envelope"."""

import logging

import msgspec

from ..errors import TrackrecordError
from ..wire.json import encode

log = logging.getLogger("trackrecord.http")


class ErrorItem(msgspec.Struct, omit_defaults=True):
    """No `type` here, ever: two clients read it in place of `code`."""

    code: str
    message: str | None
    field: str | None = None


class ErrorList(msgspec.Struct):
    type: str
    request_id: str | None
    errors: list[ErrorItem]


SERVER_ERROR = TrackrecordError("Something went wrong on our side; nothing was kept. The request id finds the cause in the log")


def seen(error: BaseException, request_id: str) -> TrackrecordError:
    """The error to answer with. What nobody raised on purpose is logged with its cause and answered as 500, without it."""
    if isinstance(error, TrackrecordError):
        return error
    log.error("request %s failed", request_id, exc_info=error)
    return SERVER_ERROR


def body(error: TrackrecordError, request_id: str) -> bytes:
    return encode(ErrorList("error.list", request_id, [ErrorItem(error.code, error.message, error.field)]))
