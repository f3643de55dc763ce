"""python -m fuzz [--minutes N] [--only NAME ...]: run every target in turn, show what each did, and keep what failed.

An input that fails is kept in fuzz/results, which git passes over, with the line that replays it. Once it is mended it moves to
fuzz/findings, which `make test` replays.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from .targets import CORPUS, CORPUS_MAX, ROOT, SIZE_MAX, TARGETS, Target, saved

RESULTS = ROOT / "results"
SLOW_S = 10  # of one input, past which it is a finding
MEMORY_MB = 2048  # the same
FAULTS_MAX = 5  # findings of one target, after which it is left alone
GRACE_S = 120  # past a target's time, for its start and its last input, after which its process is ended
_EXECUTED = re.compile(rb"^#(\d+)\t", re.M)
_PATHS = re.compile(rb"^#\d+\t(?:NEW|REDUCE)", re.M)
_COVERED = re.compile(rb"cov: (\d+)")
_MADE = re.compile(r"[0-9a-f]{16}")  # the name of an input that the fuzzer found
_KEPT = re.compile(rb"Test unit written to (\S+)")


class Did(NamedTuple):
    """What one target did."""

    seconds: float
    executions: int
    paths: int  # inputs that reached something no input before them had
    covered: int  # edges of the program
    faults: list[Path]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz all that reads what strangers send.")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together")
    parser.add_argument("--only", action="append", choices=list(TARGETS), help="this target alone; may be repeated")
    parser.add_argument("--keep", action="store_true", help="put what reached something new into the corpus, as few and small inputs as do")
    asked = parser.parse_args()
    names = asked.only or list(TARGETS)
    RESULTS.mkdir(exist_ok=True)
    console = Console()
    did = {}
    for name in names:
        console.print(f"{name}: {TARGETS[name].what}")
        did[name] = _run(name, seconds=asked.minutes * 60 / len(names))
        if asked.keep:
            _shrink(name)
    console.print(_table(did))
    faults = [(name, each) for name, one in did.items() for each in one.faults]
    for name, path in faults:
        console.print(f"python -m fuzz.replay {name} {path.relative_to(ROOT.parent)}", soft_wrap=True)
    return 1 if faults else 0


def _run(name: str, *, seconds: float) -> Did:
    """Run a target for its time, again after each finding. The coverage is what it had at the end."""
    found = _folder(RESULTS / "found" / name)
    began, executions, paths, covered, faults = time.monotonic(), 0, 0, 0, list[Path]()
    log = b""
    while (left := seconds - (time.monotonic() - began)) > 1 and len(faults) < FAULTS_MAX:
        log = _process(name, [f"-max_total_time={left:.0f}", str(found), *_folders(name)], within_s=left + GRACE_S)
        (RESULTS / f"{name}.log").write_bytes(log)
        executions += max(map(int, _EXECUTED.findall(log)), default=0)
        paths += len(_PATHS.findall(log))
        covered = max(map(int, _COVERED.findall(log)), default=covered)
        kept = [Path(each.decode()) for each in _KEPT.findall(log)]
        faults += [each for each in kept if each not in faults]
        if not kept and not _EXECUTED.search(log):
            raise SystemExit(f"{name} did not run; fuzz/results/{name}.log says why")
        if not kept:
            break
    return Did(time.monotonic() - began, executions, paths, covered, faults)


def _process(name: str, more: list[str], *, within_s: float) -> bytes:
    words = RESULTS / f"{name}.dict"
    words.write_text(_dictionary(TARGETS[name]))
    options = [f"-dict={words}", f"-max_len={SIZE_MAX}", f"-timeout={SLOW_S}", f"-rss_limit_mb={MEMORY_MB}"]
    options += [f"-artifact_prefix={RESULTS}/{name}-", "-print_final_stats=0", "-verbosity=1"]
    command = [sys.executable, "-m", "fuzz.one", name, *options, *more]
    try:
        return subprocess.run(
            command, cwd=ROOT.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within_s, check=False
        ).stdout
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _folders(name: str) -> list[str]:
    return sorted({str(path.parent) for path in saved(name)})


def _shrink(name: str) -> None:
    """Make the corpus of those inputs, found and kept, that together reach most; small ones first, and CORPUS_MAX at most.

    Beside these stand those that were written by hand: their names are words.
    libFuzzer writes down what each reaches. Its own merge cannot be used: it would start itself again, and that is Python.
    """
    corpus, found = _folder(CORPUS / name), _folder(RESULTS / "found" / name)
    files = sorted([*corpus.iterdir(), *found.iterdir()], key=lambda each: (each.stat().st_size, each.name))
    control = RESULTS / f"{name}.control"
    control.write_text("".join(f"{line}\n" for line in (len(files), 0, *files)))
    _process(name, ["-merge_inner=1", f"-merge_control_file={control}"], within_s=600)
    lines = [line.split() for line in control.read_text().splitlines() if line.startswith("FT ")]
    reached = {files[int(line[1])]: set(line[2:]) for line in lines}
    kept: dict[str, bytes] = {}
    known: set[str] = set()
    while reached and len(kept) < CORPUS_MAX:
        best = max(reached, key=lambda each: len(reached[each] - known))
        if not reached[best] - known:
            break
        known |= reached.pop(best)
        data = best.read_bytes()
        kept[hashlib.sha1(data, usedforsecurity=False).hexdigest()[:16]] = data
    for each in corpus.iterdir():
        if _MADE.fullmatch(each.name):
            each.unlink()
    for file, data in kept.items():
        (corpus / file).write_bytes(data)


def _dictionary(target: Target) -> str:
    escaped = ("".join(f"\\x{byte:02X}" for byte in word.encode("latin-1" if max(word) < "\u0100" else "utf-8")) for word in target.words)
    return "".join(f'"{word}"\n' for word in escaped)


def _table(did: dict[str, Did]) -> Table:
    table = Table("target", *(("seconds", "executions", "new paths", "edges", "findings")))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in did.items():
        table.add_row(name, f"{one.seconds:.0f}", f"{one.executions:,}", f"{one.paths:,}", f"{one.covered:,}", str(len(one.faults)))
    sums = [sum(getattr(one, field) for one in did.values()) for field in ("seconds", "executions", "paths")]
    table.add_row("all", *(f"{each:,.0f}" for each in sums), "", str(sum(len(one.faults) for one in did.values())))
    return table


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("fuzz: ended before its time")
