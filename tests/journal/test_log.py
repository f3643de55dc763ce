"""The journal's file: what is appended is there, in order, under its position, until every consumer has passed it."""

import sqlite3

import pytest

from trackrecord.errors import DataDirectoryUnusable, Unavailable
from trackrecord.journal.log import READ_BYTES, JournalReader, JournalWriter
from trackrecord.rules.records import Baseline, Erasure, Event

HOUR_MS = 3_600_000


def event(number):
    return Event(1, number, 1, 1_600_000_000 + number, 1_600_000_000_000, b'{"n":1}', "n")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def writer(path):
    opened = JournalWriter(path)
    yield opened
    opened.close()


def read_all(path, *, after=0, limit=1000):
    reader = JournalReader(path)
    found = []
    while (batch := reader.read(after=after, limit=limit)) is not None:
        found += list(enumerate(batch.records, batch.first))
        after = batch.last
    reader.close()
    return found


def test_records_come_back_whole_and_numbered_from_one(writer, path):
    records = [event(1), Baseline(1, 2, 3, 4, 5, None, 7), Erasure(1, 2, 3), Event(1, 2, 3, 4, 5, b"", "", b'[["k","past_limit"]]', "abc")]
    assert [writer.append(records[:1]), writer.append(records[1:])] == [1, 2]
    assert read_all(path) == list(enumerate(records, 1))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_reading_goes_on_from_any_position(writer, path, limit):
    for start in (0, 4, 5, 9):
        writer.append([event(start + each) for each in range(4)])
    everything = read_all(path)
    assert [position for position, _ in everything] == list(range(1, 17))
    for after in range(18):
        assert read_all(path, after=after, limit=limit) == everything[after:]


def test_long_records_are_read_a_few_at_a_time(writer, path):
    for number in range(20):
        writer.append([Event(1, number, 1, number, 0, b"x" * (READ_BYTES // 8))])
    reader = JournalReader(path)
    batch = reader.read(after=0, limit=8_000)
    reader.close()
    assert (batch.first, batch.last) == (1, 8)
    assert [record.contact for _, record in read_all(path, limit=8_000)] == list(range(20))


def test_positions_go_on_after_a_restart(writer, path):
    writer.append([event(1), event(2)])
    writer.close()
    again = JournalWriter(path)
    assert (again.head, again.append([event(3)])) == (2, 3)
    again.close()


def test_positions_a_store_has_passed_are_never_given_again(writer, path):
    writer.append([event(1)])
    writer.skip_to(10)
    assert writer.append([event(2)]) == 11
    assert [position for position, _ in read_all(path)] == [1, 11]
    assert [position for position, _ in read_all(path, after=5)] == [11]


def test_rows_go_once_they_are_old_and_passed_by_every_consumer(writer, path):
    for number in range(5):
        writer.append([event(number)])
    later = 4_000_000_000_000
    keep = {"keep_ms": HOUR_MS, "keep_bytes": 1 << 30}
    assert writer.trim(passed=0, now_ms=later, **keep) == 0
    assert writer.trim(passed=2, now_ms=0, **keep) == 0
    assert writer.trim(passed=2, now_ms=later, **keep) == 2
    assert [position for position, _ in read_all(path)] == [3, 4, 5]


def test_rows_go_once_the_journal_is_large_and_the_last_one_never(writer, path):
    for number in range(5):
        writer.append([event(number)])
    assert writer.trim(passed=5, now_ms=0, keep_ms=HOUR_MS, keep_bytes=1) == 4
    assert writer.trim(passed=5, now_ms=0, keep_ms=HOUR_MS, keep_bytes=1) == 0
    assert [position for position, _ in read_all(path)] == [5]
    writer.close()
    again = JournalWriter(path)
    assert again.head == 5
    again.close()


def test_a_batch_that_does_not_fit_is_refused_whole_and_the_next_one_is_kept(writer, path):
    writer.append([event(1)])
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(Unavailable, match="the journal cannot be written"):
        writer.append([Event(1, 1, 1, 1, 1, b"x" * 100_000)])
    writer._db.execute(f"PRAGMA max_page_count={1 << 30}")
    assert writer.append([event(2)]) == 2
    assert read_all(path) == [(1, event(1)), (2, event(2))]


def test_a_file_of_a_newer_version_is_left_alone(path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(DataDirectoryUnusable, match=r"journal\.db has format 99; this version reads up to 2"):
        JournalWriter(path)


def test_a_file_that_is_no_journal_is_refused_in_a_sentence(path):
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(DataDirectoryUnusable, match=r"journal\.db cannot be opened as a journal"):
        JournalWriter(path)


def test_check_finds_nothing_in_a_sound_journal_and_names_what_is_wrong_in_another(writer, path):
    for number in range(3):
        writer.append([event(number), event(number + 10)])
    reader = JournalReader(path)
    assert list(reader.problems()) == []
    writer._db.execute("UPDATE batches SET records = x'00' WHERE first = 3")
    writer._db.execute("UPDATE batches SET count = 1 WHERE first = 5")
    found = list(reader.problems())
    reader.close()
    assert [line.partition(":")[0] for line in found] == ["journal.db", "journal.db"]
    assert "the row at position 3 is damaged: its checksum differs" in found[0]
    assert "the row at position 5 should hold 1 records and holds 2" in found[1]


def test_a_damaged_row_is_named_and_never_passed_over(writer, path):
    for number in range(3):
        writer.append([event(number)])
    writer._db.execute("UPDATE batches SET records = CAST(records || x'00' AS BLOB) WHERE first = 2")
    reader = JournalReader(path)
    assert reader.read(after=0, limit=1).records == [event(0)]
    with pytest.raises(Unavailable, match="the journal cannot be read above position 1: the row at position 2 is damaged"):
        reader.read(after=1, limit=10)
    reader.close()


def test_the_log_beside_the_file_stays_short_under_steady_writing(writer, path):
    for number in range(3000):
        writer.append([event(number)] * 20)
        writer.tidy()
    assert path.with_name("journal.db-wal").stat().st_size < 96 << 20
    assert len(read_all(path)) == 60_000
