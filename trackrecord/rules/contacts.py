"""What a contact is, and the rules for making and changing one. Pure: no I/O, no clock, no settings."""

import msgspec

Scalar = str | int | float | bool | None


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person a workspace knows. Times are whole Unix seconds, UTC.

    `number` is ours alone: the stores' key, never reused, never on the wire. `id` is the wire's: 24 lower-case hex digits.
    """

    number: int
    id: str
    workspace: int
    role: str  # "user" or "lead"
    external_id: str | None = None  # the customer's own id; users only. The wire's user_id
    anonymous_id: str | None = None  # a lead's or visitor's user_id, made by us or by an import
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    avatar: str | None = None  # URL
    owner_id: int | None = None
    signed_up_at: int | None = None
    last_seen_at: int | None = None
    unsubscribed_from_emails: bool = False
    language_override: str | None = None
    custom_attributes: dict[str, Scalar] = msgspec.field(default_factory=dict)
    created_at: int = 0
    updated_at: int = 0
    archived_at: int | None = None
    blocked_at: int | None = None
    merged_into: int | None = None  # the number of the contact that took this one's place

    @property
    def live(self) -> bool:
        """Whether it answers to its identifiers: not archived, blocked or merged away."""
        return self.archived_at is None and self.blocked_at is None and self.merged_into is None
