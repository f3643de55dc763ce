"""How a batch of records enters events.db. Everything here runs inside a transaction that its caller holds."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

import msgspec

from ..faults import reach
from ..rules.records import Baseline, Erasure, Event, Gone, Merge, Record
from .name_keys import NAME_KEYS_MAX
from .sqlite_keys import KEYS_A_TABLE, Keys
from .sqlite_people import People
from .sqlite_rows import SEEN_TIMES, Shapes
from .sqlite_take import Taker
from .sqlite_totals import Placed, Totals

HEAVY_KEYS = 1024  # a contact with more events than this is heavy: its summary is kept, those of others are counted
PROBE_ONE_IN = 256  # of so many events one makes us look whether its contact has become heavy
SPREAD = 2654435761  # Knuth's multiplicative hash of a position: no rhythm of the senders keeps a contact from being looked at


class Appender:
    """Folds records into the tables. Between batches it remembers what it need not read again."""

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        heavy_keys: int = HEAVY_KEYS,
        probe_one_in: int = PROBE_ONE_IN,
        name_keys_max: int = NAME_KEYS_MAX,
        keys_a_table: int = KEYS_A_TABLE,
        shape_after: int = SEEN_TIMES,
    ) -> None:
        self._db = db
        self._as_of: int | None = None  # the data_version that all below was read at; None: not known to be right
        self._heavy_keys = heavy_keys
        self._probe_one_in = probe_one_in
        self._people = People(db)
        self._keys = Keys(db, keys_a_table=keys_a_table)
        self._shapes = Shapes(db, after=shape_after)
        self._totals = Totals(db, name_keys_max=name_keys_max)
        self.taker = Taker(db, self._people, self._keys, self._shapes, self._totals)

    def forget(self) -> None:
        """Call when a transaction was rolled back."""
        self._as_of = None
        self._totals.forget()

    def append(self, first: int, records: Sequence[Record]) -> None:
        """Fold records in, whose positions are first, first + 1, …; those at or below the cursor are passed over.

        Any error of SQLite means that the caller must roll back and forget().
        """
        cursor: int = self._db.execute("SELECT cursor FROM progress").fetchone()[0]
        known = max(0, cursor + 1 - first)
        if known >= len(records):
            return
        self._remember()
        events: list[Placed] = []
        baselines: list[tuple[int, Baseline]] = []
        for position, record in enumerate(records[known:], first + known):
            if isinstance(record, Event):
                events.append((position, record))
            elif isinstance(record, Baseline):
                baselines.append((position, record))
            elif isinstance(record, Gone):
                if record.event:
                    self._db.execute("INSERT INTO erased_events VALUES (?, ?, ?)", (position, record.received_at_ms, record.workspace))
            else:  # what came before must be there to be erased, removed or moved, however batches are cut
                self._keep(events)
                self._keep_baselines(baselines)
                events, baselines = [], []
                if isinstance(record, Erasure):
                    self.taker.erase(position, record)
                elif isinstance(record, Merge):
                    self.taker.merge(position, record)
                else:
                    self.taker.remove(position, record)
        self._keep(events)
        self._keep_baselines(baselines)
        self._totals.mend_extremes()
        self._db.execute("UPDATE progress SET cursor = ?", (first + len(records) - 1,))
        reach("store.before-commit")

    def _remember(self) -> None:
        as_of: int = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes when another connection commits
        if as_of != self._as_of:
            for part in (self._people, self._keys, self._shapes):
                part.read()
            self._as_of = as_of

    # Events.

    def _keep(self, events: list[Placed]) -> None:
        events = self._without_erased(self._with_final_contacts(events))
        if not events:
            return
        # Sorted, so that neighbours share pages, and so that of equal keys in one batch the lowest position comes first.
        keys = sorted([(event.contact, event.created_at, event.name, event.distinct, position) for position, event in events])
        all_new = self._keys.insert(keys)
        reach("store.mid-fold")
        copies: Counter[int] = Counter()
        if not all_new:
            events, copies = self._without_duplicates(events)
        rows, shapes = self._shapes.rows(events)
        self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._totals.add(events, shapes)
        self._totals.add_copies(copies)
        self._add_to_summaries(events)

    def _with_final_contacts(self, events: list[Placed]) -> list[Placed]:
        """Give each event of a contact that was merged to the one it was merged into."""
        merged = self._people.merged
        if not merged or not any(event.contact in merged for _, event in events):
            return events
        return [
            (position, msgspec.structs.replace(event, contact=self._people.final(event.contact)) if event.contact in merged else event)
            for position, event in events
        ]

    def _without_erased(self, events: list[Placed]) -> list[Placed]:
        """Leave a trace of each event that came for an erased contact, and return the others."""
        erased = self._people.erased
        late = [placed for placed in events if placed[1].contact in erased]
        if not late:
            return events
        self.taker.late(late)
        return [placed for placed in events if placed[1].contact not in erased]

    def _without_duplicates(self, events: list[Placed]) -> tuple[list[Placed], Counter[int]]:
        """Keep a row of each event whose key stands at another position; return the others, and how many were copies by name."""
        new, duplicates = [], []
        copies: Counter[int] = Counter()
        for position, event in events:
            standing = self._keys.position(event.key)
            if standing == position:
                new.append((position, event))
            else:
                duplicates.append((position, standing, event.received_at_ms, event.workspace))
                copies[event.name] += 1
        self._db.executemany("INSERT INTO duplicates VALUES (?, ?, ?, ?, 0)", duplicates)
        return new, copies

    def _add_to_summaries(self, events: list[Placed]) -> None:
        times: dict[tuple[int, int], list[int]] = {}
        for _, event in events:
            if event.contact in self._people.heavy:
                times.setdefault((event.contact, event.name), []).append(event.created_at)
        self._db.executemany(
            """INSERT INTO summaries VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (contact, name) DO UPDATE SET
                count = count + excluded.count,
                first = min(first, excluded.first),
                last = max(last, excluded.last)""",
            [(contact, name, len(of_name), min(of_name), max(of_name)) for (contact, name), of_name in sorted(times.items())],
        )
        probed = {event.contact for position, event in events if position * SPREAD % 2**32 < 2**32 // self._probe_one_in}
        for contact in sorted(probed - self._people.heavy):
            (keys,) = self._db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM event_keys WHERE contact = ? LIMIT ?)", (contact, self._heavy_keys + 1)
            ).fetchone()
            if keys > self._heavy_keys:
                self._people.summarise(contact)

    def _keep_baselines(self, baselines: list[tuple[int, Baseline]]) -> None:
        erased, final = self._people.erased, self._people.final
        placed = [(position, final(baseline.contact), baseline) for position, baseline in baselines]
        self._db.executemany(
            "INSERT INTO erased_by VALUES (?, ?)", [(erased[contact], position) for position, contact, _ in placed if contact in erased]
        )
        placed = [each for each in placed if each[1] not in erased]
        self._db.executemany(
            "INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?)",
            [(contact, baseline.name, baseline.count, baseline.first, baseline.last) for _, contact, baseline in placed],
        )
        self._db.executemany("INSERT INTO baseline_records VALUES (?, ?)", [(contact, position) for position, contact, _ in placed])
