"""A reader of GET /-/api/live: server-sent events as they come off the socket."""

import json
import time
from typing import Any, NamedTuple

from .client import DEADLINE_S, Api, Connection, request


class Message(NamedTuple):
    """One server-sent event. `kind` is what its `event:` line says, `message` without one, as in browsers."""

    kind: str
    id: int | None
    data: Any


class Stream(Connection):
    """One connection that watches. Every wait ends after DEADLINE_S; `lines` are those of the answer's head."""

    def __init__(self, api: Api, query: str = "", *headers: str) -> None:
        super().__init__(api.url)
        self._unread = b""
        self.send(request("GET", f"/-/api/live{query}", *headers, token=api.token))
        self.lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        assert self.lines[0] == "HTTP/1.1 200 OK", self.lines
        self.beats: list[int] = []

    def next(self) -> Message | None:
        """The next message; None when the stream has ended as it should."""
        while b"\n\n" not in self._unread:
            length = int(self.until(b"\r\n"), 16)
            piece = self._exactly(length)
            assert self.until(b"\r\n") == b""
            if not length:
                assert self._unread == b""
                return None
            self._unread += piece
        block, self._unread = self._unread.split(b"\n\n", 1)
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        if "data" not in fields:
            assert fields == {"retry": "1000"}
            return self.next()
        return Message(fields.get("event", "message"), int(fields["id"]), json.loads(fields["data"]))

    def told(self) -> Any:
        """The data of the next message but beats, whose positions are kept; None at the end."""
        deadline = time.monotonic() + DEADLINE_S
        while (message := self.next()) is not None and message.kind == "beat":
            self.beats.append(message.data["position"])
            assert time.monotonic() < deadline, "nothing is told"
        if message is not None:
            assert message.id == message.data["position"]
        return None if message is None else message.data

    def some(self, count: int) -> list[Any]:
        return [self.told() for _ in range(count)]

    def rest(self) -> list[Any]:
        """All until the stream ends."""
        return list(iter(self.told, None))
