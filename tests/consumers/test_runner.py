"""The loop that every consumer runs in."""

from trackrecord.consumers.runner import GATHER_S, REST_AFTER_S, Runner, run
from trackrecord.errors import Unavailable
from trackrecord.journal.log import Batch


class Source:
    """A journal of so many records, handed out in pieces."""

    def __init__(self, records, piece=3):
        self.records = records
        self.piece = piece

    def read(self, *, after, limit):
        found = self.records[after : after + min(limit, self.piece)]
        return Batch(after + 1, found) if found else None


class Consumer:
    name = "test"

    def __init__(self, cursor=0, failures=(), rests_needed=1):
        self.at = cursor
        self.failures = list(failures)
        self.rests = 0
        self.rests_needed = rests_needed
        self.handled = []

    def cursor(self):
        return self.at

    def safe(self):
        return self.at

    def rest(self):
        self.rests += 1
        return self.rests >= self.rests_needed

    def close(self):
        self.at = None

    def handle(self, first, records):
        if self.failures:
            raise self.failures.pop(0)
        self.handled += list(enumerate(records, first))
        self.at = first + len(records) - 1


class Progress:
    """Ends the loop when there is nothing more to read, and notes what was told."""

    def __init__(self, source=None, grow=()):
        self.told = []
        self.idle_at = []
        self.source = source
        self.grow = list(grow)

    def reached(self, cursor, safe):
        self.told.append(("at", cursor))

    def idle(self, cursor):
        self.idle_at.append(cursor)

    def failed(self, error):
        self.told.append(("trouble", str(error)))

    def wait(self, timeout_s):
        if timeout_s is not None:
            return True  # the pause has passed
        if not self.grow:
            return False
        self.source.records.append(self.grow.pop(0))
        return True


def test_records_are_handled_in_order_from_the_cursor_on():
    consumer, progress = Consumer(cursor=2), Progress()
    run(consumer, Source(list("abcdefg")), progress)
    assert consumer.handled == [(3, "c"), (4, "d"), (5, "e"), (6, "f"), (7, "g")]
    assert progress.told == [("at", 2), ("at", 5), ("at", 7), ("at", 7)]


def test_a_batch_that_fails_is_tried_again_and_never_passed_over():
    consumer, progress = Consumer(failures=[Unavailable("disk full"), Unavailable("disk full")]), Progress()
    run(consumer, Source(list("ab")), progress)
    assert consumer.handled == [(1, "a"), (2, "b")]
    assert progress.told == [("at", 0), ("trouble", "disk full"), ("trouble", "disk full"), ("at", 2), ("at", 2)]


def test_what_comes_while_it_waits_is_handled():
    source = Source(list("a"))
    consumer = Consumer()
    run(consumer, source, Progress(source, grow="bc"))
    assert consumer.handled == [(1, "a"), (2, "b"), (3, "c")]


def test_it_can_be_told_where_to_end():
    consumer = Consumer()
    run(consumer, Source(list("abcdefg")), Progress(), until=lambda cursor: cursor >= 3)
    assert consumer.handled == [(1, "a"), (2, "b"), (3, "c")]


def test_what_was_done_is_synced_once_nothing_more_comes():
    source = Source(list("a"))
    consumer = Consumer()
    run(consumer, source, Progress(source, grow="bc"))
    assert consumer.rests == 3  # after a, after b and after c, each time before it waits without end


def test_a_consumer_that_has_more_to_do_is_let_rest_again():
    consumer, progress = Consumer(rests_needed=3), Progress()
    run(consumer, Source(list("a")), progress)
    assert consumer.rests == 3
    assert progress.told == [("at", 0), ("at", 1), ("at", 1), ("at", 1), ("at", 1)]


def test_it_says_when_it_waits_to_be_asked():
    source = Source(list("a"))
    progress = Progress(source, grow="b")
    run(Consumer(), source, progress)
    assert progress.idle_at == [1, 1, 2, 2]  # once before what was done is synced, and once after


def test_it_gathers_between_batches_and_rests_when_nothing_more_comes():
    runner = Runner(Consumer(), Source(list("ab")), Progress())
    assert [runner.step() for _ in range(4)] == [GATHER_S, REST_AFTER_S, None, None]
