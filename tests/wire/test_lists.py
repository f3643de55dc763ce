"""GET /events: lists in pages, and summaries. The contract, 2.2 and 2.3."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, Connection, fresh, request

WHEN = 1_671_028_894
NO_USER = (404, "not_found", "User Not Found", "user_id")
NOBODY_ASKED_FOR = (
    400,
    "parameter_not_found",
    "an event query must include an email, user_id or intercom_user_id parameter",
    "user_id",
)


def fill(api: Api, contact: Any, moments: list[int], *, name: str = "clicked", start: int = 0) -> None:
    """Submit an event at each moment, in this order, without waiting in between; the metadata number them from `start` on."""
    with Connection(api.url) as connection:
        for number, moment in enumerate(moments, start):
            event = {"event_name": name, "created_at": moment, "id": contact["id"], "metadata": {"number": number}}
            connection.send(request("POST", "/events", body=json.dumps(event).encode(), token=api.token))
        assert all(connection.answer().status == 202 for _ in moments)


def target(url: str) -> str:
    """The path and query of an absolute address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def follow(api: Api, start: str) -> Iterator[list[int]]:
    """The numbers on each page from `start` on, as a client follows pages.next."""
    at: str | None = start
    while at is not None:
        body = api.get(target(at)).json
        yield [event["metadata"]["number"] for event in body["events"]]
        at = body["pages"].get("next")


@pytest.fixture(scope="module")
def undeduped() -> Iterator[Api]:
    """A server that keeps equal events, so that a second can hold many."""
    with TrackrecordServer(dedup="off") as server:
        yield Api(server)


def test_a_list_has_this_shape_byte_for_byte(api: Api):
    external_id, email, name = fresh("user-"), f"{fresh('wash')}@serenity.io", fresh("Tested-")
    contact = api.contact(external_id=external_id, email=email)
    for moment in (WHEN, WHEN + 1, WHEN + 2):
        assert api.submit(event_name=name, created_at=moment, id=contact["id"], metadata={"b": moment, "a": [1]}).status == 202
    answer = api.get(f"/events?user_id={external_id}&type=user&per_page=2")
    ids = [event["id"] for event in answer.json["events"]]
    assert len(set(ids)) == 2
    events = ",".join(
        f'{{"type":"event","id":"{id}","created_at":{moment},"event_name":"{name}","user_id":"{external_id}","email":"{email}",'
        f'"intercom_user_id":"{contact["id"]}","metadata":{{"b":{moment},"a":[1]}}}}'
        for id, moment in zip(ids, (WHEN + 2, WHEN + 1), strict=True)
    )
    base = "http://wire.test/events?"
    next = f"{base}per_page=2&before={WHEN + 1}000&intercom_user_id={contact['id']}&type=user"
    since = f"{base}intercom_user_id={contact['id']}&type=user&since={WHEN + 2}001"
    expected = f'{{"type":"event.list","events":[{events}],"pages":{{"next":"{next}","since":"{since}"}}}}'
    assert (answer.status, answer.header("content-type")) == (200, "application/json; charset=utf-8")
    assert answer.body.decode() == expected


def test_the_last_page_has_no_next_and_no_type(api: Api):
    contact = api.contact()
    fill(api, contact, [WHEN, WHEN + 1])
    for per_page in (2, 3):
        pages = api.get(f"/events?intercom_user_id={contact['id']}&type=user&per_page={per_page}").json["pages"]
        assert pages == {"since": f"http://wire.test/events?intercom_user_id={contact['id']}&type=user&since={WHEN + 1}001"}


def test_a_contact_without_events_has_an_empty_list(api: Api):
    contact = api.contact()
    answer = api.get(f"/events?intercom_user_id={contact['id']}&type=user")
    assert answer.body == b'{"type":"event.list","events":[],"pages":{}}'


