"""What is kept of a request in the request log. Values only."""

from typing import NamedTuple

from .contacts import Contact
from .merging import left_behind

QUOTED_MAX = 40  # characters of a value that every message and cause shows at least, where it shows one


class Entry(NamedTuple):
    """One request. `code`, `message`, `field` and `cause` are None for one that went well."""

    at_ms: int  # when it was answered, Unix milliseconds, by the server's clock
    request_id: str
    method: str
    path: str  # as it was asked for, without the query
    status: int
    code: str | None
    message: str | None
    field: str | None
    cause: str | None  # what exactly happened; the traceback of a fault of ours. Never on the wire but here
    version: str | None = None  # the API version it was served under; None where the application was not reached
    token: int | None = None  # None for unknown credentials and none
    token_hint: str | None = None
    workspace: int | None = None
    client: str | None = None  # the address it came from
    user_agent: str | None = None
    duration_us: int | None = None


class Wanted(NamedTuple):
    """Which entries are looked for: those that fit everything that is set. Moments are whole Unix seconds, both inclusive."""

    request_id: str | None = None
    status: tuple[int, int] | None = None  # the lowest and the highest
    code: str | None = None
    path: str | None = None  # how the path begins
    since: int | None = None
    until: int | None = None
    text: str | None = None  # a part of its path, message or cause; in ASCII upper and lower case are one


def traces(contact: Contact) -> list[str]:
    """What an entry that names a contact has in its path, message or cause, with the letters of ASCII in lower case.

    An id and an address stand for themselves. What may be as short as a number counts where it is quoted, or a part of a path.
    """
    found = [text[:QUOTED_MAX] for text in (contact.id, contact.email) if text]
    for text in (contact.external_id, contact.anonymous_id):
        if text:
            quoted = repr(text) if len(text) <= QUOTED_MAX else repr(text[:QUOTED_MAX])[:-1]
            found += [quoted, f"/{text}/"]
    return [text.encode().lower().decode() for text in found]


def lost(source: Contact, target: Contact) -> list[str]:
    """The traces of a contact that was merged into another, without those that either of the two has from then on."""
    kept = {*traces(left_behind(source, target, now=target.updated_at)), *traces(target)}
    return [text for text in traces(source) if text not in kept]
