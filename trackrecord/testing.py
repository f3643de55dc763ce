"""For the tests of those who use Trackrecord: a real server inside the test process, with a clock that can be set.

with TrackrecordServer(profile="strict") as server:
    client = Intercom(token=server.token, base_url=server.url)
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from . import settings as settings_module
from .server import Server, new_token, serve


class Clock:
    """The server's clock: real until it is set, then standing still. Unix seconds."""

    def __init__(self) -> None:
        self._frozen: float | None = None

    def __call__(self) -> float:
        return time.time() if self._frozen is None else self._frozen

    def freeze(self, at: float) -> None:
        self._frozen = at

    def advance(self, seconds: float) -> None:
        self._frozen = self() + seconds

    def run(self) -> None:
        """Follow real time again."""
        self._frozen = None


class TrackrecordServer:
    """A server on a free port of the loopback, in memory unless `data` names a directory; settings as keywords.

    `url` and `token` are what a client needs. Leaving the block ends it, and its data with it when it was in memory.
    """

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.url = ""
        self.token: str = settings.setdefault("token", new_token())
        settings.setdefault("port", 0)
        if "data" not in settings:
            settings["ephemeral"] = True
        self._settings = settings_module.load(settings, environ={})
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="trackrecord test server", daemon=True)
        self.server: Server

    def __enter__(self) -> "TrackrecordServer":
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._loop is not None  # noqa: S101 - set before _ready
        self._loop.call_soon_threadsafe(self.server.stop)
        self._thread.join()

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Await a coroutine function on the server's loop; for tests that look inside."""
        assert self._loop is not None  # noqa: S101 - set before _ready
        return asyncio.run_coroutine_threadsafe(function(*args), self._loop).result()

    def _started(self, server: Server, url: str) -> None:
        self.server, self.url = server, url
        self._ready.set()

    def _run(self) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await serve(self._settings, started=self._started, now=self.clock)
