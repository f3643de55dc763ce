"""`trackrecord events` and `trackrecord contacts`: whom they find, and what they say of whom they do not."""

from pathlib import Path

import httpx
import pytest

from trackrecord.cli import run
from trackrecord.testing import TrackrecordServer

from .shell import Shell, contact, event

NOBODY = "workspace trackrecord has no contact with the"
TWO = "2 users have the email 'ann@example.com': choose one with --user-id user-1 or --user-id 'user 2'"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two users who share an address, three events of the first, and 40 more that only a summary counts."""
    data = tmp_path_factory.mktemp("look") / "there"
    shared = {"email": "ann@example.com"}
    with TrackrecordServer(data=str(data)) as server, httpx.Client(base_url=server.url) as client:
        client.headers["Authorization"] = f"Bearer {server.token}"
        for row in (contact(1, name="Ann", **shared), contact(2, **shared | {"external_id": "user 2"})):
            assert client.post("/-/api/import/contacts", json=row).json()["new"] == 1
        for number in range(3):
            assert client.post("/events", json=event(number, whose=1)).status_code == 202
        known = {"user_id": "user-1", "event_summaries": {"event_name": "seen", "count": 40}}
        assert client.post("/events/summaries", json=known).status_code == 200
    return data


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["events", "list", "ann@example.com"], 2, TWO),
        (["contacts", "show", "--email", "ann@example.com"], 2, TWO),
        (["contacts", "show", "nobody"], 1, f"{NOBODY} id, external id, anonymous id or email 'nobody'"),
        (
            ["events", "summary", "--user-id", "nobody"],
            1,
            f"{NOBODY} external id or anonymous id 'nobody'",
        ),
        (["events", "list", "--id", "0"], 1, f"{NOBODY} id '0'"),
    ],
)
def test_whom_it_cannot_tell_it_says_how_to_name(
    there: Path, arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
):
    said = sentence if code == 2 else f"{sentence}; trackrecord export contacts prints them all"
    assert (run([*arguments, "--data", str(there)]), *capsys.readouterr()) == (code, "", f"trackrecord: {said}\n")


def test_a_list_counts_the_events_it_could_show_and_no_baseline(there: Path, shell: Shell):
    assert shell.at_terminal("events", "list", "user-1", "--data", there).endswith("\n\n3 events of Ann\n")
    some = shell.at_terminal("events", "list", "user-1", "--limit", "2", "--data", there)
    assert some.endswith("\n\nthe newest 2 events of Ann; --limit says how many to show\n")


@pytest.mark.parametrize("name", ["directory.db", "events.db", "journal.db"])
def test_a_damaged_file_is_told_with_what_to_do(shell: Shell, name: str):
    shell.write("contacts.ndjson", [contact(1)])
    assert shell.run("import", "contacts", "contacts.ndjson", "--data", "there").code == 0
    (shell.cwd / "there" / name).write_text("a shopping list, rather longer than a page header. " * 100)
    ran = shell.run("serve", "--data", "there", "--port", "0")
    assert (ran.code, ran.out, name in ran.err) == (1, "", True)
    assert ran.err.endswith(
        "file is not a database. Put back the files of one backup, all three; trackrecord check tells which of them are damaged\n"
    )
