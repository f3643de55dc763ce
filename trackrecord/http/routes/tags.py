"""Routes of tags."""

from ...wire import tags as wire
from ..api import tags
from .merging import GONE
from .route import CONTACT_ID, V2, Param, Route

_TAG_ID = (Param("tag_id", "the tag's id, a decimal string", place="path", required=True),)
_NO_TAG = {404: "no such tag"}
_NEITHER = {**GONE, 404: "no such contact, or no such tag"}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/tags", tags.list_tags, "List tags", "Tags", need="read_tags", response=wire.TagList | wire.OldTagList),
    Route(
        "POST",
        "/tags",
        tags.save_tag,
        "Make or rename a tag, put it on users and companies, or take it off",
        "Tags",
        need="write_tags",
        request=wire.SentTag,
        response=wire.TagBody,
        errors={404: "no such tag, user or company; nothing was changed", 409: "several users share the e-mail address"},
    ),
    Route(
        "GET", "/tags/{tag_id}", tags.get_tag, "Get a tag", "Tags", need="read_tags", response=wire.TagBody, params=_TAG_ID, errors=_NO_TAG
    ),
    Route("DELETE", "/tags/{tag_id}", tags.delete_tag, "Delete a tag", "Tags", need="write_tags", params=_TAG_ID, errors=_NO_TAG),
    Route(
        "GET",
        "/contacts/{contact_id}/tags",
        tags.list_contact_tags,
        "List a contact's tags",
        "Tags",
        need="read_tags",
        response=wire.TagList,
        params=CONTACT_ID,
        errors=_NEITHER,
        first=V2,
    ),
    Route(
        "POST",
        "/contacts/{contact_id}/tags",
        tags.tag_contact,
        "Put a tag on a contact",
        "Tags",
        need="write_tags",
        request=wire.SentTagging,
        response=wire.TagBody,
        params=CONTACT_ID,
        errors=_NEITHER,
        first=V2,
    ),
    Route(
        "DELETE",
        "/contacts/{contact_id}/tags/{tag_id}",
        tags.untag_contact,
        "Take a tag off a contact",
        "Tags",
        need="write_tags",
        response=wire.TagBody,
        params=CONTACT_ID + _TAG_ID,
        errors=_NEITHER,
        first=V2,
    ),
)
