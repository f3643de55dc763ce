"""The people who run a workspace, over HTTP. What connectors ask first, to see whether a token is good."""

from ...wire import admins as wire
from ..call import Answer, Call


async def get_me(call: Call) -> Answer:
    """GET /me. The workspace of the token, and its first admin: tokens belong to no person here."""
    admins = await call.services.in_thread(call.services.directory.admins.list, call.workspace.number)
    return Answer(wire.me(admins[0], call.workspace))


async def list_admins(call: Call) -> Answer:
    """GET /admins."""
    admins = await call.services.in_thread(call.services.directory.admins.list, call.workspace.number)
    return Answer(wire.listing(admins, version=call.version))


async def get_admin(call: Call) -> Answer:
    """GET /admins/{admin_id}. 404 for another workspace's."""
    admin = await call.services.in_thread(call.services.directory.admins.get, call.workspace.number, call.path["admin_id"])
    return Answer(wire.detail(admin, version=call.version))
