"""POST /events/summaries: what a contact had done before its events were kept here. The contract, 2.4."""

from typing import Any

import pytest

from .client import Api, fresh

WHEN = 1_671_028_894
TEXT = "2022-12-14T14:41:34.000Z"
LATER = "2022-12-14T14:41:35.000Z"
EARLIER = "2022-12-14T14:41:33.000Z"


def set_baseline(api: Api, contact: Any, rows: Any) -> None:
    answer = api.post("/events/summaries", {"user_id": contact["external_id"], "event_summaries": rows})
    assert (answer.status, answer.body, answer.header("content-length"), answer.header("content-type")) == (200, b"", "0", None)


def rows(api: Api, contact: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in api.summary(contact)]


def test_an_object_sets_one_count(api: Api):
    contact, name = api.contact(), fresh("invited")
    set_baseline(api, contact, {"event_name": name, "count": 4, "first": WHEN, "last": WHEN + 1})
    assert rows(api, contact) == [(name, TEXT, LATER, 4, None)]


def test_a_list_sets_several(api: Api):
    contact, first, second = api.contact(), fresh("invited"), fresh("clicked")
    set_baseline(api, contact, [{"event_name": first, "count": 4, "first": WHEN, "last": WHEN}, {"event_name": second, "count": 0}])
    assert rows(api, contact) == [(first, TEXT, TEXT, 4, None), (second, None, None, 0, None)]


def test_an_empty_list_sets_nothing(api: Api):
    contact = api.contact()
    set_baseline(api, contact, [])
    assert rows(api, contact) == []


@pytest.mark.parametrize("kind", ["id", "intercom_user_id", "user_id", "email"])
def test_the_contact_may_be_named_as_for_an_event(api: Api, kind: str):
    contact, name = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com"), fresh("invited")
    value = {"id": contact["id"], "intercom_user_id": contact["id"], "user_id": contact["external_id"], "email": contact["email"]}[kind]
    assert api.post("/events/summaries", {kind: value, "event_summaries": {"event_name": name, "count": 1}}).status == 200
    assert rows(api, contact) == [(name, None, None, 1, None)]


def test_sent_again_it_changes_nothing_and_sent_anew_it_replaces(api: Api):
    contact, name = api.contact(), fresh("Invited")
    for _ in range(2):
        set_baseline(api, contact, {"event_name": name, "count": 4, "first": WHEN, "last": WHEN})
        assert rows(api, contact) == [(name, TEXT, TEXT, 4, None)]
    set_baseline(api, contact, {"event_name": name.upper(), "count": 2, "first": WHEN + 1, "last": WHEN + 1})
    assert rows(api, contact) == [(name, LATER, LATER, 2, None)]


def test_events_count_on_top_and_widen_first_and_last(api: Api):
    contact, name = api.contact(), fresh("invited")
    assert api.submit(event_name=name, created_at=WHEN - 1, id=contact["id"]).status == 202
    set_baseline(api, contact, {"event_name": name, "count": 10, "first": WHEN, "last": WHEN})
    assert rows(api, contact) == [(name, EARLIER, TEXT, 11, None)]
    for _ in range(2):  # the second is a duplicate
        assert api.submit(event_name=name, created_at=WHEN + 1, id=contact["id"]).status == 202
    assert rows(api, contact) == [(name, EARLIER, LATER, 12, None)]
    set_baseline(api, contact, {"event_name": name, "count": 0})
    assert rows(api, contact) == [(name, EARLIER, LATER, 2, None)]


def test_a_baseline_is_counted_and_not_listed(api: Api):
    contact = api.contact()
    set_baseline(api, contact, {"event_name": fresh("invited"), "count": 3, "first": WHEN, "last": WHEN})
    assert api.events(contact) == []


def test_names_are_cleaned_as_for_an_event(api: Api):
    contact, name = api.contact(), fresh("paid.invoice$")
    set_baseline(api, contact, {"event_name": name, "count": 1})
    assert [row[0] for row in rows(api, contact)] == [name.replace(".", "-").replace("$", "-")]


def test_all_of_a_list_or_none_of_it_is_kept(api: Api):
    contact, name = api.contact(), fresh("invited")
    sent = {"user_id": contact["external_id"], "event_summaries": [{"event_name": name, "count": 1}, {"event_name": name, "count": -1}]}
    assert api.post("/events/summaries", sent).status == 422
    assert (rows(api, contact), name in {each.name for each in api.server.server.directory.names.all(1)}) == ([], False)
