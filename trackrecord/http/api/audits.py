"""Deleting events, and the record of who did. Scope: delete_events."""

import time
from collections.abc import Sequence
from typing import Any

from ...errors import NotFound
from ...outcomes import STORED
from ...stores.base import EventReader, Found
from ...wire import audits as wire
from ...wire import queries as wire_queries
from ...wire.audits import AuditBody
from ...wire.cursors import Asked
from ...wire.queries import Search
from ..call import Answer, Call
from . import queries

POSITION_MAX = 1 << 62
TURNS_MAX = 100  # of looking, in one request: a million events; what is behind them is the next request's


async def delete_event(call: Call) -> Answer:
    """DELETE /-/api/events/{position}. 404 for a position that holds no event of this workspace, or none any more."""
    text = call.path["position"]
    position = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    deleted, audit = await _delete(call, [position] if 0 < position <= POSITION_MAX else [], {"position": position})
    if not deleted:
        raise NotFound("Event not found", field="position")
    return Answer(wire_queries.deletion(dry_run=False, count=1, audit=audit, asked=Asked(), next_place=None))


async def delete_events(call: Call) -> Answer:
    """POST /-/api/events/delete. What a query finds, the newest first, up to a limit; with dry_run it is counted and stays."""
    search = wire_queries.parse_deletion(call.body)
    positions, place = await _found(call, search)
    count, audit = len(positions), None
    if not search.dry_run:
        count, audit = await _delete(call, positions, {"query": search.sent, "limit": search.asked.per_page})
    answer = wire_queries.deletion(dry_run=search.dry_run, count=count, audit=audit, asked=search.asked, next_place=place)
    return Answer(answer)


async def list_audits(call: Call) -> Answer:
    """GET /-/api/audits. Newest first."""
    asked, before = wire.parse_page(call.query)
    audits, total_count, more = await call.services.in_thread(
        call.services.directory.audits.list, call.workspace.number, limit=asked.per_page, before=before
    )
    return Answer(wire.listing(audits, asked=asked, total_count=total_count, more=more))


async def _found(call: Call, search: Search) -> tuple[list[int], tuple[int, int] | None]:
    """The positions of what a query finds, and where to go on looking. Each turn is a read of its own, as of its own moment."""
    plan = await call.services.in_background(call.workspace.number, queries.planned, call, search)
    positions: list[int] = []
    place = search.before
    for _ in range(TURNS_MAX):
        limit, before = min(search.asked.per_page - len(positions), queries.LOOK_MAX), place

        def ask(store: EventReader, limit: int = limit, before: tuple[int, int] | None = before) -> Found:
            return queries.look(store, call.workspace.number, plan, limit=limit, before=before)

        found = await call.services.reads.ask_in_background(call.workspace.number, ask)
        positions += [stored.position for stored in found.events]
        place = found.next
        if place is None or len(positions) >= search.asked.per_page:
            break
    return positions, place


async def _delete(call: Call, positions: Sequence[int], subject: dict[str, Any]) -> tuple[int, AuditBody | None]:
    """Have those of these events removed that are still there; how many that were, and the audit if there were any.

    Deletions of a workspace take turns, so that of several that found the same event one deletes it and has an audit of it.
    """
    async with call.services.turns.waiting("deletions", call.workspace.number):
        there = await call.services.reads.ask_in_background(call.workspace.number, lambda store: _there(call, store, positions))
        return len(there), await _removed(call, there, subject) if there else None


def _there(call: Call, store: EventReader, positions: Sequence[int]) -> list[int]:
    """Those of these positions that hold an event of the workspace."""
    found = []
    for number, position in enumerate(positions):
        if not number % queries.TURN_EVENTS:
            time.sleep(0)
        receipt = store.receipt(position)
        if receipt is not None and receipt.workspace == call.workspace.number and receipt.outcome == STORED:
            found.append(position)
    return found


async def _removed(call: Call, positions: Sequence[int], subject: dict[str, Any]) -> AuditBody:
    """Have events removed, and wait until nothing that is read shows them. The audit stands before the first of them goes."""
    services, workspace = call.services, call.workspace.number
    number = await services.in_thread(
        services.directory.audits.begin,
        workspace,
        token=call.token.id,
        action="delete_events",
        subject=subject,
        count=len(positions),
        now=call.now(),
    )
    await services.ingest.remove(workspace, positions)
    audit = await services.in_thread(services.directory.audits.complete, workspace, number, now=call.now())
    await services.reads.ask(lambda store: store.cursor())  # a read waits for all that was acknowledged before it
    return wire.item(audit)
