"""PUT /-/api/contacts: change a contact, or make it. Our own."""

import threading
from typing import Any

import pytest

from .client import Api, fresh

WHEN = 1_671_028_894


def upsert(api: Api, **sent: Any) -> tuple[bool, Any]:
    """(created, contact)."""
    answer = api.put("/-/api/contacts", sent)
    assert (answer.status, list(answer.json)) == (200, ["type", "created", "contact"]), answer
    return answer.json["created"], answer.json["contact"]


def email() -> str:
    return f"{fresh('joe')}@example.org"


def conflict(field: str, text: str) -> tuple[Any, ...]:
    return (409, "conflict", text, field)


def test_nobody_is_made_and_somebody_is_changed(api: Api, clock: Any):
    clock.freeze(WHEN)
    external_id, address = fresh("user-"), email()
    created, contact = upsert(api, external_id=external_id, email=address, name="Joe", custom_attributes={"upsert_plan": "pro"})
    assert (created, contact) == (True, api.get(f"/contacts/{contact['id']}").json)
    for named in ({"id": contact["id"]}, {"external_id": external_id}, {"email": address.upper()}, {"id": contact["id"], "email": address}):
        name = fresh("name ")
        created, changed = upsert(api, **named, name=name, custom_attributes={"upsert_seats": 3})
        assert (created, changed["id"], changed["name"]) == (False, contact["id"], name)
        assert changed["custom_attributes"] == {"upsert_plan": "pro", "upsert_seats": 3}
    assert upsert(api, id=changed["id"], email=None) == (False, {**changed, "email": None, "email_domain": None})


def test_who_is_the_same_afterwards_keeps_its_updated_at(api: Api, clock: Any):
    clock.freeze(WHEN)
    external_id = fresh("user-")
    _, contact = upsert(api, external_id=external_id, name="Joe")
    clock.freeze(WHEN + 60)
    assert upsert(api, external_id=external_id, name="Joe") == (False, contact)
    assert upsert(api, external_id=external_id, name="Ann") == (False, {**contact, "name": "Ann", "updated_at": WHEN + 60})


def test_a_user_found_by_email_is_given_the_external_id_it_lacks(api: Api):
    address, external_id = email(), fresh("user-")
    _, contact = upsert(api, email=address)
    assert upsert(api, email=address, external_id=external_id)[1]["id"] == contact["id"]
    assert api.get(f"/contacts/find_by_external_id/{external_id}").json["id"] == contact["id"]


def test_a_user_who_shares_the_email_under_another_external_id_is_somebody_else(api: Api, strict: Api):
    address, others = email(), [fresh("user-") for _ in range(2)]
    first = upsert(api, email=address, external_id=others[0])[1]
    created, second = upsert(api, email=address, external_id=others[1])
    assert (created, second["id"] == first["id"]) == (True, False)
    assert upsert(api, email=address, external_id=others[0])[1]["id"] == first["id"]
    there = strict.contact(external_id=others[0], email=address)
    text = f"A contact matching those details already exists with id={there['id']}"
    assert strict.put("/-/api/contacts", {"email": address, "external_id": others[1]}).error == conflict("email", text)


def test_identifiers_that_lead_to_different_contacts_are_told_both(api: Api):
    by_id, by_external, by_email = api.contact(), api.contact(), api.contact(email=email())
    for sent, (field, text) in (
        (
            {"id": by_id["id"], "external_id": by_external["external_id"]},
            ("external_id", f"id leads to the contact {by_id['id']} and external_id to the contact {by_external['id']}"),
        ),
        (
            {"external_id": by_external["external_id"], "email": by_email["email"]},
            ("email", f"external_id leads to the contact {by_external['id']} and email to the contact {by_email['id']}"),
        ),
        (
            {"id": by_id["id"], "email": by_email["email"]},
            ("email", f"id leads to the contact {by_id['id']} and email to the contact {by_email['id']}"),
        ),
    ):
        answer = api.put("/-/api/contacts", {**sent, "name": "nobody"})
        assert answer.error == conflict(field, f"{text}: send one of them, or merge the two")
    assert [api.get(f"/contacts/{contact['id']}").json for contact in (by_id, by_external, by_email)] == [by_id, by_external, by_email]


def test_an_email_of_several_users_names_none_of_them(api: Api):
    address = email()
    users = [api.contact(external_id=fresh("user-"), email=address) for _ in range(2)]
    text = "Multiple existing users match this email address - must be more specific using user_id"
    assert api.put("/-/api/contacts", {"email": address, "name": "x"}).error == conflict("email", text)
    assert upsert(api, email=address, external_id=users[1]["external_id"], name="x")[1]["id"] == users[1]["id"]
    assert upsert(api, email=address, id=users[0]["id"], name="x")[1]["id"] == users[0]["id"]


