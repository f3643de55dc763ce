"""Receipts: what became of the event that a 202 was given for."""

from ...errors import NotFound
from ...receipts import shown
from ...stores.base import EventReader, Receipt
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
    services = call.services
    (body,) = await services.in_thread(shown, services.directory, services.ingest.names, [receipt])
    return Answer(body)
