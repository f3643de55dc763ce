"""A data directory that no server runs on as the place an import goes to: what a server does, without HTTP."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from .. import engines, imports, server
from ..errors import DataDirectoryBusy
from ..imports import Taken
from ..rules.directory import Workspace
from ..settings import load
from . import logs, options

LINES_MAX = 4_000  # handed over at once
GC_AFTER = 200_000  # new objects between looks for garbage: lines make many that live shortly, and hardly a cycle
BYTES_MAX = 8 << 20


class Direct:
    """While one chunk is written and folded in, the next ones are read; they enter the journal in their order."""

    def __init__(self, opened: server.Server, workspace: Workspace, noun: str) -> None:
        self.lines_max, self.bytes_max = LINES_MAX, BYTES_MAX
        self.longest = opened.settings.body_max_bytes  # as POST /events has it
        self.together = 4
        self.sent_again = 0
        self._server = opened
        self._workspace = workspace
        self._noun = noun
        self._turn = asyncio.Lock()

    async def take(self, lines: Sequence[bytes]) -> Taken:
        """Raises Unavailable when trying again later may work."""
        async with self._turn:
            if self._noun == "contacts":
                return await imports.take_contacts(self._server, self._workspace, lines)
            prepared = await imports.prepare_events(self._server, self._workspace, lines)
            keeping = asyncio.ensure_future(imports.keep_events(self._server, prepared))
            await asyncio.sleep(0)  # it stands in the journal's queue before the next lines are read
        return await keeping


@asynccontextmanager
async def direct(data: str, workspace: str | None, noun: str, tell: Callable[[str], None]) -> AsyncIterator[Direct]:
    """Own the data directory meanwhile; make it if it is missing. Raises DataDirectoryBusy while a server owns it."""
    # TRACKRECORD_TOKEN is for some running server, and none of this directory's business.
    settings = load({"data": data, "ephemeral": False}, {name: value for name, value in os.environ.items() if name != "TRACKRECORD_TOKEN"})
    logs.set_up(settings.log_format, level=logging.WARNING)
    try:
        fresh = not (Path(data) / engines.DIRECTORY_FILE).exists()
        async with server.opened(settings, note="importing") as opened:
            if fresh:
                tell(f"Made the data directory {data}; the first trackrecord serve prints an access token for it")
            gc.freeze()
            gc.set_threshold(GC_AFTER, 20, 100)
            yield Direct(opened, options.chosen(opened.directory, workspace), noun)
    except DataDirectoryBusy as error:
        raise DataDirectoryBusy(
            f"{error.message}. If that is a running server, import into it: give its address with --url and an access token with --token"
        ) from None
