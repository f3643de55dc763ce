"""A data directory with its server, its load and its oracle: what a round works on."""

import contextlib
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .judge import judge_check, judge_files, judge_record, judge_stopped
from .load import MIXED, Load
from .oracle import Oracle
from .server import COMMAND, RealServer

CONNECTIONS = 6


class Skipped(Exception):
    """A round cannot be had on this machine; the message says why."""


class World:
    """One at a time runs a server. What is found is the oracle's."""

    def __init__(self, folder: Path, rng: random.Random, *, connections: int = CONNECTIONS, does: dict[str, int] = MIXED) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.rng = rng
        self.oracle = Oracle()
        self.load = Load(self.oracle, rng, connections=connections, does=does)
        self.compared = 0  # events held against the oracle, over all judgements
        self.faults = 0  # kills and whatever else was done to the server
        self.unnoticed = 0  # damages of the store that nothing told of
        self._server: RealServer | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def server(self) -> RealServer:
        """The server that runs; started, if none does."""
        return self._server or self.start()

    @property
    def runs(self) -> bool:
        return self._server is not None

    def start(self, *settings: str, command: Sequence[str] = COMMAND, environ: Mapping[str, str] = {}) -> RealServer:
        """Raises NotStarted."""
        self.gone()
        with self.launched(*settings, command=command, environ=environ) as server:
            server.listening()
        return server

    @contextlib.contextmanager
    def launched(self, *settings: str, command: Sequence[str] = COMMAND, environ: Mapping[str, str] = {}) -> Iterator[RealServer]:
        """A server that need not come to listen; it stays when the block ends well."""
        server = RealServer(self.data, *settings, command=command, environ=environ)
        server.launch()
        try:
            yield server
        except BaseException:
            server.close()
            raise
        self._server = server

    @contextlib.contextmanager
    def second(self) -> Iterator[RealServer]:
        """Another server on the same directory, which goes when the block ends."""
        server = RealServer(self.data)
        server.launch()
        try:
            yield server
        finally:
            server.close()

    def stopped(self) -> None:
        judge_stopped(self.data, self.oracle)
        self.files()

    def files(self) -> None:
        """Judge the files as they lie there; no server may run."""
        judge_files(self.data, self.oracle, self.folder)

    def fault(self) -> None:
        self.faults += 1

    def kill(self) -> None:
        """kill -9 of the server; the load ends by itself, and the files are judged as they are."""
        self.server.kill()
        self.fault()
        self.load.join()
        self.gone()
        self.files()

    def gone(self) -> None:
        """Let go of a server that has ended, or end it."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def stop(self) -> None:
        """SIGTERM, and what a stopped server must have left."""
        code, said = self.server.terminate()
        if code != 0 or not said.startswith("Stopped"):
            self.oracle.found("answers", f"a server that was asked to stop ended with {code}, saying {said!r}")
        self.gone()
        self.stopped()

    def judge(self) -> None:
        """Of the server that runs, with the load at rest."""
        self.load.stop()
        self.compared += judge_record(self.server.url, self.oracle)

    def check(self) -> None:
        judge_check(self.data, self.oracle)

    def close(self) -> None:
        self.gone()
        shutil.rmtree(self.folder, ignore_errors=True)
