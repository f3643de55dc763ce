"""What the journal carries and the stores keep, in the compact form that passes between them.

Contacts, names and workspaces stand here as the directory's numbers: small, never given twice, never on the wire.
Fields are positional in the stored form: add new ones at the end, with a default, and never reorder.
"""

import msgspec


class Event(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """One thing one contact did, once."""

    workspace: int
    contact: int
    name: int
    created_at: int  # whole Unix seconds, UTC, by the sender's clock
    received_at_ms: int  # Unix milliseconds, by ours
    metadata: bytes = b""  # a JSON object in UTF-8, keys in the order sent; empty for none
    kinds: str = ""  # one letter a key of metadata, in order (rules/metadata.py, KINDS)
    dropped: bytes = b""  # a JSON list of [key, reason] for keys not kept (outcomes.DROP_REASONS); empty for none
    distinct: str = ""  # a further part of the key: the id a browser made; empty for the REST API

    @property
    def key(self) -> tuple[int, int, int, str]:
        """Equal keys mean one event, and the first copy stands. Source: API reference, "Event de-duplication"."""
        return (self.contact, self.created_at, self.name, self.distinct)


class Baseline(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """What a contact had done before we kept its events: counted in summaries, replaced by the next of the same name.

    Source: API reference, "Create event summaries"; the contract, 2.4.
    """

    workspace: int
    contact: int
    name: int
    received_at_ms: int
    count: int
    first: int | None  # whole Unix seconds; None when the sender gave none
    last: int | None


class Erasure(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """A contact was deleted: all events and baselines of it go, those before this record and any after."""

    workspace: int
    contact: int
    received_at_ms: int


class Merge(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """A contact was merged into another: its events and baselines are the target's from here on, those that come later too.

    Where both have the same, the target's copy stands. Source: the contract, 4.6.
    """

    workspace: int
    source: int
    target: int
    received_at_ms: int


class Removal(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """Single events were deleted, by their positions in the journal."""

    workspace: int
    positions: tuple[int, ...]
    received_at_ms: int


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """What stands in the journal where an event or a baseline stood that was erased or removed since: that there was one."""

    workspace: int
    received_at_ms: int
    event: bool  # else it was a baseline
    padding: bytes = b""  # of no meaning: it makes what holds it as long as before, so that nothing moves


Record = Event | Baseline | Erasure | Merge | Removal | Gone
