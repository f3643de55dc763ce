"""Targets that run the HTTP protocol and the application over it, with the fast lane and without: both must answer the same bytes.

Nothing listens and nothing is on a disk but two small directories: bytes are handed to the protocol, and what it writes is taken.
"""

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from trackrecord.directory import Directory
from trackrecord.http.app import App
from trackrecord.http.protocol import protocol
from trackrecord.http.routes import ROUTES
from trackrecord.ingest import Ingest
from trackrecord.rules.contacts import Draft
from trackrecord.rules.directory import SCOPES
from trackrecord.rules.records import Record
from trackrecord.segments import Segments
from trackrecord.settings import load
from trackrecord.stores.memory import MemoryStore

NOW = 1_700_000_000
TOKEN = "fuzz-token"
HEAD_MAX = 2_000  # bytes of a head: short enough to be reached
QUIET = 12  # turns of the loop without any change, after which nothing more comes
VARIES = re.compile(rb'x-request-id: [^\r]*|"request_id":"[^"]*"|[0-9a-f]{24}')
# All that changes nothing but the journal, so that one input does not depend on those before it.
READ_ONLY = [route for route in ROUTES if route.method == "GET" and not route.path.startswith(("/-/", "/jobs"))]
READ_ONLY += [route for route in ROUTES if (route.method, route.path) in (("POST", "/events"), ("POST", "/contacts/search"))]


class Kept:
    """In the place of journal and store: remembers what one input brought."""

    trouble = None

    def __init__(self) -> None:
        self.head = 0
        self.records: list[Record] = []

    @property
    def cursor(self) -> int:
        return self.head

    async def append_many(self, records: Sequence[Record]) -> int:
        self.records += records
        self.head += len(records)
        return self.head - len(records) + 1

    async def append(self, record: Record) -> int:
        return await self.append_many([record])

    def put(self, record: Record, kept: Callable[[int, Any], None]) -> None:
        self.records.append(record)
        self.head += 1
        asyncio.get_running_loop().call_soon(kept, self.head, None)


