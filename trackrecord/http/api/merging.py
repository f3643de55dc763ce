"""Merging, archiving, unarchiving and blocking contacts over HTTP. Scope: write_contacts; read_contacts for the merge history."""

from ...ingest import move_events
from ...rules.versions import has
from ...wire import merging as wire
from ..call import Answer, Call
from . import shown


async def merge_contacts(call: Call) -> Answer:
    """POST /contacts/merge. 200 with the target, which has the lead's events, summaries, tags and attributes from now on."""
    source, target, skipped = wire.parse_merge(call.body)
    history = shown.wants_history(call)
    merged = await call.services.in_thread(
        call.services.directory.merging.merge,
        call.workspace.number,
        source,
        target,
        now=call.now(),
        duplicates_only=has(call.version, "merge_needs_match") and not skipped,
    )
    await move_events(call.services, call.workspace.number, merged.source, merged.target)
    return await shown.answer(call, merged.target, history=history)


async def preview_merge(call: Call) -> Answer:
    """POST /-/api/contacts/merge/preview. What the same body would do as POST /contacts/merge; nothing is done."""
    source, target, skipped = wire.parse_merge(call.body)
    preview = await call.services.in_thread(
        call.services.directory.merging.preview,
        call.workspace.number,
        source,
        target,
        now=call.now(),
        duplicates_only=has(call.version, "merge_needs_match") and not skipped,
    )
    return Answer(wire.preview(*preview))


async def list_merge_history(call: Call) -> Answer:
    """GET /contacts/{contact_id}/merge_history. Users only: a lead is not found."""
    per_page, after, newest_first = wire.parse_history(call.query)
    merges, place = await call.services.in_thread(
        call.services.directory.merging.history,
        call.workspace.number,
        call.path["contact_id"],
        limit=per_page,
        after=after,
        newest_first=newest_first,
    )
    return Answer(wire.history(merges, place))


async def archive_contact(call: Call) -> Answer:
    """POST /contacts/{contact_id}/archive. A body is passed over."""
    contact = await call.services.in_thread(
        call.services.directory.archiving.archive, call.workspace.number, call.path["contact_id"], now=call.now()
    )
    return Answer(wire.archived(contact))


async def unarchive_contact(call: Call) -> Answer:
    """POST /contacts/{contact_id}/unarchive. The contact is back with all that it had, its events included."""
    contact = await call.services.in_thread(call.services.directory.archiving.unarchive, call.workspace.number, call.path["contact_id"])
    return Answer(wire.archived(contact))


async def block_contact(call: Call) -> Answer:
    """POST /contacts/{contact_id}/block. There is no way back but deleting."""
    contact = await call.services.in_thread(
        call.services.directory.archiving.block, call.workspace.number, call.path["contact_id"], now=call.now()
    )
    return Answer(wire.blocked(contact))
