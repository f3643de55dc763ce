"""What stands between the browsers and the server in these tests: an address that stays, though the server behind it is killed."""

import contextlib
import http.client
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from real_server import RealServer

FORWARD_TIMEOUT_S = 20.0
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Door:
    """Passes requests on to the server of the moment, and can be shut, refuse deliveries, or lose their answers."""

    def __init__(self) -> None:
        self._server: RealServer | None = None
        self.shut = False  # a connection is dropped as soon as it asks for something
        # One for each delivery of events to come (a ping alone takes none): a status to refuse it with, or "lose the answer".
        self.faults: deque[int | str] = deque()
        self.refuses_all_with: int | None = None  # whatever a delivery carries
        self.passed: list[dict[str, Any]] = []  # the deliveries that the server was given
        self.turned_away = 0  # deliveries that it was not
        self.waiting = 0  # deliveries that are held
        self.answered: list[int] = []  # the statuses of the former
        self._open = threading.Event()
        self._open.set()
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def handle_one_request(self) -> None:
                with contextlib.suppress(OSError):  # the browser went away
                    super().handle_one_request()

            def do_GET(self) -> None:
                door._handle(self)

            do_POST = do_OPTIONS = do_GET

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "Door":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def lead_to(self, server: RealServer) -> None:
        """To this one from now on, wide open."""
        self._server = server
        self.shut, self.turned_away = False, 0
        self.faults.clear()
        self.refuses_all_with = None
        self.passed.clear()
        self.answered.clear()
        self.release()

    def hold(self) -> None:
        """Let deliveries wait in front of the server until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        delivery = request.command == "POST"
        fault: int | str | None = None
        if delivery:
            self.waiting += 1
            self._open.wait(FORWARD_TIMEOUT_S)
            self.waiting -= 1
            fault = self.refuses_all_with
            if self.faults and not self.shut and any(item["kind"] == "event" for item in json.loads(body)["items"]):
                fault = self.faults.popleft()
        if self.shut or isinstance(fault, int):
            self.turned_away += delivery
            if isinstance(fault, int):
                _refuse(request, fault)
            else:
                request.close_connection = True
            return
        try:
            status, headers, content = self._forward(request, body)
        except (OSError, http.client.HTTPException):  # the server is not there: neither is an answer
            request.close_connection = True
            self.turned_away += delivery
            return
        if delivery:
            self.passed.append(json.loads(body))
            self.answered.append(status)
        if fault == "lose the answer":
            request.close_connection = True
            return
        _answer(request, status, headers, content)

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        assert self._server is not None
        connection = http.client.HTTPConnection(urlsplit(self._server.url).netloc, timeout=FORWARD_TIMEOUT_S)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(request.command, request.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def _answer(request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
    request.send_response(status)
    for name, value in headers:
        if name.lower() not in HOP_BY_HOP:
            request.send_header(name, value)
    if status not in (204, 304):
        request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def _refuse(request: BaseHTTPRequestHandler, status: int) -> None:
    """As the server refuses a delivery."""
    code = {429: "rate_limit_exceeded", 503: "service_unavailable"}.get(status, "server_error")
    content = json.dumps({"type": "error.list", "request_id": None, "errors": [{"code": code, "message": "later"}]}).encode()
    cors = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "Retry-After")]
    _answer(request, status, [*cors, ("Retry-After", "1"), ("Content-Type", "application/json")], content)
