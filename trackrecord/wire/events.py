"""Events on the wire: what is sent to POST /events, and the lists and summaries that GET /events answers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from ..errors import DataInvalid, ParameterInvalid, ParameterNotFound
from ..rules.events import MOMENT_MAX, whole_count
from ..rules.identity import QUERY_NEEDS, Identifier
from ..rules.profiles import Profile
from ..rules.records import Event
from ..rules.versions import Version, has
from .json import decode, mismatch

PER_PAGE_DEFAULT = 15  # API reference 2.11
PER_PAGE_MAX = 150  # ours
RANK_MAX = 999  # a millisecond cursor has room for ranks 0 to 999; later ones travel in before_rank, since_rank
CURSOR_MAX = 1 << 62
WHOLE_DIGITS_MAX = 30  # read of a number in a query; past every bound there is, and short of what Python refuses to read
TRUE_WORDS = frozenset({"true", "1", "yes"})
IDENTIFIER_PARAMS = {"intercom_user_id": "id", "user_id": "user_id", "email": "email", "anonymous_id": "anonymous_id"}


class SubmittedEvent(msgspec.Struct):
    """The body of POST /events. One of id, user_id and email is needed; created_at is whole Unix seconds."""

    event_name: str | None = None
    created_at: int | float | str | None = None
    id: str | int | None = None
    user_id: str | int | None = None
    email: str | None = None
    intercom_user_id: str | int | None = None
    metadata: Any = None


class EventItem(msgspec.Struct):
    """One event as lists, webhooks and exports show it. `id` is the event's own; user_id and email are the contact's."""

    type: str
    id: str
    created_at: int
    event_name: str
    user_id: str | None
    email: str | None
    intercom_user_id: str
    metadata: Any


class EventPages(msgspec.Struct, omit_defaults=True):
    """`next` is absent on the last page. There is no `type` here: one client reads every value as an address."""

    next: str | None = None
    since: str | None = None


class EventList(msgspec.Struct, tag_field="type", tag="event.list"):
    events: list[EventItem]
    pages: EventPages


class SummaryItem(msgspec.Struct):
    """Times are ISO 8601 with milliseconds and Z; null where only a count was imported."""

    name: str
    first: str | None
    last: str | None
    count: int
    description: str | None


class EventSummary(msgspec.Struct, tag_field="type", tag="event.summary"):
    email: str | None
    intercom_user_id: str
    user_id: str | None
    events: list[SummaryItem]


class SentSummary(msgspec.Struct):
    event_name: str | None = None
    count: int | None = None
    first: int | None = None
    last: int | None = None


class SubmittedSummaries(msgspec.Struct):
    """The body of POST /events/summaries. `event_summaries` is one object or a list of them."""

    event_summaries: SentSummary | list[SentSummary] | None = None
    id: str | int | None = None
    user_id: str | int | None = None
    email: str | None = None
    intercom_user_id: str | int | None = None


class EventQuery(msgspec.Struct, frozen=True):
    """What GET /events was asked for."""

    identifier: Identifier
    summary: bool
    per_page: int
    before: tuple[int, int] | None  # (second, rank), exclusive
    since: tuple[int, int] | None  # (second, rank), inclusive


def parse_event(body: bytes) -> SubmittedEvent:
    """Raises ParameterInvalid or TypeMismatch."""
    return decode(body, SubmittedEvent)


def parse_summaries(body: bytes) -> SubmittedSummaries:
    """An empty body asks for nothing of nobody. Raises ParameterInvalid, TypeMismatch, ParameterNotFound or DataInvalid by field."""
    sent = decode(body or b"{}", SubmittedSummaries)
    for place, row in summary_places(sent):
        if row.count is None:
            raise ParameterNotFound(f"{place}.count is required", field=f"{place}.count")
        whole_count(row.count, f"{place}.count")
        for field, value in (("first", row.first), ("last", row.last)):
            if value is not None and not 0 <= value <= MOMENT_MAX:
                hint = " (milliseconds?)" if value > MOMENT_MAX else ""
                raise DataInvalid(f"{place}.{field} must be whole Unix seconds, got {str(value)[:40]}{hint}", field=f"{place}.{field}")
        if row.first is not None and row.last is not None and row.first > row.last:
            raise DataInvalid(f"{place}.first must not be after last", field=f"{place}.first")
    return sent


def summary_places(sent: SubmittedSummaries) -> list[tuple[str, SentSummary]]:
    """Each summary with its place in the body, as errors name it."""
    given = sent.event_summaries
    if isinstance(given, list):
        return [(f"event_summaries[{number}]", row) for number, row in enumerate(given)]
    return [] if given is None else [("event_summaries", given)]


def _from_filter(text: str) -> list[tuple[str, str]]:
    """`filter` as JSON, or as `user_id=x`: both are sent by generated clients and by the reference's own samples."""
    if text.lstrip().startswith("{"):
        try:
            found = msgspec.json.decode(text, type=dict[str, str | int | None], strict=True)
        except msgspec.ValidationError as error:
            raise mismatch(str(error), whole="filter") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ParameterInvalid("filter is not valid JSON", field="filter") from None
        return [(key, str(value)) for key, value in found.items() if value is not None]
    pairs = [pair.partition("=") for pair in text.split("&")]
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def _whole(params: dict[str, str], name: str) -> int | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise ParameterInvalid(f"{name} must be a whole number, got {text[:40]!r}", field=name)
    return int(text[:WHOLE_DIGITS_MAX])


