"""What the SQLite store promises beyond the common suite: crashes, full disks, other processes, and files gone wrong."""

import hashlib
import itertools
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from store_examples import baseline, erasure, event, everything, merge, removal

from trackrecord import outcomes
from trackrecord.errors import DataDirectoryUnusable, Unavailable
from trackrecord.stores.base import Receipt, Selection, Summary
from trackrecord.stores.sqlite import GATHER_MAX, SqliteReader, SqliteStore
from trackrecord.stores.sqlite_schema import MIGRATIONS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


@pytest.fixture
def store(path):
    store = SqliteStore(path)
    yield store
    store.close()


def run(code, path, *more):
    """Run Python in a process of its own, beside the tests' records; return what it printed."""
    return subprocess.run([sys.executable, "-c", code, path, *more], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60)


def sql(path, *statements):
    """Change a closed file behind the store's back."""
    db = sqlite3.connect(path)
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


# Contacts with very many events.


def test_the_summary_of_a_contact_with_many_events_is_kept_and_stays_exact(store, path):
    def recount():
        events = [stored.event for stored in store.scan(Selection(1, contacts=[1]))]
        of_name = {name: [one.created_at for one in events if one.name == name] for name in {one.name for one in events}}
        return {name: (len(times), min(times), max(times)) for name, times in of_name.items()}

    def kept():
        rows = sqlite3.connect(path).execute("SELECT contact, name, count, first, last FROM summaries")
        return {(contact, name): tuple(rest) for contact, name, *rest in rows}

    for first in range(1, 5_001, 500):
        store.append(first, [event(name=1 + second % 3, created_at=second * 7 % 5_003) for second in range(first, first + 500)])
    assert kept() == {(1, name): row for name, row in recount().items()}
    store.append(5_001, [event(name=2, created_at=9_000), event(name=2, created_at=9_000), event(name=9, created_at=1), baseline(name=9)])
    assert kept() == {(1, name): row for name, row in recount().items()}
    assert store.summary(1)[0] == Summary(name=2, count=1_668, first=recount()[2][1], last=9_000)
    assert store.summary(1)[-1] == Summary(name=9, count=2, first=1, last=1)
    assert list(store.problems()) == []
    store.append(5_005, [erasure()])
    assert (kept(), store.summary(1), list(store.problems())) == ({}, [], [])


def test_contacts_with_few_events_cost_no_summary_rows(store, path):
    store.append(1, [event(contact=1 + number % 10, created_at=number) for number in range(5_000)])
    assert sqlite3.connect(path).execute("SELECT count(*) FROM summaries").fetchone() == (0,)


def test_a_sender_in_step_with_another_is_found_to_be_heavy_too(store, path):
    for start in range(0, 8_000, 2_000):
        store.append(start + 1, [event(contact=1 + number % 2, created_at=start + number) for number in range(2_000)])
    assert sqlite3.connect(path).execute("SELECT DISTINCT contact FROM summaries ORDER BY 1").fetchall() == [(1,), (2,)]


def test_a_scan_of_more_events_than_are_sorted_in_memory_misses_none(store):
    count = GATHER_MAX * 3 // 2
    for first in range(1, count + 1, 10_000):
        store.append(first, [event(contact=1 + position % 4, created_at=position) for position in range(first, first + 10_000)])
    found = [stored.position for stored in store.scan(Selection(1, contacts=[1, 2, 3]), after=1_000)]
    assert found == [position for position in range(1_001, count + 1) if position % 4 != 3]


