import pytest

from trackrecord.stores.memory import MemoryStore
from trackrecord.stores.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """Each engine in turn. To hold a new engine to the promises, add it here."""
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "events.db")
    yield store
    assert list(store.problems()) == []
    store.close()
