"""What the directory need not keep any longer goes from its file, whether or not anybody sends something new."""

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from real_server import until
from wire.client import Api

from trackrecord.directory.jobs import DROPPED_AT_ONCE, ROWS_AT_ONCE
from trackrecord.directory.scrolls import SCROLL_S
from trackrecord.testing import TrackrecordServer

NOW = 1_700_000_000
DAY_S = 86_400
REFUSED = {"items": [{"method": "post", "data_type": "event", "data": {"user_id": "nobody", "event_name": "e", "created_at": 1}}]}
TABLES = ("jobs", "job_tasks", "job_failures", "job_people", "scrolls")


def rows(data: Path) -> list[int]:
    """How many each of TABLES has."""
    db = sqlite3.connect(data / "directory.db")
    found = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES]
    db.close()
    return found


def serving(data: Path, at: int) -> TrackrecordServer:
    server = TrackrecordServer(data=str(data))
    server.clock.freeze(at)
    return server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with many jobs, and a scroll that nobody goes on with."""
    with serving(tmp_path, NOW) as server:
        api = Api(server)
        for _ in range(DROPPED_AT_ONCE * 2 + 1):
            assert api.post("/bulk/events", REFUSED).status == 202
        api.contact()
        assert api.get("/users/scroll", "Intercom-Version: 1.4").status == 200
    return tmp_path


def test_a_server_that_starts_drops_old_jobs_and_scrolls(data: Path):
    jobs = DROPPED_AT_ONCE * 2 + 1
    assert rows(data) == [jobs, jobs, jobs, jobs, 1]
    with serving(data, NOW + SCROLL_S):
        until(lambda: rows(data) == [jobs, jobs, jobs, jobs, 0])
    with serving(data, NOW + 7 * DAY_S):
        pass
    assert rows(data) == [jobs, jobs, jobs, jobs, 0]
    with serving(data, NOW + 7 * DAY_S + 1):
        until(lambda: rows(data) == [0, 0, 0, 0, 0])


def test_a_server_that_runs_drops_them_when_it_looks(data: Path):
    with serving(data, NOW) as server:
        api = Api(server)
        assert api.post("/bulk/events", REFUSED).status == 202
        server.clock.freeze(NOW + 7 * DAY_S + 1)
        server.call(server.server.in_thread, server.server.drop_outdated)
        assert rows(data) == [0, 0, 0, 0, 0]
        assert api.get("/me").status == 200


def test_a_job_with_many_refused_items_is_dropped_a_few_at_a_time(tmp_path: Path):
    with serving(tmp_path, NOW) as server:
        api, jobs = Api(server), server.server.directory.jobs
        job = api.post("/bulk/events", {"items": [5] * 1000}).json
        for _ in range(4):
            assert api.post("/bulk/events", {"items": [5] * 1000, "job": {"id": job["id"]}}).status == 202
        assert api.post("/bulk/events", REFUSED).status == 202
        left = [rows(tmp_path)[:3]]
        while jobs.drop_old(until=NOW + 1):
            left.append(rows(tmp_path)[:3])
        assert (left[0], left[-1]) == ([2, 6, 5001], [0, 0, 0])
        assert max(before[2] - after[2] for before, after in pairwise(left)) == ROWS_AT_ONCE


def test_a_bulk_waits_for_no_dropping(data: Path):
    with serving(data, NOW + 7 * DAY_S) as server:
        before = rows(data)[0]
        server.clock.freeze(NOW + 7 * DAY_S + 1)
        assert Api(server).post("/bulk/events", REFUSED).status == 202
        assert rows(data)[0] == before + 1
