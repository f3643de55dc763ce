"""What a handler is given, and what it gives back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..analysis.asking import Analysis
from ..errors import TrackrecordError
from ..ingest import Services as Base
from ..live import Live
from ..messenger.deliveries import Deliveries
from ..rules.directory import Token, Workspace
from ..rules.profiles import Profile, under
from ..rules.versions import Version
from ..segments import Segments


class Answer(NamedTuple):
    """`body` is encoded as JSON, but for bytes, which go as they are; None sends zero bytes and no Content-Type.

    An async iterator of bytes is sent as it comes, in as many chunks, and closed when it ends or the client hangs up; name its
    Content-Type in `headers`. What it raises before its first piece is answered as any error; later it can only end the connection.
    """

    body: "Any | AsyncIterator[bytes]" = None
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    failure: TrackrecordError | None = None  # what a page says in its own words, for the request log
    whose: Workspace | None = None  # to whom that belongs, where no token says it


class Services(Base, Protocol):
    @property
    def segments(self) -> Segments: ...

    @property
    def analysis(self) -> Analysis: ...

    @property
    def messenger(self) -> Deliveries: ...

    @property
    def live(self) -> Live: ...

    @property
    def app(self) -> Any:
        """What answers HTTP: pages ask it in the process."""


class Asked:
    """One request that anybody may make. Query parameters keep their order and their repetitions."""

    __slots__ = ("base_url", "body", "client", "headers", "path", "query", "request_id", "services", "version")

    def __init__(
        self,
        *,
        services: Services,
        version: Version,
        base_url: str,
        request_id: str,
        path: dict[str, str],
        query: Sequence[tuple[str, str]],
        body: bytes,
        headers: Mapping[bytes, bytes],
        client: str | None,
    ) -> None:
        self.services = services
        self.version = version
        self.base_url = base_url  # scheme and authority the client used, no trailing slash
        self.request_id = request_id
        self.path = path
        self.query = query
        self.body = body
        self.headers = headers  # by their names in lower case
        self.client = client  # the address it came from

    @property
    def profile(self) -> Profile:
        """As the version asked for has it."""
        return under(self.services.profile, self.version)

    def now(self) -> int:
        """Whole Unix seconds, by the server's clock."""
        return int(self.services.now())

    def param(self, name: str) -> str | None:
        """The last value of a query parameter; None when it is absent."""
        return next((value for key, value in reversed(self.query) if key == name), None)


class Call(Asked):
    """One request with a good token."""

    __slots__ = ("token", "workspace")

    def __init__(self, *, workspace: Workspace, token: Token, **asked: Any) -> None:
        super().__init__(**asked)
        self.workspace = workspace
        self.token = token


Handler = Callable[[Any], Awaitable[Answer]]
