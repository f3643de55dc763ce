"""The catalogue of errors: what can be answered stands in it, what stands in it can be answered, and every error says where and why.

The contract, 1.6 and 13.
"""

import importlib
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import trackrecord
from trackrecord import errors
from trackrecord.http.errors import name_the_fault
from trackrecord.http.routes import ROUTES
from trackrecord.rules.codes import ANSWERED, CODES, Code
from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, fresh, request
from .world import of_companies

WHEN = 1_671_028_894
NEW, OLD = "Intercom-Version: 2.16", "Intercom-Version: 1.4"


@pytest.fixture(scope="module")
def small() -> Iterator[Api]:
    """Of a server whose limits are near, and whose profile is strict."""
    with TrackrecordServer(
        profile="strict",
        body_max_bytes=8192,
        header_max_bytes=2048,
        body_timeout_s=0.3,
        event_names_max=1,
        rate_limit_per_minute=60_000,
        rate_limit_workspace_per_minute=0,
    ) as server:
        yield Api(server)


def raw(api: Api, sent: bytes) -> Answer:
    with Connection(api.url) as connection:
        connection.send(sent)
        return connection.answer()


def with_scopes(api: Api, *scopes: str) -> Api:
    return Api(api.server, api.server.server.directory.tokens.create(1, fresh("token "), scopes, now=0)[1])


def merged(api: Api) -> Any:
    """A lead that was merged into a user, as it was."""
    email = f"{fresh('joe')}@example.com"
    lead, user = api.contact(role="lead", email=email), api.contact(external_id=fresh("user-"), email=email)
    assert api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]}).status == 200
    return lead


def revoked(api: Api) -> Api:
    tokens = api.server.server.directory.tokens
    token, secret = tokens.create(1, fresh("token "), ["read_events"], now=0)
    tokens.revoke(1, token.id, now=1)
    return Api(api.server, secret)


def blocked(api: Api) -> Answer:
    external_id = fresh("user-")
    assert api.post(f"/contacts/{api.contact(external_id=external_id)['id']}/block", {}).status == 200
    return api.post("/contacts", {"external_id": external_id})


def twice(api: Api, target: str, body: Any, *headers: str) -> Answer:
    api.post(target, body, *headers)
    return api.post(target, body, *headers)


def many_companies(api: Api) -> Answer:
    """Of attaching a contact to one company more than it may belong to."""
    company = api.post("/companies", {"company_id": fresh("company-"), "name": "x"}).json
    return api.post(f"/contacts/{of_companies(api, 1000)}/companies", {"id": company["id"]})


def closed_job(api: Api) -> Answer:
    """Of adding users to a job of events."""
    item = {"method": "post", "data_type": "event", "data": {"event_name": "x", "created_at": WHEN, "user_id": "nobody"}}
    job = api.post("/bulk/events", {"items": [item]}).json
    return api.post("/bulk/users", {"items": [{**item, "data_type": "user"}], "job": {"id": job["id"]}})


def used_tag(api: Api) -> Answer:
    tag = api.post("/tags", {"name": fresh("tag ")}).json
    query = {"field": "tag_id", "operator": "=", "value": tag["id"]}
    api.server.server.directory.segments.create(1, name="x", person_type="user", query=query, now=WHEN)
    return api.delete(f"/tags/{tag['id']}")


def without_calls_left(api: Api) -> Answer:
    with TrackrecordServer(rate_limit_per_minute=6) as server:
        server.clock.freeze(WHEN)
        return [Api(server).get("/me") for _ in range(2)][1]


def of_another_origin(api: Api) -> Answer:
    with TrackrecordServer() as server:
        server.server.directory.messenger.add_origin(server.server.default_workspace.number, "https://app.example.com")
        return Api(server, token=None).post("/messenger/trackrecord/deliveries", {}, "Origin: https://other.example.com")


def broken(api: Api) -> Answer:
    """Of a server whose directory lost a table."""
    with TrackrecordServer() as server:
        with sqlite3.connect(server.server.directory._db.path) as directory:
            directory.execute("DROP TABLE admins")
        return Api(server).get("/admins")


def full(api: Api) -> Answer:
    """Of a server that has as many connections as it takes."""
    with TrackrecordServer(connections_max=1) as server, Connection(server.url) as first:
        first.send(request("GET", "/-/health?check=live"))
        first.answer()
        return Api(server).get("/me")


