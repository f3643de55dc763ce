"""What is erased is gone: from every answer at once, and soon from every byte of the data directory. A crash only delays it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_server import Client, RealServer
from wire.client import Api, until

from trackrecord import backup
from trackrecord.check import check
from trackrecord.stores.base import EventReader, Selection
from trackrecord.testing import TrackrecordServer

TOKEN = "a-token-for-tests"
SECRET = "the-name-of-the-fish"
WHEN = 1_600_000_000


def found_in(data: Path, text: str) -> list[str]:
    """The files of a data directory that hold a text anywhere, free pages and logs included."""
    holding = []
    for path in sorted(data.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            if text.encode() in path.read_bytes():
                holding.append(path.name)
    return holding


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextlib.contextmanager
def served(data: Path) -> Iterator[Api]:
    with TrackrecordServer(data=str(data), token=TOKEN) as server:
        yield Api(server)


def told(store: EventReader) -> dict[str, Any]:
    """What a store tells of the first people and names of the first workspace."""
    numbers = range(1, 5)
    return {
        "pages": [store.page(number, limit=100) for number in numbers],
        "summaries": [store.summary(number) for number in numbers],
        "receipts": [store.receipt(position) for position in range(30)],
        "name_totals": store.name_totals(1),
        "name_keys": store.name_keys(1),
        "day_totals": [store.day_totals(number, first=0, last=30_000) for number in numbers],
        "found": store.search(Selection(1), limit=100, look_max=1_000),
        "merged": store.merged(),
        "erased": store.erased(),
    }


def ask(api: Api, question: Any = told) -> Any:
    return api.server.call(api.server.server.reads.ask, question)


def someone(api: Api, name: str, **metadata: Any) -> Any:
    """A user who did three things, one of them twice, and brought a summary along."""
    contact = api.contact(external_id=name)
    for number in (1, 2, 3, 3):
        assert api.submit(event_name="fed-fish", created_at=WHEN + number, user_id=name, metadata=metadata).status == 202
    summary = {"event_name": "fed-fish", "count": 7, "first": WHEN - 9, "last": WHEN - 5}
    assert api.post("/events/summaries", {"user_id": name, "event_summaries": summary}).status == 200
    return contact


def test_a_deleted_contacts_metadata_is_soon_in_no_file_and_others_keep_theirs(data: Path):
    with served(data) as api:
        ann = someone(api, "ann", fish=SECRET)
        bob = someone(api, "bob", fish="bobs-own-fish")
        assert ask(api, lambda store: store.cursor()) == 10
        assert {name.partition(".")[0] for name in found_in(data, SECRET)} == {"journal", "events"}
        assert api.delete(f"/contacts/{ann['id']}").status == 200
        until(lambda: found_in(data, SECRET) == [])
        assert {name.partition(".")[0] for name in found_in(data, "bobs-own-fish")} == {"journal", "events"}
        assert [row["created_at"] for row in api.events(bob)] == [WHEN + 3, WHEN + 2, WHEN + 1]
        assert [row["count"] for row in api.summary(bob)] == [10]
    assert found_in(data, SECRET) == []
    assert check(data).problems == []


def test_a_deleted_events_metadata_is_soon_in_no_file_and_its_copies_go_with_it(data: Path):
    with served(data) as api:
        ann = someone(api, "ann", fish=SECRET)
        assert api.submit(event_name="fed-fish", created_at=WHEN + 9, user_id="ann", metadata={"fish": "another"}).status == 202
        api.server.call(api.server.server.ingest.remove, 1, [1, 2, 3, 77])
        assert [row["created_at"] for row in api.events(ann)] == [WHEN + 9]
        assert [row["count"] for row in api.summary(ann)] == [8]
        until(lambda: found_in(data, SECRET) == [])
        assert [api.get(f"/-/api/receipts/{position}").json["outcome"] for position in (1, 2, 3, 4, 6)] == ["erased"] * 4 + ["stored"]
        again = api.submit(event_name="fed-fish", created_at=WHEN + 1, user_id="ann")
        assert api.receipt(again)["outcome"] == "stored"
    assert check(data).problems == []


def test_a_server_killed_after_a_deletion_cleanses_its_files_when_it_is_back(data: Path):
    with RealServer(data) as server, Client(server.url) as client:
        _, _, ann = client.ask("POST", "/contacts", {"external_id": "ann"})
        for number in range(500):
            event = {"user_id": "ann", "event_name": "fed-fish", "created_at": WHEN + number, "metadata": {"fish": SECRET}}
            assert client.ask("POST", "/events", event)[0] == 202
        assert client.ask("DELETE", f"/contacts/{ann['id']}")[0] == 200
        server.kill()
    assert found_in(data, SECRET) != []
    with RealServer(data) as server, Client(server.url) as client:
        until(lambda: found_in(data, SECRET) == [])
        assert client.ask("GET", "/events?type=user&user_id=ann")[0] == 404
        assert server.terminate()[0] == 0
    assert check(data).problems == []


def erased_and_merged(data: Path) -> Any:
    """A server's life with a deletion, a merge and a removal; what its store tells at the end, all cleansed."""
    with served(data) as api:
        someone(api, "ann", fish=SECRET)
        bob = someone(api, "bob", fish="bobs", food="flakes")
        lead = api.contact(role="lead")
        assert api.submit(event_name="fed-fish", created_at=WHEN + 3, id=lead["id"], metadata={"fish": SECRET}).status == 202
        assert api.submit(event_name="fed-fish", created_at=WHEN + 4, id=lead["id"], metadata={"tank": 4}).status == 202
        assert api.submit(event_name="fed-fish", created_at=WHEN + 5, user_id="bob", metadata={"fish": SECRET}).status == 202
        assert api.post("/contacts/merge", {"from": lead["id"], "into": bob["id"]}).status == 200
        assert api.submit(event_name="fed-fish", created_at=WHEN + 6, id=lead["id"]).status == 202
        places = {stored.event.created_at - WHEN: stored.position for stored in ask(api)["found"].events if stored.event.contact == 2}
        assert sorted(places) == [1, 2, 3, 4, 5, 6]
        api.server.call(api.server.server.ingest.remove, 1, [places[3], places[5]])
        assert api.delete(f"/contacts/{api.get('/contacts/find_by_external_id/ann').json['id']}").status == 200
        until(lambda: found_in(data, SECRET) == [])
        assert [row["created_at"] - WHEN for row in api.events(bob)] == [6, 4, 2, 1]
        return ask(api)


