"""Leads as API 1.x has them, where they are what `contacts` means: users by another name, and their conversion."""

from collections.abc import Sequence

import msgspec

from ..errors import ParameterNotFound, RequestError
from ..rules.users import Wanted
from .json import decode
from .pages import LinkPages
from .users import SubmittedUser, UserBody, read


class LeadList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "contact.list"
    contacts: list[UserBody]
    pages: LinkPages
    total_count: int


class LeadScroll(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a scroll; an empty one is the last."""

    type: str = "contact.list"
    contacts: list[UserBody]
    scroll_param: str


class SentConversion(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /contacts/convert: the lead, by id or user_id, and the user it becomes or is merged into."""

    contact: SubmittedUser | None = None
    user: SubmittedUser | None = None


def parse_lead(body: bytes, *, id: str | None = None, now: int) -> Wanted:
    """Read the body of POST and PUT /contacts; an empty one is a lead of which nothing is known. `id` is that of the path.

    Raises what decode and rules.users.wanted raise.
    """
    wanted = read(decode(body or b"{}", SubmittedUser), role="lead", now=now)
    return wanted if id is None else wanted._replace(id=id)


def parse_conversion(body: bytes, *, now: int) -> tuple[Wanted, Wanted]:
    """(the lead, the user). Raises ParameterNotFound by field for one that is missing or not named, and what decode raises."""
    sent = decode(body, SentConversion)
    if sent.contact is None:
        raise ParameterNotFound("contact is required: the lead, by id or user_id", field="contact")
    if sent.user is None:
        raise ParameterNotFound("user is required: the user that the lead becomes, by user_id, email or id", field="user")
    lead = _within("contact", sent.contact, role="lead", now=now)
    if lead.id is None and lead.user_id is None:
        raise ParameterNotFound("contact must be named by id or user_id", field="contact.user_id")
    return lead, _within("user", sent.user, role="user", now=now)


def _within(part: str, sent: SubmittedUser, *, role: str, now: int) -> Wanted:
    try:
        return read(sent, role=role, now=now)
    except RequestError as error:
        error.field = f"{part}.{error.field}" if error.field else part
        raise


def listing(leads: Sequence[UserBody], *, pages: LinkPages, total_count: int) -> LeadList:
    return LeadList(contacts=list(leads), pages=pages, total_count=total_count)


def scrolled(leads: Sequence[UserBody], *, scroll_param: str) -> LeadScroll:
    return LeadScroll(contacts=list(leads), scroll_param=scroll_param)
