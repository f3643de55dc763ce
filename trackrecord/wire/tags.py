"""Tags on the wire: what is sent to make, rename, apply and remove them, and how they are shown."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterInvalid, ParameterNotFound
from ..rules.identity import as_text
from ..rules.tags import INVALID, Applied, Marked, Tag, Tagging, tag_name
from ..rules.versions import Version, has
from .json import decode
from .params import FLAGS

MODES = ("tag", "untag")  # what one client says a whole body is for


class TaggedUser(msgspec.Struct, frozen=True):
    """A contact to tag, by the first of these that is there; with `untag`, to take the tag off."""

    id: str | int | None = None
    user_id: str | int | None = None
    email: str | None = None
    untag: bool | str | None = None


class TaggedCompany(msgspec.Struct, frozen=True):
    """A company to tag, by the first of these that is there; with `untag`, to take the tag off."""

    id: str | int | None = None
    company_id: str | int | None = None
    untag: bool | str | None = None


class SentTag(msgspec.Struct, frozen=True):
    """The body of POST /tags: `name` alone makes a tag, `id` and `name` rename it, `users` and `companies` apply or remove it.

    Source: API reference, "Create or update a tag, tag or untag companies, tag contacts"; tag_or_untag is one client's.
    """

    name: str | None = None
    id: str | int | None = None
    users: list[TaggedUser] | None = None
    companies: list[TaggedCompany] | None = None
    tag_or_untag: str | None = None


class SentTagging(msgspec.Struct, frozen=True):
    """The body of POST /contacts/{id}/tags. `id` is the tag's."""

    id: str | int | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "admin"
    id: str


class TagBody(msgspec.Struct, frozen=True, kw_only=True):
    """A tag; when and by whom it was applied is there only where it is shown as a tag of a contact. Times are Unix seconds."""

    type: str = "tag"
    id: str
    name: str
    applied_at: int | UnsetType = UNSET
    applied_by: Reference | UnsetType | None = UNSET


class TagList(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    data: list[TagBody]


class OldTagList(msgspec.Struct, frozen=True, tag_field="type", tag="tag.list"):
    """The same before version 2.0."""

    tags: list[TagBody]


def parse_tagging(body: bytes) -> Tagging:
    """Read the body of POST /tags. Raises what decode raises, ParameterInvalid (`invalid tag parameters`) where nothing can be
    done with it, and ParameterNotFound for a user or company without a name.
    """
    sent = decode(body, SentTag)
    mode = (sent.tag_or_untag or "tag").lower()
    if mode not in MODES:
        raise ParameterInvalid(f"tag_or_untag must be tag or untag, got {mode[:40]!r}", field="tag_or_untag")
    users = [(each.untag, (("id", each.id), ("user_id", each.user_id), ("email", each.email))) for each in sent.users or ()]
    companies = [(each.untag, (("id", each.id), ("company_id", each.company_id))) for each in sent.companies or ()]
    tagging = Tagging(
        as_text(sent.id),
        tag_name(sent.name),
        tuple(_marked("users", users, all_untag=mode == "untag")),
        tuple(_marked("companies", companies, all_untag=mode == "untag")),
    )
    if tagging.name is None and (tagging.id is None or not (tagging.contacts or tagging.companies)):
        raise ParameterInvalid(INVALID, field="name")
    return tagging


def _marked(
    field: str, sent: Iterable[tuple[bool | str | None, Sequence[tuple[str, str | int | None]]]], *, all_untag: bool
) -> Iterable[Marked]:
    for number, (untag, names) in enumerate(sent):
        place = f"{field}[{number}]"
        named = [(kind, value) for kind, given in names if (value := as_text(given)) is not None]
        if not named:
            raise ParameterNotFound(f"{place} must have one of {', '.join(kind for kind, _ in names)}", field=place)
        word = FLAGS.get(untag.strip().lower()) if isinstance(untag, str) else bool(untag)
        if word is None:
            raise ParameterInvalid(f"{place}.untag must be true or false", field=f"{place}.untag")
        yield Marked(*named[0], word or all_untag, place)


def parse_tag_id(body: bytes) -> str:
    """Read the body of POST /contacts/{id}/tags. Raises what decode raises, and ParameterNotFound without an id."""
    id = as_text(decode(body, SentTagging).id)
    if id is None:
        raise ParameterNotFound("id is required: the id of the tag", field="id")
    return id


def item(tag: Tag) -> TagBody:
    return TagBody(id=str(tag.id), name=tag.name)


def applied_item(applied: Applied) -> TagBody:
    by = None if applied.by is None else Reference(id=str(applied.by))
    return TagBody(id=str(applied.tag.id), name=applied.tag.name, applied_at=applied.at, applied_by=by)


def listing(tags: Iterable[Tag], *, version: Version) -> TagList | OldTagList:
    shown = [item(tag) for tag in tags]
    return TagList(shown) if has(version, "typed_lists") else OldTagList(shown)


def applied_listing(applied: Iterable[Applied]) -> TagList:
    return TagList([applied_item(each) for each in applied])
