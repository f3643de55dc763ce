"""The store's receipts as answers show them: with the event, and its contact and name in words."""

from collections.abc import Sequence
from typing import Protocol

from .directory import Directory
from .exports import standing
from .outcomes import DUPLICATE, ERASED
from .rules.contacts import Contact
from .rules.directory import EventName
from .rules.identity import event_id
from .stores.base import Receipt, StoredEvent
from .wire import events as wire
from .wire.receipts import FirstCopy, ReceiptBody, dropped_keys


class Names(Protocol):
    def by_numbers(self, numbers: Sequence[int]) -> dict[int, EventName]: ...


def shown(directory: Directory, names: Names, receipts: Sequence[Receipt]) -> list[ReceiptBody]:
    """One body a receipt. Looks contacts and names up, so it is for a thread.

    An event whose contact was deleted just now is told as erased, though the store is yet to hear of it.
    """
    events = [receipt.event.event for receipt in receipts if receipt.event is not None]
    contacts: dict[int, Contact] = {}
    for workspace in {event.workspace for event in events}:
        contacts |= standing(directory, workspace, {event.contact for event in events if event.workspace == workspace})
    named = names.by_numbers([event.name for event in events])

    def item(stored: StoredEvent) -> wire.EventItem | None:
        event, contact = stored.event, contacts.get(stored.event.contact)
        if contact is None:
            return None
        return wire.item(
            event,
            id=event_id(directory.salt, stored.position),
            name=named[event.name].name,
            contact_id=contact.id,
            user_id=contact.user_id,
            email=contact.email,
        )

    return [_body(receipt, item(receipt.event) if receipt.event is not None else None) for receipt in receipts]


def _body(receipt: Receipt, item: wire.EventItem | None) -> ReceiptBody:
    body = ReceiptBody("receipt", receipt.position, receipt.outcome, receipt.received_at_ms)
    if receipt.event is None or item is None:
        body.outcome = ERASED
    elif receipt.outcome == DUPLICATE:
        body.duplicate_of = FirstCopy(receipt.event.position, receipt.event.event.received_at_ms, item)
    else:
        body.event = item
        body.keys_dropped = dropped_keys(receipt.event.event.dropped)
    return body
