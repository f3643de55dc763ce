"""Opens everything in order and closes it in reverse: the data directory, the directory, the journal, the store's consumer, HTTP."""

import asyncio
import contextlib
import gc
import logging
import resource
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from . import engines
from .analysis.asking import Analysis
from .background import Background, Turns
from .consumers.follower import Follower
from .consumers.store_writer import StoreWriter
from .datadir import Owned
from .directory import Directory
from .errors import DataDirectoryUnusable, TrackrecordError
from .ingest import Ingest, Reads, State
from .journal.cleansing import asking
from .journal.commit import Journal
from .live import Live
from .messenger.deliveries import Deliveries
from .requestlog import RequestLog
from .rules.directory import SCOPES, Workspace
from .rules.messenger import AGE_MAX_S
from .rules.profiles import Profile
from .segments import Segments
from .settings import Settings
from .stores.base import EventReader

log = logging.getLogger("trackrecord")

MB = 1 << 20
GATE_THREADS = 4
NEW_THREADS = 2  # for what waits for one writer anyhow
DESCRIPTORS_KEPT = 300  # for files, and for connections that are being refused (http/pacing.py), beside the connections
HOUR_MS = 3_600_000
DAY_S = 86_400
HOUSE_EVERY_S = 3_600.0  # between looks at what the directory need not keep any longer


