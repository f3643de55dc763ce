"""Segments on the wire: made, counted, searched, explained. Who is in one, against a model: test_segment_members.py."""

from collections.abc import Iterator
from typing import Any

import pytest

from trackrecord.rules import segments as rules
from trackrecord.testing import Clock, TrackrecordServer

from .client import Api, fresh

NOW = 1_700_000_000
DAY = 86_400
NO_SEGMENT = (404, "not_found", "Resource Not Found", "segment_id")
EVERYBODY = {"field": "id", "operator": "!=", "value": None}
OURS = "/-/api/segments"


def make(api: Api, name: str = "Active", query: Any = EVERYBODY, **more: Any) -> Any:
    answer = api.post(OURS, {"name": name, "query": query, **more})
    assert answer.status == 200, answer
    return answer.json


def of(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def done(measure: str, name: str, operator: str, value: int | None = None, **window: Any) -> dict[str, Any]:
    asked = {"field": f"event.{measure}", "event_name": name, "operator": operator, **window}
    return asked if value is None else {**asked, "value": value}


def plain(segment: Any) -> Any:
    """A segment as Intercom's own calls show it."""
    return {key: value for key, value in segment.items() if key != "query"}


def count(api: Api, query: Any, **more: Any) -> int:
    answer = api.post(f"{OURS}/preview", {"query": query, **more})
    assert answer.status == 200, answer
    found: int = answer.json["count"]
    return found


def found(api: Api, query: Any) -> list[Any]:
    answer = api.post("/contacts/search", {"query": query})
    assert answer.status == 200, answer
    return sorted(each["external_id"] for each in answer.json["data"])


@pytest.fixture(scope="module")
def server() -> Iterator[TrackrecordServer]:
    """Not the one that all tests share: everybody's contacts would be in these segments."""
    with TrackrecordServer() as server:
        yield server


@pytest.fixture
def alone() -> Iterator[Api]:
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        yield Api(server)


def did(api: Api, contact: Any, name: str, *days_ago: int) -> None:
    for days in days_ago:
        assert api.submit(id=contact["id"], event_name=name, created_at=NOW - days * DAY).status == 202


# --- As Intercom has them ------------------------------------------------------------------------------------------------


def test_segments_are_listed_alone_and_of_a_contact(alone: Api):
    assert alone.get("/segments").json == {"type": "segment.list", "segments": []}
    user, lead = alone.contact(), alone.contact(role="lead")
    active, leads = make(alone), make(alone, "Leads", person_type="contact")
    assert active == {
        "type": "segment",
        "id": active["id"],
        "name": "Active",
        "created_at": NOW,
        "updated_at": NOW,
        "person_type": "user",
        "query": EVERYBODY,
    }
    listed = [plain(active), plain(leads)]
    assert alone.get("/segments").json == {"type": "segment.list", "segments": listed}
    assert alone.get("/segments", "Intercom-Version: 1.0").json == {"type": "segment.list", "segments": listed}
    assert alone.get(f"/segments/{leads['id']}").json == plain(leads)
    of_each = [alone.get(f"/contacts/{contact['id']}/segments").json["data"] for contact in (user, lead)]
    assert of_each == [[plain(active)], [plain(leads)]]


def test_the_count_of_a_segment_is_of_live_contacts(alone: Api):
    contacts = [alone.contact() for _ in range(3)]
    active, empty = make(alone), make(alone, "Empty", of("name", "=", "nobody"))
    assert alone.delete(f"/contacts/{contacts[0]['id']}").status == 200
    assert alone.post(f"/contacts/{contacts[1]['id']}/archive", None).status == 200
    expected = [{**plain(active), "count": 1}, {**plain(empty), "count": 0}]
    assert [alone.get(f"/segments?include_count={yes}").json["segments"] for yes in ("true", "1", "TRUE")] == [expected] * 3
    assert alone.get("/segments?include_count=false").json["segments"] == [plain(active), plain(empty)]
    assert alone.get("/segments?include_count=maybe").error == (
        400,
        "parameter_invalid",
        "include_count must be true or false, got 'maybe'",
        "include_count",
    )


@pytest.mark.parametrize("id", ["000000000000000000000000", "1", "%00", "x" * 3000])
def test_an_unknown_segment_is_not_found(api: Api, id: str):
    assert api.get(f"/segments/{id}").error == NO_SEGMENT
    assert api.get(f"{OURS}/{id}").error == NO_SEGMENT
    assert api.put(f"{OURS}/{id}", {"name": "x"}).error == NO_SEGMENT
    assert api.delete(f"{OURS}/{id}").error == NO_SEGMENT
    assert api.get(f"{OURS}/{id}/sizes").error == NO_SEGMENT
    assert api.get(f"{OURS}/{id}/explain?contact_id=x").error == NO_SEGMENT
    assert api.get(f"/-/api/export/contacts?segment_id={id}").error == NO_SEGMENT


@pytest.mark.parametrize("path", ["segments", "notes", "subscriptions", "companies", "tags"])
def test_the_lists_of_an_unknown_contact_are_not_found(api: Api, path: str):
    answer = api.get(f"/contacts/000000000000000000000000/{path}")
    assert answer.error[:3] == (404, "not_found", "User Not Found")


def test_a_contact_has_no_notes_and_no_subscriptions(api: Api):
    contact = api.contact()
    pages = {"type": "pages", "next": None, "page": 1, "per_page": 50, "total_pages": 1}
    assert api.get(f"/contacts/{contact['id']}/notes").json == {"type": "list", "data": [], "total_count": 0, "pages": pages}
    assert api.get(f"/contacts/{contact['id']}/subscriptions").json == {"type": "list", "data": []}


@pytest.mark.parametrize("target", ["/counts", "/conversations", "/messages", "/teams", "/subscriptions", "/notes/1"])
def test_what_is_no_part_of_events_and_contacts_is_not_found(api: Api, target: str):
    assert api.get(target).error[:3] == (404, "not_found", "Resource Not Found")


def test_segments_are_there_after_a_restart(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact = api.contact()
        assert api.submit(id=contact["id"], event_name="ordered").status == 202
        segment, token = make(api, "Kept", done("count", "ordered", "=", 1)), server.token
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server, token)
        assert api.get("/segments?include_count=true").json["segments"] == [{**plain(segment), "count": 1}]
        assert api.get(f"/contacts/{contact['id']}/segments").json["data"] == [plain(segment)]


# --- Making and changing -------------------------------------------------------------------------------------------------


def test_a_segment_is_changed_and_deleted(alone: Api):
    segment = make(alone)
    alone.server.clock.freeze(NOW + 5)
    assert alone.put(f"{OURS}/{segment['id']}", {}).json == segment
    query = of("role", "=", "user")
    changed = alone.put(f"{OURS}/{segment['id']}", {"name": " Renamed ", "query": query, "person_type": "contact"}).json
    assert changed == {**segment, "name": "Renamed", "query": query, "person_type": "contact", "updated_at": NOW + 5}
    assert alone.get(f"{OURS}/{segment['id']}?include_count=true").json == {**changed, "count": 0}
    assert alone.delete(f"{OURS}/{segment['id']}").json == {"type": "segment", "id": segment["id"], "deleted": True}
    assert alone.get(f"{OURS}/{segment['id']}").error == NO_SEGMENT
    assert alone.get("/segments").json["segments"] == []


def test_a_workspace_has_only_so_many_segments(alone: Api):
    directory = alone.server.server.directory.segments
    for _ in range(rules.SEGMENTS_MAX):
        directory.create(1, name="x", person_type="user", query=EVERYBODY, now=NOW)
    said = f"Cannot have more than {rules.SEGMENTS_MAX} segments; delete one that is not needed"
    assert alone.post(OURS, {"name": "one more", "query": EVERYBODY}).error == (422, "unprocessable_entity", said, "name")


C = "query.value[1]"
BAD: list[tuple[Any, str, str, str]] = [
    ({}, "parameter_not_found", "query", "query must be a filter with field, operator and value, or a group with operator and value"),
    (of("segment_id", "=", "x"), "parameter_invalid", "query.field", "query.field cannot be segment_id: repeat that segment's conditions"),
    (of("event.often", "=", 1), "invalid_field", "query.field", "event.often is not a valid field; of events there are event.count,"),
    (of("plan", "=", 1), "invalid_field", "query.field", "plan is not a valid search field"),
    (of("event.count", "=", 1), "parameter_not_found", "query.event_name", "query.event_name is required"),
    (done("count", "", "=", 1), "parameter_not_found", "query.event_name", "query.event_name is required"),
    (done("count", "x" * 256, "=", 1), "data_invalid", "query.event_name", "query.event_name must have at most 255 characters, got 256"),
    ({**done("count", "e", "=", 1), "event_name": 5}, "type_mismatch", "query.event_name", "query.event_name must be a string"),
    (
        done("count", "e", "~", 1),
        "parameter_invalid",
        "query.operator",
        "query.operator must be one of <, <=, =, >=, >, != for event.count",
    ),
    (done("last", "e", "!=", 1), "parameter_invalid", "query.operator", "query.operator must be one of <, <=, =, >=, > for event.last"),
    (done("count", "e", "="), "parameter_not_found", "query.value", "query.value is required"),
    (done("first", "e", "="), "parameter_not_found", "query.value", "query.value is required"),
    ({**done("count", "e", "="), "value": "many"}, "type_mismatch", "query.value", "query.value must be a whole number, got 'many'"),
    ({**done("count", "e", "="), "value": True}, "type_mismatch", "query.value", "query.value must be a whole number, got true"),
    (done("count", "e", "=", -1), "parameter_invalid", "query.value", "query.value must be from 0 to 1000000000, got -1"),
    (done("last", "e", "<", 1_671_028_894_123), "parameter_invalid", "query.value", "query.value must be whole Unix seconds"),
    (done("last", "e", "<", 5, days_ago=5), "parameter_invalid", "query.days_ago", "query may have value or days_ago, not both"),
    (done("count", "e", "<", 5, days_ago=5), "parameter_invalid", "query.days_ago", "query.days_ago is for event.first and event.last"),
    (
        done("count", "e", "<", 5, within_days=0),
        "parameter_invalid",
        "query.within_days",
        "query.within_days must be from 1 to 36500, got 0",
    ),
    (
        done("count", "e", "<", 5, within_days=[]),
        "type_mismatch",
        "query.within_days",
        "query.within_days must be a whole number, got a list",
    ),
    (done("count", "e", "<", 5, within_days=1, since=5), "parameter_invalid", "query.within_days", "query may have within_days, or since"),
    (done("count", "e", "<", 5, since=5, until=5), "parameter_invalid", "query.until", "query.until must be after since, got 5 and 5"),
    (done("count", "e", "<", 5, since="x"), "type_mismatch", "query.since", "query.since must be whole Unix seconds"),
    (
        done("count", "e", "<", 5, last_days=5),
        "parameter_invalid",
        "query",
        "query has a key 'last_days' that means nothing here; there are",
    ),
    ({"operator": "AND", "value": [EVERYBODY, done("count", "e", "?", 1)]}, "parameter_invalid", f"{C}.operator", f"{C}.operator must be"),
    (
        {"operator": "OR", "value": [{"operator": "OR", "value": [EVERYBODY] * 13}] * 4},
        "parameter_invalid",
        "query",
        "a segment's query may have 50 conditions in all, got 52",
    ),
    (
        {"operator": "OR", "value": [of("id", "IN", ["x"] * 600), of("id", "IN", ["x"] * 600)]},
        "parameter_invalid",
        "query",
        "query may list 1000 values in all, got 1200",
    ),
]


@pytest.mark.parametrize(("query", "code", "field", "message"), BAD, ids=[each[3] for each in BAD])
def test_a_query_that_cannot_be_read_is_refused_by_its_place(api: Api, query: Any, code: str, field: str, message: str):
    segment = make(api)
    answers = [
        api.post(OURS, {"name": "x", "query": query}),
        api.post(f"{OURS}/preview", {"query": query}),
        api.put(f"{OURS}/{segment['id']}", {"query": query}),
    ]
    for answer in answers:
        assert (answer.status, answer.error[1], answer.error[3]) == (422 if code == "data_invalid" else 400, code, field)
        assert answer.error[2].startswith(message)
    assert api.get(f"{OURS}/{segment['id']}").json == segment


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"query": EVERYBODY}, "parameter_not_found", "name"),
        ({"name": "", "query": EVERYBODY}, "parameter_invalid", "name"),
        ({"name": "  ", "query": EVERYBODY}, "parameter_invalid", "name"),
        ({"name": "x" * 256, "query": EVERYBODY}, "parameter_invalid", "name"),
        ({"name": 5, "query": EVERYBODY}, "type_mismatch", "name"),
        ({"name": "x"}, "parameter_not_found", "query"),
        ({"name": "x", "query": None}, "parameter_not_found", "query"),
        ({"name": "x", "query": []}, "type_mismatch", "query"),
        ({"name": "x", "query": EVERYBODY, "person_type": "lead"}, "parameter_invalid", "person_type"),
    ],
)
def test_a_segment_that_cannot_be_made_is_refused_by_field(api: Api, body: Any, code: str, field: str):
    assert (api.post(OURS, body).error[1], api.post(OURS, body).error[3]) == (code, field)


