"""Receipts: what became of the event that a 202 was given for."""

from ...errors import NotFound
from ...outcomes import DUPLICATE, ERASED
from ...rules.identity import event_id
from ...stores.base import EventReader, Receipt, StoredEvent
from ...wire import events as wire
from ...wire.receipts import FirstCopy, ReceiptBody, dropped_keys
from ..call import Answer, Call

POSITION_MAX = 1 << 62


async def get_receipt(call: Call) -> Answer:
    """GET /-/api/receipts/{position}: stored, duplicate (of what, first seen when) or erased; which keys were dropped, and why."""
    text = call.path["position"]
    position = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < position <= POSITION_MAX:
        raise NotFound("Receipt not found")

    def ask(store: EventReader) -> Receipt | None:
        return store.receipt(position)

    receipt = await call.services.reads.ask(ask)
    if receipt is None or receipt.workspace != call.workspace.number:
        raise NotFound("Receipt not found")
    body = ReceiptBody("receipt", position, receipt.outcome, receipt.received_at_ms)
    if receipt.event is not None:
        item = await call.services.in_thread(_item, call, receipt.event)
        if item is None:
            body.outcome = ERASED
        elif receipt.outcome == DUPLICATE:
            body.duplicate_of = FirstCopy(receipt.event.position, receipt.event.event.received_at_ms, item)
        else:
            body.event = item
            body.keys_dropped = dropped_keys(receipt.event.event.dropped)
    return Answer(body)


def _item(call: Call, stored: StoredEvent) -> wire.EventItem | None:
    """None when the contact was deleted just now, and the store is yet to hear of it."""
    directory, event = call.services.directory, stored.event
    contact = directory.contacts.by_numbers(call.workspace.number, [event.contact]).get(event.contact)
    if contact is None:
        return None
    return wire.item(
        event,
        id=event_id(directory.salt, stored.position),
        name=call.services.ingest.names.by_numbers([event.name])[event.name].name,
        contact_id=contact.id,
        user_id=contact.user_id,
        email=contact.email,
    )
