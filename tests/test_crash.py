"""What a 202 is worth: the server, and the process of its store, killed under load and started again on the same directory."""

import os
import signal
import sys
from pathlib import Path

import pytest
from real_server import Client, Load, RealServer, runs, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the server's processes in /proc")


def healthy(url: str) -> bool:
    with Client(url) as client:
        return client.ask("GET", "/-/health")[0] == 200


def test_kill_9_under_load_loses_no_acknowledged_event_and_doubles_none(tmp_path: Path) -> None:
    load = Load()
    for kills, acknowledged in enumerate((50, 400, 800)):
        with RealServer(tmp_path / "data") as server:
            if kills == 0:
                load.make_users(server.url)
            else:
                load.compare(server.url)
            store = server.store_pid
            load.start(server.url)
            load.wait_for_more(acknowledged)
            server.kill()
            load.join()
            until(lambda store=store: not runs(store))  # without being told: its parent's end is enough
    with RealServer(tmp_path / "data") as server:
        load.compare(server.url)
        load.send_the_rest(server.url)
        load.compare(server.url)
    assert load.refused == {}
    assert all(len(sender.acknowledged) == sender.sent for sender in load.senders)


def test_kill_9_of_the_store_under_load_is_noticed_by_nobody(tmp_path: Path) -> None:
    load = Load()
    with RealServer(tmp_path / "data") as server:
        load.make_users(server.url)
        load.start(server.url)
        killed = set()
        for _ in range(3):
            load.wait_for_more(200)
            until(lambda: healthy(server.url))
            store = server.store_pid
            assert store not in killed
            os.kill(store, signal.SIGKILL)
            killed.add(store)
            until(lambda store=store: not runs(store))
        load.wait_for_more(200)
        until(lambda: healthy(server.url))
        load.stop()
        load.compare(server.url)
    assert (load.refused, load.unanswered) == ({}, 0)
    assert all(len(sender.acknowledged) == sender.sent for sender in load.senders)


def test_sigterm_under_load_answers_what_it_took_and_keeps_it(tmp_path: Path) -> None:
    load = Load()
    with RealServer(tmp_path / "data") as server:
        load.make_users(server.url)
        store = server.store_pid
        load.start(server.url)
        load.wait_for_more(400)
        ended = server.terminate()
        load.join()
        assert ended == (0, f"Stopped; everything is kept in {tmp_path / 'data'}.\n")
        assert not runs(store)
    assert load.refused == {}
    with RealServer(tmp_path / "data") as server:
        load.compare(server.url)
        load.send_the_rest(server.url)
        load.compare(server.url)
    assert all(len(sender.acknowledged) == sender.sent for sender in load.senders)
