"""A real server for tests that kill it: the command `trackrecord serve` in a process of its own, and what a load on it was told."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOKEN = "a-token-for-tests"
DEADLINE_S = 20.0  # for anything that is waited for
POLL_S = 0.01
LISTENING = re.compile(r"(http://127\.0\.0\.1:\d+)")
EPOCH = 1_600_000_000  # created_at of the first event of a load


def until(holds: Callable[[], Any], *, within_s: float = DEADLINE_S) -> Any:
    """The first true thing `holds` returns; an error when the time is over."""
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{holds} was not so within {within_s} s")
        time.sleep(POLL_S)
    return found


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def runs(pid: int) -> bool:
    """Whether a process is still at work; one that has ended and waits for its parent to notice is not."""
    stat = _stat(pid)
    return stat is not None and stat[0] not in "ZX"


def children(pid: int) -> list[int]:
    """The processes at work whose parent is `pid`."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [each for each in pids if (stat := _stat(each)) is not None and int(stat[1]) == pid and stat[0] not in "ZX"]


class RealServer:
    """`trackrecord serve` on a free port of the loopback, over `data`. Leaving the block leaves no process behind."""

    def __init__(self, data: Path, *settings: str) -> None:
        self._data = data
        self._settings = [part for setting in settings for part in ("--set", setting)]
        self._seen: set[int] = set()  # every process started, to clean up by number
        self.url = ""

    def __enter__(self) -> "RealServer":
        command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(self._data), "--port", "0", "--token", TOKEN]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD_")}
        self._log = self._data.with_name(self._data.name + ".log").open("ab")
        self._process = subprocess.Popen(  # its own group: a Ctrl-C at the tests is not its business
            [*command, *self._settings], stdout=subprocess.PIPE, stderr=self._log, env=environment, start_new_session=True
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := LISTENING.search(line.decode()):
                self.url = found[1]
                break
        else:
            raise AssertionError(f"the server did not start: {Path(self._log.name).read_text()[-2000:]}")
        return self

    def __exit__(self, *exc: object) -> None:
        self._seen.update(children(self.pid))
        for pid in (self.pid, *self._seen):
            if runs(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE_S)
        until(lambda: not any(runs(pid) for pid in self._seen))
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    @property
    def store_pid(self) -> int:
        """The process that folds the journal into the store, once it is there."""
        (pid,) = until(lambda: children(self.pid))
        self._seen.add(pid)
        return int(pid)

    def kill(self) -> None:
        """kill -9 of the server's process alone."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait(DEADLINE_S)

    def terminate(self) -> tuple[int, str]:
        """SIGTERM; its exit code and last words once it has ended."""
        os.kill(self.pid, signal.SIGTERM)
        assert self._process.stdout is not None
        said = self._process.stdout.read().decode()
        return self._process.wait(DEADLINE_S), said


class Client:
    """One connection, kept alive; made anew when it broke."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE_S)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        """(status, headers in lower case, JSON or None). Raises OSError or HTTPException when the server went away."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        try:
            self._connection.request(method, target, sent, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(content) if content else None

    def everything(self, user_id: str) -> list[tuple[str, int, int]]:
        """(name, created_at, n of the metadata) of every event of a user, over all pages, as GET /events tells."""
        found, target = [], f"/events?type=user&user_id={user_id}&per_page=150"
        while target:
            status, _, page = self.ask("GET", target)
            assert (status, page["type"]) == (200, "event.list"), page
            found += [(event["event_name"], event["created_at"], event["metadata"]["n"]) for event in page["events"]]
            link = page["pages"].get("next")
            target = link and f"/events?{urlsplit(link).query}"
        return found

    def counts(self, user_id: str) -> dict[str, int]:
        """How often a user did what, as summary=true tells."""
        status, _, summary = self.ask("GET", f"/events?type=user&user_id={user_id}&summary=true")
        assert (status, summary["type"]) == (200, "event.summary"), summary
        return {item["name"]: item["count"] for item in summary["events"]}


class Sender:
    """One connection's share of a load: a user of its own, distinct events, and now and then an earlier one again."""

    def __init__(self, number: int) -> None:
        self.user_id = f"user-{number}"
        self.sent = 0  # events 0 … sent - 1 have been sent at least once
        self.acknowledged: set[int] = set()
        self.refused: dict[int, int] = {}  # events answered with another status, and with which
        self.unanswered = 0  # requests whose answer never came

    def event(self, n: int) -> tuple[str, int, int]:
        return (f"event-{n % 5}", EPOCH + n // 2, n)  # different names in one second; the same name in the seconds beside

    def submit(self, client: Client, n: int) -> tuple[int, dict[str, str], Any]:
        """Send event n and note the answer, which is returned. Raises OSError or HTTPException when none came."""
        name, created_at, _ = self.event(n)
        self.sent = max(self.sent, n + 1)
        body = {"user_id": self.user_id, "event_name": name, "created_at": created_at, "metadata": {"n": n}}
        try:
            status, headers, answer = client.ask("POST", "/events", body)
        except (OSError, http.client.HTTPException):
            self.unanswered += 1
            raise
        if status == 202:
            self.acknowledged.add(n)
        else:
            assert answer["type"] == "error.list", answer
            self.refused[n] = status
        return status, headers, answer

    def run(self, url: str, stop: threading.Event) -> None:
        """Send until told to stop, or until the server goes away."""
        with Client(url) as client, contextlib.suppress(OSError, http.client.HTTPException):
            while not stop.is_set():
                n = self.sent
                self.submit(client, n)
                if n % 3 == 0:  # the same again, and one from long before
                    self.submit(client, n)
                    self.submit(client, n // 2)


class Load:
    """Several senders at once, and what all of them were told. Lasts over restarts of the server."""

    def __init__(self, connections: int = 8) -> None:
        self.senders = [Sender(number) for number in range(connections)]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def acknowledged(self) -> int:
        return sum(len(sender.acknowledged) for sender in self.senders)

    @property
    def refused(self) -> Counter[int]:
        """How many events were answered with each other status."""
        return Counter(status for sender in self.senders for status in sender.refused.values())

    @property
    def unanswered(self) -> int:
        return sum(sender.unanswered for sender in self.senders)

    def make_users(self, url: str) -> None:
        with Client(url) as client:
            for sender in self.senders:
                assert client.ask("POST", "/contacts", {"external_id": sender.user_id})[0] == 200

    def start(self, url: str) -> None:
        self._stop.clear()
        self._threads = [threading.Thread(target=sender.run, args=(url, self._stop)) for sender in self.senders]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self, events: int) -> None:
        """Return once so many events more than now are acknowledged."""
        wanted = self.acknowledged + events
        until(lambda: self.acknowledged >= wanted or not any(thread.is_alive() for thread in self._threads))
        assert self.acknowledged >= wanted, f"the senders ended early: {self.unanswered} of them got no answer"

    def stop(self) -> None:
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait for the senders to end by themselves, because the server went away."""
        for thread in self._threads:
            thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in self._threads)

    def compare(self, url: str) -> None:
        """Every acknowledged event is there once; nothing is there twice, and nothing that nobody sent or that was refused."""
        with Client(url) as client:
            for sender in self.senders:
                found = client.everything(sender.user_id)
                assert len(found) == len(set(found))
                acknowledged = {sender.event(n) for n in sender.acknowledged}
                possible = {sender.event(n) for n in range(sender.sent) if n in sender.acknowledged or n not in sender.refused}
                assert (acknowledged - set(found), set(found) - possible) == (set(), set())
                assert client.counts(sender.user_id) == Counter(name for name, _, _ in found)

    def send_the_rest(self, url: str) -> None:
        """Send again what was never acknowledged, as a client would; then everything sent must be acknowledged."""
        with Client(url) as client:
            for sender in self.senders:
                for n in set(range(sender.sent)) - sender.acknowledged:
                    assert sender.submit(client, n)[0] == 202