class Server:
    """Everything that is open while the server runs; what handlers call `services`."""

    def __init__(self, settings: Settings, *, now: Callable[[], float], note: str = "") -> None:
        self.settings = settings
        self.profile: Profile = settings.effective_profile()
        self.now = now
        self._note = note  # what a second process is told that the first one does
        self.data: Path  # the directory; of an ephemeral server one that goes with it
        self.requests: RequestLog
        self.directory: Directory
        self.journal: Journal
        self.followers: dict[str, Follower] = {}
        self.follower: Follower  # the store's, which reads wait for
        self.ingest: Ingest
        self.reads: Reads
        self.segments: Segments
        self.analysis: Analysis
        self.messenger: Deliveries
        self.live: Live
        self.first_token: str | None = None  # the secret of the token made at the first start
        self.first_link: str | None = None  # the key of the link that makes the first account, while there is none
        self.app: Any = None  # what answers HTTP, where anything does
        self.stop: Callable[[], None] = lambda: None  # end serving, from the event loop
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="trackrecord")
        self._gate = ThreadPoolExecutor(GATE_THREADS, thread_name_prefix="trackrecord gate")
        self._new = ThreadPoolExecutor(NEW_THREADS, thread_name_prefix="trackrecord new")
        self._background = Background(settings.background_threads)
        self.turns = Turns()
        self._ending = asyncio.Event()

    async def in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run blocking work beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *args, **kwargs))

    async def at_gate(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As in_thread, in threads that only tokens, contacts and names are looked up in: no slow read stands before an event."""
        return await asyncio.get_running_loop().run_in_executor(self._gate, partial(function, *args, **kwargs))

    async def _for_new(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As at_gate, for what events write: new names and contacts. That waits for the directory's writer, and no look-up does."""
        return await asyncio.get_running_loop().run_in_executor(self._new, partial(function, *args, **kwargs))

    async def in_background(
        self, workspace: int, function: Callable[..., Any], /, *args: Any, begun: bool = False, long: bool = False, **kwargs: Any
    ) -> Any:
        """As in_thread, in the few threads for what takes long; see Background.run. Raises Unavailable past what may wait there."""
        return await self._background.run(workspace, function, *args, begun=begun, long=long, **kwargs)

    def copy_into(self, folder: Path) -> None:
        """Raises what backup.copy raises."""
        from . import backup

        backup.copy(self.data, folder)

    def state(self) -> State:
        """Raises Unavailable where a file cannot be read now."""
        journal = engines.read_journal(self.data)
        try:
            first, last = journal.span()
        finally:
            journal.close()
        files = {f"{path.name}/" if path.is_dir() else path.name: _size(path) for path in sorted(self.data.iterdir())}
        return State(self.data, files, first, last, {name: each.cursor for name, each in self.followers.items()})

    def troubles(self) -> list[str]:
        """Why the server cannot do its whole work now; empty when it can."""
        found = []
        if self.journal.trouble is not None:
            found.append(f"the last events could not be kept: {self.journal.trouble}")
        found += [
            f"{name} does not follow the journal: {each.trouble}" for name, each in self.followers.items() if each.trouble is not None
        ]
        if self.reads.trouble is not None:
            found.append(self.reads.trouble)
        behind = self.journal.head - self.follower.cursor
        if behind > self.settings.lag_max_records:
            found.append(f"the store is {behind} records behind the journal, so new events are refused")
        return found

    @property
    def default_workspace(self) -> Workspace:
        found: Workspace = self.directory.workspaces.list()[0]
        return found

    async def __aenter__(self) -> "Server":
        async with contextlib.AsyncExitStack() as stack:
            await self._open(stack)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._closing.aclose()

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        stack.callback(self._threads.shutdown)
        stack.callback(self._gate.shutdown)
        stack.callback(self._new.shutdown)
        stack.callback(self._background.shutdown)
        data = self.data = _temporary() if settings.ephemeral else Path(settings.data)
        if settings.ephemeral:
            stack.callback(shutil.rmtree, data, ignore_errors=True)
        owned = Owned(data, note=self._note)
        stack.callback(owned.release)

        self.requests = RequestLog(
            data / engines.REQUESTS_FILE, keep_days=settings.request_log_days, keep_rows=settings.request_log_rows, now=self.now
        )
        stack.callback(self.requests.close)
        self.directory = await self.in_thread(Directory.open, data / engines.DIRECTORY_FILE)
        stack.callback(self.directory.close)
        self.directory.cut_log()
        # Closing goes the other way: what waits is written, the store's process ends, and the files' last owners close them,
        # so that a stopped server leaves no logs beside its files.
        writer = await self.in_thread(engines.open_journal, data)
        stack.callback(writer.close)
        stored = await self.in_thread(self._fit_together, data, writer)
        await self.in_thread(self._first_start)
        for name in engines.CONSUMERS:
            at = stored if name == StoreWriter.name else 0  # others tell when they have started
            self.followers[name] = Follower(name, engines.consumer_command(name, data), cursor=at, head=writer.head)
            stack.push_async_callback(self.followers[name].close)
        self.follower = self.followers[StoreWriter.name]
        reader = engines.read_store(data)
        stack.callback(reader.close)
        self.journal = Journal(
            writer,
            passed=lambda: min(each.safe for each in self.followers.values()),
            committed=self._committed,
            erased=asking(reader, lambda: self.follower.safe),
            keep_ms=int(settings.journal_keep_hours * HOUR_MS),
            keep_bytes=settings.journal_keep_mb * MB,
        )
        stack.push_async_callback(self.journal.close)
        self.ingest = Ingest(
            directory=self.directory,
            journal=self.journal,
            store=self.follower,
            in_thread=self.at_gate,
            for_new=self._for_new,
            now=self.now,
            profile=self.profile,
            dedup=settings.dedup,
            lag_max_records=settings.lag_max_records,
            identity_cache_entries=settings.identity_cache_entries,
            create_contacts=settings.create_contacts,
        )
        stack.push_async_callback(self.ingest.close)
        self.reads = Reads(
            reader,
            journal=self.journal,
            store=self.follower,
            executor=self._threads,
            background=self._background,
            wait_s=settings.read_wait_s,
        )
        self.analysis = Analysis(engines.analysis_command(data), caught_up=self.reads.caught_up)
        stack.push_async_callback(self.analysis.close)
        self.segments = Segments(self)
        self.messenger = Deliveries(self)
        self.live = Live(
            store=self.reads,
            directory=self.directory,
            names=self.ingest.names,
            cursor=lambda: self.follower.cursor,
            head=lambda: self.journal.head,
        )
        self.follower.moved = self.live.moved
        # What threads still do is ended before what they work on is closed, and before another process may own the directory.
        for threads in (self._background, self._threads, self._gate, self._new):
            stack.callback(threads.shutdown)
        stack.push_async_callback(self.live.close)
        await self._finish(reader)
        stack.push_async_callback(self._end_house, asyncio.create_task(self._keep_house()))

    async def _keep_house(self) -> None:
        """Drop from the directory what has had its time, and note the sizes of segments: at the start, and every hour by the real clock."""
        while not self._ending.is_set():
            try:
                await self.in_thread(self.drop_outdated)
                await self.segments.note_sizes(ending=self._ending.is_set)
            except TrackrecordError as error:
                log.warning("housekeeping of the directory could not be done, which is tried again later: %s", error)
            except Exception:
                log.exception("housekeeping of the directory went wrong; it is tried again later")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), HOUSE_EVERY_S)

    async def _end_house(self, task: asyncio.Task[None]) -> None:
        self._ending.set()
        await task  # and not cancelled: its thread must not outlive the directory

    def drop_outdated(self) -> None:
        """Drop the jobs past `jobs_keep_days`, and the scrolls that nobody went on with. Raises Unavailable."""
        now = int(self.now())
        while not self._ending.is_set() and self.directory.jobs.drop_old(until=now - self.settings.jobs_keep_days * DAY_S):
            time.sleep(0)  # others get their turn to write
        self.directory.scrolls.drop_expired(now=now)
        self.directory.sessions.drop_expired(now=now)
        while not self._ending.is_set() and self.directory.messenger.drop_moments(until=now - AGE_MAX_S):
            time.sleep(0)

    def _committed(self, head: int) -> None:
        for each in self.followers.values():
            each.committed(head)

    def _first_start(self) -> None:
        """Make the first workspace, and see that the token asked for exists."""
        settings, now = self.settings, int(self.now())
        if not self.directory.workspaces.list():
            self.directory.workspaces.create(settings.app_id, settings.app_id, now=now)
        if settings.token:
            self.directory.tokens.create(self.default_workspace.number, "from --token", frozenset(SCOPES), now=now, secret=settings.token)

        if settings.identity_secret:
            number = self.default_workspace.number
            if not self.directory.messenger.knows_secret(number, settings.identity_secret):
                self.directory.messenger.add_secret(number, now=now, secret=settings.identity_secret)
            elif settings.identity_secret not in (each.secret for each in self.directory.messenger.secrets(number)):
                log.warning("the identity_secret of the settings was retired, and proves nothing")
            if self.directory.messenger.secrets(number):
                self.directory.messenger.enforce(number, True)

    def first_access(self) -> None:
        """Make the first token, if there has never been one, and while nobody has an account a link that makes the first.

        Called last before they are shown: nobody could ask for them again.
        """
        now = int(self.now())
        if not any(self.directory.tokens.list(each.number) for each in self.directory.workspaces.list()):
            _, self.first_token = self.directory.tokens.create(self.default_workspace.number, "first token", frozenset(SCOPES), now=now)
        self.first_link = self.directory.links.create_first(now=now)

    def _fit_together(self, data: Path, writer: Any) -> int:
        """See that the three files belong together; return the store's cursor.

        A journal that ends before the store continues behind it, so that no position is given twice. Raises
        DataDirectoryUnusable when records between the two are gone, which going on would hide; and when the directory is
        another one, or older than the events: its numbers would give one person's events to another.
        """
        together = "Put back the files of one backup, all three"
        store = engines.open_store(data)
        stored, (contact, name) = store.cursor(), store.highest()
        store.close()
        if strangers := engines.strangers(data, self.directory.salt):
            belong = f"{' and '.join(strangers)} belong{'s' if len(strangers) == 1 else ''}"
            raise DataDirectoryUnusable(f"{belong} to another {engines.DIRECTORY_FILE} than the one here. {together}")
        if contact > self.directory.contacts.highest() or name > self.directory.names.highest():
            raise DataDirectoryUnusable(
                f"{engines.DIRECTORY_FILE} is older than {engines.STORE_FILE}, and lacks contacts or names of its events. {together}"
            )
        if stored > writer.head:
            log.warning("the journal ends at %s and the store at %s: a file was replaced. Going on behind the store", writer.head, stored)
            writer.skip_to(stored)
        journal = engines.read_journal(data)
        first, last = journal.span()
        journal.close()
        if last > stored and first > stored + 1:
            raise DataDirectoryUnusable(
                f"{engines.STORE_FILE} ends at record {stored} and {engines.JOURNAL_FILE} begins at {first}: "
                f"the records between are in neither. {together}"
            )
        return stored

    async def _finish(self, reader: EventReader) -> None:
        """Journal the merges and erasures that a crash, or a backup taken in between, kept from the journal.

        A store that is behind does not know all that the journal holds; what stands there twice changes nothing.
        """
        merged, erased = await self.in_thread(lambda: (reader.merged(), reader.erased()))
        for source, target, workspace in await self.in_thread(self.directory.contacts.merges):
            if source not in merged and source not in erased:
                await self.ingest.merge(workspace, source, target)
        owed: dict[int, list[int]] = {}
        for contact, workspace in await self.in_thread(self.directory.contacts.erasures):
            if contact not in erased:
                owed.setdefault(workspace, []).append(contact)
        for workspace, contacts in owed.items():
            await self.ingest.erase(workspace, contacts)


