"""Receipts: what became of the event that a 202 was given for."""

from ...errors import NotFound
from ...outcomes import STORED
from ...receipts import shown
from ...stores.base import Copies, EventReader, Receipt
from ...wire import receipts as wire
from ...wire.receipts import COPIES_SHOWN
from ..call import Answer, Call

POSITION_MAX = 1 << 62


async def get_receipt(call: Call) -> Answer:
    """GET /-/api/receipts/{position}: stored, and sent again when; duplicate, of what; or erased. Which keys were dropped, and why."""
    text = call.path["position"]
    position = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 0 < position <= POSITION_MAX:
        raise NotFound("Receipt not found")

    def ask(store: EventReader) -> tuple[Receipt | None, Copies]:
        receipt = store.receipt(position)
        stored = receipt is not None and receipt.outcome == STORED
        return receipt, store.copies(position, limit=COPIES_SHOWN) if stored else Copies(0, [])

    receipt, copies = await call.services.reads.ask(ask)
    if receipt is None or receipt.workspace != call.workspace.number:
        raise NotFound("Receipt not found")
    services = call.services
    (body,) = await services.in_thread(shown, services.directory, services.ingest.names, [receipt])
    if copies.total and body.event is not None:
        body.copies = wire.Copies(copies.total, [wire.Copy(*copy) for copy in copies.first])
    return Answer(body)
