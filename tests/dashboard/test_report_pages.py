"""The pages of reports: their numbers are the API's, their state is the address, and they can be used without JavaScript or a mouse."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from looking import INSIDE, Html, Looker, Shown, Tab, cells
from playwright.sync_api import expect

from trackrecord.testing import TrackrecordServer

DAY = 86_400
NOW = 1_767_225_600 + 40 * DAY + 7_200  # two o'clock of the tenth of February 2026, UTC
LONG, ODD, FORMULA = "w" * 255, "مرحبا <b>👩‍👩‍👧</b>", "=1+1"
FULL = [
    "reports/trend?event_name=visited&compare=true",
    f"reports/trend?event_name=visited&event_name={LONG}&event_name={quote(ODD)}&range=12w&measure=contacts&compare=true",
    "reports/trend?range=dates&from=2026-01-01&to=2026-01-05&event_name=bought",
    "reports/trend?range=48h",
    f"reports/funnel?step=signed+up&step=visited&step=bought&step={LONG}&within=10&unit=d&range=90d",
    "reports/retention?first_event=signed+up&return_event=visited&range=90d&period=week",
    f"reports/retention?first_event={LONG}&range=30d",
    f"reports/funnel?step={LONG}&step={quote(ODD)}&range=dates&from=2025-01-01&to=2025-01-02",
]
WRONG = [
    ("reports/trend?event_name=never", "No event is called 'never'. Events lists the names there are."),
    ("reports/trend?range=dates&from=yesterday", "From must be a date such as 2026-01-12, got 'yesterday'."),
    ("reports/trend?range=dates&from=2026-02-03&to=2026-02-01", "To must not be before from, got 2026-02-01 and 2026-02-03."),
    ("reports/trend?range=dates&from=1990-01-01&period=day", "From since to until there are more than 1,000 days;"),
    ("reports/trend?range=ever", "There is no range called 'ever'."),
    ("reports/trend?period=year", "By must be hour or day or week or month, got 'year'."),
    ("reports/trend?measure=people", "Measure must be events or contacts, got 'people'."),
    ("reports/funnel?step=visited&step=bought&within=soon", "Within must be a whole number such as 30, got 'soon'."),
    ("reports/funnel?step=visited&step=bought&within=5&unit=y", "Within must be counted in min or h or d, got 'y'."),
    ("reports/funnel?step=visited&step=bought&within=500&unit=d", "Within_s must be a whole number of seconds from 1 to 31622400"),
    ("reports/funnel?step=visited&step=never", "No event is called 'never'."),
    ("reports/retention?first_event=never", "No event is called 'never'."),
    ("reports/retention?first_event=visited&period=hour", "By must be day or week or month, got 'hour'."),
]


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """What twenty contacts did in forty days; it is two o'clock of the last."""
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        lines = [{"external_id": f"c{number}"} for number in range(20)]
        send(server, "contacts", lines)
        events: list[tuple[str, int, int]] = []
        for who in range(20):
            begun = who * 2 * DAY + 3_600
            events += [("signed up", begun, who), *(("visited", begun + again * 5 * DAY, who) for again in range(1, 4) if who % again == 0)]
            events += [("bought", begun + 6 * DAY, who)] if who % 4 == 0 else []
        events += [(name, 39 * DAY, 1) for name in (LONG, ODD, FORMULA)]
        start = NOW - 40 * DAY - 7_200
        made = [{"event_name": name, "created_at": start + after, "user_id": f"c{who}"} for name, after, who in events if after < 40 * DAY]
        send(server, "events", made)
        yield Shown(server, Looker(server.url).begin())


def send(server: TrackrecordServer, noun: str, lines: list[dict[str, Any]]) -> None:
    body = "\n".join(map(json.dumps, lines))
    taken = httpx.post(f"{server.url}/-/api/import/{noun}", content=body, headers={"Authorization": f"Bearer {server.token}"})
    assert taken.json()["new"] == len(lines), taken.text


def answer(shown: Shown, page: Html) -> Any:
    """What the call answers that the page says it is made of."""
    found = re.search(r"curl -s \\\s+'?(http[^\s']+)", unescape(page.text))
    assert found, page.words
    return httpx.get(found[1], headers={"Authorization": f"Bearer {shown.server.token}"}).raise_for_status().json()


def grouped(value: int) -> str:
    return f"{value:,}"


