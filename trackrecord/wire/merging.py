"""Merging, archiving and blocking on the wire: what is sent, and the short answers that name a contact."""

from collections.abc import Sequence

import msgspec

from ..errors import ParameterNotFound
from ..rules.contacts import Contact
from ..rules.merging import Merge, Place, compared, place
from ..rules.values import Scalar
from .contacts import MergeEntry
from .json import decode
from .params import Query, last, whole, word

PER_PAGE_DEFAULT = 50  # Source: API reference of the Preview, "Get contact merge history"
PER_PAGE_MAX = 150


class SentMerge(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """The body of POST /contacts/merge. `skip_duplicate_validation` counts from 2.16 on, and is passed over before."""

    source: str | None = None
    into: str | None = None
    skip_duplicate_validation: bool | None = None


class MergeHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One page of merges into a contact; `next_cursor` is null on the last."""

    type: str = "list"
    data: list[MergeEntry]
    next_cursor: str | None
    has_more: bool


class MergePreviewField(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A field the lead has: its value, the user's, and the user's once both are one. Attributes are custom_attributes.{name}."""

    field: str
    source: Scalar
    into: Scalar
    after: Scalar


class MergePreview(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """What POST /contacts/merge would do; `from` and `into` are the contacts' ids."""

    type: str = "contact.merge_preview"
    source: str
    into: str
    fields: list[MergePreviewField]


class ArchivedContact(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "contact"
    id: str
    external_id: str | None
    archived: bool


class BlockedContact(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "contact"
    id: str
    external_id: str | None
    blocked: bool = True


def parse_merge(body: bytes) -> tuple[str, str, bool]:
    """(from, into, skip_duplicate_validation) of POST /contacts/merge. Raises what decode does, and ParameterNotFound."""
    sent = decode(body, SentMerge)
    if not sent.source:
        raise ParameterNotFound("from is required: the id of the lead to merge away", field="from")
    if not sent.into:
        raise ParameterNotFound("into is required: the id of the user to merge into", field="into")
    return sent.source, sent.into, bool(sent.skip_duplicate_validation)


def parse_history(query: Query) -> tuple[int, Place | None, bool]:
    """(per_page, cursor, newest first) of a merge history; a per_page out of range is taken as the nearest within it.

    Raises ParameterInvalid by field.
    """
    cursor = last(query, "cursor")
    per_page = whole(query, "per_page", default=PER_PAGE_DEFAULT, most=PER_PAGE_MAX)
    return per_page, None if cursor is None else place(cursor), word(query, "order", ("asc", "desc")) != "asc"


def entry(merge: Merge) -> MergeEntry:
    return MergeEntry(source_contact_id=merge.source_id, source_contact_role=merge.source_role, merged_at=merge.merged_at)


def history(merges: Sequence[Merge], next_place: Place | None) -> MergeHistory:
    return MergeHistory(
        data=[entry(merge) for merge in merges],
        next_cursor=None if next_place is None else next_place.text,
        has_more=next_place is not None,
    )


def preview(source: Contact, target: Contact, merged: Contact) -> MergePreview:
    fields = [
        MergePreviewField(field=each.field, source=each.source, into=each.target, after=each.after)
        for each in compared(source, target, merged)
    ]
    return MergePreview(source=source.id, into=target.id, fields=fields)


def archived(contact: Contact) -> ArchivedContact:
    return ArchivedContact(id=contact.id, external_id=contact.external_id, archived=contact.archived_at is not None)


def blocked(contact: Contact) -> BlockedContact:
    return BlockedContact(id=contact.id, external_id=contact.external_id)