def test_a_store_rebuilt_from_a_cleansed_journal_answers_as_the_one_that_was_lost(data: Path):
    before = erased_and_merged(data)
    (data / "events.db").unlink()
    with served(data) as api:
        until(lambda: ask(api)["receipts"] == before["receipts"])
        assert ask(api) == before
    assert check(data).problems == []


def test_a_backup_made_while_cleansing_is_owed_is_cleansed_by_whoever_serves_it(data: Path):
    copy = data.with_name("copy")
    with served(data) as api:
        ann = someone(api, "ann", fish=SECRET)
        assert api.delete(f"/contacts/{ann['id']}").status == 200
        backup.copy(data, copy)
        until(lambda: found_in(data, SECRET) == [])
    owed = sqlite3.connect(copy / "journal.db").execute("SELECT count(*) FROM owed").fetchone()
    assert owed == (1,)
    assert found_in(copy, SECRET) != []
    with served(copy):
        until(lambda: found_in(copy, SECRET) == [])
    assert check(copy).problems == []


def test_a_merge_the_journal_never_heard_of_is_journalled_at_the_next_start(data: Path):
    with served(data) as api:
        bob = someone(api, "bob")
        lead = api.contact(role="lead")
        assert api.submit(event_name="fed-fish", created_at=WHEN + 8, id=lead["id"]).status == 202
        number = ask(api, lambda store: store.search(Selection(1), limit=1, look_max=9)).events[0].event.contact
    with sqlite3.connect(data / "directory.db") as db:  # as a crash between the directory's write and the journal's leaves it
        db.execute("UPDATE contacts SET merged_into = 1 WHERE number = ?", (number,))
        db.execute("INSERT INTO merges VALUES (?, 1, 1, ?, 'lead', ?)", (number, lead["id"], WHEN))
    db.close()
    with served(data) as api:
        until(lambda: ask(api, lambda store: store.merged()) == {number: 1})
        assert [row["created_at"] - WHEN for row in api.events(bob)] == [8, 3, 2, 1]
    assert check(data).problems == []


PERSON = "zoe.marked-person"


def test_a_deleted_contact_is_soon_in_no_file_and_others_are_left(data: Path):
    """Not in directory.db, not in its log, and not in the log of refused requests: neither what it was called nor what it had."""
    with served(data) as api:
        bob = api.contact(external_id="bob", email="bob@example.com", name="bobs-own-name")
        zoe = api.contact(external_id=PERSON, email=f"{PERSON}@example.com", name=PERSON, custom_attributes={"note": PERSON})
        assert api.post("/contacts", {"external_id": PERSON}).status == 409
        assert api.get(f"/contacts/find_by_external_id/{PERSON}x").status == 404  # somebody else, whose name begins so
        assert api.submit(event_name="fed-fish", created_at=WHEN, user_id="bobby").status == 404
        assert api.put(f"/contacts/{zoe['id']}", {"email": PERSON}).status == 400
        assert api.delete(f"/contacts/{zoe['id']}").status == 200
        assert api.submit(event_name="fed-fish", created_at=WHEN, email="nobody@example.com").status == 404
        until(lambda: api.get("/-/api/requests").json["total_count"] == 3)
        until(lambda: found_in(data, zoe["id"]) == [])
        until(lambda: found_in(data, f"{PERSON}@") == [])
        assert {name.partition(".")[0] for name in found_in(data, PERSON)} == {"requests"}  # who begins so
        assert api.get(f"/contacts/{bob['id']}").json == bob
        noted = api.get("/-/api/requests").json["data"]
        assert [each["cause"] for each in noted] == [
            "no contact of this workspace has email 'nobody@example.com'",
            "no contact of this workspace has user_id 'bobby'",
            noted[2]["cause"],
        ]
        assert noted[2]["path"].endswith(f"{PERSON}x")


