"""Merging a lead into a user. The contract, 4.6."""

import threading
from pathlib import Path
from typing import Any

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894
V2_15, V2_16 = "Intercom-Version: 2.15", "Intercom-Version: 2.16"
WRONG_ROLES = "Merging can only be performed on a lead into a user"
NO_DUPLICATES = (
    "Contacts can only be merged when they are duplicates (matching email or phone). "
    "Pass skip_duplicate_validation=true to override this check."
)
MERGED = "This contact has been merged. See the 'Link' header for the canonical contact."


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


def merge(api: Api, lead: Any, user: Any, *headers: str, **more: Any) -> Any:
    """Merge, and return the target as it was answered."""
    answer = api.post("/contacts/merge", {"from": lead["id"], "into": user["id"], **more}, *headers)
    assert answer.status == 200, answer
    return answer.json


def pair(api: Api) -> tuple[Any, Any]:
    return api.contact(role="lead"), api.contact()


def anonymous_id(api: Api, lead: Any) -> str:
    """What the lists of events call the lead's user_id."""
    return str(api.get(f"/events?intercom_user_id={lead['id']}&type=user&summary=true").json["user_id"])


def done(api: Api, contact: Any) -> list[tuple[str, int]]:
    """The events of a contact, newest first: (name, when)."""
    return [(event["event_name"], event["created_at"]) for event in api.events(contact)]


def test_the_answer_is_the_user_with_what_it_lacked_from_the_lead(api: Api, clock: Any):
    clock.freeze(WHEN)
    lead = api.contact(
        role="lead",
        email="lead@example.org",
        phone="+353871234567",
        name="Lead",
        avatar="https://example.org/lead.png",
        owner_id=7,
        signed_up_at=WHEN,
        last_seen_at=WHEN + 1,
        language_override="en",
        custom_attributes={"merged_plan": "pro", "merged_seats": 3},
    )
    user = api.contact(external_id=fresh("user-"), name="User", custom_attributes={"merged_plan": "free", "merged_paid": True})
    clock.freeze(WHEN + 60)
    merged = merge(api, lead, user)
    assert {name: merged[name] for name in merged if merged[name] != user[name]} == {
        "email": "lead@example.org",
        "email_domain": "example.org",
        "phone": "+353871234567",
        "avatar": {"type": "avatar", "image_url": "https://example.org/lead.png"},
        "owner_id": 7,
        "signed_up_at": WHEN,
        "last_seen_at": WHEN + 1,
        "language_override": "en",
        "custom_attributes": {"merged_plan": "free", "merged_seats": 3, "merged_paid": True},
        "updated_at": WHEN + 60,
    }
    assert api.get(f"/contacts/{user['id']}").json == merged


def preview(api: Api, lead: Any, user: Any) -> Any:
    return api.post("/-/api/contacts/merge/preview", {"from": lead["id"], "into": user["id"]})


def test_a_preview_says_what_every_field_of_the_lead_comes_to_and_does_nothing(api: Api):
    email = f"{fresh('shared')}@example.org"
    lead = api.contact(
        role="lead",
        email=email,
        name="Lead",
        phone="+353871234567",
        unsubscribed_from_emails=True,
        custom_attributes={"plan_x": "pro", "seats_x": 3},
    )
    user = api.contact(external_id=fresh("user-"), name="User", custom_attributes={"plan_x": "free", "paid_x": True})
    api.contact(external_id=fresh("other-"), email=email)  # so the address is not taken over
    answer = preview(api, lead, user)
    assert answer.status == 200
    assert answer.json == {
        "type": "contact.merge_preview",
        "from": lead["id"],
        "into": user["id"],
        "fields": [
            {"field": "email", "from": email, "into": None, "after": None},
            {"field": "phone", "from": "+353871234567", "into": None, "after": "+353871234567"},
            {"field": "name", "from": "Lead", "into": "User", "after": "User"},
            {"field": "unsubscribed_from_emails", "from": True, "into": None, "after": True},
            {"field": "custom_attributes.plan_x", "from": "pro", "into": "free", "after": "free"},
            {"field": "custom_attributes.seats_x", "from": 3, "into": None, "after": 3},
        ],
    }
    assert [api.get(f"/contacts/{each['id']}").json for each in (lead, user)] == [lead, user]
    merged = merge(api, lead, user)
    after = {each["field"]: each["after"] for each in answer.json["fields"]}
    shown = {**merged, **{f"custom_attributes.{name}": value for name, value in merged["custom_attributes"].items()}}
    assert {name: shown[name] for name in after} == after