def test_who_asks_about_events_needs_the_scope_for_them(api: Api):
    directory = api.server.server.directory.tokens
    _, secret = directory.create(1, "contacts alone", frozenset({"write_contacts"}), now=NOW)
    contacts = Api(api.server, secret)
    contact, segment = api.contact(), make(api, query=done("count", "ordered", ">", 0))
    lacking = (403, "token_unauthorized", "this access token lacks the scope read_events", "Authorization")
    body = {"name": "x", "query": {"operator": "OR", "value": [EVERYBODY, done("count", "ordered", ">", 0)]}}
    assert contacts.post(OURS, body).error == lacking
    assert contacts.post(f"{OURS}/preview", body).error == lacking
    assert contacts.put(f"{OURS}/{segment['id']}", body).error == lacking
    assert contacts.get(f"{OURS}/{segment['id']}/explain?contact_id={contact['id']}").error == lacking
    assert contacts.post(OURS, {"name": "x", "query": EVERYBODY}).status == 200
    assert contacts.get(f"/segments/{segment['id']}").status == 200


# --- Who is in one -------------------------------------------------------------------------------------------------------


def test_what_was_acknowledged_is_in_the_next_answer(alone: Api):
    contact = alone.contact(external_id="ada")
    query = done("count", "invited-friend", ">=", 3, within_days=30)
    segment = make(alone, query=query)
    for days_ago, expected in ((40, 0), (29, 0), (2, 0), (2, 0), (1, 1)):  # one too old, and one sent twice
        did(alone, contact, "Invited-Friend", days_ago)
        assert alone.get("/segments?include_count=true").json["segments"][0]["count"] == expected
        assert found(alone, of("segment_id", "=", segment["id"])) == ["ada"] * expected
        assert len(alone.get(f"/contacts/{contact['id']}/segments").json["data"]) == expected
        assert len(alone.get(f"/users/{contact['id']}", "Intercom-Version: 1.4").json["segments"]["segments"]) == expected
    alone.server.clock.freeze(NOW + DAY + 1)  # the first of the three is too old now
    assert count(alone, query) == 0
    alone.server.clock.freeze(NOW + DAY)
    assert count(alone, query) == 1


