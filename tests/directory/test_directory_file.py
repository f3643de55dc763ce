import hashlib
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from trackrecord.directory import Directory, schema
from trackrecord.directory.engine import Database
from trackrecord.errors import DataDirectoryUnusable, DataInvalid, NotFound
from trackrecord.rules.contacts import Draft
from trackrecord.rules.profiles import PROFILES

LENIENT = PROFILES["lenient"]


def test_a_new_file_has_a_salt_that_stays(path):
    first = Directory.open(path)
    salt = first.salt
    first.close()
    again = Directory.open(path)
    again.close()
    assert (len(salt), again.salt) == (16, salt)


def test_two_files_have_different_salts(tmp_path):
    both = [Directory.open(tmp_path / name) for name in ("a.db", "b.db")]
    assert both[0].salt != both[1].salt
    for each in both:
        each.close()


def _run(path, statement):
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(statement).fetchall()


def _made(path):
    """What a file says it is made of, in words, and at which step it is."""
    made = sorted(
        " ".join(sql.replace('"', "").split())
        for name, sql in _run(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        if not name.startswith("sqlite_")
    )
    return made, _run(path, "SELECT version_num FROM alembic_version")


def test_migrations_lead_to_the_tables_the_program_uses(path, tmp_path, directory):
    stepped = Database(tmp_path / "stepped.db")
    with stepped.writing() as connection:
        schema._migrate(connection)
    stepped.close()
    assert _made(path) == _made(tmp_path / "stepped.db")


def test_contacts_from_before_they_were_counted_are_counted(path, directory, workspace):
    directory.contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    directory.contacts.create(workspace, Draft(role="lead"), now=20, profile=LENIENT)
    gone = directory.contacts.create(workspace, Draft(external_id="71"), now=20, profile=LENIENT)
    directory.archiving.archive(workspace, gone.id, now=30)
    directory.close()
    for trigger in ("in", "out", "on"):
        _run(path, f"DROP TRIGGER contacts_counted_{trigger}")
    _run(path, "DROP TABLE contact_counts")
    _run(path, "UPDATE alembic_version SET version_num = '0006'")
    again = Directory.open(path)
    assert again.contacts.counted(workspace) == ({"lead": 1, "user": 1},) * 2
    assert again.contacts.list(workspace, limit=1)[1] == 2
    again.close()


def test_every_migration_is_listed_in_order():
    config = Config()
    config.set_main_option("script_location", "trackrecord.directory:migrations")
    steps = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(step.revision for step in steps)[::-1] == schema.REVISIONS


# Steps that a release had. Files were made by them, so they are never edited: to change the tables, add a step. Each release adds
# the steps that it brings; those behind are the next release's, and may still change.
RELEASED = {"0001_first_tables.py": "dec06835239bd496cbaa32b5b8e9ae1d6e757b9493cea3473e6e440e76b4bb56"}


@pytest.mark.parametrize("name", RELEASED)
def test_a_migration_that_was_released_is_never_edited(name):
    step = (Path(schema.__file__).parent / "migrations" / "versions" / name).read_bytes()
    assert hashlib.sha256(step).hexdigest() == RELEASED[name]


@pytest.mark.parametrize("name", ["new.db", "there.db"])
def test_opening_a_file_that_is_new_or_up_to_date_leaves_alembic_unloaded(name, tmp_path):
    path = tmp_path / name
    if name == "there.db":
        Directory.open(path).close()
    program = (
        "import sys; from pathlib import Path; from trackrecord.directory import Directory\n"
        "Directory.open(Path(sys.argv[1])).close()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('alembic', 'mako')])"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    Directory.open(path).close()
    _run(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataDirectoryUnusable) as caught:
        Directory.open(path)
    assert caught.value.message == (
        f"{path} was made by a newer version of Trackrecord (its tables are at 9999, this version knows up to {schema.HEAD}): "
        "start that version or a later one, or choose another data directory"
    )
    assert _run(path, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_file_with_other_tables_is_refused_and_left_alone(path):
    _run(path, "CREATE TABLE songs (title TEXT)")
    with pytest.raises(DataDirectoryUnusable, match="holds other tables than ours"):
        Directory.open(path)
    assert _run(path, "SELECT name FROM sqlite_master") == [("songs",)]


def test_what_is_no_database_is_refused(path):
    path.write_text("a shopping list, rather longer than a page header. " * 100)
    with pytest.raises(DataDirectoryUnusable, match="damaged, or no SQLite file"):
        Directory.open(path)


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataDirectoryUnusable, match=r"missing.directory\.db cannot be opened"):
        Directory.open(tmp_path / "missing" / "directory.db")


def test_many_may_open_a_new_file_at_once(path):
    opened, start = [], threading.Barrier(6)

    def run():
        start.wait()
        opened.append(Directory.open(path))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.salt for each in opened}) == 1
    assert len(opened) == 6
    for each in opened:
        each.close()


def test_every_write_waits_for_stable_storage(path, directory):
    db = Database(path)
    with db.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    db.close()


def test_what_another_process_wrote_counts_at_once(directory, workspace, elsewhere):
    elsewhere("INSERT INTO admins (workspace, name, email, created_at) VALUES (?, 'Ada', 'ada@example.com', 5)", workspace)
    assert [admin.name for admin in directory.admins.list(workspace)] == ["Administrator", "Ada"]


def test_reads_go_on_while_a_write_waits(directory, workspace, path):
    contact = directory.contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")  # another process is writing
    db.execute("DELETE FROM contacts")
    assert directory.contacts.get(workspace, contact.id) == contact
    db.execute("ROLLBACK")
    db.close()


FULL_DISK = """
import resource, sys
from pathlib import Path
from trackrecord.directory import Directory
from trackrecord.errors import Unavailable
from trackrecord.rules.contacts import Draft
from trackrecord.rules.profiles import PROFILES

path = Path(sys.argv[1])
directory = Directory.open(path)
workspace = directory.workspaces.create("full", "Full", now=10).number
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
kept = []
try:
    while True:
        kept.append(directory.contacts.create(workspace, Draft(name="x" * 255), now=20, profile=PROFILES["lenient"]))
except Unavailable as error:
    print(error.status, error.code, len(kept) > 0)
print(directory.contacts.by_numbers(workspace, [contact.number for contact in kept]) == {contact.number: contact for contact in kept})
print(directory.contacts.list(workspace, limit=1)[1] == len(kept))
"""


def test_on_a_full_disk_writes_are_refused_and_nothing_kept_is_lost(path):
    ran = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout == "503 service_unavailable True\nTrue\nTrue\n"


def test_a_workspace_is_called_otherwise_and_keeps_what_is_not_named(directory, workspace):
    assert directory.workspaces.change(workspace, name="New").name == "New"
    changed = directory.workspaces.change(workspace, timezone="Asia/Tokyo")
    assert (changed.name, changed.timezone, directory.workspaces.by_number(workspace)) == ("New", "Asia/Tokyo", changed)
    for wrong, field in (({"name": ""}, "name"), ({"timezone": "Mars"}, "timezone")):
        with pytest.raises(DataInvalid) as caught:
            directory.workspaces.change(workspace, **wrong)
        assert caught.value.field == field
    with pytest.raises(NotFound):
        directory.workspaces.change(99, name="x")
    assert directory.workspaces.by_number(workspace) == changed
