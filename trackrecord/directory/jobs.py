"""Bulk jobs: what was sent together, and which items of it were refused. What was kept stands in the journal or in contacts."""

import secrets
import struct
from collections.abc import Container, Iterable, Sequence

import sqlalchemy as sa

from ..errors import JobClosed, JobNotFound
from ..rules.contacts import Contact
from ..rules.identity import CAUSE_MAX
from ..rules.jobs import (
    KEY_BYTES,
    OPEN_S,
    TASKS_MAX,
    UNREADABLE,
    Failure,
    Job,
    Named,
    Place,
    Task,
    emptied,
    keys,
    named_as,
    named_in,
    names_any,
)
from .engine import Database, in_chunks, position
from .tables import REFUSED, job_failures, job_people, job_tasks, jobs

SOUGHT_MAX = 10  # keys that the database looks for itself; for more it is faster to take all of them and look here
PACKED = struct.Struct(f">{KEY_BYTES}sI")  # a key of whom an item names (rules.jobs.keys), and the item
FAILURE_BYTES = 200  # of a refused item beside what was sent
DROPPED_AT_ONCE = 20  # jobs that have had their time, dropped by a write at most
ROWS_AT_ONCE = 2_000  # rows of a table that a write drops with them at most, so that none takes long


class Jobs:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._refused: dict[int, int] = {}  # bytes of refused items by workspace, where they have been added up; see make_room

    def refuse_closed(self, workspace: int, id: str, *, data_type: str, now: int, keep_s: int, refused_max: int) -> None:
        """Raises JobNotFound, and JobClosed for a job that takes no more items of this kind at `now` (whole Unix seconds), or has
        `refused_max` bytes of refused ones.
        """
        with self._db.reading() as connection:
            _open(connection, workspace, id, data_type=data_type, now=now, keep_s=keep_s)
            if _refused_bytes(connection, job_tasks.c.job == id) >= refused_max:
                raise JobClosed(f"job {id} has too many refused items to take more: start a new bulk job", field="job.id")

    def add(
        self,
        workspace: int,
        id: str | None,
        *,
        data_type: str,
        item_count: int,
        first_position: int | None,
        failures: Sequence[Failure],
        started_at: int,
        now: int,
        keep_s: int,
    ) -> Job:
        """Note what became of one request's items, in a new job, or in the one named; times are whole Unix seconds.

        The items are kept by then, so a job that has closed in between takes them all the same. Raises JobNotFound, also for one
        made more than `keep_s` ago.
        """
        named = _packed(failures)
        refused_bytes = sum(len(failure.sent) + FAILURE_BYTES for failure in failures)
        with self._db.writing() as connection:
            if id is None:
                id = f"job_{secrets.token_hex(8)}"
                made = {"data_type": data_type, "created_at": now, "updated_at": now, "closing_at": now + OPEN_S}
                connection.execute(sa.insert(jobs).values(id=id, workspace=workspace, **made))
            else:
                _get(connection, workspace, id, since=now - keep_s)
                connection.execute(sa.update(jobs).where(jobs.c.workspace == workspace, jobs.c.id == id).values(updated_at=now))
            task = {
                "job": id,
                "item_count": item_count,
                "first_position": first_position,
                "kept": item_count - len(failures),
                "refused_bytes": refused_bytes,
                "started_at": started_at,
                "completed_at": now,
            }
            number = connection.scalar(sa.insert(job_tasks).values(task).returning(job_tasks.c.id))
            if failures:
                connection.execute(sa.insert(job_failures), [{**_values(failure), "task": number} for failure in failures])
            if named:
                connection.execute(sa.insert(job_people).values(task=number, workspace=workspace, named=named))
            job = _get(connection, workspace, id, since=now - keep_s)
            if workspace in self._refused:  # inside the write, so that no two add at once
                self._refused[workspace] += refused_bytes
        return job

    def make_room(self, workspace: int, job: Job, *, refused_max: int) -> bool:
        """Drop some of the oldest jobs of a workspace, but for this one, if all its refused items have more than `refused_max` bytes.

        True while there is more to drop: call it again until then.
        """
        if self._refused.get(workspace, refused_max + 1) <= refused_max:
            return False
        mine = sa.exists().where(jobs.c.id == job_tasks.c.job, jobs.c.workspace == workspace)
        oldest = sa.select(job_tasks.c.job).where(REFUSED, mine, job_tasks.c.job != job.id).order_by(job_tasks.c.id).limit(1)
        with self._db.reading() as connection:  # which may take long, and holds nobody's write up
            total = self._refused[workspace] = _refused_bytes(connection, sa.and_(REFUSED, mine))
            dropped = connection.scalar(oldest) if total > refused_max else None
        if dropped is None:
            return False
        with self._db.writing() as connection:
            _drop(connection, [dropped])
            self._refused.pop(workspace, None)
        return True

    def get(self, workspace: int, id: str, *, since: int) -> Job:
        """Raises JobNotFound; also for one of another workspace, and one made before `since` (whole Unix seconds)."""
        with self._db.reading() as connection:
            return _get(connection, workspace, id, since=since)

    def drop_old(self, *, until: int) -> bool:
        """Drop some of the jobs of any workspace that were made before `until` (whole Unix seconds), or some of what hangs on them;
        False once there is none left to drop. Call it again until then.
        """
        with self._db.reading() as connection:
            if not _old(connection, until=until):
                return False
        with self._db.writing() as connection:
            _drop(connection, _old(connection, until=until))
            self._refused.clear()
        return True

    def failures(self, job: Job, *, after: Place | None, limit: int) -> list[Failure]:
        """Up to `limit` of a job's refused items that follow a place, in the order they were sent."""
        wanted = _failures_of(job).order_by(job_failures.c.task, job_failures.c.item).limit(limit)
        if after is not None:
            wanted = wanted.where(sa.tuple_(job_failures.c.task, job_failures.c.item) > sa.tuple_(after.task, after.item))
        with self._db.reading() as connection:
            return [Failure(**row) for row in connection.execute(wanted).mappings()]

    def count_failures(self, job: Job) -> int:
        with self._db.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_failures_of(job).subquery())).scalar_one()

    def failures_of(self, task: Task, items: range) -> tuple[int, list[Failure]]:
        """How many items of a task were refused before these, and which of these were. Ask with a task of your own job."""
        mine = job_failures.c.task == task.id
        with self._db.reading() as connection:
            before = connection.scalar(sa.select(sa.func.count()).where(mine, job_failures.c.item < items.start)) or 0
            wanted = sa.select(job_failures).where(mine, job_failures.c.item >= items.start, job_failures.c.item < items.stop)
            return before, [Failure(**row) for row in connection.execute(wanted.order_by(job_failures.c.item)).mappings()]


