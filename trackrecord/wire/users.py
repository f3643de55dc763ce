"""Users as API 1.x shows them, alone, by page and by scroll, and what is sent to save one. Leads have the same shape (leads.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import InvalidSortOrder, ParameterInvalid, ParameterNotFound
from ..rules.contacts import Contact
from ..rules.directory import Workspace
from ..rules.identity import as_text
from ..rules.users import NOTHING_HANGS, SORTS, Hanging, Listed, Wanted, wanted
from ..rules.values import Scalar
from .json import decode
from .pages import LinkPages
from .params import Query, last, refuse_empty

PER_PAGE_DEFAULT = 50  # Source: API reference 1.4, "List users"
SCROLL_PAGE = 100  # Source: API reference 1.4, "Scroll over all users"
ORDERS = ("asc", "desc")


class SubmittedUser(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /users. Times are whole Unix seconds, as a number or digits, or ISO 8601. Other keys are passed over.

    Source: API reference 1.4, "Create or update a user".
    """

    id: str | int | UnsetType | None = UNSET
    user_id: str | int | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    avatar: str | dict[str, Any] | UnsetType | None = UNSET  # its address, or as it is shown
    owner_id: int | str | UnsetType | None = UNSET
    signed_up_at: int | float | str | UnsetType | None = UNSET
    remote_created_at: int | float | str | UnsetType | None = UNSET  # the older name of signed_up_at
    last_request_at: int | float | str | UnsetType | None = UNSET
    update_last_request_at: bool | UnsetType | None = UNSET
    unsubscribed_from_emails: bool | UnsetType | None = UNSET
    language_override: str | UnsetType | None = UNSET
    companies: list[Any] | dict[str, Any] | UnsetType | None = UNSET
    custom_attributes: dict[str, Any] | list[Any] | UnsetType | None = UNSET  # a list only empty: so PHP writes an empty object


class UserDeleteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /user_delete_requests."""

    intercom_user_id: str | int | None = None


class UserDeleteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is the number of the audit that says who asked for it, and when."""

    id: int


