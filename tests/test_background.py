"""The few threads for what takes long: nobody's short call waits behind them, and no workspace waits behind another's many."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from real_server import until
from wire.client import Answer, Api

from trackrecord.background import RETRY_S, WAITING_MAX, Background, Turns
from trackrecord.datadir import Owned
from trackrecord.errors import DataDirectoryBusy, Unavailable
from trackrecord.testing import TrackrecordServer

SEARCH = {"query": {"field": "role", "operator": "=", "value": "user"}}


class Held:
    """A server whose background threads are all at work until `release`."""

    def __init__(self, server: TrackrecordServer) -> None:
        self.api = Api(server)
        self.clients = ThreadPoolExecutor(2 * WAITING_MAX + 10)
        self._server = server
        self._go = threading.Event()
        self._running = threading.Semaphore(0)
        self._held = [self.clients.submit(server.call, self._hold) for _ in range(server.server.settings.background_threads)]
        for _ in self._held:
            assert self._running.acquire(timeout=20)

    async def _hold(self) -> None:
        await self._server.server.in_background(1, self._wait)

    def _wait(self) -> None:
        self._running.release()
        self._go.wait()

    def waiting(self, workspace: int = 1) -> int:
        waiting = self._server.server._background._waiting
        return sum(len(waiting.get((workspace, long), ())) for long in (False, True))

    def release(self) -> None:
        self._go.set()
        for each in self._held:
            each.result()


@pytest.fixture
def held() -> Iterator[Held]:
    with TrackrecordServer() as server:
        held = Held(server)
        yield held
        held.release()
        held.clients.shutdown()


def second_workspace(api: Api) -> Api:
    directory = api.server.server.directory
    there = directory.workspaces.create("theirs", "theirs", now=0)
    return Api(api.server, directory.tokens.create(there.number, "t", ["read_contacts"], now=0)[1])


def test_while_all_background_threads_are_busy_everything_short_is_answered(held: Held):
    api = held.api
    search = held.clients.submit(api.post, "/contacts/search", SEARCH)
    until(lambda: held.waiting() == 1)
    assert api.get("/me").status == 200
    contact = api.contact(external_id="ann")
    assert api.submit(event_name="ordered", created_at=1_671_028_894, id=contact["id"]).status == 202
    assert len(api.events(contact)) == 1
    assert api.put(f"/contacts/{contact['id']}", {"name": "Ann"}).status == 200
    assert not search.done()
    held.release()
    assert (search.result().status, search.result().json["total_count"]) == (200, 1)


SLOW: list[tuple[str, str, Any]] = [
    ("POST", "/contacts/search", SEARCH),
    ("GET", "/contacts", None),
    ("GET", "/companies", None),
    ("GET", "/-/api/contacts/archived", None),
    ("GET", "/-/api/requests", None),
    ("POST", "/-/api/events/search", {}),
    ("POST", "/-/api/events/delete", {"query": {"field": "event_name", "operator": "=", "value": "x"}, "dry_run": True}),
    ("GET", "/-/api/export/events", None),
    ("GET", "/-/api/export/contacts", None),
]


def test_what_takes_long_waits_for_its_turn_and_is_refused_where_too_much_waits(held: Held):
    api = held.api

    def ask(method: str, target: str, body: Any) -> Answer:
        return api.send(method, target, body=body)

    def as_user_api(target: str) -> Answer:
        return api.get(target, "Intercom-Version: 1.4")

    asked = [held.clients.submit(ask, *each) for each in SLOW]
    asked += [held.clients.submit(as_user_api, target) for target in ("/users", "/contacts")]
    until(lambda: held.waiting() == len(asked))
    asked += [held.clients.submit(ask, *SLOW[0]) for _ in range(WAITING_MAX - 1)]
    asked += [held.clients.submit(ask, *SLOW[1]) for _ in range(WAITING_MAX - len(SLOW) - 1)]
    until(lambda: held.waiting() == 2 * WAITING_MAX)
    for call, what in ((SLOW[0], "contact searches and exports of some"), (SLOW[1], "long lists, queries, exports and deletions")):
        refused = ask(*call)
        text = f"{WAITING_MAX} {what} of this workspace are waiting for their turn; ask again later"
        assert (refused.error, refused.header("retry-after")) == ((503, "service_unavailable", text, None), str(RETRY_S))
    theirs = held.clients.submit(second_workspace(api).post, "/contacts/search", SEARCH)
    until(lambda: held.waiting(2) == 1)
    held.release()
    assert [each.result().status for each in [*asked, theirs]] == [200] * (2 * WAITING_MAX + 1)


# --- Background itself ---------------------------------------------------------------------------------------------------


def test_turns_go_round_the_workspaces():
    async def run() -> list[tuple[int, int]]:
        background, go, done = Background(1), threading.Event(), list[tuple[int, int]]()
        held = asyncio.ensure_future(background.run(9, go.wait))
        asked = [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (2, 2)]
        tasks = [asyncio.ensure_future(background.run(each[0], done.append, each)) for each in asked]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(held, *tasks)
        background.shutdown()
        return done

    assert asyncio.run(run()) == [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (1, 3)]


def test_long_work_leaves_a_thread_to_the_rest():
    async def run() -> list[int]:
        background, go, done = Background(3), threading.Event(), list[int]()
        held = [asyncio.ensure_future(background.run(1, go.wait, long=True)) for _ in range(2)]
        late = asyncio.ensure_future(background.run(2, done.append, 9, long=True))
        await asyncio.sleep(0)
        for number in range(4):
            await background.run(1, done.append, number)
        go.set()
        await asyncio.gather(*held, late)
        assert await background.run(1, lambda: 7, long=True) == 7
        background.shutdown()
        return done

    assert asyncio.run(run()) == [0, 1, 2, 3, 9]


def test_what_has_begun_is_not_refused_and_who_goes_leaves_its_turn():
    async def run() -> list[int]:
        background, go, done = Background(1), threading.Event(), list[int]()
        held = asyncio.ensure_future(background.run(1, go.wait))
        waiting = [asyncio.ensure_future(background.run(1, done.append, number)) for number in range(WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await background.run(1, done.append, -1)
        rest = asyncio.ensure_future(background.run(1, done.append, 99, begun=True))
        await asyncio.sleep(0)
        for gone in waiting[1:]:
            gone.cancel()
        go.set()
        await asyncio.gather(held, waiting[0], rest)
        assert await background.run(1, lambda: 7) == 7
        background.shutdown()
        return done

    assert asyncio.run(run()) == [0, 99]


def test_who_has_gone_takes_no_place_from_who_comes():
    async def run() -> list[int]:
        background, go, done = Background(1), threading.Event(), list[int]()
        held = asyncio.ensure_future(background.run(1, go.wait))
        gone = [asyncio.ensure_future(background.run(1, done.append, number)) for number in range(WAITING_MAX)]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        come = [asyncio.ensure_future(background.run(1, done.append, number)) for number in range(WAITING_MAX)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(held, *come)
        background.shutdown()
        return done

    assert asyncio.run(run()) == list(range(WAITING_MAX))


def test_of_one_turn_so_many_may_wait_and_one_more_is_told_to_come_again():
    async def run() -> list[str]:
        turns, go, order = Turns(), asyncio.Event(), list[str]()

        async def have(name: str) -> None:
            async with turns.waiting("deletions", 1):
                order.append(name)
                await go.wait()

        tasks = [asyncio.ensure_future(have(str(number))) for number in range(WAITING_MAX + 1)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await have("too many")
        go.set()
        await asyncio.gather(*tasks)
        await have("later")
        return order

    assert asyncio.run(run()) == [*(str(number) for number in range(WAITING_MAX + 1)), "later"]


def test_a_stop_waits_for_what_threads_do_before_it_gives_the_directory_up(tmp_path: Path):
    server = TrackrecordServer(data=str(tmp_path))
    with server:
        Api(server).contact(external_id="ann")
        go, running, found = threading.Event(), threading.Event(), list[int]()

        def work() -> None:
            running.set()
            go.wait()
            found.append(len(server.server.directory.contacts.walk(1, limit=5)[0]))

        async def begin() -> None:
            asyncio.get_running_loop().create_task(server.server.in_background(1, work))

        server.call(begin)
        assert running.wait(20)
        threading.Thread(target=lambda: (until(lambda: server.server._ending.is_set()), owner(tmp_path), go.set())).start()
    assert found == [1]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(("-wal", "-shm"))] == []
    Owned(tmp_path).release()


def owner(data: Path) -> None:
    with pytest.raises(DataDirectoryBusy):
        Owned(data)


def test_a_fault_is_its_callers_and_the_thread_is_free_again():
    async def run() -> None:
        background = Background(1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await background.run(1, lambda: 1 // 0)
        assert await background.run(1, dict, workspace=1) == {"workspace": 1}
        background.shutdown()

    asyncio.run(run())


def test_turns_are_one_for_each_thing_and_workspace():
    turns = Turns()
    assert turns.of("a", 1) is turns.of("a", 1)
    assert len({turns.of("a", 1), turns.of("a", 2), turns.of("b", 1)}) == 3
