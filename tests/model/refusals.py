"""Requests with one fault each, and how the docs say they are refused."""

from typing import Any

from .people import Refusal


def invalid(field: str, message: str | None = None) -> Refusal:
    return Refusal(400, "parameter_invalid", field, message)


def missing(field: str) -> Refusal:
    return Refusal(400, "parameter_not_found", field)


def mismatch(field: str) -> Refusal:
    return Refusal(400, "type_mismatch", field)


def data(field: str) -> Refusal:
    return Refusal(422, "data_invalid", field)


def not_found(field: str, message: str = "User Not Found") -> Refusal:
    return Refusal(404, "not_found", field, message)


def no_job(field: str) -> Refusal:
    return Refusal(404, "job_not_found", field, "Job Not Found")


def no_field(message: str | None = None) -> Refusal:
    return Refusal(400, "invalid_field", "query.field", message)


def _deep(levels: int) -> Any:
    return [] if levels == 1 else [_deep(levels - 1)]


def _filter(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"query": {"field": field, "operator": operator, "value": value}}


EVENT = {"event_name": "signed-up", "created_at": 100}
FAR = 253_402_300_700  # in the year 9999
ROW = {"event_name": "paid", "count": 1}
SORTED = _filter("email", "=", "a") | {"sort": {"order": "desc"}}
NO_ORDER = Refusal(400, "invalid_sort_order", "sort.order", "Invalid sort order 'desc'. Must be one of: ascending, descending")

# (method, target, body, refusal): what nobody has to be there for.
OF_NOBODY: list[tuple[str, str, Any, Refusal]] = [
    ("POST", "/events", b'{"event_name":', invalid("body", "Invalid JSON")),
    ("POST", "/events", [EVENT], invalid("body")),
    ("POST", "/events", EVENT, missing("user_id")),
    ("POST", "/events", EVENT | {"id": "nobody"}, not_found("id")),
    ("POST", "/events", EVENT | {"email": "nobody@example.org", "user_id": "nobody"}, not_found("user_id")),
    ("POST", "/bulk/events", {"items": []}, invalid("items")),
    ("POST", "/bulk/events", {}, missing("items")),
    (
        "POST",
        "/bulk/events",
        {"items": [{"data": EVENT}], "job": {"id": "job_none"}},
        no_job("job.id"),
    ),
    ("POST", "/events/summaries", {"event_summaries": ROW}, missing("user_id")),
    ("POST", "/events/summaries", {"event_summaries": ROW, "user_id": "nobody"}, not_found("user_id")),
    ("GET", "/events?type=user", None, missing("user_id")),
    ("GET", "/events?type=user&user_id=nobody", None, not_found("user_id")),
    ("GET", "/events?type=company&user_id=nobody", None, invalid("type")),
    ("GET", "/events?type=user&user_id=nobody&before=x", None, invalid("before")),
    ("GET", "/events?type=user&user_id=nobody&per_page=x", None, invalid("per_page")),
    ("GET", "/contacts/nobody", None, not_found("contact_id")),
    ("GET", "/contacts/find_by_external_id/nobody", None, not_found("external_id")),
    ("GET", "/contacts?starting_after=x", None, invalid("starting_after")),
    ("GET", "/users?user_id=nobody", None, not_found("user_id")),
    ("GET", "/users/nobody", None, not_found("id")),
    ("POST", "/contacts", {}, missing("external_id")),
    ("POST", "/contacts", {"role": "king"}, invalid("role")),
    ("POST", "/contacts", {"role": "lead", "external_id": "z"}, data("external_id")),
    ("POST", "/contacts", {"email": "no address"}, invalid("email")),
    ("POST", "/contacts", {"email": 5}, mismatch("email")),
    ("POST", "/contacts", {"external_id": "x" * 256}, invalid("external_id")),
    ("POST", "/contacts", {"role": "lead", "custom_attributes": {"seats": [1]}}, mismatch("custom_attributes.seats")),
    ("POST", "/contacts/merge", {"into": "nobody"}, missing("from")),
    ("POST", "/contacts/search", {}, missing("query")),
    (
        "POST",
        "/contacts/search",
        _filter("shoe_size", "=", 1),
        no_field("shoe_size is not a valid search field"),
    ),
    ("POST", "/contacts/search", _filter("email", ">", "a"), invalid("query.operator")),
    ("POST", "/contacts/search", _filter("email", "IN", "a"), mismatch("query.value")),
    ("POST", "/contacts/search", SORTED, NO_ORDER),
    ("POST", "/-/api/events/search", _filter("shoe_size", "=", 1), no_field()),
    ("POST", "/-/api/events/search", _filter("created_at", "~", 1), invalid("query.operator")),
    ("POST", "/-/api/events/search", _filter("metadata.n", ">", "1"), mismatch("query.value")),
    ("POST", "/-/api/events/delete", {}, missing("query")),
    ("POST", "/-/api/events/delete", _filter("event_name", "=", "paid") | {"limit": 0}, invalid("limit")),
    ("GET", "/-/api/receipts/999999999", None, not_found("position", "Receipt not found")),
    ("GET", "/-/api/event-names/nobody-does-this", None, not_found("name", "Event name not found")),
    ("GET", "/jobs/job_none", None, no_job("job_id")),
    ("GET", "/-/api/export/events?format=xml", None, invalid("format")),
    ("GET", "/no/such/path", None, not_found("path", "Resource Not Found")),
    ("DELETE", "/events", None, not_found("method", "Resource Not Found")),
]

