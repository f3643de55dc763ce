"""How each call can name something: what test_isolation.py asks for as a stranger. A new route needs its row here."""

import re
from typing import Any, NamedTuple

from trackrecord.http.routes import Route

from .world import MAKERS, V1, WHEN

# Nobody has these.
NOWHERE = {
    "contact_id": "0" * 24,
    "external_id": "user-nowhere",
    "email": "nowhere@example.com",
    "lead_id": "1" * 24,
    "lead_email": "lead-nowhere@example.com",
    "lead_user_id": "00000000-0000-4000-8000-000000000000",
    "position": "999999999",
    "event_id": "00000000-0000-4000-8000-000000000001",
    "event_name": "event-nowhere",
    "tag_id": "999999",
    "tag_name": "tag nowhere",
    "applied_tag_id": "999998",
    "attribute_id": "999999",
    "attribute_name": "attribute nowhere",
    "segment_id": "2" * 24,
    "segment_name": "Segment nowhere",
    "company": "3" * 24,
    "company_id": "company-nowhere",
    "company_name": "Company nowhere",
    "visitor_id": "4" * 24,
    "visitor_user_id": "00000000-0000-4000-8000-000000000002",
    "job_id": "job_nowhere",
    "archived_id": "5" * 24,
    "merged_id": "6" * 24,
    "audited_name": "deleted-event-nowhere",
    "users_scroll": "scroll-nowhere",
    "contacts_scroll": "scroll-nowhere",
    "companies_scroll": "scroll-nowhere",
    "request_id": "00000000-0000-4000-8000-000000000003",
    "admin_id": "999999",
}


class Ask(NamedTuple):
    """One way to name something in a call. A body that is text is sent as it is."""

    method: str
    target: str
    body: Any = None
    headers: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """The things it names."""
        return set(re.findall(r"\{(\w+)\}", f"{self.target} {self.body}")) & MAKERS.keys()


def name_of(route: Route) -> str:
    """A row of the table of routes; the versions tell apart what shares a path."""
    return f"{route.method} {route.path}" + (" 1.x" if route.last is not None else "")


EVENT = {"event_name": "theirs", "created_at": WHEN}
PEOPLE = ("contact_id", "lead_id", "visitor_id", "archived_id", "merged_id")
OLD, V2_16 = (V1,), ("Intercom-Version: 2.16",)
QUERIES = [{"field": field, "operator": "=", "value": value} for field, value in (
    ("event_name", "{event_name}"), ("intercom_user_id", "{contact_id}"), ("user_id", "{external_id}"), ("email", "{email}"))]  # fmt: skip


SEGMENT_QUERIES = [
    {"field": "id", "operator": "=", "value": "{contact_id}"},
    {"field": "tag_id", "operator": "=", "value": "{tag_id}"},
    {"field": "event.count", "event_name": "{event_name}", "operator": ">", "value": 0},
]


def _each(method: str, target: str, *names: str, body: Any = None, headers: tuple[str, ...] = ()) -> tuple[Ask, ...]:
    """The same call for each of several things; `{}` stands for their names."""
    return tuple(Ask(method, target.replace("{}", f"{{{name}}}"), body, headers) for name in names)


def _bodies(method: str, target: str, *bodies: Any, headers: tuple[str, ...] = ()) -> tuple[Ask, ...]:
    return tuple(Ask(method, target, body, headers) for body in bodies)


def _bulk(target: str, kind: str, *items: Any) -> tuple[Ask, ...]:
    """Each item in a job of its own, and in the job that is ours."""
    bodies = [{"items": [{"method": "post", "data_type": kind, "data": item}]} for item in items]
    return _bodies("POST", target, *bodies, *({**body, "job": {"id": "{job_id}"}} for body in bodies), headers=OLD)


