"""Data attributes over HTTP. Scopes: reading needs read_contacts, the rest write_contacts."""

import msgspec

from ...wire import attributes as wire
from ...wire.params import flag
from ..call import Answer, Call


async def list_attributes(call: Call) -> Answer:
    """GET /data_attributes. Standard ones and custom ones; archived ones only if include_archived asks for them."""
    models = wire.parse_models(call.query, version=call.version)
    archived = flag(call.query, "include_archived")
    found = []
    for model in models:
        found += await call.services.in_thread(
            call.services.directory.attributes.list, call.workspace.number, model=model, include_archived=archived
        )
    return Answer(wire.listing(found, models=models, version=call.version))


async def create_attribute(call: Call) -> Answer:
    """POST /data_attributes."""
    declared = msgspec.structs.asdict(wire.parse_declaration(call.body))
    attribute = await call.services.in_thread(call.services.directory.attributes.create, call.workspace.number, now=call.now(), **declared)
    return Answer(wire.item(attribute, version=call.version))


async def update_attribute(call: Call) -> Answer:
    """PUT /data_attributes/{data_attribute_id}. Archiving hides it from the list; the values that contacts have stay theirs."""
    attribute = await call.services.in_thread(
        call.services.directory.attributes.update,
        call.workspace.number,
        call.path["data_attribute_id"],
        wire.parse_changes(call.body),
        now=call.now(),
    )
    return Answer(wire.item(attribute, version=call.version))
