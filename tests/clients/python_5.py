"""What the tests of python-intercom 5 share: one story for the synchronous client and the asynchronous one."""

import inspect
from typing import Any

from intercom import CreateContactRequestWithExternalId, CreateContactRequestWithRole
from intercom.core.api_error import ApiError


async def said(answer: Any) -> Any:
    """What a call of either client returned."""
    return await answer if inspect.isawaitable(answer) else answer


async def pages_of(pager: Any) -> list[list[Any]]:
    """Every page of either client's pager."""
    pages = pager.iter_pages()
    return [page.items async for page in pages] if hasattr(pages, "__aiter__") else [page.items for page in pages]


async def make_ada(client: Any) -> Any:
    request = CreateContactRequestWithExternalId(external_id="ada", email="ada@example.com", name="Ada")
    return await said(client.contacts.create(request=request))


async def make_lead(client: Any) -> Any:
    return await said(client.contacts.create(request=CreateContactRequestWithRole(role="lead", email="lead@example.com")))


def names_of(answer: Any) -> list[str]:
    return [event.event_name for event in answer.events]


def refusal(error: ApiError) -> tuple[int, list[dict[str, Any]]]:
    """(status, errors) of what a client raised, whose body must be an error.list with the request id of its header."""
    body = error.body if isinstance(error.body, dict) else error.body.dict()
    assert body["type"] == "error.list"
    assert body["request_id"] == error.headers["x-request-id"]
    assert body.keys() == {"type", "request_id", "errors"}
    return error.status_code, body["errors"]