def _cursor(params: dict[str, str], name: str) -> tuple[int, int] | None:
    value = _whole(params, name)
    if value is None:
        return None
    value = max(-CURSOR_MAX, min(CURSOR_MAX, value))
    rank = value % 1000
    if rank == RANK_MAX:
        rank = max(rank, min(CURSOR_MAX, _whole(params, f"{name}_rank") or 0))
    return value // 1000, rank


def _unfolded(key: str, value: str) -> list[tuple[str, str]]:
    """A parameter as it is meant: what a filter names stands for itself."""
    if key == "filter":
        return _from_filter(value)
    return [(key[7:-1] if key.startswith("filter[") and key.endswith("]") else key, value)]


def parse_query(query: Sequence[tuple[str, str]], *, profile: Profile) -> EventQuery:
    """Read the parameters of GET /events in all forms clients use: plain, `filter[user_id]=`, `filter={json}`, `filter=user_id=x`.

    Of several identifiers intercom_user_id counts before user_id, email and anonymous_id (strict: only one may come).
    Raises ParameterNotFound or ParameterInvalid by field. Source: the contract, 2.2.
    """
    named = [pair for key, value in query for pair in _unfolded(key, value)]
    params = dict(named)
    kind = params.get("type", "")
    if not kind and profile.list_query_exact:
        raise ParameterNotFound("type is required: user or lead", field="type")
    if kind not in ("", "user", "lead"):
        raise ParameterInvalid(f"type must be user or lead, got {kind[:40]!r}", field="type")
    given = [Identifier(IDENTIFIER_PARAMS[name], params[name], name) for name in IDENTIFIER_PARAMS if params.get(name)]
    if not given:
        raise ParameterNotFound(QUERY_NEEDS, field="user_id")
    if profile.list_query_exact and sum(name in IDENTIFIER_PARAMS and value != "" for name, value in named) > 1:
        twice = next(name for name, _ in reversed(named) if name in IDENTIFIER_PARAMS)
        message = "an event query must include exactly one of email, user_id and intercom_user_id"
        raise ParameterInvalid(message, field=twice)
    identifier = given[0]
    if kind == "lead" and identifier.kind == "user_id":
        identifier = Identifier("anonymous_id", identifier.value, "user_id")
    per_page = _whole(params, "per_page")
    return EventQuery(
        identifier=identifier,
        summary=params.get("summary", "").strip().lower() in TRUE_WORDS,
        per_page=PER_PAGE_DEFAULT if per_page is None else max(1, min(PER_PAGE_MAX, per_page)),
        before=_cursor(params, "before"),
        since=_cursor(params, "since"),
    )


def _at(name: str, moment: tuple[int, int]) -> list[tuple[str, int]]:
    """A moment as the wire's millisecond cursor, with a parameter of ours for the rare rank that does not fit."""
    second, rank = moment
    cursor = (name, second * 1000 + min(rank, RANK_MAX))
    return [cursor] if rank < RANK_MAX else [cursor, (f"{name}_rank", rank)]


def pages(
    *,
    base_url: str,
    contact_id: str,
    per_page: int,
    oldest: tuple[int, int] | None,
    newest: tuple[int, int] | None,
    since: tuple[int, int] | None,
) -> EventPages:
    """Addresses of the older page (`oldest` is the last moment shown, None on the last page) and of what is newer than `newest`.

    With nothing shown, `since` repeats the moment asked from, so that a poller keeps its place.
    """
    whose = [("intercom_user_id", contact_id), ("type", "user")]
    found = EventPages()
    if oldest is not None:
        params = [("per_page", per_page), *_at("before", oldest), *whose, *(_at("since", since) if since else ())]
        found.next = f"{base_url}/events?{urlencode(params, quote_via=quote)}"
    after = (newest[0], newest[1] + 1) if newest is not None else since
    if after is not None:
        found.since = f"{base_url}/events?{urlencode([*whose, *_at('since', after)], quote_via=quote)}"
    return found


def item(event: Event, *, id: str, name: str, contact_id: str, user_id: str | None, email: str | None) -> EventItem:
    """One event as the wire shows it; metadata goes out as the bytes that were kept."""
    return EventItem("event", id, event.created_at, name, user_id, email, contact_id, msgspec.Raw(event.metadata or b"{}"))


def iso(seconds: int | None) -> str | None:
    """ISO 8601 with milliseconds and Z, as summaries carry times."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def summary(
    rows: Sequence[Any],
    *,
    name_of: Callable[[int], tuple[str, str | None]],
    contact_id: str,
    user_id: str | None,
    email: str | None,
    version: Version,
) -> EventSummary:
    """`rows` have name, count, first and last; `name_of` gives a name's text and description."""
    items = []
    for row in rows:
        name, description = name_of(row.name)
        items.append(SummaryItem(name, iso(row.first), iso(row.last), row.count, description))
    if has(version, "summary_texts"):
        user_id, email = user_id or "", email or ""
    return EventSummary(email, contact_id, user_id, items)
