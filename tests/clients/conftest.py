"""A server of its own for every test here, with a clock that stands still, so that whole answers can be compared."""

from collections.abc import Iterator

import pytest
from client_shapes import NOW

from trackrecord.testing import TrackrecordServer


@pytest.fixture
def server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as running:
        running.clock.freeze(NOW)
        yield running
