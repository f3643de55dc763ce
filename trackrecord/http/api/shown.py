"""Contacts as answers show them, with what hangs on them."""

from collections.abc import Sequence

from ...rules.belongings import NOTHING
from ...rules.contacts import Contact
from ...wire import contacts as wire
from ..call import Answer, Call


async def one(call: Call, contact: Contact) -> wire.ContactBody:
    found = await call.services.in_thread(call.services.directory.belongings, [contact.number])
    return wire.item(contact, workspace=call.workspace, version=call.version, belongings=found.get(contact.number, NOTHING))


async def answer(call: Call, contact: Contact) -> Answer:
    return Answer(await one(call, contact))


async def page(call: Call, contacts: Sequence[Contact], *, total_count: int, per_page: int, page: int, next_cursor: str | None) -> Answer:
    """One page of a list or a search: the `page`th from the first."""
    found = await call.services.in_thread(call.services.directory.belongings, [contact.number for contact in contacts])
    return Answer(
        wire.listing(
            contacts,
            workspace=call.workspace,
            version=call.version,
            total_count=total_count,
            per_page=per_page,
            page=page,
            next_cursor=next_cursor,
            belongings=found,
        )
    )