def test_a_leads_events_carry_its_anonymous_id_and_null_for_what_it_lacks(api: Api):
    lead = api.contact(role="lead")
    fill(api, lead, [WHEN])
    (event,) = api.events(lead)
    assert (event["email"], event["intercom_user_id"], len(event["user_id"])) == (None, lead["id"], 36)
    found = [
        api.get(f"/events?{query}").json["events"]
        for query in (
            f"type=lead&user_id={event['user_id']}",
            f"type=lead&intercom_user_id={lead['id']}",
            f"anonymous_id={event['user_id']}&type=user",
            f"user_id={event['user_id']}&type=user",
        )
    ]
    assert found == [[event]] * 4


def test_a_user_without_an_external_id_has_null_for_it(api: Api):
    contact = api.contact(email=f"{fresh('joe')}@example.com")
    fill(api, contact, [WHEN])
    assert [event["user_id"] for event in api.events(contact)] == [None]


def test_an_events_id_is_its_own_and_stays(api: Api):
    contact = api.contact()
    fill(api, contact, [WHEN, WHEN + 1])
    ids = [event["id"] for event in api.events(contact)]
    assert (len(set(ids)), [event["id"] for event in api.events(contact)]) == (2, ids)


@pytest.mark.parametrize(
    ("asked", "shown"), [("", 15), ("per_page=7", 7), ("per_page=0", 1), ("per_page=-3", 1), ("per_page=150", 150), ("per_page=151", 150)]
)
def test_a_page_has_1_to_150_events_and_15_unless_asked(undeduped: Api, asked: str, shown: int):
    contact = undeduped.contact()
    fill(undeduped, contact, [WHEN] * 160)
    body = undeduped.get(f"/events?intercom_user_id={contact['id']}&type=user&{asked}").json
    assert (len(body["events"]), f"per_page={shown}&" in body["pages"]["next"]) == (shown, True)


@pytest.mark.parametrize("digits", [40, 5000])
def test_a_number_past_every_bound_is_the_nearest_within(api: Api, digits: int):
    contact = api.contact()
    fill(api, contact, [WHEN, WHEN + 1])
    huge, whose = "9" * digits, f"intercom_user_id={contact['id']}&type=user"
    found = [
        [event["metadata"]["number"] for event in api.get(f"/events?{whose}&{name}={value}").json["events"]]
        for name, value in (
            ("per_page", huge),
            ("per_page", f"-{huge}"),
            ("before", huge),
            ("before", f"-{huge}"),
            ("since", huge),
            ("since", f"-{huge}"),
        )
    ]
    assert found == [[1, 0], [1], [1, 0], [], [], [1, 0]]


def test_pages_lose_nothing_where_a_hundred_events_share_a_second(undeduped: Api):
    contact = undeduped.contact()
    fill(undeduped, contact, [WHEN] * 100)
    pages = list(follow(undeduped, f"/events?intercom_user_id={contact['id']}&type=user&per_page=7"))
    assert [len(page) for page in pages] == [7] * 14 + [2]
    assert [number for page in pages for number in page] == list(range(99, -1, -1))


def test_pages_lose_nothing_where_more_than_a_thousand_events_share_a_second(undeduped: Api):
    # A cursor in milliseconds has room for a thousand of them.
    contact = undeduped.contact()
    fill(undeduped, contact, [WHEN] * 1500 + [WHEN + 1])
    pages = list(follow(undeduped, f"/events?intercom_user_id={contact['id']}&type=user&per_page=149"))
    assert [number for page in pages for number in page] == list(range(1500, -1, -1))


def test_pages_stay_in_order_while_events_arrive(api: Api):
    contact = api.contact()
    fill(api, contact, list(range(WHEN, WHEN + 20)))
    first = api.get(f"/events?intercom_user_id={contact['id']}&type=user&per_page=10").json
    assert api.submit(event_name="clicked", created_at=WHEN + 50, id=contact["id"], metadata={"number": 50}).status == 202
    assert api.submit(event_name="clicked", created_at=WHEN - 1, id=contact["id"], metadata={"number": -1}).status == 202
    rest = [number for page in follow(api, first["pages"]["next"]) for number in page]
    assert ([event["metadata"]["number"] for event in first["events"]], rest) == (list(range(19, 9, -1)), list(range(9, -2, -1)))


