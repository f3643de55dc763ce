"""The pages of segments, by their HTML."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from looking import Html, Looker, Shown
from wire.client import Api

from trackrecord.testing import TrackrecordServer

NOW = 1_700_000_000
DAY = 86_400
HOSTILE = "<script>alert(1)</script> \u202eolleh\u202c 🦑 " + "x" * 190


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        yield Shown(server, Looker(server.url).begin())


@pytest.fixture(scope="module")
def api(shown: Shown) -> Api:
    """With three users: ada ordered three times, bob once, cyd never; and a lead."""
    api = Api(shown.server)
    for name, times in (("ada", 3), ("bob", 1), ("cyd", 0)):
        api.contact(
            external_id=name, name=name.title(), email=f"{name}@example.com", custom_attributes={"plan": "pro" if name != "cyd" else "free"}
        )
        for days in range(times):
            assert api.submit(user_id=name, event_name="ordered", created_at=NOW - days * 10 * DAY - 60).status == 202
    api.contact(role="lead", name="Lee")
    return api


def row(field: str, op: str, value: str = "", **event: str) -> list[tuple[str, str]]:
    parts = {"field": field, "op": op, "value": value, "event": "", "window": "", "days": "", "since": "", "until": "", **event}
    return list(parts.items())


def ordered(op: str, value: str = "", **window: str) -> list[tuple[str, str]]:
    return row("event.count", op, value, event="ordered", **window)


def build(looker: Looker, *rows: list[tuple[str, str]], path: str = "segments/new", **more: str) -> Html:
    return looker.get(f"{path}?{urlencode([*more.items(), *(pair for each in rows for pair in each)])}")


def submit(looker: Looker, *rows: list[tuple[str, str]], path: str = "segments/new", **more: str) -> Html:
    build(looker)
    fields: dict[str, Any] = {"do": "save", **more}
    for each in rows:
        for key, value in each:
            fields.setdefault(key, []).append(value)
    return looker.post(path, fields)


def segment(api: Api, name: str, query: Any, **more: Any) -> str:
    answer = api.post("/-/api/segments", {"name": name, "query": query, **more})
    assert answer.status == 200, answer
    id: str = answer.json["id"]
    return id


ORDERED = {"field": "event.count", "event_name": "ordered", "operator": ">=", "value": 2, "within_days": 30}


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        ([], {}, "Users in it now 3"),
        ([], {"person_type": "contact"}, "Lead in it now 1"),
        ([ordered("from", "2")], {}, "User in it now 1"),
        ([ordered("never")], {}, "User in it now 1"),
        ([ordered("is", "1"), row("custom_attributes.plan", "is", "free")], {}, "Users in it now 0"),
        ([ordered("is", "1"), row("custom_attributes.plan", "is", "free")], {"match": "any"}, "Users in it now 2"),
        ([ordered("from", "3", window="days", days="15")], {}, "Users in it now 0"),
        ([ordered("from", "1", window="dates", since="2023-11-01", until="2023-11-10")], {}, "User in it now 1"),
        ([row("event.last", "within", "7", event="ordered")], {}, "Users in it now 2"),
        ([row("event.first", "longer", "7", event="ordered")], {}, "User in it now 1"),
        ([row("event.first", "before", "2023-11-01", event="ordered")], {}, "User in it now 1"),
        ([ordered("from", "")], {}, "Users in it now 3 Conditions that still lack something are left out"),
        ([ordered("from", "1", window="days")], {}, "Users in it now 3 Conditions that still lack something are left out"),
    ],
)
def test_the_size_follows_the_conditions(looker: Looker, rows: Any, more: dict[str, str], said: str):
    page = build(looker, *rows, **more)
    assert page.status == 200
    assert said in page.words


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ordered("from", "many")], "Condition 1: This must be a whole number, got 'many'"),
        ([ordered("from", "1"), ordered("from", "1", window="days", days="0")], "Condition 2: Within days must be from 1 to 36500, got 0"),
        ([row("custom_attributes.nothing", "is", "x")], "Custom_attributes.nothing is not a valid search field"),
    ],
)
def test_what_is_wrong_is_said_at_its_condition(looker: Looker, rows: Any, said: str):
    page = build(looker, *rows)
    assert page.status == 400
    assert said in page.words
    assert 'aria-invalid="true"' in page.text


@pytest.mark.usefixtures("api")
def test_conditions_are_added_and_removed_without_javascript(looker: Looker):
    page = build(looker, ordered("from", "2"), add="contact")
    assert page.text.count('role="group"') == 2
    answer = submit(looker, ordered("from", "2"), row("email", "contains", "x"), do="show", drop="0", name="Kept")
    page = looker.follow(answer)
    assert page.text.count('role="group"') == 1
    assert 'value="Kept"' in page.text
    assert 'value="x"' in page.text


def test_a_segment_is_built_seen_edited_and_deleted(looker: Looker, api: Api):
    saved = looker.follow(
        submit(looker, ordered("from", "2", window="days", days="30"), row("custom_attributes.plan", "is", "pro"), name="Buyers")
    )
    assert "Buyers is made" in saved.words
    assert "Users in it now 1" in saved.words
    assert "All of these hold did ordered at least 2 times in the last 30 days plan is pro" in saved.words
    assert "Ada" in saved.words
    assert "Bob" not in saved.words
    found = next(each for each in api.get("/segments").json["segments"] if each["name"] == "Buyers")
    kept = api.get(f"/-/api/segments/{found['id']}").json
    assert kept["query"] == {"operator": "AND", "value": [ORDERED, {"field": "custom_attributes.plan", "operator": "=", "value": "pro"}]}
    edited = looker.get(f"segments/{found['id']}/edit")
    assert edited.text.count('role="group"') == 2
    assert 'value="Buyers"' in edited.text
    changed = looker.follow(submit(looker, ordered("never"), path=f"segments/{found['id']}/edit", name="Idle"))
    assert "Idle is changed" in changed.words
    assert "did ordered never" in changed.words
    assert "Cyd" in changed.words
    asked = looker.get(f"segments/{found['id']}/delete")
    assert "Its contacts and their events stay as they are" in asked.words
    gone = looker.follow(looker.post(f"segments/{found['id']}/delete"))
    assert "The segment Idle is deleted" in gone.words
    assert looker.get(f"segments/{found['id']}").status == 404


@pytest.mark.usefixtures("api")
def test_a_segment_that_lacks_something_is_not_saved(looker: Looker):
    nameless = submit(looker, ordered("from", "2"))
    assert (nameless.status, "Name must have at least one character" in nameless.words) == (400, True)
    unfinished = submit(looker, ordered("from", "2"), ordered("from", ""), name="Half")
    assert (unfinished.status, "Fill this in, or remove the condition" in unfinished.words) == (400, True)
    assert 'value="Half"' in unfinished.text


def test_a_query_that_rows_cannot_say_is_edited_in_the_apis_own_words(looker: Looker, api: Api):
    nested = {"operator": "OR", "value": [ORDERED, {"operator": "AND", "value": [ORDERED]}]}
    id = segment(api, "Nested", nested)
    assert (
        "in the API&#39;s own words" in looker.get(f"segments/{id}/edit").text
        or "in the API's own words" in looker.get(f"segments/{id}/edit").text
    )
    assert looker.get(f"segments/{id}").status == 200
    answer = submit(looker, path=f"segments/{id}/edit", name="Nested", query='{"field": "role", "operator": "=", "value": "user"}')
    assert "Nested is changed" in looker.follow(answer).words
    broken = submit(looker, path=f"segments/{id}/edit", name="Nested", query="{")
    assert broken.status == 400


def test_the_list_has_sizes_as_the_api_has_them(looker: Looker, api: Api):
    id = segment(api, "Listed", ORDERED)
    page = looker.get("segments")
    assert "Listed" in page.words
    piece = looker.get(f"segments/{id}/size", **{"hx-request": "true"})
    assert piece.words == str(api.get(f"/-/api/segments/{id}?include_count=true").json["count"]) == "1"
    rows = list(csv.DictReader(io.StringIO(looker.get("segments?format=csv").text.removeprefix("\ufeff"))))
    assert [(each["name"], each["count"]) for each in rows if each["id"] == id] == [("Listed", "1")]


def test_sizes_are_drawn_from_the_day_they_were_first_counted(looker: Looker, shown: Shown, api: Api):
    id = segment(api, "Growing", ORDERED)
    directory = shown.server.server.directory.segments
    number = directory.get(1, id).number
    for ago, count in ((3, 5), (1, 7)):
        directory.note_sizes({number: count}, day=NOW // DAY - ago)
    words = looker.get(f"segments/{id}").words
    assert "11 Nov 5 12 Nov – 13 Nov 7 14 Nov 1" in words
    assert 'class="spark"' in looker.get("segments").text


def test_why_somebody_is_in_or_out_is_said_with_what_decides(looker: Looker, api: Api):
    id = segment(api, "Twice", {"operator": "AND", "value": [ORDERED, {"field": "email", "operator": "~", "value": "example"}]})
    page = looker.get(f"segments/{id}/why?q=bob@example.com")
    assert "Out : Bob is not in this segment now" in page.words
    assert "ordered was done once in the last 30 days; at least 2 are needed" in page.words
    assert "In : Ada is in this segment now" in looker.get(f"segments/{id}/why?q=Ada").words
    several = looker.get(f"segments/{id}/why?q=example")
    assert several.text.count("contact=") == 3
    assert "Nobody is called so" in looker.get(f"segments/{id}/why?q=zzz").words
    assert looker.get(f"segments/{id}/why?contact=zzz").status == 404


def test_members_are_walked_and_exported(looker: Looker, api: Api):
    everybody = segment(api, "Everybody", {"field": "id", "operator": "!=", "value": None})
    page = looker.get(f"segments/{everybody}")
    assert all(name in page.words for name in ("Ada", "Bob", "Cyd"))
    (address,) = re.findall(r'href="([^"]+format=csv[^"]*)"', page.text)
    assert len(looker.get(unescape(address)).text.splitlines()) == 4


def test_names_of_strangers_are_text_and_nothing_else(looker: Looker, api: Api):
    id = segment(api, HOSTILE, {"field": "event.count", "event_name": HOSTILE, "operator": ">", "value": 0})
    for path in ("segments", f"segments/{id}", f"segments/{id}/edit", f"segments/{id}/delete", f"segments/{id}/why?q={HOSTILE[:20]}"):
        page = looker.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
    api.delete(f"/-/api/segments/{id}")


def test_a_viewer_looks_and_builds_and_changes_nothing(shown: Shown, api: Api):
    directory = shown.server.server.directory
    account = directory.accounts.create("vera@example.com", "Vera", now=NOW, role="viewer", workspaces=[1], password="a few other words")
    viewer = Looker(shown.url)
    viewer.http.cookies.set("trackrecord_session", directory.sessions.create(account.number, now=NOW))
    id = segment(api, "Seen", ORDERED)
    page = viewer.get(f"segments/{id}")
    assert (page.status, "Delete" in page.words, "Ada" in page.words) == (200, False, True)
    built = build(viewer, ordered("from", "2"))
    assert ("User in it now 1" in built.words, "Save segment" in built.words) == (True, False)
    viewer.get("start")
    assert viewer.post("segments/new", {"do": "save", "name": "x"}).status == 403
    assert viewer.get(f"segments/{id}/edit").status == 403
    assert viewer.post(f"segments/{id}/delete").status == 403
