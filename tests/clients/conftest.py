"""A server of its own for every test here, with a clock that stands still, so that whole answers can be compared; and python-intercom 5."""

from collections.abc import Iterator
from typing import Any

import pytest
from client_shapes import NOW
from intercom import AsyncIntercom, Intercom
from recorded import RUBY, request, send

from trackrecord.testing import TrackrecordServer


@pytest.fixture
def server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as running:
        running.clock.freeze(NOW)
        yield running


@pytest.fixture(params=[Intercom, AsyncIntercom], ids=["Intercom", "AsyncIntercom"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def client(kind: Any, server: TrackrecordServer) -> Any:
    return kind(token=server.token, base_url=server.url)


@pytest.fixture
def ada(server: TrackrecordServer) -> str:
    """The id of the user with external id 25."""
    body = '{"external_id":"25","email":"wash@serenity.io"}'
    made = send(server, request(server, "POST /contacts", RUBY, body))
    assert made.status == 200
    contact_id: str = made.json["id"]
    return contact_id
