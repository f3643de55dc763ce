"""What is arriving now, as a stream of server-sent events. Scope: read_events."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from ...errors import TokenRevoked
from ...live import Beat, Missed, Told, Wanted
from ...wire import live as wire
from ...wire.json import encode
from ...wire.live import BeatBody, LiveQuery, MissedBody
from ..auth import allow
from ..call import Answer, Call

NEED = "read_events"
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # for nginx, which else sends nothing on before it has some kilobytes
)


async def get_live(call: Call) -> Answer:
    """GET /-/api/live. Each event with what became of it, as soon as lists show it; until the client hangs up."""
    return Answer(_pieces(call, wire.parse(call.query, call.headers)), headers=HEADERS)


async def _pieces(call: Call, query: LiveQuery) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(_watch(call, query)) as watched:
        begun = await anext(watched)  # first, as from the answer's first byte on nothing is missed
        yield wire.BEGIN + b"".join(map(_message, begun))
        async for some in watched:
            for piece in wire.pieces(map(_message, some)):
                yield piece


def _watch(call: Call, query: LiveQuery) -> AsyncGenerator[list[Told | Missed | Beat], None]:
    """What live.py tells of a query. Raises ContactNotFound or Conflict for the contact, and Unavailable where enough are watching."""
    directory, workspace = call.services.directory, call.workspace.number

    def asked() -> Wanted:
        _still_good(call)
        there = directory.names.find(workspace, query.names)
        return Wanted(
            names=frozenset(entry.number for entry in there.values()),
            folded=frozenset(query.names),
            contacts=frozenset([call.services.ingest.identities.contact(workspace, query.whose).number] if query.whose else []),
            outcome=query.outcome,
        )

    async def ask() -> Wanted:
        wanted: Wanted = await call.services.at_gate(asked)
        return wanted

    return call.services.live.watch(workspace, ask, after=query.after, last=query.last, follow=query.follow)


def _still_good(call: Call) -> None:
    """Raises TokenRevoked, or TokenUnauthorized for a token that may do less now. Of a session (rules/accounts.py) whoever asks looks."""
    if call.token.id < 0:
        return
    token = call.services.directory.tokens.find(call.token.digest)
    if token is None or token.revoked_at is not None:
        raise TokenRevoked(cause=f"token {call.token.id} ({call.token.hint}…) was revoked")
    allow(token, NEED)


def _message(told: Told | Missed | Beat) -> bytes:
    if isinstance(told, Told):
        return wire.message(None, told.position, encode(told.body))
    if isinstance(told, Missed):
        return wire.message("missed", told.position, encode(MissedBody("missed", told.position, told.events)))
    return wire.message("beat", told.position, encode(BeatBody("beat", told.position)))
