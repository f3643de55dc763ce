"""The stream of what is arriving, on the wire: server-sent events. Ours: the original has nothing like it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ..errors import ParameterInvalid
from ..outcomes import DUPLICATE, ERASED, STORED
from ..rules.events import clean_name
from ..rules.identity import Identifier
from .params import Query, flag, last, refuse_empty, whole, word

OUTCOMES = (STORED, DUPLICATE, ERASED)
IDENTIFIERS = {"contact_id": "id", "user_id": "user_id", "email": "email"}
LAST_MAX = 1_000
POSITION_MAX = 1 << 62
PIECE_BYTES = 64 << 10
_ID = re.compile("[0-9a-f]{24}")
BEGIN = b"retry: 1000\n\n"  # milliseconds that a browser waits before it connects again


class MissedBody(msgspec.Struct, frozen=True):
    """Events up to `position` that are not told: `count` at most."""

    type: str
    position: int
    count: int


class BeatBody(msgspec.Struct, frozen=True):
    """Everything up to `position` was told."""

    type: str
    position: int


class LiveQuery(msgspec.Struct, frozen=True, kw_only=True):
    names: dict[str, str]  # by what an event name folds to, how it was asked for
    whose: tuple[Identifier, ...]
    outcome: str | None
    after: int | None
    last: int
    follow: bool


def parse(query: Query, headers: Mapping[bytes, bytes]) -> LiveQuery:
    """Read `event_name`, once or more, one contact's identifier, `outcome`, and where to begin: `after` a position or with the `last` few.

    A Last-Event-ID says it as `after` does, and counts before both: with it a client goes on where its connection was lost.
    Without `follow` the stream ends with what is there. Raises ParameterInvalid or DataInvalid by field.
    """
    refuse_empty(query, "event_name", "outcome", "after", *IDENTIFIERS)
    again = headers.get(b"last-event-id", b"").decode("latin-1").strip()
    place, name = ([("Last-Event-ID", again)], "Last-Event-ID") if again else (query, "after")
    after = whole(place, name, default=-1, least=0, most=POSITION_MAX)
    if after >= 0 and not again and last(query, "last") is not None:
        raise ParameterInvalid("last cannot stand beside after: each says where to begin", field="last")
    return LiveQuery(
        names={clean_name(value, "event_name")[1]: value for key, value in query if key == "event_name"},
        whose=tuple(Identifier(kind, value, name) for name, kind in IDENTIFIERS.items() if (value := last(query, name)) is not None)[:1],
        outcome=word(query, "outcome", OUTCOMES),
        after=after if after >= 0 else None,
        last=whole(query, "last", default=0, least=0, most=LAST_MAX),
        follow=last(query, "follow") is None or flag(query, "follow"),
    )


def pieces(messages: Iterable[bytes]) -> Iterator[bytes]:
    """The same in few pieces, none of much more than PIECE_BYTES: the next one waits until the client has taken those before."""
    some, size = [], 0
    for each in messages:
        some.append(each)
        size += len(each)
        if size >= PIECE_BYTES:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)


def message(kind: str | None, position: int, data: bytes) -> bytes:
    """One server-sent event. Without a kind it is of the kind that needs no name."""
    lines = b"".join(b"data: " + line + b"\n" for line in data.splitlines())
    return (b"event: %b\n" % kind.encode() if kind is not None else b"") + b"id: %d\n" % position + lines + b"\n"


class Read(NamedTuple):
    """A server-sent event as it is read: `kind` is message, missed or beat, `data` the body in builtins."""

    kind: str
    position: int
    data: Any


class Reader:
    """Reads a stream of messages as it comes, in pieces cut anywhere. A message that broke off is left out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Read]:
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        found = []
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"data" in fields and b"id" in fields:
                kind = fields.get(b"event", b"message").decode()
                found.append(Read(kind, int(fields[b"id"]), msgspec.json.decode(fields[b"data"])))
        return found


def identifier_of(contact: str) -> str:
    """The parameter that a contact is asked for with, by what its text looks like: 24 hex digits are an id of ours, @ is in an address."""
    if _ID.fullmatch(contact):
        return "contact_id"
    return "email" if "@" in contact else "user_id"
