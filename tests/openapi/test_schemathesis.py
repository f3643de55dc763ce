"""Schemathesis asks every operation of our document for what it describes and for what it does not; every answer must be described.

Half of the ids it makes up are exchanged for those of things that are there, and half of the bodies are laid over or under one that
makes sense, so that it comes past the first refusal. `make explore` asks longer.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from described import nameless
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from wire.client import Api
from wire.naming import CALLS, name_of
from wire.world import World

from trackrecord.http.openapi import document
from trackrecord.http.routes import ROUTES
from trackrecord.testing import TrackrecordServer

ASKED = os.environ.get("TRACKRECORD_EXAMPLES", "")  # set by `make explore`, whose examples are others each time
EXAMPLES = int(ASKED or 5)  # of each operation
# What a parameter may name.
THERE = {
    "contact_id": ("contact_id", "lead_id", "visitor_id", "archived_id", "merged_id"),
    "id": ("contact_id",),
    "intercom_user_id": ("contact_id", "lead_id", "visitor_id"),
    "user_id": ("external_id", "lead_user_id", "visitor_user_id"),
    "external_id": ("external_id",),
    "email": ("email",),
    "visitor_id": ("visitor_id",),
    "tag_id": ("tag_id", "applied_tag_id"),
    "segment_id": ("segment_id",),
    "data_attribute_id": ("attribute_id",),
    "company_id": ("company", "company_id"),
    "job_id": ("job_id",),
    "position": ("position",),
    "name": ("event_name",),
    "admin_id": ("admin_id",),
    "request_id": ("request_id",),
    "app_id": ("app_id",),
}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# Bodies that make sense, by method and path.
BODIES: dict[tuple[str, str], list[Any]] = {}
BODIES["POST", nameless("/messenger/{app_id}/deliveries")] = [
    {
        "script": "1",
        "sent_at": 1_700_000_000_000,
        "people": [{"visitor": "0123456789abcdef"}],
        "items": [
            {"id": "0123456789abcdef", "who": 0, "kind": "event", "name": "clicked", "at": 1_699_999_999_000},
            {"id": "fedcba9876543210", "who": 0, "kind": "ping", "data": {"name": "Ada"}},
        ],
    }
]
for route in ROUTES:
    if not route.open:
        sensible = BODIES.setdefault((route.method, nameless(route.path)), [])
        sensible += [ask.body for ask in CALLS[name_of(route)] if isinstance(ask.body, dict)]
described = schemathesis.openapi.from_dict(document(ROUTES))


def ended(case: Any) -> None:
    """A stream is asked for without what is yet to come, as it would have no end."""
    if case.path == "/-/api/live":
        case.query = {**(case.query or {}), "follow": "false"}


@pytest.fixture(scope="module")
def searched_server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as server:
        yield server


@described.given(data=st.data())
@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not ASKED,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case: Any, searched_server: TrackrecordServer, data: Any):
    world = World(Api(searched_server))  # anew each time, as the call may delete what it names
    for parameters in (case.path_parameters, case.query):
        for name in sorted(THERE.keys() & set(parameters or ())):
            if data.draw(st.booleans()):
                parameters[name] = world[data.draw(st.sampled_from(THERE[name]))]
    known = BODIES.get((case.method, nameless(case.path)))
    if known and isinstance(case.body, dict | None) and data.draw(st.booleans()):
        body, made = world.filled(data.draw(st.sampled_from(known))), case.body or {}
        case.body = body if data.draw(st.booleans()) else body | made if data.draw(st.booleans()) else made | body
    ended(case)
    case.call_and_validate(base_url=world.api.url, headers={"Authorization": f"Bearer {world.api.token}"}, checks=CHECKS)


def test_every_answer_of_a_walk_is_described(searched_server: TrackrecordServer) -> None:
    """Calls one after the other, with ids that earlier answers gave; Schemathesis finds in the document which fit together."""

    class Walk(described.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": searched_server.url, "headers": {"Authorization": f"Bearer {searched_server.token}"}}

        def before_call(self, case: Any) -> None:
            ended(case)

        def validate_response(self, response: Any, case: Any, additional_checks: Any = (), **more: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    Walk.run(
        settings=settings(
            max_examples=max(2, EXAMPLES // 10),
            stateful_step_count=10,
            deadline=None,
            derandomize=not ASKED,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
    )