class Transport:
    """What a socket is to the protocol."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False
        self.protocol: Any = None

    def write(self, data: bytes) -> None:
        assert not self.closing, "written to a closed connection"
        self.written += data

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = write_eof = close  # a peer that hears the end goes

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        return {"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 80)}.get(name)

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Half:
    """One of the two servers."""

    def __init__(self, folder: Path, *, fast: bool) -> None:
        settings = load({"ephemeral": True, "request_log": "off"}, environ={})
        profile = settings.effective_profile()
        directory = Directory.open(folder / "directory.db")
        workspace = directory.workspaces.create("fuzz", "fuzz", now=NOW)
        directory.tokens.create(workspace.number, "fuzz", frozenset(SCOPES), now=NOW, secret=TOKEN)
        people = (Draft(role="user", external_id="u1", email="u1@example.com"), Draft(role="lead", email="lead@example.com"))
        for number, draft in enumerate(people):  # a second apart, so that either half lists them in the same order
            directory.contacts.create(workspace.number, draft, now=NOW + number, profile=profile)
        self.kept = Kept()
        ingest = Ingest(
            directory=directory,
            journal=self.kept,  # type: ignore[arg-type]
            store=self.kept,  # type: ignore[arg-type]
            in_thread=_at_once,
            for_new=_at_once,
            now=lambda: float(NOW),
            profile=profile,
            dedup="strict",
            lag_max_records=1000,
            identity_cache_entries=100,
        )
        store = MemoryStore()

        async def ask(question: Any) -> Any:
            return question(store)

        async def ask_in_background(_: int, question: Any) -> Any:
            return question(store)

        async def in_background(_: int, function: Any, /, *args: Any, begun: bool = False, long: bool = False, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        services = SimpleNamespace(
            directory=directory,
            ingest=ingest,
            reads=SimpleNamespace(ask=ask, ask_in_background=ask_in_background),
            requests=SimpleNamespace(note=lambda entry: None),
            settings=settings,
            profile=profile,
            now=lambda: float(NOW),
            in_thread=_at_once,
            at_gate=_at_once,
            in_background=in_background,
            troubles=list,
        )
        services.segments = Segments(services)  # type: ignore[arg-type]
        app = App(services, READ_ONLY)  # type: ignore[arg-type]
        self._class = protocol(
            header_max_bytes=HEAD_MAX,
            timeout_s=1e6,
            answer_timeout_s=1e6,
            connections_max=10,
            version=app.default_version,
            refused=lambda *told: None,
            room=app.room,
            lane=app if fast else None,
        )
        self._config = uvicorn.Config(
            app, http=self._class, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
        )
        self._config.load()

    async def answer(self, pieces: Sequence[bytes]) -> tuple[bytes, list[Record]]:
        """All that is written in answer to bytes that arrive in these pieces, and what is kept."""
        self.kept.records = []
        transport = Transport()
        served = transport.protocol = self._class(self._config, ServerState(), {}, asyncio.get_running_loop())
        served.connection_made(transport)  # type: ignore[arg-type]
        for piece in pieces:
            if transport.closing:
                break
            served.data_received(piece)
            await _quiet(transport, served)
        transport.close()
        await _quiet(transport, served)
        assert not served.tasks, "a request is still being answered after its connection has gone"
        return transport.written, self.kept.records


async def _at_once(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


async def _quiet(transport: Transport, served: Any) -> None:
    unchanged, before = 0, (-1, -1)
    while unchanged < QUIET:
        await asyncio.sleep(0)
        now = (len(transport.written), len(served.tasks))
        unchanged, before = (unchanged + 1, before) if now == before else (0, now)


@cache
def _both() -> tuple[asyncio.AbstractEventLoop, tuple[Half, Half], list[Any]]:
    loop, faults = asyncio.new_event_loop(), list[Any]()
    loop.set_exception_handler(lambda _, told: faults.append(told))
    folder = tempfile.TemporaryDirectory(prefix="trackrecord-fuzz-")
    halves = []
    for name in ("fast", "plain"):
        (Path(folder.name) / name).mkdir()
        halves.append(Half(Path(folder.name) / name, fast=name == "fast"))
    _both.folder = folder  # type: ignore[attr-defined] - it goes when the process ends
    return loop, (halves[0], halves[1]), faults


def _exchange(pieces: Sequence[bytes]) -> bytes:
    loop, halves, faults = _both()
    faults.clear()
    (fast, kept), (plain, kept_plainly) = (loop.run_until_complete(half.answer(pieces)) for half in halves)
    assert not faults, faults
    assert VARIES.sub(b"", fast) == VARIES.sub(b"", plain), f"{fast!r} and without the lane {plain!r}"
    assert kept == kept_plainly
    assert b"HTTP/1.1 50" not in fast, fast
    assert not fast or fast.startswith(b"HTTP/1.1 ")
    assert fast.count(b"HTTP/1.1 202 Accepted\r\n") == len(kept)
    return fast


GOOD = b'{"event_name":"known","user_id":"u1","created_at":1}'
LINES = (
    b"",
    b"Intercom-Version: 1.4\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n",
    b"Content-Type: application/json\r\nIntercom-Version: Preview\r\nConnection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
)


def lane(data: bytes) -> None:
    """The first byte chooses further headers, the rest is the body, which comes once more behind good ones with the same head."""
    if not data:
        return
    line, body = LINES[data[0] % len(LINES)], data[1:]

    def request(body: bytes) -> bytes:
        head = b"POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n" % (TOKEN.encode(), len(body))
        return head + line + b"\r\n" + body

    answer = _exchange([request(each) for each in (body, GOOD, GOOD, GOOD, body)])
    assert answer.count(b"HTTP/1.1 ") - answer.count(b"HTTP/1.1 100") in (1, 5)  # a refusal may end the connection


def wire(data: bytes) -> None:
    """The first byte says how often what follows the next is cut, and those where."""
    count = data[0] % 4 if data else 0
    cuts, sent = data[1 : 1 + count], data[1 + count :]
    if sent:
        _exchange(list(_cut(sent, cuts)))


def _cut(sent: bytes, cuts: bytes) -> Iterator[bytes]:
    places = sorted({0, len(sent), *(len(sent) * each // 256 for each in cuts)})
    for start, end in pairwise(places):
        yield sent[start:end]
