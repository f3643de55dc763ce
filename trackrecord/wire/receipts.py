"""What became of one event that was answered 202. Ours: the original has nothing like it."""

import msgspec

from ..outcomes import DROP_REASONS
from .events import EventItem

COPIES_SHOWN = 50


class DroppedKey(msgspec.Struct):
    key: str
    reason: str  # one of outcomes.DROP_REASONS
    meaning: str


class FirstCopy(msgspec.Struct):
    """The event that stands in a duplicate's place. Times are Unix milliseconds by the server's clock."""

    position: int
    received_at_ms: int
    event: EventItem


class Copy(msgspec.Struct):
    """The same event, sent again."""

    position: int
    received_at_ms: int


class Copies(msgspec.Struct):
    """How often a stored event was sent again; `data` has the first COPIES_SHOWN of them."""

    total_count: int
    data: list[Copy]


class ReceiptBody(msgspec.Struct, omit_defaults=True):
    """`event` for one that was stored, `duplicate_of` for one that was kept before, neither once it was erased.

    `copies` are there for a stored event that was sent again, and left out in streams, where it has just arrived.
    """

    type: str
    position: int
    outcome: str
    received_at_ms: int
    event: EventItem | None = None
    duplicate_of: FirstCopy | None = None
    keys_dropped: list[DroppedKey] | None = None
    copies: Copies | None = None


def dropped_keys(kept: bytes) -> list[DroppedKey]:
    """The keys of a record's `dropped`, with what each reason means."""
    if not kept:
        return []
    pairs = msgspec.json.decode(kept, type=list[tuple[str, str]])
    return [DroppedKey(key, reason, DROP_REASONS.get(reason, reason)) for key, reason in pairs]
