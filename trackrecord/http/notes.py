"""What the request log is told of requests, and of which."""

import time
from collections.abc import MutableMapping
from typing import Any

from ..errors import TrackrecordError
from ..ingest import Services
from ..rules.requests import Entry
from .addresses import Addresses
from .auth import Auth
from .bodies import Headers, Send

FROM_STATUS = {"off": 1000, "refused": 400, "all": 0}  # by the setting request_log: the lowest status that is noted


class Notes:
    """Writes a line about a request once it has been answered. Nothing waits for that, and nothing fails by it."""

    def __init__(self, services: Services, auth: Auth, addresses: Addresses) -> None:
        self._requests = services.requests
        self._now = services.now
        self._auth = auth
        self._addresses = addresses
        self._from = FROM_STATUS[services.settings.request_log]
        self.every = self._from == 0

    def answered(self, scope: MutableMapping[str, Any], headers: Headers, status: int, error: TrackrecordError | None = None) -> None:
        """Of a request that reached the application, with the headers of its answer."""
        if status < self._from:
            return
        sent: dict[bytes, bytes] = scope["sent"]
        error, whose = error or scope.get("failure"), scope.get("whose")
        access = self._auth.remembered(sent.get(b"authorization"))
        version = dict(headers).get(b"intercom-version")
        agent = sent.get(b"user-agent")
        self._requests.note(
            Entry(
                at_ms=int(self._now() * 1000),
                request_id=scope["request_id"],
                method=scope["method"],
                path=scope["path"],
                status=status,
                code=error.code if error is not None else None,
                message=error.message if error is not None else None,
                field=error.field if error is not None else None,
                cause=(error.cause or error.message) if error is not None else None,
                version=version.decode() if version is not None else None,
                token=access.token.id if access is not None else None,
                token_hint=access.token.hint if access is not None else None,
                workspace=access.workspace.number if access is not None else whose.number if whose is not None else None,
                client=self._addresses.client(scope, sent),
                user_agent=agent.decode("latin-1") if agent is not None else None,
                duration_us=int((time.perf_counter() - scope["began"]) * 1_000_000),
            )
        )

    def below(self, error: TrackrecordError, request_id: str, *, method: str, target: str, client: str | None) -> None:
        """Of a request that was refused before it reached the application, as far as it could be read."""
        if error.status < self._from:
            return
        path = target.partition("?")[0]
        at_ms, cause = int(self._now() * 1000), error.cause or error.message
        entry = Entry(at_ms, request_id, method, path, error.status, error.code, error.message, error.field, cause, client=client)
        self._requests.note(entry)


class Watched:
    """A `send` that remembers with which status and headers it was answered."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.headers: Headers = []

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        await self._send(message)