def test_whoever_did_nothing_at_all_never_did_it(alone: Api):
    ada, _ = alone.contact(external_id="ada"), alone.contact(external_id="bob")
    did(alone, ada, "ordered", 5)
    assert count(alone, done("count", "ordered", "=", 0)) == 1
    assert count(alone, done("count", "ordered", "<", 1, within_days=4)) == 2
    assert count(alone, done("count", "nobody-ever-did", "=", 0)) == 2
    assert count(alone, done("count", "ordered", "!=", 0)) == 1
    assert count(alone, done("count", "ordered", "!=", 1)) == 1
    assert count(alone, done("last", "ordered", "<", NOW)) == 1
    assert count(alone, done("last", "ordered", "<", days_ago=5)) == 0
    assert count(alone, done("last", "ordered", "<=", days_ago=5)) == 1
    assert count(alone, done("first", "nobody-ever-did", "<", NOW)) == 0


def test_a_merged_contact_did_what_its_target_is_asked_for(alone: Api):
    lead, user = alone.contact(role="lead"), alone.contact(external_id="ada")
    did(alone, lead, "ordered", 1, 2)
    did(alone, user, "ordered", 2, 3)  # one of them in the same second
    assert alone.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    segment = make(alone, query=done("count", "ordered", "=", 3))
    assert found(alone, of("segment_id", "=", segment["id"])) == ["ada"]
    did(alone, user, "ordered", 4)
    assert found(alone, of("segment_id", "=", segment["id"])) == []


