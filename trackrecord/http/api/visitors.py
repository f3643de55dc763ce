"""Visitors over HTTP: people who were seen and not yet identified. Scopes: reading needs read_contacts, the rest write_contacts."""

from ...ingest import move_events
from ...rules.contacts import Changes
from ...rules.visitors import Called
from ...wire import visitors as wire
from ..call import Answer, Call
from . import shown
from .contacts import erased


async def find_visitor(call: Call) -> Answer:
    """GET /visitors?user_id=…. Who has become a lead or a user is no visitor any more: 404."""
    return await _get(call, wire.parse_query(call.query, profile=call.profile))


async def get_visitor(call: Call) -> Answer:
    """GET /visitors/{visitor_id}, of API 1.x."""
    return await _get(call, _in_path(call))


async def update_named_visitor(call: Call) -> Answer:
    """PUT /visitors. The body names the visitor; what is not sent stays."""
    visitor, changes = wire.parse_update(call.body)
    return await _update(call, visitor, changes)


async def update_visitor(call: Call) -> Answer:
    """PUT /visitors/{visitor_id}, of API 1.x."""
    return await _update(call, _in_path(call), wire.parse_changes(call.body))


async def delete_visitor(call: Call) -> Answer:
    """DELETE /visitors/{visitor_id}, of API 1.x. The visitor is gone for good, and its events are with it."""
    return Answer(wire.deleted(await erased(call, call.services.directory.visitors.delete, _in_path(call))))


async def convert_visitor(call: Call) -> Answer:
    """POST /visitors/convert. 200 with the contact that the visitor is now; its events are that contact's."""
    conversion = wire.parse_conversion(call.body, profile=call.profile)
    converted = await call.services.in_thread(
        call.services.directory.visitors.convert, call.workspace.number, conversion, now=call.now(), profile=call.profile
    )
    if converted.merged is not None:
        await move_events(call.services, call.workspace.number, converted.merged, converted.contact)
    return await shown.answer(call, converted.contact)


async def _get(call: Call, visitor: Called) -> Answer:
    found = await call.services.in_thread(call.services.directory.visitors.get, call.workspace.number, visitor)
    return Answer(wire.item(found, workspace=call.workspace))


async def _update(call: Call, visitor: Called, changes: Changes) -> Answer:
    changed = await call.services.in_thread(
        call.services.directory.visitors.update, call.workspace.number, visitor, changes, now=call.now(), profile=call.profile
    )
    return Answer(wire.item(changed, workspace=call.workspace))


def _in_path(call: Call) -> Called:
    return Called(id=call.path["visitor_id"], id_as="visitor_id")
