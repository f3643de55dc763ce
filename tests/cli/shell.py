"""The command as its users run it: in a process of its own, in an empty directory, with nothing of ours in its environment."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from .loaded import Loaded

COMMAND = [sys.executable, "-m", "trackrecord"]
DEADLINE_S = 30.0

T = TypeVar("T")


def until(question: Callable[[], T]) -> T:
    """Ask again and again until the answer is true; fail when that takes too long."""
    deadline = time.monotonic() + DEADLINE_S
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s"
        time.sleep(0.005)
    return answer


def environment(**more: str) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD_")}, **more}


class Ran:
    """What a command did."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out.decode()
        self.err = err.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Serving:
    """A server started by its command, on a free port unless one is given."""

    def __init__(self, cwd: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", *(() if "--port" in arguments else ("--port", "0")), *arguments],
            cwd=cwd,
            env=env or environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = ""
        while True:
            line = self.process.stdout.readline()
            assert line, f"the server ended: {self.process.stderr.read() if self.process.stderr else ''}"
            self.said += line
            if "Ctrl-C stops" in line:
                break
        found = re.search(r"listening on (http://[^ ,;\n]+)", self.said)
        assert found is not None
        self.url = found[1]
        token = re.search(r"^  (tr_\S+)$", self.said, re.MULTILINE)
        self.token = token[1] if token else ""

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """(exit code, what it said after its start, what it logged)"""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err


class Shell:
    """An empty directory to run commands in."""

    def __init__(self, cwd: Path, loaded: Loaded) -> None:
        self.cwd = cwd
        self._loaded = loaded

    def run(self, *arguments: str | Path, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Ran:
        """A command to its end: a process of its own, and where nothing is piped into it a fork of one that is loaded already."""
        command, env = list(map(str, arguments)), env or environment()
        if stdin is not None:
            done = subprocess.run([*COMMAND, *command], cwd=self.cwd, env=env, input=stdin, capture_output=True, timeout=DEADLINE_S * 2)
            return Ran(done.returncode, done.stdout, done.stderr)
        with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            files = [nothing.fileno(), out.fileno(), err.fileno()]
            code = self._loaded.run(files, arguments=command, cwd=str(self.cwd), env=env)
            out.seek(0), err.seek(0)
            return Ran(code, out.read(), err.read())

    def start(self, *arguments: str | Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def at_terminal(self, *arguments: str | Path, columns: int = 100) -> str:
        """What a command prints where its output is a terminal of that many columns."""
        ours, its = pty.openpty()
        started = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.cwd,
            env=environment(COLUMNS=str(columns), NO_COLOR="1"),
            stdin=subprocess.DEVNULL,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        printed = b""
        with contextlib.suppress(OSError):  # raised when the command, and with it the other end, is gone
            while block := os.read(ours, 1 << 16):
                printed += block
        os.close(ours)
        started.wait(DEADLINE_S)
        return printed.decode().replace("\r\n", "\n")

    @contextlib.contextmanager
    def serving(self, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Serving]:
        server = Serving(self.cwd, *arguments, env=env)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.communicate()

    def write(self, name: str, rows: list[Any]) -> str:
        """A file of lines; what is no bytes becomes JSON."""
        (self.cwd / name).write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
        return name

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.cwd / name).read_text().splitlines()]


def contact(number: int, **more: Any) -> dict[str, Any]:
    """A user as an export has it: everything that a server would make up is given."""
    return {
        "id": f"{number:024x}",
        "role": "user",
        "external_id": f"user-{number}",
        "created_at": 1_700_000_000 + number,
        "updated_at": 1_700_000_000 + number,
        **more,
    }


def event(number: int, whose: int, **more: Any) -> dict[str, Any]:
    return {"event_name": "placed-order", "created_at": 1_600_000_000 + number, "user_id": f"user-{whose}", **more}