CALLS: dict[str, tuple[Ask, ...]] = {
    "POST /events": _bodies("POST", "/events", *({**EVENT, key: value} for key, value in (
        ("id", "{contact_id}"), ("id", "{lead_id}"), ("id", "{visitor_id}"), ("user_id", "{external_id}"), ("user_id", "{lead_user_id}"),
        ("user_id", "{visitor_user_id}"), ("email", "{email}"), ("intercom_user_id", "{contact_id}")))),
    "GET /events": tuple(Ask("GET", f"/events?{query}{more}") for more in ("", "&summary=true") for query in (
        "type=user&intercom_user_id={contact_id}", "type=user&intercom_user_id={lead_id}", "type=user&user_id={external_id}",
        "type=user&email={email}", "type=lead&user_id={lead_user_id}", "type=user&filter[user_id]={external_id}")),
    "POST /events/summaries": _bodies("POST", "/events/summaries", *(
        {**who, "event_summaries": {"event_name": "{event_name}", "count": 1}}
        for who in ({"id": "{contact_id}"}, {"user_id": "{external_id}"}, {"email": "{email}"}))),
    "GET /-/api/receipts/{position}": _each("GET", "/-/api/receipts/{}", "position"),
    "POST /contacts": _bodies("POST", "/contacts", {"external_id": "{external_id}"}, {"email": "{email}"}),
    "GET /contacts": (Ask("GET", "/contacts?per_page=150"),),
    "GET /contacts/{contact_id}": _each("GET", "/contacts/{}", *PEOPLE),
    "PUT /contacts/{contact_id}": _each("PUT", "/contacts/{}", *PEOPLE, body={"name": "theirs"}),
    "DELETE /contacts/{contact_id}": _each("DELETE", "/contacts/{}", *PEOPLE),
    "GET /contacts/find_by_external_id/{external_id:path}": _each("GET", "/contacts/find_by_external_id/{}", "external_id"),
    "GET /contacts/{contact_id}/tags": _each("GET", "/contacts/{}/tags", *PEOPLE),
    "POST /contacts/{contact_id}/tags": _each("POST", "/contacts/{}/tags", *PEOPLE, body={"id": "{tag_id}"}),
    "DELETE /contacts/{contact_id}/tags/{tag_id}": _each("DELETE", "/contacts/{}/tags/{applied_tag_id}", *PEOPLE),
    "GET /contacts/{contact_id}/segments": _each("GET", "/contacts/{}/segments", *PEOPLE),
    "POST /contacts/search": _bodies("POST", "/contacts/search", *(
        {"query": {"field": field, "operator": "=", "value": value}} for field, value in (
            ("id", "{contact_id}"), ("external_id", "{external_id}"), ("email", "{email}"), ("tag_id", "{tag_id}"),
            ("segment_id", "{segment_id}"), ("role", "user"), ("role", "lead"), ("name", "Ada")))),
    "GET /tags": (Ask("GET", "/tags"),),
    "POST /tags": _bodies("POST", "/tags", {"id": "{tag_id}", "name": "theirs"}, {"name": "{tag_name}"},
                          {"name": "theirs", "users": [{"id": "{contact_id}"}]},
                          {"name": "theirs", "users": [{"user_id": "{external_id}"}]},
                          {"name": "theirs", "companies": [{"id": "{company}"}]},
                          {"name": "theirs", "companies": [{"company_id": "{company_id}"}]}),
    "GET /tags/{tag_id}": _each("GET", "/tags/{}", "tag_id"),
    "DELETE /tags/{tag_id}": _each("DELETE", "/tags/{}", "tag_id"),
    "GET /data_attributes": (Ask("GET", "/data_attributes?include_archived=true"),),
    "POST /data_attributes": _bodies("POST", "/data_attributes", {"name": "{attribute_name}", "model": "contact", "data_type": "string"}),
    "PUT /data_attributes/{data_attribute_id}": _each("PUT", "/data_attributes/{}", "attribute_id", body={"description": "theirs"}),
    "GET /segments": (Ask("GET", "/segments?include_count=true"),),
    "GET /segments/{segment_id}": _each("GET", "/segments/{}", "segment_id"),
    "POST /-/api/segments": _bodies("POST", "/-/api/segments", *({"name": "{segment_name}", "query": query} for query in SEGMENT_QUERIES)),
    "POST /-/api/segments/preview": _bodies("POST", "/-/api/segments/preview", *({"query": query} for query in SEGMENT_QUERIES)),
    "GET /-/api/segments/sizes": (Ask("GET", "/-/api/segments/sizes"),),
    "GET /-/api/segments/{segment_id}": _each("GET", "/-/api/segments/{}?include_count=true", "segment_id"),
    "PUT /-/api/segments/{segment_id}": _each("PUT", "/-/api/segments/{}", "segment_id", body={"name": "theirs"}),
    "DELETE /-/api/segments/{segment_id}": _each("DELETE", "/-/api/segments/{}", "segment_id"),
    "GET /-/api/segments/{segment_id}/sizes": _each("GET", "/-/api/segments/{}/sizes", "segment_id"),
    "GET /-/api/segments/{segment_id}/explain": _each("GET", "/-/api/segments/{}/explain?contact_id={contact_id}", "segment_id"),
    "GET /me": (Ask("GET", "/me"),),
    "GET /admins": (Ask("GET", "/admins"),),
    "GET /admins/{admin_id}": _each("GET", "/admins/{}", "admin_id"),
    # Merging and the like
    "POST /contacts/merge": _bodies("POST", "/contacts/merge", {"from": "{lead_id}", "into": "{contact_id}"},
                                    {"from": "{merged_id}", "into": "{contact_id}"}),
    "POST /-/api/contacts/merge/preview": _bodies("POST", "/-/api/contacts/merge/preview", {"from": "{lead_id}", "into": "{contact_id}"},
                                                  {"from": "{merged_id}", "into": "{contact_id}"}),
    "GET /-/api/contacts/{contact_id}": _each("GET", "/-/api/contacts/{}", *PEOPLE),
    "GET /contacts/{contact_id}/merge_history": _each("GET", "/contacts/{}/merge_history", *PEOPLE, headers=V2_16),
    "POST /contacts/{contact_id}/archive": _each("POST", "/contacts/{}/archive", *PEOPLE, body={}),
    "POST /contacts/{contact_id}/unarchive": _each("POST", "/contacts/{}/unarchive", *PEOPLE, body={}),
    "POST /contacts/{contact_id}/block": _each("POST", "/contacts/{}/block", *PEOPLE, body={}),
    "GET /contacts/{contact_id}/notes": _each("GET", "/contacts/{}/notes", *PEOPLE),
    "GET /contacts/{contact_id}/subscriptions": _each("GET", "/contacts/{}/subscriptions", *PEOPLE),
    "PUT /-/api/contacts": _bodies("PUT", "/-/api/contacts", {"id": "{contact_id}", "name": "theirs"}, {"external_id": "{external_id}"},
                                   {"email": "{email}"}),
    "GET /-/api/contacts/archived": (Ask("GET", "/-/api/contacts/archived?per_page=150"),),
    # Visitors
    "GET /visitors": _each("GET", "/visitors?user_id={}", "visitor_user_id", "lead_user_id", "external_id"),
    "PUT /visitors": _bodies("PUT", "/visitors", {"id": "{visitor_id}", "name": "theirs"},
                             {"user_id": "{visitor_user_id}", "name": "theirs"}),
    "POST /visitors/convert": _bodies("POST", "/visitors/convert", *(
        {"type": "user", "visitor": visitor, "user": {"user_id": "{external_id}"}}
        for visitor in ({"id": "{visitor_id}"}, {"user_id": "{visitor_user_id}"}))),
    "GET /visitors/{visitor_id} 1.x": _each("GET", "/visitors/{}", *PEOPLE, headers=OLD),
    "PUT /visitors/{visitor_id} 1.x": _each("PUT", "/visitors/{}", *PEOPLE, body={"name": "theirs"}, headers=OLD),
    "DELETE /visitors/{visitor_id} 1.x": _each("DELETE", "/visitors/{}", *PEOPLE, headers=OLD),
    # Companies
    "POST /companies": _bodies("POST", "/companies", {"company_id": "{company_id}", "name": "theirs"}),
    "GET /companies": (Ask("GET", "/companies"), Ask("GET", "/companies", headers=OLD),
                       *_each("GET", "/companies?company_id={}", "company_id"),
                       *_each("GET", "/companies?name={}", "company_name")),
    "POST /companies/list": (Ask("POST", "/companies/list", {}),),
    "GET /companies/scroll": _each("GET", "/companies/scroll?scroll_param={}", "companies_scroll"),
    "GET /companies/{company_id}": _each("GET", "/companies/{}", "company"),
    "PUT /companies/{company_id}": _each("PUT", "/companies/{}", "company", body={"name": "theirs"}),
    "DELETE /companies/{company_id}": _each("DELETE", "/companies/{}", "company"),
    "GET /companies/{company_id}/contacts": _each("GET", "/companies/{}/contacts", "company"),
    "GET /companies/{company_id}/segments": _each("GET", "/companies/{}/segments", "company"),
    "GET /contacts/{contact_id}/companies": _each("GET", "/contacts/{}/companies", *PEOPLE),
    "POST /contacts/{contact_id}/companies": _each("POST", "/contacts/{}/companies", *PEOPLE, body={"id": "{company}"}),
    "DELETE /contacts/{contact_id}/companies/{company_id}": _each("DELETE", "/contacts/{}/companies/{company}", *PEOPLE),
    # API 1.x
    "POST /users 1.x": _bodies("POST", "/users", {"id": "{contact_id}", "name": "theirs"}, {"user_id": "{external_id}", "name": "theirs"},
                               {"email": "{email}", "companies": [{"company_id": "{company_id}", "name": "theirs"}]}, headers=OLD),
    "GET /users 1.x": tuple(Ask("GET", f"/users{query}", headers=OLD) for query in (
        "", "?user_id={external_id}", "?email={email}", "?tag_id={tag_id}", "?segment_id={segment_id}")),
    "GET /users/scroll 1.x": _each("GET", "/users/scroll?scroll_param={}", "users_scroll", headers=OLD),
    "GET /users/{id} 1.x": _each("GET", "/users/{}", *PEOPLE, headers=OLD),
    "DELETE /users/{id} 1.x": _each("DELETE", "/users/{}", *PEOPLE, headers=OLD),
    "DELETE /users 1.x": tuple(Ask("DELETE", f"/users{query}", headers=OLD) for query in ("?user_id={external_id}", "?email={email}")),
    "POST /user_delete_requests 1.x": tuple(each for name in PEOPLE for each in _bodies(
        "POST", "/user_delete_requests", {"intercom_user_id": f"{{{name}}}"}, headers=OLD)),
    "POST /contacts 1.x": _bodies("POST", "/contacts", {"id": "{lead_id}", "name": "theirs"},
                                  {"user_id": "{lead_user_id}", "name": "theirs"},
                                  headers=OLD),
    "PUT /contacts 1.x": _bodies("PUT", "/contacts", {"id": "{lead_id}", "name": "theirs"},
                                  {"user_id": "{lead_user_id}", "name": "theirs"},
                                 headers=OLD),
    "GET /contacts 1.x": tuple(Ask("GET", f"/contacts{query}", headers=OLD) for query in (
        "", "?user_id={lead_user_id}", "?email={lead_email}", "?tag_id={tag_id}")),
    "GET /contacts/scroll 1.x": _each("GET", "/contacts/scroll?scroll_param={}", "contacts_scroll", headers=OLD),
    "POST /contacts/convert 1.x": _bodies("POST", "/contacts/convert", *(
        {"contact": contact, "user": user} for contact in ({"id": "{lead_id}"}, {"user_id": "{lead_user_id}"})
        for user in ({"id": "{contact_id}"}, {"user_id": "{external_id}"}, {"email": "{email}"})), headers=OLD),
    "GET /contacts/{contact_id} 1.x": _each("GET", "/contacts/{}", *PEOPLE, headers=OLD),
    "PUT /contacts/{contact_id} 1.x": _each("PUT", "/contacts/{}", *PEOPLE, body={"name": "theirs"}, headers=OLD),
    "DELETE /contacts/{contact_id} 1.x": _each("DELETE", "/contacts/{}", *PEOPLE, headers=OLD),
    "POST /bulk/events": _bulk("/bulk/events", "event", *({**EVENT, **who} for who in (
        {"id": "{contact_id}"}, {"user_id": "{external_id}"}, {"email": "{email}"}))),
    "POST /jobs/events": _bulk("/jobs/events", "event", {**EVENT, "id": "{contact_id}"}),
    "POST /bulk/users": _bulk("/bulk/users", "user", {"id": "{contact_id}", "name": "theirs"},
                              {"user_id": "{external_id}", "name": "theirs"}),
    "GET /jobs/{job_id}": _each("GET", "/jobs/{}", "job_id"),
    "GET /jobs/{job_id}/error": _each("GET", "/jobs/{}/error", "job_id"),
    "GET /jobs/status/{job_id}": _each("GET", "/jobs/status/{}", "job_id"),
    # Our own
    "GET /-/api/jobs/{job_id}": _each("GET", "/-/api/jobs/{}", "job_id"),
    "GET /-/api/event-names": (Ask("GET", "/-/api/event-names?include_archived=true&per_page=150"),),
    "GET /-/api/event-names/{name:path}": _each("GET", "/-/api/event-names/{}", "event_name"),
    "PUT /-/api/event-names/{name:path}": _each("PUT", "/-/api/event-names/{}", "event_name", body={"description": "theirs"}),
    "POST /-/api/events/search": _bodies("POST", "/-/api/events/search", {}, *({"query": query} for query in QUERIES)),
    "DELETE /-/api/events/{position}": _each("DELETE", "/-/api/events/{}", "position"),
    "POST /-/api/events/delete": _bodies("POST", "/-/api/events/delete", *(
        {"query": query} for query in (*QUERIES, {"field": "created_at", "operator": ">", "value": 0}))),
    "GET /-/api/audits": (Ask("GET", "/-/api/audits?per_page=150"),),
    "GET /-/api/reports/trend": (Ask("GET", "/-/api/reports/trend"), *_each("GET", "/-/api/reports/trend?event_name={}", "event_name"),
                                 *_each("GET", "/-/api/reports/trend?segment_id={}", "segment_id")),
    "GET /-/api/reports/funnel": _each("GET", "/-/api/reports/funnel?step={}&step={}", "event_name"),
    "GET /-/api/reports/retention": _each("GET", "/-/api/reports/retention?first_event={}", "event_name"),
    "GET /-/api/reports/top-contacts": _each("GET", "/-/api/reports/top-contacts?event_name={}", "event_name"),
    "GET /-/api/reports/breakdown": _each("GET", "/-/api/reports/breakdown?key=plan&event_name={}", "event_name"),
    "GET /-/api/export/events": tuple(Ask("GET", f"/-/api/export/events{query}") for query in (
        "", "?format=csv", "?name={event_name}", "?intercom_user_id={contact_id}", "?user_id={external_id}", "?email={email}")),
    "GET /-/api/export/contacts": (
        *(Ask("GET", f"/-/api/export/contacts?format={kind}") for kind in ("ndjson", "csv")),
        Ask("GET", "/-/api/export/contacts?segment_id={segment_id}"),
        Ask("GET", '/-/api/export/contacts?query={"field":"email","operator":"=","value":"{email}"}'.replace('"', "%22")),
    ),
    "GET /-/api/live": tuple(Ask("GET", f"/-/api/live?after=0&follow=false{query}") for query in (
        "", "&event_name={event_name}", "&contact_id={contact_id}", "&user_id={external_id}", "&email={email}")),
    "GET /-/api/requests": (Ask("GET", "/-/api/requests?per_page=150"), *_each("GET", "/-/api/requests?request_id={}", "request_id")),
    "POST /-/api/import/contacts": _bodies("POST", "/-/api/import/contacts", '{"id":"{contact_id}","external_id":"{external_id}"}'),
    "POST /-/api/import/events": _bodies("POST", "/-/api/import/events", '{"event_name":"theirs","created_at":1,"id":"{contact_id}"}',
                                         '{"event_name":"theirs","created_at":1,"user_id":"{external_id}"}'),
}  # fmt: skip

# Calls that can name nothing: they list, or tell who asks.
NOTHING_IN_IT = {
    "GET /contacts", "GET /tags", "GET /data_attributes", "GET /segments", "GET /me", "GET /admins", "GET /-/api/contacts/archived",
    "POST /companies/list", "GET /-/api/event-names", "GET /-/api/audits", "GET /-/api/segments/sizes",
}  # fmt: skip
