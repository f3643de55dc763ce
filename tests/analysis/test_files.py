"""Columns in files: they make a start quick, and whatever is wrong with them is found, and they are made anew."""

import logging
import shutil

import plainly
import pytest
from store_examples import erasure, event, merge, removal

from trackrecord.analysis.columns import COLUMNS
from trackrecord.analysis.records import CHUNK_ROWS, Records
from trackrecord.errors import Unavailable
from trackrecord.stores.sqlite import SqliteStore

NOW_MS = 1_700_000_500_123


class Counting:
    """A store that counts the rows that are read of it."""

    def __init__(self, store):
        self.store = store
        self.rows = 0

    def changes(self, after, seen, *, limit):
        changes = self.store.changes(after, seen, limit=limit)
        self.rows += len(changes.rows) // 4 if limit == CHUNK_ROWS else 0
        return changes

    def __getattr__(self, name):
        return getattr(self.store, name)


def some(count, first=1):
    return [event(contact=1 + n % 5, name=1 + n % 2, created_at=n, received_at_ms=NOW_MS + n) for n in range(first, first + count)]


def rows(records):
    columns = records.columns
    return list(zip(*(columns.column(column).tolist() for column, _ in COLUMNS), strict=True))


def opened(store, folder):
    """Columns as a new process has them once it has caught up, and how many rows were read of the store for that."""
    counting = Counting(store)
    records = Records(counting, folder)
    records.catch_up(store.cursor())
    assert rows(records) == plainly.rows(store)
    return records, counting.rows


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "columns"


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "events.db")
    yield store
    store.close()


@pytest.fixture
def saved(store, folder):
    store.append(1, [*some(40), merge(1, 2)])
    opened(store, folder)[0].save()
    return store


def test_a_start_reads_only_what_came_since(saved, folder):
    assert opened(saved, folder)[1] == 0
    saved.append(42, some(3, first=100))
    records, read = opened(saved, folder)
    assert read == 3
    records.save()
    assert opened(saved, folder)[1] == 0


def test_what_was_erased_removed_and_merged_since_is_seen_after_a_start(saved, folder):
    saved.append(42, [erasure(3), removal(10), merge(4, 5)])
    records, read = opened(saved, folder)
    assert read == 0
    records.save()
    assert opened(saved, folder)[1] == 0


def damage(name):
    def flip(folder):
        with open(folder / name, "r+b") as file:
            file.seek(-3, 2)
            byte = file.read(1)
            file.seek(-3, 2)
            file.write(bytes([byte[0] ^ 1]))

    return flip


DAMAGES = {
    "no header": lambda folder: (folder / "header").unlink(),
    "an empty header": lambda folder: (folder / "header").write_bytes(b""),
    "a header of another version": lambda folder: (folder / "header").write_bytes(
        b"\x96\x63" + (folder / "header").read_bytes()[2:]
    ),
    "a header that is a folder": lambda folder: ((folder / "header").unlink(), (folder / "header").mkdir()),
    "a file that is missing": lambda folder: (folder / "name").unlink(),
    "a file that ends too soon": lambda folder: (folder / "contact").write_bytes((folder / "contact").read_bytes()[:-1]),
    **{f"one bit of {name}": damage(name) for name, _ in COLUMNS},
}  # fmt: skip


@pytest.mark.parametrize("harm", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_are_made_anew(saved, folder, harm):
    harm(folder)
    records, read = opened(saved, folder)
    assert read == 40
    records.save()


def test_files_that_a_crash_left_while_they_were_written_are_as_they_were_saved_or_made_anew(saved, folder):
    saved.append(42, some(3, first=100))
    records, _ = opened(saved, folder)
    before = folder.with_name("before")
    shutil.copytree(folder, before)
    records.save()
    for column, _ in COLUMNS:  # each in turn is written, and the header is not
        shutil.copy(folder / column, before / column)
        assert opened(saved, before)[1] == 3
    (before / "header").unlink()
    assert opened(saved, before)[1] == 43


def test_a_store_of_another_backup_is_not_taken_for_this_one(tmp_path, saved, folder):
    """After 30 of 40 events went on otherwise, and one merge less: as long as before, and as many events in each name."""
    for number, records in enumerate(
        (
            [*some(30), *(each for each in some(10, first=31) if each), merge(3, 2)],
            [*some(39), event(contact=1, name=1, created_at=40, received_at_ms=NOW_MS + 999), merge(1, 2)],
            some(20),
        )
    ):
        other = SqliteStore(tmp_path / f"other-{number}.db")
        other.append(1, records)
        copy = tmp_path / f"columns-{number}"
        shutil.copytree(folder, copy)
        assert opened(other, copy)[1] == len(other.changes(0, 0, limit=100).rows) // 4
        other.close()


def test_a_store_that_is_replaced_while_the_columns_are_in_use_is_noticed(tmp_path, saved, folder, caplog):
    records, _ = opened(saved, folder)
    other = SqliteStore(tmp_path / "other.db")
    other.append(1, some(20))
    records.reader.store = other
    with caplog.at_level(logging.WARNING):
        records.catch_up(42)
    assert rows(records) == plainly.rows(other)
    assert caplog.messages == ["the columns of the events do not fit the store, and are made anew"]
    other.close()


def test_a_folder_that_cannot_be_written_costs_the_next_start_its_speed_and_nothing_else(saved, folder):
    shutil.rmtree(folder)
    folder.write_text("in the way")
    records, read = opened(saved, folder)
    records.save()
    assert (read, opened(saved, folder)[1]) == (40, 40)


def test_a_store_that_cannot_be_read_is_unavailable_and_read_on_later(saved, folder):
    records, _ = opened(saved, folder)
    saved.append(42, some(3, first=100))
    good, records.reader = records.reader, Broken()
    with pytest.raises(Unavailable):
        records.catch_up(44)
    records.reader = good
    records.catch_up(44)
    assert rows(records) == plainly.rows(saved)


class Broken:
    def changes(self, after, seen, *, limit):
        raise Unavailable("the events cannot be read just now")
