"""What is kept of a request in the request log. Values only."""

from typing import NamedTuple


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