def test_a_preview_refuses_what_a_merge_refuses(api: Api):
    lead, user = pair(api)
    for source, target in ((user, lead), (user, user), (lead, {"id": "0" * 24})):
        body = {"from": source["id"], "into": target["id"]}
        assert api.post("/-/api/contacts/merge/preview", body).error == api.post("/contacts/merge", body).error


def test_the_events_of_the_lead_are_the_users_and_of_equal_ones_the_users_copy_stays(api: Api):
    lead, user = pair(api)
    for contact, source in ((lead, "lead"), (user, "user")):
        api.submit(event_name="both", created_at=WHEN, id=contact["id"], metadata={"source": source})
        api.submit(event_name=f"only-{source}", created_at=WHEN + 1, id=contact["id"])
    merge(api, lead, user)
    assert done(api, user) == [("only-user", WHEN + 1), ("only-lead", WHEN + 1), ("both", WHEN)]
    assert api.events(user)[-1]["metadata"] == {"source": "user"}
    assert {row["name"]: row["count"] for row in api.summary(user)} == {"both": 1, "only-lead": 1, "only-user": 1}


def test_imported_summaries_move_and_of_one_name_the_users_stays(api: Api):
    lead, user = pair(api)
    for contact, name, count in ((lead, "both", 5), (user, "both", 7), (lead, "only-lead", 3)):
        summary = {"event_name": name, "count": count, "first": WHEN, "last": WHEN}
        assert api.post("/events/summaries", {"id": contact["id"], "event_summaries": summary}).status == 200
    merge(api, lead, user)
    assert {row["name"]: row["count"] for row in api.summary(user)} == {"both": 7, "only-lead": 3}


def test_tags_and_companies_are_united_and_go_with_the_user(api: Api, clock: Any):
    lead, user = pair(api)
    of_lead, both = (api.post("/tags", {"name": fresh("tag ")}).json["id"] for _ in range(2))
    company = api.post("/companies", {"company_id": fresh("company-")}).json["id"]
    for moment, contact, tag in ((WHEN, lead, of_lead), (WHEN + 1, lead, both), (WHEN + 2, user, both)):
        clock.freeze(moment)
        assert api.post(f"/contacts/{contact['id']}/tags", {"id": tag}).status == 200
    assert api.post(f"/contacts/{lead['id']}/companies", {"id": company}).status == 200
    merged = merge(api, lead, user)
    assert [(tag["id"], tag["url"]) for tag in merged["tags"]["data"]] == [(both, f"/tags/{both}"), (of_lead, f"/tags/{of_lead}")]
    assert [each["id"] for each in merged["companies"]["data"]] == [company]
    inside, number = api.server.server.directory, api.server.server.directory.contacts.merges()[-1][1]
    assert api.delete(f"/contacts/{user['id']}").status == 200
    assert inside.belongings([number]) == {}


def test_later_events_for_the_lead_reach_the_user(api: Api):
    lead, user = pair(api)
    anonymous = anonymous_id(api, lead)
    assert api.submit(event_name="before", created_at=WHEN, id=lead["id"]).status == 202
    merge(api, lead, user)
    assert api.submit(event_name="by id", created_at=WHEN + 1, id=lead["id"]).status == 202
    assert api.submit(event_name="by anonymous id", created_at=WHEN + 2, user_id=anonymous).status == 202
    lines = b'{"event_name":"imported","created_at":%d,"id":"%s"}' % (WHEN + 3, lead["id"].encode())
    assert api.post("/-/api/import/events", lines).json["new"] == 1
    assert [name for name, _ in done(api, user)] == ["imported", "by anonymous id", "by id", "before"]
    assert done(api, lead) == done(api, user)  # its id leads there in lists, too
    assert {event["intercom_user_id"] for event in api.events(lead)} == {user["id"]}


