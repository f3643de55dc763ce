"""POST /contacts/search as bytes: what connectors send, pages, and bodies that are wrong. The contract, 4.5 and 11."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from trackrecord.rules.directory import SCOPES
from trackrecord.testing import Clock, TrackrecordServer

from .client import Answer, Api, fresh, request

NIGHT = 1_583_643_600  # 2020-03-08 00:00 in New York, where that day has 23 hours
HOUR = 3600


def of(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def both(*members: Any) -> dict[str, Any]:
    return {"operator": "AND", "value": list(members)}


def ask(api: Api, query: Any, *headers: str, **more: Any) -> Answer:
    return api.post("/contacts/search", {"query": query, **more}, *headers)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [contact["id"] for contact in answer.json["data"]]


@pytest.fixture
def world(server: TrackrecordServer, clock: Clock) -> Api:
    """A workspace of its own in New York, at a clock that stands still."""
    return workspace_of(server, clock, "America/New_York")


def workspace_of(server: TrackrecordServer, clock: Clock, timezone: str) -> Api:
    clock.freeze(NIGHT - 10 * HOUR)
    directory = server.server.directory
    made = directory.workspaces.create(fresh("searched-"), "Searched", now=1, timezone=timezone)
    return Api(server, directory.tokens.create(made.number, "test", frozenset(SCOPES), now=1)[1])


# --- What connectors send ------------------------------------------------------------------------------------------------


def test_segments_bare_filter_by_email_finds_exactly_one(world: Api, raw: Any):
    world.contact(external_id="71", email="ann@example.com")
    joe = world.contact(external_id="70", email="Joe@Example.com")
    body = b'{"query":{"field":"email","operator":"=","value":"joe@example.com"}}'
    answer = raw(world.server, request("POST", "/contacts/search", "Content-Type: application/json", body=body, token=world.token))
    assert answer.json == {
        "type": "list",
        "data": [world.get(f"/contacts/{joe['id']}").json],
        "total_count": 1,
        "pages": {"type": "pages", "page": 1, "per_page": 50, "total_pages": 1},
    }


def test_nobody_found_is_an_empty_page(world: Api):
    world.contact()
    answer = ask(world, both(of("created_at", "<", "1306054154")), pagination={"per_page": 5})
    empty = b'{"type":"list","data":[],"total_count":0,"pages":{"type":"pages","page":1,"per_page":5,"total_pages":0}}'
    assert (answer.status, answer.body) == (200, empty)


@pytest.mark.parametrize("value", ["", " ", "nobody@example.com"])
def test_an_event_for_an_empty_address_finds_nobody_not_even_one_without(world: Api, value: str):
    world.contact(external_id="70")
    assert ask(world, of("email", "=", value)).json["total_count"] == 0


def test_rudderstacks_group_of_one_filter(world: Api, raw: Any):
    joe = world.contact(external_id="70", email="joe@example.com")
    body = b'{"query":{"operator":"AND","value":[{"field":"email","operator":"=","value":"joe@example.com"}]}}'
    headers = ("Content-Type: application/json", "Accept: application/json", "Intercom-Version: 2.10")
    answer = raw(world.server, request("POST", "/contacts/search", *headers, body=body, token=world.token))
    assert (ids(answer), answer.json["total_count"]) == ([joe["id"]], 1)


def test_singers_two_filters_walk_all_that_changed_from_the_oldest(world: Api, clock: Clock, raw: Any):
    made = []
    for number in range(5):
        clock.freeze(NIGHT + number * 10 * HOUR)
        made.append(world.contact(external_id=f"s{number}")["id"])
    found, more = [], ""
    while True:
        # The second page of this client's walk differs from the first by the cursor alone.
        body = (
            f'{{"pagination": {{"per_page": 2{more}}}, "query": {{"operator": "OR", "value": ['
            f'{{"field": "updated_at", "operator": ">", "value": {NIGHT + 20 * HOUR}}}, '
            f'{{"field": "updated_at", "operator": "=", "value": {NIGHT + 20 * HOUR}}}]}}, '
            '"sort": {"field": "updated_at", "order": "ascending"}}'
        )
        sent = request("POST", "/contacts/search", "Intercom-Version: 2.12", body=body.encode(), token=world.token)
        answer = raw(world.server, sent)
        assert answer.json["total_count"] == 5  # the fifth of the day is asked for as well, and so all of that day
        found += ids(answer)
        following = answer.json["pages"].get("next")
        if following is None:
            break
        more = f', "starting_after": "{following["starting_after"]}"'
    assert found == made


def test_airbytes_nested_groups_with_the_sort_as_a_string(world: Api, clock: Clock, raw: Any):
    older = world.contact(external_id="older")["id"]
    clock.freeze(NIGHT + 40 * HOUR)
    newer = world.contact(external_id="newer")["id"]
    body = (
        f'{{"query": {{"operator": "AND", "value": [{{"operator": "OR", "value": ['
        f'{{"field": "updated_at", "operator": ">", "value": {NIGHT - 100 * HOUR}}}, '
        f'{{"field": "updated_at", "operator": "=", "value": {NIGHT - 100 * HOUR}}}]}}]}}, '
        '"sort": "{\\"field\\": \\"updated_at\\", \\"order\\": \\"ascending\\"}", "pagination": {"per_page": 150}}'
    )
    sent = request("POST", "/contacts/search", "Intercom-Version: 2.11", body=body.encode(), token=world.token)
    assert ids(raw(world.server, sent)) == [older, newer]


# --- Results -------------------------------------------------------------------------------------------------------------


def test_a_contact_is_found_as_soon_as_it_is_made_changed_and_no_longer_once_it_is_deleted(world: Api):
    contact = world.contact(external_id="70", name="Joe")
    by_name = of("name", "=", "JOE")
    assert ids(ask(world, by_name)) == [contact["id"]]
    world.put(f"/contacts/{contact['id']}", {"name": "Ann"})
    assert [ids(ask(world, by_name)), ids(ask(world, of("name", "=", "ann")))] == [[], [contact["id"]]]
    world.delete(f"/contacts/{contact['id']}")
    assert ids(ask(world, of("name", "=", "ann"))) == []


def test_a_search_is_the_same_after_a_restart(tmp_path: Any):
    token, data = fresh("a-token-for-searches-"), str(tmp_path / "data")
    answers = []
    for start in range(2):
        with TrackrecordServer(data=data, token=token) as server:
            api = Api(server)
            if start == 0:
                for number in range(3):
                    api.contact(external_id=f"u{number}", name="Ünal", custom_attributes={"seats": number})
            query = both(of("name", "^", "ÜN"), of("custom_attributes.seats", ">=", 1))
            answers.append(ask(api, query, sort={"field": "custom_attributes.seats"}, pagination={"per_page": 1}).body)
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["total_count"] == 2


def test_an_attribute_that_is_a_datetime_is_searched_as_a_date(world: Api):
    name = fresh("moment ")
    declared = {"name": name, "model": "contact", "data_type": "datetime"}
    assert world.post("/data_attributes", declared, "Intercom-Version: Preview").json["data_type"] == "datetime"
    noon = 1_577_898_000  # 1 January 2020 in New York
    here, later = (world.contact(external_id=fresh("user-"), custom_attributes={name: noon + days * 24 * HOUR})["id"] for days in (0, 2))
    field = f"custom_attributes.{name}"
    for operator, value, found in (("=", noon + HOUR, [here]), (">", "2020-01-01", [later]), ("<", noon + 24 * HOUR, [here])):
        assert ids(ask(world, of(field, operator, value))) == found
    assert ask(world, of(field, "=", "soon")).error[:2] == (400, "type_mismatch")
    everybody = of("role", "=", "user")
    assert ids(ask(world, everybody, sort={"field": field, "order": "descending"})) == [later, here]


def test_a_custom_attribute_is_searched_by_its_type_and_unknown_ones_are_refused(world: Api):
    joe = world.contact(external_id="70", custom_attributes={"plan": "Pro", "seats": 5, "a.b": "x", "paid": True})
    ann = world.contact(external_id="71", custom_attributes={"plan": "free", "seats": 6})
    assert ids(ask(world, of("custom_attributes.plan", "$", "RO"))) == [joe["id"]]
    assert ids(ask(world, of("custom_attributes.seats", ">", "5"))) == [ann["id"]]
    assert ids(ask(world, of("custom_attributes.a.b", "=", "X"))) == [joe["id"]]
    assert ids(ask(world, of("custom_attributes.paid", "!=", True))) == [ann["id"]]
    nobody = ask(world, of("custom_attributes.colour", "=", "red"))
    assert nobody.error == (400, "invalid_field", "custom_attributes.colour is not a valid search field", "query.field")


def test_another_workspaces_attributes_are_unknown_here(world: Api, api: Api):
    name = fresh("only_there_")
    api.contact(external_id=fresh("user-"), custom_attributes={name: 1})
    answer = ask(world, of(f"custom_attributes.{name}", "=", 1))
    assert answer.error == (400, "invalid_field", f"custom_attributes.{name} is not a valid search field", "query.field")


def test_a_contact_is_found_by_its_tag(world: Api):
    joe, ann = world.contact(external_id="70"), world.contact(external_id="71")
    tag = world.post("/tags", {"name": "VIP"}).json["id"]
    assert world.post(f"/contacts/{joe['id']}/tags", {"id": tag}).status == 200
    assert ids(ask(world, of("tag_id", "=", tag))) == [joe["id"]]
    assert ids(ask(world, of("tag_id", "!=", int(tag)))) == [ann["id"]]
    assert ids(ask(world, of("tag_id", "=", None))) == [ann["id"]]


def test_archived_and_blocked_contacts_are_not_found(world: Api):
    for call in ("archive", "block"):
        contact = world.contact(external_id=fresh("user-"), email=f"{call}@example.com")
        assert ask(world, of("email", "=", f"{call}@example.com")).json["total_count"] == 1
        assert world.post(f"/contacts/{contact['id']}/{call}", {}).status == 200
        assert ask(world, of("email", "=", f"{call}@example.com")).json["total_count"] == 0


@pytest.mark.parametrize("version", ["2.16", "Preview", "2.17"])
def test_formatted_phone_is_searched_from_2_16_on(world: Api, version: str):
    contact = world.contact(external_id="70", phone="+353 (87) 123-4567")
    query = of("formatted_phone", "=", "+353871234567")
    assert ids(ask(world, query, f"Intercom-Version: {version}")) == [contact["id"]]
    before = ask(world, query, "Intercom-Version: 2.15")
    assert before.error == (400, "invalid_field", "formatted_phone is not a valid search field", "query.field")


def test_an_owner_is_searched_as_a_number_and_as_text_and_shown_as_the_version_has_it(world: Api):
    world.contact(external_id="70", owner_id=5)
    shown = [
        ask(world, of("owner_id", "=", value), f"Intercom-Version: {version}").json["data"][0]["owner_id"]
        for version, value in (("2.14", "5"), ("2.16", 5))
    ]
    assert shown == [5, "5"]


# --- Dates ---------------------------------------------------------------------------------------------------------------

MOMENTS = (NIGHT - 1, NIGHT, NIGHT + 23 * HOUR - 1, NIGHT + 23 * HOUR)


@pytest.mark.parametrize(
    ("zone", "operator", "found"),
    [
        ("America/New_York", "=", [1, 2]),
        ("America/New_York", "<", [0]),
        ("America/New_York", ">", [3]),
        ("UTC", "=", [0, 1]),  # its 8 March is from 19:00 to 19:00 there
        ("UTC", "<", []),
        ("UTC", ">", [2, 3]),
    ],
)
def test_dates_are_compared_by_the_days_of_the_workspaces_time_zone(
    server: TrackrecordServer, clock: Clock, zone: str, operator: str, found: list[int]
):
    api = workspace_of(server, clock, zone)
    made = [api.contact(external_id=f"u{at}", signed_up_at=at)["id"] for at in MOMENTS]
    answer = ask(api, of("signed_up_at", operator, str(NIGHT + 2 * HOUR)), sort={"field": "signed_up_at", "order": "ascending"})
    assert [made.index(id) for id in ids(answer)] == found


@pytest.fixture(scope="module")
def exact() -> Iterator[Api]:
    with TrackrecordServer(search_dates="exact") as server:
        yield Api(server)


@pytest.mark.parametrize(("operator", "found"), [("=", [1]), ("<", [0]), (">", [2, 3]), ("<=", [0, 1]), (">=", [1, 2, 3])])
def test_dates_are_compared_by_the_second_where_search_dates_is_exact(exact: Api, operator: str, found: list[int]):
    name = fresh("group ")
    made = [exact.contact(external_id=fresh("u"), name=name, signed_up_at=at)["id"] for at in MOMENTS]
    query = both(of("name", "=", name), of("signed_up_at", operator, NIGHT))
    assert [made.index(id) for id in ids(ask(exact, query, sort={"field": "signed_up_at", "order": "ascending"}))] == found


# --- Pages ---------------------------------------------------------------------------------------------------------------


def test_pages_are_walked_by_the_cursor_in_the_body(world: Api):
    made = [world.contact(external_id=f"u{number}", name=f"Joe {number}")["id"] for number in range(5)]
    sort = {"field": "name", "order": "ascending"}
    first = ask(world, of("name", "^", "joe"), sort=sort, pagination={"per_page": 2, "starting_after": None}).json
    cursor = first["pages"]["next"]["starting_after"]
    assert first["pages"] == {
        "type": "pages",
        "next": {"page": 2, "per_page": 2, "starting_after": cursor},
        "page": 1,
        "per_page": 2,
        "total_pages": 3,
    }
    assert set(cursor) <= set("0123456789abcdef-")
    second = ask(world, of("name", "^", "JOE"), sort=sort, pagination={"per_page": "2", "starting_after": cursor}).json
    cursor = second["pages"]["next"]["starting_after"]
    last = ask(world, of("name", "^", "Joe"), sort=sort, pagination={"per_page": 2, "starting_after": cursor}).json
    assert last["pages"] == {"type": "pages", "page": 3, "per_page": 2, "total_pages": 3}
    assert [contact["id"] for page in (first, second, last) for contact in page["data"]] == made
    assert [page["total_count"] for page in (first, second, last)] == [5, 5, 5]


def test_a_cursor_in_the_address_is_passed_over(world: Api):
    for number in range(3):
        world.contact(external_id=f"u{number}")
    asked = {"query": of("role", "=", "user"), "pagination": {"per_page": 1}}
    first = world.post("/contacts/search", asked).json
    cursor = first["pages"]["next"]["starting_after"]
    assert world.post(f"/contacts/search?starting_after={cursor}&per_page=2", asked).json == first
    assert world.post("/contacts/search?starting_after=nonsense", asked).json == first


@pytest.mark.parametrize(("sent", "taken"), [(None, 50), (0, 1), (-7, 1), (150, 150), (151, 150), (10**15, 150), ("20", 20), ("-1", 1)])
def test_a_page_has_1_to_150_contacts_and_50_unless_asked(world: Api, sent: Any, taken: int):
    assert ask(world, of("role", "=", "user"), pagination={"per_page": sent}).json["pages"]["per_page"] == taken


@pytest.mark.parametrize(
    "more", [{}, {"pagination": None, "sort": None}, {"pagination": [], "sort": []}, {"sort": ""}, {"sort": {}}, {"page": 2, "x": [1]}]
)
def test_what_is_left_out_or_empty_or_unknown_changes_nothing(world: Api, more: Any):
    made = [world.contact(external_id=f"u{number}")["id"] for number in range(2)]
    assert ids(ask(world, of("role", "=", "user"), **more)) == sorted(made, reverse=True)


def cursor_of(api: Api, query: Any, sort: Any) -> str:
    answer = ask(api, query, sort=sort, pagination={"per_page": 1})
    text: str = answer.json["pages"]["next"]["starting_after"]
    return text


def test_a_cursor_of_another_query_or_sort_is_refused(world: Api):
    for number in range(2):
        world.contact(external_id=f"u{number}")
    query, sort = of("role", "=", "user"), {"field": "name", "order": "ascending"}
    cursor = cursor_of(world, query, sort)
    said = "pagination.starting_after belongs to another query or sort: send the ones it came with, or leave it out"
    refused = (400, "parameter_invalid", said, "pagination.starting_after")
    for other, other_sort in (
        (of("role", "!=", "lead"), sort),
        (query, None),
        (query, {**sort, "order": "descending"}),
        (query, {**sort, "field": "phone"}),
    ):
        assert ask(world, other, sort=other_sort, pagination={"starting_after": cursor}).error == refused
    assert ask(world, query, sort=sort, pagination={"starting_after": cursor}).status == 200


@pytest.mark.parametrize("field", ["name", "owner_id", "created_at", "unsubscribed_from_emails", "browser"])
@pytest.mark.parametrize(
    "value",
    [
        b"{}",
        b"[]",
        b'"x"',
        b"5",
        b"1.5",
        b"true",
        b"1" * 30,
        b"9223372036854775808",
        b"1e999",
        b"\xff",
        b"",
        b"nul",
        b'"\\u0000"',
        b"[" * 99,
    ],
)
def test_a_forged_cursor_is_refused_or_a_place_but_never_a_fault(world: Api, field: str, value: bytes):
    for number in range(2):
        world.contact(external_id=f"u{number}")
    query, sort = of("role", "=", "user"), {"field": field}
    page, mark, id, _ = cursor_of(world, query, sort).split("-")
    answer = ask(world, query, sort=sort, pagination={"starting_after": f"{page}-{mark}-{id}-{value.hex()}"})
    fits = {
        "name": (b'"x"', b'"\\u0000"'),
        "owner_id": (b"5", b"1.5"),
        "created_at": (b"5", b"1.5"),
        "unsubscribed_from_emails": (b"true",),
        "browser": (b'"x"', b'"\\u0000"'),
    }
    if value in fits[field]:
        assert answer.status == 200
    else:
        said = "pagination.starting_after must be a cursor from pages.next of an earlier answer"
        assert answer.error == (400, "parameter_invalid", said, "pagination.starting_after")


# --- What is refused -----------------------------------------------------------------------------------------------------

FILTER = '{"field":"id","operator":"=","value":"x"}'
NEEDED = "query is required: a filter with field, operator and value, or a group of filters"
CURSOR = "pagination.starting_after must be a cursor from pages.next of an earlier answer"
SORT = 'sort must be an object such as {"field":"created_at","order":"ascending"}, got '
PER_PAGE = "pagination.per_page must be a whole number from 1 to 150, got "
BAD = [
    ("", "parameter_invalid", "Invalid JSON", "body"),
    ("{", "parameter_invalid", "Invalid JSON", "body"),
    ('{"query":' * 100_000, "parameter_invalid", "Invalid JSON", "body"),
    ("[]", "parameter_invalid", "the body must be a JSON object, got a list", "body"),
    ("null", "parameter_invalid", "the body must be a JSON object, got null", "body"),
    ("{}", "parameter_not_found", NEEDED, "query"),
    ('{"query":null}', "parameter_not_found", NEEDED, "query"),
    ('{"query":[]}', "type_mismatch", "query must be an object, got a list", "query"),
    (f'{{"query":"{FILTER[:0]}"}}', "type_mismatch", "query must be an object, got a string", "query"),
    (
        '{"query":{"operator":"AND","value":[' + FILTER + ',{"field":"created_at","operator":"!=","value":5}]}}',
        "parameter_invalid",
        "query.value[1].operator must be one of =, <, > for created_at, got '!='",
        "query.value[1].operator",
    ),
    ('{"query":{"field":"<x>","operator":"=","value":1}}', "invalid_field", "<x> is not a valid search field", "query.field"),
    (
        f'{{"query":{FILTER},"sort":{{"field":"name","order":"desc"}}}}',
        "invalid_sort_order",
        "Invalid sort order 'desc'. Must be one of: ascending, descending",
        "sort.order",
    ),
    (
        f'{{"query":{FILTER},"sort":"{{\\"order\\":\\"asc\\"}}"}}',
        "invalid_sort_order",
        "Invalid sort order 'asc'. Must be one of: ascending, descending",
        "sort.order",
    ),
    (f'{{"query":{FILTER},"sort":{{"field":"nope"}}}}', "invalid_field", "nope is not a valid search field", "sort.field"),
    (f'{{"query":{FILTER},"sort":"name"}}', "type_mismatch", f"{SORT}'name'", "sort"),
    (f'{{"query":{FILTER},"sort":"5"}}', "type_mismatch", f"{SORT}5", "sort"),
    (f'{{"query":{FILTER},"sort":"[1]"}}', "type_mismatch", "sort must be an object, got a list", "sort"),
    (f'{{"query":{FILTER},"sort":["name"]}}', "type_mismatch", "sort must be an object, got a list", "sort"),
    (f'{{"query":{FILTER},"sort":5}}', "type_mismatch", "sort must be a string or an object or a list, got a whole number", "sort"),
    (f'{{"query":{FILTER},"pagination":[5]}}', "type_mismatch", "pagination must be an object, got a list", "pagination"),
    (f'{{"query":{FILTER},"pagination":{{"per_page":"many"}}}}', "type_mismatch", f"{PER_PAGE}'many'", "pagination.per_page"),
    (f'{{"query":{FILTER},"pagination":{{"per_page":1.5}}}}', "type_mismatch", f"{PER_PAGE}1.5", "pagination.per_page"),
    (f'{{"query":{FILTER},"pagination":{{"per_page":true}}}}', "type_mismatch", f"{PER_PAGE}true", "pagination.per_page"),
    (f'{{"query":{FILTER},"pagination":{{"per_page":[]}}}}', "type_mismatch", f"{PER_PAGE}a list", "pagination.per_page"),
    (
        f'{{"query":{FILTER},"pagination":{{"starting_after":5}}}}',
        "type_mismatch",
        "pagination.starting_after must be a string, got a whole number",
        "pagination.starting_after",
    ),
    *(
        (f'{{"query":{FILTER},"pagination":{{"starting_after":"{text}"}}}}', "parameter_invalid", CURSOR, "pagination.starting_after")
        for text in ("WzE1", "2", "2-1671028894-6762f0cd1bb69f9f2193bb7c", "x" * 10_000, "0-" + "0" * 16 + "-" + "0" * 24 + "-35")
    ),
]


@pytest.mark.parametrize(("body", "code", "message", "field"), BAD, ids=[f"{row[3]}: {row[0][:70]}" for row in BAD])
def test_a_body_that_is_wrong_has_its_exact_answer(api: Api, body: str, code: str, message: str, field: str | None):
    assert api.post("/contacts/search", body.encode()).error == (400, code, message, field)


def test_a_search_that_takes_too_long_is_refused_and_others_go_on():
    with TrackrecordServer(search_max_s=0.001) as server:
        api = Api(server)
        lines = "\n".join(json.dumps({"external_id": f"u{number}", "name": "Joe" * 50}) for number in range(2000)).encode()
        assert api.send("POST", "/-/api/import/contacts", body=lines).status == 200
        heavy = {"operator": "OR", "value": [{"operator": "OR", "value": [of("name", "~", "x")] * 15}] * 15}
        said = "this search took longer than 0.001 s; ask for an id, external_id or email as well, or use fewer filters"
        assert ask(api, heavy).error == (400, "bad_request", said, "query")
        assert ask(api, of("external_id", "=", "70")).json["total_count"] == 0


def test_search_came_with_2_0(api: Api):
    refused = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
    assert ask(api, of("id", "=", "x"), "Intercom-Version: 1.4").error == refused
    assert ask(api, of("id", "=", "x"), "Intercom-Version: 2.0").status == 200