# The same of a contact: {id} stands for its id, which a POST has in its body too.
OF_A_CONTACT: list[tuple[str, str, dict[str, Any], Refusal]] = [
    ("POST", "/events", {"created_at": 100}, missing("event_name")),
    ("POST", "/events", EVENT | {"event_name": ""}, missing("event_name")),
    ("POST", "/events", EVENT | {"event_name": 5}, mismatch("event_name")),
    ("POST", "/events", EVENT | {"event_name": "x" * 256}, data("event_name")),
    ("POST", "/events", EVENT | {"event_name": "a\x00b"}, invalid("event_name")),
    ("POST", "/events", EVENT | {"created_at": "yesterday"}, mismatch("created_at")),
    ("POST", "/events", EVENT | {"created_at": True}, mismatch("created_at")),
    ("POST", "/events", EVENT | {"created_at": [100]}, mismatch("created_at")),
    ("POST", "/events", EVENT | {"created_at": -1}, data("created_at")),
    ("POST", "/events", EVENT | {"created_at": FAR * 1000}, data("created_at")),
    ("POST", "/events", EVENT | {"metadata": 5}, mismatch("metadata")),
    ("POST", "/events", EVENT | {"metadata": [1]}, mismatch("metadata")),
    ("POST", "/events", EVENT | {"metadata": {"a": _deep(17)}}, data("metadata.a")),
    ("POST", "/events/summaries", {}, missing("event_summaries")),
    ("POST", "/events/summaries", {"event_summaries": {"event_name": "paid"}}, missing("event_summaries.count")),
    ("POST", "/events/summaries", {"event_summaries": [ROW, ROW | {"count": -1}]}, data("event_summaries[1].count")),
    ("POST", "/events/summaries", {"event_summaries": ROW | {"first": 2, "last": 1}}, data("event_summaries.first")),
    ("POST", "/events/summaries", {"event_summaries": {"count": 1}}, missing("event_summaries.event_name")),
    ("PUT", "/contacts/{id}", {"email": "no address"}, invalid("email")),
    ("PUT", "/contacts/{id}", {"name": "x" * 256}, invalid("name")),
    ("PUT", "/contacts/{id}", {"custom_attributes": [1]}, mismatch("custom_attributes")),
    ("PUT", "/contacts/{id}", {"role": "king"}, invalid("role")),
]
