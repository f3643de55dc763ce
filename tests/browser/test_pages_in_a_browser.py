"""What a page says through `Intercom(…)` in a real browser, and what the record has then: of visitors, leads and users, and under all that
a browser may forbid."""

from typing import Any

import pytest
from shop import INSECURE, Kept, Shop

FULL_STORAGE = """for (let size = 1 << 20, n = 0; size; n++) {
  try { localStorage.setItem(`full ${n}`, "x".repeat(size)); } catch { size >>= 1; }
}"""


def test_what_was_said_before_the_script_came_is_kept(shop: Shop) -> None:
    tab = shop.visit("early.html", user_id="early")
    tab.page.evaluate("load()")
    assert sorted(shop.settled(tab.booted())) == [
        Kept("early", "after boot", {"n": 2}),
        Kept("early", "before boot", {"n": 1}),
        Kept("early", "when ready", {}),
    ]


def test_a_stranger_is_a_visitor_by_the_id_of_the_cookie(shop: Shop) -> None:
    tab = shop.visit().booted()
    tab.track("looked", {"page": "/prices", "price": {"amount": 4900, "currency": "eur"}})
    assert shop.settled(tab) == [Kept(tab.visitor_id, "looked", {"page": "/prices", "price": {"amount": 4900, "currency": "eur"}})]
    status, visitor = shop.record.visitor(tab.visitor_id)
    assert (status, visitor["type"], visitor["anonymous"]) == (200, "visitor", True)
    assert tab.cookies()["intercom-id"] == tab.visitor_id


def test_a_visitor_is_the_same_on_the_next_page_and_another_in_another_browser(shop: Shop, browser: Any) -> None:
    tab = shop.visit().booted()
    first = tab.visitor_id
    assert shop.visit(tab=tab).booted().visitor_id == first
    with browser.new_context() as elsewhere:
        assert Shop(elsewhere, shop.pages, shop.door, shop.record).visit().booted().visitor_id != first


def test_events_stay_with_a_visitor_who_becomes_a_lead_and_then_a_user(shop: Shop) -> None:
    tab = shop.visit().booted()
    tab.track("looked")
    shop.wait_for("looked")
    converted = {"type": "lead", "visitor": {"user_id": tab.visitor_id}}
    assert shop.record.ask("POST", "/visitors/convert", converted)[1]["role"] == "lead"
    tab.track("asked")
    tab.call("update", {"user_id": "grown", "email": "grown@example.com", "name": "Grown Up"})
    tab.track("bought")
    assert shop.settled(tab) == [Kept("grown", "looked", {}), Kept("grown", "asked", {}), Kept("grown", "bought", {})]
    assert shop.record.names("grown") == ["looked", "asked", "bought", "last word"]


def test_two_tabs_of_a_visitor_who_sign_in_at_the_same_moment_keep_all_that_both_did(shop: Shop) -> None:
    tabs = [shop.visit().booted() for _ in range(2)]
    for number, tab in enumerate(tabs):
        tab.page.evaluate(
            """(tab) => setTimeout(() => {
              for (let n = 0; n < 3; n++) Intercom("trackEvent", "looked", { tab, n });
              Intercom("update", { user_id: "two-tabs" });
              for (let n = 3; n < 5; n++) Intercom("trackEvent", "looked", { tab, n });
            })""",
            number,
        )
    shop.wait_for("looked", 10)
    kept = [shop.settled(tab) for tab in tabs][-1]
    assert {each.user_id for each in kept} == {"two-tabs"}
    assert sorted((each.metadata["tab"], each.metadata["n"]) for each in kept) == [(tab, n) for tab in range(2) for n in range(5)]


