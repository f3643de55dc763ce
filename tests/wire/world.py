"""One of everything a workspace can have, made when a test first names it."""

import json
from collections.abc import Callable
from typing import Any

from trackrecord.directory import Directory
from trackrecord.rules.contacts import Draft
from trackrecord.rules.profiles import profile_named

from .client import Answer, Api, fresh

WHEN = 1_671_028_894
V1 = "Intercom-Version: 1.4"


class World:
    """The things of one workspace. `{tag_id}` in a target or a body stands for the id of its tag; MAKERS has all the names."""

    def __init__(self, api: Api, workspace: int = 1) -> None:
        self.api = api
        self.workspace = workspace
        self._things: dict[str, str] = {}

    @property
    def directory(self) -> Directory:
        """For what no call of the API makes."""
        return self.api.server.server.directory

    def __getitem__(self, name: str) -> str:
        if name not in self._things:
            made = MAKERS[name](self)
            self._things |= {key: str(value) for key, value in (made if isinstance(made, dict) else {name: made}).items()}
        return self._things[name]

    def filled(self, value: Any) -> Any:
        """A target or a body with its names replaced."""
        text = json.dumps(value)
        for name in MAKERS:
            if f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", self[name])
        return json.loads(text)

    def send(self, method: str, target: str, *headers: str, body: Any = None) -> Answer:
        return self.api.send(method, self.filled(target), *headers, body=self.filled(body))

    def made(self, method: str, target: str, *headers: str, body: Any = None) -> Any:
        """The same, for what must succeed."""
        answer = self.send(method, target, *headers, body=body)
        assert answer.status in (200, 202), answer
        return answer.json if answer.body else answer


def of_companies(api: Api, count: int) -> str:
    """The id of a user who belongs to so many companies; `count` is a multiple of 100."""
    user_id = fresh("user-")
    for start in range(0, count, 100):
        companies = [{"company_id": f"{user_id}-{number}"} for number in range(start, start + 100)]
        assert api.post("/users", {"user_id": user_id, "companies": companies}, V1).status == 200
    return str(api.post("/contacts/search", {"query": {"field": "external_id", "operator": "=", "value": user_id}}).json["data"][0]["id"])


def _user(world: World) -> dict[str, str]:
    made = world.made("POST", "/contacts", body={"external_id": fresh("user-"), "email": f"{fresh('user-')}@example.com", "name": "Ada"})
    return {"contact_id": made["id"], "external_id": made["external_id"], "email": made["email"]}


def _lead(world: World) -> dict[str, str]:
    made = world.made("POST", "/contacts", body={"role": "lead", "email": f"{fresh('lead-')}@example.com"})
    world.made("POST", "/events", body={"event_name": "asked", "created_at": WHEN, "id": made["id"]})
    (event,) = world.made("GET", f"/events?type=user&intercom_user_id={made['id']}")["events"]
    return {"lead_id": made["id"], "lead_email": made["email"], "lead_user_id": event["user_id"]}


def _event(world: World) -> dict[str, str]:
    name = fresh("event-")
    sent = {"event_name": name, "created_at": WHEN, "id": "{contact_id}", "metadata": {"price": 5}}
    position = world.made("POST", "/events", body=sent).header("trackrecord-receipt")
    (event,) = (
        each for each in world.made("GET", "/events?type=user&intercom_user_id={contact_id}")["events"] if each["event_name"] == name
    )
    return {"position": position, "event_id": event["id"], "event_name": name}


def _tag(world: World) -> dict[str, str]:
    made = world.made("POST", "/tags", body={"name": fresh("tag ")})
    return {"tag_id": made["id"], "tag_name": made["name"]}


def _applied_tag(world: World) -> str:
    made = world.made("POST", "/tags", body={"name": fresh("tag ")})
    return str(world.made("POST", "/contacts/{contact_id}/tags", body={"id": made["id"]})["id"])


def _attribute(world: World) -> dict[str, str]:
    made = world.made("POST", "/data_attributes", body={"name": fresh("attribute "), "model": "contact", "data_type": "string"})
    return {"attribute_id": made["id"], "attribute_name": made["name"]}


