"""Contacts on the wire: what is sent to make or change one, and how one is shown alone and in pages."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid
from ..rules import contacts as rules
from ..rules.belongings import NOTHING, Belongings, Some
from ..rules.contacts import Changes, Contact, Draft
from ..rules.directory import Workspace
from ..rules.upserts import Upsert, upsert
from ..rules.values import Scalar
from ..rules.versions import Version, has
from .json import decode
from .params import Query, last, whole

PER_PAGE_DEFAULT = 10  # Source: the contract, 4.4
PER_PAGE_MAX = 150


class SentContact(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /contacts and PUT /contacts/{id}. Times are whole Unix seconds, as a number or digits, or ISO 8601.

    Source: API reference, "Create a contact"; language_override is of the Preview.
    """

    role: str | UnsetType | None = UNSET
    external_id: str | int | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET  # URL
    signed_up_at: int | float | str | UnsetType | None = UNSET
    last_seen_at: int | float | str | UnsetType | None = UNSET
    owner_id: int | str | UnsetType | None = UNSET
    unsubscribed_from_emails: bool | UnsetType | None = UNSET
    language_override: str | UnsetType | None = UNSET
    email_verified: bool | UnsetType | None = UNSET  # from 2.16 on, and only beside an email; not kept
    custom_attributes: dict[str, Any] | list[Any] | UnsetType | None = UNSET  # a list only empty: so PHP writes an empty object