def forget(connection: sa.Connection, workspace: int, people: Sequence[Contact]) -> None:
    """Drop what was sent in the refused items of a workspace that name any of these; each stays refused, with its code."""
    named = named_as(people)
    sought = {*keys(named), UNREADABLE}
    wanted = sa.select(job_people.c.task, job_people.c.named).where(job_people.c.workspace == workspace)
    if len(sought) <= SOUGHT_MAX:
        wanted = wanted.where(sa.or_(*(position(key, job_people.c.named) > 0 for key in sought)))
    found = {task: entries for task, packed in connection.execute(wanted) if (entries := _unpacked(packed, sought))}
    for task, items in found.items():
        gone = [item for part in in_chunks(items) for item in _empty(connection, task, part, named)]
        left = _without(connection.execute(sa.select(job_people.c.named).where(job_people.c.task == task)).scalar_one(), gone)
        this = sa.update(job_people).values(named=left) if left else sa.delete(job_people)
        connection.execute(this.where(job_people.c.task == task))


def _empty(connection: sa.Connection, task: int, items: Sequence[int], named: Named) -> list[int]:
    """Drop what was sent in those of these items that name any of `named`; which they are."""
    mine = job_failures.c.task == task
    found = [Failure(**row) for row in connection.execute(sa.select(job_failures).where(mine, job_failures.c.item.in_(items))).mappings()]
    gone = [emptied(failure) for failure in found if names_any(failure, named)]
    for failure in gone:
        connection.execute(sa.update(job_failures).where(mine, job_failures.c.item == failure.item).values(_values(failure)))
    return [failure.item for failure in gone]