def test_the_lead_is_gone_and_from_2_16_on_it_says_where_to(api: Api):
    lead, user = pair(api)
    merge(api, lead, user)
    calls: list[tuple[str, str, Any, str]] = [
        ("GET", f"/contacts/{lead['id']}", None, "contact_id"),
        ("PUT", f"/contacts/{lead['id']}", {"name": "x"}, "contact_id"),
        ("DELETE", f"/contacts/{lead['id']}", None, "contact_id"),
        ("POST", f"/contacts/{lead['id']}/archive", None, "contact_id"),
        ("POST", f"/contacts/{lead['id']}/block", None, "contact_id"),
        ("POST", "/contacts/merge", {"from": lead["id"], "into": user["id"]}, "from"),
        ("POST", "/contacts/merge", {"from": user["id"], "into": lead["id"]}, "into"),
    ]
    for method, target, body, field in calls:
        older, newer = (api.send(method, target, version, body=body) for version in (V2_15, V2_16))
        assert older.error == nobody(field), (method, target)
        assert older.header("link") is None
        assert newer.error == (410, "contact_merged", MERGED, field), (method, target)
        assert newer.header("link") == f'</contacts/{user["id"]}>; rel="canonical"'
    assert api.get(f"/contacts/{user['id']}").status == 200


def test_a_merged_lead_is_in_no_list():
    with TrackrecordServer() as server:
        own = Api(server)
        lead, user = pair(own)
        merge(own, lead, user)
        listed = own.get("/contacts").json
        assert ([contact["id"] for contact in listed["data"]], listed["total_count"]) == ([user["id"]], 1)
        assert own.get("/-/api/contacts/archived").json["total_count"] == 0


def test_a_merged_lead_cannot_be_unarchived(api: Api):
    lead, user = pair(api)
    merge(api, lead, user)
    refused = (400, "bad_request", "User has been merged and is not restorable.", "contact_id")
    assert [api.post(f"/contacts/{lead['id']}/unarchive", None, version).error for version in (V2_15, V2_16)] == [refused] * 2


def test_nothing_of_the_person_stays_in_the_leads_own_record(api: Api):
    lead = api.contact(role="lead", email="secret@example.org", phone="1", name="Secret", custom_attributes={"secret": "yes"})
    user = api.contact()
    merge(api, lead, user)
    kept = api.server.server.directory.contacts.merges()[-1]
    row = api.server.server.directory.contacts.by_numbers(1, [kept[0]])[kept[0]]
    assert (row.id, row.role, row.email, row.phone, row.name, row.custom_attributes) == (lead["id"], "lead", None, None, None, {})


