"""Bulk over HTTP, and the jobs that answer it. Scopes: as for single events and contacts, by what a job holds."""

import asyncio
from collections.abc import Sequence

import msgspec

from ...directory.users import Op
from ...errors import RequestError, TrackrecordError
from ...many import TURN_ITEMS, Item, judge_events
from ...rules.jobs import Failure, Job, Outcome, Task, next_items, outcomes
from ...stores.base import EventReader
from ...wire import jobs as wire
from ...wire import users as wire_users
from ..auth import allow
from ..call import Answer, Call

DAY_S = 86_400
JOB_SHARE = 4  # of what a workspace may have of refused items, the part of one job at most
READ = {"event": "read_events", "user": "read_contacts"}  # the scope that shows a job which holds these


async def bulk_events(call: Call) -> Answer:
    """POST /bulk/events. 202 with a job: every item of it is on stable storage by then, or refused with its reason."""
    items, id = wire.parse_bulk(call.body, limit=call.services.settings.bulk_items_max)
    started_at = await _open(call, id, "event")
    longest = call.services.settings.body_max_bytes
    refused: list[tuple[int, TrackrecordError]] = []
    sent: list[Item] = []
    for number, raw in enumerate(items):
        if not number % TURN_ITEMS:
            await asyncio.sleep(0)
        try:
            sent.append(Item(number, wire.read_event(raw, longest=longest)))
        except RequestError as error:
            refused.append((number, error))
    call.services.ingest.check_room()
    judged = await judge_events(call.services, call.workspace, sent)
    first = await call.services.ingest.append(judged.records) if judged.records else None
    return await _done(call, id, "event", items, [*refused, *judged.refused], first=first, started_at=started_at)


async def bulk_users(call: Call) -> Answer:
    """POST /bulk/users. 202 with a job: every user of it is saved or archived by then, or refused with its reason."""
    items, id = wire.parse_bulk(call.body, limit=call.services.settings.bulk_items_max)
    started_at = await _open(call, id, "user")
    longest = call.services.settings.body_max_bytes
    refused: list[tuple[int, TrackrecordError]] = []
    for start in range(0, len(items), TURN_ITEMS):  # one write each, so that other writes get their turn in between
        ops: list[tuple[int, Op]] = []
        for number, raw in enumerate(items[start : start + TURN_ITEMS], start):
            try:
                method, sent = wire.read_user(raw, longest=longest)
                ops.append((number, Op(method, wire_users.read(sent, role="user", now=call.now()))))
            except RequestError as error:
                refused.append((number, error))
        found = await call.services.in_thread(
            call.services.directory.users.apply, call.workspace.number, [op for _, op in ops], now=call.now(), profile=call.profile
        )
        for (number, _), outcome in zip(ops, found, strict=True):
            if isinstance(outcome, TrackrecordError):
                refused.append((number, outcome))
    return await _done(call, id, "user", items, refused, first=None, started_at=started_at)


async def get_job(call: Call) -> Answer:
    """GET /jobs/{job_id}."""
    return Answer(wire.shown(await _job(call), workspace=call.workspace, base_url=call.base_url))


async def get_job_errors(call: Call) -> Answer:
    """GET /jobs/{job_id}/error. The items that were refused, with their data, in the order they were sent."""
    asked, after = wire.parse_page(call.query)
    job = await _job(call)
    failures: list[Failure] = await call.services.in_thread(
        call.services.directory.jobs.failures, job, after=job.kept(after), limit=asked.per_page + 1
    )
    more = len(failures) > asked.per_page
    body = wire.errors(job, failures[: asked.per_page], asked, more=more, workspace=call.workspace, base_url=call.base_url)
    return Answer(body)


async def get_job_status(call: Call) -> Answer:
    """GET /jobs/status/{job_id}."""
    return Answer(wire.status(await _job(call), base_url=call.base_url))


async def get_job_outcomes(call: Call) -> Answer:
    """GET /-/api/jobs/{job_id}. What became of every item: stored, duplicate or refused."""
    asked, after = wire.parse_page(call.query)
    job = await _job(call)
    pieces, more = next_items(job, after=job.kept(after), limit=asked.per_page)
    found: list[Outcome] = []
    for task, items in pieces:
        before, failures = await call.services.in_thread(call.services.directory.jobs.failures_of, task, items)
        duplicates = await _duplicates(call, task, items, before=before, refused=len(failures))
        found += outcomes(task, items, failures=failures, before=before, duplicates=duplicates)
    refused = await call.services.in_thread(call.services.directory.jobs.count_failures, job)
    body = wire.outcomes(job, found, asked, more=more, refused=refused, workspace=call.workspace, base_url=call.base_url)
    return Answer(body)


async def _duplicates(call: Call, task: Task, items: range, *, before: int, refused: int) -> frozenset[int]:
    """The positions of those of these items that were kept, and changed nothing."""
    first = task.first_position
    if first is None or len(items) == refused:
        return frozenset()
    first += items.start - before
    last = first + len(items) - refused - 1

    def ask(store: EventReader) -> list[int]:
        return store.duplicates(first, last)

    return frozenset(await call.services.reads.ask(ask))


async def _open(call: Call, id: str | None, data_type: str) -> int:
    """When we began. Raises JobNotFound or JobClosed for a job that takes no more, before anything is kept."""
    now = call.now()
    if id is not None:
        jobs = call.services.directory.jobs
        refused_max = _refused_max(call) // JOB_SHARE
        await call.services.in_thread(
            jobs.refuse_closed, call.workspace.number, id, data_type=data_type, now=now, keep_s=_keep_s(call), refused_max=refused_max
        )
    return now


async def _done(
    call: Call,
    id: str | None,
    data_type: str,
    items: Sequence[msgspec.Raw],
    refused: list[tuple[int, TrackrecordError]],
    *,
    first: int | None,
    started_at: int,
) -> Answer:
    """Note what became of the items, and answer with the job.

    Last, as the job is no more than the record of what is kept already: if we die before it, nobody was told yes, and the same
    items sent again change nothing.
    """
    now = call.now()
    failures = [wire.failure(number, items[number], error, at=now) for number, error in sorted(refused, key=lambda row: row[0])]
    job: Job = await call.services.in_thread(
        call.services.directory.jobs.add,
        call.workspace.number,
        id,
        data_type=data_type,
        item_count=len(items),
        first_position=first,
        failures=failures,
        started_at=started_at,
        now=now,
        keep_s=_keep_s(call),
    )
    if failures:  # whoever has so many refused waits until there is room for them
        make_room = call.services.directory.jobs.make_room
        while await call.services.in_thread(make_room, call.workspace.number, job, refused_max=_refused_max(call)):
            pass
    return Answer(wire.shown(job, workspace=call.workspace, base_url=call.base_url), status=202)


async def _job(call: Call) -> Job:
    """The job of the path. Raises JobNotFound, and TokenUnauthorized where the token may not read what it holds."""
    job: Job = await call.services.in_thread(
        call.services.directory.jobs.get, call.workspace.number, call.path["job_id"], since=call.now() - _keep_s(call)
    )
    allow(call.token, READ[job.data_type])
    return job


def _refused_max(call: Call) -> int:
    return call.services.settings.jobs_refused_max_mb << 20


def _keep_s(call: Call) -> int:
    return call.services.settings.jobs_keep_days * DAY_S
