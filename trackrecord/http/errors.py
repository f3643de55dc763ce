"""The one place that writes error bodies. Source: the contract, 1.6 "Error envelope"."""

import logging
import traceback
from collections.abc import Mapping

import msgspec

from ..errors import ContactMerged, ContactNotFound, NotFound, RequestError, TrackrecordError, Unavailable
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


class ServerError(TrackrecordError):
    """What nobody raised on purpose. Its cause is the traceback."""

    def __init__(self, error: BaseException) -> None:
        message = "Something went wrong on our side; nothing was kept. The request id finds the cause in the log"
        super().__init__(message, cause="".join(traceback.format_exception(error)))


def seen(error: BaseException, request_id: str) -> TrackrecordError:
    """The error to answer with. What nobody raised for a caller to read is logged with its cause and answered as 500, without it."""
    if isinstance(error, (RequestError, Unavailable)):
        return error
    log.error("request %s failed", request_id, exc_info=error)
    return ServerError(error)


def name_the_fault(error: TrackrecordError, method: str, path: Mapping[str, str]) -> None:
    """Fill in `field` and `cause` where whoever raised the error could not know them: what the path's parameters are called.

    What is not there is what the path names: the contact first and what hangs on it last. Else it is the body, or the query of
    a call that has none. Where it is the server's fault, no field is.
    """
    if error.field is None and isinstance(error, RequestError):
        if path and isinstance(error, (NotFound, ContactMerged)):
            names = list(path)
            error.field = names[0] if isinstance(error, (ContactNotFound, ContactMerged)) else names[-1]
        else:
            error.field = "query" if method in ("GET", "HEAD", "DELETE") else "body"
    if error.cause is None and error.field is not None and error.field in path:
        error.cause = f"{error.message}: {error.field} was {path[error.field][:200]!r}"


def body(error: TrackrecordError, request_id: str) -> bytes:
    return encode(ErrorList("error.list", request_id, [ErrorItem(error.code, error.message, error.field)]))
