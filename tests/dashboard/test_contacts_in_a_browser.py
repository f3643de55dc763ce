"""The pages of contacts in Chromium: searched as one types, scrolled to the end, used by keyboard and on a phone."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from looking import Shown, Tab
from playwright.sync_api import expect

WHEN = 1_790_000_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def api(shown: Shown) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shown.url, headers={"Authorization": f"Bearer {shown.server.token}"}, timeout=30) as http:
        yield http


def make(api: httpx.Client, **fields: Any) -> Any:
    answer = api.post("/contacts", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def busy(api: httpx.Client) -> Any:
    """A contact with 260 events of 20 names, and everything else that one can have."""
    contact = make(
        api, external_id="busy", name="Busy Bee", email="busy@example.com", custom_attributes={"plan": "pro", "site": "https://example.com"}
    )
    events = [
        {"event_name": f"did-{n % 20:02}", "created_at": WHEN - n * 5_000, "id": contact["id"], "metadata": {"n": n}} for n in range(260)
    ]
    assert api.post("/-/api/import/events", content="\n".join(map(json.dumps, events))).status_code == 200
    for tag in ("VIP", "T" * 255):
        api.post("/tags", json={"name": tag, "users": [{"id": contact["id"]}]}).raise_for_status()
    return contact


@pytest.fixture(scope="module")
def crowd(api: httpx.Client) -> None:
    """120 contacts, in two plans."""
    lines = [
        {"external_id": f"crowd-{n}", "name": f"Crowd {n:03}", "custom_attributes": {"team": "red" if n % 2 else "blue", "size": n}}
        for n in range(120)
    ]
    assert api.post("/-/api/import/contacts", content="\n".join(map(json.dumps, lines))).status_code == 200


def found(tab: Tab) -> list[str]:
    names: list[str] = tab.page.locator("#found tbody tr:not(.more) td:first-child a").all_inner_texts()
    return names


def scroll_to_the_end(tab: Tab) -> None:
    """Until no more can be loaded."""
    while tab.page.locator("tr.more").count():
        address = tab.page.locator("tr.more").get_attribute("hx-get")
        tab.page.locator("tr.more").scroll_into_view_if_needed()
        tab.page.wait_for_function("address => document.querySelector('tr.more')?.getAttribute('hx-get') !== address", arg=address)


@pytest.mark.usefixtures("crowd")
def test_who_is_searched_for_appears_as_one_types_and_the_address_says_so(tab: Tab, busy: Any) -> None:
    tab.open("contacts")
    tab.page.keyboard.press("Tab")
    tab.page.locator("#q").focus()
    tab.page.keyboard.type("busy b", delay=30)
    tab.page.wait_for_function("() => document.querySelectorAll('#found tbody tr').length === 1")
    assert found(tab) == [busy["name"]]
    tab.page.wait_for_url("**/contacts?q=busy+b")
    assert tab.page.evaluate("document.activeElement.id") == "q"
    tab.page.reload()
    assert (found(tab), tab.page.input_value("#q")) == ([busy["name"]], "busy b")


@pytest.mark.usefixtures("crowd")
def test_the_list_loads_on_while_it_is_scrolled(tab: Tab) -> None:
    tab.open("contacts?field=name&op=starts&value=Crowd&sort=name")
    scroll_to_the_end(tab)
    assert found(tab) == [f"Crowd {n:03}" for n in range(120)]


@pytest.mark.usefixtures("crowd")
def test_back_leads_to_where_the_list_was_left(tab: Tab) -> None:
    tab.open("contacts?field=name&op=starts&value=Crowd&sort=name")
    scroll_to_the_end(tab)
    there = tab.page.get_by_role("link", name="Crowd 110")
    there.click()
    tab.page.wait_for_selector("h1 >> text=Crowd 110")
    tab.page.go_back()
    expect(there).to_be_in_viewport()
    assert found(tab) == [f"Crowd {n:03}" for n in range(120)]
    tab.page.reload()
    expect(there).to_be_in_viewport()
    tab.page.keyboard.press("g")
    tab.page.keyboard.press("e")
    tab.page.wait_for_selector("h1 >> text=Events")
    tab.page.go_back()
    expect(there).to_be_in_viewport()


@pytest.mark.usefixtures("crowd")
def test_conditions_are_put_together_with_the_mouse(tab: Tab) -> None:
    tab.open("contacts")
    tab.page.get_by_role("button", name="Add a condition").press("Enter")
    expect(tab.page.locator("#field-0")).to_be_focused()
    tab.page.select_option("#field-0", "custom_attributes.team")
    tab.page.wait_for_function("() => document.querySelector('#op-0 option:checked').value === 'contains'")
    tab.page.select_option("#op-0", "is")
    tab.page.wait_for_url("**op=is**")
    tab.page.fill("#value-0", "red")
    tab.page.wait_for_function("() => document.querySelector('#found .count')?.textContent.startsWith('60 ')")
    tab.page.get_by_role("button", name="Add a condition").click()
    tab.page.wait_for_selector("#field-1")
    tab.page.select_option("#field-1", "custom_attributes.size")
    tab.page.wait_for_selector("#op-1 option[value=over]", state="attached")
    tab.page.select_option("#op-1", "over")
    tab.page.wait_for_url("**op=over**")
    tab.page.fill("#value-1", "117")
    tab.page.wait_for_function("() => document.querySelector('#found .count')?.textContent.startsWith('1 ')")
    assert found(tab) == ["Crowd 119"]
    tab.page.select_option("#match", "any")
    tab.page.wait_for_function("() => document.querySelector('#found .count')?.textContent.startsWith('61 ')")
    tab.page.get_by_role("button", name="Remove condition 1").press("Enter")
    expect(tab.page.get_by_role("button", name="Remove condition 1")).to_be_focused()
    tab.page.wait_for_function("() => document.querySelector('#found .count')?.textContent.startsWith('2 ')")
    tab.page.reload()
    assert sorted(found(tab)) == ["Crowd 118", "Crowd 119"]


def test_a_value_that_cannot_be_is_told_while_it_is_typed(tab: Tab) -> None:
    tab.open("contacts?field=owner_id&op=over&value=")
    tab.page.fill("#value-0", "many")
    tab.page.wait_for_selector("#found .notice.bad")
    assert "Condition 1: this must be a number, got 'many'" in tab.words
    assert tab.page.input_value("#value-0") == "many"
    tab.errors.clear()  # the browser tells of every answer that is an error


def test_a_search_that_finds_nobody_is_lifted_with_one_click(tab: Tab, busy: Any) -> None:
    tab.open(f"contacts?q={busy['external_id']}&field=role&op=is&value=lead")
    assert "Nobody is found by this" in tab.words
    tab.page.get_by_role("link", name="Role is lead").click()
    tab.page.wait_for_selector("#found table")
    assert found(tab) == [busy["name"]]


def test_the_timeline_loads_on_to_the_first_event(tab: Tab, busy: Any) -> None:
    tab.open(f"contacts/{busy['id']}")
    scroll_to_the_end(tab)
    times = tab.page.locator(".timeline tbody tr:not(.day) time").evaluate_all("all => [...new Set(all.map(time => time.dateTime))]")
    assert len(times) == 260
    assert times == sorted(times, reverse=True)
    days = tab.page.locator(".timeline tr.day").all_inner_texts()
    assert len(days) == len(set(days)) == 16


def test_the_timeline_of_one_name_is_chosen_from_a_menu(tab: Tab, busy: Any) -> None:
    tab.open(f"contacts/{busy['id']}")
    assert tab.page.locator(".summary").first.locator("tbody tr").count() == 12
    tab.page.get_by_text("8 more names").click()
    tab.page.select_option("#name", "did-07")
    tab.page.wait_for_url("**name=did-07**")
    assert tab.page.locator(".timeline tbody tr:not(.day)").count() == 13


def test_a_lead_is_merged_into_a_user_by_keyboard_alone(tab: Tab, api: httpx.Client) -> None:
    lead = make(api, role="lead", name="Keyed Lead")
    user = make(api, external_id="keyed", name="Keyed User")
    event = {"event_name": "asked", "created_at": WHEN, "id": lead["id"]}
    assert api.post("/events", json=event).status_code == 202
    keys = tab.page.keyboard
    tab.open(f"contacts/{lead['id']}")
    tab.page.locator("main .menu > summary").first.focus()
    keys.press("Enter")
    keys.press("Tab")
    keys.press("Enter")
    tab.page.wait_for_url("**/merge")
    assert tab.page.evaluate("document.activeElement.id") == "q"
    keys.type("keyed user")
    tab.page.wait_for_selector("#found table")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("j")
    keys.press("Enter")
    tab.page.wait_for_url("**/merge?with=*")
    assert "Keyed Lead has 1 event, which become Keyed User's, who has 0." in tab.words
    tab.page.get_by_role("button", name="Merge the lead into the user").focus()
    keys.press("Enter")
    tab.page.wait_for_url(f"**/contacts/{user['id']}")
    assert "Keyed Lead is merged into Keyed User, with 1 event" in tab.words
    tab.open(f"contacts/{lead['id']}")
    tab.page.get_by_role("link", name="Keyed User").click()
    tab.page.wait_for_url(f"**/contacts/{user['id']}")


def test_a_contact_is_deleted_once_its_name_is_typed(tab: Tab, api: httpx.Client) -> None:
    contact = make(api, external_id="doomed", name="Doomed 👩‍👩‍👧 مرحبا")
    tab.open(f"contacts/{contact['id']}")
    tab.page.get_by_text("Actions").click()
    tab.page.get_by_role("link", name="Delete").click()
    tab.page.wait_for_url("**/delete")
    tab.page.fill("#typed", "Doomed")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(".notice.bad")
    tab.errors.clear()  # the browser tells of every answer that is an error
    tab.page.fill("#typed", contact["name"])
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/contacts")
    assert "is deleted, with its 0 events" in tab.words
    assert api.get(f"/contacts/{contact['id']}").status_code == 404


def test_a_tag_is_put_on_and_taken_off(tab: Tab, api: httpx.Client) -> None:
    contact = make(api, external_id="tagged", name="Tagged Person")
    tab.open(f"contacts/{contact['id']}")
    tab.page.fill("#tag", "New here")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Take off the tag New here").click()
    tab.page.wait_for_selector("text=is not tagged New here any more")
    assert api.get(f"/contacts/{contact['id']}/tags").json()["data"] == []


@pytest.fixture(scope="module")
def awkward(api: httpx.Client) -> list[str]:
    """Ends of addresses of pages with the longest and strangest of contacts."""
    long = make(api, external_id="x" * 255, name="N" * 255, email="l" * 240 + "@example.com", custom_attributes={"w" * 100: "v" * 5_000})
    api.post("/tags", json={"name": "G" * 255, "users": [{"id": long["id"]}]}).raise_for_status()
    event = {"event_name": "e" * 255, "created_at": WHEN, "id": long["id"], "metadata": {"k" * 100: "m" * 1_000}}
    assert api.post("/events", json=event).status_code == 202
    right_to_left, nameless = make(api, external_id="rtl", name="محمد بن عبد الله"), make(api, role="lead", phone="p" * 255)
    found = [f"contacts/{each['id']}" for each in (right_to_left, nameless)]
    found += [f"contacts/{long['id']}{end}" for end in ("", "/merge", "/archive", "/delete")]
    searches = (
        "q=NNNN",
        "field=name&op=is&value=" + "N" * 255,
        "field=last_seen_at&op=after&value=2026-01-01&field=role&op=is&value=lead&field=name&op=in&value=a",
    )
    return [*found, f"contacts/{nameless['id']}/merge?with={long['id']}", *(f"contacts?{each}" for each in searches), "contacts/archived"]


@pytest.mark.usefixtures("axe")
def test_the_pages_can_be_used_by_everybody_at_every_width(tab: Tab, busy: Any, awkward: list[str]) -> None:
    for path in (f"contacts/{busy['id']}", *awkward):
        assert tab.troubles(path) == [], path


def test_on_a_phone_one_gets_from_the_list_to_what_somebody_did(tab: Tab, busy: Any) -> None:
    tab.page.set_viewport_size(PHONE)
    tab.open(f"contacts?q={busy['external_id']}")
    tab.page.get_by_role("link", name="Busy Bee").click()
    tab.page.wait_for_url(f"**/contacts/{busy['id']}")
    tab.page.get_by_role("link", name="What happened").click()
    assert tab.page.locator(".timeline tr.day").first.is_visible()
    assert tab.page.evaluate("document.querySelector('#timeline').getBoundingClientRect().top") < PHONE["height"]
