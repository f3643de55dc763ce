"""Contacts as answers show them, with what hangs on them."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from ...rules.belongings import NOTHING
from ...rules.contacts import Contact
from ...rules.versions import has
from ...wire import contacts as wire
from ...wire import merging
from ...wire.params import flag
from ..call import Answer, Call


def wants_history(call: Call) -> bool:
    """Whether the merge history is to be shown too; read before anything is changed. Raises ParameterInvalid.

    Source: the contract, 4.2; from 2.16 on.
    """
    return has(call.version, "merge_history") and flag(call.query, "include_merge_history")


async def one(call: Call, contact: Contact, *, history: bool = False) -> wire.ContactBody:
    """With `history` a user is shown with the last contacts that were merged into it; a lead has none to show."""
    found = await call.services.in_thread(call.services.directory.belongings, [contact.number])
    merges: list[wire.MergeEntry] | UnsetType = UNSET
    if history and contact.role == "user":
        merges = [merging.entry(merge) for merge in await call.services.in_thread(call.services.directory.merging.newest, contact)]
    return wire.item(
        contact,
        workspace=call.workspace,
        version=call.version,
        belongings=found.get(contact.number, NOTHING),
        merge_history=merges,
    )


async def answer(call: Call, contact: Contact, *, history: bool = False) -> Answer:
    return Answer(await one(call, contact, history=history))


async def some(call: Call, contacts: Sequence[Contact]) -> list[wire.ContactBody]:
    found = await call.services.in_thread(call.services.directory.belongings, [contact.number for contact in contacts])
    return [
        wire.item(contact, workspace=call.workspace, version=call.version, belongings=found.get(contact.number, NOTHING))
        for contact in contacts
    ]


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
