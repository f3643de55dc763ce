"""A real browser, a real server process behind a door, and pages of another origin. A browser is launched once for each file here."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from door import Door
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright
from real_server import RealServer
from shop import INSECURE, PageServer, Record, Shop

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")  # the same without windows, or with
WAIT_MS = 20_000  # for anything that a page is waited for


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if CHROMIUM is None and item.path.is_relative_to(here):
            item.add_marker(pytest.mark.skip(reason="there is no chromium here; on Debian: apt-get install chromium-headless-shell"))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one file: while it runs, this thread can run no event loop of others."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """As the system has it: none is fetched."""
    resolved = f"--host-resolver-rules=MAP *.{INSECURE} 127.0.0.1, MAP {INSECURE} 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[resolved, "--disable-gpu"])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """For the tests of one file that do no harm to it."""
    with RealServer(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture
def server(shared_server: RealServer) -> RealServer:
    """The server behind the door. Tests that harm it have a fixture of the same name."""
    return shared_server


@pytest.fixture(scope="module")
def standing_door() -> Iterator[Door]:
    with Door() as door:
        yield door


@pytest.fixture
def door(standing_door: Door, server: RealServer) -> Door:
    standing_door.lead_to(server)
    return standing_door


@pytest.fixture(scope="module")
def pages(standing_door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with PageServer(standing_door.url, tmp_path_factory.mktemp("built")) as pages:
        yield pages


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@pytest.fixture
def shop(context: BrowserContext, pages: PageServer, door: Door, server: RealServer) -> Iterator[Shop]:
    """Whatever happens, our script throws nothing into a page."""
    shop = Shop(context, pages, door, Record(server))
    yield shop
    assert [error for tab in shop.tabs for error in tab.errors] == []
