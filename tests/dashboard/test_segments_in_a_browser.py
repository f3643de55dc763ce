"""The pages of segments in Chromium: the size while one builds, by keyboard alone, on a phone, for everybody."""

from collections.abc import Callable, Iterator

import pytest
from looking import Looker, Shown, Tab
from playwright.sync_api import expect
from wire.client import Api

from trackrecord.testing import TrackrecordServer

NOW = 1_700_000_000
DAY = 86_400


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """With 60 users, of whom every third ordered twice, and segments with names of all kinds."""
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        api = Api(server)
        for number in range(60):
            api.contact(external_id=f"u{number}", name=f"User {number}", custom_attributes={"plan": "pro" if number % 2 else "free"})
            for days in range(2 if number % 3 == 0 else 0):
                assert api.submit(user_id=f"u{number}", event_name="ordered", created_at=NOW - days * DAY - 60).status == 202
        query = {"field": "event.count", "event_name": "ordered", "operator": ">=", "value": 2}
        for name in ("Buyers", "مستخدمون 🦑 " + "x" * 230):
            assert api.post("/-/api/segments", {"name": name, "query": query}).status == 200
        everybody = {"field": "id", "operator": "!=", "value": None}
        assert api.post("/-/api/segments", {"name": "Everybody", "query": everybody}).status == 200
        yield Shown(server, Looker(server.url).begin())


@pytest.fixture
def ids(shown: Shown) -> dict[str, str]:
    return {each["name"]: each["id"] for each in Api(shown.server).get("/segments").json["segments"]}


def figure(tab: Tab, number: int) -> None:
    expect(tab.page.locator("#found .value")).to_have_text(str(number))


def choose(tab: Tab, field: str, value: str) -> None:
    """As a reader does, who sees what came of it before going on."""
    with tab.page.expect_response("**/segments/**"):
        tab.page.select_option(field, value)
    expect(tab.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def test_the_size_follows_every_change_and_the_address_holds_it(tab: Tab, open_tab: Callable[[], Tab], ids: dict[str, str]):
    page = tab.open("segments").page
    page.click("text=New segment")
    figure(tab, 60)
    page.fill("#name", "Often")
    page.click("text=What they did")
    page.fill("#event-0", "ordered")
    page.fill("#value-0", "2")
    figure(tab, 20)
    choose(tab, "#window-0", "days")
    page.fill("#days-0", "1")
    figure(tab, 0)
    page.fill("#value-0", "1")
    figure(tab, 20)
    page.click("text=Who they are")
    choose(tab, "#field-1", "custom_attributes.plan")
    choose(tab, "#op-1", "is")
    page.fill("#value-1", "pro")
    figure(tab, 10)
    choose(tab, "#match", "any")
    figure(tab, 40)
    assert page.input_value("#name") == "Often"
    other = open_tab()
    other.page.goto(page.url)
    figure(other, 40)
    assert other.page.input_value("#name") == "Often"
    page.click("[aria-label='Remove condition 1']")
    figure(tab, 30)
    page.click("text=Save segment")
    expect(page.locator("h1")).to_have_text("Often")
    expect(page.locator(".said")).to_contain_text("Often is made")
    expect(page.locator(".figure .value").first).to_have_text("30")
    assert "Often" not in ids


def test_a_save_that_is_refused_keeps_what_was_built(tab: Tab):
    page = tab.open("segments/new").page
    page.click("text=What they did")
    page.fill("#event-0", "ordered")
    page.fill("#value-0", "2")
    figure(tab, 20)
    page.click("text=Save segment")
    expect(page.locator("#found")).to_contain_text("Name must have at least one character")
    assert page.input_value("#event-0") == "ordered"
    tab.errors.clear()  # Chromium complains of every 400
    page.fill("#name", "Named now")
    page.click("text=Save segment")
    expect(page.locator("h1")).to_have_text("Named now")


def test_a_segment_is_built_by_keyboard_alone(tab: Tab):
    page = tab.open("live").page
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/segments")
    page.locator("text=New segment").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/segments/new")
    page.locator("text=What they did").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#event-0")).to_be_visible()
    page.locator("#event-0").focus()
    page.keyboard.type("ordered")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    figure(tab, 20)


def test_the_list_counts_what_comes_into_sight_and_members_go_on(tab: Tab, ids: dict[str, str]):
    page = tab.open("segments").page
    expect(page.locator("table.segments tbody tr").nth(0).locator("td.number")).to_have_text("20")
    page.click("text=Everybody")
    expect(page.locator("tbody tr")).to_have_count(51)
    page.locator("tr.more").scroll_into_view_if_needed()
    expect(page.locator("tbody tr")).to_have_count(60)
    assert page.url.endswith(ids["Everybody"])


def test_why_is_asked_from_the_segment(tab: Tab, ids: dict[str, str]):
    page = tab.open(f"segments/{ids['Buyers']}").page
    page.fill("main input[name=q]", "u1")
    page.click("text=Explain")
    expect(page.locator(".notice")).to_contain_text("ordered was not done; at least 2 are needed")


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize(
    "path",
    [
        "segments",
        "segments/new?name=x&field=event.count&op=from&value=2&event=ordered&window=dates&days=&since=2023-11-01&until="
        "&field=custom_attributes.plan&op=is&value=pro&event=&window=&days=&since=&until=",
        "segments/{}",
        "segments/{}/edit",
        "segments/{}/why?q=u1",
        "segments/{}/why?q=User",
        "segments/{}/delete",
    ],
)
def test_everybody_can_use_a_page_with_something_in_it(tab: Tab, ids: dict[str, str], path: str):
    hostile = next(id for name, id in ids.items() if "🦑" in name)
    assert tab.troubles(path.format(hostile)) == []
