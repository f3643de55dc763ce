"""Visitors on the wire: what is sent to change and convert one, and how one is shown."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..rules import visitors as rules
from ..rules.contacts import Changes, Contact
from ..rules.directory import Workspace
from ..rules.profiles import Profile
from ..rules.values import Scalar
from ..rules.visitors import Called, Conversion
from .json import decode
from .params import Query, last


class SentVisitor(msgspec.Struct, frozen=True, kw_only=True):
    """The body of PUT /visitors: id or user_id, and what is to change. PUT /visitors/{id} needs neither."""

    id: str | int | UnsetType | None = UNSET
    user_id: str | int | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    custom_attributes: dict[str, Any] | list[Any] | UnsetType | None = UNSET  # a list only empty: so PHP writes an empty object


class SentCalled(msgspec.Struct, frozen=True, kw_only=True):
    id: str | int | None = None
    user_id: str | int | None = None
    email: str | None = None


class SentVisitorConversion(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /visitors/convert. `user` may be left out where type is lead; strict wants it."""

    type: str | None = None
    visitor: SentCalled | None = None
    user: SentCalled | None = None


class VisitorAvatar(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "avatar"
    image_url: str | None


class VisitorCompanies(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "company.list"
    companies: tuple[Any, ...] = ()


class VisitorProfiles(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "social_profile.list"
    social_profiles: tuple[Any, ...] = ()


class VisitorTags(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "tag.list"
    tags: tuple[Any, ...] = ()


class VisitorSegments(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "segment.list"
    segments: tuple[Any, ...] = ()


class VisitorBody(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor as it is shown: every key always, null where nothing is known. Times are whole Unix seconds.

    Source: API reference, the visitor object, in the order of its examples.
    """

    type: str = "visitor"
    id: str
    user_id: str | None
    anonymous: bool = True
    email: str
    phone: str | None
    name: str | None
    pseudonym: str | None = None
    avatar: VisitorAvatar
    app_id: str
    companies: VisitorCompanies = VisitorCompanies()
    location_data: Mapping[str, str] = {}
    last_request_at: int | None
    created_at: int
    remote_created_at: int
    signed_up_at: int
    updated_at: int
    session_count: int = 0
    social_profiles: VisitorProfiles = VisitorProfiles()
    owner_id: str | None
    unsubscribed_from_emails: bool
    marked_email_as_spam: bool = False
    has_hard_bounced: bool = False
    tags: VisitorTags = VisitorTags()
    segments: VisitorSegments = VisitorSegments()
    custom_attributes: Mapping[str, Scalar]
    referrer: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_medium: str | None = None
    utm_source: str | None = None
    utm_term: str | None = None
    do_not_track: bool | None = None


class DeletedVisitor(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "visitor"
    id: str
    user_id: str | None
    deleted: bool = True


def parse_query(query: Query, *, profile: Profile) -> Called:
    """Whom GET /visitors asks for: by user_id, or where the profile lets it by id. Raises ParameterNotFound."""
    kinds = ("user_id", "id") if profile.visitor_by_id else ("user_id",)
    return rules.called({kind: last(query, kind) for kind in kinds}, kinds=kinds)


def parse_update(body: bytes) -> tuple[Called, Changes]:
    """Read the body of PUT /visitors. Raises what decode, rules.visitors.called and wanted raise."""
    sent = _given(decode(body, SentVisitor))
    return rules.called(sent, kinds=("id", "user_id")), rules.wanted(sent)


def parse_changes(body: bytes) -> Changes:
    """Read the body of PUT /visitors/{id}, whose path names the visitor; an empty one changes nothing."""
    return rules.wanted(_given(decode(body or b"{}", SentVisitor)))


def parse_conversion(body: bytes, *, profile: Profile) -> Conversion:
    """Read the body of POST /visitors/convert. Raises what decode and rules.visitors.conversion raise."""
    sent = decode(body, SentVisitorConversion)
    return rules.conversion(sent.type, _given(sent.visitor or SentCalled()), _given(sent.user or SentCalled()), profile=profile)


def _given(sent: msgspec.Struct) -> dict[str, object]:
    return {name: value for name in sent.__struct_fields__ if (value := getattr(sent, name)) is not UNSET}


def item(visitor: Contact, *, workspace: Workspace) -> VisitorBody:
    return VisitorBody(
        id=visitor.id,
        user_id=visitor.anonymous_id,
        email=visitor.email or "",
        phone=visitor.phone,
        name=visitor.name,
        avatar=VisitorAvatar(image_url=visitor.avatar),
        app_id=workspace.id,
        last_request_at=visitor.last_seen_at,
        created_at=visitor.created_at,
        remote_created_at=visitor.created_at,
        signed_up_at=visitor.created_at if visitor.signed_up_at is None else visitor.signed_up_at,
        updated_at=visitor.updated_at,
        owner_id=None if visitor.owner_id is None else str(visitor.owner_id),
        unsubscribed_from_emails=visitor.unsubscribed_from_emails,
        custom_attributes=visitor.custom_attributes,
        **visitor.led_by,
    )


def deleted(visitor: Contact) -> DeletedVisitor:
    return DeletedVisitor(id=visitor.id, user_id=visitor.anonymous_id)