def test_a_trend_has_the_numbers_of_its_call(shown: Shown, looker: Looker):
    page = looker.get(FULL[0])
    data = answer(shown, page)
    assert (data["period"], len(data["periods"]), data["periods"][-1]["complete"]) == ("day", 30, False)
    assert [row[1:] for row in cells(page, "trend")] == [
        [grouped(now), grouped(before)]
        for now, before in zip(data["series"][0]["values"], data["previous"]["series"][0]["values"], strict=True)
    ]
    assert f"visited {data['series'][0]['events']} of {data['series'][0]['contacts']} contacts" in page.words
    assert page.text.count("data-incomplete") == 1


def test_a_funnel_has_the_numbers_of_its_call(shown: Shown, looker: Looker):
    page = looker.get(FULL[4])
    data = answer(shown, page)
    assert data["within_s"] == 10 * DAY
    assert [int(row[2]) for row in cells(page, "funnel")] == [step["contacts"] for step in data["steps"]] == [20, 18, 5, 0]
    assert [row[3:6] for row in cells(page, "funnel")] == [
        ["100 %", "", ""],
        ["90.0 %", "90.0 %", "2"],
        ["25.0 %", "27.8 %", "13"],
        ["0.0 %", "0.0 %", "5"],
    ]


def test_retention_has_the_numbers_of_its_call(shown: Shown, looker: Looker):
    page = looker.get(FULL[5])
    data = answer(shown, page)
    rows = [row for row in cells(page, "retention") if row[1] != "0"]
    cohorts = [cohort for cohort in data["cohorts"] if cohort["contacts"]]
    assert [int(row[1]) for row in rows] == [cohort["contacts"] for cohort in cohorts]
    for row, cohort in zip(rows, cohorts, strict=True):
        shares = [0 if not came else 100 * came / cohort["contacts"] for came in cohort["returned"]]
        assert [float(cell.removesuffix(" %")) for cell in row[2:]] == pytest.approx(shares, abs=0.051)


def test_a_segment_is_chosen_among_those_there_are(shown: Shown, looker: Looker):
    query = {"field": "external_id", "operator": "=", "value": "c1"}
    sent = {"name": "One <b>alone</b>", "query": query}
    headers = {"Authorization": f"Bearer {shown.server.token}"}
    segment = httpx.post(f"{shown.url}/-/api/segments", json=sent, headers=headers).raise_for_status().json()["id"]
    page = looker.get(f"reports/trend?event_name=signed+up&range=90d&segment_id={segment}")
    assert f'<option value="{segment}" selected>One &lt;b&gt;alone&lt;/b&gt;</option>' in page.text
    assert answer(shown, page)["segment_id"] == segment
    assert "signed up 1 of 1 contact" in page.words
    page = looker.get("reports/trend?segment_id=gone")
    assert (page.status, "There is no segment 'gone'" in page.words) == (400, True)


@pytest.mark.parametrize("address", FULL)
def test_what_a_page_shows_comes_as_csv_with_the_same_numbers(shown: Shown, looker: Looker, address: str):
    page = looker.get(address)
    link = re.search(r'href="([^"]+)" download', page.text)
    assert link, page.words
    file = looker.get(unescape(link[1]))
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    data = answer(shown, page)
    if data["type"] == "trend":
        found = [int(row[data["measure"]]) for row in rows]
        assert found == [value for series in data["series"] for value in series["values"]]
    elif data["type"] == "funnel":
        assert [int(row["contacts"]) for row in rows] == [step["contacts"] for step in data["steps"]]
    else:
        assert [int(row["returned"]) for row in rows] == [came for cohort in data["cohorts"] for came in cohort["returned"]]


def test_a_name_that_a_spreadsheet_would_run_comes_as_text(looker: Looker):
    file = looker.get(f"reports/trend?event_name={quote(FORMULA)}&format=csv")
    assert {row["event_name"] for row in csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))} == {f"'{FORMULA}"}


@pytest.mark.parametrize(("address", "says"), WRONG)
def test_what_is_wrong_is_said_above_the_form_that_keeps_what_was_chosen(looker: Looker, address: str, says: str):
    page = looker.get(address)
    assert (page.status, says in page.words) == (400, True), page.words
    assert page.text.count('role="alert"') == 1
    assert "<form" in page.text


def test_a_time_without_events_says_so_and_offers_a_longer_one(looker: Looker):
    page = looker.get("reports/trend?event_name=bought&range=dates&from=2020-01-01&to=2020-01-03")
    assert "No such event has a time in this range: from 2020-01-01 to 2020-01-03." in page.words
    longer = re.search(r'href="([^"]+)">Look at all time', page.text)
    assert longer
    assert "5" in looker.get(unescape(longer[1])).words
    for address in ("reports/funnel?step=bought&step=visited", "reports/retention?first_event=bought"):
        page = looker.get(f"{address}&range=dates&from=2020-01-01&to=2020-01-03")
        assert "Nobody began in this time" in page.words


