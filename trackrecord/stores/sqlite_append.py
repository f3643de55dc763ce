"""How a batch of records enters events.db. Everything here runs inside a transaction that its caller holds."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

import msgspec

from ..rules.records import Baseline, Erasure, Event, Record

DAY_S = 86400
HEAVY_KEYS = 1024  # a contact with more events than this is heavy: its summary is kept, those of others are counted
PROBE_ONE_IN = 256  # of so many events one makes us look whether its contact has become heavy
SPREAD = 2654435761  # Knuth's multiplicative hash of a position: no rhythm of the senders keeps a contact from being looked at

Placed = tuple[int, Event]  # with its position


class Appender:
    """Folds records into the tables.

    Between batches it remembers who is erased and who is heavy; whatever another writer commits makes it forget.
    """

    def __init__(self, db: sqlite3.Connection, *, heavy_keys: int = HEAVY_KEYS, probe_one_in: int = PROBE_ONE_IN) -> None:
        self._db = db
        self._heavy_keys = heavy_keys
        self._probe_one_in = probe_one_in
        self._as_of: int | None = None  # the data_version these two sets were read at; None: not known to be right
        self._erased: set[int] = set()
        self._heavy: set[int] = set()
        self._extremes_unsure: set[int] = set()  # names that lost an event which may have been their first or last

    def forget(self) -> None:
        """Call when a transaction was rolled back."""
        self._as_of = None
        self._extremes_unsure.clear()

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
        baselines: list[Baseline] = []
        for position, record in enumerate(records[known:], first + known):
            if isinstance(record, Event):
                events.append((position, record))
            elif isinstance(record, Baseline):
                baselines.append(record)
            else:  # what came before an erasure must be there to be erased, however batches are cut
                self._keep(events)
                self._keep_baselines(baselines)
                events, baselines = [], []
                self._erase(record)
        self._keep(events)
        self._keep_baselines(baselines)
        self._mend_extremes()
        self._db.execute("UPDATE progress SET cursor = ?", (first + len(records) - 1,))

    def _remember(self) -> None:
        as_of: int = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes when another connection commits
        if as_of != self._as_of:
            self._erased = {contact for (contact,) in self._db.execute("SELECT contact FROM erased")}
            self._heavy = {contact for (contact,) in self._db.execute("SELECT DISTINCT contact FROM summaries")}
            self._as_of = as_of

    # Events.

    def _keep(self, events: list[Placed]) -> None:
        events = self._without_erased(events)
        if not events:
            return
        # Sorted, so that neighbours share pages, and so that of equal keys in one batch the lowest position comes first.
        keys = sorted([(event.contact, event.created_at, event.name, event.distinct, position) for position, event in events])
        before = self._db.total_changes
        self._db.executemany("INSERT OR IGNORE INTO event_keys VALUES (?, ?, ?, ?, ?)", keys)
        copies: Counter[int] = Counter()
        if self._db.total_changes - before < len(keys):
            events, copies = self._without_duplicates(events)
        self._db.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(position, *msgspec.structs.astuple(event)) for position, event in events],
        )
        self._add_to_totals(events, copies)
        self._add_to_summaries(events)

    def _without_erased(self, events: list[Placed]) -> list[Placed]:
        """Leave a trace of each event that came for an erased contact, and return the others."""
        late = [(position, event) for position, event in events if event.contact in self._erased]
        if not late:
            return events
        self._db.executemany(
            "INSERT INTO erased_events VALUES (?, ?, ?)",
            [(position, event.received_at_ms, event.workspace) for position, event in late],
        )
        return [(position, event) for position, event in events if event.contact not in self._erased]

    def _without_duplicates(self, events: list[Placed]) -> tuple[list[Placed], Counter[int]]:
        """Keep a row of each event whose key stands at another position; return the others, and how many were copies by name."""
        new, duplicates = [], []
        copies: Counter[int] = Counter()
        for position, event in events:
            (standing,) = self._db.execute(
                "SELECT position FROM event_keys WHERE contact = ? AND created_at = ? AND name = ? AND distinct_part = ?", event.key
            ).fetchone()
            if standing == position:
                new.append((position, event))
            else:
                duplicates.append((position, standing, event.received_at_ms, event.workspace))
                copies[event.name] += 1
        self._db.executemany("INSERT INTO duplicates VALUES (?, ?, ?, ?)", duplicates)
        return new, copies

    def _add_to_totals(self, events: list[Placed], copies: Counter[int]) -> None:
        times: dict[int, list[int]] = {}
        for _, event in events:
            times.setdefault(event.name, []).append(event.created_at)
        workspaces = {event.name: event.workspace for _, event in events}
        dropped = Counter[int]()
        for _, event in events:
            if event.dropped:
                dropped[event.name] += keys_in(event.dropped)
        self._db.executemany(
            """INSERT INTO name_totals VALUES (?, ?, ?, ?, ?, 0, ?)
            ON CONFLICT (name) DO UPDATE SET
                count = count + excluded.count,
                first = min(first, excluded.first),
                last = max(last, excluded.last),
                keys_dropped = keys_dropped + excluded.keys_dropped""",
            [(name, workspaces[name], len(of_name), min(of_name), max(of_name), dropped[name]) for name, of_name in sorted(times.items())],
        )
        self._db.executemany(
            "UPDATE name_totals SET duplicates = duplicates + ? WHERE name = ?", [(count, name) for name, count in copies.items()]
        )
        days = Counter([(event.name, event.created_at // DAY_S) for _, event in events])
        self._db.executemany(
            "INSERT INTO day_totals VALUES (?, ?, ?) ON CONFLICT (name, day) DO UPDATE SET count = count + excluded.count",
            [(name, day, count) for (name, day), count in sorted(days.items())],
        )

    def _add_to_summaries(self, events: list[Placed]) -> None:
        times: dict[tuple[int, int], list[int]] = {}
        for _, event in events:
            if event.contact in self._heavy:
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
        for contact in sorted(probed - self._heavy):
            (keys,) = self._db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM event_keys WHERE contact = ? LIMIT ?)", (contact, self._heavy_keys + 1)
            ).fetchone()
            if keys > self._heavy_keys:
                self._db.execute(
                    """INSERT INTO summaries
                    SELECT contact, name, count(*), min(created_at), max(created_at) FROM event_keys WHERE contact = ? GROUP BY name""",
                    (contact,),
                )
                self._heavy.add(contact)

    def _keep_baselines(self, baselines: list[Baseline]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?)",
            [
                (baseline.contact, baseline.name, baseline.count, baseline.first, baseline.last)
                for baseline in baselines
                if baseline.contact not in self._erased
            ],
        )

    # Erasures.

    def _erase(self, erasure: Erasure) -> None:
        contact = erasure.contact
        if contact in self._erased:
            return
        counts: Counter[int] = Counter()
        dropped: Counter[int] = Counter()
        days: Counter[tuple[int, int]] = Counter()
        for name, created_at, of_event in self._db.execute(
            "SELECT k.name, k.created_at, e.dropped FROM event_keys k JOIN events e USING (position) WHERE k.contact = ?", (contact,)
        ):
            counts[name] += 1
            days[name, created_at // DAY_S] += 1
            if of_event:
                dropped[name] += keys_in(of_event)
        copies: dict[int, int] = dict(
            self._db.execute(
                """SELECT k.name, count(*) FROM event_keys k JOIN duplicates d ON d.of_position = k.position
                WHERE k.contact = ? GROUP BY k.name""",
                (contact,),
            ).fetchall()
        )
        self._db.executemany(
            """UPDATE name_totals SET count = count - ?, duplicates = duplicates - ?, keys_dropped = keys_dropped - ?
            WHERE name = ?""",
            [(count, copies.get(name, 0), dropped[name], name) for name, count in counts.items()],
        )
        self._db.executemany("DELETE FROM name_totals WHERE name = ? AND count = 0", [(name,) for name in counts])
        self._db.executemany(
            "UPDATE day_totals SET count = count - ? WHERE name = ? AND day = ?", [(count, *of_day) for of_day, count in days.items()]
        )
        self._db.executemany("DELETE FROM day_totals WHERE name = ? AND day = ? AND count = 0", days)
        self._extremes_unsure |= {
            name
            for (name,) in self._db.execute(
                """SELECT k.name FROM event_keys k JOIN name_totals t USING (name)
                WHERE k.contact = ? AND k.created_at IN (t.first, t.last)""",
                (contact,),
            )
        }
        self._db.execute(
            """INSERT INTO erased_events SELECT e.position, e.received_at_ms, e.workspace
            FROM event_keys k JOIN events e USING (position) WHERE k.contact = ?""",
            (contact,),
        )
        self._db.execute("DELETE FROM events WHERE position IN (SELECT position FROM event_keys WHERE contact = ?)", (contact,))
        for statement in (
            "DELETE FROM event_keys WHERE contact = ?",
            "DELETE FROM summaries WHERE contact = ?",
            "DELETE FROM baselines WHERE contact = ?",
        ):
            self._db.execute(statement, (contact,))
        self._db.execute("INSERT INTO erased VALUES (?, ?)", (contact, erasure.received_at_ms))
        self._erased.add(contact)
        self._heavy.discard(contact)

    def _mend_extremes(self) -> None:
        """Find the first and last of names anew that may have lost them.

        The day of each is known from day_totals, and how many events it has. Events stand about in order of time, so the
        day's first are found from the table's one end and its last from the other; stopping when all of that day were seen
        makes it exact in any order.
        """
        for name in self._extremes_unsure:
            first, last = self._db.execute("SELECT min(day), max(day) FROM day_totals WHERE name = ?", (name,)).fetchone()
            if first is None:
                continue
            self._db.execute(
                """UPDATE name_totals SET
                    first = (SELECT min(created_at) FROM (
                        SELECT created_at FROM events WHERE name = :name AND created_at BETWEEN :first AND :first + :day_s - 1
                        ORDER BY position LIMIT (SELECT count FROM day_totals WHERE name = :name AND day = :first_day))),
                    last = (SELECT max(created_at) FROM (
                        SELECT created_at FROM events WHERE name = :name AND created_at BETWEEN :last AND :last + :day_s - 1
                        ORDER BY position DESC LIMIT (SELECT count FROM day_totals WHERE name = :name AND day = :last_day)))
                WHERE name = :name""",
                {"name": name, "first": first * DAY_S, "day_s": DAY_S, "first_day": first, "last": last * DAY_S, "last_day": last},
            )
        self._extremes_unsure.clear()


def keys_in(dropped: bytes) -> int:
    """How many metadata keys Event.dropped tells of."""
    return len(msgspec.json.decode(dropped)) if dropped else 0