def test_what_a_page_says_of_a_user_is_in_the_contact_and_nothing_of_how_the_page_looks(shop: Shop) -> None:
    looks = {"hide_default_launcher": True, "alignment": "left", "installation_type": "npm-package", "action_color": "#123456"}
    unknown = {"phone": "", "team": "undefined", "nick": None}
    tab = shop.visit(user_id="told", email="told@example.com", name="Told", plan="pro", **looks, **unknown).booted()
    tab.call("update", {"seats": 5})
    shop.settled(tab)
    user = shop.record.user("told")
    assert user
    assert {key: user[key] for key in ("role", "email", "name", "phone", "custom_attributes")} == {
        "role": "user",
        "email": "told@example.com",
        "name": "Told",
        "phone": None,
        "custom_attributes": {"plan": "pro", "seats": 5},
    }


def test_after_shutdown_the_next_user_is_another_person(shop: Shop) -> None:
    tab = shop.visit(user_id="first-of-two").booted()
    tab.track("looked")
    first = tab.visitor_id
    tab.call("shutdown")
    assert tab.cookies() == {}
    tab.call("boot", {"app_id": "trackrecord", "user_id": "second-of-two"})
    tab.track("looked")
    assert shop.settled(tab.booted()) == [Kept("first-of-two", "looked", {}), Kept("second-of-two", "looked", {})]
    assert tab.visitor_id != first


def test_a_visitor_after_shutdown_is_not_the_user_before(shop: Shop) -> None:
    tab = shop.visit().booted()
    tab.call("update", {"user_id": "went-home"})
    tab.call("shutdown")
    tab.call("boot", {"app_id": "trackrecord"})
    tab.track("looked")
    assert shop.settled(tab.booted()) == [Kept(tab.visitor_id, "looked", {})]
    assert shop.record.names("went-home") == []


def test_two_clicks_in_one_second_are_two_events(shop: Shop) -> None:
    tab = shop.visit(user_id="quick").booted()
    tab.page.evaluate("document.querySelector('button').click(), document.querySelector('button').click()")
    assert shop.settled(tab) == [Kept("quick", "clicked", {}), Kept("quick", "clicked", {})]


METHODS = """hide show showSpace showMessages showNewMessage startConversation showArticle showNews showConversation showTicket
startTour startSurvey startChecklist hideNotifications setAuthTokens onHide onShow onUnreadCountChange onUserEmailSupplied
onActivatorClick reattach_activator"""


def test_a_call_that_is_not_known_warns_and_the_page_goes_on(shop: Shop) -> None:
    tab = shop.visit(user_id="curious").booted()
    for method in METHODS.split():
        tab.call(method)
    assert tab.said == []
    tab.call("dance", 1)
    tab.call()
    tab.track("went on")
    assert shop.settled(tab) == [Kept("curious", "went on", {})]
    assert "dance" in tab.said[0][1]
    assert {kind for kind, _ in tab.said} == {"warning"}


def test_metadata_that_json_cannot_say_harms_nobody(shop: Shop) -> None:
    tab = shop.visit(user_id="odd").booted()
    tab.page.evaluate("""() => {
      const round = { n: 1 };
      round.itself = round;
      Intercom("trackEvent", "round", round);
      Intercom("trackEvent", "odd", { f() {}, none: undefined, not: NaN, kept: "yes" });
    }""")
    kept = {each.name: each.metadata for each in shop.settled(tab)}
    assert kept.keys() == {"round", "odd"}
    assert kept["odd"]["kept"] == "yes"


def test_ready_runs_once_booted_and_who_one_is_can_be_asked(shop: Shop) -> None:
    tab = shop.visit(user_id="asked").booted()
    assert tab.page.evaluate("new Promise((told) => Intercom('ready', () => told(Intercom.booted)))") is True
    assert tab.page.evaluate("new Promise((told) => Intercom('onUnreadCountChange', told))") == 0
    assert tab.call("whoami")["user_id"] == "asked"


