"""The programs in examples/, run as their readers run them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.testing import TrackrecordServer

EXAMPLES = Path(__file__).parents[2] / "examples"
NODE_CLIENT = Path(__file__).parent / "node" / "node_modules" / "intercom-client-7"
TIMEOUT_S = 60


def run(command: list[str | Path], server: TrackrecordServer) -> list[str]:
    """What a program printed, with every moment as T."""
    environment = {**os.environ, "TRACKRECORD_URL": server.url, "TOKEN": server.token}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", "T", ran.stdout).splitlines()


def test_the_python_example_sends_one_event_and_shows_it(server: TrackrecordServer) -> None:
    server.clock.run()
    command: list[str | Path] = [sys.executable, EXAMPLES / "send_event.py"]
    assert run(command, server) == ["amber invited-friend {'invitee': 'bob@example.com'}", "invited-friend: 1, first T, last T"]
    assert run(command, server)[0] == "amber invited-friend {'invitee': 'bob@example.com'}"  # and once more, with Amber there


def test_the_node_example_sends_one_event_and_shows_it(server: TrackrecordServer, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not NODE_CLIENT.is_dir():
        pytest.skip("Node or its client is not installed: make node-clients, or npm ci in tests/clients/node")
    server.clock.run()
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "intercom-client").symlink_to(NODE_CLIENT)  # as npm install would put it beside the program
    command: list[str | Path] = [node, shutil.copy(EXAMPLES / "send_event.mjs", tmp_path)]
    assert run(command, server) == ['amber invited-friend {"invitee":"bob@example.com"}', "invited-friend: 1, first T, last T"]
    assert run(command, server)[0] == 'amber invited-friend {"invitee":"bob@example.com"}'
