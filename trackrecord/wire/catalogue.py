"""The catalogue of event names on the wire. Ours: the original keeps it to its own pages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterNotFound
from ..rules.catalogue import DESCRIPTION_MAX, SORTS, Change, Entry, Place
from ..rules.events import NAME_LENGTH_MAX, clean_name
from ..rules.metadata import KINDS
from ..rules.values import text
from . import cursors
from .contacts import CursorPages
from .cursors import Asked
from .json import decode
from .params import Query, flag, last, word


class SentName(msgspec.Struct, frozen=True, kw_only=True):
    """The body of PUT /-/api/event-names/{name}: what is sent changes, the rest stays."""

    name: str | UnsetType = UNSET  # renames it
    description: str | UnsetType | None = UNSET  # null or empty for none
    archived: bool | UnsetType = UNSET


class KindBody(msgspec.Struct, frozen=True, kw_only=True):
    kind: str  # string, number, boolean, date, link, image, rich_link, money, stripe or nested
    count: int


class KeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """A metadata key of an event, and how many events have it with values of which kind."""

    key: str
    count: int
    kinds: list[KindBody]


class NameBody(msgspec.Struct, frozen=True, kw_only=True):
    """An event name. Times are whole Unix seconds; those of events are their created_at, null while there are none."""

    type: str = "event_name"
    name: str
    aliases: list[str]  # in lower case: what it was called before; events sent under these still go to it
    description: str | None
    created_at: int  # when it was first used or sent
    archived_at: int | None
    first_seen_at: int | None
    last_seen_at: int | None
    count: int  # events there are; imported summaries are not counted
    duplicates: int  # events sent once more, which changed nothing
    keys_dropped: int  # metadata keys not kept
    metadata: list[KeyBody]
    contacts: int | UnsetType = UNSET  # different ones; with include_activity alone, as what follows
    days: list[int] | UnsetType = UNSET  # events of each of the last 30 days of the workspace's time zone, today last


class Activity(NamedTuple):
    contacts: int
    days: list[int]


class NameList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[NameBody]
    total_count: int
    pages: CursorPages


class Total(Protocol):
    """What a store counts of a name (stores/base.py, NameTotal)."""

    @property
    def count(self) -> int: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def keys_dropped(self) -> int: ...


class KeyTotal(Protocol):
    """What a store counts of a metadata key (stores/base.py, NameKey)."""

    @property
    def name(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def times(self) -> int: ...


class AskedPage(NamedTuple):
    asked: Asked
    after: Place | None
    archived: bool  # whether archived names are wanted
    activity: bool
    query: str  # folded; what names must have in them
    sort: str
    descending: bool


def parse_page(query: Query) -> AskedPage:
    """Raises ParameterInvalid."""
    asked = cursors.of_query(query)
    sort = word(query, "sort", tuple(SORTS)) or "name"
    order = word(query, "order", ("asc", "desc"))
    return AskedPage(
        asked,
        None if asked.after is None else _place(asked.after),
        flag(query, "include_archived"),
        flag(query, "include_activity"),
        (last(query, "query") or "")[:NAME_LENGTH_MAX].casefold(),
        sort,
        SORTS[sort] if order is None else order == "desc",
    )


def _place(text: str) -> Place:
    value, dash, folded = text.rpartition("-")
    try:
        return Place(int(value) if dash else 0, bytes.fromhex(folded).decode())
    except ValueError:
        raise cursors.bad_cursor() from None


def parse_change(body: bytes) -> Change:
    """Raises TypeMismatch, ParameterInvalid, ParameterNotFound or DataInvalid by field."""
    sent = decode(body or b"{}", SentName)
    if sent.name is not UNSET and not sent.name.strip():
        raise ParameterNotFound("name must not be empty; leave it out to keep the name as it is", field="name")
    return Change(
        name=UNSET if sent.name is UNSET else clean_name(sent.name, "name"),
        description=UNSET if sent.description is UNSET else text(sent.description, "description", longest=DESCRIPTION_MAX),
        archived=sent.archived,
    )


def item(entry: Entry, total: Total | None, keys: Iterable[KeyTotal], activity: Activity | None = None) -> NameBody:
    """One name. `total` is None where there are no events of it; `keys` are those of this name."""
    return NameBody(
        name=entry.name.name,
        aliases=list(entry.aliases),
        description=entry.name.description,
        created_at=entry.name.created_at,
        archived_at=entry.name.archived_at,
        first_seen_at=total.first if total else None,
        last_seen_at=total.last if total else None,
        count=total.count if total else 0,
        duplicates=total.duplicates if total else 0,
        keys_dropped=total.keys_dropped if total else 0,
        metadata=_keys(keys),
        contacts=activity.contacts if activity else UNSET,
        days=activity.days if activity else UNSET,
    )


def _keys(keys: Iterable[KeyTotal]) -> list[KeyBody]:
    """The keys most often used first."""
    found: dict[str, list[KindBody]] = {}
    for each in keys:
        found.setdefault(each.key, []).append(KindBody(kind=KINDS[each.kind], count=each.times))
    bodies = [
        KeyBody(key=key, count=sum(kind.count for kind in kinds), kinds=sorted(kinds, key=lambda kind: (-kind.count, kind.kind)))
        for key, kinds in found.items()
    ]
    return sorted(bodies, key=lambda body: (-body.count, body.key))


def listing(
    entries: Sequence[Entry],
    *,
    next_place: Place | None,
    totals: Mapping[int, Total],
    keys: Mapping[int, Sequence[KeyTotal]],
    activity: Mapping[int, Activity],
    asked: Asked,
    total_count: int,
) -> NameList:
    place = None if next_place is None else f"{next_place.value}-{next_place.folded.encode().hex()}"
    return NameList(
        data=[
            item(entry, totals.get(entry.name.number), keys.get(entry.name.number, ()), activity.get(entry.name.number))
            for entry in entries
        ],
        total_count=total_count,
        pages=cursors.counted(asked, place, total_count=total_count),
    )
