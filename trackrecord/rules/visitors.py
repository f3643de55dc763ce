"""Visitors: people who were seen and not yet identified, and what they may become. Pure.

A visitor is a contact with the role visitor. It has events like any other, and is in no list until it is a lead or a user.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..errors import DataInvalid, InvalidMerge, NotFound, ParameterInvalid, ParameterNotFound
from .contacts import ROLES, Changes, Contact, address, changes
from .identity import CAUSE_MAX
from .matching import Named
from .profiles import Profile
from .values import number_or_text

KINDS = ("id", "user_id", "email")  # what a visitor may be called by; the first that is given counts
# How POST /visitors/convert spells the fields of whom the visitor becomes.
SENT_AS = {"id": "user.id", "external_id": "user.user_id", "email": "user.email"}
CHANGEABLE = ("name", "custom_attributes")  # Source: API reference, "Update a visitor"


class Called(NamedTuple):
    """What a visitor is called by; None for what was not sent. Its user_id is the anonymous id that the script gave it."""

    id: str | None = None
    user_id: str | None = None
    email: str | None = None
    within: str = ""  # the object they came in, for messages
    id_as: str = "id"  # the parameter the id came as

    def field(self, kind: str) -> str:
        """One of KINDS as the wire spells it here."""
        return f"{self.within}.{kind}" if self.within else self.id_as if kind == "id" else kind


class Conversion(NamedTuple):
    """What somebody wants a visitor to become, every value checked. `into` is who that is, by what the wire calls user."""

    visitor: Called
    role: str
    into: Called


def not_found(visitor: Called, kind: str) -> NotFound:
    value = str(getattr(visitor, kind))[:CAUSE_MAX]
    return NotFound("Visitor Not Found", field=visitor.field(kind), cause=f"this workspace has no visitor with {kind} {value!r}")


def called(sent: Mapping[str, object], *, within: str = "", kinds: Sequence[str] = KINDS) -> Called:
    """Read what a visitor, or who it becomes, is called by. Raises TypeMismatch or ParameterInvalid by field, and
    ParameterNotFound where nothing is given. `within` is the object that has the fields.
    """
    nobody = Called(within=within)
    read = {kind: number_or_text(sent.get(kind), nobody.field(kind)) for kind in kinds}
    if not any(read.values()):
        raise ParameterNotFound(f"{within or 'a visitor'} must be named by {' or '.join(kinds)}", field=nobody.field(kinds[0]))
    return Called(read.get("id"), read.get("user_id"), read.get("email"), within)


def wanted(sent: Mapping[str, object]) -> Changes:
    """Check what is to change in a visitor; what cannot be changed is passed over. Raises TypeMismatch or ParameterInvalid by field."""
    return changes({name: sent[name] for name in CHANGEABLE if name in sent})


def conversion(role: str | None, visitor: Mapping[str, object], into: Mapping[str, object], *, profile: Profile) -> Conversion:
    """Check what a visitor is to become. Who it becomes may be left out for a lead, as one client does, where the profile lets it.

    Raises ParameterNotFound, ParameterInvalid and TypeMismatch by field, as the wire has them: `into` is user there.
    Source: the contract, 6.
    """
    if not role:
        raise ParameterNotFound("type is required: what the visitor becomes, lead or user", field="type")
    if role not in ROLES:
        raise ParameterInvalid(f"type must be lead or user, got {role[:40]!r}", field="type")
    who = called(visitor, within="visitor")
    if role == "lead" and profile.lead_of_nobody and not any(into.values()):
        return Conversion(who, role, Called())
    becomes = called(into, within="user")
    return Conversion(who, role, becomes._replace(email=address(becomes.email, "user.email")))


def named(conversion: Conversion) -> Named:
    """Whom to look for as the user that the visitor becomes."""
    return Named(conversion.into.id, conversion.into.user_id, conversion.into.email)


def becoming(conversion: Conversion, visitor: Contact) -> Changes:
    """What changes in a visitor that becomes nobody who is there already: its role, and the identifiers given.

    An email it has stays where none is given. Raises DataInvalid for a lead that should have a user_id other than its own.
    """
    sent: dict[str, object] = {"role": conversion.role}
    if conversion.into.email is not None:
        sent["email"] = conversion.into.email
    if conversion.into.user_id is not None and conversion.role == "user":
        sent["external_id"] = conversion.into.user_id
    elif conversion.into.user_id not in (None, visitor.anonymous_id):
        raise DataInvalid("a lead cannot have a user_id of yours; send type user to make a user of the visitor", field="user.user_id")
    return changes(sent)


def completing(conversion: Conversion, into: Contact) -> Changes:
    """What a user lacks of the identifiers it was found by: those given stay true of who the visitor is merged into."""
    given = {"email": conversion.into.email, "external_id": conversion.into.user_id if into.role == "user" else None}
    return changes({name: value for name, value in given.items() if value is not None and getattr(into, name) is None})


def refuse_role(conversion: Conversion, into: Contact) -> None:
    """Raises InvalidMerge where who is there already has another role than the one asked for."""
    if into.role != conversion.role:
        text = f"the contact {into.id} is a {into.role}: send type {into.role} to merge the visitor into it"
        raise InvalidMerge(text, field="type")
