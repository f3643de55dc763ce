"""Tags over HTTP. Scopes: reading needs read_tags, the rest write_tags."""

from ...wire import tags as wire
from ..call import Answer, Call


async def list_tags(call: Call) -> Answer:
    """GET /tags. All of the workspace; connectors ask for it to see whether a token is good."""
    tags = await call.services.in_thread(call.services.directory.tags.list, call.workspace.number)
    return Answer(wire.listing(tags, version=call.version))


async def get_tag(call: Call) -> Answer:
    """GET /tags/{tag_id}."""
    return Answer(wire.item(await call.services.in_thread(call.services.directory.tags.get, call.workspace.number, call.path["tag_id"])))


async def save_tag(call: Call) -> Answer:
    """POST /tags. Make a tag, rename one, put it on users and companies or take it off; all of it or nothing."""
    tagging = wire.parse_tagging(call.body)
    tag = await call.services.in_thread(call.services.directory.tags.save, call.workspace.number, tagging, now=call.now())
    return Answer(wire.item(tag))


async def delete_tag(call: Call) -> Answer:
    """DELETE /tags/{tag_id}. 200 and zero bytes."""
    await call.services.in_thread(call.services.directory.tags.delete, call.workspace.number, call.path["tag_id"])
    return Answer()


async def list_contact_tags(call: Call) -> Answer:
    """GET /contacts/{contact_id}/tags. All, each with when and by whom it was applied."""
    applied = await call.services.in_thread(call.services.directory.tags.of_contact, call.workspace.number, call.path["contact_id"])
    return Answer(wire.applied_listing(applied))


async def tag_contact(call: Call) -> Answer:
    """POST /contacts/{contact_id}/tags. Answers the tag; a second time changes nothing."""
    applied = await call.services.in_thread(
        call.services.directory.tags.apply,
        call.workspace.number,
        call.path["contact_id"],
        wire.parse_tag_id(call.body),
        now=call.now(),
    )
    return Answer(wire.applied_item(applied))


async def untag_contact(call: Call) -> Answer:
    """DELETE /contacts/{contact_id}/tags/{tag_id}. Answers the tag as the contact had it."""
    applied = await call.services.in_thread(
        call.services.directory.tags.remove, call.workspace.number, call.path["contact_id"], call.path["tag_id"]
    )
    return Answer(wire.applied_item(applied))
