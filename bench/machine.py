"""What the figures were measured on: without it they mean nothing."""

import os
import platform
import sqlite3
import statistics
import time
from pathlib import Path

SYNCS = 200


def facts(folder: Path) -> dict[str, str]:
    """The machine in words; `folder` lies on the disk that is used, whose sync is what every durable answer waits for."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "sync of 4 KB": f"{sync_ms(folder):.2f} ms",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def sync_ms(folder: Path) -> float:
    """The median time of appending 4 KB to a file and bringing it to stable storage, in milliseconds."""
    path = folder / "sync"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        took = []
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(file, bytes(4096))
            os.fsync(file)
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1000
    finally:
        os.close(file)
        path.unlink()
