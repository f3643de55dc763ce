"""Queries of events across contacts: what is found, in which order, page by page; and whose events nobody else finds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894


def cond(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def both(*parts: Any) -> dict[str, Any]:
    return {"operator": "AND", "value": list(parts)}


def search(api: Api, query: Any = None, **more: Any) -> Any:
    answer = api.post("/-/api/events/search", {**({"query": query} if query is not None else {}), **more})
    assert answer.status == 200, answer
    return answer.json


def found(api: Api, query: Any = None) -> list[int]:
    """The `n` of what is found."""
    return [each["metadata"]["n"] for each in search(api, query)["data"]]


@pytest.fixture(scope="module")
def shop() -> Iterator[Api]:
    """Three contacts and six events, whose n says in which order they happened."""
    with TrackrecordServer() as server:
        api = Api(server)
        api.contact(external_id="ann", email="ann@example.com")
        api.contact(external_id="bob", email="Bob@example.com")
        lead = api.contact(role="lead", email="lead@example.com")
        events = [
            {"event_name": "Placed Order", "user_id": "ann", "metadata": {"price": {"amount": 500, "currency": "eur"}, "plan": "Pro"}},
            {"event_name": "Placed Order", "user_id": "bob", "metadata": {"price": {"amount": 1500, "currency": "usd"}, "plan": "Free"}},
            {"event_name": "Signed Up", "user_id": "bob", "metadata": {"seats": 5, "trial": True, "paid_date": WHEN}},
            {"event_name": "Signed Up", "user_id": "ann", "metadata": {"seats": "5", "link": {"url": "https://x.io/1", "value": "One"}}},
            {"event_name": "visited", "id": lead["id"], "metadata": {"seats": 7.5, "page": {"tags": ["a", "b"]}}},
            {"event_name": "visited", "user_id": "ann", "metadata": {}},
        ]
        for n in (3, 0, 5, 1, 4, 2):  # they arrive in another order
            sent = {**events[n], "created_at": WHEN + n * 10, "metadata": {**events[n]["metadata"], "n": n}}
            assert api.submit(**sent).status == 202
        yield api


def test_an_event_is_shown_as_in_lists_with_its_position(shop: Api):
    data = search(shop, cond("created_at", "=", WHEN + 40))
    assert data["pages"] == {"type": "pages", "page": 1, "per_page": 50}
    (one,) = data["data"]
    position = one.pop("position")
    lead = next(each for each in shop.get("/contacts").json["data"] if each["role"] == "lead")
    assert [one] == shop.events(lead)
    assert shop.get(f"/-/api/receipts/{position}").json["event"] == one
    assert list(one) == ["type", "id", "created_at", "event_name", "user_id", "email", "intercom_user_id", "metadata"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (None, [5, 4, 3, 2, 1, 0]),
        (cond("event_name", "=", "placed order"), [1, 0]),
        (cond("event_name", "^", "SIGNED"), [3, 2]),
        (cond("event_name", "NIN", ["visited", "Signed Up"]), [1, 0]),
        (cond("created_at", ">", WHEN + 30), [5, 4]),
        (cond("created_at", ">=", WHEN + 30), [5, 4, 3]),
        (cond("created_at", "!=", WHEN + 30), [5, 4, 2, 1, 0]),
        (both(cond("created_at", ">", WHEN), cond("created_at", "<=", WHEN + 20)), [2, 1]),
        (cond("user_id", "=", "ann"), [5, 3, 0]),
        (cond("email", "=", "BOB@example.com"), [2, 1]),
        (cond("email", "IN", ["bob@example.com", "lead@example.com"]), [4, 2, 1]),
        (cond("user_id", "!=", "ann"), [4, 2, 1]),
        (cond("user_id", "=", "nobody"), []),
        (cond("metadata.price.amount", ">", 500), [1]),
        (cond("metadata.price.currency", "=", "EUR"), [0]),
        (cond("metadata.link.value", "=", "one"), [3]),
        (cond("metadata.link.url", "$", "/1"), [3]),
        (cond("metadata.seats", "=", 5), [2]),
        (cond("metadata.seats", "=", "5"), [3]),
        (cond("metadata.seats", ">=", 5), [4, 2]),
        (cond("metadata.seats", "!=", None), [4, 3, 2]),
        (cond("metadata.trial", "=", True), [2]),
        (cond("metadata.paid_date", "<=", WHEN), [2]),
        (cond("metadata.page.tags.1", "=", "b"), [4]),
        (cond("metadata.plan", "=", None), [5, 4, 3, 2]),
        (cond("metadata.plan", "NIN", ["pro"]), [5, 4, 3, 2, 1]),
        (
            both(
                cond("user_id", "=", "ann"),
                {"operator": "OR", "value": [cond("metadata.plan", "=", "pro"), cond("metadata.seats", "=", "5")]},
            ),
            [3, 0],
        ),
        (both(cond("event_name", "=", "never")), []),
    ],
)
def test_a_query_finds_exactly_these_newest_first(shop: Api, query: Any, expected: list[int]):
    assert found(shop, query) == expected


def test_an_empty_body_finds_all(shop: Api):
    assert len(shop.post("/-/api/events/search", b"").json["data"]) == 6


def test_pages_are_followed_to_the_end_and_nothing_comes_twice(shop: Api):
    seen, after, numbers = [], None, []
    while True:
        page = search(shop, pagination={"per_page": 2, **({"starting_after": after} if after else {})})
        seen += [each["metadata"]["n"] for each in page["data"]]
        numbers.append(page["pages"]["page"])
        if "next" not in page["pages"]:
            break
        assert set(page["pages"]["next"]) == {"page", "per_page", "starting_after"}
        after = page["pages"]["next"]["starting_after"]
    assert seen == [5, 4, 3, 2, 1, 0]
    assert numbers == list(range(1, len(numbers) + 1))


def test_many_events_of_one_second_are_paged_without_loss(api: Api):
    contact, name = api.contact(), fresh("same-second-")
    lines = [{"event_name": name, "created_at": WHEN, "id": contact["id"], "distinct": str(n), "metadata": {"n": n}} for n in range(25)]
    assert api.post("/-/api/import/events", b"\n".join(json.dumps(each).encode() for each in lines)).json["new"] == 25
    seen, after = [], None
    while True:
        pagination = {"per_page": "10", **({"starting_after": after} if after else {})}
        page = search(api, cond("event_name", "=", name), pagination=pagination)
        seen += [each["metadata"]["n"] for each in page["data"]]
        if "next" not in page["pages"]:
            break
        after = page["pages"]["next"]["starting_after"]
    assert seen == list(range(24, -1, -1))


def test_a_page_with_much_to_look_at_comes_short_and_leads_on(api: Api):
    contact, name = api.contact(), fresh("rare-")
    for start in range(0, 24_000, 2_000):
        lines = [
            {"event_name": name, "created_at": WHEN + n, "id": contact["id"], "metadata": {"n": n}} for n in range(start, start + 2_000)
        ]
        assert api.post("/-/api/import/events", b"\n".join(json.dumps(each).encode() for each in lines)).json["new"] == 2_000
    seen, after = [], None
    while True:
        pagination = {"starting_after": after} if after else {}
        page = search(api, both(cond("event_name", "=", name), cond("metadata.n", "IN", [3, 23_000])), pagination=pagination)
        seen.append([each["metadata"]["n"] for each in page["data"]])
        if "next" not in page["pages"]:
            break
        after = page["pages"]["next"]["starting_after"]
    assert (seen[0], seen[-1], len(seen)) == ([23_000], [3], 3)


def test_an_event_is_found_as_soon_as_it_was_answered(api: Api):
    contact, name = api.contact(), fresh("now-")
    for n in range(20):
        api.submit(event_name=name, created_at=WHEN + n, id=contact["id"], metadata={"n": n})
        assert found(api, cond("event_name", "=", name))[0] == n


def test_a_deleted_contacts_events_are_not_found(api: Api):
    contact, name = api.contact(), fresh("gone-")
    api.submit(event_name=name, created_at=WHEN, id=contact["id"], metadata={"n": 1})
    assert found(api, cond("event_name", "=", name)) == [1]
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    assert found(api, cond("event_name", "=", name)) == []


def test_an_archived_contacts_events_are_found_by_name_and_by_contact(api: Api):
    contact, name = api.contact(), fresh("archived-")
    api.submit(event_name=name, created_at=WHEN, id=contact["id"], metadata={"n": 1})
    assert api.post(f"/contacts/{contact['id']}/archive", {}).status == 200
    assert found(api, cond("event_name", "=", name)) == [1]
    assert found(api, cond("intercom_user_id", "=", contact["id"])) == [1]
    assert found(api, cond("user_id", "=", contact["external_id"])) == [1]


def test_a_merged_leads_events_are_found_by_both_of_its_ids(api: Api):
    lead, user, name = api.contact(role="lead"), api.contact(), fresh("merged-")
    api.submit(event_name=name, created_at=WHEN, id=lead["id"], metadata={"n": 1})
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    for contact in (lead, user):
        (one,) = search(api, both(cond("event_name", "=", name), cond("intercom_user_id", "=", contact["id"])))["data"]
        assert (one["intercom_user_id"], one["user_id"]) == (user["id"], user["external_id"])


def test_a_renamed_event_is_found_under_both_names(api: Api):
    contact, old, new = api.contact(), fresh("old-"), fresh("new-")
    api.submit(event_name=old, created_at=WHEN, id=contact["id"], metadata={"n": 1})
    assert api.put(f"/-/api/event-names/{old}", {"name": new}).status == 200
    assert found(api, cond("event_name", "=", old)) == found(api, cond("event_name", "=", new)) == [1]
    assert found(api, cond("event_name", "~", old)) == []


def test_a_workspace_finds_its_own_events_alone(shop: Api):
    directory = shop.server.server.directory
    there = directory.workspaces.create(fresh("ws"), "theirs", now=0)
    scopes = ["write_events", "write_contacts"]
    theirs = Api(shop.server, directory.tokens.create(there.number, "t", scopes, now=0)[1])
    contact = theirs.contact(external_id="ann")
    theirs.submit(event_name="Placed Order", created_at=WHEN, id=contact["id"], metadata={"n": 99})
    queries = [None, cond("event_name", "=", "placed order"), cond("user_id", "=", "ann"), cond("user_id", "!=", "nobody")]
    assert [found(theirs, query) for query in queries] == [[99]] * 4
    assert found(theirs, cond("email", "=", "ann@example.com")) == []
    ours = shop.get("/contacts/find_by_external_id/ann").json["id"]
    assert found(theirs, cond("intercom_user_id", "=", ours)) == []
    assert found(shop, cond("user_id", "=", "ann")) == [5, 3, 0]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"[]", (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
        ({"query": "x"}, (400, "type_mismatch", "query must be an object with field, operator and value, got a string", "query")),
        (
            {"pagination": {"starting_after": "x"}},
            (
                400,
                "parameter_invalid",
                "pagination.starting_after must be a cursor from pages.next of an earlier answer",
                "pagination.starting_after",
            ),
        ),
        (
            {"pagination": {"starting_after": "2-5"}},
            (
                400,
                "parameter_invalid",
                "pagination.starting_after must be a cursor from pages.next of an earlier answer",
                "pagination.starting_after",
            ),
        ),
        (
            {"pagination": {"per_page": "many"}},
            (400, "parameter_invalid", "pagination.per_page must be a whole number from 1 to 150, got 'many'", "pagination.per_page"),
        ),
        (
            {"sort": {"field": "created_at", "order": "ascending"}},
            (400, "invalid_sort_order", "events are found newest first: leave sort out, or send created_at and descending", "sort"),
        ),
    ],
)
def test_a_bad_search_is_refused_by_field(api: Api, body: Any, refusal: tuple[Any, ...]):
    assert api.post("/-/api/events/search", body).error == refusal


def test_the_one_order_there_is_may_be_asked_for(shop: Api):
    assert len(search(shop, sort={"field": "created_at", "order": "descending"})["data"]) == 6
    assert len(search(shop, pagination={"per_page": 10_000})["data"]) == 6
    assert len(search(shop, pagination={"per_page": 0})["data"]) == 1
