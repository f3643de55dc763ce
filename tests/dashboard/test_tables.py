"""What stands on a page in part comes as a file whole, and no cell of it is one that a spreadsheet would run."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest
from looking import EMAIL, Looker, Shown

FORMULA = "=1+1"
COUNT = 70  # more events of Ann than a page has
WHEN = 1_790_000_000
ISO = "2026-09-21T14:13:19Z"  # WHEN - 1


@pytest.fixture(scope="module")
def api(shown: Shown) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shown.url, headers={"Authorization": f"Bearer {shown.server.token}"}) as http:
        yield http


@pytest.fixture(scope="module")
def ann(api: httpx.Client) -> Any:
    """A contact with events of two names, one of them sent twice; another is archived."""
    ann = api.post("/contacts", json={"external_id": "ann", "name": FORMULA, "email": "ann@example.com"}).json()
    gone = api.post("/contacts", json={"external_id": "gone", "name": FORMULA}).json()
    api.post(f"/contacts/{gone['id']}/archive").raise_for_status()
    events = [
        {"event_name": "walked" if n else FORMULA, "created_at": WHEN - 1 - n, "user_id": "ann", "metadata": {"n": n, "f": FORMULA}}
        for n in range(COUNT)
    ]
    assert api.post("/-/api/import/events", content="\n".join(map(json.dumps, events))).json()["new"] == COUNT
    api.post("/events", json=events[0]).raise_for_status()
    return ann


def links(looker: Looker, path: str) -> list[str]:
    page = looker.get(path)
    assert page.status == 200, page.words
    return [unescape(each) for each in re.findall(r'href="([^"]+)" download>[^<]*<svg[^>]*>.*?</svg> As CSV', page.text)]


def table(looker: Looker, path: str, place: int = 0) -> list[dict[str, str]]:
    """The file that a link of a page leads to."""
    file = looker.get(links(looker, path)[place])
    assert (file.status, file.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w%.-]+\.csv", file.headers["content-disposition"])
    return list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))


def test_the_timeline_is_every_event_of_the_contact_or_those_of_a_name(looker: Looker, ann: Any) -> None:
    rows = table(looker, f"contacts/{ann['id']}", 1)
    assert [json.loads(row["metadata"])["n"] for row in rows] == list(range(COUNT))
    assert rows[0] == {
        "event_name": f"'{FORMULA}",
        "created_at": ISO,
        "intercom_user_id": ann["id"],
        "user_id": "ann",
        "email": "ann@example.com",
        "metadata": f'{{"n":0,"f":"{FORMULA}"}}',
    }
    assert {row["event_name"] for row in table(looker, f"contacts/{ann['id']}?name=walked", 1)} == {"walked"}


def test_the_summary_has_every_name_as_the_api_counts_it(looker: Looker, api: httpx.Client, ann: Any) -> None:
    told = api.get("/events", params={"type": "user", "user_id": "ann", "summary": "true"}).json()["events"]
    rows = table(looker, f"contacts/{ann['id']}")
    assert [(row["name"].removeprefix("'"), int(row["count"]), row["first"], row["last"]) for row in rows] == [
        (each["name"], each["count"], each["first"].replace(".000Z", "Z"), each["last"].replace(".000Z", "Z")) for each in told
    ]


@pytest.mark.usefixtures("ann")
def test_the_latest_events_of_a_name_are_all_of_them(looker: Looker) -> None:
    assert len(table(looker, "events/name?name=walked", -1)) == COUNT - 1


def test_live_has_a_row_for_each_time_that_an_event_came(looker: Looker, ann: Any) -> None:
    rows = table(looker, "live")
    assert [row["outcome"] for row in rows[:2]] == ["duplicate", "stored"]
    assert (rows[0]["event_name"], rows[0]["created_at"], rows[0]["intercom_user_id"]) == (f"'{FORMULA}", ISO, ann["id"])
    assert int(rows[0]["number"]) > int(rows[1]["number"])


@pytest.mark.usefixtures("ann")
def test_what_a_search_found_is_the_contacts_and_the_names(looker: Looker) -> None:
    contacts, names = (table(looker, "find?q=%3D1", place) for place in (0, 1))
    assert [row["name"] for row in contacts] == [f"'{FORMULA}"]
    assert [row["name"] for row in names] == [f"'{FORMULA}"]


@pytest.mark.usefixtures("ann")
def test_who_is_hidden_is_listed_with_since_when(looker: Looker) -> None:
    (row,) = table(looker, "contacts/archived")
    assert (row["external_id"], row["name"], row["blocked_at"]) == ("gone", f"'{FORMULA}", "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["archived_at"])


def test_people_are_listed_with_their_roles(looker: Looker) -> None:
    assert [(row["email"], row["role"], row["state"]) for row in table(looker, "settings/people")] == [(EMAIL, "admin", "active")]


def test_tokens_are_listed_without_what_they_open(shown: Shown, looker: Looker) -> None:
    looker.get("settings/tokens")
    looker.post("settings/tokens", {"name": FORMULA, "scope": "write_events"})
    rows = {row["name"]: row for row in table(looker, "settings/tokens")}
    made = rows[f"'{FORMULA}"]
    assert (made["scopes"], made["last_used_at"], made["revoked_at"]) == ("write_events", "", "")
    assert not [row for row in rows.values() if shown.server.token in row.values()]
