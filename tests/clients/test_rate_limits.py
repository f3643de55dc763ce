"""Every client at a server that allows a few calls in ten seconds: what it is told, and how it goes on. All wait at the same time."""

import json
import os
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import httpx
import pytest
from client_shapes import NOW, PYTHON_3, needs_node, needs_python_3
from intercom import CreateDataEventRequestWithUserId, Intercom
from intercom.core.api_error import ApiError

from trackrecord.testing import TrackrecordServer

HERE = Path(__file__).parent
PER_WINDOW = 5
CALLS_MAX = 500
TIMEOUT_S = 60
SLOWER = {"code": "rate_limit_exceeded", "message": f"Exceeded rate limit of {PER_WINDOW} in 10_seconds", "field": "Authorization"}


class Process:
    """A scenario that runs beside the others; `seen` waits for its end."""

    def __init__(self, *command: str | Path, **environment: str) -> None:
        self._started = subprocess.Popen(
            command, env={**os.environ, "NOW": str(NOW), **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def seen(self) -> Any:
        said, complained = self._started.communicate(timeout=TIMEOUT_S)
        assert (complained, self._started.returncode) == ("", 0)
        return json.loads(said)


def with_python_5(url: str, token: str) -> Any:
    statuses: list[int] = []
    with httpx.Client(event_hooks={"response": [lambda answer: statuses.append(answer.status_code)]}) as connections:
        client = Intercom(token=token, base_url=url, httpx_client=connections)

        def send(number: int, **options: Any) -> None:
            event = CreateDataEventRequestWithUserId(user_id="ada", event_name="clicked", created_at=NOW + number)
            client.events.create(request=event, request_options=options or None)

        for number in range(CALLS_MAX):
            send(number, max_retries=5)  # the client's own waiting, which it does not do unless it is asked to
            if 429 in statuses:
                break
        seen = {"refused": 429 in statuses, "last": statuses[-1]}
        with pytest.raises(ApiError) as caught:  # without that it raises
            deque(map(send, range(CALLS_MAX)), maxlen=0)
    return {**seen, "shown": [caught.value.status_code, caught.value.body["errors"]]}


@needs_node
@needs_python_3
def test_every_client_is_told_to_slow_down_and_gets_through_afterwards() -> None:
    with TrackrecordServer(rate_limit_per_minute=6 * PER_WINDOW) as server:
        directory, workspace = server.server.directory, server.server.default_workspace.number
        tokens = [directory.tokens.create(workspace, f"client {number}", frozenset({"write_events"}), now=0)[1] for number in range(6)]
        made = httpx.post(f"{server.url}/contacts", json={"external_id": "ada"}, headers={"Authorization": f"Bearer {server.token}"})
        assert made.status_code == 200
        node = Process(
            shutil.which("node") or "node",
            HERE / "node" / "limited.mjs",
            TRACKRECORD_URL=server.url,
            TRACKRECORD_TOKENS=",".join(tokens[:4]),
            NODE_NO_WARNINGS="1",
        )
        python_3 = Process(
            sys.executable,
            HERE / "python" / "limited.py",
            TRACKRECORD_URL=server.url,
            TRACKRECORD_TOKEN=tokens[4],
            PYTHONPATH=str(PYTHON_3),
        )
        seen = {"python 5": with_python_5(server.url, tokens[5]), "python 3": python_3.seen(), **node.seen()}
    went_on = {"refused": True, "last": 202, "shown": [429, [SLOWER]]}
    assert seen == {
        **dict.fromkeys(("of2", "of4", "of6", "of7", "python 5"), went_on),
        "python 3": {
            "shown": [SLOWER["message"], {"http_code": 429, "application_error_code": "rate_limit_exceeded"}],
            "went on": True,
        },
    }
