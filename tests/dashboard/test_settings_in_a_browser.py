"""The settings pages in Chromium: for everybody, by keyboard, at the width of a phone, with odd data."""

import time

import httpx
import pytest
from looking import INSIDE, Shown, Tab

HOSTILE = '<script>document.title = "taken"</script>'
LONG = "a-name-without-any-blanks-" * 9
MIXED = "שלום עולם 🎉 ‮reversed"
PATHS = (
    *("workspace", "people", "people/2", "tokens", "tokens/1/revoke", "identity", "identity/secrets/1/retire"),
    *("profile", "data", "requests", "you"),
)


@pytest.fixture(scope="module", autouse=True)
def much(shown: Shown) -> None:
    """What strangers and colleagues may write, in every place of the settings."""
    directory, now = shown.server.server.directory, int(time.time())
    for number, name in enumerate((HOSTILE, LONG, MIXED)):
        directory.accounts.create(f"{'long' * 20}{number}@example.com", name[:255], now=now, role="viewer", workspaces=[1])
        directory.tokens.create(1, name[:255], ["read_events", "write_contacts", "read_requests"], now=now)
        made = directory.workspaces.create(f"w{number}", name[:255], now=now)
        directory.accounts.set_role(1, made.number, "admin")
    for _ in range(2):
        directory.messenger.add_secret(1, now=now)
    directory.messenger.add_origin(1, f"https://{'sub.' * 20}example.com")
    directory.messenger.note_dropped(1, {"full": 12_345}, now=now)
    directory.sessions.create(1, now=now, client="2001:db8:1:2:3:4:5:6", user_agent=HOSTILE + LONG)
    headers = {"Authorization": f"Bearer {shown.server.token}", "User-Agent": LONG[:200]}
    for path in (f"/contacts/{HOSTILE}", f"/contacts/{LONG}", f"/contacts/{MIXED}", "/nothing"):
        httpx.get(shown.url + path, headers=headers)


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("path", PATHS)
def test_every_settings_page_with_data_can_be_used_by_everybody(tab: Tab, path: str) -> None:
    assert tab.troubles(f"settings/{path}") == []
    assert tab.page.title() != "taken"


def test_a_token_is_made_by_keyboard_alone_and_its_secret_is_at_hand(tab: Tab) -> None:
    tab.open("settings/tokens")
    tab.page.focus("#name")
    keyboard = tab.page.keyboard
    keyboard.type("By keyboard")
    keyboard.press("Tab")
    keyboard.press("Space")  # read_events, beside write_events
    keyboard.press("Enter")
    tab.page.wait_for_selector(".notice.good")
    assert "The token By keyboard, shown this once" in tab.words
    assert tab.page.inner_text(".notice.good code").startswith("tr_")
    assert "read_events, write_events" in tab.words
    assert tab.page.locator(".notice.good [data-copy]").is_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_what_opens_over_a_page_stays_within_it(tab: Tab, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 844})
    tab.open("settings/requests")
    for menu in tab.page.locator("main details.menu").all():
        menu.locator("summary").click()
        box = menu.locator("> div").bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["x"] + box["width"] <= width) == (True, True), box
        menu.locator("summary").click()


def test_the_way_from_a_row_to_a_warning_and_back(tab: Tab) -> None:
    tab.open("settings/tokens")
    before = tab.page.locator("tbody tr").count()
    tab.page.click("tbody a.button >> nth=0")
    tab.page.wait_for_url("**/revoke")
    tab.page.click("text=Keep it")
    tab.page.wait_for_url("**/settings/tokens")
    assert tab.page.locator("tbody tr").count() == before


def test_the_request_log_opens_its_rows_and_loads_more(tab: Tab, shown: Shown) -> None:
    headers = {"Authorization": f"Bearer {shown.server.token}"}
    with httpx.Client(base_url=shown.url, headers=headers) as client:
        for n in range(70):
            client.get(f"/contacts/scrolled-{n}-")
    tab.open("settings/requests?path=/contacts/scrolled")
    tab.page.locator("tr.more").scroll_into_view_if_needed()
    tab.page.wait_for_selector("code:has-text('/contacts/scrolled-0-')")
    assert tab.page.locator("table.requests > tbody > tr").count() == 70
    tab.page.locator("table.requests summary").first.click()
    assert tab.page.locator("table.requests dl").first.is_visible()


def test_a_workspace_that_was_made_is_there_to_switch_to(tab: Tab) -> None:
    tab.open("settings/workspace")
    tab.page.click("text=Make another workspace")
    tab.page.fill("#id", "switched")
    tab.page.click("text=Make workspace")
    tab.page.wait_for_url("**/w/switched/start")
    tab.page.click(".workspaces summary")
    tab.page.click(f'.workspaces a[href="{INSIDE}/start"]')
    tab.page.wait_for_url(f"**{INSIDE}/start")
