"""Segments and who is in them. Filling them is the work of whoever calls `join` and `leave`."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..errors import NotFound
from ..rules.segments import Segment
from .engine import Database, in_chunks
from .rows import get
from .tables import LISTED, contacts, segment_members, segments


class Segments:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, workspace: int, *, name: str, person_type: str, query: dict[str, Any] | None = None, now: int) -> Segment:
        """Make a segment at `now` (whole Unix seconds), with nobody in it. Names may repeat."""
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
            return Segment(**connection.execute(sa.insert(segments).values(made).returning(segments)).mappings().one())

    def list(self, workspace: int) -> Sequence[Segment]:
        """All of a workspace, the first made first."""
        with self._db.reading() as connection:
            rows = connection.execute(sa.select(segments).where(segments.c.workspace == workspace).order_by(segments.c.number)).mappings()
            return [Segment(**row) for row in rows]

    def get(self, workspace: int, id: str) -> Segment:
        """Raises NotFound, also for another workspace's."""
        with self._db.reading() as connection:
            row = (
                connection.execute(sa.select(segments).where(segments.c.workspace == workspace, segments.c.id == id))
                .mappings()
                .one_or_none()
            )
        if row is None:
            raise NotFound(field="segment_id", cause=f"there is no segment {id[:40]!r}")
        return Segment(**row)

    def of_contact(self, workspace: int, contact_id: str) -> Sequence[Segment]:
        """Those a contact is in, the one it came to first first. Raises ContactNotFound, or ContactMerged."""
        with self._db.reading() as connection:
            contact = get(connection, workspace, contact_id)
            wanted = sa.select(segments).join(segment_members, segment_members.c.segment == segments.c.number)
            wanted = wanted.where(segment_members.c.contact == contact.number).order_by(segment_members.c.since, segments.c.number)
            return [Segment(**row) for row in connection.execute(wanted).mappings()]

    def counts(self, workspace: int) -> dict[int, int]:
        """How many live contacts are in each segment, by its number; one with nobody in it is left out."""
        wanted = (
            sa.select(segment_members.c.segment, sa.func.count())
            .join(contacts, contacts.c.number == segment_members.c.contact)
            .where(contacts.c.workspace == workspace, LISTED)
            .group_by(segment_members.c.segment)
        )
        with self._db.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def members(self, segment: Segment) -> Sequence[int]:
        """Numbers of the contacts in a segment, whether they are live or not."""
        wanted = sa.select(segment_members.c.contact).where(segment_members.c.segment == segment.number)
        with self._db.reading() as connection:
            return list(connection.scalars(wanted.order_by(segment_members.c.contact)))

    def join(self, segment: Segment, numbers: Iterable[int], *, now: int) -> None:
        """Contacts of its workspace, by number, are in it since `now`; those that were stay since they came."""
        with self._db.writing() as connection:
            for some in in_chunks(set(numbers)):
                ours = sa.select(contacts.c.number).where(contacts.c.workspace == segment.workspace, contacts.c.number.in_(some))
                there = sa.select(segment_members.c.contact).where(segment_members.c.segment == segment.number)
                coming = list(connection.scalars(ours.where(contacts.c.number.not_in(there))))
                if coming:
                    rows = [{"segment": segment.number, "contact": number, "since": now} for number in coming]
                    connection.execute(sa.insert(segment_members), rows)

    def leave(self, segment: Segment, numbers: Iterable[int]) -> None:
        """These are in it no more."""
        with self._db.writing() as connection:
            for some in in_chunks(set(numbers)):
                leaving = sa.and_(segment_members.c.segment == segment.number, segment_members.c.contact.in_(some))
                connection.execute(sa.delete(segment_members).where(leaving))
