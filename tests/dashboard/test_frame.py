"""What every page has: the rail, the search, the keyboard, both themes, and headers that keep it to itself."""

import gzip
import re

import pytest
from looking import INSIDE, Looker, Shown, Tab

from trackrecord.dashboard.pages import PAGES

# Pages without a parameter in their address, that answer a plain GET with a whole page.
OF_ONE_NAME = {"events/name", "events/edit"}  # which their query says
PLAIN = sorted({page.path for page in PAGES if page.method == "GET" and "{" not in page.path and not page.piece} - OF_ONE_NAME)


def test_the_policy_of_a_page_lets_nothing_in_from_elsewhere_and_nothing_written_into_it_run(looker: Looker) -> None:
    headers = looker.get("start").headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_no_page_has_a_script_or_a_style_written_into_it(looker: Looker) -> None:
    for path in PLAIN:
        text = looker.get(path).text
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", text) == [], path


def test_a_page_with_all_that_it_loads_is_light(looker: Looker) -> None:
    text = looker.get("start").text
    loaded = {path: looker.http.get(path).content for path in set(re.findall(r'(?:href|src)="(/-/ui/static/[^"#]+)', text))}
    assert len(loaded) == 4
    packed = {path: len(gzip.compress(content, 9)) for path, content in loaded.items()}
    assert sum(packed.values()) + len(gzip.compress(text.encode())) < 150_000
    assert all(size < 60_000 for size in packed.values())


def test_what_is_loaded_never_changes_under_its_name(looker: Looker) -> None:
    name = re.findall(r'"(/-/ui/static/app\.[^"]+\.js)"', looker.get("start").text)[0]
    assert "immutable" in looker.get(name).headers["cache-control"]
    assert looker.get(name.replace("app.", "app.0")).status == 404


def test_an_address_that_no_page_has_says_so_with_the_request_id(looker: Looker) -> None:
    page = looker.get("nothing")
    assert page.status == 404
    assert "Not found" in page.words
    assert page.headers["x-request-id"] in page.text


def test_another_workspace_is_not_found_whether_it_is_there_or_not(looker: Looker) -> None:
    assert looker.get("/-/ui/w/another/start").status == 404


def test_the_keyboard_searches_goes_and_tells_its_keys(tab: Tab) -> None:
    tab.open("start")
    tab.page.keyboard.press("?")
    assert tab.page.locator("dialog#keys").is_visible()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("nobody-at-all")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/find?q=nobody-at-all")
    assert "Nothing is called so" in tab.words


def test_the_theme_is_chosen_once_and_stays(tab: Tab) -> None:
    tab.open("start")
    before = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.page.click(".rail .foot summary")
    tab.page.click("[data-theme-switch]")
    tab.open("find?q=")
    assert tab.page.get_attribute("html", "data-theme") == "dark"
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") != before


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("path", PLAIN)
def test_every_page_of_an_empty_server_can_be_used_by_everybody(tab: Tab, path: str) -> None:
    assert tab.troubles(path) == []


@pytest.mark.parametrize("path", PLAIN)
def test_every_page_can_be_read_without_javascript(shown: Shown, looker: Looker, path: str) -> None:
    page = looker.get(path)
    assert page.status in (200, 303)
    if page.status == 200:
        assert "<h1>" in page.text
        assert f'href="{INSIDE}/contacts"' in page.text
