"""SQLite files as we open them: the log is measured rightly, stays short, and nobody's locks are lost by looking at it."""

import sqlite3
import subprocess
import sys

import pytest

from trackrecord.disk import start_writing
from trackrecord.sqlite import Checkpointer, connect


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "a.db"
    db = connect(path)
    db.execute("CREATE TABLE t (x)")
    yield path, db
    db.close()


def frames(db):
    """What SQLite itself says of its log's length; nothing is copied while a reader stands at its start."""
    return db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]


def test_the_log_is_as_long_as_sqlite_says_in_its_first_round_and_in_later_ones(written):
    path, db = written
    checkpointer = Checkpointer(path)
    for rows in (1, 200, 3, 50):
        db.execute(
            "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT zeroblob(3000) FROM n",
            (rows,),
        )
        looked = checkpointer._log_round()[1]
        assert looked == frames(db) > 0  # and the checkpoint behind frames() starts the next round
    checkpointer.close()


def test_looking_at_the_log_drops_no_locks(written):
    """A second process that opens the file must not take itself for the first one, which would empty the log's index."""
    path, db = written
    checkpointer = Checkpointer(path)
    reader = connect(path, readonly=True)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    checkpointer._log_round()
    asked = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1], timeout=0).execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone())"
    db.execute("INSERT INTO t VALUES (1)")
    told = subprocess.run([sys.executable, "-c", asked, str(path)], capture_output=True, text=True, check=True)
    assert told.stdout.split()[0] == "1"  # busy: the reader's lock stands
    reader.execute("COMMIT")
    reader.close()
    checkpointer.close()


def test_a_file_under_any_name_can_be_read(tmp_path):
    folder = tmp_path / "a%20b?c#d"
    folder.mkdir()
    db = connect(folder / "x.db")
    db.execute("CREATE TABLE t (x)")
    reader = connect(folder / "x.db", readonly=True)
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("INSERT INTO t VALUES (1)")
    reader.close()
    db.close()


def test_closing_while_the_log_is_being_copied_ends(written):
    path, db = written
    for _ in range(50):
        checkpointer = Checkpointer(path, limit_bytes=0, look_every=1)
        db.execute("INSERT INTO t VALUES (zeroblob(100000))")
        checkpointer.poke(db)
        checkpointer.close()


def test_a_log_written_over_itself_is_as_it_was(written):
    path, db = written
    db.execute("INSERT INTO t VALUES (zeroblob(3000000))")
    reader = connect(path, readonly=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchone()
    log = path.with_name("a.db-wal").read_bytes()
    checkpointer = Checkpointer(path)
    checkpointer.make_sure(db)
    assert path.with_name("a.db-wal").read_bytes() == log
    db.execute("INSERT INTO t VALUES (1)")
    assert reader.execute("SELECT count(*) FROM t").fetchone() == (1,)
    reader.close()
    checkpointer.close()
    assert db.execute("SELECT count(*) FROM t").fetchone() == (2,)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_log_of_an_earlier_round_counts_for_nothing_when_a_new_one_is_begun_to_be_written(written):
    path, db = written
    checkpointer = Checkpointer(path, look_every=1)
    for _ in range(3):
        db.execute("INSERT INTO t VALUES (zeroblob(30000))")
        checkpointer.poke(db)
        assert checkpointer._begun == checkpointer._log_round()
        frames(db)  # the next round starts
    checkpointer.close()


def test_beginning_to_write_changes_nothing_and_says_nothing_about_a_file_that_is_not_open(tmp_path):
    path = tmp_path / "x"
    with open(path, "wb", buffering=0) as file:
        file.write(b"a" * 5000)
        start_writing(file.fileno(), 0, 5000)
        start_writing(file.fileno(), 4000, 100_000)
        closed = file.fileno()
    start_writing(closed, 0, 5000)
    assert path.read_bytes() == b"a" * 5000
