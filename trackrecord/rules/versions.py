"""Which API version a request is served under. Source: the contract, 1.3."""

import re
from typing import NamedTuple

from ..errors import VersionInvalid

NAMED = ("Preview", "Unstable")  # one thing under its new and its old name: newer than every number
NEWEST = (2, 16)
KNOWN = frozenset([(1, minor) for minor in range(5)] + [(2, minor) for minor in range(NEWEST[1] + 1)])
_NUMBER = re.compile(r"^\d+\.\d+$", re.ASCII)
_DIGITS_MAX = 3  # of a number that could be any version's; a longer one is above all

ABSENT_RESOURCE = "Requested resource is not available in current API version"
UNKNOWN = "The requested version could not be found"


Number = tuple[int, int]


class Version(NamedTuple):
    """`text` is what we answer in Intercom-Version; `number` compares, and is above all others for Preview."""

    text: str
    number: Number


_PREVIEW = (999, 0)
LAST_1_X = Version("1.4", (1, 4))  # the last with users and leads apart


def served(asked: str | None, *, default: str, newer: bool, padded: bool = True) -> Version:
    """The version for a request's header, or the default without one. Raises VersionInvalid.

    With `newer`, a number above the newest known is served as the newest; with `padded`, zeros before a number count for nothing.
    """
    text = asked.strip() if asked is not None and asked.strip() else default
    if text.capitalize() in NAMED:
        return Version(text.capitalize(), _PREVIEW)
    if _NUMBER.match(text):
        sent = text.split(".")
        plain = [digits.lstrip("0") or "0" for digits in sent]
        number = (_bounded(plain[0]), _bounded(plain[1])) if padded or plain == sent else (0, 0)
        if number in KNOWN:
            return Version(f"{number[0]}.{number[1]}", number)
        if number > NEWEST and newer:
            return Version(f"{NEWEST[0]}.{NEWEST[1]}", NEWEST)
    raise VersionInvalid(UNKNOWN, cause=f"{text[:40]!r} is none of {NEWEST[0]}.{NEWEST[1]} and below, Preview and Unstable")


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS_MAX else 10**_DIGITS_MAX


def available(version: Version, *, first: Number | None, last: Number | None = None, unversioned: bool = False) -> None:
    """Raises VersionInvalid for a resource that came after the version served, or was gone by then."""
    if unversioned:
        return
    if (first is not None and version.number < first) or (last is not None and version.number > last):
        raise VersionInvalid(ABSENT_RESOURCE, cause=f"not under {version.text}: it is there {span(first, last)}")


def span(first: Number | None, last: Number | None) -> str:
    """Versions in words: from 2.13 on; up to 1.4; in all."""
    texts = ["Preview" if number == _PREVIEW else f"{number[0]}.{number[1]}" for number in (first, last) if number is not None]
    if first is not None and last is not None:
        return f"in {texts[0]}" if first == last else f"from {texts[0]} to {texts[1]}"
    if first is not None:
        return "in Preview" if first == _PREVIEW else f"from {texts[0]} on"
    return f"up to {texts[0]}" if last is not None else "in all"


class Delta(NamedTuple):
    name: str
    first: Number
    last: Number | None  # None: in every later version too
    meaning: str


# Where versions differ besides having a path or not; that stands in the rows of http/routes. Source: the contract, section 12.
DELTAS = (
    Delta(
        "attributes_declared",
        (2, 0),
        None,
        "custom attributes must be declared, where the profile says so; before, their first use makes them",
    ),
    Delta(
        "typed_lists", (2, 0), None, "tags and data attributes come as `list` with `data`; before, as `tag.list` and `data_attribute.list`"
    ),
    Delta("summary_texts", (2, 11), (2, 11), "an event summary has an empty text where others have null for `user_id` and `email`"),
    Delta("away_status_reason", (2, 14), None, "an admin has `away_status_reason_id`"),
    Delta("admin_role", (2, 16), None, "an admin has a `role`"),
    Delta("owner_as_text", (2, 16), None, "`owner_id` is a string"),
    Delta("email_verified", (2, 16), None, "`email_verified` may be sent beside an email, and only there"),
    Delta(
        "merged_is_gone",
        (2, 16),
        None,
        "a contact that was merged away answers 410 with a Link to the one that took its place; before, 404",
    ),
    Delta("merge_history", (2, 16), None, "a contact shows its merge history when asked to"),
    Delta("merge_needs_match", (2, 16), None, "a merge needs the same email or phone, or `skip_duplicate_validation`"),
    Delta("formatted_phone", (2, 16), None, "`formatted_phone` can be searched"),
    Delta(
        "formatted_phone_of_2_11", (2, 11), (2, 11), "a contact has `formatted_phone`: its phone as it was sent, as nothing is rewritten"
    ),
    Delta("formatted_phone_shown", _PREVIEW, None, "the same"),
    Delta("no_conversation_attributes", (2, 16), None, "data attributes of conversations are refused with 422"),
    Delta("datetime_attributes", _PREVIEW, None, "a data attribute may be a `datetime`; before, it is shown as a `date`"),
)
# What section 12 lists, and is the same here whatever version is asked for: the change, since when, and why.
SAME_IN_ALL = (
    ("`GET /events` takes `per_page`", "2.11", "taken in every version: clients send it in all of them"),
    ("`GET /events` takes `type=lead` and `anonymous_id`", "2.17", "taken in every version; without them a lead has no events to list"),
    ("values of metadata are strings in the description", "until 2.16", "they are answered as they were sent, in every version"),
    (
        "`options` of a data attribute are objects",
        "2.14",
        "both forms are taken in every version, and strings are answered",
    ),
    ("`sort` of a search is described", "2.16", "taken in every version, and so is `invalid_sort_order`"),
    ("names of path parameters", "several", "only the description names them"),
    ("`language_override` of a contact", "Preview", "kept and shown in every version"),
    ("Unstable is called Preview", "2.16", "both names are taken, and answered as they were asked for"),
)
_DELTAS = {delta.name: delta for delta in DELTAS}


def has(version: Version, delta: str) -> bool:
    """Whether a version has a difference of DELTAS."""
    _, first, last, _ = _DELTAS[delta]
    return first <= version.number and (last is None or version.number <= last)