def _packed(failures: Iterable[Failure]) -> bytes:
    return b"".join(PACKED.pack(key, failure.item) for failure in failures for key in keys(named_in(failure)))


def _unpacked(packed: bytes, sought: Container[bytes]) -> list[int]:
    """The items that have any of these keys."""
    return sorted({item for key, item in PACKED.iter_unpack(packed) if key in sought})


def _without(packed: bytes, items: Iterable[int]) -> bytes:
    out = frozenset(items)
    return b"".join(PACKED.pack(key, item) for key, item in PACKED.iter_unpack(packed) if item not in out)


def _failures_of(job: Job) -> sa.Select[tuple[object, ...]]:
    mine = sa.select(job_tasks.c.id).join(jobs, jobs.c.id == job_tasks.c.job)
    return sa.select(job_failures).where(
        job_failures.c.task.in_(mine.where(jobs.c.workspace == job.workspace, jobs.c.id == job.id).scalar_subquery())
    )


def _values(failure: Failure) -> dict[str, object]:
    return {name: getattr(failure, name) for name in failure.__struct_fields__}


def _get(connection: sa.Connection, workspace: int, id: str, *, since: int) -> Job:
    wanted = sa.select(jobs).where(jobs.c.workspace == workspace, jobs.c.id == id, jobs.c.created_at >= since)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise JobNotFound
    columns = [job_tasks.c[name] for name in Task.__struct_fields__]
    tasks = connection.execute(sa.select(*columns).where(job_tasks.c.job == id).order_by(job_tasks.c.id)).mappings()
    return Job(**row, tasks=tuple(Task(**task) for task in tasks))


def _open(connection: sa.Connection, workspace: int, id: str, *, data_type: str, now: int, keep_s: int) -> None:
    try:
        job = _get(connection, workspace, id, since=now - keep_s)
    except JobNotFound:
        raise JobNotFound(field="job.id", cause=f"this workspace has no job {id[:CAUSE_MAX]!r}, or no longer") from None
    if job.data_type != data_type:
        raise JobClosed(f"job {id} holds {job.data_type} items and takes no {data_type}: start a new bulk job", field="job.id")
    if now >= job.closing_at:
        raise JobClosed(f"job {id} is closed for new items since {job.closing_at}: start a new bulk job", field="job.id")
    if len(job.tasks) >= TASKS_MAX:
        raise JobClosed(f"job {id} has {TASKS_MAX} tasks and takes no more: start a new bulk job", field="job.id")


def _refused_bytes(connection: sa.Connection, of: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.sum(job_tasks.c.refused_bytes)).where(of)) or 0


def _old(connection: sa.Connection, *, until: int) -> list[str]:
    """Some of the jobs made before `until`. The oldest tasks, by their numbers, belong to the oldest jobs."""
    oldest = sa.select(job_tasks.c.job).order_by(job_tasks.c.id).limit(DROPPED_AT_ONCE)
    return list(connection.scalars(sa.select(jobs.c.id).where(jobs.c.id.in_(oldest.scalar_subquery()), jobs.c.created_at < until)))


def _drop(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Remove these jobs as far as one write may: their failures first, then their tasks, then those that have none left.

    Of each job the first task goes last, as long as there are others: by its number the job is found among the old ones.
    """
    wanted = sa.select(job_tasks.c.id).where(job_tasks.c.job.in_(ids)).order_by(job_tasks.c.id.desc()).limit(ROWS_AT_ONCE)
    some = wanted.scalar_subquery()
    key = sa.tuple_(job_failures.c.task, job_failures.c.item)
    failures = sa.select(job_failures.c.task, job_failures.c.item).where(job_failures.c.task.in_(some)).limit(ROWS_AT_ONCE)
    if connection.execute(sa.delete(job_failures).where(key.in_(failures))).rowcount == ROWS_AT_ONCE:
        return
    connection.execute(sa.delete(job_people).where(job_people.c.task.in_(some)))
    connection.execute(sa.delete(job_tasks).where(job_tasks.c.id.in_(some)))
    left = sa.select(job_tasks.c.job).where(job_tasks.c.job.in_(ids))
    connection.execute(sa.delete(jobs).where(jobs.c.id.in_(ids), jobs.c.id.not_in(left)))
