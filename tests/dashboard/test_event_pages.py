"""The pages of events: their numbers are the API's, their state is the address, and whatever names are called they show them as text."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from looking import Html, Looker, Shown, Tab, cells
from playwright.sync_api import BrowserContext, expect

from trackrecord.testing import TrackrecordServer

DAY = 86_400
NOW = 1_767_225_600 + 40 * DAY + 7_200  # two o'clock of the tenth of February 2026, UTC
LONG, ODD, SLASHED, HOSTILE = "w" * 255, "مرحبا 👩‍👩‍👧", "a/b?c=d&e#f%2F", "<script>alert(1)</script>"
BLANKS = " with blanks around it "
MANY = 120  # further names, with an event each
PAGES = [
    "events",
    "events?q=order&archived=true&sort=last_seen_at",
    "events?q=nobody+sent+this",
    "events/name?name=Placed+order&range=90d",
    "events/name?name=Placed+order&key=price&compare=no",
    f"events/name?name={LONG}",
    f"events/name?name={quote(ODD)}",
    "events/edit?name=Placed+order",
]


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """What ten contacts did in forty days; it is two o'clock of the last."""
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        send(server, "contacts", [{"external_id": f"c{number}", "email": f"c{number}@example.com"} for number in range(10)])
        events: list[tuple[str, int, int, dict[str, Any]]] = []
        for day in range(40):
            for who in range(1 + day % 10):
                plan = {"plan": ("free", "pro", "team")[(day + who) % 3], "price": {"amount": 990, "currency": "eur"}, "day": day}
                events.append(("Placed order", day * DAY + who, who, plan if day % 8 else {}))
        events += [("Asked for help", 39 * DAY + number, number % 3, {}) for number in range(5)]
        events += [(name, 39 * DAY, 1, {"<b>key</b>": "<i>value</i>"}) for name in (LONG, ODD, SLASHED, HOSTILE, "=1+1", BLANKS)]
        events += [(f"thing {number:03}", 38 * DAY, 2, {}) for number in range(MANY)]
        start = NOW - 40 * DAY - 7_200
        sent = [{"event_name": n, "created_at": start + after, "user_id": f"c{who}", "metadata": data} for n, after, who, data in events]
        send(server, "events", sent)
        yield Shown(server, Looker(server.url).begin())


def send(server: TrackrecordServer, noun: str, lines: list[dict[str, Any]]) -> None:
    taken = httpx.post(f"{server.url}/-/api/import/{noun}", content="\n".join(map(json.dumps, lines)), headers=access(server))
    assert taken.json()["new"] == len(lines), taken.text


def access(server: TrackrecordServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token}"}


def calls(page: Html) -> list[str]:
    """The addresses that the page says its figures come from, GETs alone."""
    return re.findall(r"curl -s \\\s+'?(http[^\s']+/-/api/(?!events/)[^\s']+)", unescape(page.text))


def answers(shown: Shown, page: Html) -> list[Any]:
    return [httpx.get(call, headers=access(shown.server)).raise_for_status().json() for call in calls(page)]


def names(page: Html) -> list[str]:
    return [row[0] for row in cells(page, "catalogue") if len(row) > 1]


def link(page: Html, words: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>(?:<[^>]*>|\s)*{words}', page.text)
    assert found, page.words
    return unescape(found[1])


# The catalogue.


def test_before_the_first_event_the_catalogue_says_how_one_is_sent():
    with TrackrecordServer() as server:
        words = Looker(server.url).begin().get("events").words
        assert "No event has come yet" in words
        assert '"event_name":"signed-up"' in words


def test_the_catalogue_has_the_numbers_of_its_call_most_first(shown: Shown, looker: Looker):
    page = looker.get("events")
    (data,) = answers(shown, page)
    assert data["total_count"] == 8 + MANY
    assert names(page)[:2] == ["Placed order", "Asked for help"]
    rows = [row for row in cells(page, "catalogue") if len(row) > 1]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        (" ".join(each["name"].split()), f"{each['count']:,}", f"{each['contacts']:,}") for each in data["data"]
    ]
    days = data["data"][0]["days"]
    label = re.search(r'<svg class="spark".*?aria-label="([^"]+)"', page.text)
    assert label
    assert label[1] == f"{sum(days)} in the last 30 days, {days[-1]} today"