def test_before_is_exclusive_and_since_inclusive_in_milliseconds(api: Api):
    contact = api.contact()
    fill(api, contact, [WHEN, WHEN + 1, WHEN + 2])
    asked = {
        f"before={WHEN + 1}000": [0],
        f"before={WHEN + 1}001": [1, 0],
        f"before={WHEN}000": [],
        "before=0": [],
        f"since={WHEN + 1}000": [2, 1],
        f"since={WHEN + 1}001": [2],
        f"since={WHEN + 3}000": [],
        "since=0": [2, 1, 0],
        f"since={WHEN + 1}000&before={WHEN + 2}000": [1],
        "before=": [2, 1, 0],
    }
    found = {
        query: [
            event["metadata"]["number"] for event in api.get(f"/events?intercom_user_id={contact['id']}&type=user&{query}").json["events"]
        ]
        for query in asked
    }
    assert found == asked


def test_polling_by_since_loses_nothing_and_repeats_nothing(undeduped: Api):
    contact = undeduped.contact()
    seen: list[int] = []
    fill(undeduped, contact, [WHEN])
    at = f"/events?intercom_user_id={contact['id']}&type=user&since=0"
    sent = 1
    for moments in ([], [WHEN] * 3, [WHEN], [], [WHEN + 1] * 40, [WHEN + 1, WHEN + 5], [WHEN + 5] * 1200, [WHEN + 5], []):
        fill(undeduped, contact, moments, start=sent)
        sent += len(moments)
        newest_first = [number for page in follow(undeduped, at) for number in page]
        seen += reversed(newest_first)
        at = undeduped.get(target(at)).json["pages"]["since"]
    assert seen == list(range(sent))


# --- whose ---------------------------------------------------------------------------------------------------------------


def test_the_contact_may_be_named_in_every_form_that_clients_use(api: Api):
    tagged = f"{fresh('joe')}+news@example.com"
    contact = api.contact(external_id=fresh("user-"), email=tagged)
    fill(api, contact, [WHEN])
    (event,) = api.events(contact)
    user_id, id = contact["external_id"], contact["id"]
    forms = [
        f"user_id={user_id}&type=user",
        f"type=user&intercom_user_id={id}",
        f"email={quote(tagged)}&type=user",
        f"email={quote(tagged.upper())}&type=user",
        f"email={tagged}&type=user",  # the client forgot to encode the plus sign, and it arrives as a blank
        f"filter[user_id]={user_id}&type=user",
        f"filter%5Bintercom_user_id%5D={id}&type=user",
        f"filter[email]={quote(tagged)}&type=user",
        f"filter[user_id]={user_id}&filter[type]=user",
        "type=user&filter=" + quote(json.dumps({"user_id": user_id})),
        "type=user&filter=" + quote(json.dumps({"intercom_user_id": id, "email": None})),
        "type=user&filter=" + quote(f"user_id={user_id}"),
        "type=user&filter=" + quote(f"email={tagged}"),
        f"user_id={user_id}",  # the lenient profile needs no type
        f"user_id=nobody&user_id={user_id}&type=user",
        f"user_id={user_id}&unknown=1&count=true&type=user",
    ]
    assert {form: api.get(f"/events?{form}").json["events"] for form in forms} == {form: [event] for form in forms}


