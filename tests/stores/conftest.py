import pytest

from trackrecord.stores.memory import MemoryStore
from trackrecord.stores.sqlite import SqliteStore

ENGINES = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "events.db"),
    # With a few events the same file as another has with millions.
    "sqlite, divided": lambda folder: SqliteStore(folder / "events.db", keys_a_table=8, shape_after=1),
}


@pytest.fixture(params=ENGINES)
def store(request, tmp_path):
    """Each engine in turn. To hold a new engine to the promises, add it here."""
    store = ENGINES[request.param](tmp_path)
    yield store
    assert list(store.problems()) == []
    store.close()
