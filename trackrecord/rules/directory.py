"""What a server is shared by: workspaces, the people who run them, and the tokens that open them. Values only."""

import hashlib

import msgspec

# A scope is what a token may do. Source: the contract, 1.7 "Scopes that matter"; names are ours.
SCOPES = {
    "read_events": "list events and summaries, ask for receipts",
    "write_events": "submit events and summaries; may list them too",
    "read_contacts": "get, list and find contacts, visitors, companies, segments and data attributes",
    "write_contacts": "create, update, merge and delete them; may read them too",
    "read_tags": "list tags, and those of a contact",
    "write_tags": "make, apply and delete tags; may read them too",
    "delete_events": "delete events, and read what was deleted by whom",
    "read_requests": "search the log of refused requests",
}
# Which scopes satisfy a need: whoever may write may read.
SATISFIED_BY = {
    "read_events": frozenset({"read_events", "write_events"}),
    "write_events": frozenset({"write_events"}),
    "read_contacts": frozenset({"read_contacts", "write_contacts"}),
    "write_contacts": frozenset({"write_contacts"}),
    "read_tags": frozenset({"read_tags", "write_tags"}),
    "write_tags": frozenset({"write_tags"}),
    "delete_events": frozenset({"delete_events"}),
    "read_requests": frozenset({"read_requests"}),
}


IDENTITY_SECRET = (8, 255)  # characters of one, at least and at most


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. `number` is ours and never on the wire; `id` is the wire's app id, also called id_code."""

    number: int
    id: str
    name: str
    created_at: int  # whole Unix seconds
    timezone: str = "UTC"  # IANA name; decides days
    region: str = "US"  # what GET /me answers; some connectors choose a host by it
    identity_enforced: bool = False  # whether browsers must prove who somebody is (messenger/identity.py)


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """A person who runs a workspace. `id` is a decimal string."""

    id: str
    workspace: int
    name: str
    email: str
    created_at: int


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An access token, without its secret: only the SHA-256 of that is kept."""

    id: int
    workspace: int
    name: str
    digest: bytes
    hint: str  # the first characters, so that a person can tell tokens apart
    scopes: frozenset[str]
    created_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None

    def allows(self, need: str) -> bool:
        return not self.scopes.isdisjoint(SATISFIED_BY[need])


class IdentitySecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that a customer's own server signs identities with. Kept as it is, because signatures are made anew to be compared."""

    id: int
    workspace: int
    secret: str
    created_at: int  # whole Unix seconds
    retired_at: int | None = None  # since when it proves nothing any more


class EventName(msgspec.Struct, frozen=True, kw_only=True):
    """A name events go by in one workspace. `folded` is its identity; `name` is how it was first written, or written since.

    Other writings may lead to it too: those it went by before it was renamed.
    """

    number: int
    workspace: int
    folded: str
    name: str
    description: str | None = None
    archived_at: int | None = None
    created_at: int = 0


def is_identity_secret(text: str) -> bool:
    """Ours: IDENTITY_SECRET characters, visible ones of ASCII."""
    least, most = IDENTITY_SECRET
    return least <= len(text) <= most and all("!" <= letter <= "~" for letter in text)


def token_digest(secret: str | bytes) -> bytes:
    """What we keep of a token. Tokens are long and random, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()
