"""What the disk is asked for beside reading, writing and flushing."""

import ctypes
from typing import Any

_WRITE = 2  # SYNC_FILE_RANGE_WRITE: start, and do not wait


def _of_libc(name: str) -> Any:  # a function of C, or None where the system has none of that name
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return function


_sync_file_range = _of_libc("sync_file_range")


def start_writing(file: int, start: int, size: int) -> None:
    """Have the system begin to write these bytes of an open file to the disk, without waiting for it.

    Left to itself it gathers what is written for up to half a minute, until a flush has to wait for all of it, and every other flush on
    that disk with it. This is no flush: what it started may still be lost. Where the system has no such call (it is Linux's) or
    refuses it, nothing happens.
    """
    if _sync_file_range is not None:
        _sync_file_range(file, start, size, _WRITE)