def test_segments_are_searched_for_with_other_filters(alone: Api):
    for id, plan in (("ada", "pro"), ("bob", "pro"), ("cyd", "free"), ("dan", None)):
        contact = alone.contact(external_id=id, **({} if plan is None else {"custom_attributes": {"plan": plan}}))
        did(alone, contact, "ordered", *range({"ada": 3, "cyd": 2}.get(id, 0)))
    pro = make(alone, "Pro", of("custom_attributes.plan", "=", "pro"))["id"]
    busy = make(alone, "Busy", done("count", "ordered", ">", 1))["id"]
    assert found(alone, of("segment_id", "=", pro)) == ["ada", "bob"]
    assert found(alone, of("segment_id", "!=", pro)) == ["cyd", "dan"]
    assert found(alone, of("segment_id", "IN", [pro, busy])) == ["ada", "bob", "cyd"]
    assert found(alone, of("segment_id", "NIN", [pro, busy])) == ["dan"]
    assert found(alone, of("segment_id", "=", None)) == ["dan"]
    assert found(alone, of("segment_id", "!=", None)) == ["ada", "bob", "cyd"]
    assert found(alone, of("segment_id", "IN", [None, busy])) == ["ada", "cyd", "dan"]
    assert found(alone, of("segment_id", "=", "unknown")) == []
    assert found(alone, of("segment_id", "!=", "unknown")) == ["ada", "bob", "cyd", "dan"]
    both = {"operator": "AND", "value": [of("segment_id", "=", pro), of("segment_id", "=", busy), of("external_id", "!=", "bob")]}
    assert found(alone, both) == ["ada"]


