"""What every test may ask for: servers inside the test process, and clients that send and read bytes (wire/client.py)."""

from collections.abc import Callable, Iterator

import pytest
from wire.client import Answer, Api, Connection

from trackrecord.testing import Clock, TrackrecordServer


@pytest.fixture(scope="session")
def server() -> Iterator[TrackrecordServer]:
    """A server with the lenient profile that all tests share: each makes its own contacts in it."""
    with TrackrecordServer() as server:
        yield server


@pytest.fixture(scope="session")
def strict_server() -> Iterator[TrackrecordServer]:
    """The same with the strict profile."""
    with TrackrecordServer(profile="strict") as server:
        yield server


@pytest.fixture
def api(server: TrackrecordServer) -> Api:
    return Api(server)


@pytest.fixture
def strict(strict_server: TrackrecordServer) -> Api:
    return Api(strict_server)


@pytest.fixture
def clock(server: TrackrecordServer) -> Iterator[Clock]:
    """The clock of `server`; it runs again after the test."""
    yield server.clock
    server.clock.run()


@pytest.fixture
def raw() -> Callable[..., Answer]:
    """Send bytes to a server, read the one answer: `raw(server, b"GET /me HTTP/1.1...")`."""

    def exchange(server: TrackrecordServer, sent: bytes, *, end: bool = False, head: bool = False) -> Answer:
        with Connection(server.url) as connection:
            connection.send(sent)
            if end:
                connection.end()
            return connection.answer(head=head)

    return exchange
