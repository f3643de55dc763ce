"""Load: many like requests, told apart by a running number, over keep-alive connections, from a process of their own.

wrk makes it where it is installed (Debian and Ubuntu: apt-get install wrk): it takes little of the processor that the server
needs. A generator in Python (load_python.py) stands in for it. Load at a given rate is due at fixed times. The generator in
Python counts latency from when a request was due; wrk counts from when it was sent, and then adds, for each answer that took
longer than a connection's turn, those that would have waited meanwhile: a stall shows in full either way.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from .processes import ENVIRON, HOST, ROOT, Trouble, stop

STRIDE = 7919  # prime: walks through all contacts before any comes again, neighbours far apart
GRACE_S = 20.0  # what a generator may take beyond the load itself


class Plan(msgspec.Struct, frozen=True):
    """Requests that differ by the number n. `template` has one %0Nd for each of `fields`, so all have one length.

    contact is n × STRIDE modulo `contacts`; name is n modulo `names`; second is `since` plus one for each round through the
    contacts. No two numbers give the same contact and second, so every event is distinct.
    """

    template: str
    fields: tuple[str, ...] = ()
    contacts: int = 1
    names: int = 1
    since: int = 0

    def request(self, n: int) -> bytes:
        return self.template.encode() % tuple(
            {"contact": n * STRIDE % self.contacts, "name": n % self.names, "second": self.since + n // self.contacts}[field]
            for field in self.fields
        )


class Order(msgspec.Struct, frozen=True):
    """What a generator is told. `rate` is requests a second; without it each connection sends as soon as it was answered."""

    plan: Plan
    port: int
    connections: int
    seconds: float
    start: int = 0  # the first number
    rate: float | None = None


class Load(msgspec.Struct, frozen=True):
    """What came of it. Latencies in milliseconds; `failed` counts answers that were no success, and broken connections."""

    generator: str
    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float
    longest_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class Generator(NamedTuple):
    """A generator at work."""

    name: str
    process: "subprocess.Popen[bytes]"
    order: Order

    def result(self) -> Load:
        """Wait for its end. Raises Trouble when it breaks or any request fails."""
        try:
            output, errors = self.process.communicate(timeout=self.order.seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.name} did not end in time") from None
        lines = output.decode("utf-8", "replace").splitlines()
        answer = next((line for line in reversed(lines) if line.startswith("{")), None)
        if self.process.returncode != 0 or answer is None:
            raise Trouble(f"{self.name} ended with {self.process.returncode}: {errors.decode('utf-8', 'replace').strip()[-400:]}")
        found = Load(generator=self.name, **json.loads(answer))
        if found.failed or not found.requests:
            raise Trouble(f"{found.failed} of {found.requests} requests failed: {self.order.plan.template.splitlines()[0]}")
        return found


def wrk() -> str | None:
    return shutil.which("wrk")


@contextlib.contextmanager
def beside(order: Order) -> Iterator[Generator]:
    """Load while the block runs, whose end it does not survive."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        program = wrk()
        if program is not None:
            script = Path(folder) / "requests.lua"
            script.write_text(lua(order), "utf-8")
            command = [program, "-t1", f"-c{order.connections}", f"-d{max(1, round(order.seconds))}s", "--timeout", "10s"]
            generator = Generator("wrk", _popen([*command, "-s", str(script), f"http://{HOST}:{order.port}/"]), order)
        else:
            told = Path(folder) / "order.json"
            told.write_bytes(msgspec.json.encode(order))
            generator = Generator("a generator in Python", _popen([sys.executable, "-m", "bench.load_python", str(told)]), order)
        try:
            yield generator
        finally:
            stop(generator.process)


def run(order: Order) -> Load:
    with beside(order) as generator:
        return generator.result()


def _popen(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRON, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


_NUMBERS = {
    "contact": "(i * %(stride)d) %% %(contacts)d",
    "name": "i %% %(names)d",
    "second": "%(since)d + math.floor(i / %(contacts)d)",
}


_PACED = """
local ffi = require("ffi")
ffi.cdef[[typedef struct { long s; long ns; } moment; int clock_gettime(int, moment *);]]
local moment = ffi.new("moment")
local began, sent = nil, 0

function delay()
  ffi.C.clock_gettime(1, moment)
  local now = tonumber(moment.s) + tonumber(moment.ns) / 1e9
  began = began or now
  sent = sent + 1
  return math.max(0, math.floor((began + (sent - 1) / %f - now) * 1000))
end
"""


def lua(order: Order) -> str:
    """A wrk script that sends what plan.request gives for start, start + 1, … on time, and prints a Load as JSON."""
    plan = order.plan
    sizes = {"stride": STRIDE, "contacts": plan.contacts, "names": plan.names, "since": plan.since}
    numbers = "".join(f", {_NUMBERS[field] % sizes}" for field in plan.fields)
    return f"""\
local n = {order.start}
local template = {json.dumps(plan.template)}

function request()
  local i = n
  n = n + 1
  return string.format(template{numbers})
end
{_PACED % order.rate if order.rate else ""}
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{{"requests":%d,"seconds":%f,"failed":%d,"p50_ms":%f,"p99_ms":%f,"longest_ms":%f}}\\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
"""