def test_the_members_of_a_segment_are_walked_and_exported(alone: Api):
    for number in range(7):
        did(alone, alone.contact(external_id=f"u{number}"), "ordered", *range(number % 3))
    segment = make(alone, query=done("count", "ordered", ">", 0))
    ids: list[str] = []
    after = None
    while after is not None or not ids:
        pagination = {"per_page": 2, **({} if after is None else {"starting_after": after})}
        page = alone.post("/contacts/search", {"query": of("segment_id", "=", segment["id"]), "pagination": pagination}).json
        assert page["total_count"] == 4
        ids += [each["external_id"] for each in page["data"]]
        after = (page["pages"].get("next") or {}).get("starting_after")
    assert sorted(ids) == ["u1", "u2", "u4", "u5"]
    lines = alone.get(f"/-/api/export/contacts?segment_id={segment['id']}&format=csv").body.decode().splitlines()
    assert sorted(line.split(",")[2] for line in lines[1:]) == ["u1", "u2", "u4", "u5"]


def test_a_preview_counts_and_shows_the_newest_few(alone: Api):
    for number in range(7):
        alone.server.clock.freeze(NOW + number)
        alone.contact(external_id=f"u{number}")
    alone.contact(role="lead")
    preview = alone.post(f"{OURS}/preview", {"query": EVERYBODY}).json
    assert (preview["type"], preview["count"]) == ("segment.preview", 7)
    assert [each["external_id"] for each in preview["contacts"]] == ["u6", "u5", "u4", "u3", "u2"]
    assert count(alone, EVERYBODY, person_type="contact") == 1
    assert alone.get("/segments").json["segments"] == []


def test_a_segment_ends_at_its_workspace(alone: Api):
    directory = alone.server.server.directory
    other = directory.workspaces.create("other", "Other", now=NOW).number
    theirs = Api(alone.server, directory.tokens.create(other, "t", frozenset({"write_contacts", "write_events"}), now=NOW)[1])
    mine, their = alone.contact(external_id="ada"), theirs.contact(external_id="ada")
    did(alone, mine, "ordered", 1)
    did(theirs, their, "ordered", 1, 2)
    query = done("count", "ordered", ">", 0)
    segment = make(theirs, query=query)
    assert [count(each, query) for each in (alone, theirs)] == [1, 1]
    assert [count(each, done("count", "ordered", ">", 1)) for each in (alone, theirs)] == [0, 1]
    assert alone.get(f"{OURS}/{segment['id']}").error == NO_SEGMENT
    assert alone.get(f"{OURS}/{segment['id']}/explain?contact_id={mine['id']}").error == NO_SEGMENT
    assert theirs.get(f"{OURS}/{segment['id']}/explain?contact_id={mine['id']}").error[:2] == (404, "not_found")
    assert found(alone, of("segment_id", "=", segment["id"])) == []


