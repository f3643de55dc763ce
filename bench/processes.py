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

    def memory_mb(self) -> float | None:
        """Of the server and its store's writer together."""
        own, store = memory_mb(self.pid), memory_mb(self.store_pid())
        return own + store if own and store else None


@contextlib.contextmanager
def serving(data: Path, *settings: str) -> Iterator[Served]:
    """`trackrecord serve` over a directory until the block ends. Raises Trouble with its last words when it does not start."""
    port = free_port()
    command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(data), "--host", HOST, "--port", str(port), "--token", TOKEN]
    command += [word for setting in settings for word in ("--set", setting)]
    with _started(command, port, "/-/health", data.with_suffix(".log")) as served:
        yield served


@contextlib.contextmanager
def null_serving(folder: Path) -> Iterator[Served]:
    """The yardstick: the same web server around a handler that does nothing."""
    port = free_port()
    with _started([sys.executable, "-m", "bench.null_handler", str(port)], port, "/", folder / "null_handler.log") as served:
        yield served


@contextlib.contextmanager
def _started(command: Sequence[str], port: int, path: str, log: Path) -> Iterator[Served]:
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=ENVIRON, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            while status(port, path) not in (200, 202):
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


def get(port: int, path: str, *, timeout_s: float = 10.0) -> tuple[int, bytes]:
    """One GET on a connection of its own: the status and everything that came. Raises OSError where nobody listens."""
    with socket.create_connection((HOST, port), timeout=timeout_s) as connection:
        connection.sendall(request("GET", path, close=True))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer[9:12] or 0), answer


def status(port: int, path: str) -> int:
    """What a GET answers; 0 where nobody listens or the answer breaks off."""
    try:
        return get(port, path)[0]
    except (OSError, ValueError):
        return 0


def request(method: str, path: str, body: str = "", *, close: bool = False) -> bytes:
    """The bytes of one request with the token. `path` and `body` may hold places of fixed width for load.Plan."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Authorization: Bearer {TOKEN}"]
    if close:
        lines.append("Connection: close")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()


# What Linux tells of a process. Elsewhere these are None and nothing, and the figures made of them are left out.


def cpu_s(pid: int | None) -> float | None:
    """Processor time spent so far, user and system, in seconds."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else None


def memory_mb(pid: int | None) -> float | None:
    """Memory in use now (resident set) in MB of 1024 × 1024 bytes."""
    for line in _proc(pid, "status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None


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
