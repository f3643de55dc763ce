"""What contacts can have elsewhere and never have here, over HTTP: empty lists, so that who walks over all finds an end."""

from ...wire import belongings as wire
from ..call import Answer, Call


async def list_notes(call: Call) -> Answer:
    """GET /contacts/{contact_id}/notes. Always empty; 404 for an unknown contact."""
    await call.services.in_thread(call.services.directory.contacts.get, call.workspace.number, call.path["contact_id"])
    return Answer(wire.Notes())


async def list_subscriptions(call: Call) -> Answer:
    """GET /contacts/{contact_id}/subscriptions. Always empty; 404 for an unknown contact."""
    await call.services.in_thread(call.services.directory.contacts.get, call.workspace.number, call.path["contact_id"])
    return Answer(wire.Subscriptions())
