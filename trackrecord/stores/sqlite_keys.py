"""The keys of events.db, in tables split by time: which table a second belongs to, how keys enter, and when a new table begins.

A key's table follows from its created_at alone, so a second copy is found in one look whenever it comes, and events that come in
order of time write to a table small enough to stay in memory. The view `event_keys` is all of them together, for reading.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

KEYS_A_TABLE = 500_000  # past which a table is divided, if its newest keys lie in order of time
LONGER_EVERY = 16  # tables, after which they may become longer by so many keys again: a reader looks into all of them
TABLES_MAX = 250  # SQLite joins up to 500 in a view. Past this, which is past a thousand million keys, the last one grows
FIRST = -(2**63)  # where the first table begins
LATE_PART = 2  # a table is divided where at most one in so many of its keys has to move: in order of time, hardly any has

Key = tuple[int, int, int, str, int]  # contact, created_at, name, distinct part, position

TABLE = """CREATE TABLE event_keys_{} (
    contact INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    name INTEGER NOT NULL,
    distinct_part TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (contact, created_at, name, distinct_part)
) WITHOUT ROWID"""


class Table(NamedTuple):
    """One table of keys: it has those from `since` (Unix seconds) up to where the next begins."""

    number: int
    since: int
    held: int  # keys that were put in, those taken out since included; what a division is decided by, and nothing else

    @property
    def name(self) -> str:
        return f"event_keys_{self.number}"


def tables(db: sqlite3.Connection) -> list[Table]:
    """All of them, oldest first. There is always one, and the first begins before every second. Raises sqlite3.DatabaseError if not."""
    found = [Table(*row) for row in db.execute("SELECT number, since, count FROM key_tables ORDER BY since")]
    if not found or found[0].since != FIRST:
        raise sqlite3.DatabaseError("the list of its tables of keys is damaged")
    return found


def view(split: Sequence[Table]) -> str:
    """The statement that makes `event_keys` of these."""
    return "CREATE VIEW event_keys AS " + " UNION ALL ".join(f"SELECT * FROM {table.name}" for table in split)  # noqa: S608


def split(db: sqlite3.Connection) -> None:
    """For a file whose keys are one table: make it the first of several."""
    db.execute("ALTER TABLE event_keys RENAME TO event_keys_1")
    db.execute("INSERT INTO key_tables SELECT 1, ?, count(*) FROM event_keys_1", (FIRST,))
    _make_view(db)


def _make_view(db: sqlite3.Connection) -> None:
    db.execute("DROP VIEW IF EXISTS event_keys")
    db.execute(view(tables(db)))


class Keys:
    """Writes keys, inside the caller's transaction. What it knows of the tables is kept up by itself, and by `read`."""

    def __init__(self, db: sqlite3.Connection, *, keys_a_table: int = KEYS_A_TABLE) -> None:
        self._db = db
        self._most = keys_a_table
        self._tables: list[Table] = []
        self._starts: list[int] = []
        self._look_at: dict[int, int] = {}  # by table: the count at which it is looked at again

    def read(self) -> None:
        """Call within a transaction, first of all and when another writer has committed."""
        self._tables = tables(self._db)
        self._starts = [table.since for table in self._tables]

    def insert(self, keys: Sequence[Key]) -> bool:
        """Put sorted keys in, but those that are there; whether all were new."""
        if not keys:
            return True
        parts = [(index, some, self._insert(self._tables[index], some)) for index, some in self._by_table(keys)]
        for index, some, new in reversed(parts):  # from the end, as a division makes the later ones count on
            if new:
                self._count(index, some, new)
        return sum(new for _, _, new in parts) == len(keys)

    def position(self, key: tuple[int, int, int, str]) -> int:
        """Where the event with this key stands, which is kept."""
        table = self._tables[self._of(key[1])].name
        found: tuple[int] = self._db.execute(
            f"SELECT position FROM {table} WHERE contact = ? AND created_at = ? AND name = ? AND distinct_part = ?",  # noqa: S608
            key,
        ).fetchone()
        return found[0]

    def delete(self, keys: Iterable[tuple[int, int, int, str]]) -> None:
        by_table: dict[str, list[tuple[int, int, int, str]]] = {}
        for key in keys:
            by_table.setdefault(self._tables[self._of(key[1])].name, []).append(key)
        for table, some in by_table.items():
            self._db.executemany(
                f"DELETE FROM {table} WHERE contact = ? AND created_at = ? AND name = ? AND distinct_part = ?",  # noqa: S608
                some,
            )

    def clashes(self, source: int, target: int) -> list[tuple[int, int]]:
        """The positions of events that two contacts have both, the source's and the target's. Equal keys are in one table."""
        return [
            (theirs, ours)
            for table in self._tables
            for theirs, ours in self._db.execute(
                f"""SELECT s.position, t.position FROM {table.name} s JOIN {table.name} t
                ON t.contact = ? AND t.created_at = s.created_at AND t.name = s.name AND t.distinct_part = s.distinct_part
                WHERE s.contact = ?""",  # noqa: S608 - names of ours
                (target, source),
            )
        ]

    def delete_all(self, contact: int) -> None:
        for table in self._tables:
            self._db.execute(f"DELETE FROM {table.name} WHERE contact = ?", (contact,))  # noqa: S608

    def move(self, source: int, target: int) -> None:
        """Give a contact's keys to another that has none of the same."""
        for table in self._tables:
            self._db.execute(f"UPDATE {table.name} SET contact = ? WHERE contact = ?", (target, source))  # noqa: S608

    # Tables.

    def _of(self, second: int) -> int:
        return bisect_right(self._starts, second) - 1

    def _by_table(self, keys: Sequence[Key]) -> Iterator[tuple[int, Sequence[Key]]]:
        """Keys with the index of their table; all of them go into one, as a rule."""
        seconds = [key[1] for key in keys]
        first, last = self._of(min(seconds)), self._of(max(seconds))
        if first == last:
            yield first, keys
            return
        parts: dict[int, list[Key]] = {}
        for key in keys:
            parts.setdefault(self._of(key[1]), []).append(key)
        yield from sorted(parts.items())

    def _insert(self, table: Table, keys: Sequence[Key]) -> int:
        before = self._db.total_changes
        self._db.executemany(f"INSERT OR IGNORE INTO {table.name} VALUES (?, ?, ?, ?, ?)", keys)  # noqa: S608
        return self._db.total_changes - before

    def _count(self, index: int, keys: Sequence[Key], new: int) -> None:
        table = self._tables[index]
        table = table._replace(held=table.held + new)
        self._tables[index] = table
        self._db.execute("UPDATE key_tables SET count = ? WHERE number = ?", (table.held, table.number))
        most = self._most * (1 + len(self._tables) // LONGER_EVERY)
        if table.held > self._look_at.get(table.number, most) and len(self._tables) < TABLES_MAX:
            self._look_at[table.number] = table.held + most // 2
            seconds = sorted(key[1] for key in keys)
            self._divide(table, seconds[len(seconds) // 4])

    def _divide(self, table: Table, since: int) -> None:
        """Begin a new table at a second, unless much has to move: then events do not come in order of time, and it would help nobody."""
        (late,) = self._db.execute(f"SELECT count(*) FROM {table.name} WHERE created_at >= ?", (since,)).fetchone()  # noqa: S608
        if since <= table.since or late * LATE_PART > table.held:
            return
        new = Table(max(each.number for each in self._tables) + 1, since, late)
        self._db.execute(TABLE.format(new.number))
        self._db.execute("INSERT INTO key_tables VALUES (?, ?, ?)", new)
        self._db.execute("UPDATE key_tables SET count = count - ? WHERE number = ?", (late, table.number))
        self._db.execute(f"INSERT INTO {new.name} SELECT * FROM {table.name} WHERE created_at >= ?", (since,))  # noqa: S608
        self._db.execute(f"DELETE FROM {table.name} WHERE created_at >= ?", (since,))  # noqa: S608
        _make_view(self._db)
        self.read()
