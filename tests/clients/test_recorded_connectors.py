"""Connectors of others, as the bytes they send: Segment, RudderStack, PostHog, Airbyte and Singer. The contract, section 11."""

import json
import re
from typing import Any

from client_shapes import NOW
from recorded import AIRBYTE, POSTHOG, RUDDERSTACK, SEGMENT, SINGER, Answer, names, request, send

from trackrecord.testing import TrackrecordServer

OLD_RUDDERSTACK = RUDDERSTACK.replace("2.10", "1.4")


def ask(server: TrackrecordServer, line: str, headers: str, body: Any = None) -> Answer:
    return send(server, request(server, line, headers, "" if body is None else json.dumps(body)))


def events(server: TrackrecordServer, user_id: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = ask(server, f"GET /events?type=user&user_id={user_id}", RUDDERSTACK).json["events"]
    return listed


def test_segment_checks_its_token_searches_barely_and_sends_the_event_to_the_id_it_found(server: TrackrecordServer, ada: str) -> None:
    assert ask(server, "GET /admins", SEGMENT).json["type"] == "admin.list"
    bare = {"query": {"field": "email", "operator": "=", "value": "wash@serenity.io"}}
    found = ask(server, "POST /contacts/search", SEGMENT, bare).json
    assert (found["total_count"], [contact["id"] for contact in found["data"]]) == (1, [ada])  # it goes on at exactly 1
    price = {"amount": 1999.9999999999998, "currency": "USD"}  # revenue times 100
    event = {"event_name": "Order Completed", "created_at": str(NOW), "id": ada, "metadata": {"price": price, "order_ID": "x-1"}}
    sent = ask(server, "POST /events", SEGMENT, event)
    assert (sent.status, sent.body) == (202, b"")
    (kept,) = events(server, "25")
    assert (kept["event_name"], kept["created_at"], kept["metadata"]) == ("Order Completed", NOW, {"price": price, "order_ID": "x-1"})
    nobody = {"query": {"field": "email", "operator": "=", "value": "nobody@example.com"}}
    assert ask(server, "POST /contacts/search", SEGMENT, nobody).json["total_count"] == 0


def test_segment_reads_the_id_out_of_the_text_of_a_409_and_updates(server: TrackrecordServer, ada: str) -> None:
    person = {"role": "user", "external_id": "25", "email": "wash@serenity.io", "name": "Wash", "custom_attributes": {"plan": "pro"}}
    clash = ask(server, "POST /contacts", SEGMENT, person)
    (error,) = clash.json["errors"]
    assert (clash.status, error["code"]) == (409, "conflict")
    found = re.fullmatch(r"A contact matching those details already exists with id=(\S+)", error["message"])
    assert found is not None
    assert found[1] == ada
    assert ask(server, f"PUT /contacts/{ada}", SEGMENT, person).json["name"] == "Wash"
    assert ask(server, f"DELETE /contacts/{ada}", SEGMENT).json["deleted"] is True


def test_rudderstack_searches_in_an_and_of_one_and_its_dotted_keys_are_kept(server: TrackrecordServer, ada: str) -> None:
    one = {"operator": "AND", "value": [{"field": "email", "operator": "=", "value": "wash@serenity.io"}]}
    found = ask(server, "POST /contacts/search", RUDDERSTACK, {"query": one})
    assert [contact["id"] for contact in found.json["data"]] == [ada]
    metadata = {
        "order.address.city": "Berlin",  # what was nested comes flat
        "products[0].sku": "a-1",
        "price": {"amount": 3000, "currency": "USD"},
        "order_ID": {"url": "https://example.com/1", "value": "1"},
    }
    event = {"event_name": "Test Event 2", "created_at": NOW, "user_id": "25", "email": "wash@serenity.io", "metadata": metadata}
    sent = ask(server, "POST /events", RUDDERSTACK, event)
    assert (sent.status, sent.body) == (202, b"")
    (kept,) = events(server, "25")
    assert list(kept["metadata"].items()) == [(key.replace(".", "-"), value) for key, value in metadata.items()]


def test_rudderstack_groups_and_tags_by_companies(server: TrackrecordServer, ada: str) -> None:
    group = {"company_id": "acme", "name": "Acme", "plan": "enterprise", "size": 50, "monthly_spend": 1000.5, "custom_attributes": {}}
    company = ask(server, "POST /companies", RUDDERSTACK, group).json
    assert (company["type"], company["company_id"], company["name"]) == ("company", "acme", "Acme")
    attached = ask(server, f"POST /contacts/{ada}/companies", RUDDERSTACK, {"id": company["id"]})
    assert (attached.status, attached.json["id"]) == (200, company["id"])
    tagged = ask(server, "POST /tags", RUDDERSTACK, {"name": "vip", "companies": [{"id": company["id"]}]})
    assert (tagged.status, tagged.json["name"]) == (200, "vip")


def test_rudderstack_of_old_makes_users_and_asks_for_their_deletion(server: TrackrecordServer) -> None:
    person = {"user_id": "old-1", "email": "old@example.com", "name": "Old", "signed_up_at": NOW - 100, "last_request_at": NOW,
              "update_last_request_at": True, "custom_attributes": {"address.city": "Kolkata"},
              "companies": [{"company_id": "acme", "name": "Acme"}]}  # fmt: skip
    made = ask(server, "POST /users", OLD_RUDDERSTACK, person)
    assert (made.status, made.json["type"], made.json["user_id"]) == (200, "user", "old-1")
    assert [each["company_id"] for each in made.json["companies"]["companies"]] == ["acme"]
    sent = ask(server, "POST /events", OLD_RUDDERSTACK, {"user_id": "old-1", "event_name": "clicked", "created_at": NOW})
    assert (sent.status, sent.body) == (202, b"")
    deleted = ask(server, "POST /user_delete_requests", OLD_RUDDERSTACK, {"intercom_user_id": made.json["id"]})
    assert (deleted.status, {name: type(value) for name, value in deleted.json.items()}) == (200, {"id": int})
    assert ask(server, "GET /events?type=user&user_id=old-1", OLD_RUDDERSTACK).status == 404
    again = ask(server, "POST /user_delete_requests", OLD_RUDDERSTACK, {"intercom_user_id": made.json["id"]})
    assert again.status == 404  # which it passes over


def test_posthogs_foreign_id_falls_through_to_the_email(server: TrackrecordServer, ada: str) -> None:
    assert ask(server, "GET /me", POSTHOG).json["app"]["region"] in ("US", "EU", "AU")
    event = {"event_name": "$pageview", "created_at": NOW, "id": "018f-a-distinct-id", "email": "wash@serenity.io"}
    sent = ask(server, "POST /events", POSTHOG, event)
    assert (sent.status, sent.body) == (202, b"")
    assert names(ask(server, "GET /events?type=user&user_id=25", POSTHOG)) == ["-pageview"]


def test_airbyte_checks_on_tags_and_reads_how_many_calls_are_left(server: TrackrecordServer) -> None:
    checked = ask(server, "GET /tags", AIRBYTE)
    assert checked.json == {"type": "list", "data": []}
    limit, remaining, reset = (int(checked.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
    assert remaining / limit > 0.1  # below, it waits eight seconds before each call
    assert reset > NOW
    for line, kind in (("GET /segments", "segment.list"), ("GET /data_attributes?model=contact", "list"), ("GET /admins", "admin.list")):
        assert ask(server, line, AIRBYTE).json["type"] == kind
    assert ask(server, "GET /companies/scroll", AIRBYTE).json["data"] == []


def test_airbyte_searches_nested_with_its_sort_as_a_string(server: TrackrecordServer) -> None:
    for number in range(3):
        ask(server, "POST /contacts", AIRBYTE, {"external_id": str(number)})
        server.clock.advance(86_400)
    since, until = NOW - 10, NOW + 86_400  # the days of the first two
    between = {
        "operator": "AND",
        "value": [
            {"operator": "OR", "value": [{"field": "updated_at", "operator": op, "value": since} for op in (">", "=")]},
            {"operator": "OR", "value": [{"field": "updated_at", "operator": op, "value": until} for op in ("<", "=")]},
        ],
    }
    sort = json.dumps({"field": "updated_at", "order": "ascending"})
    seen, pagination = [], {"per_page": 1}
    while pagination:
        page = ask(server, "POST /contacts/search", AIRBYTE, {"query": between, "sort": sort, "pagination": pagination}).json
        assert page["total_count"] == 2
        seen += [contact["external_id"] for contact in page["data"]]
        following = page["pages"].get("next")
        pagination = {"per_page": 1, "starting_after": following["starting_after"]} if following else {}
    assert seen == ["0", "1"]


def test_singer_searches_with_or_and_joins_the_addresses_of_lists_to_its_own(server: TrackrecordServer, ada: str) -> None:
    either = {"operator": "OR", "value": [{"field": "updated_at", "operator": op, "value": NOW - 5} for op in (">", "=")]}
    body = {"pagination": {"per_page": 150}, "query": either, "sort": {"field": "updated_at", "order": "ascending"}}
    (contact,) = ask(server, "POST /contacts/search", SINGER, body).json["data"]
    assert contact["id"] == ada
    for noun in ("tags", "notes", "companies"):
        assert contact[noun]["url"] == f"/contacts/{ada}/{noun}"
        attached = ask(server, f"GET {contact[noun]['url']}", SINGER)
        assert (attached.status, attached.json["data"]) == (200, [])
