"""Which contact a request means, and what an event is called outside. Pure: the look-ups are the caller's."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import Conflict, ContactNotFound, ParameterNotFound

AMBIGUOUS = "Multiple existing users match this email address - must be more specific using user_id"
CAUSE_MAX = 200  # characters of an identifier that a cause repeats
QUERY_NEEDS = "an event query must include an email, user_id or intercom_user_id parameter"


class Identifier(NamedTuple):
    """`kind` is "id" (the contact's own), "user_id" (external id), "anonymous_id" or "email"."""

    kind: str
    value: str
    sent_as: str = ""  # the parameter it came as, where that has another name than its kind

    @property
    def field(self) -> str:
        return self.sent_as or self.kind


def as_text(value: str | int | None) -> str | None:
    """Numbers stand for their decimal form: clients send ids so. An empty string is no identifier."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def for_submit(
    *, id: str | int | None, intercom_user_id: str | int | None, user_id: str | int | None, email: str | None, first_decides: bool
) -> list[Identifier]:
    """What to try, in order, for an event that is sent. Raises ParameterNotFound when nothing names a contact.

    Source: the contract, 2.1 "Precedence": id, then user_id, then email; the first that resolves wins, or alone counts
    where `first_decides` (strict).
    """
    given = (("id", id, ""), ("id", intercom_user_id, "intercom_user_id"), ("user_id", user_id, ""), ("email", email, ""))
    found = [Identifier(kind, str(value), sent_as) for kind, value, sent_as in given if value is not None and value != ""]
    if not found:
        raise ParameterNotFound("an event must say whose it is: id, user_id or email", field="user_id")
    return found[:1] if first_decides else found


class Newcomer(NamedTuple):
    """Who an event that is sent would have made a contact of, where nobody is found and the server may make some."""

    user_id: str | int | None
    email: str | None


def newcomer(tried: Sequence[Identifier], *, user_id: str | int | None, email: str | None) -> Newcomer | None:
    """None for an event that names its contact by the contact's own id alone: that is ours to give.

    `tried` is what for_submit returned; where the first identifier alone counts, an id that names nobody makes nobody.
    """
    return Newcomer(user_id, email) if any(identifier.kind != "id" for identifier in tried) else None


def only(found: Sequence[int]) -> int | None:
    """The one contact an identifier names; None for none. Raises Conflict for several."""
    if len(found) > 1:
        raise Conflict(AMBIGUOUS, field="email", cause=f"{len(found)} users share this email address")
    return found[0] if found else None


def nobody(tried: Sequence[Identifier]) -> ContactNotFound:
    """The error for identifiers that name no contact: the first tried is at fault, and the cause names all of them."""
    said = " or ".join(f"{identifier.field} {identifier.value[:CAUSE_MAX]!r}" for identifier in tried)
    return ContactNotFound(field=tried[0].field, cause=f"no contact of this workspace has {said}")


def someone(contact: int | None) -> int:
    """Raises ContactNotFound when no identifier led to a contact."""
    if contact is None:
        raise ContactNotFound
    return contact


def event_id(salt: bytes, position: int) -> str:
    """The UUID of the event at a journal position: the same for ever, and never that of another server's event."""
    digest = bytearray(hashlib.blake2b(position.to_bytes(8, "big"), key=salt, digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 0x80  # version 8: made by a rule of our own
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