class UserAvatar(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "avatar"
    image_url: str | None


class UserCompany(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "company"
    id: str
    company_id: str | None
    name: str | None


class UserCompanies(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "company.list"
    companies: tuple[UserCompany, ...] = ()


class UserLocation(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "location_data"
    city_name: str | None = None
    continent_code: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    postal_code: str | None = None
    region_name: str | None = None
    timezone: str | None = None


class UserSocialProfiles(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "social_profile.list"
    social_profiles: tuple[Mapping[str, str], ...] = ()


class UserTag(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "tag"
    id: str
    name: str | None


class UserTags(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "tag.list"
    tags: tuple[UserTag, ...] = ()


class UserSegment(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "segment"
    id: str
    name: str | None


class UserSegments(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "segment.list"
    segments: tuple[UserSegment, ...] = ()


class UserBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user, or with the type "contact" a lead: every key always, null where nothing is known. Times are whole Unix seconds.

    Source: the contract, section 5, in the order of its fixture.
    """

    type: str
    id: str
    user_id: str | None
    anonymous: bool
    email: str | None
    phone: str | None
    name: str | None
    pseudonym: str | None = None
    avatar: UserAvatar
    app_id: str
    companies: UserCompanies
    location_data: UserLocation = UserLocation()
    last_request_at: int | None
    created_at: int
    remote_created_at: int | None
    signed_up_at: int | None
    updated_at: int
    session_count: int = 0
    social_profiles: UserSocialProfiles = UserSocialProfiles()
    owner_id: int | None
    unsubscribed_from_emails: bool
    marked_email_as_spam: bool = False
    has_hard_bounced: bool = False
    user_agent_data: str | None = None
    tags: UserTags
    segments: UserSegments
    custom_attributes: Mapping[str, Scalar]
    referrer: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_medium: str | None = None
    utm_source: str | None = None
    utm_term: str | None = None


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "user.list"
    users: list[UserBody]
    pages: LinkPages
    total_count: int


class UserScroll(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a scroll; an empty one is the last."""

    type: str = "user.list"
    users: list[UserBody]
    scroll_param: str


# --- Reading -------------------------------------------------------------------------------------------------------------


def parse_user(body: bytes, *, now: int) -> Wanted:
    """Read the body of POST /users. Raises what decode and rules.users.wanted raise."""
    return read(decode(body, SubmittedUser), role="user", now=now)


def read(sent: SubmittedUser, *, role: str, now: int) -> Wanted:
    return wanted({name: getattr(sent, name) for name in sent.__struct_fields__}, role=role, now=now)


def parse_delete_request(body: bytes) -> str:
    """The id of the user to delete. Raises ParameterInvalid, TypeMismatch or ParameterNotFound by field."""
    id = as_text(decode(body, UserDeleteRequest).intercom_user_id)
    if id is None:
        raise ParameterNotFound("intercom_user_id is required: the id of the user to delete", field="intercom_user_id")
    return id


def identified(query: Query, *kinds: str) -> tuple[str, list[str]] | None:
    """The first of these parameters that came, and the values to try for it; None without any.

    A plus sign in an address that the client forgot to encode arrives as a space. Raises ParameterInvalid for one that is empty:
    what was looked for is nobody, and by no means everybody.
    """
    refuse_empty(query, *kinds)
    for kind in kinds:
        value = last(query, kind)
        if value is not None:
            return kind, [value, value.replace(" ", "+")] if kind == "email" and " " in value else [value]
    return None


def parse_listed(query: Query, *, role: str) -> Listed:
    """Read what a list wants. Raises ParameterInvalid for an unknown sort, InvalidSortOrder for an unknown order."""
    sort, order = last(query, "sort") or "created_at", last(query, "order") or "desc"
    if sort not in SORTS:
        raise ParameterInvalid(f"sort must be one of {', '.join(SORTS)}, got {sort[:40]!r}", field="sort")
    if order not in ORDERS:
        raise InvalidSortOrder(f"Invalid sort order '{order[:40]}'. Must be one of: {', '.join(ORDERS)}", field="order")
    return Listed(role, sort, order == "asc", last(query, "tag_id"), last(query, "segment_id"))


# --- Showing -------------------------------------------------------------------------------------------------------------


def shown(contact: Contact, *, workspace: Workspace, hanging: Hanging = NOTHING_HANGS) -> UserBody:
    """A user or a lead; which of them is said by its type and by its user_id."""
    lead = contact.role == "lead"
    return UserBody(
        type="contact" if lead else "user",
        id=contact.id,
        user_id=contact.anonymous_id if lead else contact.external_id,
        anonymous=lead,
        email=contact.email,
        phone=contact.phone,
        name=contact.name,
        avatar=UserAvatar(image_url=contact.avatar),
        app_id=workspace.id,
        companies=UserCompanies(companies=tuple(UserCompany(id=one.id, company_id=one.own, name=one.name) for one in hanging.companies)),
        last_request_at=contact.last_seen_at,
        created_at=contact.created_at,
        remote_created_at=contact.signed_up_at,
        signed_up_at=contact.signed_up_at,
        updated_at=contact.updated_at,
        owner_id=contact.owner_id,
        unsubscribed_from_emails=contact.unsubscribed_from_emails,
        tags=UserTags(tags=tuple(UserTag(id=one.id, name=one.name) for one in hanging.tags)),
        segments=UserSegments(segments=tuple(UserSegment(id=one.id, name=one.name) for one in hanging.segments)),
        custom_attributes=contact.custom_attributes,
        **contact.led_by,
    )


def listing(users: Sequence[UserBody], *, pages: LinkPages, total_count: int) -> UserList:
    return UserList(users=list(users), pages=pages, total_count=total_count)


def scrolled(users: Sequence[UserBody], *, scroll_param: str) -> UserScroll:
    return UserScroll(users=list(users), scroll_param=scroll_param)
