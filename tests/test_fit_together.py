"""Three files make a record. One that is missing, older or another server's is noticed before anybody is shown a stranger's events."""

import shutil
from pathlib import Path

import httpx
import pytest

from trackrecord.errors import DataDirectoryUnusable
from trackrecord.testing import TrackrecordServer

TOKEN = "fit-together"


def served(data: Path, *people: str) -> list[str]:
    """Start on a directory, let each of these do something, stop; return what the first one is known to have done."""
    with TrackrecordServer(data=str(data), token=TOKEN) as server, httpx.Client(base_url=server.url, auth=(TOKEN, "")) as client:
        for name in people:
            client.post("/contacts", json={"external_id": name})
            client.post("/events", json={"user_id": name, "event_name": f"{name}-was-here", "created_at": 1_600_000_000}).raise_for_status()
        listed = client.get("/events", params={"type": "user", "user_id": people[0]}).raise_for_status().json()["events"]
        return [event["event_name"] for event in listed]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert served(tmp_path / "data", "ann") == ["ann-was-here"]
    return tmp_path / "data"


def refusal(data: Path) -> str:
    with pytest.raises(DataDirectoryUnusable) as caught:
        served(data, "bob")
    return caught.value.message


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_events_without_their_directory_are_shown_to_nobody(data: Path, how: str):
    (data / "directory.db").unlink()
    if how == "empty":
        (data / "directory.db").touch()
    for _ in range(2):  # trying again does not help
        assert refusal(data) == (
            "journal.db and events.db belong to another directory.db than the one here. Put back the files of one backup, all three"
        )


def test_a_directory_older_than_the_events_is_refused(data: Path):
    shutil.copytree(data, data.parent / "before")
    served(data, "carla")
    shutil.copy(data.parent / "before" / "directory.db", data / "directory.db")
    assert refusal(data) == (
        "directory.db is older than events.db, and lacks contacts or names of its events. Put back the files of one backup, all three"
    )


def test_events_of_another_server_are_refused(data: Path, tmp_path: Path):
    served(tmp_path / "other", "dora")
    shutil.copy(tmp_path / "other" / "events.db", data / "events.db")
    assert refusal(data).startswith("events.db belongs to another directory.db than the one here.")


def test_a_lost_store_is_made_again_from_the_journal(data: Path):
    (data / "events.db").unlink()
    assert served(data, "ann") == ["ann-was-here"]


def test_a_lost_journal_goes_on_behind_the_store(data: Path):
    (data / "journal.db").unlink()
    assert served(data, "bob", "ann") == ["bob-was-here"]
    assert served(data, "ann") == ["ann-was-here"]
