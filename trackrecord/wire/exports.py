"""What an export is asked for. Ours: the original exports by jobs. The forms themselves are in exports.py."""

import re
from typing import Any

import msgspec
from msgspec import UNSET

from ..errors import ParameterInvalid
from ..rules.directory import Workspace
from ..rules.events import clean_name
from ..rules.identity import Identifier
from ..rules.values import moment
from .params import Query, last, refuse_empty, word

IDENTIFIERS = {"intercom_user_id": "id", "user_id": "user_id", "email": "email"}
_ODD = re.compile(r"[^A-Za-z0-9_-]+")


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Times are whole Unix seconds; None is no bound."""

    format: str
    since: int | None
    until: int | None
    names: dict[str, str] = {}  # by what an event name folds to, how it was asked for
    whose: tuple[Identifier, ...] = ()
    segment_id: str | None = None  # of contacts
    query: Any = UNSET  # of contacts: a search, as decoded from JSON


def parse(query: Query, *, formats: tuple[str, ...]) -> ExportQuery:
    """Read `format` (the first of `formats` without it), `since` and `until`; `name`, once or more, and one contact's identifier;
    `segment_id`; and `query`, a search of contacts in JSON.

    Raises ParameterInvalid, TypeMismatch or DataInvalid by field.
    """
    refuse_empty(query, "since", "until", "segment_id", "query", *IDENTIFIERS)
    since, until = moment(last(query, "since"), "since"), moment(last(query, "until"), "until")
    if since is not None and until is not None and since >= until:
        raise ParameterInvalid(f"until must be after since, got {until} and {since}", field="until")
    return ExportQuery(
        format=word(query, "format", formats) or formats[0],
        since=since,
        until=until,
        names={clean_name(value, "name")[1]: value for key, value in query if key == "name"},
        whose=tuple(Identifier(kind, value, name) for name, kind in IDENTIFIERS.items() if (value := last(query, name)) is not None)[:1],
        segment_id=last(query, "segment_id"),
        query=_search(last(query, "query")),
    )


def _search(text: str | None) -> Any:
    """Decode a search; what it says is for rules.search to read. Raises ParameterInvalid."""
    try:
        return UNSET if text is None else msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        example = '{"field":"role","operator":"=","value":"lead"}'
        raise ParameterInvalid(f"query must be a search in JSON, such as {example}", field="query") from None


def file_name(workspace: Workspace, noun: str, format: str) -> str:
    """What a browser saves the export as: letters, digits, dashes and underscores of the workspace's id."""
    return f"{_ODD.sub('-', workspace.id) or 'trackrecord'}-{noun}.{format}"
