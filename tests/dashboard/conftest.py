"""A server in this process with an admin who is signed in, and Chromium. Both are made once for each file here."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from looking import AXE, Looker, Shown, Tab
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from trackrecord.testing import TrackrecordServer

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")  # the same without windows, or with
WAIT_MS = 20_000  # for anything that a page is waited for
NEEDS_BROWSER = "browser", "context", "tab", "open_tab"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if CHROMIUM is None and any(name in getattr(item, "fixturenames", ()) for name in NEEDS_BROWSER):
            item.add_marker(pytest.mark.skip(reason="there is no chromium here; on Debian: apt-get install chromium-headless-shell"))


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    with TrackrecordServer() as server:
        yield Shown(server, Looker(server.url).begin())


@pytest.fixture
def looker(shown: Shown) -> Looker:
    return shown.looker


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu", "--process-per-site"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def profile(browser: Browser, shown: Shown) -> Iterator[BrowserContext]:
    """A browser profile. One page of it stays open, so that the process with our script goes on to the next test."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as profile:
        profile.set_default_timeout(WAIT_MS)
        profile.new_page().goto(f"{shown.url}/-/ui/sign-in")
        yield profile


@pytest.fixture
def context(profile: BrowserContext, shown: Shown) -> Iterator[BrowserContext]:
    """The profile with the admin's cookies, and nothing else kept from before."""
    profile.clear_cookies()
    profile.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": f"{shown.url}/-/"} for each in shown.looker.http.cookies.jar]
    )
    first, *_ = profile.pages
    first.evaluate("localStorage.clear()")
    yield profile
    for page in profile.pages:
        if page is not first:
            page.close()


@pytest.fixture
def open_tab(context: BrowserContext, shown: Shown) -> Iterator[Callable[[], Tab]]:
    """Makes a tab. Whatever a test does, no page throws or complains, and none asks anybody but the server."""
    tabs: list[Tab] = []

    def make() -> Tab:
        tabs.append(Tab(context.new_page(), shown.url))
        return tabs[-1]

    yield make
    assert [error for tab in tabs for error in tab.errors] == []
    assert [address for tab in tabs for address in tab.strangers] == []


@pytest.fixture
def tab(open_tab: Callable[[], Tab]) -> Tab:
    return open_tab()


@pytest.fixture(scope="session")
def axe() -> None:
    """Skips where npm has not brought axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is not here: make node-clients")
