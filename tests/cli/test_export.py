"""`trackrecord export`: everything that leaves can be brought in elsewhere, and leaves there as the same bytes."""

import csv
import gzip
import json
from typing import Any

import httpx
import pytest

from trackrecord.testing import TrackrecordServer

from .loaded import Loaded
from .shell import Shell, contact, event

CONTACTS = [
    contact(
        1, email="ann@example.com", name='Ann, "the first"', phone="+49 30 1234", custom_attributes={"plan": "pro", "seats": 5, "vip": True}
    ),
    contact(2, external_id=None, email="shared@example.com"),  # needs the address for itself when it is made
    contact(3, email="shared@example.com", signed_up_at=1_500_000_000, unsubscribed_from_emails=True, owner_id=7),  # and this one shares it
    contact(4, role="lead", external_id=None, anonymous_id="anonymous-4", email="ann@example.com"),  # a lead's address names nobody
    contact(5, external_id="007", avatar="https://example.com/ä.png", language_override="de"),
    contact(6, role="visitor", external_id=None, anonymous_id="anonymous-6"),  # in no list, and not forgotten
]
METADATA = {"price": {"amount": 2999, "currency": "eur"}, "load": 3.67, "paid": True, "text": 'a,"b"\nc\u2028'}
EVENTS = [
    event(5, whose=1, metadata=METADATA),
    event(3, whose=1),
    {"event_name": "Invited.Friend", "created_at": 1_600_000_000, "id": f"{2:024x}"},
    {"event_name": "invited-friend", "created_at": 1_600_000_001, "user_id": "anonymous-4", "metadata": {"nested": {"deep": [1, None]}}},
    {"event_name": "seen", "created_at": 1_600_000_002, "user_id": "007"},
    event(3, whose=1, distinct="made-by-the-browser"),
    {"event_name": "visited", "created_at": 1_600_000_003, "user_id": "anonymous-6"},
]

NOTHING = dict.fromkeys(
    ("email", "name", "phone", "avatar", "owner_id", "signed_up_at", "last_seen_at", "language_override", "anonymous_id", "came_by")
)


def out_event(whose: int, name: str, at: int, user_id: str | None, email: str | None, **more: Any) -> dict[str, Any]:
    told = {"event_name": name, "created_at": 1_600_000_000 + at, "intercom_user_id": f"{whose:024x}", "user_id": user_id, "email": email}
    return {**told, "metadata": {}, **more}


OUT_CONTACTS = [  # who needs its address first, then newest first, visitors last
    {**NOTHING, "unsubscribed_from_emails": False, "custom_attributes": {}, **CONTACTS[at]} for at in (1, 4, 3, 2, 0, 5)
]
OUT_EVENTS = [  # in the order they were kept
    out_event(1, "placed-order", 5, "user-1", "ann@example.com", metadata=METADATA),
    out_event(1, "placed-order", 3, "user-1", "ann@example.com"),
    out_event(2, "Invited-Friend", 0, None, "shared@example.com"),
    out_event(4, "Invited-Friend", 1, "anonymous-4", None, metadata={"nested": {"deep": [1, None]}}),
    out_event(5, "seen", 2, "007", None),
    out_event(1, "placed-order", 3, "user-1", "ann@example.com", distinct="made-by-the-browser"),
    out_event(6, "visited", 3, "anonymous-6", None),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, loaded: Loaded) -> Shell:
    """A data directory `there` with CONTACTS and EVENTS in it, whose server has ended."""
    shell = Shell(tmp_path_factory.mktemp("filled"), loaded)
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        for noun, rows in (("contacts", CONTACTS), ("events", EVENTS)):
            answer = httpx.post(
                f"{server.url}/-/api/import/{noun}",
                content="\n".join(map(json.dumps, rows)),
                headers={"Authorization": f"Bearer {server.token}"},
            )
            assert answer.json() == {"type": "import", "new": len(rows), "duplicate": 0, "refused": [], "ignored": []}
    return shell


