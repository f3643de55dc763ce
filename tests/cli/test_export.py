"""`trackrecord export`: everything that leaves can be brought in elsewhere, and leaves there as the same bytes."""

import csv
import gzip
import json
from pathlib import Path

import httpx
import pytest

from trackrecord.testing import TrackrecordServer

from .shell import Shell, contact, event

LEAD = {"role": "lead", "external_id": None, "anonymous_id": "anonymous-4"}
CONTACTS = [
    contact(
        1, email="ann@example.com", name='Ann, "the first"', phone="+49 30 1234", custom_attributes={"plan": "pro", "seats": 5, "vip": True}
    ),
    contact(2, external_id=None, email="shared@example.com"),  # needs the address for itself when it is made
    contact(3, email="shared@example.com", signed_up_at=1_500_000_000, unsubscribed_from_emails=True, owner_id=7),
    contact(4, **LEAD, email="ann@example.com"),  # a lead's address names nobody
    contact(5, external_id="007", avatar="https://example.com/ä.png", language_override="de"),
]
EVENTS = [
    event(5, whose=1, metadata={"price": {"amount": 2999, "currency": "eur"}, "load": 3.67, "paid": True, "text": 'a,"b"\nc\u2028'}),
    event(3, whose=1),
    {"event_name": "Invited.Friend", "created_at": 1_600_000_000, "email": "shared@example.com"},
    {"event_name": "invited-friend", "created_at": 1_600_000_001, "user_id": "anonymous-4", "metadata": {"nested": {"deep": [1, None]}}},
    {"event_name": "seen", "created_at": 1_600_000_002, "user_id": "007"},
    event(3, whose=1, distinct="made-by-the-browser"),
]


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """A data directory `there` with CONTACTS and EVENTS in it."""
    bring(shell, shell.write("contacts.ndjson", [CONTACTS[1], *CONTACTS[:1], *CONTACTS[2:]]), shell.write("events.ndjson", EVENTS), "there")
    return shell


def bring(shell: Shell, contacts: str | Path, events: str | Path, data: str) -> None:
    """Import into an own directory, and be refused nothing. The email of contact 2 is sent while it is one user's alone."""
    for noun, name in (("contacts", contacts), ("events", events)):
        ran = shell.run("import", noun, name, "--data", data, "--json")
        assert (ran.code, ran.json["duplicate"]) == (0, 0), ran.err


@pytest.mark.parametrize("ending", ["ndjson", "csv", "ndjson.gz"])
def test_what_is_exported_and_imported_elsewhere_is_exported_there_as_the_same_bytes(ending: str, shell: Shell):
    first = shell.write("contacts.ndjson", CONTACTS[:2])  # then the address is shared, as it may be by a user with an external id
    rest = shell.write("rest.ndjson", CONTACTS[2:])
    events = shell.write("events.ndjson", [EVENTS[2], *EVENTS[:2], *EVENTS[3:]])
    assert shell.run("import", "contacts", first, "--data", "there").code == 0
    shell.run("import", "events", shell.write("early.ndjson", [EVENTS[2]]), "--data", "there")
    assert shell.run("import", "contacts", rest, "--data", "there").code == 0
    shell.run("import", "events", events, "--data", "there")
    out: dict[str, list[bytes]] = {}
    for data in ("there", "elsewhere"):
        for noun in ("contacts", "events"):
            assert shell.run("export", noun, "--data", data, "--out", f"{data}-{noun}.{ending}").code == 0
        out[data] = [(shell.cwd / f"{data}-{noun}.{ending}").read_bytes() for noun in ("contacts", "events")]
        if data == "there":
            bring(shell, f"there-contacts.{ending}", f"there-events.{ending}", "elsewhere")
    assert out["elsewhere"] == out["there"]
    if ending == "ndjson":
        assert [json.loads(line) for line in out["there"][0].splitlines()] == [
            {**EMPTY, **CONTACTS[at]}
            for at in (1, 4, 3, 2, 0)  # who needs its email first, then newest first
        ]
        assert [json.loads(line) for line in out["there"][1].splitlines()] == EXPORTED_EVENTS
    if ending == "csv":
        assert list(csv.DictReader(out["there"][1].decode().splitlines(keepends=True)))[1]["metadata"] == json.dumps(
            EVENTS[0]["metadata"], ensure_ascii=False, separators=(",", ":")
        )


