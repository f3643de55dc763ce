"""What our script and our server say to each other. Ours alone: pages see the JavaScript API, and nothing of this."""

from typing import Any

import msgspec

from .json import decode

# What is missing is refused by its own rule, with its name: so everything may be absent here.


class SentPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls were about, as known when they were made."""

    visitor: str = ""
    user_id: str | int | None = None
    email: str | None = None
    user_hash: str | None = None
    jwt: str | None = None


class SentItem(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `who` is a place in people; times are milliseconds, `time` by the server's clock and `at` by the browser's."""

    id: str = ""
    who: int = -1
    kind: str = ""  # event or ping
    at: float | None = None
    time: float | None = None
    name: str | None = None
    metadata: Any = None
    data: dict[str, Any] | None = None


class SentDelivery(msgspec.Struct, frozen=True, kw_only=True):
    people: list[SentPerson] = []
    items: list[SentItem] = []
    script: str | int | None = None
    sent_at: float | None = None
    dropped: dict[str, int] | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one item: kept, refused (for good) or held (until the browser proves who it is)."""

    id: str
    outcome: str
    code: str | None = None
    message: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    type: str | None  # user, lead or visitor; null where nothing was done for it


class DeliveryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    now: int  # milliseconds, by the server's clock
    results: list[Result]
    people: list[Person]


def parse(body: bytes) -> SentDelivery:
    """Raises ParameterInvalid or TypeMismatch by field."""
    return decode(body, SentDelivery)
