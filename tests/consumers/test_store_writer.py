"""The store's consumer: how old what a power loss would leave may grow."""

from trackrecord.consumers.store_writer import SYNC_EVERY_S, StoreWriter


class Store:
    def __init__(self):
        self.at = 0
        self.syncs = 0

    def cursor(self):
        return self.at

    def append(self, first, records):
        self.at = first + len(records) - 1

    def sync(self):
        self.syncs += 1
        return self.at

    def cleanse(self):
        return True

    def close(self):
        pass


def test_under_unbroken_load_what_is_safe_follows_within_the_time_for_it():
    now, store = [100.0], Store()
    writer = StoreWriter(store, clock=lambda: now[0])
    assert (writer.safe(), store.syncs) == (0, 1)
    writer.handle(1, ["a"])
    assert (writer.cursor(), writer.safe()) == (1, 0)
    now[0] += SYNC_EVERY_S + 0.1
    writer.handle(2, ["b"])
    assert (writer.safe(), store.syncs) == (2, 2)
    writer.handle(3, ["c"])
    assert writer.safe() == 2


def test_at_rest_all_is_safe():
    store = Store()
    writer = StoreWriter(store, clock=lambda: 0.0)
    writer.handle(1, ["a", "b"])
    assert writer.rest() is True
    assert writer.safe() == 2
