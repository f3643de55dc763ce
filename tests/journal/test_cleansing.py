"""What was erased goes from the journal's rows as well: the positions stay, and say that there was something."""

import sqlite3
import time

import msgspec
import pytest

from trackrecord.journal.cleansing import LATE_MS, RECORDS_A_STEP
from trackrecord.journal.codec import encode_records
from trackrecord.journal.log import ROWS_A_STEP, JournalReader, JournalWriter
from trackrecord.rules.records import Baseline, Erasure, Event, Gone, Merge, Removal

SECRET = b"the-name-of-the-fish"
AT_MS = 1_600_000_000_000
SOON_MS, LATER_MS = 0, 1 << 60  # before and after the last late event can have come


def event(number, contact=1):
    return Event(1, contact, 1, number, AT_MS + number, b'{"fish":"%s"}' % SECRET, "s")


def gone(number):
    return Gone(1, AT_MS + number, event=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def writer(path):
    opened = JournalWriter(path)
    yield opened
    opened.close()


class Store:
    """What a store says that records took away, by their positions; it has folded up to `cursor`."""

    def __init__(self, taken, cursor=1 << 60):
        self.taken = taken
        self.cursor = cursor
        self.asked = 0

    def __call__(self, record, after, limit):
        self.asked += 1
        if record > self.cursor:
            return None
        return sorted(position for position in self.taken.get(record, ()) if position > after)[:limit]


def cleanse(writer, store, *, now_ms=LATER_MS):
    while writer.cleanse(store, now_ms=now_ms):
        pass


def records(path):
    reader = JournalReader(path)
    assert list(reader.problems()) == []
    batch = reader.read(after=0, limit=1 << 30)
    reader.close()
    return unpadded(batch.records)


def unpadded(found):
    return [msgspec.structs.replace(record, padding=b"") if isinstance(record, Gone) else record for record in found]


def owed(path):
    return [record for (record,) in sqlite3.connect(path).execute("SELECT record FROM owed ORDER BY record")]


def held(path):
    """How often the secret stands anywhere in the file or in its log."""
    return sum(each.read_bytes().count(SECRET) for each in (path, path.with_name("journal.db-wal")) if each.exists())


def test_what_a_record_took_away_is_replaced_in_its_place_and_nothing_else_is(writer, path):
    writer.append([event(1), event(2, contact=2), Baseline(1, 1, 1, AT_MS, 5, None, None)])
    writer.append([event(4)])
    writer.append([event(5, contact=2), Erasure(1, 1, AT_MS)])
    cleanse(writer, Store({6: [1, 3, 4]}))
    assert records(path) == [gone(1), event(2, contact=2), Gone(1, AT_MS, event=False), gone(4), event(5, contact=2), Erasure(1, 1, AT_MS)]
    assert (held(path), owed(path)) == (2, [])


@pytest.mark.parametrize("size", [0, 1, 5, 60, 250, 251, 252, 253, 254, 255, 256, 257, 258, 300, 5_000, 70_000])
def test_a_rewritten_row_is_as_long_as_it_was(writer, path, size):
    """Else SQLite moves the rows beside it, and what stood where they were stays in the file when they are erased in turn."""
    for number in range(1, 21):
        writer.append([Event(1, number, 1, number, AT_MS, b"x" * size, "s")])
    writer.append([Erasure(1, 1, AT_MS)])

    def sizes():
        rows = writer._db.execute("SELECT length(records), crc FROM batches WHERE first <= 20").fetchall()
        return [length + (4 if crc < 2**31 else 6) for length, crc in rows]

    before = sizes()
    cleanse(writer, Store({21: range(1, 21)}))
    assert all(0 <= was - now <= 8 for was, now in zip(before, sizes(), strict=True))
    assert {type(record) for record in records(path)[:20]} == {Gone}


@pytest.mark.parametrize("taking", [Erasure(1, 1, AT_MS), Removal(1, (1,), AT_MS), Merge(1, 1, 2, AT_MS)])
def test_nothing_is_done_before_the_store_has_folded_the_record(writer, path, taking):
    writer.append([event(1)])
    writer.append([taking])
    store = Store({2: [1]}, cursor=1)
    cleanse(writer, store)
    assert (records(path), owed(path)) == ([event(1), taking], [2])
    store.cursor = 2
    cleanse(writer, store)
    assert (records(path), owed(path), held(path)) == ([gone(1), taking], [], 0)


def test_an_event_that_comes_late_for_an_erased_contact_is_taken_too(writer, path):
    writer.append([event(1)])
    writer.append([Erasure(1, 1, AT_MS)])
    store = Store({2: [1]})
    cleanse(writer, store, now_ms=SOON_MS + 1)
    assert (owed(path), held(path)) == ([2], 0)
    writer.append([event(3)])
    store.taken[2] = [1, 3]
    cleanse(writer, store, now_ms=SOON_MS + 2)
    asked = store.asked
    cleanse(writer, store, now_ms=SOON_MS + 3)
    assert (store.asked, owed(path), held(path)) == (asked, [2], 1)  # nobody is asked again before the time is over
    cleanse(writer, store)
    assert (records(path), owed(path), held(path)) == ([gone(1), Erasure(1, 1, AT_MS), gone(3)], [], 0)


def format_1(path, *rows):
    """A journal as the first version left it: no table `owed`, and nothing overwritten."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA secure_delete=OFF")
    db.execute(
        "CREATE TABLE batches (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, written_at_ms INTEGER NOT NULL, "
        "crc INTEGER NOT NULL, records BLOB NOT NULL)"
    )
    first = 1
    for records_of_row in rows:
        crc, blob = encode_records(records_of_row)
        db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", (first, len(records_of_row), AT_MS, crc, blob))
        first += len(records_of_row)
    db.execute("PRAGMA user_version=1")
    db.commit()
    return db


def test_who_was_erased_before_an_upgrade_leaves_the_journal_with_it(path):
    db = format_1(
        path,
        [event(1), event(2, contact=2), Baseline(1, 1, 1, AT_MS, 5, None, None)],
        [event(4)],
        [event(5, contact=3), Erasure(1, 1, AT_MS), event(7, contact=3)],
        [event(8, contact=3)],
        [Erasure(1, 3, AT_MS), event(10, contact=1)],
    )
    db.close()
    writer = JournalWriter(path)
    expected = [gone(1), event(2, contact=2), Gone(1, AT_MS, event=False), gone(4), gone(5), Erasure(1, 1, AT_MS), gone(7)]
    expected += [gone(8), Erasure(1, 3, AT_MS), gone(10)]
    assert (records(path), owed(path)) == (expected, [6, 9])
    cleanse(writer, Store({}))  # as a store answers that had erased them before it noted what went by which record
    assert (held(path), owed(path)) == (1, [])
    assert writer.append([event(11, contact=2)]) == 11
    writer.close()
    assert records(path)[-1] == event(11, contact=2)


def test_what_format_1_had_trimmed_is_overwritten_by_an_upgrade(path):
    db = format_1(path, *([Event(1, 1, 1, n, AT_MS, SECRET)] for n in range(500)))
    db.execute("DELETE FROM batches WHERE first < 500")
    db.commit()
    db.close()
    before = held(path)
    writer = JournalWriter(path)
    cleanse(writer, Store({}))
    assert (before > 1, held(path)) == (True, 1)
    writer.close()


def test_an_upgrade_that_was_cut_short_is_done_again(path):
    format_1(path, [event(1)], [Erasure(1, 1, AT_MS)]).close()
    JournalWriter(path).close()
    db = sqlite3.connect(path)
    crc, blob = encode_records([event(1)])
    db.execute("UPDATE batches SET crc = ?, records = ? WHERE first = 1", (crc, blob))
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()
    JournalWriter(path).close()
    assert (records(path), owed(path), held(path)) == ([gone(1), Erasure(1, 1, AT_MS)], [2], 0)


def test_it_goes_on_where_it_stood_after_a_restart(path):
    count = ROWS_A_STEP * 2 + 5
    writer = JournalWriter(path)
    for number in range(1, count + 1):
        writer.append([event(number)])
    writer.append([Erasure(1, 1, AT_MS)])
    store = Store({count + 1: range(1, count + 1)})
    assert writer.cleanse(store, now_ms=LATER_MS)
    assert records(path)[: ROWS_A_STEP + 1] == [*(gone(number) for number in range(1, ROWS_A_STEP + 1)), event(ROWS_A_STEP + 1)]
    writer.close()
    writer = JournalWriter(path)
    assert writer.cleanse(store, now_ms=LATER_MS)
    assert not isinstance(records(path)[2 * ROWS_A_STEP - 1], Event)
    cleanse(writer, store)
    assert records(path)[:count] == [gone(number) for number in range(1, count + 1)]
    assert (held(path), owed(path)) == (0, [])
    assert writer.append([event(9)]) == count + 2
    writer.close()


def test_a_reader_of_old_rows_only_delays_it(writer, path):
    writer.append([event(1)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM batches").fetchone() == (1,)
    writer.append([Erasure(1, 1, AT_MS)])
    store = Store({2: [1]})
    cleanse(writer, store)
    assert (records(path)[0], owed(path), held(path) > 0) == (gone(1), [2], True)
    reader.execute("COMMIT")
    cleanse(writer, store)
    assert (owed(path), held(path)) == ([], 0)
    reader.close()


def test_positions_that_were_trimmed_or_never_given_are_passed_over(writer, path):
    for number in range(1, 5):
        writer.append([event(number)])
    writer.trim(passed=2, now_ms=1 << 60, keep_ms=0, keep_bytes=1 << 40)
    writer.skip_to(10)
    writer.append([event(11), Removal(1, (1, 2, 3, 7, 11), AT_MS)])
    cleanse(writer, Store({12: [1, 2, 3, 7, 11]}))
    reader = JournalReader(path)
    assert unpadded(reader.read(after=0, limit=10).records) == [gone(3), event(4)]
    assert unpadded(reader.read(after=4, limit=10).records) == [gone(11), Removal(1, (1, 2, 3, 7, 11), AT_MS)]
    reader.close()
    assert (owed(path), held(path)) == ([], 1)


def test_a_damaged_row_keeps_none_of_the_others_from_being_cleansed(writer, path, caplog):
    for number in range(1, 4):
        writer.append([event(number)])
    writer.append([Erasure(1, 1, AT_MS)])
    writer._db.execute("UPDATE batches SET crc = 0 WHERE first = 2")
    cleanse(writer, Store({4: [1, 2, 3]}))
    assert (owed(path), held(path)) == ([], 1)
    assert caplog.messages == ["what was erased cannot be taken from the journal: the row at position 2 is damaged: its checksum differs"]


def test_a_step_is_bounded_by_records_as_well_as_by_rows(writer, path):
    row = RECORDS_A_STEP * 4 // 5
    for start in range(1, 5 * row + 1, row):
        writer.append([event(number) for number in range(start, start + row)])
    writer.append([Erasure(1, 1, AT_MS)])
    store = Store({5 * row + 1: range(1, 5 * row + 1, row)})  # the first of each row
    steps = 0
    while writer.cleanse(store, now_ms=LATER_MS):
        steps += 1
    found = [number for number, record in enumerate(records(path), 1) if isinstance(record, Gone)]
    assert (steps, found) == (3, list(range(1, 5 * row + 1, row)))  # two rows, two rows, one


def test_a_row_that_many_deletions_share_is_rewritten_a_few_times_and_all_are_settled(writer, path):
    writer.append([event(number, contact=number) for number in range(1, 501)])
    writer.append([Erasure(1, number, AT_MS) for number in range(1, 501)])
    store = Store({500 + number: [number] for number in range(1, 501)})
    steps = 0
    while writer.cleanse(store, now_ms=LATER_MS):
        steps += 1
    assert records(path)[:500] == [gone(number) for number in range(1, 501)]
    assert (owed(path), held(path), steps <= 12) == ([], 0, True)


def test_a_long_log_is_copied_beside_and_then_cut(writer, path):
    for number in range(1, 401):
        writer.append([event(number)] * 40)
    writer.append([Erasure(1, 1, AT_MS)])
    store = Store({16_001: range(1, 16_001)})
    deadline = time.monotonic() + 20
    while owed(path) and time.monotonic() < deadline:
        cleanse(writer, store)
    assert (owed(path), held(path)) == ([], 0)


def test_a_record_that_could_not_be_appended_owes_nothing(writer, path):
    writer.append([event(1)])
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count={pages}")
    refused = [Erasure(1, 1, AT_MS), Event(1, 1, 1, 1, 1, bytes(100_000))]
    with pytest.raises(Exception, match="the journal cannot be written"):
        writer.append(refused)
    assert owed(path) == []
    writer._db.execute(f"PRAGMA max_page_count={1 << 30}")
    writer.append([Erasure(1, 1, AT_MS)])
    assert owed(path) == [2]
    cleanse(writer, Store({2: [1]}))
    assert (owed(path), held(path)) == ([], 0)


def test_a_journal_of_the_first_format_is_taken_over(writer, path):
    writer.append([event(1)])
    writer.close()
    db = sqlite3.connect(path)
    db.execute("DROP TABLE owed")
    db.execute("PRAGMA user_version=1")
    db.close()
    again = JournalWriter(path)
    assert again.append([Erasure(1, 1, AT_MS)]) == 2
    cleanse(again, Store({2: [1]}))
    assert (records(path), again._db.execute("PRAGMA user_version").fetchone()) == ([gone(1), Erasure(1, 1, AT_MS)], (2,))
    again.close()


def test_what_is_trimmed_is_overwritten(writer, path):
    for number in range(1, 101):
        writer.append([event(number)])
    while writer.trim(passed=99, now_ms=1 << 60, keep_ms=0, keep_bytes=1 << 40):
        pass
    writer.close()
    assert path.read_bytes().count(SECRET) == 1


def test_late_is_as_long_as_a_request_may_take():
    assert LATE_MS >= 60_000