def test_in_lenient_of_several_identifiers_intercom_user_id_counts_first_then_user_id(api: Api):
    first, second, third = (api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com") for _ in range(3))
    for contact in (first, second, third):
        fill(api, contact, [WHEN])
    by_all = f"email={third['email']}&user_id={second['external_id']}&intercom_user_id={first['id']}"
    by_two = f"email={third['email']}&user_id={second['external_id']}"
    found = [api.get(f"/events?{query}&type=user").json["events"][0]["intercom_user_id"] for query in (by_all, by_two)]
    assert found == [first["id"], second["id"]]


def test_in_strict_a_list_wants_a_type_and_exactly_one_identifier(strict: Api):
    contact = strict.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    user_id = f"user_id={contact['external_id']}"
    assert strict.get(f"/events?{user_id}&type=user").status == 200
    assert strict.get(f"/events?{user_id}").error == (400, "parameter_not_found", "type is required: user or lead", "type")
    several = (400, "parameter_invalid", "an event query must include exactly one of email, user_id and intercom_user_id", "email")
    assert strict.get(f"/events?{user_id}&email={contact['email']}&type=user").error == several
    assert strict.get(f"/events?{user_id}&{user_id}&type=user").error == (*several[:3], "user_id")
    assert strict.get("/events?type=user").error == NOBODY_ASKED_FOR


def test_in_strict_events_older_than_90_days_are_counted_and_not_listed():
    with TrackrecordServer(profile="strict") as server:
        api, now = Api(server), WHEN + 90 * 86_400
        server.clock.freeze(now)
        contact = api.contact()
        fill(api, contact, [WHEN - 1, WHEN, now])
        assert [event["created_at"] for event in api.events(contact)] == [now, WHEN]
        assert [row["count"] for row in api.summary(contact)] == [3]
        server.clock.advance(1)
        assert [event["created_at"] for event in api.events(contact)] == [now]


def test_in_lenient_the_oldest_events_are_listed(api: Api):
    contact = api.contact()
    fill(api, contact, [0, 1])
    assert [event["created_at"] for event in api.events(contact)] == [1, 0]


# --- summaries -----------------------------------------------------------------------------------------------------------


def test_a_summary_has_this_shape_byte_for_byte(api: Api):
    external_id, email, first, second = fresh("user-"), f"{fresh('wash')}@serenity.io", fresh("a-"), fresh("b-")
    contact = api.contact(external_id=external_id, email=email)
    fill(api, contact, [WHEN + 60, WHEN, WHEN + 30], name=first)
    fill(api, contact, [WHEN + 61], name=second)
    answer = api.get(f"/events?user_id={external_id}&type=user&summary=true")
    assert answer.body.decode() == (
        f'{{"type":"event.summary","email":"{email}","intercom_user_id":"{contact["id"]}","user_id":"{external_id}","events":['
        f'{{"name":"{second}","first":"2022-12-14T14:42:35.000Z","last":"2022-12-14T14:42:35.000Z","count":1,"description":null}},'
        f'{{"name":"{first}","first":"2022-12-14T14:41:34.000Z","last":"2022-12-14T14:42:34.000Z","count":3,"description":null}}]}}'
    )


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("summary=true", "event.summary"),
        ("summary=True", "event.summary"),
        ("summary=1", "event.summary"),
        ("summary=yes", "event.summary"),
        ("summary=false", "event.list"),
        ("summary=", "event.list"),
        ("summary=0", "event.list"),
        ("filter[summary]=true", "event.summary"),
    ],
)
def test_summary_is_asked_for_in_these_forms(api: Api, asked: str, kind: str):
    contact = api.contact()
    assert api.get(f"/events?intercom_user_id={contact['id']}&type=user&{asked}").json["type"] == kind


@pytest.mark.parametrize(("version", "absent"), [("2.14", None), ("2.11", ""), ("2.10", None), ("2.16", None), ("Unstable", None)])
def test_what_a_contact_lacks_is_null_but_under_2_11_an_empty_string(api: Api, version: str, absent: str | None):
    lead, user = api.contact(role="lead"), api.contact(email=f"{fresh('joe')}@example.com")
    shown = [
        api.get(f"/events?intercom_user_id={contact['id']}&type=user&summary=true", f"Intercom-Version: {version}").json
        for contact in (lead, user)
    ]
    assert (shown[0]["email"], shown[1]["user_id"], shown[0]["events"]) == (absent, absent, [])


def test_a_summary_of_an_unknown_user_is_not_found(api: Api):
    assert api.get("/events?user_id=nobody&type=user&summary=true").error == NO_USER
