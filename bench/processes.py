"""Processes that are measured: started, awaited, looked at through /proc, and ended by their number."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
TOKEN = "bench-token-of-a-throwaway-server"
START_S = 60.0  # for a server to become ready
STOP_S = 40.0  # for a server to end when asked; then it is killed
POLL_S = 0.003
ANSWER_S = 10.0

# Settings of the person who runs this must not reach the servers measured.
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("TRACKRECORD_")} | {"PYTHONUNBUFFERED": "1"}


class Trouble(Exception):
    """A measure cannot be taken; the message says why."""


class Served(NamedTuple):
    """A server that answers."""

    port: int
    pid: int
    ready_s: float  # from the start of its process to its first good answer

    def store_pid(self) -> int | None:
        """The process that writes the event store; None where the system does not tell."""
        return next((pid for pid in children(self.pid) if "trackrecord.engines" in command_of(pid)), None)

    def kill(self) -> None:
        """End it as a crash does, and wait until its other processes have noticed."""
        others = children(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        until = time.monotonic() + STOP_S
        while any(_stat(pid)[:1] not in ([], ["Z"]) for pid in others):
            if time.monotonic() > until:
                raise Trouble("a process of a killed server goes on")
            time.sleep(POLL_S)


@contextlib.contextmanager
def serving(data: Path, *settings: str, first: bytes = b"") -> Iterator[Served]:
    """`trackrecord serve` over a directory until the block ends. It is ready when it answers `first` well, or else that it is.

    Raises Trouble with its last words when it does not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(data), "--host", HOST, "--port", str(port), "--token", TOKEN]
    command += [word for setting in settings for word in ("--set", setting)]
    with _started(command, port, first or request("GET", "/-/health", close=True), data.with_suffix(".log")) as served:
        yield served


@contextlib.contextmanager
def null_serving(folder: Path) -> Iterator[Served]:
    """The yardstick: the same web server around a handler that does nothing."""
    port = free_port()
    with _started(
        [sys.executable, "-m", "bench.null_handler", str(port)], port, request("GET", "/", close=True), folder / "null_handler.log"
    ) as served:
        yield served


@contextlib.contextmanager
def _started(command: Sequence[str], port: int, first: bytes, log: Path) -> Iterator[Served]:
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=ENVIRON, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            while ask(port, first) not in (200, 202):
                if process.poll() is not None or time.perf_counter() - began > START_S:
                    raise Trouble(f"{' '.join(command[1:4])} did not start: {_end_of(log)}")
                time.sleep(POLL_S)
            yield Served(port, process.pid, time.perf_counter() - began)
        finally:
            stop(process)


def run(command: Sequence[str], *, timeout_s: float, cwd: Path = ROOT) -> tuple[float, str]:
    """Run a command to its end; return how long it took and what it printed. Raises Trouble when it fails."""
    began = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=cwd, env=ENVIRON, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{' '.join(command[1:5])} took more than {timeout_s:.0f} s") from None
    took = time.perf_counter() - began
    if done.returncode != 0:
        raise Trouble(f"{' '.join(command[1:5])} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return took, done.stdout


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process of ours, by asking and then by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, sent: bytes) -> int:
    """The status of the answer to a request that closes its connection; 0 where nobody listens or the answer breaks off."""
    answer = b""
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_S) as connection:
            connection.sendall(sent)
            while piece := connection.recv(65536):
                answer += piece
        return int(answer[9:12] or 0)
    except (OSError, ValueError):
        return 0


def request(method: str, path: str, body: bytes = b"", *, close: bool = False) -> bytes:
    """The bytes of one request with the token. `path` and `body` may hold places of fixed width for load.Plan."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Authorization: Bearer {TOKEN}"]
    if close:
        lines.append("Connection: close")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


# What Linux tells of a process. Elsewhere these are None and nothing, and the figures made of them are left out.


def cpu_s(pid: int | None) -> float | None:
    """Processor time spent so far, user and system, in seconds."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None


def memory_mb(pid: int) -> float | None:
    """Memory in use now by a process and its children, in MB of 1024 × 1024 bytes. What processes share is counted once (PSS)."""
    total = 0.0
    for each in (pid, *children(pid)):
        for line in _proc(each, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
    return total or None


def children(pid: int) -> list[int]:
    numbers = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [number for number in numbers if (fields := _stat(number)) and int(fields[1]) == pid]


def command_of(pid: int) -> str:
    return _proc(pid, "cmdline").replace("\0", " ")


def _stat(pid: int | None) -> list[str]:
    """The fields after the program's name, which may itself hold blanks: state, parent, …"""
    return _proc(pid, "stat").rpartition(")")[2].split()


def _proc(pid: int | None, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace") if pid else ""
    except OSError:
        return ""


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace").strip()[-600:] or "it said nothing"
