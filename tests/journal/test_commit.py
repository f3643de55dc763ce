"""Group commit: whoever has an answer has its record on stable storage, and one that is refused is not there."""

import asyncio

import pytest

from trackrecord.errors import Unavailable
from trackrecord.journal.commit import WAITING_BYTES_MAX, WAITING_RECORDS_MAX, Journal
from trackrecord.journal.log import JournalReader, JournalWriter
from trackrecord.rules.records import Event


def event(number, size=0):
    return Event(1, number, 1, number, 0, b"x" * size)


def nothing_erased(record, after, limit):
    return []


class Heads(list):
    """The heads that were told, one for each commit."""


@pytest.fixture
async def opened(tmp_path):
    heads = Heads()
    writer = JournalWriter(tmp_path / "journal.db")
    journal = Journal(writer, passed=lambda: 0, committed=heads.append, erased=nothing_erased, keep_ms=1 << 40, keep_bytes=1 << 40)
    yield journal, heads, writer, tmp_path / "journal.db"
    await journal.close()
    writer.close()


def kept(path):
    reader = JournalReader(path)
    found = {}
    while (batch := reader.read(after=len(found), limit=1 << 30)) is not None:
        found |= {position: record.contact for position, record in enumerate(batch.records, batch.first)}
    reader.close()
    return found


async def test_each_waiter_gets_the_position_of_its_own_record(opened):
    journal, heads, _, path = opened
    positions = await asyncio.gather(*(journal.append(event(number)) for number in range(500)))
    assert kept(path) == dict(zip(positions, range(500), strict=True))
    assert (sorted(positions), journal.head, heads[-1]) == (list(range(1, 501)), 500, 500)


async def test_requests_that_wait_together_share_a_commit(opened):
    journal, heads, _, _ = opened
    await asyncio.gather(*(journal.append(event(number)) for number in range(500)))
    assert heads == [500]


async def test_records_given_together_stand_together(opened):
    journal, _, _, path = opened
    firsts = await asyncio.gather(*(journal.append_many([event(group * 10 + each) for each in range(10)]) for group in range(20)))
    found = kept(path)
    assert [[found[first + each] for each in range(10)] for first in firsts] == [
        [group * 10 + each for each in range(10)] for group in range(20)
    ]


async def test_a_waiter_that_goes_away_takes_nobody_with_it(opened):
    journal, _, _, path = opened
    tasks = [asyncio.create_task(journal.append(event(number))) for number in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[3], asyncio.CancelledError)
    found = kept(path)
    assert [found[position] for number, position in enumerate(done) if number != 3] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


async def test_a_batch_that_cannot_be_written_is_refused_to_all_and_the_next_one_succeeds(opened):
    journal, heads, writer, path = opened
    await journal.append(event(1))
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count={pages + 1}")
    refused = await asyncio.gather(*(journal.append(event(number, 50_000)) for number in (2, 3)), return_exceptions=True)
    assert [type(each) for each in refused] == [Unavailable, Unavailable]
    assert journal.trouble is not None
    writer._db.execute(f"PRAGMA max_page_count={1 << 30}")
    assert await journal.append(event(4)) == 2
    assert (kept(path), heads, journal.trouble) == ({1: 1, 2: 4}, [1, 2], None)


async def test_what_waits_for_the_disk_is_bounded(opened):
    journal, _, _, path = opened
    asked = [journal.append(event(number)) for number in range(WAITING_RECORDS_MAX + 10)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers[WAITING_RECORDS_MAX:]] == [Unavailable] * 10
    assert len(kept(path)) == WAITING_RECORDS_MAX


async def test_what_waits_for_the_disk_is_bounded_in_bytes_too(opened):
    journal, _, _, path = opened
    fit = WAITING_BYTES_MAX >> 20
    told = []
    for number in range(fit):
        journal.put(event(number, size=1 << 20), lambda position, error: told.append((position, error)))
    with pytest.raises(Unavailable, match="too many events are waiting for the disk"):
        await journal.append_many([event(fit), event(fit, size=1)])
    assert await journal.append(event(fit)) == fit + 1  # one that weighs nothing
    assert (told, len(kept(path))) == ([(number + 1, None) for number in range(fit)], fit + 1)


async def test_closing_writes_what_still_waits(tmp_path):
    writer = JournalWriter(tmp_path / "journal.db")
    journal = Journal(writer, passed=lambda: 0, committed=lambda head: None, erased=nothing_erased, keep_ms=1 << 40, keep_bytes=1 << 40)
    waiting = [asyncio.create_task(journal.append(event(number))) for number in range(3)]
    await asyncio.sleep(0)
    await journal.close()
    writer.close()
    assert await asyncio.gather(*waiting) == [1, 2, 3]
    assert kept(tmp_path / "journal.db") == {1: 0, 2: 1, 3: 2}


async def test_the_journal_is_trimmed_faster_than_it_is_written(tmp_path):
    writer = JournalWriter(tmp_path / "journal.db")
    journal = Journal(writer, passed=lambda: 1 << 40, committed=lambda head: None, erased=nothing_erased, keep_ms=0, keep_bytes=1)
    for number in range(1_500):
        await journal.append(event(number))  # one row each
    reader = JournalReader(tmp_path / "journal.db")
    deadline = asyncio.get_running_loop().time() + 20
    last = 1_500
    while reader.span()[0] < 1_500 and asyncio.get_running_loop().time() < deadline:
        last = await journal.append(event(0))  # steadily on, while it is trimmed
    assert reader.span()[0] >= 1_500
    while reader.span() != (last, last) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert reader.span() == (last, last)  # and at rest all but the last row goes
    reader.close()
    await journal.close()
    writer.close()


class Untidy(JournalWriter):
    """A writer whose housekeeping meets what nobody foresaw."""

    def tidy(self):
        raise OSError("no descriptor left")

    def trim(self, **bounds):
        raise OSError("no descriptor left")


async def test_what_goes_wrong_beside_writing_does_not_end_writing(tmp_path):
    writer = Untidy(tmp_path / "journal.db")
    journal = Journal(writer, passed=lambda: 0, committed=lambda head: None, erased=nothing_erased, keep_ms=0, keep_bytes=1)
    assert [await journal.append(event(number)) for number in range(3)] == [1, 2, 3]
    await journal.close()
    writer.close()


async def test_a_fault_of_one_who_waits_keeps_no_other_from_hearing(opened, caplog):
    journal, _, _, path = opened
    heard, all_heard = [], asyncio.Event()

    def hears(position, error):
        heard.append((position, error))
        if len(heard) == 3:
            all_heard.set()

    def breaks(position, error):
        hears(position, error)
        raise RuntimeError("its connection has gone")

    for number, waits in enumerate((hears, breaks, hears), 1):
        journal.put(event(number), waits)
    await asyncio.wait_for(all_heard.wait(), 20)
    assert heard == [(1, None), (2, None), (3, None)]
    assert kept(path) == {1: 1, 2: 2, 3: 3}
    assert [record.getMessage() for record in caplog.records] == [
        "an answer could not be written; what became of its event stands in the journal all the same"
    ]