def test_the_catalogue_goes_on_and_misses_none(shown: Shown, looker: Looker):
    page, found = looker.get("events?sort=name&order=desc"), list[str]()
    while True:
        found += names(page)
        if "More names" not in page.words:
            break
        page = looker.get(link(page, "More names"), **{"hx-request": "true"})
        assert "<html" not in page.text
        page = page._replace(text=f'<table class="rows catalogue"><tbody>{page.text}</tbody>')
    listed = httpx.get(f"{shown.url}/-/api/event-names?per_page=150", headers=access(shown.server)).json()["data"]
    assert len(found) == 8 + MANY
    assert found == [" ".join(each["name"].split()) for each in reversed(listed)]


@pytest.mark.parametrize("key", ["name", "count", "contacts", "first_seen_at", "last_seen_at"])
def test_every_column_sorts_both_ways(shown: Shown, looker: Looker, key: str):
    for order in ("asc", "desc"):
        page = looker.get(f"events?sort={key}&order={order}")
        values = [each[key].casefold() if key == "name" else each[key] for each in answers(shown, page)[0]["data"]]
        assert values == sorted(values, reverse=order == "desc")
        assert page.text.count("aria-sort") == 1
        other = re.findall(r'<th scope="col"[^>]*aria-sort[^>]*><a href="([^"]+)"', page.text)[0]
        assert dict(parse_qsl(urlsplit(unescape(other)).query))["order"] == ("desc" if order == "asc" else "asc")


def test_a_text_finds_names_in_any_case_and_what_they_were_called_before(looker: Looker):
    assert names(looker.get("events?q=PLACED")) == ["Placed order"]
    page = looker.get("events?q=zzz")
    assert "No active name has zzz in it." in page.words
    assert len(names(looker.get(link(page, "Show all names")))) == 50


def test_the_catalogue_comes_as_csv_whole(shown: Shown, looker: Looker):
    file = looker.get(link(looker.get("events?q=e"), "As CSV"))
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    listed = httpx.get(
        f"{shown.url}/-/api/event-names?per_page=150&query=e&include_activity=1&sort=count", headers=access(shown.server)
    ).json()
    assert [(row["name"], int(row["count"]), int(row["contacts"]), int(list(row.values())[-1])) for row in rows] == [
        (each["name"], each["count"], each["contacts"], each["days"][-1]) for each in listed["data"]
    ]
    formula = looker.get("events?q=%3D1&format=csv").text
    assert "'=1+1" in formula  # no spreadsheet runs it


# One name.


def test_a_name_has_the_numbers_of_its_calls(shown: Shown, looker: Looker):
    page = looker.get("events/name?name=placed+order&key=plan")
    trend, breakdown, top = answers(shown, page)
    assert [each["type"] for each in (trend, breakdown, top)] == ["trend", "breakdown", "top_contacts"]
    assert [(each["since"], each["until"]) for each in (breakdown, top)] == [(trend["since"], trend["until"])] * 2
    now, before = trend["series"][0], trend["previous"]["series"][0]
    assert [row[1:] for row in cells(page, "trend")] == [
        [str(value), str(earlier)] for value, earlier in zip(now["values"], before["values"], strict=True)
    ]
    assert f"{now['events']} events of {now['contacts']} contacts, +" in page.words
    assert cells(page, "breakdown") == [
        *([f"{row['value']} text", str(row["events"]), f"{100 * row['events'] / breakdown['events']:.1f} %", str(row["contacts"])]
          for row in breakdown["data"]),
        ["without plan", str(breakdown["without_key"]), f"{100 * breakdown['without_key'] / breakdown['events']:.1f} %", ""],
    ]  # fmt: skip
    assert [(row[0], int(row[1])) for row in cells(page, "top")] == [(each["email"], each["count"]) for each in top["data"]]
    latest = re.findall(r'<tr class="event[^>]*data-position="(\d+)"', page.text)
    assert len(latest) == 20
    older = looker.get(link(page, "Older events"), **{"hx-request": "true"})
    assert set(latest).isdisjoint(re.findall(r'data-position="(\d+)"', older.text))


