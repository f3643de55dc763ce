"""POST /events: the shortest way from bytes to a durable event. Everything else goes by the routes.

Two ways with the same functions and the same answers. `create_event` is the ordinary one, for ASGI. `taken` is for protocol.py:
it takes the requests that can be decided at once, without a task, and leaves every other to the ordinary way: whatever is wrong
with a request, whatever has to be looked up, and whatever has not come whole.
"""

from collections.abc import Callable

from ..errors import TrackrecordError
from ..ingest import Services
from ..journal.commit import Kept
from ..rules.versions import Version
from ..wire.events import parse_event
from . import bodies
from .auth import Auth, allow
from .bodies import Headers, Held, Receive, Send
from .limits import Limiter

_EMPTY = {"type": "http.response.body", "body": b""}
# Headers of a request that the ordinary way alone understands.
_LEFT = frozenset({b"content-encoding", b"expect", b"upgrade", b"te", b"trailer"})

Versions = Callable[[dict[bytes, bytes], Headers], Version | TrackrecordError]


class FastLane:
    def __init__(
        self, services: Services, auth: Auth, limiter: Limiter, *, request_id: Callable[[], str], version: Versions, noted: bool
    ) -> None:
        """`noted`: every request stands in the request log, which is the ordinary way's work."""
        self.direct = 0  # events taken without ASGI
        self._request_id = request_id
        self._version = version
        self._noted = noted
        self._services = services
        self._ingest = services.ingest
        self._auth = auth
        self._limiter = limiter
        self._limit = services.settings.body_max_bytes

    def taken(self, sent: dict[bytes, bytes], body: bytes, kept: Kept) -> tuple[str, Headers] | None:
        """Take a whole request, if it is good and nothing has to be looked up; None leaves it as if it had not been seen.

        `kept` hears of the event as journal.put tells. Returns the request id and the headers of the answer.
        """
        authorization = sent.get(b"authorization")
        if self._noted or not authorization or not body or len(body) > self._limit or not _LEFT.isdisjoint(sent):
            return None
        access = self._auth.cached(authorization)
        if access is None or not access.token.allows("write_events"):
            return None
        request_id = self._request_id()
        headers: Headers = [(b"x-request-id", request_id.encode())]
        try:
            if isinstance(self._version(sent, headers), TrackrecordError) or bodies.is_form(sent, body):
                return None
            event = self._ingest.ready(access.workspace, parse_event(body))
            if event is None:
                return None
            self._limiter.count(access.token.id, access.workspace.number, self._services.now(), headers)
        except Exception:  # whatever it is, the ordinary way comes upon it too, and answers it
            return None
        self.direct += 1
        self._ingest.journal.put(event, kept)
        return request_id, headers

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
