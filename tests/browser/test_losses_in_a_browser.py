"""Nothing that a page said is lost where the browser gives any chance, nothing is there twice, and all has its right moment."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error
from real_server import RealServer, until
from shop import Kept, Shop, Tab

TOLERANCE_S = 5  # of a moment, on a busy machine; the clocks below are wrong by hours
HOUR_MS = 3_600_000
WRONG_CLOCK = """(() => {
  const Real = Date;
  window.wrong_by_ms = %d;
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + window.wrong_by_ms); }
    static now() { return Real.now() + window.wrong_by_ms; }
  };
})()"""


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RealServer]:
    """A server that may be killed."""
    with RealServer(tmp_path / "data") as server:
        yield server


@pytest.fixture
def slow_to_take(tmp_path: Path) -> Iterator[RealServer]:
    """A server that takes a few items of one visitor in ten seconds; the rest has to wait for the next ten."""
    with RealServer(tmp_path / "data", "messenger_visitor_per_minute=120") as server:
        yield server


@pytest.fixture
def server(request: pytest.FixtureRequest, shared_server: RealServer) -> Any:
    """The one that a test names, or the one they share."""
    return request.getfixturevalue(request.param) if hasattr(request, "param") else shared_server


def moments(shop: Shop, name: str) -> list[int]:
    return [event["created_at"] for event in shop.record.events() if event["event_name"] == name]


def by_n(kept: list[Kept]) -> list[Kept]:
    """What two tabs deliver comes in any order."""
    return sorted(kept, key=lambda each: int(each.metadata["n"]))


def in_time(moment: int, since: float, until: float) -> bool:
    return since - TOLERANCE_S <= moment <= until + TOLERANCE_S


def test_what_was_said_offline_is_delivered_when_the_network_is_back(shop: Shop) -> None:
    tab = shop.visit(user_id="traveller").booted()
    shop.context.set_offline(True)
    for n in range(20):
        tab.track("looked", {"n": n})
    shop.context.set_offline(False)
    assert shop.settled(tab) == [Kept("traveller", "looked", {"n": n}) for n in range(20)]


def test_what_was_said_on_pages_that_never_reached_the_server_is_delivered_by_a_later_one(shop: Shop) -> None:
    tab = shop.visit(user_id="reader").booted()
    shop.door.shut = True
    tab.track("looked", {"n": 1})
    until(lambda: shop.door.turned_away)
    shop.door.shut = False
    shop.door.faults.append(503)
    shop.visit(tab=tab, user_id="reader").booted()
    tab.track("looked", {"n": 2})
    assert by_n(shop.settled(tab)) == [Kept("reader", "looked", {"n": n}) for n in (1, 2)]


CLICKS = """(count) => {
  window.clicks = 0;
  const timer = setInterval(() => {
    Intercom("trackEvent", "clicked", { n: window.clicks++ });
    if (window.clicks === count) clearInterval(timer);
  }, 10);
}"""


@pytest.mark.parametrize("server", [pytest.param("mortal", id="a server of its own")], indirect=True)
def test_a_server_that_is_killed_in_the_middle_of_a_visit_loses_and_doubles_nothing(shop: Shop, server: RealServer) -> None:
    tab = shop.visit(user_id="loyal").booted()
    tab.page.evaluate(CLICKS, 120)
    shop.wait_for("clicked", 20)
    server.kill()
    tab.page.wait_for_function("clicks === 120")
    server.launch()
    server.listening()
    assert by_n(shop.settled(tab)) == [Kept("loyal", "clicked", {"n": n}) for n in range(120)]


def _close(tab: Tab, say: str) -> None:
    tab.page.evaluate(say)
    tab.page.close()


def _close_itself(tab: Tab, say: str) -> None:
    with tab.page.expect_popup() as opened:
        tab.page.evaluate("() => { window.open(location.href) }")
    popup = opened.value
    popup.wait_for_function("window.Intercom && window.Intercom.booted === true")
    with popup.expect_event("close"):
        popup.evaluate(f"() => {{ {say}; setTimeout(() => window.close()) }}")
    tab.page.close()


def _leave(tab: Tab, say: str) -> None:
    tab.page.evaluate(f"() => {{ {say}; location.href = '/nothing-here' }}")
    tab.page.wait_for_url("**/nothing-here")


def _reload(tab: Tab, say: str) -> None:
    with tab.page.expect_navigation():
        tab.page.evaluate(f"() => {{ {say}; location.reload() }}")


def _crash(tab: Tab, say: str) -> None:
    beside = tab.page.context.new_page()  # of the same origin, without our script
    beside.goto(tab.page.evaluate("location.origin + '/nothing-here'"))
    tab.page.evaluate(say)
    with contextlib.suppress(Error):
        tab.page.goto("chrome://crash")
    # Until the browser itself has noticed; a page that comes sooner hears of it with its next look, within 20 seconds.
    until(lambda: beside.evaluate("navigator.locks.query().then(({ held }) => held.length)") == 0)


WAYS_TO_GO = [_close, _close_itself, _leave, _reload, _crash]
SAY = "Intercom('trackEvent', 'bought', { n: 1 }), Intercom('trackEvent', 'bought', { n: 2 })"


@pytest.mark.parametrize("go", WAYS_TO_GO[:-1], ids=lambda go: go.__name__.strip("_").replace("_", " "))
def test_what_is_said_right_before_a_page_goes_away_is_delivered_without_another_visit(shop: Shop, go: Callable[[Tab, str], None]) -> None:
    tab = shop.visit(user_id="hurried").booted()
    began = time.time()
    go(tab, SAY)
    shop.wait_for("bought", 2)
    assert all(in_time(moment, began, time.time()) for moment in moments(shop, "bought"))
    assert by_n(shop.settled(shop.visit(user_id="hurried").booted())) == [Kept("hurried", "bought", {"n": n}) for n in (1, 2)]


@pytest.mark.parametrize("go", WAYS_TO_GO, ids=lambda go: go.__name__.strip("_").replace("_", " "))
def test_what_a_page_could_not_deliver_before_it_went_away_is_delivered_once_by_the_next_visit(
    shop: Shop, go: Callable[[Tab, str], None]
) -> None:
    tab = shop.visit(user_id="hurried").booted()
    shop.door.faults.extend([503, 503, 503])
    go(tab, SAY)
    if shop.door.faults:  # it never came so far
        shop.door.faults.clear()
    tab = shop.visit(user_id="hurried").booted()
    shop.wait_for("bought", 2)
    assert by_n(shop.settled(tab)) == [Kept("hurried", "bought", {"n": n}) for n in (1, 2)]


def test_a_page_that_goes_before_the_server_ever_answered_it_says_everything_once(shop: Shop) -> None:
    began = time.time()
    shop.door.hold()
    tab = shop.visit(user_id="fleeting").booted()
    _close(tab, SAY)
    shop.door.release()
    shop.wait_for("bought", 2)
    assert by_n(shop.settled(shop.visit(user_id="fleeting").booted())) == [Kept("fleeting", "bought", {"n": n}) for n in (1, 2)]
    assert all(in_time(moment, began, time.time()) for moment in moments(shop, "bought"))


def test_an_answer_that_is_lost_on_its_way_doubles_nothing(shop: Shop) -> None:
    tab = shop.visit(user_id="unheard").booted()
    shop.door.faults.extend(["lose the answer", "lose the answer"])
    tab.track("bought", {"n": 1})
    until(lambda: not shop.door.faults)
    tab.track("bought", {"n": 2})
    assert shop.settled(tab) == [Kept("unheard", "bought", {"n": n}) for n in (1, 2)]
    sent = [item["id"] for delivery in shop.door.passed for item in delivery["items"] if item.get("name") == "bought"]
    assert len(sent) > len(set(sent)) == 2  # it was sent again


def test_a_visitors_event_whose_answer_was_lost_is_once_the_users_who_signs_in_then(shop: Shop) -> None:
    tab = shop.visit().booted()
    shop.door.faults.append("lose the answer")
    tab.track("looked")
    until(lambda: not shop.door.faults)
    tab.call("update", {"user_id": "signed-in"})
    assert shop.settled(tab) == [Kept("signed-in", "looked", {})]
    assert shop.record.names("signed-in") == ["looked", "last word"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_delivery_that_is_refused_for_now_is_made_again(shop: Shop, status: int) -> None:
    tab = shop.visit(user_id=f"patient-{status}").booted()
    shop.door.faults.append(status)
    tab.track("bought")
    shop.wait_for("bought")
    assert shop.door.turned_away == 1
    assert shop.settled(tab) == [Kept(f"patient-{status}", "bought", {})]


@pytest.mark.parametrize("server", [pytest.param("slow_to_take", id="a server with a limit")], indirect=True)
def test_a_visitor_who_is_too_fast_for_the_server_loses_nothing(shop: Shop, server: RealServer) -> None:
    tab = shop.visit(user_id="fast").booted()
    tab.page.evaluate(CLICKS, 60)
    until(lambda: 429 in shop.door.answered)
    assert shop.settled(tab) == [Kept("fast", "clicked", {"n": n}) for n in range(60)]


def test_ten_tabs_of_one_browser_lose_and_double_nothing_though_half_of_them_close(shop: Shop) -> None:
    tabs = [shop.visit(user_id="busy").booted() for _ in range(10)]
    shop.door.shut = True
    for number, tab in enumerate(tabs):
        tab.page.evaluate(f"() => {{ for (let n = 0; n < 5; n++) Intercom('trackEvent', 'clicked', {{ tab: {number}, n }}) }}")
    for tab in tabs[::2]:
        tab.page.close()
    shop.door.shut = False
    tabs.append(shop.visit(user_id="busy").booted())  # takes over what those had
    shop.wait_for("clicked", 50)
    for tab in tabs[1::2]:
        shop.settled(tab)
    kept = sorted((each.metadata["tab"], each.metadata["n"]) for each in shop.record.kept() if each.name == "clicked")
    assert kept == [(tab, n) for tab in range(10) for n in range(5)]


@pytest.mark.parametrize("wrong_by_ms", [-5 * HOUR_MS, 3 * HOUR_MS])
def test_a_clock_that_is_wrong_by_hours_changes_no_moment(shop: Shop, wrong_by_ms: int) -> None:
    began = time.time()
    tab = shop.visit(tab=shop.tab(WRONG_CLOCK % wrong_by_ms), user_id="unpunctual").booted()
    tab.track("looked", {"n": 1})
    shop.wait_for("looked")
    tab.page.evaluate("() => { window.wrong_by_ms = 7 * 3600e3 }")  # somebody sets it meanwhile
    tab.track("looked", {"n": 2})
    assert len(shop.settled(tab)) == 2
    assert all(in_time(moment, began, time.time()) for moment in moments(shop, "looked"))


def test_an_event_that_is_delivered_two_hours_late_keeps_its_moment(shop: Shop) -> None:
    shop.door.refuses_all_with = 503  # so that the page never hears what time it is
    tab = shop.visit(tab=shop.tab(WRONG_CLOCK % (-2 * HOUR_MS)), user_id="late").booted()
    said = time.time() - 2 * 3600
    _crash(tab, "Intercom('trackEvent', 'looked')")
    shop.door.refuses_all_with = None
    tab = shop.visit(user_id="late").booted()  # two hours later, by the browser's clock
    shop.wait_for("looked")
    assert shop.settled(tab) == [Kept("late", "looked", {})]
    (moment,) = moments(shop, "looked")
    assert in_time(moment, said, said)


def test_a_slow_network_loses_nothing(shop: Shop) -> None:
    tab = shop.tab()
    session = shop.context.new_cdp_session(tab.page)
    slow = {"offline": False, "latency": 300, "downloadThroughput": 30_000, "uploadThroughput": 30_000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    began = time.time()
    shop.visit("early.html", tab=tab, user_id="far-away")
    tab.page.evaluate("load()")
    for n in range(10):
        tab.track("looked", {"n": n})
    tab.booted()
    said = time.time()
    kept = [each for each in shop.settled(tab) if each.name == "looked"]
    assert kept == [Kept("far-away", "looked", {"n": n}) for n in range(10)]
    assert all(in_time(moment, began, said) for moment in moments(shop, "looked"))