def test_the_values_of_a_key_are_a_piece_that_is_asked_for_when_it_is_wanted(looker: Looker):
    page = looker.get("events/name?name=Placed+order")
    address = re.search(r'class="loading" hx-get="([^"]+)"', page.text)
    assert address
    piece = looker.get(unescape(address[1]), **{"hx-request": "true"})
    assert "<html" not in piece.text
    assert sorted(row[0] for row in cells(piece, "breakdown")[:3]) == ["free text", "pro text", "team text"]
    money = looker.get("events/name?name=Placed+order&key=price")
    assert [row[0] for row in cells(money, "breakdown")] == ["9.90 EUR money", "without price"]
    many = looker.get("events/name?name=Placed+order&key=day&range=90d")
    assert "23 other values" in many.words


@pytest.mark.parametrize("table", ["trend", "top-contacts", "breakdown"])
def test_each_table_of_a_name_comes_as_csv(shown: Shown, looker: Looker, table: str):
    page = looker.get("events/name?name=Placed+order&key=plan&range=7d")
    links = [unescape(each) for each in re.findall(r'href="([^"]+)" download', page.text)]
    address = next(each for each in links if table in each or (table == "trend" and "table=" not in each))
    rows = list(csv.DictReader(io.StringIO(looker.get(address).text.removeprefix("\ufeff"))))
    data = next(each for each in answers(shown, page) if each["type"] == table.replace("-", "_"))
    if table == "trend":
        assert [int(row["events"]) for row in rows] == data["series"][0]["values"]
    elif table == "top-contacts":
        assert [(row["email"], int(row["count"])) for row in rows] == [(each["email"], each["count"]) for each in data["data"]]
    else:
        assert [(row["value"], int(row["events"])) for row in rows[:3]] == [(each["value"], each["events"]) for each in data["data"]]


def test_what_cannot_be_shown_is_told_and_the_page_stays(looker: Looker):
    page = looker.get("events/name?name=Placed+order&range=ever")
    assert (page.status, "There is no range called 'ever'" in page.words, "Latest" in page.words) == (400, True, True)
    page = looker.get("events/name?name=never")
    assert (page.status, "No event is called 'never' in this workspace" in page.words) == (404, True)
    assert looker.get("events/name").status == 404


@pytest.mark.parametrize("name", [LONG, ODD, SLASHED, HOSTILE, BLANKS])
def test_a_name_of_any_kind_is_text_and_leads_to_its_page(looker: Looker, name: str):
    page = looker.get("events?q=" + quote(name[:100], safe=""))
    assert "<script>alert" not in page.text
    found = looker.get(re.findall(r'<td><a href="([^"]+)"', page.text)[0].replace("&amp;", "&"))
    assert found.status == 200
    assert f"<h1>{name}</h1>" in unescape(found.text).replace("\n", "")
    assert "<script>alert" not in found.text
    assert "<b>key</b>" not in found.text


# Changing a name.


def test_a_name_is_described_renamed_archived_and_brought_back(looker: Looker):
    page = looker.follow(looker.post("events/edit?name=thing+001", {"name": "Thing one", "description": "The first."}))
    assert "It is called Thing one from now on" in page.words
    assert "The first. Formerly thing 001" in page.words
    assert looker.get("events/name?name=thing+001").status == 200
    assert names(looker.get("events?q=thing+001")) == ["Thing one The first."]
    page = looker.follow(looker.post("events/archive?name=Thing+one", {"archived": "true"}))
    assert "It is out of the catalogue. Its events stay where they are" in page.words
    assert "No active name has Thing one in it." in looker.get("events?q=Thing+one").words
    assert names(looker.get("events?q=Thing+one&archived=true")) == ["Thing one archived The first."]
    assert "Back in the catalogue" in looker.follow(looker.post("events/archive?name=Thing+one", {"archived": "false"})).words
    assert looker.post("events/edit?name=Thing+one", {"name": "thing 001", "description": ""}).status == 303
    described = looker.post(f"events/edit?name={quote(BLANKS)}", {"name": BLANKS.strip(), "description": "Its name stays as it is."})
    assert "Saved" in looker.follow(described).words


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"name": "PLACED ORDER", "description": ""}, 409, "There is an event name 'Placed order' already"),
        ({"name": "x" * 256, "description": ""}, 422, "Name must have at most 255 characters, got 256"),
        ({"name": "", "description": ""}, 400, "Name must not be empty"),
        ({"name": "thing 002", "description": "d" * 1_001}, None, "Description must have at most 1000 characters, got 1001"),
    ],
)
def test_what_a_name_cannot_be_is_told_at_its_field(looker: Looker, fields: dict[str, str], status: int | None, words: str):
    page = looker.post("events/edit?name=thing+002", fields)
    assert page.status == status or (status is None and 400 <= page.status < 500)
    assert words in page.words
    assert 'aria-invalid="true"' in page.text
    assert looker.get("events/name?name=thing+002").status == 200