# One request for each class of the catalogue, and the field it must name.
REACHED: dict[type[errors.TrackrecordError], tuple[Callable[[Api], Answer], str | None]] = {
    errors.ParameterInvalid: (lambda api: api.post("/events", b"no JSON"), "body"),
    errors.ParameterNotFound: (lambda api: api.post("/events", {"event_name": "x", "created_at": WHEN}), "user_id"),
    errors.TypeMismatch: (lambda api: api.post("/events", {"event_name": 1}), "event_name"),
    errors.BadRequest: (lambda api: api.post(f"/contacts/{merged(api)['id']}/unarchive", {}), "contact_id"),
    errors.VersionInvalid: (lambda api: api.get("/users", NEW), "Intercom-Version"),
    errors.BodyTooLarge: (lambda api: api.post("/events", b" " * 8193), "body"),
    errors.UnsupportedMedia: (lambda api: api.post("/events", b"a=1", "Content-Type: application/x-www-form-urlencoded"), "Content-Type"),
    errors.HeadTooLarge: (lambda api: api.get("/me", f"X-Long: {'x' * 4096}"), "headers"),
    errors.RequestTimeout: (lambda api: raw(api, request("POST", "/events", "Content-Length: 5", token=api.token) + b"{"), "body"),
    errors.DataInvalid: (lambda api: api.post("/events", {"event_name": "x", "created_at": 4_000_000_000, "user_id": "u"}), "created_at"),
    errors.Unprocessable: (
        lambda api: [api.submit(event_name=name, created_at=WHEN, id=contact["id"]) for contact in [api.contact()] for name in "ab"][1],
        "event_name",
    ),
    errors.ModelInvalid: (lambda api: api.get("/data_attributes?model=conversation", NEW), "model"),
    errors.TooManyItems: (lambda api: api.post("/bulk/events", {"items": [{}] * 2000}), "items"),
    errors.InvalidField: (
        lambda api: api.post("/contacts/search", {"query": {"field": "x", "operator": "=", "value": "y"}}),
        "query.field",
    ),
    errors.InvalidSortOrder: (
        lambda api: api.post(
            "/contacts/search",
            {"query": {"field": "role", "operator": "=", "value": "user"}, "sort": {"field": "created_at", "order": "up"}},
        ),
        "sort.order",
    ),
    errors.Unauthorized: (lambda api: Api(api.server, None).get("/me"), "Authorization"),
    errors.TokenRevoked: (lambda api: revoked(api).get("/me"), "Authorization"),
    errors.TokenUnauthorized: (lambda api: with_scopes(api, "read_tags").get("/contacts"), "Authorization"),
    errors.OriginRefused: (of_another_origin, "Origin"),
    errors.RateLimitExceeded: (without_calls_left, "Authorization"),
    errors.NotFound: (lambda api: api.get("/nothing"), "path"),
    errors.ContactNotFound: (lambda api: api.get("/contacts/nobody"), "contact_id"),
    errors.AdminNotFound: (lambda api: api.get("/admins/99"), "admin_id"),
    errors.CompanyNotFound: (lambda api: api.get("/companies/none"), "company_id"),
    errors.FieldNotFound: (lambda api: api.put("/data_attributes/99", {"description": "x"}), "data_attribute_id"),
    errors.JobNotFound: (lambda api: api.get("/jobs/none"), "job_id"),
    errors.ContactMerged: (lambda api: api.get(f"/contacts/{merged(api)['id']}", NEW), "contact_id"),
    errors.Conflict: (lambda api: twice(api, "/contacts", {"external_id": "twice"}), "external_id"),
    errors.UniqueUserConstraint: (
        lambda api: [
            api.post("/users", {"user_id": "first", "email": "first@example.com"}, OLD),
            api.post("/users", {"user_id": "second", "email": "first@example.com"}, OLD),
        ][1],
        "email",
    ),
    errors.NotRestorable: (blocked, "external_id"),
    errors.InvalidMerge: (lambda api: api.post("/contacts/merge", {"from": (one := api.contact()["id"]), "into": one}), "into"),
    errors.TagHasDependents: (used_tag, "tag_id"),
    errors.ContactCompanyLimitExceeded: (many_companies, "id"),
    errors.ScrollExists: (lambda api: [api.get("/companies/scroll") for _ in range(2)][1], "scroll_param"),
    errors.JobClosed: (closed_job, "job.id"),
    errors.TrackrecordError: (broken, None),
    errors.Unavailable: (full, None),
}

ROWS = [row for row in CODES if row.kind is not None]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind.__name__)
def test_every_error_of_the_catalogue_can_be_met_and_says_what_is_at_fault_and_why(small: Api, row: Code):
    ask, field = REACHED[row.kind]
    status, code, message, said = ask(small).error
    assert (status, code, said) == (row.status, row.code, field)
    assert len(message) >= len("Invalid JSON")


