"""A real server that may be killed: the command `trackrecord serve` in a process of its own, and a connection to it."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOKEN = "a-token-for-tests"
DEADLINE_S = 20.0  # for anything that is waited for
POLL_S = 0.01
LISTENING = re.compile(r"Trackrecord is listening on (http://127\.0\.0\.1:\d+)")
COMMAND = ("-m", "trackrecord", "serve")
GONE = (OSError, http.client.HTTPException)  # what a client meets when the server went away


class NotStarted(Exception):
    """The server ended before it listened; the message is what it said."""


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
    """Whether a process is still at work, or holds files; one that has ended and waits for its parent to notice does not.

    The first thread of a killed process may have ended while another still holds all that the process had open.
    """
    stat = _stat(pid)
    if stat is None or stat[0] == "X":
        return False
    try:
        return stat[0] != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The processes at work whose parent is `pid`."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [each for each in pids if (stat := _stat(each)) is not None and int(stat[1]) == pid and runs(each)]


def environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    """Ours, without the settings of whoever runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD_")} | dict(more)


class RealServer:
    """`trackrecord serve` on a free port of the loopback, over `data`. Leaving the block leaves no process behind."""

    def __init__(
        self,
        data: Path,
        *settings: str,
        command: Sequence[str] = COMMAND,
        environ: Mapping[str, str] = {},
    ) -> None:
        self.data = data
        options = ["--data", str(data), "--port", "0", "--token", TOKEN]
        self._command = [sys.executable, *command, *options, *(part for setting in settings for part in ("--set", setting))]
        self._environ = environment(environ)
        self._seen: set[int] = set()  # every process started, to clean up by number
        self.log = data.with_name(data.name + ".log")
        self.url = ""

    def __enter__(self) -> "RealServer":
        self.launch()
        self.listening()
        return self

    def launch(self) -> None:
        """Start the process, and do not wait for it to listen. Call `close` in the end."""
        self._log = self.log.open("ab")
        self._began_at = self._log.tell()
        self._process = subprocess.Popen(  # its own group: a Ctrl-C at the tests is not its business
            self._command, stdout=subprocess.PIPE, stderr=self._log, env=self._environ, start_new_session=True
        )
        self.pid = self._process.pid

    def listening(self) -> None:
        """Wait until it listens. Raises NotStarted."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := LISTENING.search(line.decode()):
                self.url = found[1]
                self._seen.update(children(self.pid))  # now, as nobody knows whose they were once it has died
                return
        self.close()
        raise NotStarted(f"the server did not start: {self.said()[-2000:]}")

    def said(self) -> str:
        """What it said on stderr since it was launched."""
        with self.log.open("rb") as log:
            log.seek(self._began_at)
            return log.read().decode("utf-8", "replace")

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """kill -9 of whatever of it still runs."""
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
        self._seen.update(children(self.pid))
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait(DEADLINE_S)

    def ended(self, *, within_s: float = DEADLINE_S) -> int:
        """Wait for it to end by itself; its exit code, or minus the signal."""
        return self._process.wait(within_s)

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

    def ask(self, method: str, target: str, body: Any = None, *, lines: str | None = None) -> tuple[int, dict[str, str], Any]:
        """(status, headers in lower case, JSON or None). Raises OSError or HTTPException when the server went away."""
        self.send(method, target, body, lines=lines)
        return self.answer()

    def send(self, method: str, target: str, body: Any = None, *, lines: str | None = None) -> None:
        sent = lines.encode() if lines is not None else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        try:
            self._connection.request(method, target, sent, headers)
        except GONE:
            self._connection.close()
            raise

    def answer(self) -> tuple[int, dict[str, str], Any]:
        status, headers, content = self._answer()
        return status, headers, json.loads(content) if content else None

    @property
    def readable(self) -> bool:
        """Whether an answer has begun to come."""
        return bool(select.select([self._connection.sock], [], [], 0)[0])

    def lines(self, target: str) -> list[Any]:
        """An answer of one JSON value a line, whole. Raises OSError or HTTPException where it breaks off."""
        self.send("GET", target)
        status, _, content = self._answer()
        assert status == 200, content
        return [json.loads(line) for line in content.splitlines()]

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        try:
            answer = self._connection.getresponse()
            content = answer.read()
        except GONE:
            self._connection.close()
            raise
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def pages(self, who: str) -> list[dict[str, Any]]:
        """Every event of a contact, over all pages, as GET /events tells. `who` is the part of the query that names it."""
        found: list[dict[str, Any]] = []
        target = f"/events?type=user&{who}&per_page=150"
        while target:
            status, _, page = self.ask("GET", target)
            assert (status, page["type"]) == (200, "event.list"), page
            found += page["events"]
            link = page["pages"].get("next")
            target = link and f"/events?{urlsplit(link).query}"
        return found

    def everything(self, user_id: str) -> list[tuple[str, int, int]]:
        """(name, created_at, n of the metadata) of every event of a user."""
        return [(event["event_name"], event["created_at"], event["metadata"]["n"]) for event in self.pages(f"user_id={user_id}")]

    def summary(self, who: str) -> dict[str, int]:
        status, _, summary = self.ask("GET", f"/events?type=user&{who}&summary=true")
        assert (status, summary["type"]) == (200, "event.summary"), summary
        return {item["name"]: item["count"] for item in summary["events"]}

    def counts(self, user_id: str) -> dict[str, int]:
        """How often a user did what, as summary=true tells."""
        return self.summary(f"user_id={user_id}")
