"""The catalogue of event names. Scopes: reading needs read_events, changing write_events."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from ...rules import periods
from ...rules.catalogue import Entry, ranked
from ...rules.events import clean_name
from ...stores.base import NameKey, NameTotal
from ...wire import catalogue as wire
from ...wire.params import flag
from ..call import Answer, Call


async def list_names(call: Call) -> Answer:
    """GET /-/api/event-names. Pages of names, in the order of the alphabet or another; archived ones only when they are asked for."""
    page = wire.parse_page(call.query)
    entries = await call.services.in_thread(call.services.directory.names.entries, call.workspace.number)
    entries = [each for each in entries if (page.archived or each.name.archived_at is None) and each.has(page.query)]
    totals = await _totals(call)
    activity = await _activity(call, entries) if page.sort == "contacts" else {}
    found = ranked(entries, _values(page.sort, entries, totals, activity), descending=page.descending, after=page.after)
    shown = [entry for _, entry in found[: page.asked.per_page]]
    if page.activity and page.sort != "contacts":
        activity = await _activity(call, shown)
    return Answer(
        wire.listing(
            shown,
            next_place=found[len(shown) - 1][0] if len(found) > len(shown) else None,
            totals=totals,
            keys=await _keys(call, shown),
            activity=activity if page.activity else {},
            asked=page.asked,
            total_count=len(entries),
        )
    )


def _values(sort: str, entries: Sequence[Entry], totals: Mapping[int, NameTotal], activity: Mapping[int, wire.Activity]) -> dict[int, int]:
    """By number, what names are sorted by; nothing for the alphabet."""
    if sort == "name":
        return {}
    if sort == "contacts":
        return {number: each.contacts for number, each in activity.items()}
    if sort == "created_at":
        return {entry.name.number: entry.name.created_at for entry in entries}
    field = {"first_seen_at": "first", "last_seen_at": "last"}.get(sort, sort)
    return {number: getattr(total, field) for number, total in totals.items()}


async def get_name(call: Call) -> Answer:
    """GET /-/api/event-names/{name}. By any writing that an event could be sent under; archived ones too."""
    entry = await call.services.in_thread(call.services.directory.names.entry, call.workspace.number, _folded(call))
    return await _shown(call, entry, activity=flag(call.query, "include_activity"))


async def update_name(call: Call) -> Answer:
    """PUT /-/api/event-names/{name}. 200 with the name as it is now; what is not sent stays."""
    change = wire.parse_change(call.body)
    entry = await call.services.in_thread(
        call.services.directory.names.change,
        call.workspace.number,
        _folded(call),
        change,
        now=call.now(),
        limit=call.profile.event_names_max,
    )
    call.services.ingest.names.changed(entry.name)
    return await _shown(call, entry)


def _folded(call: Call) -> str:
    return clean_name(call.path["name"], "name")[1]


async def _shown(call: Call, entry: Entry, *, activity: bool = False) -> Answer:
    number = entry.name.number
    active = (await _activity(call, [entry]))[number] if activity else None
    totals, keys = await _totals(call), await _keys(call, [entry])
    return Answer(wire.item(entry, totals.get(number), keys.get(number, ()), active))


async def _activity(call: Call, entries: Sequence[Entry]) -> dict[int, wire.Activity]:
    """How many contacts did what is named, and how many events each of the last days had: as many as periods.DEFAULT_PERIODS has."""
    days = periods.within("day", None, None, zone=ZoneInfo(call.workspace.timezone), now=call.now())
    numbers = [entry.name.number for entry in entries]
    found = await call.services.analysis.ask("activity", names=numbers, edges=days.edges)
    return {
        number: wire.Activity(contacts, list(counts))
        for number, contacts, counts in zip(numbers, found["contacts"], found["periods"], strict=True)
    }


async def _keys(call: Call, entries: Sequence[Entry]) -> dict[int, list[NameKey]]:
    """What the store counts of the metadata of each of these names."""
    workspace, numbers = call.workspace.number, [entry.name.number for entry in entries]
    keys: dict[int, list[NameKey]] = {}
    for each in await call.services.reads.ask(lambda store: store.name_keys(workspace, numbers)):
        keys.setdefault(each.name, []).append(each)
    return keys


async def _totals(call: Call) -> dict[int, NameTotal]:
    workspace = call.workspace.number
    return {total.name: total for total in await call.services.reads.ask(lambda store: store.name_totals(workspace))}