def _size(path: Path) -> int:
    """Bytes of a file, or of all that is in a folder. What goes meanwhile counts nothing."""
    sizes = 0
    for each in path.rglob("*") if path.is_dir() else [path]:
        with contextlib.suppress(FileNotFoundError):
            sizes += each.stat().st_size if each.is_file() else 0
    return sizes


def _temporary() -> Path:
    """A directory only we can read; in memory, where the system offers that as files."""
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp below makes the name
    return Path(tempfile.mkdtemp(prefix="trackrecord-", dir=shared if shared.is_dir() else None))


def new_token() -> str:
    """A token for a server that is thrown away afterwards."""
    return secrets.token_urlsafe(24)


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, now: Callable[[], float] = time.time, note: str = "") -> AsyncIterator[Server]:
    """Everything but HTTP: for the command line's direct ways in, and for tests. Raises what Owned and the engines raise."""
    async with Server(settings, now=now, note=note) as server:
        yield server


def _connections(wanted: int) -> int:
    """How many connections fit into the files this process may have open, after asking for as many as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY or wanted <= hard - DESCRIPTORS_KEPT:
        return wanted
    log.warning("this process may have %s files open, so connections_max is %s", hard, max(1, hard - DESCRIPTORS_KEPT))
    return max(1, hard - DESCRIPTORS_KEPT)


async def serve(settings: Settings, *, started: Callable[[Server, str], None], now: Callable[[], float] = time.time) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP. `started` is called once with the server and its address.

    Raises DataDirectoryBusy or OSError (the address cannot be listened on) before anything is opened.
    """
    import socket

    import uvicorn

    from . import dashboard
    from .http.app import App
    from .http.flights import lane_fits
    from .http.protocol import protocol
    from .http.routes import ROUTES

    if not settings.ephemeral:
        Owned(Path(settings.data)).release()  # of two reasons not to start, a server on this very directory is told first
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that say they are TCP.
    sock = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((settings.host, settings.port))
    sock.set_inheritable(False)
    connections_max = _connections(settings.connections_max)
    with sock:
        async with opened(settings, now=now, note=f"serving on {settings.host}:{sock.getsockname()[1]}") as server:
            app = server.app = App(server, (*ROUTES, *dashboard.ROUTES))
            config = uvicorn.Config(
                app,
                http=protocol(
                    header_max_bytes=settings.header_max_bytes,
                    timeout_s=settings.body_timeout_s,
                    answer_timeout_s=settings.answer_timeout_s,
                    connections_max=connections_max,
                    version=app.default_version,
                    refused=app.refused_below,
                    room=app.room,
                    lane=app if settings.fast_lane and lane_fits() else None,
                ),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=settings.keep_alive_s,
                timeout_graceful_shutdown=10,
                backlog=2048,
            )
            host, port = sock.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host

            class Announcing(uvicorn.Server):
                @contextlib.contextmanager
                def capture_signals(self) -> Iterator[None]:
                    """SIGINT, SIGTERM and SIGHUP end the serving, and are not raised again: that would cancel the closing behind it."""
                    if threading.current_thread() is not threading.main_thread():
                        yield
                        return
                    loop = asyncio.get_running_loop()
                    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                        loop.add_signal_handler(number, self.handle_exit, number, None)
                    yield

                async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                    server.live.end()  # which would be waited for
                    await super().shutdown(sockets)

                async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                    await super().startup(sockets)
                    await server.follower.up(timeout_s=5)
                    await server.in_thread(server.first_access)
                    started(server, f"http://{shown}:{port}")

            http = Announcing(config)
            gc.collect()
            gc.freeze()  # what start-up made stays; later collections need not walk it
            server.stop = lambda: setattr(http, "should_exit", True)
            await http.serve(sockets=[sock])