# --- Sizes ---------------------------------------------------------------------------------------------------------------


def test_the_size_of_a_segment_is_noted_on_each_day_it_is_counted(alone: Api):
    segment = make(alone)
    alone.contact()
    assert alone.get("/segments?include_count=true").json["segments"][0]["count"] == 1
    alone.contact()
    sizes = alone.get(f"{OURS}/{segment['id']}/sizes").json
    assert sizes == {"type": "list", "data": [{"day": "2023-11-14", "count": 1}]}  # noted today already
    assert alone.get(f"{OURS}/{segment['id']}?include_count=true").json["count"] == 2
    sizes = alone.get(f"{OURS}/{segment['id']}/sizes").json
    assert sizes == {"type": "list", "data": [{"day": "2023-11-14", "count": 2}]}
    alone.server.clock.freeze(NOW + 2 * DAY)
    alone.contact()
    sizes = alone.get(f"{OURS}/{segment['id']}/sizes").json["data"]
    assert sizes == [{"day": "2023-11-14", "count": 2}, {"day": "2023-11-16", "count": 3}]
    assert alone.get(f"{OURS}/{segment['id']}/sizes?days=2").json["data"] == sizes[1:]
    never = make(alone, "Never counted")
    expected = [{"segment_id": segment["id"], "sizes": sizes}, {"segment_id": never["id"], "sizes": []}]
    assert alone.get(f"{OURS}/sizes").json == {"type": "list", "data": expected}


def test_a_segment_that_asks_another_question_is_counted_anew(alone: Api):
    alone.contact(external_id="a")
    segment = make(alone)
    sizes = f"{OURS}/{segment['id']}/sizes"
    assert alone.get(sizes).json["data"][0]["count"] == 1
    assert alone.put(f"{OURS}/{segment['id']}", {"query": of("external_id", "=", "nobody")}).status == 200
    assert alone.get(sizes).json["data"] == [{"day": "2023-11-14", "count": 0}]


def test_who_may_not_read_events_changes_no_segment_that_asks_for_them(alone: Api):
    segment = make(alone, query=done("count", "ordered", ">", 0))
    secret = alone.server.server.directory.tokens.create(1, "t", frozenset({"read_contacts", "write_contacts"}), now=NOW)[1]
    assert Api(alone.server, secret).put(f"{OURS}/{segment['id']}", {"person_type": "contact"}).status == 403


def test_a_tag_is_named_however_its_number_is_written(alone: Api):
    tag = alone.post("/tags", {"name": "Big"}).json
    make(alone, query=of("tag_id", "=", f"0{tag['id']}"))
    assert alone.delete(f"/tags/{tag['id']}").error[1] == "tag_has_dependent_objects"


def test_a_segment_keeps_whom_it_has_when_an_event_is_renamed(alone: Api):
    did(alone, alone.contact(external_id="a"), "ordered", 1)
    segment = make(alone, query=done("count", "ordered", ">", 0))
    assert alone.put("/-/api/event-names/ordered", {"name": "bought"}).status == 200
    assert alone.get(f"{OURS}/{segment['id']}?include_count=true").json["count"] == 1
    assert count(alone, done("count", "bought", ">", 0)) == 1


def test_the_contact_of_an_explanation_is_the_field_at_fault(alone: Api):
    segment = make(alone)
    assert alone.get(f"{OURS}/{segment['id']}/explain?contact_id=zzz").error[3] == "contact_id"