@pytest.mark.parametrize("ending", ["ndjson", "csv.gz"])
def test_what_is_exported_and_imported_elsewhere_is_exported_there_as_the_same_bytes(ending: str, filled: Shell, shell: Shell):
    there = [filled.cwd / f"{noun}.{ending}" for noun in ("contacts", "events")]
    elsewhere = [shell.cwd / f"{noun}.{ending}" for noun in ("contacts", "events")]
    for noun, file in zip(("contacts", "events"), there, strict=True):
        assert filled.run("export", noun, "--data", "there", "--out", file).code == 0
        ran = shell.run("import", noun, file, "--data", "elsewhere", "--json")
        assert (ran.code, ran.json["duplicate"]) == (0, 0)
    for noun, file in zip(("contacts", "events"), elsewhere, strict=True):
        assert shell.run("export", noun, "--data", "elsewhere", "--out", file).code == 0
    assert [file.read_bytes() for file in elsewhere] == [file.read_bytes() for file in there]
    if ending == "ndjson":
        assert [[json.loads(line) for line in file.open()] for file in there] == [OUT_CONTACTS, OUT_EVENTS]
    else:
        with gzip.open(there[1], "rt", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["metadata"] and json.loads(row["metadata"]) for row in rows] == [row["metadata"] or "" for row in OUT_EVENTS]


FILTERS = [
    (["--name", "PLACED-order", "--name", "seen"], [0, 1, 4, 5]),
    (["--name", "invited.friend"], [2, 3]),
    (["--contact", "ANN@example.com", "--since", "1600000004"], [0]),
    (["--contact", "anonymous-4"], [3]),
    (["--contact", f"{5:024x}"], [4]),
    (["--since", "1600000001", "--until", "2020-09-13T12:26:43Z"], [3, 4]),
]


@pytest.mark.parametrize(("filters", "chosen"), FILTERS, ids=lambda value: " ".join(map(str, value))[:30])
def test_filters_choose_events(filters: list[str], chosen: list[int], filled: Shell):
    out = filled.run("export", "events", "--data", "there", *filters).out
    assert [json.loads(line) for line in out.split("\n")[:-1]] == [OUT_EVENTS[at] for at in chosen]


def test_an_export_that_cannot_be_made_leaves_the_old_file(filled: Shell):
    (filled.cwd / "old.ndjson").write_text("what was there before")
    unknown = filled.run("export", "events", "--data", "there", "--out", "old.ndjson", "--name", "sleeping")
    assert (unknown.code, unknown.err) == (
        2,
        "trackrecord: no event is called 'sleeping' in workspace trackrecord: there is placed-order, Invited-Friend, seen, visited\n",
    )
    assert (filled.cwd / "old.ndjson").read_text() == "what was there before"


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


def test_a_quick_look_shows_a_contact_and_its_events(filled: Shell):
    listed = filled.run("events", "list", "ann@example.com", "--data", "there", "--limit", "1")
    assert listed.out == (
        "when (UTC)           event         metadata\n"
        "2020-09-13 12:26:45  placed-order  price: 29.99 EUR, load: 3.67, paid: true, "
        'text: a,"b"\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}\n'
    )
    counted = filled.run("events", "summary", "--id", f"{1:024x}", "--data", "there")
    assert counted.out == (
        "event         count  first (UTC)          last (UTC)\nplaced-order      3  2020-09-13 12:26:43  2020-09-13 12:26:45\n"
    )
    shown = filled.run("contacts", "show", "--user-id", "007", "--data", "there")
    assert shown.out == (
        "field                     value\n"
        "id                        000000000000000000000005\n"
        "role                      user\n"
        "external_id               007\n"
        "avatar                    https://example.com/ä.png\n"
        "unsubscribed_from_emails  false\n"
        "language_override         de\n"
        "created_at                2023-11-14 22:13:25\n"
        "updated_at                2023-11-14 22:13:25\n"
        "\n"
        "event  count  first (UTC)          last (UTC)\n"
        "seen       1  2020-09-13 12:26:42  2020-09-13 12:26:42\n"
    )
    assert filled.run("contacts", "show", "--data", "there").err == ("trackrecord: name one contact: by WHO, --id, --user-id or --email\n")