def test_a_lead_is_found_by_its_id_and_among_leads_by_its_email(api: Api):
    address = email()
    lead = upsert(api, role="lead", email=address)[1]
    assert upsert(api, role="lead", email=address, name="Lead") == (False, {**lead, "name": "Lead"} | updated(api, lead))
    assert upsert(api, id=lead["id"], name="Lead")[1]["role"] == "lead"
    created, user = upsert(api, email=address)  # without a role a user is meant
    assert (created, user["role"], user["id"] == lead["id"]) == (True, "user", False)
    made = upsert(api, id=upsert(api, role="lead", email=email())[1]["id"], role="user", external_id=fresh("user-"))[1]
    assert (made["role"], made["external_id"] is None) == ("user", False)


def updated(api: Api, contact: Any) -> dict[str, Any]:
    return {"updated_at": api.get(f"/contacts/{contact['id']}").json["updated_at"]}


def test_the_id_of_a_merged_lead_is_the_user_now(api: Api):
    lead, user = api.contact(role="lead"), api.contact()
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    created, contact = upsert(api, id=lead["id"], name="Joe")
    assert (created, contact["id"], contact["name"]) == (False, user["id"], "Joe")


def test_who_is_archived_or_blocked_is_neither_changed_nor_made_again(api: Api):
    for verb, error in (
        ("archive", "An archived contact matching those details already exists with id={id}"),
        ("block", "The contact was blocked and cannot be recreated"),
    ):
        contact = api.contact(external_id=fresh("user-"), email=email())
        assert api.post(f"/contacts/{contact['id']}/{verb}", None).status == 200
        refusals = [
            api.put("/-/api/contacts", named).error[:3]
            for named in ({"id": contact["id"]}, {"external_id": contact["external_id"]}, {"email": contact["email"]})
        ]
        status, code = (409, "conflict") if verb == "archive" else (403, "not_restorable")
        assert refusals == [(status, code, error.format(id=contact["id"]))] * 3


def test_the_id_of_whoever_was_merged_into_somebody_archived_is_what_is_refused(api: Api):
    lead, user = api.contact(role="lead"), api.contact(external_id=fresh("user-"))
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    assert api.post(f"/contacts/{user['id']}/archive", None).status == 200
    refused = conflict("id", f"An archived contact matching those details already exists with id={user['id']}")
    assert api.put("/-/api/contacts", {"id": lead["id"], "name": "Ada"}).error == refused


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, (400, "parameter_not_found", "say which contact it is: id, external_id or email", "external_id")),
        ({"role": "lead", "name": "x"}, (400, "parameter_not_found", "say which contact it is: id, external_id or email", "external_id")),
        ({"id": "0" * 24}, (404, "not_found", "User Not Found", "id")),
        ({"id": "\u0000"}, (400, "parameter_invalid", "id must not contain control characters", "id")),
        ({"id": 7}, (400, "type_mismatch", "id must be a string, got a whole number", "id")),
        ({"external_id": ["x"]}, (400, "type_mismatch", "external_id must be a whole number or a string, got a list", "external_id")),
        ({"email": "x"}, (400, "parameter_invalid", "email must be an address such as joe@example.com, got 'x'", "email")),
        ({"external_id": "x", "role": "visitor"}, (400, "parameter_invalid", "role must be user or lead, got 'visitor'", "role")),
        (
            {"external_id": "x", "role": "lead"},
            (422, "data_invalid", "a lead cannot have an external_id; send role user to make a user of it", "external_id"),
        ),
        ([], (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
        (b"{", (400, "parameter_invalid", "Invalid JSON", "body")),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: Api, sent: Any, error: tuple[Any, ...]):
    assert api.put("/-/api/contacts", sent).error == error


def test_a_user_does_not_become_a_lead(api: Api):
    contact = api.contact(email=email())
    answer = api.put("/-/api/contacts", {"email": contact["email"], "role": "lead"})
    assert answer.error == (422, "data_invalid", "a user cannot become a lead", "role")


def test_of_many_at_once_one_makes_the_contact_and_the_others_change_it(api: Api):
    external_id, senders = fresh("user-"), 20
    going = threading.Barrier(senders)
    answers: list[tuple[bool, Any]] = []

    def send(number: int) -> None:
        going.wait()
        answers.append(upsert(api, external_id=external_id, name=f"name {number}"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created for created, _ in answers) == [False] * (senders - 1) + [True]
    assert len({contact["id"] for _, contact in answers}) == 1