def test_the_server_notes_the_sizes_of_all_segments_once_a_day(alone: Api):
    server = alone.server
    segment = make(alone)
    alone.contact()
    server.call(lambda: server.server.segments.note_sizes(ending=lambda: False))
    alone.contact()
    server.call(lambda: server.server.segments.note_sizes(ending=lambda: False))  # today is noted already
    directory = server.server.directory.segments
    kept = directory.get(1, segment["id"])
    assert [(each.day, each.count) for each in directory.sizes([kept], since=0)[kept.number]] == [(NOW // DAY, 1)]
    server.clock.freeze(NOW + DAY)
    server.call(lambda: server.server.segments.note_sizes(ending=lambda: False))
    assert [(each.day, each.count) for each in directory.sizes([kept], since=0)[kept.number]] == [(NOW // DAY, 1), (NOW // DAY + 1, 2)]
    assert alone.delete(f"{OURS}/{segment['id']}").status == 200
    assert directory.sizes([kept], since=0) == {}


# --- Why -----------------------------------------------------------------------------------------------------------------


def test_an_explanation_names_every_condition_and_those_that_decide(alone: Api):
    contact = alone.contact(external_id="ada", custom_attributes={"plan": "pro", "seats": 3})
    did(alone, contact, "invited-friend", 1, 2, 50)
    query = {
        "operator": "AND",
        "value": [
            of("custom_attributes.plan", "IN", ["Pro", "team"]),
            done("count", "invited-friend", ">=", 3, within_days=30),
            {"operator": "OR", "value": [of("custom_attributes.seats", ">", 5), done("last", "invited-friend", ">", days_ago=7)]},
        ],
    }
    segment = make(alone, query=query)
    explained = alone.get(f"{OURS}/{segment['id']}/explain?contact_id={contact['id']}").json
    conditions = explained.pop("conditions")
    missing = "invited-friend was done 2 times in the last 30 days; at least 3 are needed"
    assert explained == {
        "type": "segment.explanation",
        "segment_id": segment["id"],
        "contact_id": contact["id"],
        "inside": False,
        "text": f"Out, because {missing}.",
    }
    expected = [
        ("person_type", "role", True, "user", False, "the contact is a user; the segment is of users"),
        (
            "query.value[0]",
            "custom_attributes.plan",
            True,
            "pro",
            False,
            'custom_attributes.plan is "pro"; it must be one of "pro", "team"',
        ),
        ("query.value[1]", "event.count", False, 2, True, missing),
        ("query.value[2].value[0]", "custom_attributes.seats", False, 3, False, "custom_attributes.seats is 3; it must be more than 5"),
        (
            "query.value[2].value[1]",
            "event.last",
            True,
            NOW - DAY,
            False,
            "invited-friend was last done at 2023-11-13 22:13:20; it must be after 2023-11-07 22:13:20 (7 days ago)",
        ),
    ]
    keys = ("place", "field", "holds", "actual", "decides", "text")
    assert [tuple(each[key] for key in keys) for each in conditions] == expected
    assert [each["event_name"] for each in conditions] == [None, None, "invited-friend", None, "invited-friend"]
    did(alone, contact, "invited-friend", 3)
    explained = alone.get(f"{OURS}/{segment['id']}/explain?contact_id={contact['id']}").json
    assert explained["inside"] is True
    assert [each["place"] for each in explained["conditions"] if each["decides"]] == [expected[place][0] for place in (0, 1, 2, 4)]


def test_an_explanation_needs_a_contact_that_is_there(api: Api, clock: Clock):
    segment, contact = make(api), api.contact()
    said = "contact_id is required: the id of the contact whose place is to be explained"
    assert api.get(f"{OURS}/{segment['id']}/explain").error == (400, "parameter_not_found", said, "contact_id")
    assert api.get(f"{OURS}/{segment['id']}/explain?contact_id={'0' * 24}").error[:2] == (404, "not_found")
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    assert api.get(f"{OURS}/{segment['id']}/explain?contact_id={contact['id']}").error[:2] == (404, "not_found")


TAGGED = fresh("tag ")


def test_a_tag_is_explained_by_the_tags_there_are(api: Api):
    contact = api.contact()
    tag = api.post("/tags", {"name": TAGGED}).json["id"]
    segment = make(api, query=of("tag_id", "=", tag))
    target = f"{OURS}/{segment['id']}/explain?contact_id={contact['id']}"
    assert api.get(target).json["text"] == f"Out, because tag_id is none; it must be {tag}."
    assert api.post(f"/contacts/{contact['id']}/tags", {"id": tag}).status == 200
    assert api.get(target).json["conditions"][1]["actual"] == [tag]
    assert api.get(target).json["inside"] is True