EMPTY = {
    "email": None, "name": None, "phone": None, "avatar": None, "owner_id": None, "signed_up_at": None, "last_seen_at": None,
    "unsubscribed_from_emails": False, "language_override": None, "anonymous_id": None, "custom_attributes": {},
}  # fmt: skip


def out_event(whose: int, name: str, at: int, user_id: str | None, email: str | None, **more: object) -> dict[str, object]:
    return {
        "event_name": name,
        "created_at": at,
        "intercom_user_id": f"{whose:024x}",
        "user_id": user_id,
        "email": email,
        "metadata": {},
        **more,
    }


EXPORTED_EVENTS = [
    out_event(2, "Invited-Friend", 1_600_000_000, None, "shared@example.com"),
    out_event(1, "placed-order", 1_600_000_005, "user-1", "ann@example.com", metadata=EVENTS[0]["metadata"]),
    out_event(1, "placed-order", 1_600_000_003, "user-1", "ann@example.com"),
    out_event(4, "Invited-Friend", 1_600_000_001, "anonymous-4", None, metadata={"nested": {"deep": [1, None]}}),
    out_event(5, "seen", 1_600_000_002, "007", None),
    out_event(1, "placed-order", 1_600_000_003, "user-1", "ann@example.com", distinct="made-by-the-browser"),
]


FILTERS = [
    ([], [1, 3, 1, 2, 5]),
    (["--name", "PLACED-order"], [1, 3, 1]),
    (["--name", "seen", "--name", "invited.friend"], [2, 5]),
    (["--contact", "user-1"], [1, 3, 1]),
    (["--contact", "anonymous-4"], [2]),
    (["--contact", "ANN@example.com", "--since", "1600000004"], [1]),
    (["--contact", f"{5:024x}"], [5]),
    (["--since", "1600000001", "--until", "2020-09-13T12:26:43Z"], [2, 5]),
]


def test_filters_choose_events(shell: Shell):
    shell.write("contacts.ndjson", [CONTACTS[0], *CONTACTS[3:]])
    shell.write("events.ndjson", [EVENTS[at] for at in (0, 1, 3, 4)])
    bring(shell, "contacts.ndjson", "events.ndjson", "there")

    def chosen(*filters: str) -> list[int]:
        return [
            json.loads(line)["created_at"] - 1_600_000_000
            for line in shell.run("export", "events", "--data", "there", *filters).out.splitlines()
        ]

    assert chosen("--name", "PLACED-order", "--name", "seen") == [5, 3, 2]
    assert chosen("--name", "invited.friend") == [1]
    assert chosen("--contact", "ANN@example.com", "--since", "1600000004") == [5]
    assert chosen("--contact", "anonymous-4") == [1]
    assert chosen("--since", "1600000002", "--until", "2020-09-13T12:26:45Z") == [3, 2]
    unknown = shell.run("export", "events", "--data", "there", "--name", "sleeping")
    assert (unknown.code, unknown.err) == (
        2,
        "trackrecord: no event is called 'sleeping' in workspace trackrecord: there is placed-order, invited-friend, seen\n",
    )


def test_a_running_server_is_exported_with_all_it_has_acknowledged(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")) as server, httpx.Client(base_url=server.url) as client:
        client.headers["Authorization"] = f"Bearer {server.token}"
        client.post("/contacts", json={"external_id": "user-1"})
        for number in range(300):
            assert client.post("/events", json=event(number, whose=1)).status_code == 202
        ran = shell.run("export", "events", "--data", "there", "--out", "events.ndjson.gz")
        shown = shell.run("events", "list", "--user-id", "user-1", "--limit", "2", "--data", "there", "--json")
    assert ran.err.startswith("300 events in events.ndjson.gz (")
    with gzip.open(shell.cwd / "events.ndjson.gz") as file:
        assert [json.loads(line)["created_at"] for line in file] == [1_600_000_000 + number for number in range(300)]
    assert [row["created_at"] for row in shown.json] == [1_600_000_299, 1_600_000_298]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(filled: Shell):
    (filled.cwd / "events.ndjson").write_text("what was there before")
    ran = filled.run("export", "events", "--data", "there", "--out", "events.ndjson", "--contact", "nobody")
    assert (ran.code, ran.err) == (1, "trackrecord: workspace trackrecord has no contact 'nobody'\n")
    assert (filled.cwd / "events.ndjson").read_text() == "what was there before"