def test_without_events_the_pages_say_what_would_be_there():
    with TrackrecordServer() as server:
        looker = Looker(server.url).begin()
        assert "Trend" in looker.get("reports").words
        for report in ("trend", "funnel", "retention"):
            page = looker.get(f"reports/{report}")
            assert page.status == 200
            assert "There are no events yet" in page.words
            assert f'href="{INSIDE}/start"' in page.text


def test_names_are_suggested_by_a_part_of_them(looker: Looker):
    piece = looker.get("reports/names?step=&step=SIT", **{"HX-Request": "true"})
    assert re.findall(r'value="([^"]*)"', piece.text) == ["visited"]


def test_the_days_are_those_of_the_workspace(shown: Shown):
    there = shown.server.server.directory
    other = there.workspaces.create("india", "India", now=0, timezone="Asia/Kolkata")
    there.names.resolve(other.number, "visited", "visited", now=0, limit=0)
    account = there.accounts.create(
        "bo@example.com", "Bo", now=NOW, role="viewer", workspaces=[other.number], password="a few words in a row"
    )
    assert account
    looker = Looker(shown.url)
    assert looker.sign_in("bo@example.com").status == 303
    page = looker.get("/-/ui/w/india/reports/trend?range=dates&from=2026-02-01&to=2026-02-02&period=day")
    assert page.status == 200, page.words
    assert "Asia/Kolkata" in page.words
    assert "since=1769884200" in unescape(page.text)  # midnight there


# --- In a browser --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("address", [*FULL, "reports/funnel", "reports/retention"])
def test_every_report_can_be_used_by_everybody(tab: Tab, address: str):
    assert tab.troubles(address) == []


def test_a_chart_is_drawn_from_the_table_beneath_it(tab: Tab):
    tab.open(FULL[0])
    tab.page.wait_for_selector(".plot canvas")
    over = tab.page.locator(".u-over")
    box = over.bounding_box()
    assert box
    over.hover(position={"x": box["width"] - 4, "y": box["height"] / 2})
    last = [text.strip() for text in tab.page.locator("table.trend tbody tr:last-child > *").all_inner_texts()]
    tip = tab.page.locator(".tip").inner_text()
    assert "still running" in tip
    assert [line.rpartition(": ")[2] for line in tip.splitlines()[1:]] == last[1:]


def test_what_is_chosen_shows_at_once_and_stands_in_the_address(tab: Tab):
    tab.open("reports/trend")
    tab.page.get_by_label("Event name", exact=True).fill("bought")
    tab.page.get_by_label("Range").focus()
    tab.page.wait_for_url("**event_name=bought**")
    assert tab.page.locator(".figure .name").inner_text() == "bought"
    tab.page.get_by_label("Range").select_option("90d")
    tab.page.wait_for_url("**range=90d**")
    expect(tab.page.locator("table.trend tbody tr")).to_have_count(90)
    assert "range=90d" in (tab.page.get_by_role("link", name="As CSV").get_attribute("href") or "")
    tab.page.reload()
    assert tab.page.get_by_label("Range").input_value() == "90d"
    assert tab.page.locator(".figure .name").inner_text() == "bought"


def test_a_funnel_is_built_with_the_keyboard_alone(tab: Tab):
    tab.open("reports/funnel")
    tab.page.get_by_label("Step 1").focus()
    tab.page.keyboard.type("signed up")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("visited")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("table.funnel")
    assert tab.page.locator("table.funnel tbody tr").count() == 2
    expect(tab.page.locator("#step-1")).to_be_focused()


def test_a_report_is_asked_for_without_javascript(shown: Shown, looker: Looker):
    page = looker.get("reports/funnel")
    assert re.search(rf'<form [^>]*action="{INSIDE}/reports/funnel"', page.text)
    fields = re.findall(r'name="(step|range|within|unit)"', page.text)
    assert fields == ["step", "step", "step", "range", "within", "unit"]
    sent = "step=signed+up&step=visited&step=&range=90d&within=30&unit=d"
    assert len(cells(looker.get(f"reports/funnel?{sent}"), "funnel")) == 2


@pytest.mark.parametrize(
    ("address", "period"),
    [
        ("reports/trend?range=all", "day"),
        ("reports/trend?range=all&period=month", "month"),
        ("reports/retention?first_event=signed+up&range=all", "day"),
    ],
)
def test_all_time_begins_with_the_first_event(shown: Shown, looker: Looker, address: str, period: str):
    page = looker.get(address)
    data = answer(shown, page)
    assert data["period"] == period
    assert data["since"] == (NOW - NOW % DAY - 40 * DAY if period == "day" else 1_767_225_600)
    assert '<option value="all" selected>' in page.text
