"""Exports: contacts and events as a stream that an import takes back. Scopes: read_contacts, read_events."""

import time
from collections.abc import AsyncIterator, Iterator

from msgspec import UNSET

from ... import exports
from ...errors import ParameterInvalid, Unavailable
from ...exports import ExportedContact, ExportedEvent, Row
from ...rules.search import Group, Query
from ...stores.base import EventReader, Selection
from ...wire import exports as wire
from ...wire.exports import ExportQuery
from ..call import Answer, Call
from . import search

PIECE_BYTES = 64 << 10  # made in one turn; a client that takes none holds some of these and what exports.py reads ahead, and no thread
EXPORTS_MAX = 8  # of a workspace at once: that much memory its slow readers can hold
RETRY_S = 10  # what who asks for more is told to wait
TURN_LINES = 32  # between which others get a turn at the interpreter, so that no event waits for an export
FORMATS = tuple(exports.FORMATS)


async def export_events(call: Call) -> Answer:
    """GET /-/api/export/events. Everything acknowledged before the call, in the order it was kept."""
    query = wire.parse(call.query, formats=FORMATS)

    def begin(store: EventReader) -> Iterator[Row]:
        return exports.events(call.services.directory, store, _selection(call, query))

    return _answer(call, query, "events", await call.services.reads.ask(begin), ExportedEvent)


async def export_contacts(call: Call) -> Answer:
    """GET /-/api/export/contacts. The live contacts, in the order an import should read them."""
    query = wire.parse(call.query, formats=FORMATS)
    among = await _among(call, query)
    found = exports.contacts(call.services.directory, call.workspace.number, since=query.since, until=query.until, among=among)
    return _answer(call, query, "contacts", map(exports.exported_contact, found), ExportedContact)


async def _among(call: Call, sent: ExportQuery) -> Query | None:
    """Those of a segment and those that a search finds, as of now; None for all. Raises NotFound, and what a search raises."""
    wanted: list[Query] = []
    if sent.segment_id is not None:
        wanted.append((await call.services.segments.get(call.workspace, sent.segment_id))[1])
    if sent.query is not UNSET:
        wanted.append((await search.read(call, sent.query, None)).query)
    return await call.services.segments.resolved(call.workspace, Group("AND", tuple(wanted))) if wanted else None


def _selection(call: Call, query: ExportQuery) -> Selection:
    """Raises ParameterInvalid for a name that nobody has sent, and ContactNotFound or Conflict for the contact."""
    there = call.services.directory.names.find(call.workspace.number, query.names)
    for folded, name in query.names.items():
        if folded not in there:
            raise ParameterInvalid(f"no event is called {name[:80]!r}; /-/api/event-names lists the names there are", field="name")
    whose = [call.services.ingest.identities.contact(call.workspace.number, query.whose).number] if query.whose else []
    numbers = [entry.number for entry in there.values()]
    return Selection(call.workspace.number, names=numbers, contacts=whose, since=query.since, until=query.until)


def _answer(call: Call, query: ExportQuery, noun: str, rows: Iterator[Row], kind: type[Row]) -> Answer:
    name = wire.file_name(call.workspace, noun, query.format)
    headers = (
        (b"content-type", f"{exports.MEDIA[query.format]}; charset=utf-8".encode()),
        (b"content-disposition", f'attachment; filename="{name}"'.encode()),
    )
    chosen = bool(query.names or query.whose or query.segment_id or query.query is not UNSET) or not (query.since is query.until is None)
    return Answer(_pieces(call, exports.FORMATS[query.format](rows, kind), long=chosen), headers=headers)


async def _pieces(call: Call, lines: Iterator[bytes], *, long: bool) -> AsyncIterator[bytes]:
    """Each piece is made in a thread, and only when the one before it is on its way. `long`: much may be looked at for one.

    Raises Unavailable, before the first piece, where as many exports of the workspace are under way as may be.
    """
    workspace = call.workspace.number
    turns = call.services.turns.of("exports", workspace, most=EXPORTS_MAX)
    if turns.locked():
        raise Unavailable(
            f"{EXPORTS_MAX} exports of this workspace are under way; ask again when one of them has ended", retry_after_s=RETRY_S
        )
    async with turns:
        begun = False
        while piece := await call.services.in_background(workspace, _piece, lines, begun=begun, long=long):
            begun = True
            yield piece


def _piece(lines: Iterator[bytes]) -> bytes:
    some, size = [], 0
    for line in lines:
        some.append(line)
        size += len(line)
        if not len(some) % TURN_LINES:
            time.sleep(0)
        if size >= PIECE_BYTES:
            break
    return b"".join(some)
