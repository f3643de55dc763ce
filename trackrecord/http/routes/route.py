"""One row of the table of routes, and what many rows share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...rules.versions import LAST_1_X
from ..call import Handler

OURS = ("/-/", "/widget/", "/messenger/")  # what lies below has no versions; nor has "/"
V2 = (2, 0)  # contacts as one noun came with API 2.0
V1_LAST = LAST_1_X.number


class Param(NamedTuple):
    name: str
    meaning: str
    kind: str = "string"  # the JSON Schema type
    place: str = "query"
    required: bool = False
    among: tuple[str, ...] = ()  # the words it may be; any without them
    many: bool = False  # it may be repeated

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        one: dict[str, Any] = {"type": self.kind, **({"enum": list(self.among)} if self.among else {})}
        return {"type": "array", "items": one} if self.many else one


class Route(NamedTuple):
    method: str
    path: str
    handler: Handler | None  # None for the fast lane's
    summary: str
    tag: str
    need: str | None = None  # the scope a token must have
    request: Any = None  # the type of the body
    response: Any = None  # the type of the answer; None for an empty one
    status: int = 200
    params: tuple[Param, ...] = ()
    errors: Mapping[int, str] = {}
    first: tuple[int, int] | None = None  # the version the resource came with
    last: tuple[int, int] | None = None  # the last version that has it
    unversioned: bool = False  # also for whoever asks for no version, whatever the default is
    open: bool = False  # answers without a token
    forms: bool = False  # takes what a form in a page sends
    pages: bool = False  # pages of every origin may read the answer; what they may do is the handler's to say
    media: tuple[str, ...] = ("text/html",)  # of an answer whose response is bytes
    tables: tuple[str, ...] = ()  # media besides JSON that an answer may come as, where `format` says so
    body_max: int = 0  # bytes a body may have here, where that is more than the setting body_max_bytes


CONTACT_ID = (Param("contact_id", "the contact's id", place="path", required=True),)
NO_CONTACT = {404: "no such contact"}
CLASH = {409: "a contact matching those details exists", 422: "well-formed but not possible"}