def test_merges_are_refused_by_field(api: Api):
    lead, user = pair(api)
    other_lead, other_user = pair(api)
    away = api.contact(role="lead")
    assert api.post(f"/contacts/{away['id']}/archive", None).status == 200
    refusals: list[tuple[Any, tuple[Any, ...]]] = [
        ({"from": lead["id"], "into": other_lead["id"]}, (400, "invalid_merge", WRONG_ROLES, "into")),
        ({"from": user["id"], "into": other_user["id"]}, (400, "invalid_merge", WRONG_ROLES, "from")),
        ({"from": user["id"], "into": lead["id"]}, (400, "invalid_merge", WRONG_ROLES, "from")),
        ({"from": user["id"], "into": user["id"]}, (400, "invalid_merge", "A contact cannot be merged into itself", "into")),
        ({"from": "0" * 24, "into": user["id"]}, nobody("from")),
        ({"from": lead["id"], "into": "0" * 24}, nobody("into")),
        ({"from": lead["id"], "into": "\u0000'; --"}, nobody("into")),
        ({"from": away["id"], "into": user["id"]}, nobody("from")),
        ({"into": user["id"]}, (400, "parameter_not_found", "from is required: the id of the lead to merge away", "from")),
        ({"from": lead["id"]}, (400, "parameter_not_found", "into is required: the id of the user to merge into", "into")),
        ({"from": lead["id"], "into": ""}, (400, "parameter_not_found", "into is required: the id of the user to merge into", "into")),
        ({"from": 7, "into": user["id"]}, (400, "type_mismatch", "from must be a string, got a whole number", "from")),
        ({"from": lead["id"], "into": [user["id"]]}, (400, "type_mismatch", "into must be a string, got a list", "into")),
        (
            {"from": lead["id"], "into": user["id"], "skip_duplicate_validation": "yes"},
            (400, "type_mismatch", "skip_duplicate_validation must be true or false, got a string", "skip_duplicate_validation"),
        ),
        ([], (400, "parameter_invalid", "the body must be a JSON object, got a list", "body")),
        (b"", (400, "parameter_invalid", "Invalid JSON", "body")),
        (b"{", (400, "parameter_invalid", "Invalid JSON", "body")),
    ]
    for body, error in refusals:
        assert api.post("/contacts/merge", body).error == error, body
    assert [api.get(f"/contacts/{contact['id']}").json for contact in (lead, user)] == [lead, user]


def test_from_2_16_on_both_need_one_email_or_phone_unless_it_is_said_that_they_do_not(api: Api):
    emails = [f"{fresh('joe')}@Example.org" for _ in range(2)]
    refused = (400, "invalid_merge", NO_DUPLICATES, "skip_duplicate_validation")
    cases: list[tuple[dict[str, str], dict[str, str], bool]] = [
        ({}, {}, False),
        ({"email": emails[0]}, {"email": f"{fresh('ann')}@example.org"}, False),
        ({"email": emails[0]}, {"email": emails[0].upper()}, True),
        ({"phone": "+353 87 123-4567"}, {"phone": "+353871234567"}, True),
        ({"phone": "n/a"}, {"phone": "none"}, False),
    ]
    for of_lead, of_user, allowed in cases:
        lead, user = api.contact(role="lead", **of_lead), api.contact(external_id=fresh("user-"), **of_user)
        body = {"from": lead["id"], "into": user["id"]}
        answer = api.post("/contacts/merge", body, V2_16)
        if allowed:
            assert answer.status == 200, (of_lead, of_user)
        else:
            assert answer.error == refused, (of_lead, of_user)
            assert api.post("/contacts/merge", {**body, "skip_duplicate_validation": True}, V2_16).status == 200
    lead, user = pair(api)
    assert merge(api, lead, user, V2_15)["id"] == user["id"]


def test_an_email_that_another_user_has_is_not_taken_over(api: Api, strict: Api):
    for each in (api, strict):
        for hidden in (None, "archive"):
            for named in ({"external_id": fresh("user-")}, {"role": "user"}):
                email = f"{fresh('joe')}@example.org"
                holder, lead, user = each.contact(email=email), each.contact(role="lead", email=email, name="Joe"), each.contact(**named)
                if hidden is not None:
                    assert each.post(f"/contacts/{holder['id']}/{hidden}", None).status == 200
                merged = merge(each, lead, user)
                assert (merged["email"], merged["name"]) == (None, "Joe")
                if hidden is not None:
                    assert each.post(f"/contacts/{holder['id']}/unarchive", None).status == 200
                assert each.submit(event_name="done", created_at=WHEN, email=email).status == 202
                assert [len(each.summary(contact)) for contact in (holder, merged)] == [1, 0]


def test_an_email_that_only_leads_share_is_taken_over(api: Api):
    email = f"{fresh('joe')}@example.org"
    leads = [api.contact(role="lead", email=email) for _ in range(2)]
    assert merge(api, leads[0], api.contact(role="user"))["email"] == email
    assert merge(api, leads[1], api.contact(role="user"))["email"] is None


