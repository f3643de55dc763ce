"""Segments, and how large they were. Who is in one is found by its query: trackrecord/segments.py."""

import secrets
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from ..errors import NotFound, Unprocessable
from ..rules.segments import DAY_S, SEGMENTS_MAX, Segment, Size
from .engine import Database, in_chunks
from .tables import segment_sizes, segments

SIZES_DAYS = 1_100  # that sizes are kept: three years


class Segments:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, workspace: int, *, name: str, person_type: str, query: dict[str, Any] | None = None, now: int) -> Segment:
        """Make a segment at `now` (whole Unix seconds). Names may repeat. Raises Unprocessable past SEGMENTS_MAX."""
        made = {
            "id": f"{now & 0xFFFFFFFF:08x}{secrets.token_hex(8)}",
            "workspace": workspace,
            "name": name,
            "person_type": person_type,
            "query": sa.null() if query is None else query,
            "created_at": now,
            "updated_at": now,
        }
        with self._db.writing() as connection:
            there = connection.execute(sa.select(sa.func.count()).where(segments.c.workspace == workspace)).scalar_one()
            if there >= SEGMENTS_MAX:
                raise Unprocessable(f"Cannot have more than {SEGMENTS_MAX} segments; delete one that is not needed", field="name")
            return Segment(**connection.execute(sa.insert(segments).values(made).returning(segments)).mappings().one())

    def update(
        self,
        workspace: int,
        id: str,
        *,
        name: str | UnsetType = UNSET,
        person_type: str | UnsetType = UNSET,
        query: dict[str, Any] | UnsetType = UNSET,
        now: int,
    ) -> Segment:
        """Change what is given, at `now` (whole Unix seconds); one that stays as it is keeps its updated_at. Raises NotFound."""
        with self._db.writing() as connection:
            before = _get(connection, workspace, id)
            given = {"name": name, "person_type": person_type, "query": query}
            changes = {key: value for key, value in given.items() if value is not UNSET and value != getattr(before, key)}
            if not changes:
                return before
            if changes.keys() & {"query", "person_type"}:  # what was counted today is of another query
                stale = sa.and_(segment_sizes.c.segment == before.number, segment_sizes.c.day >= now // DAY_S)
                connection.execute(sa.delete(segment_sizes).where(stale))
            write = sa.update(segments).where(segments.c.number == before.number).values(**changes, updated_at=now).returning(segments)
            return Segment(**connection.execute(write).mappings().one())

    def delete(self, workspace: int, id: str) -> Segment:
        """Remove a segment and its sizes; return it as it was. Raises NotFound."""
        with self._db.writing() as connection:
            segment = _get(connection, workspace, id)
            connection.execute(sa.delete(segment_sizes).where(segment_sizes.c.segment == segment.number))
            connection.execute(sa.delete(segments).where(segments.c.number == segment.number))
        return segment

    def list(self, workspace: int) -> Sequence[Segment]:
        """All of a workspace, the first made first."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(segments).where(segments.c.workspace == workspace).order_by(segments.c.number)).mappings()
            return [Segment(**row) for row in rows]

    def get(self, workspace: int, id: str) -> Segment:
        """Raises NotFound, also for another workspace's."""
        with self._db.reading() as connection:
            return _get(connection, workspace, id)

    # Sizes.

    def note_sizes(self, counts: Mapping[int, int], *, day: int) -> None:
        """How many contacts are in segments, by their numbers, on a day (days since 1970, UTC). Segments that are gone are passed over."""
        with self._db.writing() as connection:
            there = set(connection.scalars(sa.select(segments.c.number).where(segments.c.number.in_(counts))))
            connection.execute(sa.delete(segment_sizes).where(segment_sizes.c.segment.in_(there), segment_sizes.c.day == day))
            rows = [{"segment": number, "day": day, "count": count} for number, count in counts.items() if number in there]
            if rows:
                connection.execute(sa.insert(segment_sizes), rows)
            connection.execute(sa.delete(segment_sizes).where(segment_sizes.c.day <= day - SIZES_DAYS))

    def sizes(self, of: Iterable[Segment], *, since: int) -> dict[int, MutableSequence[Size]]:
        """By the segments' numbers their sizes from the day `since` on, in order; days on which nobody counted are left out, and so
        are segments that nobody has counted since.
        """
        found: dict[int, MutableSequence[Size]] = {}
        wanted = sa.select(segment_sizes).where(segment_sizes.c.day >= since).order_by(segment_sizes.c.segment, segment_sizes.c.day)
        with self._db.reading() as connection:
            for some in in_chunks(segment.number for segment in of):
                for row in connection.execute(wanted.where(segment_sizes.c.segment.in_(some))):
                    found.setdefault(row.segment, []).append(Size(row.day, row[2]))
        return found

    def unsized(self, workspace: int, *, day: int) -> Sequence[Segment]:
        """The segments of a workspace that nobody has counted on a day."""
        counted = sa.select(segment_sizes.c.segment).where(segment_sizes.c.day == day)
        wanted = sa.select(segments).where(segments.c.workspace == workspace, segments.c.number.not_in(counted)).order_by(segments.c.number)
        with self._db.reading() as connection:
            return [Segment(**row) for row in connection.execute(wanted).mappings()]


def _get(connection: sa.Connection, workspace: int, id: str) -> Segment:
    wanted = sa.select(segments).where(segments.c.workspace == workspace, segments.c.id == id)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise NotFound(field="segment_id", cause=f"there is no segment {id[:40]!r}")
    return Segment(**row)