def test_a_viewer_looks_and_changes_nothing(shown: Shown):
    account = shown.server.server.directory.accounts
    account.create("vi@example.com", "Vi", now=NOW, role="viewer", workspaces=[1], password="a few words in a row")
    viewer = Looker(shown.url)
    assert viewer.sign_in("vi@example.com", "a few words in a row").status == 303
    page = viewer.get("events/name?name=Placed+order&key=plan")
    assert (page.status, "Describe, rename or archive" in page.words, len(cells(page, "top"))) == (200, False, 10)
    assert viewer.get("events/edit?name=Placed+order").status == 403
    assert viewer.post("events/archive?name=Placed+order", {"archived": "true"}).status == 403


def test_another_workspaces_names_are_in_no_page(shown: Shown):
    directory = shown.server.server.directory
    other = directory.workspaces.create("other", "Other", now=0)
    directory.accounts.create("ot@example.com", "Ot", now=NOW, role="admin", workspaces=[other.number], password="a few words in a row")
    stranger = Looker(shown.url)
    assert stranger.sign_in("ot@example.com", "a few words in a row").status == 303
    assert "No event has come yet" in stranger.get("/-/ui/w/other/events").words
    assert stranger.get("/-/ui/w/other/events/name?name=Placed+order").status == 404
    assert stranger.get("events").status in (403, 404)


def test_a_time_with_nothing_in_it_leads_to_one_that_has_something(looker: Looker):
    page = looker.get("events/name?name=Placed+order&range=dates&from=2020-01-01&to=2020-01-02")
    assert "Nothing in the time shown; the newest is of" in page.words
    (address,) = re.findall(r'<a href="([^"]+)">Show the month up to it', page.text)
    assert "Nothing in the time shown" not in looker.get(unescape(address)).words


# In a browser.


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_accessible_and_fits_a_phone(tab: Tab, address: str):
    assert tab.troubles(address) == []


def test_the_values_of_a_key_come_by_themselves_and_another_is_chosen(tab: Tab):
    tab.open("events/name?name=Placed+order")
    rows = tab.page.locator("table.breakdown tbody tr")
    expect(rows.first).to_contain_text("text")
    tab.page.select_option("#key", "price")
    expect(rows.first).to_contain_text("9.90 EUR")


def test_the_catalogue_is_walked_by_keys_and_goes_on_when_it_is_scrolled(tab: Tab):
    tab.open("events?sort=name")
    rows = tab.page.locator("table.catalogue tbody tr:not(.more)")
    expect(rows).to_have_count(50)
    tab.page.mouse.wheel(0, 20_000)
    expect(rows).to_have_count(100)
    tab.open("events")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("h1")).to_have_text("Placed order")


def test_everything_can_be_read_without_javascript(context: BrowserContext, shown: Shown):
    browser = context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(f"{shown.url}/-/ui/w/trackrecord/events/name?name=Placed+order")
    page.click("text=Count the values of")
    assert page.locator("table.breakdown tbody tr").count() >= 3
    page.goto(f"{shown.url}/-/ui/w/trackrecord/events")
    page.click("text=More names")
    assert page.locator("table.catalogue tbody tr").count() > 1
    plain.close()
