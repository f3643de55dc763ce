"""Contacts over HTTP. Scopes: reading needs read_contacts, the rest write_contacts."""

from collections.abc import Callable

from ...rules.contacts import Contact, cursor
from ...rules.requests import traces
from ...wire import contacts as wire
from ..call import Answer, Call
from . import shown


async def create_contact(call: Call) -> Answer:
    """POST /contacts. 200 with the contact; never changes one that exists (409 names it)."""
    draft = wire.parse_draft(call.body, version=call.version)
    contact = await call.services.in_thread(
        call.services.directory.contacts.create, call.workspace.number, draft, now=call.now(), profile=call.profile
    )
    return await shown.answer(call, contact)


async def get_contact(call: Call) -> Answer:
    """GET /contacts/{contact_id}. 404 also for a contact that is archived or blocked; one merged away is 404, or 410 from 2.16 on."""
    history = shown.wants_history(call)
    contact = await call.services.in_thread(call.services.directory.contacts.get, call.workspace.number, call.path["contact_id"])
    return await shown.answer(call, contact, history=history)


async def get_known_contact(call: Call) -> Answer:
    """GET /-/api/contacts/{contact_id}. A lead, user or visitor in whatever state it is; 404 for nobody, and once it is deleted."""
    contact, place = await call.services.in_thread(call.services.directory.contacts.known, call.workspace.number, call.path["contact_id"])
    return Answer(wire.known(contact, await shown.one(call, contact), merged_into=place))


async def find_by_external_id(call: Call) -> Answer:
    """GET /contacts/find_by_external_id/{external_id}. Users only: leads have none."""
    contact = await call.services.in_thread(
        call.services.directory.contacts.by_external_id, call.workspace.number, call.path["external_id"]
    )
    return await shown.answer(call, contact)


async def update_contact(call: Call) -> Answer:
    """PUT /contacts/{contact_id}. 200 with the contact as it is now; what is not sent stays."""
    changes = wire.parse_changes(call.body, version=call.version)
    contact = await call.services.in_thread(
        call.services.directory.contacts.update,
        call.workspace.number,
        call.path["contact_id"],
        changes,
        now=call.now(),
        profile=call.profile,
    )
    return await shown.answer(call, contact)


async def delete_contact(call: Call) -> Answer:
    """DELETE /contacts/{contact_id}. The contact is gone for good, and its events are with it. A body is passed over."""
    return Answer(wire.deleted(await erased(call, call.services.directory.contacts.delete, call.path["contact_id"])))


async def erased(call: Call, delete: Callable[..., list[Contact]], named: object) -> Contact:
    """Have a contact deleted, with all that was merged into it; their events are erased, and requests that name them forgotten."""
    workspace, requests = call.workspace.number, call.services.requests

    def deleted() -> list[Contact]:
        people = delete(workspace, named, now=call.now())
        # Here, as nothing else has it once they are gone from the directory: a thread goes on when its caller has gone.
        requests.forget(workspace, [text for each in people for text in traces(each)])
        return people

    people: list[Contact] = await call.services.in_thread(deleted)
    # Second, as the journal's record of it would be wrong of a contact that could still be found. If we die in between,
    # directory.contacts.erasures() has it, and start-up journals what is missing.
    await call.services.ingest.erase(workspace, [each.number for each in people])
    return people[0]


async def list_contacts(call: Call) -> Answer:
    """GET /contacts. Pages of live contacts, the newest first."""
    per_page, starting_after = wire.parse_page(call.query)
    contacts, total_count, next_cursor = await call.services.in_background(
        call.workspace.number, call.services.directory.contacts.list, call.workspace.number, limit=per_page, after=starting_after
    )
    page = cursor(starting_after).page if starting_after else 1
    return await shown.page(call, contacts, total_count=total_count, per_page=per_page, page=page, next_cursor=next_cursor)


async def list_archived_contacts(call: Call) -> Answer:
    """GET /-/api/contacts/archived. Pages of archived and blocked contacts, the last archived first."""
    per_page, starting_after = wire.parse_page(call.query)
    contacts, total_count, next_cursor = await call.services.in_background(
        call.workspace.number, call.services.directory.archiving.list, call.workspace.number, limit=per_page, after=starting_after
    )
    page = cursor(starting_after).page if starting_after else 1
    return Answer(
        wire.HiddenList(
            data=[wire.hidden(contact, body) for contact, body in zip(contacts, await shown.some(call, contacts), strict=True)],
            total_count=total_count,
            pages=wire.cursor_pages(total_count=total_count, per_page=per_page, page=page, next_cursor=next_cursor),
        )
    )


async def upsert_contact(call: Call) -> Answer:
    """PUT /-/api/contacts. 200 with the contact that id, external_id or email lead to, changed; or with the one that was made."""
    upsert = wire.parse_upsert(call.body, version=call.version)
    contact, created = await call.services.in_thread(
        call.services.directory.contacts.upsert, call.workspace.number, upsert, now=call.now(), profile=call.profile
    )
    return Answer(wire.UpsertAnswer(created=created, contact=await shown.one(call, contact)))