def test_who_was_merged_is_soon_in_no_file_under_what_the_user_did_not_take_over(data: Path):
    with served(data) as api:
        lead, user = api.contact(role="lead", email=f"{PERSON}@example.com", phone=PERSON), api.contact(external_id="ann", phone="+1")
        holder = api.contact(email=f"{PERSON}@example.com")
        assert api.put(f"/contacts/{holder['id']}", {"email": "another@example.com"}).status == 200
        assert api.put(f"/contacts/{user['id']}", {"email": "ann@example.com"}).status == 200
        assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
        until(lambda: found_in(data, PERSON) == [])
        assert api.get(f"/contacts/{user['id']}").json["email"] == "ann@example.com"


def test_who_was_merged_into_a_deleted_contact_is_soon_in_no_file_either(data: Path):
    with served(data) as api:
        lead, user = api.contact(role="lead"), api.contact(external_id="ann")
        called = api.get(f"/events?intercom_user_id={lead['id']}&type=user&summary=true").json["user_id"]
        assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
        assert api.get(f"/contacts/{lead['id']}").status == 404
        assert api.get(f"/visitors?user_id={called}").status == 404
        assert api.get("/-/api/requests").json["total_count"] == 2
        assert {"requests"} < {name.partition(".")[0] for name in [*found_in(data, lead["id"]), *found_in(data, called)]}
        assert api.delete(f"/contacts/{user['id']}").status == 200
        until(lambda: found_in(data, lead["id"]) == [])
        until(lambda: found_in(data, called) == [])


@pytest.mark.parametrize("how", ["merged", "converted", "converted in 1.x"])
def test_an_address_that_is_nobodys_after_a_merge_is_soon_in_no_refused_request(data: Path, how: str):
    with served(data) as api:
        address = f"{PERSON}@example.com"
        user = api.contact(external_id="ann", email="ann@example.com")
        if how == "converted":
            assert api.post("/-/api/import/contacts", {"role": "visitor", "user_id": "seen", "email": address}).json["new"] == 1
            lead = api.get("/visitors?user_id=seen").json
        else:
            lead = api.contact(role="lead", email=address)
        assert api.submit(event_name="fed-fish", created_at=WHEN, email=address).status == 404
        assert api.submit(event_name="fed-fish", created_at=WHEN, email="bob@example.com").status == 404
        merged = {
            "merged": lambda: api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}),
            "converted": lambda: api.post("/visitors/convert", {"visitor": {"id": lead["id"]}, "user": {"id": user["id"]}, "type": "user"}),
            "converted in 1.x": lambda: api.post(
                "/contacts/convert", {"contact": {"id": lead["id"]}, "user": {"user_id": "ann"}}, "Intercom-Version: 1.4"
            ),
        }
        assert merged[how]().status == 200
        until(lambda: api.get("/-/api/requests").json["total_count"] == 1)
        until(lambda: found_in(data, address) == [])
        (noted,) = api.get("/-/api/requests").json["data"]
        assert noted["cause"] == "no contact of this workspace has email 'bob@example.com'"


def test_a_log_that_a_reader_needs_is_cut_when_it_has_done(data: Path):
    with served(data) as api:
        zoe = api.contact(external_id=PERSON)
        with contextlib.closing(sqlite3.connect(data / "directory.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM contacts").fetchone() == (1,)
            assert api.delete(f"/contacts/{zoe['id']}").status == 200
            ann = api.contact(external_id="ann")  # nobody waits for it
            until(lambda: "directory.db" in {name.removesuffix("-wal") for name in found_in(data, PERSON)})
            reader.execute("COMMIT")
            until(lambda: found_in(data, PERSON) == [])
        assert api.get(f"/contacts/{ann['id']}").json == ann


def test_a_server_killed_after_deleting_a_contact_takes_it_from_the_log_when_it_is_back(data: Path):
    with RealServer(data) as server, Client(server.url) as client, contextlib.closing(sqlite3.connect(data / "directory.db")) as reader:
        _, _, zoe = client.ask("POST", "/contacts", {"external_id": PERSON})
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM contacts").fetchone() == (1,)  # keeps the log as it is
        assert client.ask("DELETE", f"/contacts/{zoe['id']}")[0] == 200
        server.kill()
        assert found_in(data, PERSON) != []  # in the log, or in the file where the log was cut before the reader came
    with RealServer(data) as server:
        until(lambda: found_in(data, PERSON) == [])
        assert server.terminate()[0] == 0