def test_merges_and_removals_keep_the_summaries_of_contacts_with_many_events_exact(store, path):
    def recounted(contact):
        times = {}
        for stored in store.scan(Selection(1, contacts=[contact])):
            times.setdefault(stored.event.name, []).append(stored.event.created_at)
        rows = [Summary(name, len(of_name), min(of_name), max(of_name)) for name, of_name in times.items()]
        return sorted(rows, key=lambda row: (-row.last, row.name))

    def heavy():
        return [contact for (contact,) in sqlite3.connect(path).execute("SELECT DISTINCT contact FROM summaries ORDER BY 1")]

    for first in range(1, 6_001, 500):
        store.append(first, [event(contact=1 + at % 2, name=1 + at % 5, created_at=at // 4) for at in range(first, first + 500)])
    store.append(6_001, [event(contact=3, name=1 + at % 5, created_at=at // 2) for at in range(900)])
    assert heavy() == [1, 2]
    store.append(6_901, [removal(*range(1, 6_901, 7))])
    assert (store.summary(1), store.summary(2)) == (recounted(1), recounted(2))
    store.append(6_902, [merge(1, 3)])
    assert (heavy(), store.summary(3), store.summary(1)) == ([2, 3], recounted(3), [])
    store.append(6_903, [merge(3, 2), event(contact=1, created_at=9_000), removal(6_904)])
    assert (heavy(), store.summary(2)) == ([2], recounted(2))
    assert list(store.problems()) == []
    store.append(6_906, [erasure(1)])
    assert (heavy(), store.summary(2), list(store.scan(Selection(1))), list(store.problems())) == ([], [], [], [])


# Failures.


def test_a_full_disk_keeps_nothing_of_the_batch_and_all_of_it_later(store):
    store.append(1, [event(created_at=second) for second in range(100)])
    before = everything(store, contacts=[1, 2], names=[1])
    batch = [event(contact=2, created_at=second, metadata=bytes(1_000)) for second in range(5_000)]
    batch[2_500:2_500] = [erasure(contact=1), baseline(contact=2)]
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count={pages + 20}")
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"^The events cannot be kept just now: database or disk is full$"):
            store.append(101, batch)
        assert everything(store, contacts=[1, 2], names=[1]) == before
        assert list(store.problems()) == []
    store._db.execute("PRAGMA max_page_count=1000000")
    store.append(101, batch)
    assert (store.cursor(), store.summary(1), store.summary(2)[0].count) == (5_102, [], 5_001)
    assert list(store.problems()) == []


def test_a_writer_killed_within_a_batch_leaves_the_store_at_the_batch_before(path):
    code = """
import os, signal, sys
from pathlib import Path
from store_examples import erasure, event
from trackrecord.stores.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.append(1, [event(created_at=second) for second in range(3_000)])
store._db.execute("PRAGMA cache_size=10")  # so that much of the unfinished batch is in the log already
store._db.execute("BEGIN IMMEDIATE")
store._appender.append(3_001, [erasure(), *(event(contact=2, created_at=second) for second in range(3_000))])
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run(code, path).returncode == -signal.SIGKILL
    store = SqliteStore(path)
    assert (store.cursor(), store.summary(1), store.summary(2), store.erased()) == (
        3_000,
        [Summary(name=1, count=3_000, first=0, last=2_999)],
        [],
        frozenset(),
    )
    assert list(store.problems()) == []
    store.close()


def test_sync_flushes_by_writing_even_when_nothing_is_new(store, path):
    """SQLite flushes with a commit that changed something, and does not with one that changed nothing."""
    log = path.with_name("events.db-wal")
    sizes = []
    for _ in range(3):
        assert store.sync() == 0
        sizes.append(log.stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_damaged_file_makes_reads_unavailable(store, path):
    store.append(1, [event(created_at=second, metadata=bytes(1_000)) for second in range(1_000)])
    store.close()
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event_keys_1'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    reader = SqliteReader(path)
    with pytest.raises(Unavailable, match=r"^The events cannot be read just now: database disk image is malformed$"):
        reader.page(1, limit=1)
    reader.close()
    writer = SqliteStore(path)
    with pytest.raises(DataDirectoryUnusable, match=r"^events\.db is damaged: "):
        writer.append(1_001, [event(created_at=2_000)])
    writer.close()


def test_a_closed_store_says_so(path):
    reader = SqliteReader(path)
    reader.close()
    with pytest.raises(Unavailable, match=r"the store is closed$"):
        reader.cursor()


# Other processes and threads.


def test_another_process_sees_what_is_appended(store, path):
    code = """
import sys
from pathlib import Path
from trackrecord.stores.base import Selection
from trackrecord.stores.sqlite import SqliteReader
reader = SqliteReader(Path(sys.argv[1]))
print(reader.cursor(), [stored.position for stored in reader.scan(Selection(1))], list(reader.problems()))
reader.close()
"""
    assert run(code, path).stdout == "0 [] []\n"
    store.append(1, [event(), event(created_at=101)])
    assert run(code, path).stdout == "2 [1, 2] []\n"


def test_a_reader_that_came_first_sees_what_a_later_writer_appends(path):
    reader = SqliteReader(path)
    assert reader.cursor() == 0
    for position in (1, 2):
        writer = SqliteStore(path)
        writer.append(position, [event(created_at=position)])
        writer.close()
        assert (reader.cursor(), reader.summary(1)[0].count) == (position, position)
    reader.close()


def test_opening_a_new_file_from_many_sides_at_once_makes_it_once(path):
    code = """
import sys
from pathlib import Path
from trackrecord.stores.sqlite import SqliteReader, SqliteStore
for number in range(20):
    store = (SqliteStore if sys.argv[2] == "write" else SqliteReader)(Path(f"{sys.argv[1]}-{number}"))
    store.cursor()
    store.close()
"""
    sides = [
        subprocess.Popen([sys.executable, "-c", code, path, side], stderr=subprocess.PIPE, text=True)
        for side in ("write", "read", "write", "read")
    ]
    assert [side.communicate(timeout=60)[1] for side in sides] == ["", "", "", ""]


def test_every_read_beside_a_writer_stands_at_a_batch_edge(store):
    batches, size = 60, 7
    torn, done = [], threading.Event()

    def read():
        while not done.is_set():
            page, summary = store.page(1, limit=10_000), store.summary(1)
            seen = [len(page.events), sum(row.count for row in summary), len(list(store.scan(Selection(1)))), store.cursor()]
            torn.extend(count for count in seen if count % size)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for batch in range(batches):
        store.append(batch * size + 1, [event(name=1 + number, created_at=batch) for number in range(size)])
    done.set()
    for reader in readers:
        reader.join()
    assert (torn, store.summary(1)[0].count) == ([], batches)


def test_two_writers_for_a_moment_keep_every_event_once(store, path):
    other = SqliteStore(path)
    records = [event(contact=1 + number % 3, created_at=number // 2) for number in range(400)] + [erasure(contact=2), event(contact=2)]

    def write(writer):
        for start in range(0, len(records), 10):
            writer.append(start + 1, records[start : start + 10])

    threads = [threading.Thread(target=write, args=[writer]) for writer in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.cursor(), list(store.problems()), store.erased()) == (402, [], frozenset({2}))
    other.close()


# Versions and files.


def test_a_file_of_a_newer_version_is_refused(path):
    SqliteStore(path).close()
    sql(path, "PRAGMA user_version=99")
    for opened in (SqliteReader, SqliteStore):
        with pytest.raises(
            DataDirectoryUnusable, match=r"was made by a newer version of Trackrecord \(its tables are version 99, this one"
        ):
            opened(path)


def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("no database, but long enough to be looked at" * 100)
    with pytest.raises(DataDirectoryUnusable, match=r"^events\.db in .* cannot be opened: file is not a database$"):
        SqliteStore(path)


def test_what_is_erased_is_overwritten(store, path):
    store.append(1, [event(contact=number, metadata=b"the secret of %d" % number) for number in range(1, 1_001)])
    store.append(1_001, [erasure(contact) for contact in range(1, 1_001) if contact != 500])
    store.close()
    assert path.read_bytes().count(b"the secret of ") == 1


def test_once_cleansed_what_was_erased_or_removed_is_in_no_file(store, path):
    def held():
        return sum(each.read_bytes().count(b"the secret of ") for each in (path, path.with_name("events.db-wal")))

    store.append(1, [event(contact=number, metadata=b"the secret of %d" % number) for number in range(1, 101)])
    store.append(101, [erasure(1), removal(*range(2, 101))])
    assert held() > 0
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM standing").fetchone() == (0,)
    store.append(103, [event(contact=5)])
    assert store.cleanse() is False  # the reader may still need the log
    reader.execute("COMMIT")
    reader.close()
    assert (store.cleanse(), held()) == (True, 0)


def test_what_is_erased_here_and_there_is_in_no_room_that_a_page_has_left_over(store, path):
    """SQLite moves rows between pages that grow empty, and leaves them standing where they were."""
    rng = random.Random(7)
    numbers, position = itertools.count(), 0

    def append(records):
        nonlocal position
        store.append(position + 1, records)
        position += len(records)

    for contact in range(1, 401):
        some = [(rng.randrange(contact, 401), next(numbers), rng.choice([0, 10, 90, 300, 300, 2_000])) for _ in range(25)]
        append([event(contact=c, created_at=n, metadata=b'{"k":"SECRET%05d%s"}' % (n, b"x" * size), kinds="s") for c, n, size in some])
        append([removal(*(rng.randrange(1, position + 1) for _ in range(12)))])
        append([merge(contact, 401) if contact % 3 == 0 else erasure(contact)])
    assert store.cleanse() or until(store.cleanse)
    live = {stored.event.metadata[12:17] for stored in store.scan(Selection(1))}
    assert {found[6:] for found in re.findall(rb"SECRET\d{5}", path.read_bytes())} == live
    assert 0 < len(live) < 5_000


def until(holds):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not holds():
        time.sleep(0.01)
    return time.monotonic() < deadline


def test_a_file_of_the_first_version_is_brought_up_to_date(store, path):
    records = [
        *(event(created_at=second, metadata=b'{"plan":"x","n":1}', kinds="sn") for second in range(3)),
        *(event(contact=2, name=2), event(contact=3, name=2), erasure(3), event(created_at=1)),
    ]
    store.append(1, records)
    told = everything(store, contacts=[1, 2, 3], names=[1, 2])
    store.close()
    sql(
        path,
        "DROP VIEW standing",
        "DELETE FROM events WHERE workspace <= 0",
        *(f"DROP TABLE {table}" for table in ("name_keys", "merged", "baseline_records", "erased_by")),
        "DROP VIEW event_keys",
        "ALTER TABLE event_keys_1 RENAME TO event_keys",
        *(f"DROP TABLE {table}" for table in ("key_tables", "shapes")),
        "ALTER TABLE events DROP COLUMN shape",
        "DROP INDEX events_by_name",
        "ALTER TABLE erased DROP COLUMN position",
        "DROP INDEX duplicates_by_merge",
        "ALTER TABLE duplicates DROP COLUMN by_merge",
        "INSERT INTO duplicates VALUES (8, 5, 7, 1)",  # of an erased event, as the first version left it
        "UPDATE progress SET cursor = 8",
        "PRAGMA user_version=1",
    )
    again = SqliteStore(path)
    assert list(again.problems()) == []
    assert again.receipt(8) == Receipt(8, outcomes.ERASED, 7, 1, None)
    parts = ("pages", "summaries", "name_totals", "day_totals", "searches", "name_keys", "erased", "duplicates")
    found = everything(again, contacts=[1, 2, 3], names=[1, 2])
    assert {part: found[part] for part in parts} == {part: told[part] for part in parts}
    again.append(9, [event(contact=3), merge(2, 1), removal(1)])
    assert (again.receipt(9).outcome, again.summary(1)[1].count, list(again.problems())) == (outcomes.ERASED, 2, [])
    again.close()


@pytest.mark.parametrize(
    ("damage", "sentences"),
    [
        (
            ["DELETE FROM events WHERE position = 1"],
            [
                "the key that points at position 1 does not find its event there",
                "name 1 has a total of 2 events, and 1 are kept",
                "name 1 has totals from 100 to 200000, and its events are from 200000 to 200000",
                "name 1 has a total of 1 duplicates, and 0 are known",
                "name 1 on day 0 has a total of 1 events, and 0 are kept",
                "position 2 is a duplicate of position 1, which holds no event",
                "name 1 has a total of 2 keys dropped, and its events tell of 0",
            ],
        ),
        (["DELETE FROM event_keys_1 WHERE position = 4"], ["the event at position 4 is not found by its key"]),
        (
            ["UPDATE event_keys_1 SET position = 9 WHERE position = 4"],
            ["the key that points at position 9 does not find its event there"],
        ),
        (
            ["UPDATE event_keys_1 SET position = 7 - position WHERE position IN (3, 4)"],
            [
                "the key that points at position 3 does not find its event there",
                "the key that points at position 4 does not find its event there",
            ],
        ),
        (["UPDATE name_totals SET count = 7 WHERE name = 1"], ["name 1 has a total of 7 events, and 2 are kept"]),
        (["DELETE FROM name_totals WHERE name = 2"], ["name 2 has a total of 0 events, and 1 are kept"]),
        (
            ["UPDATE name_totals SET last = 5 WHERE name = 2"],
            ["name 2 has totals from 300 to 5, and its events are from 300 to 300"],
        ),
        (["UPDATE name_totals SET duplicates = 5 WHERE name = 2"], ["name 2 has a total of 5 duplicates, and 0 are known"]),
        (
            ["UPDATE name_totals SET keys_dropped = 5 WHERE name = 2"],
            ["name 2 has a total of 5 keys dropped, and its events tell of 0"],
        ),
        (["UPDATE day_totals SET count = 3 WHERE day = 2"], ["name 1 on day 2 has a total of 3 events, and 1 are kept"]),
        (
            ["INSERT INTO summaries VALUES (1, 1, 2, 100, 200001)"],
            ["the summary of contact 1 for name 1 says 2 from 100 to 200001, and the events say 2 from 100 to 200000"],
        ),
        (
            ["INSERT INTO summaries VALUES (2, 1, 1, 300, 300)"],
            [
                "the summary of contact 2 for name 1 says 1 from 300 to 300, and the events say nothing",
                "the summary of contact 2 for name 2 says nothing, and the events say 1 from 300 to 300",
            ],
        ),
        (["INSERT INTO baselines VALUES (3, 1, 1, NULL, NULL)"], ["contact 3 was erased, and 1 rows of it are left"]),
        (
            ["DELETE FROM erased_events", "UPDATE duplicates SET of_position = 6"],
            [
                "name 1 has a total of 1 duplicates, and 0 are known",
                "position 2 is a duplicate of position 6, which holds no event",
            ],
        ),
        (
            ["INSERT INTO merged VALUES (1, 2, 2, 9)"],
            [
                "the key that points at position 1 does not find its event there",
                "the key that points at position 3 does not find its event there",
                "contact 1 was merged into contact 2, and 3 rows of it are left",
            ],
        ),
        (
            ["INSERT INTO merged VALUES (7, 8, 1, 9), (8, 9, 9, 9)"],
            ["contact 7 is kept as contact 1 after all merges, and those lead to contact 9"],
        ),
        (
            ["UPDATE name_keys SET count = 5 WHERE name = 2", "INSERT INTO name_keys VALUES (1, 'x', 's', 1)"],
            [
                "name 1 has metadata key 'x' of kind s 1 times, and its events have it 0 times",
                "name 2 has metadata key 'n' of kind n 5 times, and its events have it 1 times",
            ],
        ),
        (["DELETE FROM name_keys"], ["name 2 has metadata key 'n' of kind n 0 times, and its events have it 1 times"]),
        (["INSERT INTO name_keys VALUES (2, '', '', 7)"], ["name 2 has 7 more metadata keys counted together than its events have"]),
        (["DELETE FROM name_keys", "INSERT INTO name_keys VALUES (2, '', '', 1)"], []),
        (["INSERT INTO erased_events VALUES (2, 0, 1)"], ["position 2 has 2 outcomes"]),
        (["UPDATE progress SET cursor = 3"], ["the cursor is 3, and position 6 is kept already"]),
        (["DROP INDEX duplicates_of"], []),
    ],
)
def test_problems_are_found_and_told_plainly(store, path, damage, sentences):
    records = [
        event(dropped=b'[["a","past_limit"],["b","null_value"]]'),
        event(),
        event(created_at=200_000),
        event(contact=2, name=2, created_at=300, metadata=b'{"n":1}', kinds="n"),
        baseline(),
        event(contact=3),
        erasure(contact=3),
    ]
    store.append(1, records)
    assert list(store.problems()) == []
    store.close()
    sql(path, *damage)
    reader = SqliteReader(path)
    assert list(reader.problems()) == sentences
    reader.close()


def test_a_damaged_page_is_a_problem(store, path):
    store.append(1, [event(created_at=second, metadata=bytes(1_000)) for second in range(1_000)])
    store.close()
    (root,) = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'duplicates_of'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    reader = SqliteReader(path)
    problems = list(reader.problems())
    assert problems
    assert {problem.split(":")[0] for problem in problems} == {"SQLite finds the file damaged"}
    reader.close()


def test_metadata_that_is_no_json_any_more_is_a_problem(store, path):
    store.append(1, [event(metadata=b'{"n":1}', kinds="n")])
    store.close()
    sql(path, """UPDATE events SET metadata = CAST('{"n"1}' AS BLOB)""")
    reader = SqliteReader(path)
    assert [problem.partition(": ")[0] for problem in reader.problems()] == ["a value in the file is damaged"]
    reader.close()


# Rows of MIGRATIONS that a release had, by their hashes. Files were made by them, so they are never edited: to change the tables,
# add a row. Each release adds the rows that it brings; those behind are the next release's, and may still change.
RELEASED = ("07d79ce3ea1323584c467e6b50849426ae3ce7009d4667bf1c98726f75b75f5b",)


@pytest.mark.parametrize("row", range(len(RELEASED)))
def test_a_migration_that_was_released_is_never_edited(row):
    steps = [step if isinstance(step, str) else step.__qualname__ for step in MIGRATIONS[row]]
    assert hashlib.sha256("\0".join(steps).encode()).hexdigest() == RELEASED[row]


def test_a_schema_that_is_no_text_any_more_is_told_and_no_traceback(store, path):
    store.append(1, [event()])
    store.close()
    file = path.read_bytes()
    path.write_bytes(file.replace(b"LEFT JOIN shapes", b"LEFT JOIN s\xe8apes"))
    reader = SqliteReader(path)
    with pytest.raises(Unavailable, match=r"^The events cannot be read just now: the text of its schema is damaged$"):
        reader.page(1, limit=1)
    assert any("damaged" in problem for problem in problems_of(reader))
    reader.close()


def problems_of(reader):
    """All that is told, or why nothing can be."""
    try:
        return list(reader.problems())
    except Unavailable as error:
        return [str(error)]
