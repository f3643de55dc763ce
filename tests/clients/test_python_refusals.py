"""python-intercom 5, unmodified: what it raises, and what its user is told."""

from typing import Any

import pytest
from client_shapes import NOW
from intercom import (
    CreateContactRequestWithEmail,
    CreateContactRequestWithExternalId,
    CreateContactRequestWithRole,
    CreateDataEventRequestWithEmail,
    CreateDataEventRequestWithId,
    CreateDataEventRequestWithUserId,
    NotFoundError,
    UnauthorizedError,
)
from intercom.core.api_error import ApiError
from intercom.unstable.data_events import LisDataEventsRequestFilterUserId
from intercom.unstable.errors import NotFoundError as UnstableNotFoundError
from intercom.unstable.errors import UnauthorizedError as UnstableUnauthorizedError
from python_5 import make_ada, refusal, said

from trackrecord.testing import TrackrecordServer


async def test_a_bad_token_raises_the_clients_unauthorized_error_everywhere(kind: Any, server: TrackrecordServer) -> None:
    client = kind(token="nobody-gave-this-out", base_url=server.url)
    event = CreateDataEventRequestWithUserId(user_id="ada", event_name="signed-up", created_at=NOW)
    who = LisDataEventsRequestFilterUserId(user_id="ada")
    for ask, error in (
        (lambda: client.events.create(request=event), UnauthorizedError),
        (lambda: client.events.list(type="user", user_id="ada"), UnauthorizedError),
        (lambda: client.events.summaries(user_id="ada"), UnauthorizedError),
        (lambda: client.contacts.create(request=CreateContactRequestWithEmail(email="a@example.com")), UnauthorizedError),
        (lambda: client.contacts.list(), UnauthorizedError),
        (lambda: client.contacts.find("6b03eb5d969df8d8371a539e"), UnauthorizedError),
        (lambda: client.admins.list(), UnauthorizedError),
        (lambda: client.unstable.data_events.lis_data_events(filter=who, type="user"), UnstableUnauthorizedError),
    ):
        with pytest.raises(error) as caught:
            await said(ask())
        assert refusal(caught.value) == (401, [{"code": "unauthorized", "message": "Access Token Invalid", "field": "Authorization"}])


NO_ADMIN = {"code": "admin_not_found", "message": "Admin not found", "field": "admin_id"}


def nobody(field: str) -> dict[str, str]:
    return {"code": "not_found", "message": "User Not Found", "field": field}


async def test_refusals_are_raised_as_the_clients_own_errors(client: Any, server: TrackrecordServer) -> None:
    ada = await make_ada(client)
    for external_id in ("grace", "joan"):
        request = CreateContactRequestWithExternalId(external_id=external_id, email="shared@example.com")
        await said(client.contacts.create(request=request))
    at = {"event_name": "signed-up", "created_at": NOW}
    several = "Multiple existing users match this email address - must be more specific using user_id"
    ambiguous = {"code": "conflict", "message": several, "field": "email"}
    taken = f"A contact matching those details already exists with id={ada.id}"
    lead_with_id = CreateContactRequestWithRole(role="lead", external_id="lead-1")
    for ask, error, status, errors in (
        (lambda: client.admins.find(999), NotFoundError, 404, [NO_ADMIN]),
        (lambda: client.unstable.contacts.show_contact("0" * 24), ApiError, 404, [nobody("contact_id")]),
        (lambda: client.unstable.admins.retrieve_admin(999), UnstableNotFoundError, 404, [NO_ADMIN]),
        (lambda: client.contacts.find("0" * 24), ApiError, 404, [nobody("contact_id")]),
        (lambda: client.contacts.update("0" * 24, name="x"), ApiError, 404, [nobody("contact_id")]),
        (lambda: client.contacts.delete("0" * 24), ApiError, 404, [nobody("contact_id")]),
        (lambda: client.events.create(request=CreateDataEventRequestWithUserId(user_id="bob", **at)), ApiError, 404, [nobody("user_id")]),
        (lambda: client.events.list(type="user", user_id="bob"), ApiError, 404, [nobody("user_id")]),
        (
            lambda: client.contacts.create(request=CreateContactRequestWithExternalId(external_id="ada")),
            ApiError,
            409,
            [{"code": "conflict", "message": taken, "field": "external_id"}],
        ),
        (
            lambda: client.events.create(request=CreateDataEventRequestWithEmail(email="shared@example.com", **at)),
            ApiError,
            409,
            [ambiguous],
        ),
        (
            lambda: client.events.list(type="user", email="shared@example.com"),
            ApiError,
            409,
            [ambiguous],
        ),
        (
            lambda: client.events.list(type="user"),
            ApiError,
            400,
            [
                {
                    "code": "parameter_not_found",
                    "message": "an event query must include an email, user_id or intercom_user_id parameter",
                    "field": "user_id",
                }
            ],
        ),
    ):
        with pytest.raises(ApiError) as caught:
            await said(ask())
        assert (type(caught.value), *refusal(caught.value)) == (error, status, errors)

    for ask, status, code, field in (
        (lambda: client.contacts.create(request=lead_with_id), 422, "data_invalid", "external_id"),
        (
            lambda: client.events.create(request=CreateDataEventRequestWithUserId(user_id="ada", event_name="x", created_at=NOW + 90_000)),
            422,
            "data_invalid",
            "created_at",
        ),
        (
            lambda: client.events.create(request=CreateDataEventRequestWithId(id=ada.id, event_name="", created_at=NOW)),
            400,
            "parameter_not_found",
            "event_name",
        ),
        (lambda: client.events.summaries(), 400, "parameter_not_found", "user_id"),
        (lambda: client.contacts.create(request=CreateContactRequestWithRole(role="visitor")), 400, "parameter_invalid", "role"),
    ):
        with pytest.raises(ApiError) as caught:
            await said(ask())
        refused, errors = refusal(caught.value)
        assert (type(caught.value), refused, [(each["code"], each.get("field")) for each in errors]) == (ApiError, status, [(code, field)])


async def test_a_token_without_the_scope_is_refused_with_403(kind: Any, server: TrackrecordServer) -> None:
    directory = server.server.directory
    workspace = server.server.default_workspace.number
    _, secret = directory.tokens.create(workspace, "reader", frozenset({"read_events"}), now=NOW)
    client = kind(token=secret, base_url=server.url)
    with pytest.raises(ApiError) as caught:
        await said(client.events.create(request=CreateDataEventRequestWithUserId(user_id="ada", event_name="x", created_at=NOW)))
    assert refusal(caught.value) == (
        403,
        [{"code": "token_unauthorized", "message": "this access token lacks the scope write_events", "field": "Authorization"}],
    )