class Avatar(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "avatar"
    image_url: str


class SocialProfiles(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: tuple[Mapping[str, str], ...] = ()


class Location(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "location"
    country: str | None = None
    region: str | None = None
    city: str | None = None
    country_code: str | None = None
    continent_code: str | None = None


class AddressableItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that belongs to a contact; `url` is a path on this server."""

    type: str
    id: str
    url: str


class AddressableList(msgspec.Struct, frozen=True, kw_only=True):
    """The first ten of what belongs to a contact; `url` is the path that lists all."""

    type: str = "list"
    data: tuple[AddressableItem, ...] = ()
    url: str
    total_count: int = 0
    has_more: bool = False


class MergeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One contact that was merged into another; `merged_at` in whole Unix seconds."""

    type: str = "merge_history"
    source_contact_id: str
    source_contact_role: str
    merged_at: int


class ContactBody(msgspec.Struct, frozen=True, kw_only=True):
    """A contact as it is shown: every key always, null where nothing is known. Times are whole Unix seconds.

    Source: API reference, the contact object, in the order of its examples.
    """

    type: str = "contact"
    id: str
    workspace_id: str
    external_id: str | None
    role: str
    email: str | None
    email_domain: str | None
    phone: str | None
    formatted_phone: str | UnsetType | None = UNSET  # in 2.11 and in Preview
    name: str | None
    avatar: Avatar | None
    owner_id: int | str | None  # a number up to version 2.15, a string from 2.16 on
    social_profiles: SocialProfiles = SocialProfiles()
    has_hard_bounced: bool = False
    marked_email_as_spam: bool = False
    unsubscribed_from_emails: bool
    created_at: int
    updated_at: int
    signed_up_at: int | None
    last_seen_at: int | None
    last_replied_at: int | None = None
    last_contacted_at: int | None = None
    last_email_opened_at: int | None = None
    last_email_clicked_at: int | None = None
    language_override: str | None
    browser: str | None = None
    browser_version: str | None = None
    browser_language: str | None = None
    os: str | None = None
    location: Location = Location()
    android_app_name: str | None = None
    android_app_version: str | None = None
    android_device: str | None = None
    android_os_version: str | None = None
    android_sdk_version: str | None = None
    android_last_seen_at: int | None = None
    ios_app_name: str | None = None
    ios_app_version: str | None = None
    ios_device: str | None = None
    ios_os_version: str | None = None
    ios_sdk_version: str | None = None
    ios_last_seen_at: int | None = None
    custom_attributes: Mapping[str, Scalar]
    tags: AddressableList
    notes: AddressableList
    companies: AddressableList
    opted_out_subscription_types: AddressableList
    opted_in_subscription_types: AddressableList
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_medium: str | None = None
    utm_source: str | None = None
    utm_term: str | None = None
    referrer: str | None = None
    enabled_push_messaging: bool | None = None
    merge_history: list[MergeEntry] | UnsetType = UNSET  # of users, from 2.16 on, when asked for


class NextPage(msgspec.Struct, frozen=True, kw_only=True):
    page: int
    per_page: int
    starting_after: str


class CursorPages(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is absent on the last page: a client that finds it there without a cursor asks for ever."""

    type: str = "pages"
    next: NextPage | UnsetType = UNSET
    page: int
    per_page: int
    total_pages: int


class ContactList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[ContactBody]
    total_count: int
    pages: CursorPages


class HiddenContact(ContactBody, frozen=True, kw_only=True):
    """A contact that is archived, and perhaps blocked, since when (whole Unix seconds). Only who is not blocked can come back."""

    archived_at: int
    blocked_at: int | None


class KnownContact(ContactBody, frozen=True, kw_only=True):
    """A contact in whatever state it is: live where the last three are null. A `role` may be visitor too.

    `anonymous_id` is a lead's or visitor's `user_id` in lists of events. Times are whole Unix seconds.
    """

    anonymous_id: str | None
    archived_at: int | None
    blocked_at: int | None
    merged_into: str | None  # the id of the contact that took its place


class HiddenList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "list"
    data: list[HiddenContact]
    total_count: int
    pages: CursorPages


class SentUpsert(SentContact, frozen=True, kw_only=True):
    """The body of PUT /-/api/contacts: the fields of a contact, and its id where that is known."""

    id: str | UnsetType | None = UNSET


class UpsertAnswer(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "contact.upsert"
    created: bool  # else it was there, and is changed
    contact: ContactBody


class DeletedContact(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "contact"
    id: str
    external_id: str | None
    deleted: bool = True


def parse_draft(body: bytes, *, version: Version) -> Draft:
    """Read the body of POST /contacts. Raises what decode and rules.contacts.draft raise."""
    return rules.draft(_sent(body, version))


def parse_changes(body: bytes, *, version: Version) -> Changes:
    """Read the body of PUT /contacts/{id}; an empty one changes nothing. Raises what decode and rules.contacts.changes raise."""
    return rules.changes(_sent(body or b"{}", version))


def parse_upsert(body: bytes, *, version: Version) -> Upsert:
    """Read the body of PUT /-/api/contacts. Raises what decode and rules.upserts.upsert raise."""
    return upsert(_sent(body, version, SentUpsert))


def _sent(body: bytes, version: Version, kind: type[SentContact] = SentContact) -> dict[str, object]:
    sent = decode(body, kind)
    if has(version, "email_verified") and isinstance(sent.email_verified, bool) and not sent.email:
        raise ParameterInvalid("email_verified can only be sent together with email", field="email_verified")
    return {name: getattr(sent, name) for name in sent.__struct_fields__ if name != "email_verified"}


def parse_page(query: Query) -> tuple[int, str | None]:
    """(per_page, starting_after) of GET /contacts; a per_page out of range is taken as the nearest within it.

    Raises ParameterInvalid for a per_page that is no whole number.
    """
    return whole(query, "per_page", default=PER_PAGE_DEFAULT, most=PER_PAGE_MAX), last(query, "starting_after")


def item(
    contact: Contact,
    *,
    workspace: Workspace,
    version: Version,
    belongings: Belongings = NOTHING,
    merge_history: list[MergeEntry] | UnsetType = UNSET,
) -> ContactBody:
    """A contact as a caller of this version is shown it."""
    return ContactBody(
        id=contact.id,
        workspace_id=workspace.id,
        external_id=contact.external_id,
        role=contact.role,
        email=contact.email,
        email_domain=contact.email.rpartition("@")[2] if contact.email else None,
        phone=contact.phone,
        formatted_phone=contact.phone if has(version, "formatted_phone_of_2_11") or has(version, "formatted_phone_shown") else UNSET,
        name=contact.name,
        avatar=Avatar(image_url=contact.avatar) if contact.avatar else None,
        owner_id=str(contact.owner_id) if contact.owner_id is not None and has(version, "owner_as_text") else contact.owner_id,
        unsubscribed_from_emails=contact.unsubscribed_from_emails,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
        signed_up_at=contact.signed_up_at,
        last_seen_at=contact.last_seen_at,
        language_override=contact.language_override,
        custom_attributes=contact.custom_attributes,
        tags=_list_of(contact, "tags", "tag", belongings.tags),
        notes=_nothing_of(contact, "notes"),
        companies=_list_of(contact, "companies", "company", belongings.companies),
        opted_out_subscription_types=_nothing_of(contact, "subscriptions"),
        opted_in_subscription_types=_nothing_of(contact, "subscriptions"),
        merge_history=merge_history,
        **contact.led_by,
    )


def _list_of(contact: Contact, path: str, kind: str, some: Some) -> AddressableList:
    return AddressableList(
        data=tuple(AddressableItem(type=kind, id=id, url=f"/{path}/{id}") for id in some.ids),
        url=f"/contacts/{contact.id}/{path}",
        total_count=some.count,
        has_more=some.count > len(some.ids),
    )


def _nothing_of(contact: Contact, path: str) -> AddressableList:
    return AddressableList(url=f"/contacts/{contact.id}/{path}")


def listing(
    contacts: Sequence[Contact],
    *,
    workspace: Workspace,
    version: Version,
    total_count: int,
    per_page: int,
    page: int,
    next_cursor: str | None,
    belongings: Mapping[int, Belongings],
) -> ContactList:
    """One page, the `page`th from the first. Pages are counted as they are followed, whatever their size."""
    return ContactList(
        data=[
            item(contact, workspace=workspace, version=version, belongings=belongings.get(contact.number, NOTHING)) for contact in contacts
        ],
        total_count=total_count,
        pages=cursor_pages(total_count=total_count, per_page=per_page, page=page, next_cursor=next_cursor),
    )


def cursor_pages(*, total_count: int, per_page: int, page: int, next_cursor: str | None) -> CursorPages:
    return CursorPages(
        next=UNSET if next_cursor is None else NextPage(page=page + 1, per_page=per_page, starting_after=next_cursor),
        page=page,
        per_page=per_page,
        total_pages=-(-total_count // per_page),
    )


def known(contact: Contact, body: ContactBody, *, merged_into: str | None) -> KnownContact:
    """A contact in whatever state, from what is shown of any."""
    return KnownContact(
        **_shown(body),
        anonymous_id=contact.anonymous_id,
        archived_at=contact.archived_at,
        blocked_at=contact.blocked_at,
        merged_into=merged_into,
    )


def _shown(body: ContactBody) -> dict[str, Any]:
    return {name: getattr(body, name) for name in ContactBody.__struct_fields__}


def hidden(contact: Contact, body: ContactBody) -> HiddenContact:
    """An archived or blocked contact, from what is shown of any."""
    return HiddenContact(**_shown(body), archived_at=contact.archived_at or 0, blocked_at=contact.blocked_at)


def deleted(contact: Contact) -> DeletedContact:
    return DeletedContact(id=contact.id, external_id=contact.external_id)
