"""What a bulk job is: many items sent together, and what became of each. Pure values and plain functions."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ..outcomes import DUPLICATE, REFUSED, STORED
from .contacts import Contact, fold_email

OPEN_S = 900  # a job takes more items so long after it was made. Source: the contract, 3.1 "closing_at"
TASKS_MAX = 1_000  # requests that may add to one job; its answer lists them all. Ours
DROPPED = "What was sent was dropped, as the contact it named was deleted"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What one request added to a job. Times are whole Unix seconds."""

    id: int
    item_count: int
    kept: int  # items that were not refused
    first_position: int | None  # in the journal, of the first item that was kept; the others follow it. None where none is
    started_at: int
    completed_at: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Times are whole Unix seconds."""

    id: str
    workspace: int
    data_type: str  # "event" or "user"
    created_at: int
    updated_at: int
    closing_at: int  # from then on it takes no more items
    tasks: tuple[Task, ...]  # in the order they came, at least one

    def shown(self, place: "Place") -> "Place":
        """A place with the number its task has within the job, from 1 on: that of the row counts every workspace's tasks."""
        return Place([task.id for task in self.tasks].index(place.task) + 1, place.item)

    def kept(self, place: "Place | None") -> "Place | None":
        """The place that is shown so; behind all where the job has no such task."""
        if place is None:
            return None
        if place.task > len(self.tasks):
            return Place(self.tasks[-1].id + 1, 0)
        return Place(self.tasks[place.task - 1].id if place.task else 0, place.item)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was refused. `sent` is its JSON text as it came."""

    item: int  # its place in its request, from 0
    sent: str
    code: str
    message: str | None
    field: str | None
    at: int  # whole Unix seconds
    task: int = 0  # 0 until the task has a number


class Place(msgspec.Struct, frozen=True, order=True):
    """An item of a job: the number of its task, and its place in that."""

    task: int
    item: int

    @property
    def text(self) -> str:
        return f"{self.task}-{self.item}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item. `position` is its receipt: that of an event which was kept."""

    place: Place
    outcome: str  # outcomes.STORED, DUPLICATE or REFUSED
    position: int | None = None
    failure: Failure | None = None


def next_items(job: Job, *, after: Place | None, limit: int) -> tuple[list[tuple[Task, range]], bool]:
    """Up to `limit` items that follow a place, as ranges of their tasks; and whether more come after them."""
    found: list[tuple[Task, range]] = []
    for task in job.tasks:
        if after is not None and task.id < after.task:
            continue
        start = after.item + 1 if after is not None and task.id == after.task else 0
        if start >= task.item_count:
            continue
        if not limit:
            return found, True
        some = range(start, min(task.item_count, start + limit))
        limit -= len(some)
        found.append((task, some))
        if some.stop < task.item_count:
            return found, True
    return found, False


def outcomes(task: Task, items: range, *, failures: list[Failure], before: int, duplicates: frozenset[int]) -> list[Outcome]:
    """What became of some items of a task: `failures` are those among them, `before` is how many there are ahead of them, and
    `duplicates` are positions of events that changed nothing."""
    refused = {failure.item: failure for failure in failures}
    found = []
    for item in items:
        place = Place(task.id, item)
        failure = refused.get(item)
        if failure is not None:
            before += 1
            found.append(Outcome(place=place, outcome=REFUSED, failure=failure))
            continue
        position = None if task.first_position is None else task.first_position + item - before
        found.append(Outcome(place=place, outcome=DUPLICATE if position in duplicates else STORED, position=position))
    return found


# --- What was refused of people who are erased -----------------------------------------------------------------------------


KEY_BYTES = 8
UNREADABLE = bytes(KEY_BYTES)  # the key of what cannot be read


class Named(NamedTuple):
    """What people are called by in items; emails are folded."""

    ids: frozenset[str]
    user_ids: frozenset[str]
    emails: frozenset[str]


def named_as(people: Iterable[Contact]) -> Named:
    people = list(people)
    return Named(
        frozenset(each.id for each in people),
        frozenset(value for each in people for value in (each.external_id, each.anonymous_id) if value is not None),
        frozenset(fold_email(each.email) for each in people if each.email is not None),
    )


def named_in(failure: Failure) -> Named | None:
    """Whom a refused item names, in its data or beside it; None where it cannot be read."""
    try:
        item = msgspec.json.decode(failure.sent)
        data = item.get("data") if isinstance(item, dict) else None
        parts = [part for part in (item, data) if isinstance(part, dict)]
        return Named(
            _texts(part.get(name) for part in parts for name in ("id", "intercom_user_id")),
            _texts(part.get("user_id") for part in parts),
            frozenset(fold_email(part["email"]) for part in parts if isinstance(part.get("email"), str)),
        )
    except (ValueError, RecursionError):  # no JSON, as msgspec has it; or a number of so many digits that Python writes it no more
        return None


def names_any(failure: Failure, named: Named) -> bool:
    """Whether a refused item names any of these. What cannot be read counts as if it did."""
    found = named_in(failure)
    return found is None or any(one & other for one, other in zip(found, named, strict=True))


def keys(named: Named | None) -> frozenset[bytes]:
    """What items and people share if the ones name the others, and hardly ever if not; KEY_BYTES each. None is the unreadable."""
    if named is None:
        return frozenset((UNREADABLE,))
    return frozenset(_key(f"{kind}:{value}") for kind, values in zip("iue", named, strict=True) for value in values)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=KEY_BYTES).digest()


def _texts(values: Iterable[object]) -> frozenset[str]:
    return frozenset(text for text in map(_text, values) if text is not None)


def _text(value: object) -> str | None:
    """Numbers stand for their decimal form, as in every identifier."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def emptied(failure: Failure) -> Failure:
    """The failure without what was sent; not even the message, which may repeat some of it."""
    return msgspec.structs.replace(failure, sent="{}", message=DROPPED)
