"""The server's side: the analysis is a process that starts when it is asked, starts again when it dies, and ends with the server."""

import asyncio
import contextlib
import os
import signal
import sys
import time

import pytest
from store_examples import event

from trackrecord import engines
from trackrecord.analysis.asking import WAITING_MAX, Analysis
from trackrecord.errors import Unavailable

ALL = {"names": [1, 2], "edges": []}


@pytest.fixture
def store(tmp_path):
    store = engines.open_store(tmp_path)
    store.append(1, [event(contact=n % 4, name=1, created_at=n) for n in range(10)])
    yield store
    store.close()


@contextlib.asynccontextmanager
async def analysing(store, command, **more):
    async def caught_up():
        return store.cursor()

    analysis = Analysis(command, caught_up=caught_up, **{"answer_s": 60.0, **more})
    try:
        yield analysis
    finally:
        await analysis.close()


async def counted(analysis):
    found = await analysis.ask("activity", **ALL)
    return list(found["counts"]), list(found["contacts"])


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_process_starts_with_the_first_question_and_ends_with_the_server(store, tmp_path):
    async with analysing(store, engines.analysis_command(tmp_path)) as analysis:
        assert analysis.pid is None
        assert await counted(analysis) == ([10, 0], [4, 0])
        pid = analysis.pid
        store.append(11, [event(contact=9, name=2, created_at=1)])
        assert await counted(analysis) == ([10, 1], [4, 1])
        assert analysis.pid == pid
    assert analysis.pid is None
    assert sorted(each.name for each in (tmp_path / engines.COLUMNS_FOLDER).iterdir()) == [
        "contact", "created_at", "header", "name", "position",
    ]  # fmt: skip
    with pytest.raises(Unavailable, match="the server is ending"):
        await counted(analysis)


async def test_a_killed_process_is_started_again_and_nobody_notices(store, tmp_path):
    async with analysing(store, engines.analysis_command(tmp_path)) as analysis:
        await counted(analysis)
        pid = analysis.pid
        asked = [asyncio.create_task(counted(analysis)) for _ in range(5)]
        os.kill(pid, signal.SIGKILL)
        assert await asyncio.gather(*asked) == [([10, 0], [4, 0])] * 5
        assert analysis.pid not in (pid, None)


async def test_a_process_that_dies_again_and_again_makes_the_answer_unavailable(store):
    async with analysing(store, [sys.executable, "-c", "raise SystemExit(3)"]) as analysis:
        with pytest.raises(Unavailable, match="ended before it answered"):
            await counted(analysis)


async def test_a_process_that_cannot_be_started_makes_the_answer_unavailable(store):
    async with analysing(store, ["/nowhere/at-all"]) as analysis:
        with pytest.raises(Unavailable, match="cannot be started"):
            await counted(analysis)


async def test_a_question_that_cannot_be_answered_is_unavailable_and_the_next_one_is_answered(store, tmp_path):
    async with analysing(store, engines.analysis_command(tmp_path)) as analysis:
        with pytest.raises(Unavailable, match="could not be answered; the server's log says why"):
            await analysis.ask("nobody's question")
        assert await counted(analysis) == ([10, 0], [4, 0])


SLOW = """
import sys, time
from trackrecord.analysis import frames
sys.stdout.buffer.write(frames.frame(["progress", "the columns of the events are being made: 1 of 10 events"], None))
sys.stdout.flush()
sys.stdin.read()
"""


async def test_who_waits_too_long_is_told_how_far_it_is_and_to_come_again(store):
    async with analysing(store, [sys.executable, "-c", SLOW], answer_s=3.0) as analysis:
        with pytest.raises(Unavailable, match="the columns of the events are being made: 1 of 10 events") as caught:
            await counted(analysis)
        assert caught.value.retry_after_s


async def test_only_so_many_wait_at_once(store):
    async with analysing(store, [sys.executable, "-c", SLOW], answer_s=3.0) as analysis:
        waiting = [asyncio.create_task(counted(analysis)) for _ in range(WAITING_MAX + 1)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        refused = [str(each) for each in found if "too many" in str(each)]
        assert (len(refused), {type(each) for each in found}) == (1, {Unavailable})


SERVER = """
import asyncio, sys
from pathlib import Path
from trackrecord import engines
from trackrecord.analysis.asking import Analysis

async def caught_up():
    return 0

async def main():
    analysis = Analysis(engines.analysis_command(Path(sys.argv[1])), caught_up=caught_up)
    await analysis.ask("activity", names=[], edges=[])
    print(analysis.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_process_ends_with_a_server_that_is_killed(store, tmp_path):
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, str(tmp_path), stdout=asyncio.subprocess.PIPE)
    pid = int(await server.stdout.readline())
    assert is_there(pid)
    server.kill()
    await server.wait()
    until = time.monotonic() + 30
    while is_there(pid):
        assert time.monotonic() < until
        await asyncio.sleep(0.02)


IMPATIENT = """
import sys
from pathlib import Path
from trackrecord import engines
from trackrecord.analysis.child import serve

serve(engines.read_store(Path(sys.argv[1])), Path(sys.argv[1]) / engines.COLUMNS_FOLDER, idle_s=0.01)
"""


async def test_a_process_that_nobody_asks_ends_and_another_answers(store, tmp_path):
    async with analysing(store, [sys.executable, "-c", IMPATIENT, str(tmp_path)]) as analysis:
        pids = set()
        for _ in range(3):
            assert await counted(analysis) == ([10, 0], [4, 0])
            pids.add(analysis.pid)
            until = time.monotonic() + 30
            while analysis.pid is not None:
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
        assert len(pids - {None}) >= 2
