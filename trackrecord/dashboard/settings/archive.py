"""A backup as one file: a copy is made beside, sent as a tar, and removed."""

import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...errors import Unavailable
from ..visit import Visit

PIECE_BYTES = 256 << 10
BLOCK_BYTES = tarfile.BLOCKSIZE
RETRY_S = 60


def check_room(size: int) -> None:
    """Raises Unavailable where the copy would not fit."""
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Unavailable(
            f"the copy needs {size:,} bytes in {folder}, where {free:,} are free: make it on the server with trackrecord backup",
            retry_after_s=RETRY_S,
        )


async def pieces(visit: Visit, name: str) -> AsyncIterator[bytes]:
    """A tar of a folder of this name with the copied files. Raises Unavailable before the first piece while another is made."""
    services = visit.services
    turn = services.turns.of("backups", 0, most=1)
    if turn.locked():
        raise Unavailable("a backup is being made already: ask again when it has ended", retry_after_s=RETRY_S)
    async with turn:
        folder = Path(await services.in_thread(tempfile.mkdtemp, prefix="trackrecord-backup-"))
        try:
            copied = folder / name
            await services.in_background(visit.workspace.number, services.copy_into, copied, long=True)
            for path in sorted(copied.iterdir()):
                yield _head(f"{name}/{path.name}", path)
                with path.open("rb") as file:
                    while piece := await services.in_thread(file.read, PIECE_BYTES):
                        yield piece
                yield bytes(-path.stat().st_size % BLOCK_BYTES)
            yield bytes(2 * BLOCK_BYTES)  # which ends a tar
        finally:
            await services.in_thread(shutil.rmtree, folder, ignore_errors=True)


def _head(name: str, path: Path) -> Any:
    info = tarfile.TarInfo(name)
    stat = path.stat()
    info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), 0o600
    return info.tobuf(tarfile.GNU_FORMAT)
