"""The script that pages load: built from snippet/ when the package is, read once."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from ..errors import Unavailable

FILE, MAP = "widget.js", "widget.js.map"
HASH_CHARACTERS = 16


class Script(NamedTuple):
    content: bytes
    source_map: bytes
    name: str  # of the twin that never changes: its content's hash is in it

    @property
    def etag(self) -> bytes:
        return f'"{self.name}"'.encode()


@cache
def script() -> Script:
    """Raises Unavailable where the package was put together without it."""
    static = files("trackrecord.messenger") / "static"
    try:
        content, source_map = (static / FILE).read_bytes(), (static / MAP).read_bytes()
    except OSError:
        raise Unavailable(
            "this installation has no script for pages: it is built with the package, which needs Node at that time", retry_after_s=3600
        ) from None
    name = f"widget.{hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]}.js"
    return Script(content + f"\n//# sourceMappingURL=/messenger/static/{name}.map\n".encode(), source_map, name)