def test_every_class_of_error_that_can_be_answered_stands_in_the_catalogue():
    def below(kind: type[errors.TrackrecordError]) -> Iterator[type[errors.TrackrecordError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    for module in pkgutil.walk_packages(trackrecord.__path__, "trackrecord."):
        if not module.name.startswith("trackrecord.cli") and not module.name.endswith(("__main__", "migrations.env")):
            importlib.import_module(module.name)
    kinds = {each for root in (errors.RequestError, errors.Unavailable) for each in (root, *below(root))}
    ours = {kind for kind in kinds if kind.__module__.startswith("trackrecord") and not kind.__module__.startswith("trackrecord.cli")}
    assert {(kind.code, kind.status) for kind in ours} <= ANSWERED
    assert {kind for kind in ours if kind.__module__ == "trackrecord.errors"} - {errors.RequestError} <= {row.kind for row in CODES}


def test_the_catalogue_has_every_code_of_the_contract_once_for_each_status():
    named = {row.code for row in CODES}
    contract = {
        *("server_error", "client_error", "bad_request", "type_mismatch", "parameter_not_found", "parameter_missing", "missing_parameter"),
        *("parameter_invalid", "data_invalid", "unprocessable_entity", "not_found", "company_not_found", "admin_not_found"),
        *("field_not_found", "job_not_found", "contact_merged", "conflict", "unique_user_constraint", "resource_conflict"),
        *("invalid_merge", "invalid_sort_order", "invalid_field", "tag_has_dependent_objects", "contact_company_limit_exceeded"),
        *("not_restorable", "scroll_exists", "intercom_version_invalid", "unauthorized", "missing_authorization", "token_not_found"),
        *("token_revoked", "token_expired", "token_blocked", "token_suspended", "token_unauthorized", "forbidden"),
        *("api_plan_restricted", "action_forbidden", "job_closed", "rate_limit_exceeded", "too_many_requests", "retry_after"),
        *("custom_data_limit_reached", "invalid_document", "request_timeout", "service_unavailable", "unsupported", "422"),
    }
    ours = {"origin_refused"}
    assert named == contract | ours
    never = [(row.code, row.status) for row in CODES if row.kind is None]
    assert (len(never), set(never) & ANSWERED) == (len(set(never)), set())


def test_an_error_is_for_those_who_ask_and_its_cause_is_not(small: Api):
    answer = small.get("/contacts/nobody")
    assert answer.error == (404, "not_found", "User Not Found", "contact_id")
    assert b"cause" not in answer.body
    failed = broken(small)
    assert failed.error == (
        500,
        "server_error",
        "Something went wrong on our side; nothing was kept. The request id finds the cause in the log",
        None,
    )
    assert b"admins" not in failed.body


def test_who_was_merged_away_is_gone_with_a_link_from_2_16_on_and_not_found_before(small: Api):
    lead = merged(small)
    gone, before = small.get(f"/contacts/{lead['id']}", NEW), small.get(f"/contacts/{lead['id']}", "Intercom-Version: 2.15")
    message = "This contact has been merged. See the 'Link' header for the canonical contact."
    assert gone.error == (410, "contact_merged", message, "contact_id")
    path, _, relation = (gone.header("link") or "").partition("; ")
    assert (small.get(path.strip("<>")).json["email"], relation) == (lead["email"], 'rel="canonical"')
    assert (before.error, before.header("link")) == ((404, "not_found", "User Not Found", "contact_id"), None)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if "{" in route.path and not route.open], ids=lambda route: f"{route.method} {route.path}"
)
def test_whatever_a_path_names_that_is_not_there_is_told_by_its_parameter_or_another_field(api: Api, route: Any):
    target = route.path.replace(":path", "").replace("{", "no-").replace("}", "")
    version = [f"Intercom-Version: {route.last[0]}.{route.last[1]}"] if route.last else ["Intercom-Version: Preview"]
    answer = api.send(route.method, target, *version, body=None if route.method in ("GET", "DELETE") else {})
    if answer.status < 400:
        return  # an export or a list that may be empty
    status, code, _, field = answer.error
    assert (status, code) in {(row.status, row.code) for row in CODES if row.kind is not None}
    assert field is not None


@pytest.mark.parametrize(
    ("error", "method", "path", "field", "cause"),
    [
        (errors.NotFound(), "GET", {"tag_id": "5"}, "tag_id", "Resource Not Found: tag_id was '5'"),
        (errors.ContactNotFound(), "GET", {"contact_id": "a", "tag_id": "5"}, "contact_id", "User Not Found: contact_id was 'a'"),
        (errors.NotFound(), "DELETE", {"contact_id": "a", "tag_id": "5"}, "tag_id", "Resource Not Found: tag_id was '5'"),
        (errors.ParameterInvalid("no"), "POST", {"contact_id": "a"}, "body", None),
        (errors.ParameterInvalid("no"), "GET", {}, "query", None),
        (errors.ParameterInvalid("no", field="x", cause="because"), "GET", {}, "x", "because"),
        (errors.Unavailable("later"), "POST", {}, None, None),
    ],
)
def test_a_fault_nobody_named_is_named_by_what_was_asked(
    error: errors.TrackrecordError, method: str, path: dict[str, str], field: str | None, cause: str | None
):
    name_the_fault(error, method, path)
    assert (error.field, error.cause) == (field, cause)
