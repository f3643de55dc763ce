"""Builds shim.c, and steers it: calls of the server that fail, and the disk as a power loss would leave it."""

import mmap
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .world import Skipped

SOURCE = Path(__file__).with_name("shim.c")
CONTROL = struct.Struct("6I64si64sI")  # struct control of shim.c
SECTOR_BYTES = 512  # what a disk writes whole


class Shim:
    """Preloaded into the processes that are started with `environ`. Raises Skipped where it cannot be built."""

    def __init__(self, folder: Path, data: Path, *, forgets: bool = False) -> None:
        compiler = shutil.which("gcc") or shutil.which("cc")
        if not sys.platform.startswith("linux") or compiler is None:
            raise Skipped("what makes calls fail has to be built, and there is no C compiler for Linux here (Debian: apt-get install gcc)")
        library, control = folder / "shim.so", folder / "control"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            raise Skipped(f"what makes calls fail cannot be built here: {built.stderr.strip()[-300:]}")
        control.write_bytes(bytes(CONTROL.size))
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), CONTROL.size)
        self._data = data
        self._shadow = folder / "shadow"
        self.environ = {"LD_PRELOAD": str(library), "TORTURE_DATA": str(data.resolve()), "TORTURE_CONTROL": str(control)}
        if forgets:
            self._shadow.mkdir()
            self.environ["TORTURE_SHADOW"] = str(self._shadow)

    def fail(self, error: int, *, writes_permille: int, syncs_permille: int, only: str = "") -> None:
        """From now on so many of a thousand calls fail with this errno, on files whose names begin with `only`."""
        self._control[0 : 4 * 3] = struct.pack("3I", 0, 0, error)
        self._control[24:88] = only.encode().ljust(64, b"\0")
        self._control[0 : 4 * 2] = struct.pack("2I", writes_permille, syncs_permille)

    def slow(self, milliseconds: int, *, only: str = "") -> None:
        """From now on, and for those that are under way, every sync takes so much longer, of files whose names begin with `only`."""
        self._control[24:88] = only.encode().ljust(64, b"\0")
        self._control[156:160] = struct.pack("I", milliseconds)

    def kill_at(self, file: str, writes: int) -> None:
        """The process that makes the next write but `writes - 1` to this file kills itself before it."""
        self._control[92:156] = file.encode().ljust(64, b"\0")
        self._control[88:92] = struct.pack("i", writes)

    @property
    def waits(self) -> bool:
        """Whether that write is still to come."""
        return bool(struct.unpack("i", self._control[88:92])[0] > 0)

    def works(self) -> None:
        self._control[0:8] = bytes(8)

    @property
    def failed(self) -> int:
        return int(CONTROL.unpack(self._control[:])[5])

    @property
    def sees(self) -> bool:
        """Whether writes and syncs go through it at all; a SQLite that is built otherwise may make its calls elsewhere."""
        _, _, _, writes, syncs, *_ = CONTROL.unpack(self._control[:])
        return bool(writes and syncs)

    def lose_power(self, rng: random.Random) -> None:
        """Make the data directory what a power loss leaves, after everything that wrote to it was killed.

        What was synced is there. Of what was not, nothing is, or each sector by chance, in no order.
        """
        torn = rng.random() < 0.5
        names = {path.name for folder in (self._data, self._shadow) for path in folder.iterdir() if ".db" in path.name}
        for name in sorted(names):
            path = self._data / name
            if name.endswith("-shm"):
                path.unlink()
                continue
            kept = self._shadow / name
            synced = kept.read_bytes() if kept.exists() else None
            written = path.read_bytes() if path.exists() else None
            left = _torn(rng, synced or b"", written or b"") if torn else synced
            if left is None or (synced is None and not left):
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(left)
        self._start_over(names)

    def _start_over(self, names: Sequence[str] | set[str]) -> None:
        """What the disk holds now is what it keeps."""
        shutil.rmtree(self._shadow)
        self._shadow.mkdir()
        for name in names:
            if (self._data / name).exists():
                shutil.copyfile(self._data / name, self._shadow / name)


def _torn(rng: random.Random, synced: bytes, written: bytes) -> bytes:
    """Each sector as it was synced or as it was written since; so is the length."""
    length = rng.choice((len(synced), len(written)))
    pieces = []
    for at in range(0, length, SECTOR_BYTES):
        end = min(at + SECTOR_BYTES, length)
        old, new = synced[at:end].ljust(end - at, b"\0"), written[at:end].ljust(end - at, b"\0")
        pieces.append(old if old == new else rng.choice((old, new)))
    return b"".join(pieces)