def test_an_opt_out_of_either_is_never_lost(api: Api):
    for of_lead, of_user in ((True, False), (False, True), (False, False)):
        lead = api.contact(role="lead", unsubscribed_from_emails=of_lead)
        user = api.contact(external_id=fresh("user-"), unsubscribed_from_emails=of_user)
        assert merge(api, lead, user)["unsubscribed_from_emails"] is (of_lead or of_user)


def test_merges_are_listed_with_a_cursor_in_both_orders(api: Api, clock: Any):
    user = api.contact()
    leads = []
    for number in range(5):
        clock.freeze(WHEN + number // 2)  # several in one second
        leads.append(api.contact(role="lead")["id"])
        merge(api, {"id": leads[-1]}, user)
    path = f"/contacts/{user['id']}/merge_history"
    first = api.get(f"{path}?per_page=2", V2_16).json
    assert first["data"][0] == {
        "type": "merge_history",
        "source_contact_id": leads[4],
        "source_contact_role": "lead",
        "merged_at": WHEN + 2,
    }
    assert (list(first), first["type"], first["has_more"]) == (["type", "data", "next_cursor", "has_more"], "list", True)
    for order in ("desc", "asc"):
        walked: list[Any] = []
        cursor = ""
        while cursor is not None:
            page = api.get(f"{path}?per_page=2&order={order}&cursor={cursor}", V2_16).json
            walked += page["data"]
            cursor = page["next_cursor"]
            assert page["has_more"] == (cursor is not None)
        moments = [row["merged_at"] for row in walked]
        assert sorted(row["source_contact_id"] for row in walked) == sorted(leads)
        assert moments == sorted(moments, reverse=order == "desc")
    whole = api.get(f"/contacts/{user['id']}?include_merge_history=true", V2_16).json
    assert whole["merge_history"] == api.get(path, V2_16).json["data"]


def test_a_merge_history_is_of_users_and_came_with_2_16(api: Api):
    lead, user = pair(api)
    path = f"/contacts/{user['id']}/merge_history"
    absent = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
    none = (404, "not_found", "Contact not found", "contact_id")
    assert api.get(path, V2_15).error == absent
    assert api.get(path, V2_16).json == {"type": "list", "data": [], "next_cursor": None, "has_more": False}
    assert api.get(f"/contacts/{lead['id']}/merge_history", V2_16).error == none
    assert api.get(f"/contacts/{'0' * 24}/merge_history", V2_16).error == none
    for query, error in {
        "cursor=x": (400, "parameter_invalid", "cursor must be the next_cursor of an earlier answer", "cursor"),
        "order=up": (400, "parameter_invalid", "order must be asc or desc, got 'up'", "order"),
        "per_page=x": (400, "parameter_invalid", "per_page must be a whole number from 1 to 150, got 'x'", "per_page"),
    }.items():
        assert api.get(f"{path}?{query}", V2_16).error == error
    shown = [
        "merge_history" in api.get(f"/contacts/{contact['id']}?include_merge_history={flag}", version).json
        for contact, flag, version in ((user, "true", V2_15), (user, "true", V2_16), (user, "false", V2_16), (lead, "true", V2_16))
    ]
    assert shown == [False, True, False, False]


def test_a_merge_answers_with_its_history_when_asked_and_changes_nothing_when_asked_wrongly(api: Api):
    lead, user = pair(api)
    body = {"from": lead["id"], "into": user["id"], "skip_duplicate_validation": True}
    assert api.post("/contacts/merge?include_merge_history=maybe", body, V2_16).error == (
        400, "parameter_invalid", "include_merge_history must be true or false, got 'maybe'", "include_merge_history",
    )  # fmt: skip
    assert api.get(f"/contacts/{lead['id']}").status == 200
    answer = api.post("/contacts/merge?include_merge_history=true", body, V2_16).json
    assert [row["source_contact_id"] for row in answer["merge_history"]] == [lead["id"]]


def test_deleting_the_user_leaves_nothing_of_the_leads_that_were_merged_into_it(api: Api):
    lead, user = pair(api)
    email = f"{fresh('joe')}@example.org"
    assert api.put(f"/contacts/{lead['id']}", {"email": email}).status == 200
    anonymous = anonymous_id(api, lead)
    api.submit(event_name="done", created_at=WHEN, id=lead["id"])
    merge(api, lead, user)
    assert api.delete(f"/contacts/{user['id']}").json == {
        "type": "contact", "id": user["id"], "external_id": user["external_id"], "deleted": True,
    }  # fmt: skip
    assert api.submit(event_name="done", created_at=WHEN, id=lead["id"]).error == nobody("id")
    assert api.submit(event_name="done", created_at=WHEN, user_id=anonymous).error == nobody("user_id")
    assert api.get(f"/contacts/{lead['id']}", V2_16).error == nobody("contact_id")
    assert all(lead["id"] not in str(merge) for merge in api.server.server.directory.contacts.merges())
    again = api.contact(external_id=user["external_id"], email=email)
    assert (api.events(again), api.summary(again)) == ([], [])


def test_a_merge_and_a_deletion_are_kept_over_a_restart(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        (lead, user), (gone_lead, gone) = pair(api), pair(api)
        for contact in (lead, gone_lead):
            api.submit(event_name="done", created_at=WHEN, id=contact["id"])
        merge(api, lead, user)
        merge(api, gone_lead, gone)
        assert api.delete(f"/contacts/{gone['id']}").status == 200
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        assert api.submit(event_name="done", created_at=WHEN, id=lead["id"]).status == 202  # the copy is a duplicate
        assert api.submit(event_name="later", created_at=WHEN + 1, id=lead["id"]).status == 202
        assert done(api, user) == [("later", WHEN + 1), ("done", WHEN)]
        assert api.get(f"/contacts/{lead['id']}", V2_16).header("link") == f'</contacts/{user["id"]}>; rel="canonical"'
        assert api.submit(event_name="later", created_at=WHEN, id=gone_lead["id"]).error == nobody("id")


def test_a_merge_that_a_crash_kept_from_the_journal_is_finished_at_the_next_start(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        lead, user = pair(api)
        api.submit(event_name="done", created_at=WHEN, id=lead["id"])
        inside = server.server
        inside.directory.merging.merge(1, lead["id"], user["id"], now=WHEN, duplicates_only=False)
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        assert done(Api(server), user) == [("done", WHEN)]


def test_events_sent_while_their_contact_is_merged_are_the_users_each_once(api: Api):
    lead, user = pair(api)
    senders, each = 4, 40
    going = threading.Barrier(senders + 1)
    answers: list[int] = []

    def send(sender: int) -> None:
        going.wait()
        for number in range(each):
            sent = api.submit(event_name=f"sent-{sender}", created_at=WHEN + number, id=lead["id"])
            answers.append(sent.status)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    going.wait()
    assert merge(api, lead, user)["id"] == user["id"]
    for thread in threads:
        thread.join()
    assert answers == [202] * senders * each
    assert {row["name"]: row["count"] for row in api.summary(user)} == {f"sent-{sender}": each for sender in range(senders)}
    assert len(done(api, user)) == 150  # the most that a page has; the summary has counted them all


def test_two_merges_of_one_lead_at_once_leave_it_with_one_user(api: Api):
    lead = api.contact(role="lead")
    users = [api.contact() for _ in range(4)]
    api.submit(event_name="done", created_at=WHEN, id=lead["id"])
    going = threading.Barrier(len(users))
    answers: dict[str, int] = {}

    def run(user: Any) -> None:
        going.wait()
        answers[user["id"]] = api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status

    threads = [threading.Thread(target=run, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [200, 404, 404, 404]
    assert [len(api.events(user)) for user in users] == [1 if answers[user["id"]] == 200 else 0 for user in users]
