"""Which contact is meant by several identifiers at once, where taking the wrong one could not be undone. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..errors import Conflict
from .contacts import Claim, Contact
from .identity import AMBIGUOUS


class Named(NamedTuple):
    """What somebody calls a contact by; None for what was not sent."""

    id: str | None = None
    external_id: str | None = None
    email: str | None = None


Found = Mapping[str, Sequence[Contact]]  # by the fields of Named: the contacts each leads to


def meant(named: Named, found: Found) -> Contact | None:
    """The one contact that all identifiers allow; None where none leads to any.

    One found by email that has another external_id than the one sent is somebody else, who shares the address. Raises
    Conflict where identifiers lead to different contacts, and names both; and where only an email that several have was sent.
    """
    chosen: tuple[str, Contact] | None = None
    for field in ("id", "external_id"):
        for contact in found.get(field, ())[:1]:
            chosen = chosen or (field, contact)
            _refuse_other(chosen, (field, contact))
    allowed = (None, named.external_id)
    sharing = [contact for contact in found.get("email", ()) if named.external_id is None or contact.external_id in allowed]
    if chosen is None:
        if len(sharing) > 1:
            raise Conflict(AMBIGUOUS, field="email")
        return sharing[0] if sharing else None
    if sharing and all(contact.number != chosen[1].number for contact in sharing):
        _refuse_other(chosen, ("email", sharing[0]))
    return chosen[1]


def led_by(named: Named, found: Found, contact: Contact) -> Claim:
    """What was sent that led to a contact, so that an error can name it. An id may be that of somebody merged into it."""
    return Claim(contact.id if found.get("id") else None, named.external_id)


def _refuse_other(one: tuple[str, Contact], other: tuple[str, Contact]) -> None:
    if one[1].number != other[1].number:
        text = f"{one[0]} leads to the contact {one[1].id} and {other[0]} to the contact {other[1].id}: send one of them, or merge the two"
        raise Conflict(text, field=other[0])
