"""The log of refused requests on the wire. Ours: the original keeps it to itself."""

import re
from collections.abc import Sequence

import msgspec

from ..errors import ParameterInvalid
from ..rules.requests import Entry, Wanted
from . import cursors
from .contacts import CursorPages
from .cursors import Asked
from .params import Query, last, whole

SECONDS_MAX = 1 << 40  # later than any entry
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)", re.IGNORECASE | re.ASCII)


class RequestToken(msgspec.Struct, frozen=True, kw_only=True):
    """The access token a request came with: its id, and how it begins."""

    id: str
    begins: str


class RequestBody(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, what was answered, and why. `path` is without the query; `cause` says more than the answer did."""

    type: str = "request"
    request_id: str
    at_ms: int
    method: str
    path: str
    status: int
    code: str | None
    message: str | None
    field: str | None
    cause: str | None
    version: str | None
    token: RequestToken | None
    client: str | None
    user_agent: str | None
    duration_us: int | None


class RequestList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[RequestBody]
    total_count: int
    pages: CursorPages


def parse(query: Query) -> tuple[Wanted, Asked, int | None]:
    """(what is looked for, the page, the number it comes before). Raises ParameterInvalid by field."""
    asked = cursors.of_query(query)
    place = cursors.numbers(asked, 1, "starting_after")
    wanted = Wanted(
        request_id=last(query, "request_id"),
        status=statuses(last(query, "status")),
        code=last(query, "code"),
        path=last(query, "path"),
        since=_moment(query, "since"),
        until=_moment(query, "until"),
        text=last(query, "text"),
    )
    return wanted, asked, None if place is None else place[0]


def statuses(text: str | None) -> tuple[int, int] | None:
    """The lowest and the highest status meant by one such as 404, or by a hundred such as 4xx. Raises ParameterInvalid."""
    if text is None:
        return None
    if not _STATUS.fullmatch(text.strip()):
        raise ParameterInvalid(f"status must be a status such as 404, or 4xx for all from 400 to 499, got {text[:40]!r}", field="status")
    lowest = text.strip().lower().replace("x", "0")
    highest = text.strip().lower().replace("x", "9")
    return int(lowest), int(highest)


def _moment(query: Query, name: str) -> int | None:
    found = whole(query, name, default=-1, most=SECONDS_MAX, least=0)
    return None if found < 0 else found


def item(entry: Entry) -> RequestBody:
    token = None if entry.token is None else RequestToken(id=str(entry.token), begins=entry.token_hint or "")
    shown = {name: getattr(entry, name) for name in RequestBody.__struct_fields__ if name not in ("type", "token")}
    return RequestBody(**shown, token=token)


def listing(entries: Sequence[tuple[int, Entry]], *, asked: Asked, total_count: int, more: bool) -> RequestList:
    pages = cursors.counted(asked, str(entries[-1][0]) if more else None, total_count=total_count)
    return RequestList(data=[item(entry) for _, entry in entries], total_count=total_count, pages=pages)
