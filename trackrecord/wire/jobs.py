"""Bulk jobs on the wire: many events or users in one body, the job that answers, and its feed of refused items."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import BodyTooLarge, ParameterInvalid, ParameterNotFound, RequestError, TooManyItems, TrackrecordError, TypeMismatch
from ..rules.directory import Workspace
from ..rules.jobs import Failure, Job, Outcome, Place, Task
from . import cursors
from .contacts import CursorPages
from .cursors import Asked
from .events import SubmittedEvent
from .json import decode, unreadable
from .params import Query
from .users import SubmittedUser

T = TypeVar("T")

METHODS = {"event": ("post",), "user": ("post", "delete")}  # by data_type
NAME = "api_bulk_job"


class SentJobItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a bulk request. A client adds `type`, `id` and `updated_at`, which are passed over."""

    method: str | None = None
    data_type: str | None = None  # "event" or "user"; that of the path when it is missing
    data: Any = None


class SentEventItem(SentJobItem, frozen=True, kw_only=True):
    data: SubmittedEvent | None = None


class SentUserItem(SentJobItem, frozen=True, kw_only=True):
    data: SubmittedUser | None = None


class SentJob(msgspec.Struct, frozen=True, kw_only=True):
    id: str | None = None


class SentEventBulk(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /bulk/events. With a job's id the items are added to it, while it is open."""

    items: list[SentEventItem]
    job: SentJob | None = None


class SentUserBulk(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /bulk/users."""

    items: list[SentUserItem]
    job: SentJob | None = None


class TaskBody(msgspec.Struct, frozen=True, kw_only=True):
    """What one request added to a job. Times are whole Unix seconds."""

    type: str = "task"
    id: str
    item_count: int
    state: str = "completed"
    created_at: int
    started_at: int
    completed_at: int


class JobLinks(msgspec.Struct, frozen=True, kw_only=True):
    error: str
    self: str


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it is shown. Its items were kept or refused before it was answered, so it is completed from the beginning;
    until `closing_at` it takes more. `job_state` is `state` under the name that one client reads."""

    type: str = "job"
    id: str
    app_id: str
    name: str = NAME
    state: str = "completed"
    job_state: str = "completed"
    created_at: int
    updated_at: int
    completed_at: int
    closing_at: int
    tasks: list[TaskBody]
    links: JobLinks


class ItemError(msgspec.Struct, frozen=True, kw_only=True):
    """As in an error.list; never with a `type`, which two clients read in place of `code`."""

    code: str
    message: str | None
    field: str | UnsetType = UNSET


class FailedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was refused, with its data as it came."""

    type: str = "job_item"
    id: str
    method: Any
    data_type: Any
    updated_at: int
    error: ItemError
    data: Any


class FailedPages(msgspec.Struct, frozen=True, kw_only=True):
    """The address of the next page, absent on the last: one client reads every value here as an address."""

    next: str | UnsetType = UNSET


class JobErrors(msgspec.Struct, frozen=True, kw_only=True):
    app_id: str
    job_id: str
    pages: FailedPages
    items: list[FailedItem]


class JobStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Source: API reference, "Retrieve job status". A job makes many things, so it names none."""

    type: str = "job"
    id: str
    url: str
    status: str = "success"
    resource_type: str
    resource_id: str | None = None
    resource_url: str | None = None


class ItemOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item. `receipt` is the journal position of an event that was kept."""

    type: str = "job_item"
    id: str
    task_id: str
    index: int  # its place in its request, from 0
    outcome: str
    receipt: int | UnsetType = UNSET
    error: ItemError | UnsetType = UNSET


class JobOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a job's items, page by page, beside the job."""

    type: str = "list"
    data: list[ItemOutcome]
    total_count: int
    refused_count: int
    pages: CursorPages
    job: JobBody


# --- Reading -------------------------------------------------------------------------------------------------------------


class _Bulk(msgspec.Struct):
    items: list[msgspec.Raw] | None = None
    job: SentJob | list[Any] | None = None  # a list only empty: so PHP writes that there is none


class _Item(msgspec.Struct):
    method: str | None = None
    data_type: str | None = None
    data: msgspec.Raw = msgspec.Raw()


_decode_event_item = msgspec.json.Decoder(SentEventItem).decode


def parse_bulk(body: bytes, *, limit: int) -> tuple[list[msgspec.Raw], str | None]:
    """The items, each still as it came, and the id of the job they are to join.

    Raises ParameterInvalid, TypeMismatch or ParameterNotFound by field, and TooManyItems past `limit`.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise unreadable(error) from None
    sent = decode(body, _Bulk)
    if sent.items is None:
        raise ParameterNotFound("items is required: a list of objects with method, data_type and data", field="items")
    if not sent.items:
        raise ParameterInvalid("items must have at least one item", field="items")
    if len(sent.items) > limit:
        raise TooManyItems(f"maximum number of items per request is {limit}", field="items")
    if isinstance(sent.job, list):
        if sent.job:
            raise TypeMismatch("job must be an object, got a list", field="job")
        return sent.items, None
    return sent.items, (sent.job.id if sent.job is not None else None) or None


def read_item(raw: msgspec.Raw, *, data_type: str, longest: int) -> tuple[str, msgspec.Raw]:
    """The method of an item and its data, which is of this type and at most `longest` bytes. Raises a RequestError by field."""
    item = _within(raw, _Item, "the item")
    if item.data_type not in (None, data_type):
        raise ParameterInvalid(f"data_type must be {data_type} here, got {item.data_type[:40]!r}", field="data_type")
    if item.method is None:
        raise ParameterNotFound("method is required: post", field="method")
    methods = METHODS[data_type]
    if item.method not in methods:
        raise ParameterInvalid(f"method must be {' or '.join(methods)}, got {item.method[:40]!r}", field="method")
    if len(memoryview(item.data)) <= 4 and bytes(item.data) in (b"", b"null"):
        raise ParameterNotFound(f"data is required: the {data_type}", field="data")
    if len(memoryview(item.data)) > longest:
        raise BodyTooLarge(f"data must be at most {longest} bytes", field="data")
    return item.method, item.data


def read_event(raw: msgspec.Raw, *, longest: int) -> SubmittedEvent:
    """The event of an item of POST /bulk/events. Raises a RequestError by field."""
    try:
        item = _decode_event_item(raw)  # the common case, in one look
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # what is wrong is found below
    else:
        if item.method == "post" and item.data_type in (None, "event") and item.data is not None and len(memoryview(raw)) <= longest:
            return item.data
    _, data = read_item(raw, data_type="event", longest=longest)
    return _within(data, SubmittedEvent, "data")


def read_user(raw: msgspec.Raw, *, longest: int) -> tuple[str, SubmittedUser]:
    """The method and the user of an item of POST /bulk/users. Raises a RequestError by field."""
    method, data = read_item(raw, data_type="user", longest=longest)
    return method, _within(data, SubmittedUser, "data")


def _within(raw: msgspec.Raw, kind: type[T], whole: str) -> T:
    try:
        return decode(bytes(raw), kind)
    except RequestError as error:
        if error.field not in (None, "body"):
            raise
        field = "data" if whole == "data" else "items"
        raised = ParameterInvalid if error.message.startswith("Invalid JSON") else TypeMismatch
        raise raised(error.message.replace("the body", whole), field=field) from None


def failure(item: int, raw: msgspec.Raw, error: TrackrecordError, *, at: int) -> Failure:
    """What is kept of a refused item; `at` in whole Unix seconds."""
    return Failure(item=item, sent=bytes(raw).decode(), code=error.code, message=error.message, field=error.field, at=at)


def parse_page(query: Query) -> tuple[Asked, Place | None]:
    """(the page, the item it comes after, as Job.shown has it). Raises ParameterInvalid by field."""
    asked = cursors.of_query(query)
    found = cursors.numbers(asked, 2, "starting_after")
    return asked, None if found is None else Place(*found)


# --- Showing -------------------------------------------------------------------------------------------------------------


def shown(job: Job, *, workspace: Workspace, base_url: str) -> JobBody:
    address = f"{base_url}/jobs/{job.id}"
    return JobBody(
        id=job.id,
        app_id=workspace.id,
        created_at=job.created_at,
        updated_at=job.updated_at,
        completed_at=max(task.completed_at for task in job.tasks),
        closing_at=job.closing_at,
        tasks=[_task(number, task) for number, task in enumerate(job.tasks, 1)],
        links=JobLinks(error=f"{address}/error", self=address),
    )


def _task(number: int, task: Task) -> TaskBody:
    return TaskBody(
        id=str(number),
        item_count=task.item_count,
        created_at=task.started_at,
        started_at=task.started_at,
        completed_at=task.completed_at,
    )


def status(job: Job, *, base_url: str) -> JobStatus:
    return JobStatus(id=job.id, url=f"{base_url}/jobs/status/{job.id}", resource_type=job.data_type)


def errors(job: Job, failures: Sequence[Failure], asked: Asked, *, more: bool, workspace: Workspace, base_url: str) -> JobErrors:
    """A page of what a job refused."""
    following = cursors.next_page(asked, job.shown(Place(failures[-1].task, failures[-1].item)).text if more else None)
    pages = FailedPages()
    if following is not UNSET:
        query = f"per_page={following.per_page}&starting_after={following.starting_after}"
        pages = FailedPages(next=f"{base_url}/jobs/{job.id}/error?{query}")
    return JobErrors(app_id=workspace.id, job_id=job.id, pages=pages, items=[_failed(each, job) for each in failures])


def _failed(failure: Failure, job: Job) -> FailedItem:
    try:
        item = msgspec.json.decode(failure.sent, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # it was no object
        item = {"data": msgspec.Raw(failure.sent.encode())}
    return FailedItem(
        id=job.shown(Place(failure.task, failure.item)).text,
        method=item.get("method"),
        data_type=item["data_type"] if bytes(item.get("data_type", b"null")) != b"null" else job.data_type,
        updated_at=failure.at,
        error=_error(failure),
        data=item.get("data"),
    )


def _error(failure: Failure) -> ItemError:
    return ItemError(code=failure.code, message=failure.message, field=failure.field if failure.field is not None else UNSET)


def outcomes(
    job: Job, found: Sequence[Outcome], asked: Asked, *, more: bool, refused: int, workspace: Workspace, base_url: str
) -> JobOutcomes:
    """A page of what became of a job's items."""
    total = sum(task.item_count for task in job.tasks)
    places = [job.shown(each.place) for each in found]
    return JobOutcomes(
        data=[
            ItemOutcome(
                id=place.text,
                task_id=str(place.task),
                index=place.item,
                outcome=each.outcome,
                receipt=UNSET if each.position is None else each.position,
                error=UNSET if each.failure is None else _error(each.failure),
            )
            for place, each in zip(places, found, strict=True)
        ],
        total_count=total,
        refused_count=refused,
        pages=cursors.counted(asked, places[-1].text if more else None, total_count=total),
        job=shown(job, workspace=workspace, base_url=base_url),
    )