def _segment(world: World) -> dict[str, str]:
    """A segment of the user, and of whoever has both the tag and a value of the attribute: neither can be deleted then."""
    has_tag = {"field": "tag_id", "operator": "=", "value": world["tag_id"]}
    has_attribute = {"field": f"custom_attributes.{world['attribute_name']}", "operator": "=", "value": "x"}
    is_user = {"field": "id", "operator": "=", "value": world["contact_id"]}
    query = {"operator": "OR", "value": [is_user, {"operator": "AND", "value": [has_tag, has_attribute]}]}
    made = world.directory.segments.create(world.workspace, name=fresh("Segment "), person_type="user", query=query, now=WHEN)
    return {"segment_id": made.id, "segment_name": made.name}


def _company(world: World) -> dict[str, str]:
    """A company that the user belongs to. Its company_id is what its maker calls it; the id is ours."""
    made = world.made("POST", "/companies", body={"company_id": fresh("company-"), "name": fresh("Company ")})
    world.made("POST", "/contacts/{contact_id}/companies", body={"id": made["id"]})
    return {"company": made["id"], "company_id": made["company_id"], "company_name": made["name"]}


def _visitor(world: World) -> dict[str, str]:
    draft = Draft(role="visitor", custom_attributes={"page": "/pricing"})
    made = world.directory.contacts.create(world.workspace, draft, now=WHEN, profile=profile_named("lenient"))
    return {"visitor_id": made.id, "visitor_user_id": str(made.anonymous_id)}


def _scroll(noun: str) -> Callable[[World], str]:
    """The place of a walk that has begun."""

    def make(world: World) -> str:
        return str(world.made("GET", f"/{noun}/scroll", V1)["scroll_param"])

    return make


def _refused(world: World) -> str:
    """The request_id of a call that was refused."""
    return str(world.send("GET", "/contacts/nobody-at-all").header("x-request-id"))


def _audited(world: World) -> str:
    """The name of events that were deleted by it."""
    name = fresh("deleted-event-")
    world.made("POST", "/events", body={"event_name": name, "created_at": WHEN, "id": "{contact_id}"})
    deleting = {"query": {"field": "event_name", "operator": "=", "value": name}}
    assert world.made("POST", "/-/api/events/delete", body=deleting)["count"] == 1
    return name


def _merged(world: World) -> str:
    """A lead that was merged into the user."""
    lead = world.made("POST", "/contacts", body={"role": "lead"})
    world.made("POST", "/contacts/merge", body={"from": lead["id"], "into": "{contact_id}"})
    return str(lead["id"])


def _job(world: World) -> str:
    sent = {"event_name": "ordered", "created_at": WHEN, "user_id": "nobody-has-this"}
    return str(world.made("POST", "/bulk/events", V1, body={"items": [{"method": "post", "data_type": "event", "data": sent}]})["id"])


def _archived(world: World) -> str:
    made = world.made("POST", "/contacts", body={"external_id": fresh("user-")})
    return str(world.made("POST", f"/contacts/{made['id']}/archive")["id"])


MAKERS: dict[str, Callable[[World], str | dict[str, str]]] = {
    **dict.fromkeys(("contact_id", "external_id", "email"), _user),
    **dict.fromkeys(("lead_id", "lead_email", "lead_user_id"), _lead),
    **dict.fromkeys(("visitor_id", "visitor_user_id"), _visitor),
    "archived_id": _archived,
    "merged_id": _merged,
    **dict.fromkeys(("position", "event_id", "event_name"), _event),
    "audited_name": _audited,
    **dict.fromkeys(("tag_id", "tag_name"), _tag),
    "applied_tag_id": _applied_tag,
    **dict.fromkeys(("attribute_id", "attribute_name"), _attribute),
    **dict.fromkeys(("segment_id", "segment_name"), _segment),
    **dict.fromkeys(("company", "company_id", "company_name"), _company),
    "job_id": _job,
    **{f"{noun}_scroll": _scroll(noun) for noun in ("users", "contacts", "companies")},
    "request_id": _refused,
    "app_id": lambda world: str(world.made("GET", "/me")["app"]["id_code"]),
    "admin_id": lambda world: str(world.made("GET", "/me")["id"]),
}
