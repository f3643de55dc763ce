"""`trackrecord backup` and `trackrecord check`."""

import json
import shutil
import sqlite3
import threading
from pathlib import Path

import httpx
import pytest

from trackrecord import backup
from trackrecord.check import Problem, check
from trackrecord.testing import TrackrecordServer

from .shell import Shell, contact, event


def fill(server: TrackrecordServer) -> None:
    for noun, rows in (("contacts", [contact(1), contact(2)]), ("events", [event(number, whose=1 + number % 2) for number in range(20)])):
        httpx.post(
            f"{server.url}/-/api/import/{noun}",
            content="\n".join(map(json.dumps, rows)),
            headers={"Authorization": f"Bearer {server.token}"},
        ).raise_for_status()


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """A data directory `there` with two contacts and twenty events, whose server has ended."""
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        fill(server)
    return shell


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of such a directory, to be copied before it is harmed."""
    there = tmp_path_factory.mktemp("whole")
    with TrackrecordServer(data=str(there / "data")) as server:
        fill(server)
        backup.copy(there / "data", there / "copy")
    return there / "copy"


def test_a_backup_made_while_events_stream_in_is_whole(shell: Shell):
    stop = threading.Event()
    acknowledged = 0

    def stream(url: str, token: str) -> None:
        nonlocal acknowledged
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
            while not stop.is_set():
                client.post("/contacts", json={"external_id": f"new-{acknowledged}"})
                body = {"event_name": f"event-{acknowledged % 7}", "created_at": 1_600_000_000, "user_id": f"new-{acknowledged}"}
                assert client.post("/events", json=body).status_code == 202
                acknowledged += 1

    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        fill(server)
        sender = threading.Thread(target=stream, args=(server.url, server.token))
        sender.start()
        before = acknowledged
        ran = shell.run("backup", "copy", "--data", "there")
        after = acknowledged
        live = shell.run("check", "--data", "there", "--json")
        stop.set()
        sender.join()
    assert sorted(path.name for path in (shell.cwd / "copy").iterdir()) == ["directory.db", "events.db", "journal.db"]
    checked = shell.run("check", "--data", "copy", "--json")
    assert (ran.code, live.code, checked.code) == (0, 0, 0), (ran.err, live.out, checked.out)
    kept = shell.run("export", "events", "--data", "copy").out.splitlines()
    assert 20 + before <= len(kept) <= 20 + after + 1
    assert (live.json["problems"], checked.json["problems"]) == ([], [])


def test_a_backup_is_served_as_it_is(filled: Shell):
    ran = filled.run("backup", "copies/first", "--data", "there")
    assert ran.out.endswith(
        "To restore, stop the server and copy the directory back, or serve it as it is: trackrecord serve --data copies/first\n"
    )
    with filled.serving("--data", "copies/first", "--token", "a-token-for-tests") as server:
        answer = httpx.get(
            f"{server.url}/events", params={"user_id": "user-1", "per_page": 50}, headers={"Authorization": "Bearer a-token-for-tests"}
        )
    assert [row["created_at"] for row in answer.json()["events"]] == [1_600_000_018 - number for number in range(0, 20, 2)]
    again = filled.run("backup", "copies/first", "--data", "there")
    assert (again.code, again.err) == (1, "trackrecord: copies/first is not empty: name a new directory for the backup\n")
    assert [path.name for path in (filled.cwd / "copies").iterdir()] == ["first"]


def test_a_directory_in_order_is_said_to_be(filled: Shell):
    ran = filled.run("check", "--data", "there")
    assert (ran.code, ran.out) == (0, "there is in order: 1 workspace, 2 contacts, 1 event name, 20 events\n")


def harm(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as db:
        db.execute(statement)
    db.close()


HARMS = [
    ("events.db", "UPDATE name_totals SET count = count + 1", "events.db", "name 1 has a total of 21 events, and 20 are kept"),
    (
        "directory.db",
        "DELETE FROM contacts WHERE external_id = 'user-2'",
        "directory.db",
        "contact 2 is not in the directory, and 10 events of workspace trackrecord are its",
    ),
    (
        "directory.db",
        "DELETE FROM event_names",
        "directory.db",
        "name 1 is not in the directory, and 20 events of workspace trackrecord have it",
    ),
    (
        "directory.db",
        "UPDATE contact_counts SET count = 99",
        "directory.db",
        "the directory counts 99 contacts with the role user in workspace trackrecord, and lists 2",
    ),
    (
        "events.db",
        "UPDATE progress SET cursor = 99",
        "events.db",
        "the store has folded up to record 99, and the journal ends at 20: one of the two files was replaced",
    ),
    ("journal.db", "UPDATE batches SET count = 19", "journal.db", "the row at position 1 should hold 19 records and holds 20"),
]


@pytest.mark.parametrize(("harmed", "statement", "told_of", "sentence"), HARMS, ids=[row[1][:30] for row in HARMS])
def test_check_finds_what_is_wrong(harmed: str, statement: str, told_of: str, sentence: str, whole: Path, tmp_path: Path):
    shutil.copytree(whole, tmp_path / "copy")
    assert check(tmp_path / "copy").problems == []
    harm(tmp_path / "copy" / harmed, statement)
    assert Problem(told_of, sentence) in check(tmp_path / "copy").problems


def test_check_says_what_is_wrong_and_fails(whole: Path, shell: Shell):
    shutil.copytree(whole, shell.cwd / "copy")
    harm(shell.cwd / "copy" / "events.db", HARMS[0][1])
    ran = shell.run("check", "--data", "copy")
    assert (ran.code, ran.out) == (
        1,
        "events.db: name 1 has a total of 21 events, and 20 are kept\n"
        "copy: 1 problem found in 1 workspace, 2 contacts, 1 event name, 20 events\n",
    )


def test_check_finds_a_file_that_is_missing_or_damaged(whole: Path, tmp_path: Path):
    shutil.copytree(whole, tmp_path / "copy")
    store = tmp_path / "copy" / "events.db"
    store.write_bytes(store.read_bytes()[:4096] + b"\xff" * (store.stat().st_size - 4096))
    assert {problem.file for problem in check(tmp_path / "copy").problems} >= {"events.db"}
    (tmp_path / "copy" / "journal.db").unlink()
    assert check(tmp_path / "copy").problems == [Problem("journal.db", "the file is missing")]
