"""POST /events: the shortest way from bytes to a durable event. Everything else goes by the routes."""

from ..errors import TrackrecordError
from ..ingest import Services
from ..rules.versions import Version
from ..wire.events import parse_event
from . import bodies
from .auth import Auth, allow
from .bodies import Headers, Held, Receive, Send
from .limits import Limiter

_EMPTY = {"type": "http.response.body", "body": b""}


class FastLane:
    def __init__(self, services: Services, auth: Auth, limiter: Limiter) -> None:
        self._services = services
        self._ingest = services.ingest
        self._auth = auth
        self._limiter = limiter
        self._limit = services.settings.body_max_bytes

    async def create_event(
        self, sent: dict[bytes, bytes], receive: Receive, send: Send, headers: Headers, version: Version | TrackrecordError, held: Held
    ) -> None:
        """202 with zero bytes, once the event is in the journal and survives a crash. Data events are the same in every version."""
        authorization = sent.get(b"authorization")
        access = self._auth.cached(authorization) if authorization else None
        if access is None:
            access = await self._auth.access(authorization)
        self._limiter.count(access.token.id, access.workspace.number, self._services.now(), headers)
        allow(access.token, "write_events")
        if isinstance(version, TrackrecordError):
            raise version
        body = await bodies.read(receive, sent, limit=self._limit, held=held)
        position = await self._ingest.submit(access.workspace, parse_event(body))
        headers.append((b"content-length", b"0"))
        headers.append((b"trackrecord-receipt", b"%d" % position))
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send(_EMPTY)
