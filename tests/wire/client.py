"""A client of the wire that sends and reads bytes, so that a test sees exactly what is on it."""

import contextlib
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from trackrecord.rules.codes import ANSWERED
from trackrecord.testing import TrackrecordServer

DEADLINE_S = 30.0  # for anything that is waited for: long enough for a busy machine, short enough to be a failure
POLL_S = 0.005

_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """Something nobody else in this test run has."""
    return f"{prefix}{next(_numbers)}"


def until(holds: Callable[[], Any]) -> Any:
    """The first true thing `holds` returns; asked again and again, and an error when the time is over."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(POLL_S)  # the server's thread has its turn
    raise TimeoutError(f"{holds} was not so within {DEADLINE_S} s")


class Answer(NamedTuple):
    """One HTTP response. Header names in lower case, in the order sent; `body` as it came, still compressed if it was."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that came once; None if it did not come."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def names(self) -> set[str]:
        """Which headers came, but for Date, which every answer has."""
        return {name for name, _ in self.headers} - {"date"}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[Any, ...]:
        """(status, code, message, field) of an error.list; it has exactly the shape clients read."""
        assert self.header("content-type") == "application/json; charset=utf-8"
        body = self.json
        assert list(body) == ["type", "request_id", "errors"], body
        assert body["type"] == "error.list"
        assert body["request_id"] == self.header("x-request-id")
        assert len(body["errors"]) == 1
        item = body["errors"][0]
        assert (item["code"], self.status) in ANSWERED, f"{item} with {self.status} is not in the catalogue"
        # Whose fault it is decides whether a field is named; nothing else ever stands in an item.
        assert set(item) == ({"code", "message"} if self.status >= 500 else {"code", "message", "field"}), item
        assert item["message"]
        return (self.status, item["code"], item["message"], item.get("field"))


class Connection:
    """One TCP connection to a server: send any bytes, read whole responses. Every wait ends after DEADLINE_S."""

    def __init__(self, url: str) -> None:
        self._url = url
        host, _, port = urlsplit(url).netloc.partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
        self._read = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def send(self, sent: bytes) -> None:
        """A server that has answered and closed before everything was sent is no error: its answer is read next."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(sent)

    def send_in_two(self, sent: bytes, cut: int) -> None:
        """Send bytes so that the server reads them in two pieces, of which the first has `cut`."""
        self.send(sent[:cut])
        with Connection(self._url) as other:  # an answer to somebody else: the first piece has been read by then
            other.send(request("GET", "/-/health?check=live"))
            assert other.answer().status == 200
        self.send(sent[cut:])

    def end(self) -> None:
        """Say that nothing more will be sent; answers can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, *, head: bool = False) -> Answer:
        """The next response, 1xx ones passed over; with `head` it has no body, whatever its Content-Length says."""
        while True:
            lines = self.until(b"\r\n\r\n").split(b"\r\n")
            version, status, _ = lines[0].decode("latin-1").split(" ", 2)
            assert version == "HTTP/1.1", lines[0]
            if not status.startswith("1"):
                break
        pairs = [line.decode("latin-1").split(":", 1) for line in lines[1:]]
        headers = [(name.lower(), value.strip()) for name, value in pairs]
        if ("transfer-encoding", "chunked") in headers:  # exports alone; every other answer of ours says its length
            return Answer(int(status), headers, b"" if head else b"".join(self._chunks()))
        length = 0 if head else int(dict(headers)["content-length"])
        return Answer(int(status), headers, b"" if head else self._exactly(length))

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.until(b"\r\n"), 16):
            yield self._exactly(length)
            self.until(b"\r\n")
        self.until(b"\r\n")

    def closed(self) -> bytes:
        """What is still to be read until the server closes the connection."""
        while self._more():
            pass
        left, self._read = self._read, b""
        return left

    def until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            if not self._more():
                raise ConnectionError(f"the server closed the connection after {self._read[:200]!r}")
        found, self._read = self._read.split(mark, 1)
        return found

    def _exactly(self, length: int) -> bytes:
        while len(self._read) < length:
            if not self._more():
                raise ConnectionError(f"the server closed the connection {length - len(self._read)} bytes too early")
        found, self._read = self._read[:length], self._read[length:]
        return found

    def _more(self) -> bool:
        try:
            received = self.socket.recv(1 << 18)
        except ConnectionResetError:
            return False
        self._read += received
        return bool(received)


def request(method: str, target: str, *headers: str, body: bytes | None = None, token: str | None = None) -> bytes:
    """The bytes of a request: Host, the token as Bearer, Content-Length for a body, and the headers given, as they are."""
    lines = [f"{method} {target} HTTP/1.1", "Host: wire.test"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + (body or b"")


class Api:
    """A client of one server and one token, with a connection of its own for each request."""

    def __init__(self, server: TrackrecordServer, token: str | None = "the server's") -> None:
        self.server = server
        self.url = server.url
        self.token = server.token if token == "the server's" else token

    def send(self, method: str, target: str, *headers: str, body: Any = None) -> Answer:
        """`body` is bytes, sent as they are, or anything else, sent as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with Connection(self.url) as connection:
            connection.send(request(method, target, *headers, body=sent, token=self.token))
            return connection.answer(head=method == "HEAD")

    def get(self, target: str, *headers: str) -> Answer:
        return self.send("GET", target, *headers)

    def post(self, target: str, body: Any, *headers: str) -> Answer:
        return self.send("POST", target, *headers, body=body)

    def put(self, target: str, body: Any, *headers: str) -> Answer:
        return self.send("PUT", target, *headers, body=body)

    def delete(self, target: str, *headers: str, body: Any = None) -> Answer:
        return self.send("DELETE", target, *headers, body=body)

    def contact(self, **fields: Any) -> Any:
        """A contact nobody else has, as the server shows it: a user with an external_id unless `fields` say otherwise."""
        answer = self.post("/contacts", fields or {"external_id": fresh("user-")})
        assert answer.status == 200, answer
        return answer.json

    def submit(self, **event: Any) -> Answer:
        """POST /events; `event` in the words of the wire."""
        return self.post("/events", event)

    def events(self, contact: Any, **params: Any) -> list[Any]:
        """The events of a contact as one page shows them."""
        query = "&".join(f"{name}={value}" for name, value in {"type": "user", "per_page": 150, **params}.items())
        answer = self.get(f"/events?intercom_user_id={contact['id']}&{query}")
        assert answer.status == 200, answer
        return list(answer.json["events"])

    def summary(self, contact: Any) -> list[Any]:
        answer = self.get(f"/events?intercom_user_id={contact['id']}&type=user&summary=true")
        assert answer.status == 200, answer
        return list(answer.json["events"])

    def receipt(self, answer: Answer) -> Any:
        """What became of the event that was answered so."""
        assert answer.status == 202, answer
        return self.get(f"/-/api/receipts/{answer.header('trackrecord-receipt')}").json
