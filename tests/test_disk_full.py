"""A full disk under the data directory, and room on it again: what is refused, what is told, and that no restart is needed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_server import Client, Load, RealServer, until

DISK_MB = 16


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own, kept in memory."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root can mount the small disk this fills")
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("there is no mount command here")
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "trackrecord-test", path], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield path
    until(lambda: subprocess.run([umount, path], check=False).returncode == 0)  # the kernel may still let go of what was killed


def fill(disk: Path) -> None:
    """Take the last free byte, also what was freed since the last call."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while filler.write(b"\0" * size):
                    pass
            except OSError:
                continue


def test_a_full_disk_refuses_events_with_503_and_takes_them_again_when_there_is_room(disk: Path) -> None:
    load = Load(connections=1)
    (sender,) = load.senders
    with RealServer(disk / "data") as server, Client(server.url) as client:
        load.make_users(server.url)
        for n in range(50):
            assert sender.submit(client, n)[0] == 202
        load.compare(server.url)

        def is_refused() -> bool:
            fill(disk)
            return sender.submit(client, sender.sent)[0] != 202

        until(is_refused)
        for _ in range(20):
            fill(disk)
            status, headers, body = sender.submit(client, sender.sent)
            assert status in (202, 503)
            if status == 503:
                (error,) = body["errors"]
                assert (body["type"], error["code"], headers["content-type"]) == (
                    "error.list",
                    "service_unavailable",
                    "application/json; charset=utf-8",
                )
                assert int(headers["retry-after"]) >= 1
        assert set(sender.refused.values()) == {503}

        health, _, told = client.ask("GET", "/-/health")
        assert (health, told["live"], told["ready"]) == (503, True, False)
        assert any("full" in reason for reason in told["reasons"]), told
        assert client.ask("GET", "/-/health?check=live")[0] == 200
        status, headers, listed = client.ask("GET", f"/events?type=user&user_id={sender.user_id}&per_page=150")
        if status == 200:
            assert {event["metadata"]["n"] for event in listed["events"]} == sender.acknowledged
        else:
            assert (status, listed["type"], listed["errors"][0]["code"]) == (503, "error.list", "service_unavailable")
            assert int(headers["retry-after"]) >= 1

        (disk / "filler").unlink()
        until(lambda: sender.submit(client, sender.sent)[0] == 202)
        until(lambda: client.ask("GET", "/-/health")[0] == 200)
        load.compare(server.url)  # what was refused is not there
        load.send_the_rest(server.url)
        sender.refused.clear()
        load.compare(server.url)
    with RealServer(disk / "data") as server:
        load.compare(server.url)
    assert len(sender.acknowledged) == sender.sent


def test_a_disk_that_fills_up_under_load_costs_no_acknowledged_event(disk: Path) -> None:
    load = Load()
    with RealServer(disk / "data") as server:
        load.make_users(server.url)
        load.start(server.url)
        load.wait_for_more(300)

        def every_sender_was_refused() -> bool:
            fill(disk)
            return all(sender.refused for sender in load.senders)

        until(every_sender_was_refused)
        (disk / "filler").unlink()
        load.wait_for_more(300)
        load.stop()
        load.compare(server.url)
    with RealServer(disk / "data") as server:
        load.compare(server.url)
    assert (load.refused.keys(), load.unanswered) == ({503}, 0)
