"""What is arriving now: the page that follows it, its stream, and one event with what became of it."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ..errors import RequestError
from ..http.call import Answer
from ..outcomes import DUPLICATE, ERASED, STORED
from ..wire import live as wire
from ..wire.live import Read, Reader
from . import doors, rendering, tables
from .api import ApiCall, target
from .visit import Page, Visit

ROWS = 50  # events that the page begins with
LOOKED_AT = (ROWS, 4 * ROWS)  # receipts among which these are; more where most are copies
NAMES_OFFERED = 150
ASK_S = 3.0  # between looks whether somebody is still signed in
FIELDS = {"event_name": "name"} | dict.fromkeys(wire.IDENTIFIERS, "contact") | {"outcome": "outcome"}  # by the API's parameters

COLUMNS = ("number", "received_at", "outcome", *tables.EVENT_COLUMNS)
Receipt = dict[str, Any]  # as the API tells it


class Copies(NamedTuple):
    """How much of an event a list has: dashboard/src/live.ts counts on."""

    event: int  # the position of the first
    again: int  # how many came after the first
    first: bool
    received_at_ms: int  # the last

    @property
    def words(self) -> str:
        if self.first:
            return f"received {self.again + 1:,} times" if self.again else ""
        return "duplicate" if self.again == 1 else f"duplicate, {self.again:,} times"


async def show_live(visit: Visit) -> Answer:
    """GET live?name=&contact=&outcome=&format=. With `format` csv what came last as a file: every time that each event was received."""
    asked, as_file = _asked(visit), visit.param("format") == "csv"
    told: Sequence[Read] = ()
    receipts: list[Receipt] = []
    call, fault = None, None
    try:
        for last in (wire.LAST_MAX,) if as_file else LOOKED_AT:
            reply = await visit.api.get("/-/api/live", asked | {"last": last, "follow": "false"})
            told, call = Reader().feed(reply.data), reply.call
            receipts = [each.data for each in reversed(told) if each.kind == "message"]
            if len(receipts) < last or 2 * len(_folded(receipts)) >= ROWS:
                break
    except RequestError as error:
        if error.field not in FIELDS or as_file:
            raise
        fault = error
    names = await visit.api.get("/-/api/event-names", {"per_page": NAMES_OFFERED})
    if as_file:
        return visit.csv("live", COLUMNS, [_cells(receipt) for receipt in receipts])
    return visit.html(
        "live/live.html",
        rows=[(receipt, event_of(receipt), await _in_all(visit, copies)) for receipt, copies in _folded(receipts)[:ROWS]],
        after=told[-1].position if told else 0,
        filters={name: visit.param(name) for name in ("name", "contact", "outcome")},
        outcomes=(STORED, DUPLICATE, ERASED),
        names=[each["name"] for each in names.data["data"]],
        call=call,
        fault=fault,
        fault_at=FIELDS[fault.field] if fault is not None and fault.field else None,
    )


async def _in_all(visit: Visit, copies: Copies) -> Copies:
    """As many copies as there ever were, where a list has some."""
    if not copies.again:
        return copies
    first = (await visit.api.get(f"/-/api/receipts/{copies.event}")).data
    return copies._replace(again=first["copies"]["total_count"], first=True) if "copies" in first else copies


def _cells(receipt: Receipt) -> list[Any]:
    event = event_of(receipt)
    received = [receipt["position"], tables.moment(receipt["received_at_ms"] // 1000), receipt["outcome"]]
    return [*received, *(tables.event_cells(event) if event else [None] * len(tables.EVENT_COLUMNS))]


def _folded(receipts: Sequence[Receipt]) -> list[tuple[Receipt, Copies]]:
    """Each event once, where it was received last of these, the newest first; by the receipt that stands, where that is among them."""
    found: dict[int, tuple[Receipt, Copies]] = {}
    for receipt in receipts:
        again = receipt["outcome"] == DUPLICATE
        event = receipt["duplicate_of"]["position"] if again else receipt["position"]
        shown, before = found.get(event, (receipt, Copies(event, 0, False, receipt["received_at_ms"])))
        found[event] = shown if again else receipt, before._replace(again=before.again + again, first=not again)
    return list(found.values())


async def stream(visit: Visit) -> Answer:
    """GET live/stream, with the page's parameters and `after`: the API's stream, each event as a row of the page."""
    again = visit.asked.headers.get(b"last-event-id", b"").decode("latin-1")
    answer = await visit.api.raw(ApiCall("GET", target("/-/api/live", _asked(visit) | {"after": again or visit.param("after") or None})))
    return Answer(_rows(visit, answer.body), headers=answer.headers)


async def _rows(visit: Visit, pieces: Any) -> AsyncIterator[bytes]:
    """Ends when somebody is signed out, or taken out of the workspace."""
    reader, ask_at = Reader(), time.monotonic() + ASK_S
    async with contextlib.aclosing(pieces):
        yield wire.BEGIN + await _shown(visit, reader.feed(await anext(pieces)))
        async for piece in pieces:
            if time.monotonic() >= ask_at:
                signed_in = await doors.sessions_of(visit.services).who(visit.asked)
                if signed_in is None or signed_in.membership(visit.workspace.id) is None:
                    return
                ask_at = time.monotonic() + ASK_S
            yield await _shown(visit, reader.feed(piece))


async def _shown(visit: Visit, messages: Sequence[Read]) -> bytes:
    """In a thread, as many rows may come at once."""
    shown: bytes = await visit.services.in_thread(lambda: b"".join(_message(visit, each) for each in messages))
    return shown


def _message(visit: Visit, read: Read) -> bytes:
    if read.kind == "beat":
        return wire.message("beat", read.position, b"{}")
    if read.kind == "missed":
        html = rendering.piece("live/_missed.html", visit=visit, count=read.data["count"])
    else:
        ((receipt, copies),) = _folded([read.data])
        html = rendering.piece(
            "events/_row.html", visit=visit, event=event_of(receipt), receipt=receipt, copies=copies, columns=1, fresh=True
        )
    return wire.message(None, read.position, html.encode())


def _asked(visit: Visit) -> dict[str, Any]:
    """The page's filters in the words of the API."""
    contact = visit.param("contact")
    asked: dict[str, Any] = {"event_name": visit.param("name") or None, "outcome": visit.param("outcome") or None}
    return asked | ({wire.identifier_of(contact): contact} if contact else {})


async def show_event(visit: Visit) -> Answer:
    """GET live/{position}: metadata and receipt; for htmx what its row opens to."""
    reply = await visit.api.get(f"/-/api/receipts/{quote(visit.path['position'], safe='')}")
    receipt = reply.data
    first = None
    if "duplicate_of" in receipt:
        first = (await visit.api.get(f"/-/api/receipts/{receipt['duplicate_of']['position']}")).data
    template = "events/_opened.html" if visit.partial else "live/event.html"
    return visit.html(template, receipt=receipt, event=event_of(receipt), first=first, call=reply.call)


def event_of(receipt: Receipt) -> dict[str, Any] | None:
    """The event that stands; None of an erased one."""
    found: dict[str, Any] | None = receipt.get("event") or receipt.get("duplicate_of", {}).get("event")
    return found


PAGES = (
    Page("GET", "live", show_live),
    Page("GET", "live/stream", stream, piece=True),
    Page("GET", "live/{position}", show_event),
)
