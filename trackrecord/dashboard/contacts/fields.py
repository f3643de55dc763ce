"""The fields a contact can be looked for by, and their operators in words. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from ...rules.filters import ATTRIBUTE_KINDS
from ...rules.search import CUSTOM, FIELDS
from ...rules.values import Scalar

# What the form offers besides the workspace's own attributes. Whatever else a search takes can stand in an address.
OFFERED = {
    "name": "Name",
    "email": "E-mail",
    "email_domain": "E-mail domain",
    "external_id": "External id",
    "id": "Id",
    "role": "Role",
    "phone": "Phone",
    "owner_id": "Owner id",
    "language_override": "Language",
    "unsubscribed_from_emails": "Unsubscribed from e-mails",
    "created_at": "Created",
    "updated_at": "Updated",
    "signed_up_at": "Signed up",
    "last_seen_at": "Last seen",
    "tag_id": "Tag",
    "segment_id": "Segment",
}


class Choice(NamedTuple):
    """An operator of the API as the form has it. `takes` is one value, a list of them, or nothing: then `value` is the value."""

    word: str  # in addresses
    text: str  # on pages
    operator: str
    takes: str = "one"
    value: Scalar = None


_IS, _IS_NOT = Choice("is", "is", "="), Choice("not", "is not", "!=")
_LISTS = (Choice("in", "is one of", "IN", "list"), Choice("not-in", "is none of", "NIN", "list"))
_NULL = (Choice("known", "is known", "!=", "nothing"), Choice("unknown", "is not known", "=", "nothing"))
_TEXT = (
    Choice("contains", "contains", "~"),
    Choice("lacks", "does not contain", "!~"),
    _IS,
    _IS_NOT,
    Choice("starts", "starts with", "^"),
    Choice("ends", "ends with", "$"),
    *_LISTS,
    *_NULL,
)
_NUMBER = (
    _IS,
    _IS_NOT,
    Choice("over", "is more than", ">"),
    Choice("under", "is less than", "<"),
    Choice("from", "is at least", ">="),
    Choice("to", "is at most", "<="),
    *_LISTS,
    *_NULL,
)

# By the kind of field, as rules.filters has kinds; the first is what a new row begins with.
CHOICES: dict[str, tuple[Choice, ...]] = {
    "exact": _TEXT,
    "text": _TEXT,
    "email": _TEXT,
    "phone": _TEXT,
    "role": (_IS, _IS_NOT),
    "boolean": (Choice("yes", "is true", "=", "nothing", True), Choice("no", "is false", "=", "nothing", False), *_NULL),
    "integer": _NUMBER,
    "float": _NUMBER,
    "date": (
        Choice("after", "is after", ">"),
        Choice("before", "is before", "<"),
        Choice("on", "is on", "="),
        Choice("unknown", "is not known", "=", "nothing"),
    ),
    "tag": (Choice("is", "is applied", "="), Choice("not", "is not applied", "!=")),
    "segment": (Choice("is", "has the contact", "="), Choice("not", "does not have the contact", "!=")),
}


def kind_of(field: str, attributes: Mapping[str, str]) -> str:
    """The kind of a field, by the data types of the workspace's attributes; what there is not is taken as text."""
    if field.startswith(CUSTOM):
        return ATTRIBUTE_KINDS.get(attributes.get(field.removeprefix(CUSTOM), "string"), "text")
    found = FIELDS.get(field)
    return "text" if found is None else found.kind


def choice(kind: str, word: str) -> Choice:
    """The operator a word means; the first of the kind for a word it does not have, as when another field was chosen."""
    return next((each for each in CHOICES[kind] if each.word == word), CHOICES[kind][0])


def label(field: str) -> str:
    return OFFERED.get(field) or field.removeprefix(CUSTOM)
