"""How events lie in events.db: keys in tables split by time, metadata by its shape."""

import random
import sqlite3

import pytest
from store_examples import erasure, event, everything, merge, removal

from trackrecord.errors import DataDirectoryUnusable, Unavailable
from trackrecord.rules.records import Event
from trackrecord.stores.base import Selection
from trackrecord.stores.sqlite import SqliteReader, SqliteStore
from trackrecord.stores.sqlite_keys import LONGER_EVERY, tables
from trackrecord.stores.sqlite_rows import SEEN_TIMES, SHAPE_BYTES_MAX, SHAPES_MAX

KEYS = 40  # a table, in these tests
ODD = [
    (b'{"plan":"team","n":1.0}', "sn"),
    (b'{"plan":"a,b","n":{"a":[1,{"b":"}"}]}}', "so"),
    ('{"né\\"e\\\\":"é"}'.encode(), "s"),
    (b'{"":"","x":null}', "sz"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


@pytest.fixture
def store(path):
    store = SqliteStore(path, keys_a_table=KEYS)
    yield store
    assert list(store.problems()) == []
    store.close()


def append(store, events, batch=2):
    for start in range(0, len(events), batch):
        store.append(store.cursor() + 1, events[start : start + batch])


def lengths(path):
    """How many keys each table has, oldest first."""
    db = sqlite3.connect(path)
    found = [db.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in tables(db)]
    db.close()
    return found


def rows(path, query):
    db = sqlite3.connect(path)
    found = db.execute(query).fetchall()
    db.close()
    return found


def test_events_in_order_of_time_go_to_ever_new_tables_of_keys(store, path):
    append(store, [event(contact=number % 7, created_at=1_000 + number) for number in range(400)])
    assert len(lengths(path)) >= 8
    assert max(lengths(path)) <= KEYS * 1.5
    assert sum(lengths(path)) == 400


def test_a_second_copy_is_found_in_whatever_table_the_first_lies(store):
    sent = [event(contact=number % 7, created_at=1_000 + number) for number in range(400)]
    append(store, sent)
    random.Random(3).shuffle(sent)
    append(store, sent, batch=33)
    assert store.name_totals(1)[0].count == 400
    assert len(store.duplicates(1, 900)) == 400


def test_late_events_join_the_table_of_their_time(store, path):
    append(store, [event(created_at=1_000 + number) for number in range(200)])
    before = lengths(path)
    append(store, [event(created_at=-5), event(created_at=1_001, name=2)])
    assert lengths(path) == [before[0] + 2, *before[1:]]
    assert store.page(1, limit=1, oldest=None).at[0].second == 1_199


def test_events_in_no_order_of_time_stay_in_one_table(store, path):
    seconds = random.Random(5).sample(range(1_000_000), 400)
    append(store, [event(created_at=second) for second in seconds], batch=50)
    assert lengths(path) == [400]


def test_years_gone_by_get_tables_of_their_own_when_they_come_in_order(store, path):
    append(store, [event(created_at=1_000_000 + number) for number in range(100)])
    now = len(lengths(path))
    append(store, [event(created_at=1_000 + number) for number in range(300)])
    assert len(lengths(path)) >= now + 4
    assert max(lengths(path)) <= KEYS * 2


def test_another_process_s_tables_are_seen(store, path):
    append(store, [event(created_at=number) for number in range(30)])
    other = SqliteStore(path, keys_a_table=KEYS)
    append(other, [event(created_at=30 + number) for number in range(170)])
    other.close()
    append(store, [event(created_at=number) for number in range(200)])
    assert len(store.duplicates(1, 400)) == 200


def test_a_page_goes_from_table_to_table(store, path):
    append(store, [event(name=1 + number % 3, created_at=1_000 + number // 2) for number in range(300)])
    assert len(lengths(path)) > 3
    page = store.page(1, limit=300)
    assert [(at.second, at.rank) for at in page.at] == [(1_149 - number // 2, 1 - number % 2) for number in range(300)]


def test_tables_may_be_longer_when_there_are_many(store, path):
    append(store, [event(created_at=number) for number in range(KEYS * (LONGER_EVERY + 12))])
    found = lengths(path)
    assert len(found) > LONGER_EVERY
    assert max(found[: LONGER_EVERY - 1]) <= KEYS * 1.5 < found[LONGER_EVERY - 1]


def test_a_key_in_the_table_of_another_time_is_told(path):
    store = SqliteStore(path, keys_a_table=KEYS)
    append(store, [event(created_at=number) for number in range(200)])
    store.close()
    db = sqlite3.connect(path)
    db.executescript("INSERT INTO event_keys_2 SELECT * FROM event_keys_1 LIMIT 1; DELETE FROM event_keys_1 WHERE position = 1")
    db.close()
    reader = SqliteReader(path)
    assert list(reader.problems()) == ["the key that points at position 1 does not find its event there"]
    reader.close()


def test_a_row_has_a_place_for_each_field_of_an_event(store, path):
    columns = [row[1] for row in rows(path, "PRAGMA table_info(standing)")]
    assert len(columns) == 1 + len(Event.__struct_fields__) + 1  # between its position and the keys of its shape


def test_copies_divide_no_table(store, path):
    sent = [event(created_at=number) for number in range(KEYS)]
    append(store, sent)
    for _ in range(20):
        append(store, sent)
    assert lengths(path) == [KEYS]


def test_a_merge_finds_what_both_have_in_every_table(store, path):
    append(store, [event(contact=1 + number % 2, created_at=number // 2) for number in range(400)])
    assert len(lengths(path)) > 3
    store.append(401, [merge(1, 2)])
    assert (store.name_totals(1)[0].count, len(store.duplicates(1, 400))) == (200, 200)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DELETE FROM key_tables WHERE number = 2", "event_keys_2 is not in the list of tables of keys"),
        ("DROP TABLE event_keys_2", "event_keys_2 is in the list of tables of keys, and not there"),
        ("DELETE FROM key_tables", "SQLite finds the file damaged: the list of its tables of keys is damaged"),
        ("UPDATE key_tables SET since = 0 WHERE number = 1", "SQLite finds the file damaged: the list of its tables of keys is damaged"),
        (
            "DROP VIEW event_keys; CREATE VIEW event_keys AS SELECT * FROM event_keys_1",
            "the view event_keys is not made of the tables of keys",
        ),
        ("UPDATE shapes SET count = 7", "shape 1 of metadata is counted 7 times, and {} events have it"),
        ("UPDATE shapes SET kinds = 'nnn'", "shape 1 of metadata has not as many kinds as keys"),
        ("UPDATE shapes SET keys = 'null'", "SQLite finds the file damaged: the keys of a shape of metadata are damaged"),
        ("UPDATE shapes SET keys = '[\"a'", "SQLite finds the file damaged: the keys of a shape of metadata are damaged"),
    ],
)
def test_damage_of_the_layout_is_told(path, damage, sentence):
    store = SqliteStore(path, keys_a_table=KEYS)
    append(store, [event(created_at=number, metadata=b'{"a":1}', kinds="n") for number in range(200)])
    events = len(store.page(1, limit=200).events) - SEEN_TIMES + 1
    store.close()
    db = sqlite3.connect(path)
    db.executescript(damage)
    db.close()
    reader = SqliteReader(path)
    assert sentence.format(events) in list(reader.problems())
    reader.close()


def test_a_store_whose_tables_of_keys_are_not_known_takes_nothing(path):
    store = SqliteStore(path)
    append(store, [event()])
    store.close()
    db = sqlite3.connect(path)
    db.executescript("DELETE FROM key_tables")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(DataDirectoryUnusable, match=r"^events\.db is damaged: the list of its tables of keys is damaged$"):
        store.append(2, [event(created_at=2)])
    with pytest.raises(Unavailable, match=r"the list of its tables of keys is damaged$"):
        store.page(1, limit=1)
    store.close()


# Metadata.


@pytest.mark.parametrize(("metadata", "kinds"), ODD)
def test_metadata_comes_back_byte_by_byte_whether_its_shape_is_known_or_not(store, metadata, kinds):
    append(store, [event(created_at=number, metadata=metadata, kinds=kinds) for number in range(3 * SEEN_TIMES)], batch=2)
    assert {(one.event.metadata, one.event.kinds) for one in store.scan(Selection(1))} == {(metadata, kinds)}


def test_keys_that_come_often_stand_once(path):
    store = SqliteStore(path)
    append(store, [event(created_at=number, metadata=b'{"plan_of_the_customer":%d}' % number, kinds="n") for number in range(1_000)])
    store.close()
    assert path.read_bytes().count(b"plan_of_the_customer") < 2 * SEEN_TIMES
    assert rows(path, "SELECT kinds, keys, count FROM shapes") == [("n", '["plan_of_the_customer"]', 1_001 - SEEN_TIMES)]


def test_what_is_not_written_as_we_write_json_stays_as_it_is(store):
    spaced = [event(created_at=number, metadata=b'{"n": 1}', kinds="n") for number in range(20)]
    twice = [event(created_at=number, name=2, metadata=b'{"n":1,"n":2}', kinds="n") for number in range(20)]
    append(store, [*spaced, *twice])
    assert [one.event.metadata for one in store.scan(Selection(1))] == [each.metadata for each in [*spaced, *twice]]


def test_the_keys_of_erased_events_are_in_no_file_once_cleansed(store, path):
    def held():
        return sum(each.read_bytes().count(b"Ada's plan") for each in (path, path.with_name("events.db-wal")))

    append(store, [event(contact=1 + number % 2, created_at=number, metadata=b'{"Ada\'s plan":1}', kinds="n") for number in range(50)])
    assert held() > 0
    store.append(51, [erasure(1), removal(*range(1, 51))])
    assert store.cleanse() is True
    assert (held(), rows(path, "SELECT count(*) FROM shapes")) == (0, [(0,)])


def test_a_shape_that_is_gone_may_come_again(store):
    some = [event(created_at=number, metadata=b'{"a":%d}' % number, kinds="n") for number in range(20)]
    append(store, [*some, event(contact=2, metadata=b'{"b":1}', kinds="n")])
    store.append(22, [removal(*range(1, 21))])
    append(store, some)
    assert [one.event.metadata for one in store.scan(Selection(1))] == [b'{"b":1}', *(each.metadata for each in some)]


def test_long_keys_have_no_shape_so_that_shapes_in_memory_stay_small(store, path):
    long = b'{"%b":1}' % (b"k" * SHAPE_BYTES_MAX)
    append(store, [event(created_at=number, metadata=long, kinds="n") for number in range(3 * SEEN_TIMES)])
    assert rows(path, "SELECT count(*) FROM shapes") == [(0,)]
    assert {one.event.metadata for one in store.scan(Selection(1))} == {long}


def test_ids_among_the_keys_fill_no_room_without_end(store, path):
    append(store, [event(created_at=number, metadata=b'{"id_%d":1}' % number, kinds="n") for number in range(2_000)], batch=500)
    assert rows(path, "SELECT count(*) FROM shapes") == [(0,)]
    often = [
        event(created_at=again, name=number, metadata=b'{"key_%d":1}' % number, kinds="n")
        for number in range(1, SHAPES_MAX + 10)
        for again in range(SEEN_TIMES)
    ]
    append(store, often, batch=10_000)
    assert rows(path, "SELECT count(*) FROM shapes") == [(SHAPES_MAX,)]


def test_values_that_are_damaged_make_a_read_unavailable_and_are_told(path):
    store = SqliteStore(path)
    append(store, [event(created_at=number, metadata=b'{"a":1,"b":2}', kinds="nn") for number in range(20)])
    store.close()
    db = sqlite3.connect(path)
    db.execute("UPDATE events SET metadata = x'31' WHERE position = 20")
    db.commit()
    db.close()
    reader = SqliteReader(path)
    with pytest.raises(Unavailable, match=r"the metadata at position 20 is damaged$"):
        reader.page(1, limit=1)
    assert list(reader.problems()) == ["SQLite finds the file damaged: the metadata at position 20 is damaged"]
    reader.close()


def test_a_file_with_and_without_shapes_answers_the_same(tmp_path):
    rng = random.Random(11)
    records: list[Event] = []
    for number in range(300):
        metadata, kinds = rng.choice([*ODD, (b"", "")])
        records.append(event(contact=rng.randrange(1, 5), name=rng.randrange(1, 4), created_at=number, metadata=metadata, kinds=kinds))
    told = []
    for after in (1, 1_000_000):
        store = SqliteStore(tmp_path / f"{after}.db", shape_after=after, keys_a_table=KEYS)
        append(store, records, batch=7)
        told.append(everything(store, contacts=[1, 2, 3, 4], names=[1, 2, 3]))
        store.close()
    assert told[0] == told[1]