def test_without_cookies_a_visitor_is_still_the_same_on_the_next_page(shop: Shop) -> None:
    tab = shop.tab()
    shop.context.new_cdp_session(tab.page).send("Emulation.setDocumentCookieDisabled", {"disabled": True})
    first = shop.visit(tab=tab).booted().visitor_id
    tab.track("looked")
    assert shop.visit(tab=tab).booted().visitor_id == first
    assert shop.settled(tab) == [Kept(first, "looked", {})]
    assert tab.cookies() == {}


def test_a_page_without_an_origin_has_neither_cookies_nor_storage_and_delivers(shop: Shop) -> None:
    tab = shop.visit(policy="sandbox allow-scripts").booted()
    assert tab.page.evaluate("() => { try { return localStorage.length } catch (error) { return error.name } }") == "SecurityError"
    tab.track("looked")
    assert shop.settled(tab) == [Kept(tab.visitor_id, "looked", {})]


def test_with_a_full_storage_what_waits_waits_in_memory(shop: Shop) -> None:
    tab = shop.visit(tab=shop.tab(FULL_STORAGE), user_id="full").booted()
    shop.door.shut = True
    for n in range(30):
        tab.track("looked", {"n": n})
    shop.door.shut = False
    assert shop.settled(tab) == [Kept("full", "looked", {"n": n}) for n in range(30)]


def test_nothing_of_a_strict_policy_is_broken(shop: Shop) -> None:
    ours = shop.door.url
    policy = f"default-src 'none'; script-src 'self' {ours}; connect-src {ours}; require-trusted-types-for 'script'"
    tab = shop.visit("strict.html", policy=policy).booted()
    tab.page.click("button")
    shop.wait_for("clicked")
    assert shop.record.kept() == [Kept("under-a-policy", "clicked", {})]
    assert tab.page.evaluate("window.broken") == []
    assert tab.said == []


def test_a_page_without_tls_works_and_all_hosts_of_a_site_know_the_same_visitor(shop: Shop) -> None:
    tab = shop.visit(host=f"www.{INSECURE}").booted()
    assert tab.page.evaluate("window.isSecureContext") is False
    first = tab.visitor_id
    tab.track("looked")
    shop.visit(tab=tab, host=f"app.{INSECURE}").booted()
    tab.track("came over")
    assert shop.settled(tab) == [Kept(first, "looked", {}), Kept(first, "came over", {})]


def traces(tab: Any) -> tuple[dict[str, str], int]:
    """What is left in the browser."""
    return tab.cookies(), tab.page.evaluate("localStorage.length")


def test_until_somebody_consents_nothing_is_set_stored_or_sent_and_then_all_is(shop: Shop) -> None:
    tab = shop.visit(user_id="shy", hold_until_consent=True)
    tab.page.wait_for_function("typeof Intercom === 'function' && !Intercom.q")
    tab.track("looked")
    assert traces(tab) == ({}, 0)
    assert shop.door.passed == []
    tab.call("consent", True)
    assert shop.settled(tab.booted()) == [Kept("shy", "looked", {})]
    assert tab.cookies().keys() >= {"intercom-id"}


@pytest.mark.parametrize("left_by", ["consent refused", "do not track", "global privacy control"])
def test_who_does_not_consent_leaves_no_trace(shop: Shop, left_by: str) -> None:
    scripts = {
        "consent refused": "",
        "do not track": "Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })",
        "global privacy control": "Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })",
    }
    settings = {"hold_until_consent": True} if left_by == "consent refused" else {"respect_dnt": True}
    user_id = f"untraced by {left_by}"
    tab = shop.visit(tab=shop.tab(scripts[left_by]), user_id=user_id, **settings)
    tab.page.wait_for_function("typeof Intercom === 'function' && !Intercom.q")
    tab.track("looked")
    if left_by == "consent refused":
        tab.call("consent", False)
    tab.track("looked again")
    assert traces(tab) == ({}, 0)
    tab.page.close()  # whatever a page still has, it sends now
    assert shop.settled(shop.visit(user_id="traced").booted()) == []
    assert shop.record.user(user_id) is None
