"""A server that may be killed, a workspace of its own for each run of the machine, and one connection to it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wire.client import Answer, Connection, fresh, request

from torture.server import RealServer
from trackrecord.directory import Directory
from trackrecord.engines import DIRECTORY_FILE
from trackrecord.rules.directory import SCOPES

from .people import Refusal

PAGES_MAX = 1000  # more than any walk here has; one that goes on is a circle


class Host:
    """The command `trackrecord serve` over a data directory. Leaving the block leaves no process behind."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.server = RealServer(self.data)

    def __enter__(self) -> "Host":
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.close()

    def kill_and_start(self) -> None:
        """kill -9 of the server and its store's process, and the same directory served again, on another port."""
        self.server.close()
        self.server.__enter__()

    def workspace(self) -> "Api":
        """A new workspace with a token that may do everything, made as `trackrecord workspace create` makes one."""
        directory = Directory.open(self.data / DIRECTORY_FILE)
        try:
            made = directory.workspaces.create(fresh("model-"), "Model", now=int(time.time()))
            token = directory.tokens.create(made.number, "every scope", frozenset(SCOPES), now=int(time.time()))[1]
        finally:
            directory.close()
        return Api(self, token)

    def check(self) -> tuple[int, str]:
        """What `trackrecord check` says of the files once nobody serves them: it recounts every total, those of days too."""
        self.server.close()
        command = [sys.executable, "-m", "trackrecord", "check", "--data", str(self.data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr


class Api:
    """One workspace over one connection, which is made anew when the server listens elsewhere."""

    def __init__(self, host: Host, token: str) -> None:
        self._host = host
        self._token = token
        self._url = ""
        self._connection: Connection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.socket.close()
            self._connection = None

    def send(self, method: str, target: str, body: Any = None, *, version: str | None = None) -> Answer:
        """`body` is bytes, sent as they are, or anything else, sent as JSON."""
        if self._connection is None or self._url != self._host.server.url:
            self.close()
            self._url = self._host.server.url
            self._connection = Connection(self._url)
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = () if version is None else (f"Intercom-Version: {version}",)
        self._connection.send(request(method, target, *headers, body=sent, token=self._token))
        return self._connection.answer()

    def ask(self, method: str, target: str, body: Any = None, *, version: str | None = None, status: int = 200) -> Any:
        """The JSON of an answer that must have this status; None of an empty body."""
        answer = self.send(method, target, body, version=version)
        same(status, answer.status, f"status of {method} {target} with {body}, answered {answer.body!r}")
        return answer.json if answer.body else None

    def refused(self, refusal: Refusal, method: str, target: str, body: Any = None, *, version: str | None = None) -> None:
        answer = self.send(method, target, body, version=version)
        what = f"{method} {target} with {body}"
        assert answer.status >= 400, f"{what} must be refused with {refusal}, and was answered {answer.status} {answer.body!r}"
        status, code, message, field = answer.error
        same((refusal.status, refusal.code, refusal.field), (status, code, field), f"the refusal of {what} ({message})")
        if refusal.message is not None:
            same(refusal.message, message, f"the text that refuses {what}")

    # All pages, in the three forms the wire has.

    def events(self, query: str) -> list[dict[str, Any]]:
        """GET /events to its end, by the addresses of `pages.next`."""
        return [event for page in self.event_pages(f"/events?{query}") for event in page["events"]]

    def event_pages(self, target: str | None) -> Iterator[dict[str, Any]]:
        for _ in range(PAGES_MAX):
            if target is None:
                return
            page = self.ask("GET", target)
            same(("event.list", ["type", "events", "pages"]), (page["type"], list(page)), f"the shape of {target}")
            yield page
            target = path_of(page["pages"].get("next"))
        raise AssertionError(f"pages without an end: {target}")

    def listed(self, target: str) -> list[dict[str, Any]]:
        """A list by cursors in the address, to its end; its total_count is right on every page."""
        cursor, found, totals = "", [], set()
        for _ in range(PAGES_MAX):
            page = self.ask("GET", f"{target}{cursor}")
            found += page["data"]
            totals.add(page["total_count"])
            if "next" not in page["pages"]:
                same({len(found)}, totals, f"total_count of {target}")
                return found
            cursor = f"&starting_after={page['pages']['next']['starting_after']}"
        raise AssertionError(f"pages without an end: {target}")

    def found(self, target: str, body: dict[str, Any], per_page: int) -> list[dict[str, Any]]:
        """A search by cursors in the body, to its end."""
        pagination: dict[str, Any] = {"per_page": per_page}
        found: list[dict[str, Any]] = []
        for _ in range(PAGES_MAX):
            page = self.ask("POST", target, body | {"pagination": pagination})
            found += page["data"]
            if "next" not in page["pages"]:
                same(len(found), page.get("total_count", len(found)), f"total_count of {target} with {body}")
                return found
            pagination = pagination | {"starting_after": page["pages"]["next"]["starting_after"]}
        raise AssertionError(f"pages without an end: {target} with {body}")


def path_of(address: str | None) -> str | None:
    """The path and query of an address the server made: after a restart it listens on another port."""
    if address is None:
        return None
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def same(expected: Any, found: Any, what: str) -> None:
    """Compared as JSON, so that 1, 1.0 and true are three values and the order of keys counts."""
    if json.dumps(expected, default=str) != json.dumps(found, default=str):
        raise AssertionError(f"{what}:\n  the model says {expected!r}\n  the server says {found!r}")
