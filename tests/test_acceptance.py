"""The main job on real input: a project's history as events, in by every door, and the record compared with known answers."""

import gzip
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from intercom import Intercom

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
TOKEN = "acceptance-token"
ONE_BY_ONE = 500  # events sent singly, by the official client

pytestmark = pytest.mark.skipif(not (DATA / "expected.json").exists(), reason="the real event stream is not beside this checkout")


class Serving:
    """The server as a user starts it, by its command."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(data), "--port", "0", "--token", TOKEN]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found.group()
                return
        raise AssertionError("the server ended before it told its address")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return self.process.returncode


def run(*arguments: str, cwd: Path) -> dict:
    """A command of ours with --json; its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "trackrecord", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in arguments else {}


def bring_in(noun: str, url: str, cwd: Path) -> tuple[int, int, int]:
    told = run("import", noun, str(DATA / f"{noun}.ndjson.gz"), "--url", url, "--token", TOKEN, "--json", cwd=cwd)
    return told["new"], told["duplicate"], told["refused"]


def lines(path: Path) -> list[dict]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def timeline(client: httpx.Client, user_id: str) -> list[dict]:
    """All events of a contact, by following pages.next."""
    found: list[dict] = []
    url = f"/events?type=user&user_id={user_id}&per_page=150"
    while url:
        page = client.get(url).raise_for_status().json()
        found += page["events"]
        url = page["pages"].get("next")
    return found


def told_by_server(url: str, expected: dict) -> list[dict]:
    """What the server says of the ten busiest users, in the form of expected.json."""
    found = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for user in expected["top_users"]:
            answer = client.get("/events", params={"type": "user", "user_id": user["user_id"], "summary": "true"}).raise_for_status().json()
            rows = {
                row["name"]: {"count": row["count"], "first": seconds(row["first"]), "last": seconds(row["last"])}
                for row in answer["events"]
            }
            found.append({"user_id": answer["user_id"], "total": sum(row["count"] for row in rows.values()), "events": rows})
    return found


def test_a_real_stream_goes_in_by_every_door_and_comes_out_once(tmp_path):
    expected = json.loads((DATA / "expected.json").read_text())
    sent = lines(DATA / "events.ndjson.gz")
    serving = Serving(tmp_path / "record")
    try:
        assert bring_in("contacts", serving.url, tmp_path) == (2347, 0, 0)

        # Some hundred one by one. A lead's events go by the contact's own id, as the official client's users must.
        run("export", "contacts", "--data", str(tmp_path / "record"), "--out", str(tmp_path / "contacts.ndjson"), cwd=tmp_path)
        rows = [json.loads(line) for line in (tmp_path / "contacts.ndjson").read_text().splitlines()]
        people = {row.get("external_id") or row["anonymous_id"]: row for row in rows}
        roles = Counter(person["role"] for person in people.values())
        assert {"total": len(people), **roles} == expected["contacts"]
        client = Intercom(token=TOKEN, base_url=serving.url)
        for event in sent[:ONE_BY_ONE]:
            person = people[event["user_id"]]
            whose = {"user_id": event["user_id"]} if person["role"] == "user" else {"id": person["id"]}
            client.events.create(request={**event, "user_id": None, **whose} if "id" in whose else event)
        first = {(event["user_id"], event["event_name"], event["created_at"]) for event in sent[:ONE_BY_ONE]}

        distinct, duplicates = expected["distinct_user_name_second"], expected["duplicates"]
        assert bring_in("events", serving.url, tmp_path) == (distinct - len(first), duplicates + len(first), 0)

        assert told_by_server(serving.url, expected) == expected["top_users"]
        with httpx.Client(base_url=serving.url, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            busiest = expected["top_users"][0]
            listed = timeline(http, busiest["user_id"])
            assert len({event["id"] for event in listed}) == len(listed) == busiest["total"]
            assert Counter(event["event_name"] for event in listed) == {name: row["count"] for name, row in busiest["events"].items()}
            assert [event["created_at"] for event in listed] == sorted((event["created_at"] for event in listed), reverse=True)

        run("export", "events", "--data", str(tmp_path / "record"), "--out", str(tmp_path / "once.ndjson"), cwd=tmp_path)
        exported = [json.loads(line) for line in (tmp_path / "once.ndjson").read_text().splitlines()]
        assert len(exported) == distinct
        assert Counter(event["event_name"] for event in exported) == expected["per_event_name"]
        years = Counter(str(datetime.fromtimestamp(event["created_at"], UTC).year) for event in exported)
        assert years == expected["per_year_utc"]

        # All of it a second time, after a restart: nothing changes.
        assert serving.stop() == 0
        serving = Serving(tmp_path / "record")
        assert bring_in("contacts", serving.url, tmp_path) == (0, 2347, 0)
        assert bring_in("events", serving.url, tmp_path) == (0, expected["lines"], 0)
        assert told_by_server(serving.url, expected) == expected["top_users"]
        assert run("check", "--data", str(tmp_path / "record"), "--json", cwd=tmp_path)["problems"] == []
        assert serving.stop() == 0
        run("export", "events", "--data", str(tmp_path / "record"), "--out", str(tmp_path / "twice.ndjson"), cwd=tmp_path)
        assert (tmp_path / "twice.ndjson").read_bytes() == (tmp_path / "once.ndjson").read_bytes()
    finally:
        if serving.process.poll() is None:
            serving.process.kill()
            serving.process.wait()


def test_the_stream_goes_straight_into_a_directory_and_on_to_another_server_unchanged(tmp_path):
    """Import without a server, export, import elsewhere: the second record equals the first."""
    exports = []
    for number, (contacts, events) in enumerate(
        [(DATA / "contacts.ndjson.gz", DATA / "events.ndjson.gz"), ("contacts-0.csv", "events-0.csv")]
    ):
        record = str(tmp_path / f"record-{number}")
        for noun, source in (("contacts", contacts), ("events", events)):
            told = run("import", noun, str(source), "--data", record, "--json", cwd=tmp_path)
            assert told["refused"] == 0
        for noun in ("contacts", "events"):
            run("export", noun, "--data", record, "--out", f"{noun}-{number}.csv", cwd=tmp_path)
        exports.append([(tmp_path / f"{noun}-{number}.csv").read_bytes() for noun in ("contacts", "events")])
    assert exports[0] == exports[1]
