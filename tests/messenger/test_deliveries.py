"""What browsers deliver: once each, to the right person, at the right second."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from wire.client import Api, fresh

from trackrecord.rules.messenger import KEYS_MAX
from trackrecord.testing import Clock, TrackrecordServer

from .browser import Browser, new_id

KEPT = ("kept", None)


def names(api: Api, **who: Any) -> list[str]:
    """What GET /events shows of somebody, oldest first."""
    query = "&".join(f"{name}={value}" for name, value in who.items())
    answer = api.get(f"/events?type=user&per_page=150&{query}")
    assert answer.status == 200, answer
    return [event["event_name"] for event in answer.json["events"]][::-1]


def test_an_event_of_nobody_is_a_visitors_and_can_be_listed_at_once(api: Api):
    browser = Browser(api)
    answer = browser.deliver(browser.event("looked", metadata={"page": "/prices"}))
    assert [each["outcome"] for each in answer["results"]] == ["kept"]
    assert answer["people"] == [{"type": "visitor"}]
    assert abs(answer["now"] - time.time() * 1000) < 60_000
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    (event,) = api.events(visitor)
    assert (event["event_name"], event["metadata"], event["user_id"]) == ("looked", {"page": "/prices"}, browser.visitor)


def test_what_is_sent_again_is_one_event_and_two_calls_in_one_second_are_two(api: Api):
    browser = Browser(api)
    first, second = browser.event("clicked", time=1_700_000_000_100), browser.event("clicked", time=1_700_000_000_200)
    api.server.clock.freeze(1_700_000_100)
    try:
        for _ in range(3):
            assert browser.outcomes(first, second) == [KEPT, KEPT]
    finally:
        api.server.clock.run()
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    assert [event["created_at"] for event in api.events(visitor)] == [1_700_000_000, 1_700_000_000]


def test_an_event_without_a_moment_of_ours_is_counted_back_by_the_browsers_own_clock_and_stays_there(api: Api, clock: Clock):
    clock.freeze(1_700_000_000.9)
    browser = Browser(api)
    wrong = 5_000_000  # milliseconds that the browser's clock shows, somewhere in 1970
    item = {**browser.event("left"), "time": None, "at": wrong - 90_000}
    assert browser.outcomes(item, sent_at=wrong) == [KEPT]
    clock.freeze(1_700_000_777)
    assert browser.outcomes(item, sent_at=wrong + 500_000) == [KEPT]  # again, as its answer was lost
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    assert [event["created_at"] for event in api.events(visitor)] == [1_700_000_000 - 90]


def test_a_moment_ahead_stands_up_to_a_day_and_one_too_old_is_refused(api: Api, clock: Clock):
    clock.freeze(1_700_000_000)
    browser = Browser(api)
    ahead = browser.event("ahead", time=1_700_000_002_000)  # the browser took the answer for quicker than it was
    assert browser.outcomes(ahead) == [KEPT]
    clock.advance(3)
    assert browser.outcomes(ahead) == [KEPT]
    far, old = browser.event("far", time=(1_700_000_000 + 90_000) * 1000), browser.event("old", time=(1_700_000_000 - 32 * 86_400) * 1000)
    assert browser.outcomes(far, old) == [("refused", "data_invalid"), ("refused", "parameter_invalid")]
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    assert [(event["event_name"], event["created_at"]) for event in api.events(visitor)] == [("ahead", 1_700_000_002)]


def test_tabs_of_a_visitor_who_sign_in_at_the_same_moment_lose_nothing(api: Api):
    for _ in range(10):
        user_id = fresh("tabs-")
        browser = Browser(api)
        browser.deliver(browser.event("looked"))
        tabs = [browser.becomes(user_id=user_id) for _ in range(6)]
        with ThreadPoolExecutor(len(tabs)) as threads:
            outcomes = list(threads.map(lambda tab: tab.outcomes(tab.ping(), tab.event("signed-in")), tabs))
        assert outcomes == [[KEPT, KEPT]] * len(tabs)
        assert names(api, user_id=user_id) == ["looked", *["signed-in"] * len(tabs)]


def test_events_follow_from_visitor_to_lead_to_user(api: Api):
    browser, user_id = Browser(api), fresh("known-")
    browser.deliver(browser.event("as-visitor"))
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    lead = api.post("/visitors/convert", {"type": "lead", "visitor": {"id": visitor["id"]}}).json
    assert browser.deliver(browser.event("as-lead"))["people"] == [{"type": "lead"}]
    user = browser.becomes(user_id=user_id)
    assert user.deliver(user.ping(name="Ada", plan="pro"), user.event("as-user"))["people"] == [{"type": "user"}]
    assert set(names(api, user_id=user_id)) == {"as-visitor", "as-lead", "as-user"}
    contact = api.get(f"/contacts/find_by_external_id/{user_id}").json
    assert (contact["id"], contact["name"], contact["custom_attributes"]) == (lead["id"], "Ada", {"plan": "pro"})
    # What comes late of the visitor is the user's, once.
    late = browser.event("late")
    assert browser.outcomes(late) == browser.outcomes(late) == [KEPT]
    assert sorted(names(api, user_id=user_id)) == ["as-lead", "as-user", "as-visitor", "late"]


def test_a_visitor_is_merged_into_the_user_who_is_there_already(api: Api):
    known = api.contact()
    api.submit(event_name="by-rest", created_at=1_700_000_000, user_id=known["external_id"])
    browser = Browser(api)
    browser.deliver(browser.event("before"))
    user = browser.becomes(user_id=known["external_id"])
    user.deliver(user.ping(), user.event("after"))
    assert set(names(api, user_id=known["external_id"])) == {"by-rest", "before", "after"}
    assert api.get(f"/visitors?user_id={browser.visitor}").status == 404


def test_one_delivery_may_carry_calls_of_several_people(api: Api):
    browser, first, second = Browser(api), fresh("one-"), fresh("two-")
    people = [{"visitor": browser.visitor}, {"visitor": browser.visitor, "user_id": first}, {"visitor": new_id(), "user_id": second}]
    items = [
        {**browser.event("seen"), "who": 0},
        {**browser.ping(), "who": 1},
        {**browser.event("bought"), "who": 1},
        {**browser.ping(), "who": 2},
        {**browser.event("bought"), "who": 2},
    ]
    assert browser.deliver(*items, people=people)["people"] == [{"type": "visitor"}, {"type": "user"}, {"type": "user"}]
    assert sorted(names(api, user_id=first)) == ["bought", "seen"]
    assert names(api, user_id=second) == ["bought"]


def test_another_user_in_the_same_browser_takes_nothing_from_the_first(api: Api):
    browser, first, second = Browser(api), fresh("one-"), fresh("two-")
    one = browser.becomes(user_id=first)
    one.deliver(one.ping(), one.event("first"))
    two = browser.becomes(user_id=second)
    two.deliver(two.ping(), two.event("second"))
    assert (names(api, user_id=first), names(api, user_id=second)) == (["first"], ["second"])


def test_a_user_may_be_known_by_email_alone(api: Api):
    browser = Browser(api, email=f"{fresh('ada')}@example.com")
    browser.deliver(browser.ping(name="Ada"), browser.event("came"))
    assert names(api, email=browser.person["email"]) == ["came"]
    shared = f"{fresh('shared')}@example.com"
    for _ in range(2):
        api.contact(external_id=fresh("user-"), email=shared)
    both = Browser(api, email=shared)
    assert both.outcomes(both.event("whose")) == [("refused", "conflict")]


def test_who_was_archived_comes_back_and_who_was_blocked_does_not(api: Api):
    back, gone = api.contact(), api.contact()
    api.post(f"/contacts/{back['id']}/archive", {})
    api.post(f"/contacts/{gone['id']}/block", {})
    browser = Browser(api, user_id=back["external_id"])
    assert browser.outcomes(browser.ping(), browser.event("back")) == [KEPT, KEPT]
    assert names(api, user_id=back["external_id"]) == ["back"]
    browser = Browser(api, user_id=gone["external_id"])
    assert browser.outcomes(browser.event("back")) == [("refused", "not_restorable")]


def test_who_was_archived_comes_back_to_a_browser_that_was_seen_before(api: Api):
    user = api.contact()
    api.post(f"/contacts/{user['id']}/archive", {})
    browser = Browser(api)
    browser.deliver(browser.event("before"))
    known = browser.becomes(user_id=user["external_id"])
    assert known.outcomes(known.ping(), known.event("after")) == [KEPT, KEPT]
    assert set(names(api, user_id=user["external_id"])) == {"before", "after"}
    # And a lead that was archived is not mute for as long as its cookie lives.
    browser = Browser(api)
    browser.deliver(browser.event("as-visitor"))
    visitor = api.get(f"/visitors?user_id={browser.visitor}").json
    lead = api.post("/visitors/convert", {"type": "lead", "visitor": {"id": visitor["id"]}}).json
    api.post(f"/contacts/{lead['id']}/archive", {})
    assert browser.outcomes(browser.event("back")) == [KEPT]
    assert set(names(api, intercom_user_id=lead["id"])) == {"as-visitor", "back"}


def test_what_is_said_wrongly_of_a_person_keeps_no_event_out(api: Api):
    browser = Browser(api, user_id=fresh("wrong-"), email="no address")
    faults = {f"list{number}": [number] for number in range(30)}
    good, bad = {"id": fresh("good-"), "name": "Good"}, {"id": fresh("bad-"), "website": 5}
    result = browser.deliver(browser.ping(name="Ada", **faults), browser.event("done"))["results"]
    assert [each["outcome"] for each in result] == ["kept", "kept"]
    assert "email must be an address" in result[0]["message"]
    browser.deliver(browser.ping(name="Ada", companies=[bad, good]))
    contact = api.get(f"/contacts/find_by_external_id/{browser.person['user_id']}").json
    assert (contact["name"], contact["email"], contact["custom_attributes"]) == ("Ada", None, {})
    assert [each["name"] for each in api.get(f"/contacts/{contact['id']}/companies").json["data"]] == ["Good"]
    visitor = Browser(api)
    assert visitor.outcomes(visitor.ping(**faults), visitor.event("done")) == [KEPT, KEPT]


def test_who_is_called_by_what_nobody_can_be_called_is_a_visitor(api: Api):
    browser = Browser(api, email="ann@", user_id="x" * 300)
    result = browser.deliver(browser.ping(), browser.event("typed"))["results"]
    assert [each["outcome"] for each in result] == ["kept", "kept"]
    assert "email must be an address" in result[0]["message"]
    assert names(api, intercom_user_id=api.get(f"/visitors?user_id={browser.visitor}").json["id"]) == ["typed"]


def test_a_visitor_who_is_merged_keeps_its_events_though_what_was_said_is_refused(api: Api):
    known, browser = api.contact(), Browser(api)
    browser.deliver(browser.event("before"))
    user = browser.becomes(user_id=known["external_id"])
    user.deliver(user.ping(**{f"list{number}": [number] for number in range(30)}))
    assert names(api, user_id=known["external_id"]) == ["before"]


def test_one_ping_makes_no_more_attributes_than_it_may(api: Api):
    browser, mark = Browser(api, user_id=fresh("many-")), fresh("many")
    browser.deliver(browser.ping(**{f"{mark}-{number}": number for number in range(2_000)}))
    contact = api.get(f"/contacts/find_by_external_id/{browser.person['user_id']}").json
    assert len(contact["custom_attributes"]) == KEYS_MAX


def test_attributes_of_companies_and_archived_ones_are_closed_too(api: Api):
    limit, vip = fresh("limit"), fresh("vip")
    api.post("/data_attributes", {"name": limit, "model": "company", "data_type": "integer"})
    made = api.post("/data_attributes", {"name": vip, "model": "contact", "data_type": "boolean"}).json
    api.put(f"/data_attributes/{made['id']}", {"archived": True})
    browser = Browser(api, user_id=fresh("closed-"))
    result = browser.deliver(browser.ping(company={"id": fresh("c-"), "name": "C", limit: 99}, **{vip: True}))["results"][0]
    assert limit in result["message"]
    assert vip in result["message"]
    contact = api.get(f"/contacts/find_by_external_id/{browser.person['user_id']}").json
    assert contact["custom_attributes"] == {}
    (company,) = api.get(f"/contacts/{contact['id']}/companies").json["data"]
    assert company["custom_attributes"] == {}


def test_what_a_page_says_of_a_person_is_taken_over_but_for_what_cannot_be(api: Api):
    closed, open_ = fresh("closed"), fresh("open")
    api.post("/data_attributes", {"name": closed, "model": "contact", "data_type": "string"})
    api.post("/data_attributes", {"name": open_, "model": "contact", "data_type": "integer", "messenger_writable": True})
    wrong = fresh("wrong")
    api.post("/data_attributes", {"name": wrong, "model": "contact", "data_type": "integer", "messenger_writable": True})
    browser = Browser(api, user_id=fresh("told-"), email=f"{fresh('told')}@example.com")
    result = browser.deliver(
        browser.ping(
            name="Grace",
            phone="undefined",
            created_at=1_600_000_000,
            app_id="trackrecord",
            installation_type="npm-package",
            last_request_at=5,
            avatar={"type": "avatar", "image_url": "https://example.com/g.png"},
            company={"id": fresh("acme-"), "name": "Acme", "plan": "pro", "seats": 5},
            **{closed: "x", open_: 7, wrong: "seven", "beta": True, "nothing": None, "empty": ""},
        )
    )["results"][0]
    assert result["outcome"] == "kept"
    assert closed in result["message"]
    assert wrong in result["message"]
    contact = api.get(f"/contacts/find_by_external_id/{browser.person['user_id']}").json
    assert (contact["name"], contact["phone"], contact["signed_up_at"]) == ("Grace", None, 1_600_000_000)
    assert contact["avatar"]["image_url"] == "https://example.com/g.png"
    assert contact["custom_attributes"] == {open_: 7, "beta": True}
    (company,) = api.get(f"/contacts/{contact['id']}/companies").json["data"]
    assert (company["name"], company["plan"]["name"], company["custom_attributes"]) == ("Acme", "pro", {"seats": 5})
    assert contact["last_seen_at"] is not None


def test_an_event_that_cannot_be_kept_keeps_no_other_out_and_is_told_why(api: Api):
    browser = Browser(api)
    answer = browser.deliver(browser.event(""), browser.event("good"), browser.event("list", metadata=[1]), browser.event("x" * 300))
    assert [each["outcome"] for each in answer["results"]] == ["refused", "kept", "refused", "refused"]
    assert [each.get("code") for each in answer["results"]] == ["parameter_not_found", None, "type_mismatch", "data_invalid"]
    assert all(each["message"] for each in answer["results"] if each["outcome"] == "refused")
    assert names(api, intercom_user_id=api.get(f"/visitors?user_id={browser.visitor}").json["id"]) == ["good"]


def test_past_the_limit_of_names_an_event_is_refused_as_the_original_says_it():
    with TrackrecordServer(profile="strict", event_names_max=1) as server:
        browser = Browser(Api(server))
        result = browser.deliver(browser.event("first"), browser.event("second"))["results"][1]
        assert result["outcome"] == "refused"
        assert (result["code"], result["message"]) == ("422", "Cannot have more than 1 active event names")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": 5}, "items"),
        ({"people": [{}]}, "people"),
        ({"people": [{"visitor": "x"}]}, "people.visitor"),
        ({"items": [{"id": "short", "who": 0, "kind": "event"}]}, "items.id"),
        ({"items": [{"id": "0123456789abcdef", "who": 3, "kind": "event"}]}, "items.who"),
        ({"items": [{"id": "0123456789abcdef", "who": -1, "kind": "event"}]}, "items.who"),
        ({"items": [{"id": "0123456789abcdef", "who": 0, "kind": "dance"}]}, "items.kind"),
        ({"items": [{"id": "0123456789abcdef", "who": 0, "kind": "ping"}] * 501}, "items"),
    ],
)
def test_a_delivery_that_cannot_be_read_is_refused_whole_by_field(api: Api, change: dict[str, Any], field: str):
    browser = Browser(api)
    answer = browser.send(browser.event("never"), **change)
    assert answer.status == 400
    assert answer.error[3].startswith(field)
    assert answer.header("access-control-allow-origin") == "*"
    assert api.get(f"/visitors?user_id={browser.visitor}").status == 404


def test_no_workspace_has_this_id(api: Api):
    browser = Browser(api, app_id="nobodys")
    assert browser.send(browser.event("x")).error == (404, "not_found", "Workspace Not Found", "app_id")


def test_pages_of_every_origin_may_read_the_answer_and_ask_beforehand(api: Api):
    browser = Browser(api)
    answer = browser.send(browser.event("x"), headers=("Origin: https://shop.example.com",))
    assert (answer.status, answer.header("access-control-allow-origin")) == (200, "*")
    assert "retry-after" in (answer.header("access-control-expose-headers") or "")
    asked = browser.api.send("OPTIONS", "/messenger/trackrecord/deliveries", "Origin: https://shop.example.com")
    assert (asked.status, asked.header("access-control-allow-methods"), asked.body) == (204, "POST", b"")


def test_where_origins_are_named_no_other_page_may_deliver():
    with TrackrecordServer() as server:
        api = Api(server)
        messenger, number = server.server.directory.messenger, server.server.default_workspace.number
        assert messenger.add_origin(number, "HTTPS://Shop.Example.com:443/") == "https://shop.example.com"
        browser = Browser(api)
        right = browser.send(browser.event("right"), headers=("Origin: https://shop.example.com",))
        wrong = browser.send(browser.event("wrong"), headers=("Origin: https://evil.example.com",))
        none = browser.send(browser.event("none"))
        assert (right.status, wrong.status, none.status) == (200, 403, 403)
        assert wrong.error[1] == "origin_refused"
        visitor = api.get(f"/visitors?user_id={browser.visitor}").json
        assert [event["event_name"] for event in api.events(visitor)] == ["right"]


def test_one_visitor_and_one_address_may_deliver_so_much_and_no_more():
    with TrackrecordServer(messenger_visitor_per_minute=60, messenger_address_per_minute=180) as server:
        server.clock.freeze(1_700_000_003)
        api = Api(server)
        first, second, third, fourth = (Browser(api) for _ in range(4))
        ten = [first.event("x", time=1_700_000_000_000) for _ in range(10)]
        assert first.send(*ten).status == 200
        refused = first.send(first.event("more", time=1_700_000_000_000))
        assert (refused.status, refused.header("retry-after")) == (429, "7")
        assert refused.error[1] == "rate_limit_exceeded"
        assert [each.send(*(each.event("x", time=1_700_000_000_000) for _ in range(10))).status for each in (second, third, fourth)] == [
            200,
            200,
            429,
        ]
        server.clock.advance(7)
        assert first.send(first.event("more", time=1_700_000_000_000)).status == 200
        visitor = api.get(f"/visitors?user_id={first.visitor}").json
        assert len(api.events(visitor)) == 11


def test_a_delivery_without_items_counts_as_one():
    with TrackrecordServer(messenger_address_per_minute=60) as server:
        server.clock.freeze(1_700_000_003)
        browser = Browser(Api(server))
        assert [browser.send(dropped={"full": 1}).status for _ in range(12)] == [200] * 10 + [429] * 2


def test_robots_are_refused_where_that_is_set():
    with TrackrecordServer(messenger_bots="refuse") as server:
        browser = Browser(Api(server))
        robot = browser.send(browser.event("crawled"), headers=("User-Agent: Mozilla/5.0 (compatible; Googlebot/2.1)",))
        assert [each["code"] for each in robot.json["results"]] == ["bot"]
        person = browser.send(browser.event("came"), headers=("User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36",))
        assert [each["outcome"] for each in person.json["results"]] == ["kept"]


def test_what_a_script_gave_up_is_counted(api: Api):
    browser, number = Browser(api), api.server.server.default_workspace.number
    messenger = api.server.server.directory.messenger
    before = sum(count for _, reason, count in messenger.dropped(number) if reason == "full")
    for full in (3, 4):
        browser.deliver(browser.event("x"), dropped={"full": full, "old": 0, "made-up": 9})
    rows = messenger.dropped(number)
    assert sum(count for _, reason, count in rows if reason == "full") == before + 7
    assert "made-up" not in {reason for _, reason, _ in rows}
