"""The packages by which pages use the JavaScript API, unmodified, and the pages of examples/web."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from real_server import DEADLINE_S, until
from shop import HERE, Kept, PageServer, Shop

EXAMPLES = HERE.parent.parent / "examples"
ESBUILD = HERE / "node_modules" / ".bin" / "esbuild"
FORM = ("--bundle", "--jsx=automatic", '--define:process.env.NODE_ENV="production"', "--log-level=warning")

pytestmark = pytest.mark.skipif(
    not ESBUILD.exists() or not (EXAMPLES / "web" / "node_modules").is_dir(),
    reason="the wrappers are not installed: make node-clients, or npm ci in tests/browser and in examples/web",
)


@pytest.fixture(scope="module", autouse=True)
def built(pages: PageServer) -> None:
    subprocess.run([ESBUILD, "sdk.js", "react.jsx", *FORM, f"--outdir={pages.built}"], cwd=HERE, check=True)


def test_intercoms_own_package_delivers_to_us(shop: Shop) -> None:
    tab = shop.visit("sdk.html", user_id="packaged", name="Packaged").booted()
    tab.page.evaluate("() => sdk.trackEvent('ordered', { plan: 'pro' })")
    tab.page.evaluate("() => sdk.update({ seats: 5 })")
    assert tab.page.evaluate("() => sdk.getVisitorId()") == tab.visitor_id
    assert tab.page.evaluate("() => sdk.whoami()")["user_id"] == "packaged"
    assert shop.settled(tab) == [Kept("packaged", "ordered", {"plan": "pro"})]
    user = shop.record.user("packaged")
    assert user
    assert (user["name"], user["custom_attributes"]) == ("Packaged", {"seats": 5})


def test_intercoms_own_package_ends_one_users_session_and_begins_anothers(shop: Shop) -> None:
    tab = shop.visit("sdk.html", user_id="packaged-1").booted()
    tab.page.evaluate("() => { sdk.trackEvent('looked'); sdk.shutdown(); sdk.boot({ app_id: 'trackrecord', user_id: 'packaged-2' }); }")
    tab.page.evaluate("() => sdk.trackEvent('looked')")
    assert shop.settled(tab.booted()) == [Kept("packaged-1", "looked", {}), Kept("packaged-2", "looked", {})]


def test_react_use_intercom_delivers_to_us(shop: Shop) -> None:
    tab = shop.visit("first.html", user_id="reacting", name="Rea").booted()
    tab.page.click("button")
    tab.page.evaluate("() => hook.update({ customAttributes: { seats: 5 } })")
    assert tab.page.evaluate("() => hook.getVisitorId()") == tab.visitor_id
    assert shop.settled(tab) == [Kept("reacting", "ordered", {"price": {"amount": 4900, "currency": "eur"}})]
    user = shop.record.user("reacting")
    assert user
    assert (user["name"], user["custom_attributes"]) == ("Rea", {"seats": 5})


def test_react_use_intercom_ends_one_users_session_and_begins_anothers(shop: Shop) -> None:
    tab = shop.visit("first.html", user_id="reacting-1").booted()
    tab.page.click("button")
    tab.page.evaluate("() => { hook.shutdown(); hook.boot({ userId: 'reacting-2' }); }")
    tab.page.click("button")
    price = {"price": {"amount": 4900, "currency": "eur"}}
    assert shop.settled(tab.booted()) == [Kept("reacting-1", "ordered", price), Kept("reacting-2", "ordered", price)]


class Demo:
    """`make demo-web`, and what it has printed so far."""

    def __init__(self) -> None:
        command = [sys.executable, EXAMPLES / "demo_web.py"]
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def end(self) -> int:
        """Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(DEADLINE_S)
        self._thread.join()  # nobody has its output open any more: no process of it is left
        return code

    def page(self, name: str) -> str:
        return next(line.split()[1] for line in until(lambda: self._printed("Ctrl-C ends all")) if line.strip().endswith(name))

    def shows(self, *words: str) -> str:
        """The first line, once there is one, that has all of these words."""
        return next(line for line in until(lambda: self._printed(*words)) if all(word in line for word in words))

    def _printed(self, *words: str) -> list[str]:
        lines = list(self.lines)
        return lines if any(all(word in line for word in words) for line in lines) else []


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = Demo()
    try:
        yield demo
    finally:
        demo.end()


def test_the_plain_page_of_the_examples_shows_a_visitor_who_signs_in(demo: Demo, shop: Shop) -> None:
    page = shop.tab().page
    page.goto(demo.page("index.html"))
    page.click("#look")
    visitor = demo.shows("looked-at-product", "product=tea").split()[2]
    assert visitor == page.text_content("#visitor")
    page.click("text=Sign in")
    assert demo.shows("signed-in").split()[2] == "ann-1"
    page.click("#sign-out")
    page.click("#order")
    assert demo.shows("placed-order").split()[2] not in (visitor, "ann-1")
    assert demo.end() == 0


def test_the_react_page_of_the_examples_shows_a_visitor_who_signs_in(demo: Demo, shop: Shop) -> None:
    page = shop.tab().page
    page.goto(demo.page("react.html"))
    page.click("text=Order it")
    demo.shows("placed-order", "product=tea")
    page.click("text=Sign in as Ann")
    assert demo.shows("signed-in").split()[2] == "ann-1"
