"""GET /-/api/receipts/{position}: what became of an event that was answered 202."""

from typing import Any

from .client import Answer, Api, fresh

WHEN = 1_671_028_894
NO_RECEIPT = (404, "not_found", "Receipt not found", "position")


def position(answer: Answer) -> int:
    return int(answer.header("trackrecord-receipt") or "")


def submitted(api: Api, contact: Any, **event: Any) -> Answer:
    return api.submit(**{"event_name": "clicked", "created_at": WHEN, "id": contact["id"], **event})


def test_an_event_that_was_stored_is_shown_with_the_keys_it_lost(api: Api):
    contact = api.contact()
    before = int(api.server.clock() * 1000)
    answer = submitted(api, contact, metadata={"a": None, "b": 1})
    (event,) = api.events(contact)
    receipt = api.receipt(answer)
    assert before <= receipt["received_at_ms"] <= int(api.server.clock() * 1000)
    assert list(receipt.items()) == [
        ("type", "receipt"),
        ("position", position(answer)),
        ("outcome", "stored"),
        ("received_at_ms", receipt["received_at_ms"]),
        ("event", event),
        ("keys_dropped", [{"key": "a", "reason": "null_value", "meaning": "null carries no value; the key counted towards the limit"}]),
    ]


def test_an_event_that_lost_no_keys_says_so(api: Api):
    assert api.receipt(submitted(api, api.contact(), metadata={"b": 1}))["keys_dropped"] == []


def test_a_duplicate_names_the_event_that_stands_and_when_it_came(api: Api):
    contact = api.contact()
    first = submitted(api, contact, metadata={"copy": 1})
    again = submitted(api, contact, event_name="CLICKED", metadata={"copy": 2})
    (event,) = api.events(contact)
    stored, receipt = api.receipt(first), api.receipt(again)
    assert position(again) > position(first)
    assert list(receipt.items()) == [
        ("type", "receipt"),
        ("position", position(again)),
        ("outcome", "duplicate"),
        ("received_at_ms", receipt["received_at_ms"]),
        ("duplicate_of", {"position": position(first), "received_at_ms": stored["received_at_ms"], "event": event}),
    ]


def test_an_event_that_was_sent_again_tells_how_often_and_when(api: Api):
    contact = api.contact()
    first, *again = [submitted(api, contact) for _ in range(3)]
    receipts = [api.receipt(answer) for answer in again]
    assert api.receipt(first)["copies"] == {
        "total_count": 2,
        "data": [{name: receipt[name] for name in ("position", "received_at_ms")} for receipt in receipts],
    }


def test_an_event_of_a_deleted_contact_was_erased(api: Api):
    contact = api.contact()
    answers = [submitted(api, contact), submitted(api, contact)]
    before = [api.receipt(answer) for answer in answers]
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    assert [api.receipt(answer) for answer in answers] == [
        {"type": "receipt", "position": position(answer), "outcome": "erased", "received_at_ms": known["received_at_ms"]}
        for answer, known in zip(answers, before, strict=True)
    ]


def test_an_event_is_erased_with_its_contact_even_before_the_store_has_heard_of_it(api: Api):
    contact = api.contact()
    answers = [submitted(api, contact), submitted(api, contact)]
    assert [api.receipt(answer)["outcome"] for answer in answers] == ["stored", "duplicate"]
    # As after a crash in the middle of a deletion, or while the journal cannot be written.
    api.server.server.directory.contacts.delete(1, contact["id"], now=WHEN)
    assert [list(api.receipt(answer)) for answer in answers] == [["type", "position", "outcome", "received_at_ms"]] * 2
    assert [api.receipt(answer)["outcome"] for answer in answers] == ["erased", "erased"]


def test_what_is_no_event_has_no_receipt(api: Api):
    contact = api.contact()
    head = position(submitted(api, contact))
    assert api.post("/events/summaries", {"id": contact["id"], "event_summaries": {"event_name": fresh("a"), "count": 1}}).status == 200
    journal_head = api.server.server.journal.head
    assert journal_head > head
    assert [api.get(f"/-/api/receipts/{each}").error for each in (journal_head, journal_head + 1000)] == [NO_RECEIPT] * 2
