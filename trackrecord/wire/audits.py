"""The record of deletions on the wire. Ours: the original deletes no events."""

from collections.abc import Sequence
from typing import Any

import msgspec

from ..rules.audits import Audit
from . import cursors
from .contacts import CursorPages
from .cursors import Asked
from .params import Query


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """An access token: never its secret."""

    id: str
    name: str | None


class AuditBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who had what deleted, and when. Times are whole Unix seconds; `subject` holds the query, the position or the contact."""

    type: str = "audit"
    id: str
    action: str
    at: int
    completed_at: int | None  # null where the server ended before it was done: ask for the deletion once more
    token: TokenBody | None
    subject: dict[str, Any]
    count: int


class AuditList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[AuditBody]
    total_count: int
    pages: CursorPages


def parse_page(query: Query) -> tuple[Asked, int | None]:
    """(the page, the id it comes before). Raises ParameterInvalid."""
    asked = cursors.of_query(query)
    place = cursors.numbers(asked, 1, "starting_after")
    return asked, None if place is None else place[0]


def item(audit: Audit) -> AuditBody:
    return AuditBody(
        id=str(audit.id),
        action=audit.action,
        at=audit.at,
        completed_at=audit.completed_at,
        token=None if audit.token is None else TokenBody(id=str(audit.token), name=audit.token_name),
        subject=audit.subject,
        count=audit.count,
    )


def listing(audits: Sequence[Audit], *, asked: Asked, total_count: int, more: bool) -> AuditList:
    pages = cursors.counted(asked, str(audits[-1].id) if more else None, total_count=total_count)
    return AuditList(data=[item(audit) for audit in audits], total_count=total_count, pages=pages)
