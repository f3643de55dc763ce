"""The disk in memory (disk.c), built by the machine's C compiler and put beneath the SQLite of this process.

A file system of SQLite's own kind (a VFS) was taken, and not the preloaded shim of torture/: nothing is written anywhere, a lock
that is busy costs no waiting, and the choices of the disk are drawn from the schedule's seed, call by call. That is what makes a
schedule cost milliseconds and a seed repeat it. It needs no header of SQLite's and no extension loading, which many builds of
Python lack: SQLite is asked by the address of its functions to take the file system as the one for new connections.
"""

import _sqlite3
import ctypes
import errno
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from trackrecord.sqlite import Checkpointer

SOURCE = Path(__file__).with_name("disk.c")
SERVER, STORE, ORPHAN = range(3)  # processes: the server, its store's, and one whose server was killed
ALL = (1 << 3) - 1


class Missing(Exception):
    """There is no C compiler here, or SQLite's functions cannot be found."""


class Settings(ctypes.Structure):
    """struct settings of disk.c, which says what each means."""

    owner: int
    write_after: int
    write_times: int
    sync_after: int
    sync_times: int
    full: int
    die_after: int
    die_mask: int
    early_permille: int
    lies: int
    forgets: int
    dead: int
    _fields_ = [
        (name, ctypes.c_int32)
        for name in (
            *("owner", "write_after", "write_times", "sync_after", "sync_times", "full"),
            *("die_after", "die_mask", "early_permille", "lies", "forgets", "dead"),
        )
    ]


class Counts(ctypes.Structure):
    """struct counts of disk.c."""

    writes: int
    syncs: int
    failed_writes: int
    failed_syncs: int
    full: int
    sectors_lost: int
    sectors_torn: int
    slept_us: int
    trace: int
    _fields_ = [
        *[
            (name, ctypes.c_int64)
            for name in ("writes", "syncs", "failed_writes", "failed_syncs", "full", "sectors_lost", "sectors_torn", "slept_us")
        ],
        ("trace", ctypes.c_uint64),
    ]


class Disk:
    """Within `with`, every SQLite connection that this process opens is on it. Raises Missing."""

    def __init__(self) -> None:
        self._sqlite = _functions_of_sqlite()
        self._library = _build()
        self._vfs = ctypes.addressof(ctypes.c_char.in_dll(self._library, "disk_vfs"))
        self._library.disk_size.restype = ctypes.c_int64
        self.settings = Settings.in_dll(self._library, "disk_settings")
        self.counts = Counts.in_dll(self._library, "disk_counts")

    def __enter__(self) -> Self:
        self._before = self._sqlite.sqlite3_vfs_find(None)
        self._sqlite.sqlite3_vfs_register(self._vfs, 1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sqlite.sqlite3_vfs_register(self._before, 1)

    def begin(self, seed: int) -> None:
        """An empty disk, and its choices from the start again; those of SQLite too."""
        self._library.disk_begin(ctypes.c_uint64(seed))
        self._sqlite.sqlite3_randomness(0, None)

    @contextmanager
    def process(self, owner: int) -> Iterator[None]:
        """What is opened within belongs to this process."""
        before, self.settings.owner = self.settings.owner, owner
        try:
            yield
        finally:
            self.settings.owner = before

    def kill(self, mask: int) -> None:
        self._library.disk_kill(mask)

    def revive(self, mask: int) -> None:
        """Processes of these numbers may be started again."""
        self._library.disk_revive(mask)

    def lose_power(self, permille: int) -> None:
        """End every process; of what was not synced each sector survives with this chance."""
        self._library.disk_lose_power(permille)

    def calm(self) -> None:
        """No call fails from here on."""
        self.settings.write_times = self.settings.sync_times = self.settings.full = 0

    @property
    def failed(self) -> int:
        """Calls refused so far."""
        return self.counts.failed_writes + self.counts.failed_syncs + self.counts.full

    def open(self, path: Path) -> BinaryIO:
        """As a process reads it now. Raises FileNotFoundError."""
        size: int = self._library.disk_size(path.name.encode())
        if size < 0:
            raise FileNotFoundError(path)
        room = ctypes.create_string_buffer(max(1, size))
        self._library.disk_read(path.name.encode(), room)
        return io.BytesIO(room.raw[:size])

    def rewrite(self, path: Path) -> None:
        """Write a file over itself and flush it. Raises OSError."""
        self.open(path).close()
        if self._library.disk_rewrite(path.name.encode()):
            raise OSError(errno.EIO, "the simulated disk fails")

    def checkpointer(self, path: Path, limit_bytes: int) -> "Stepped":
        return Stepped(self, path, limit_bytes)


class Stepped(Checkpointer):
    """Copies when it is told to, and not in a thread of its own."""

    def __init__(self, disk: Disk, path: Path, limit_bytes: int) -> None:
        self._disk = disk
        super().__init__(path, limit_bytes=limit_bytes, look_every=1)

    def begin(self) -> None:
        pass

    def open_log(self) -> BinaryIO:
        return self._disk.open(self._log)

    def rewrite_log(self) -> None:
        self._disk.rewrite(self._log)


def _functions_of_sqlite() -> ctypes.CDLL:
    """Those of the very SQLite that Python's module uses, which may be linked into it or stand beside it."""
    try:
        found = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        found.sqlite3_vfs_find.restype = ctypes.c_void_p
        found.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
        found.sqlite3_vfs_register.argtypes = [ctypes.c_void_p, ctypes.c_int]
        found.sqlite3_randomness.argtypes = [ctypes.c_int, ctypes.c_void_p]
    except (AttributeError, OSError) as error:
        raise Missing(f"the SQLite of this Python cannot be given another disk: {error}") from None
    return found


def _build() -> ctypes.CDLL:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Missing("there is no C compiler here, which builds the simulated disk (Debian and Ubuntu: apt-get install gcc)")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "disk.so"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            raise Missing(f"the simulated disk cannot be built here: {built.stderr.strip()[-300:]}")
        return ctypes.CDLL(str(library))
